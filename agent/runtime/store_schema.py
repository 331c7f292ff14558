"""The database file of the store: its tables, those of an earlier version, and what becomes of a damaged one.

Every function raises ``DamagedError`` or ``OutOfReachError`` and nothing else, save where it says so; what
to do then is decided in ``store``.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

from agent.core.codes import Severity
from agent.runtime.store_codec import COPY, DamagedError, sync_folder, told_apart

DATABASE = "vigie.db"
VERSION = 2
BAD_KEPT = 3
BUSY_S = 2.0
FIRST_RECEIVER = "mqtt"
"""The only receiver that version 1 knew."""
RECEIVERS_KEY = "receivers"
NEVER_LOST = 2
RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ALERT: NEVER_LOST}
"""Severity as it stands in a row; what is lower gives way first, and an alert never."""

# Bit n of ``waits``, n > 0, is set while receiver n has not acknowledged the event. Bit 0 is nobody's:
# version 1 wrote 1 for what had been acknowledged, and rewriting years of history would take minutes and
# as much room again. ``severity`` is not known of what version 1 had already delivered.
_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    at REAL NOT NULL,
    synced INTEGER NOT NULL,
    waits INTEGER NOT NULL,
    body TEXT NOT NULL,
    severity INTEGER NOT NULL DEFAULT 0
);
"""
_INDEXES = """
CREATE INDEX outbox ON events (seq, severity, waits) WHERE waits > 1;
CREATE INDEX undated ON events (seq) WHERE synced = 0;
"""
_FROM_VERSION_1 = f"""
UPDATE events SET acked = 2 WHERE acked = 0;
DROP INDEX IF EXISTS outbox;
ALTER TABLE events RENAME COLUMN acked TO waits;
ALTER TABLE events ADD COLUMN severity INTEGER NOT NULL DEFAULT 0;
{_INDEXES}
UPDATE events SET severity = CASE
    WHEN instr(body, '"severity": "alert"') THEN 2
    WHEN instr(body, '"severity": "warning"') THEN 1
    ELSE 0 END
WHERE waits > 1;
INSERT OR REPLACE INTO meta VALUES ('{RECEIVERS_KEY}', '["{FIRST_RECEIVER}"]');
"""  # noqa: S608 (of our own words)


def prepare(db: sqlite3.Connection) -> None:
    """Make tables in an empty database, check a present one from end to end, and bring it up to date.

    Raises:
        DamagedError: it is none of ours, or not whole.
        sqlite3.Error: it cannot be used, for ``told_apart`` to tell why.
    """
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA journal_size_limit = 4194304")
    db.execute("PRAGMA temp_store = MEMORY")
    # Some systems overwrite what is deleted with zeros, which needs the very room that deleting is to give.
    db.execute("PRAGMA secure_delete = OFF")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if version == 0 and not tables:
        _run(db, _TABLES + _INDEXES)
        return
    if version not in (1, VERSION) or not {"meta", "events"} <= tables:
        raise DamagedError(f"not a history of version {VERSION}")
    verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise DamagedError(str(verdict))
    if version == 1:
        _run(db, _FROM_VERSION_1)


def _run(db: sqlite3.Connection, script: str) -> None:
    db.executescript(f"BEGIN IMMEDIATE;{script}PRAGMA user_version = {VERSION};COMMIT;")


def quarantine(folder: Path) -> str:
    """Move the database aside and return its new name; at most ``BAD_KEPT`` are kept.

    Raises:
        OutOfReachError: it could not be moved.
    """
    path = folder / DATABASE
    with told_apart():
        taken = sorted(bad_numbers(folder))
        name = f"{DATABASE}.bad-{(taken[-1] if taken else 0) + 1}"
        path.replace(folder / name)
        with suppress(FileNotFoundError):  # the log belongs to the evidence
            Path(f"{path}-wal").replace(folder / f"{name}-wal")
        drop_companions(path)
        for number in taken[: -(BAD_KEPT - 1)]:
            for suffix in ("", "-wal", "-shm"):
                (folder / f"{DATABASE}.bad-{number}{suffix}").unlink(missing_ok=True)
        sync_folder(folder)
    return name


def bad_numbers(folder: Path) -> list[int]:
    """The numbers of the quarantined databases; what it raises is for ``told_apart`` to catch."""
    ends = [path.name.rpartition("-")[2] for path in folder.glob(f"{DATABASE}.bad-*")]
    return [int(end) for end in ends if end.isdigit()]


def drop_companions(path: Path) -> None:
    """Remove the log of a database that is gone; what it raises is for ``told_apart`` to catch."""
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def anything_in(folder: Path) -> bool:
    """True unless the folder certainly never held a store. Never raises."""
    try:
        return any((folder / name).exists() for name in (DATABASE, COPY)) or bool(bad_numbers(folder))
    except OSError:
        return True
