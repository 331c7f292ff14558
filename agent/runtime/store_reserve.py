"""A file that holds nothing but room, given back when the disk is full.

To delete, SQLite must first write; on a disk without a free byte nothing could make room for an alert. So
some room is kept while there is plenty.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

NAME = "reserve"
SIZES = (512 * 1024, 256 * 1024, 128 * 1024)
"""What is kept, and what is made do with on a disk that is full. A write that deletes some events and adds
200 takes some 150 kB of log."""
PLENTY = 8 * SIZES[0]
"""It is begun only where so much is free: it must not be what fills the disk."""


class Reserve:
    """The file in the state folder. Nothing here raises: without it the store works as before."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def begin(self) -> None:
        """Keep some room if there is plenty and none is kept yet."""
        with suppress(OSError):
            free = os.statvfs(self._path.parent)
            if not self._path.exists() and free.f_bavail * free.f_frsize >= PLENTY:
                self._take(SIZES[0])

    def release(self) -> bool:
        """Give the room back; True if there was any."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def take_again(self) -> None:
        """Keep as much as there is of the room that was given back."""
        for size in SIZES:
            try:
                self._take(size)
            except OSError:
                continue
            return

    def _take(self, size: int) -> None:
        handle = os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            os.posix_fallocate(handle, 0, size)
        except BaseException:
            self._path.unlink()
            raise
        finally:
            os.close(handle)
