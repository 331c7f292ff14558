"""The agent's memory while its version changes: tried out on a copy, and put back if the new one fails."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path

from installing.machine import PREFIX, STATE, InstallError, changed, run, works

KEPT = PREFIX / "state-before"
DATABASE = "vigie.db"
LEFT_OUT = ("trace",)
"""Recorded days are large, and no version changes them."""


def copy(to: Path) -> None:
    """A copy of the state folder, whole also while the agent writes."""
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(mode=0o700, parents=True)
    for path in STATE.iterdir():
        if path.is_file() and not path.name.startswith(DATABASE):
            shutil.copy2(path, to)
    if (STATE / DATABASE).exists():
        with (
            closing(sqlite3.connect(f"file:{STATE / DATABASE}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(to / DATABASE)) as target,
        ):
            source.backup(target)


def check(place: Path) -> None:
    """Have a release open a copy of the state.

    Raises:
        InstallError: it would lose something; nothing has been changed.
    """
    if not STATE.is_dir() or not any(STATE.iterdir()):
        return
    with tempfile.TemporaryDirectory(prefix="vigie-") as folder:
        tried = Path(folder) / "state"
        try:
            copy(tried)
        except sqlite3.Error:
            return  # damaged already: whichever version runs begins a new one
        try:
            run(place / "bin/python", "-m", "agent.runtime.readable", tried, quiet=True)
        except InstallError as error:
            raise InstallError(
                f"the new version cannot read the state; nothing was changed\n{error}"
            ) from error


def keep() -> None:
    """Keep a copy for the way back; call while the agent does not run."""
    if STATE.is_dir():
        with suppress(sqlite3.Error):
            copy(KEPT)


def give_back(place: Path) -> None:
    """Let a release that is gone back to have the state that it left, unless it can read the present one."""
    if not KEPT.is_dir() or works(place / "bin/python", "-m", "agent.runtime.readable", "--only-look", STATE):
        return
    owner = STATE.stat()
    for path in KEPT.iterdir():
        for stale in (STATE / path.name, STATE / f"{path.name}-wal", STATE / f"{path.name}-shm"):
            stale.unlink(missing_ok=True)
        shutil.copy2(path, STATE)
        shutil.chown(STATE / path.name, owner.st_uid, owner.st_gid)
    changed(f"{STATE}: as it was before")
