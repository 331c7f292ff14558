"""The database file of the store: its tables, its queries, and what becomes of a damaged one.

Every method raises ``DamagedError`` or ``OutOfReachError`` and nothing else; what to do then is decided
in ``store``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from agent.core.instant import Now
from agent.core.model import Event, Recorded
from agent.runtime.store_codec import (
    COPY,
    DamagedError,
    Memory,
    decode_memory,
    decode_row,
    encode_event,
    encode_memory,
    sync_folder,
    told_apart,
)

DATABASE = "vigie.db"
VERSION = 1
BAD_KEPT = 3
BUSY_S = 2.0
KEPT_S = 400 * 86_400.0
KEPT_ROWS = 50_000
OUTBOX_ROWS = 200_000
PURGE_ROWS = 2_000

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    at REAL NOT NULL,
    synced INTEGER NOT NULL,
    acked INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX outbox ON events (seq) WHERE acked = 0;
"""

_PURGE = """
DELETE FROM events WHERE seq IN (
    SELECT seq FROM (SELECT seq, at, synced, acked FROM events ORDER BY seq LIMIT :bounded)
    WHERE seq <= :beyond_outbox OR acked AND (seq <= :beyond_history OR synced AND at < :before)
) AND seq < :last
"""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event on its way to the disk; ``id`` is set if it was already shown under that name."""

    event: Event
    now: Now
    id: str | None = None


class Database:
    """An open database. ``last_seq`` is the last number given."""

    def __init__(self, folder: Path) -> None:
        """Open the file, creating it if it is missing, and check it from end to end.

        Raises:
            DamagedError: it must be quarantined.
            OutOfReachError: it cannot be used now.
        """
        path = folder / DATABASE
        with told_apart():
            if not path.exists():
                _drop_companions(path)  # a log without its database would be replayed into the new one
            self._db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            try:
                _prepare(self._db)
                self.last_seq = self._last()
                text = self.meta("memory")
                self.memory_found = decode_memory(text) if text else None
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        """Close the file; what was committed is in it."""
        with suppress(sqlite3.Error):
            self._db.close()

    def meta(self, key: str) -> str | None:
        """One of the few values kept by name."""
        with told_apart():
            row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else None

    def write(
        self,
        drafts: Sequence[Draft] = (),
        *,
        install: str = "",
        values: Mapping[str, str | None] | None = None,
        acked: bool = False,
    ) -> list[Recorded]:
        """Write events and named values in one transaction; all are on the disk when this returns.

        Args:
            drafts: the events, which get the next numbers.
            install: first half of the ids of events that have none yet.
            values: named values; None deletes.
            acked: the events are history from the start.
        """
        # Before the transaction: what an event holds must never be taken for damage to the file.
        bodies = [encode_event(draft.event, draft.now.mono, draft.now.boot) for draft in drafts]
        recorded: list[Recorded] = []
        with self._transaction():
            for key, value in (values or {}).items():
                self._put(key, value)
            for seq, (draft, body) in enumerate(zip(drafts, bodies, strict=True), self._last() + 1):
                at = draft.now.wall if isfinite(draft.now.wall) else 0.0
                name = draft.id or f"{install}-{seq}"
                recorded.append(Recorded(name, seq, draft.event, at, draft.now.synced))
                row = (seq, name, at, draft.now.synced, acked, body)
                self._db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", row)
        if recorded:
            self.last_seq = recorded[-1].seq or 0
        return recorded

    def write_memory(self, memory: Memory) -> None:
        """Replace the memory, and bring it out of the write-ahead log into the file itself."""
        self.write(values={"memory": encode_memory(memory)})
        with told_apart():
            # A log that ends early is dropped by SQLite without a word, and cycles must not be.
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def outbox(self, after: int, limit: int) -> list[tuple[int, Recorded | None]]:
        """Events beyond ``after`` that nobody acknowledged, in order; None for one that makes no sense."""
        query = (
            "SELECT seq, id, at, synced, body FROM events WHERE acked = 0 AND seq > ? ORDER BY seq LIMIT ?"
        )
        with told_apart():
            rows = self._db.execute(query, (after, limit)).fetchall()
        return [(row[0], _decoded(row)) for row in rows]

    def acknowledge(self, seqs: Iterable[int]) -> None:
        """Take events out of the outbox; after a power loss some may be in it once more."""
        with told_apart():
            self._db.execute("PRAGMA synchronous = NORMAL")
            try:
                with self._transaction():
                    self._db.executemany("UPDATE events SET acked = 1 WHERE seq = ?", [(s,) for s in seqs])
            finally:
                self._db.execute("PRAGMA synchronous = FULL")

    def purge(self, now: Now | None) -> None:
        """Delete old history, a bounded piece at a time; never the last event: numbers go on from it."""
        bounds = {
            "bounded": PURGE_ROWS,
            "beyond_outbox": self.last_seq - OUTBOX_ROWS,
            "beyond_history": self.last_seq - KEPT_ROWS,
            "before": now.wall - KEPT_S if now and now.synced else 0.0,
            "last": self.last_seq,
        }
        with told_apart():
            if self._db.execute(_PURGE, bounds).rowcount > 0:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def _last(self) -> int:
        with told_apart():
            return int(self._db.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0])

    def _put(self, key: str, value: str | None) -> None:
        if value is None:
            self._db.execute("DELETE FROM meta WHERE key = ?", (key,))
        else:
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with told_apart():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise


def _prepare(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA journal_size_limit = 4194304")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if version == 0 and not tables:
        db.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}PRAGMA user_version = {VERSION};COMMIT;")
        return
    if version != VERSION or not {"meta", "events"} <= tables:
        raise DamagedError(f"not a history of version {VERSION}")
    verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise DamagedError(str(verdict))


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
        _drop_companions(path)
        for number in taken[: -(BAD_KEPT - 1)]:
            for suffix in ("", "-wal", "-shm"):
                (folder / f"{DATABASE}.bad-{number}{suffix}").unlink(missing_ok=True)
        sync_folder(folder)
    return name


def bad_numbers(folder: Path) -> list[int]:
    """The numbers of the quarantined databases."""
    ends = [path.name.rpartition("-")[2] for path in folder.glob(f"{DATABASE}.bad-*")]
    return [int(end) for end in ends if end.isdigit()]


def _decoded(row: tuple[Any, ...]) -> Recorded | None:
    try:
        return decode_row(row)
    except DamagedError:
        return None


def _drop_companions(path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def anything_in(folder: Path) -> bool:
    """True unless the folder certainly never held a store."""
    try:
        return any((folder / name).exists() for name in (DATABASE, COPY)) or bool(bad_numbers(folder))
    except OSError:
        return True
