"""One agent for one state folder: two of them must never share relays and memory."""

from __future__ import annotations

import fcntl
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
