"""One agent for one state folder: two of them must never share relays and memory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO


class AlreadyRunningError(RuntimeError):
    """Another agent holds this state folder."""


def lock(folder: Path) -> IO[str]:
    """Take hold of ``folder``, making it if need be; closing what is returned lets go of it.

    Raises:
        AlreadyRunningError: another agent has it.
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise AlreadyRunningError(f"another agent is running with {folder}") from error
    return file


def is_held(folder: Path) -> bool:
    """Whether an agent is running with ``folder`` now; nothing is locked to find out (``proc_locks(5)``)."""
    try:
        held = (folder / "lock").stat()
        locks = Path("/proc/locks").read_text(encoding="ascii")
    except OSError:
        return False
    name = f"{os.major(held.st_dev):02x}:{os.minor(held.st_dev):02x}:{held.st_ino}"
    return any("FLOCK" in line and name in line.split() for line in locks.splitlines())
