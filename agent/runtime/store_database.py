"""An open database of the store: its queries.

Every method raises ``DamagedError`` or ``OutOfReachError`` and nothing else; what to do then is decided
in ``store``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from math import isfinite
from pathlib import Path
from typing import Any

from agent.core.codes import Code, Severity
from agent.core.instant import Now, wall_of
from agent.core.model import Recorded
from agent.runtime import store_schema as schema
from agent.runtime.store_codec import (
    CORRECTED,
    DamagedError,
    Memory,
    decode_memory,
    decode_names,
    encode_memory,
    encode_names,
    told_apart,
)
from agent.runtime.store_loss import GIVES_WAY, Draft, Loss
from agent.runtime.store_rows import decode_clock, decode_row, encode_event
from agent.runtime.store_schema import DATABASE, NEVER_LOST, RANKS, RECEIVERS_KEY

KEPT_ROWS = 50_000
"""History. By number and never by age: a clock can be wrong by years."""
OUTBOX_ROWS = 50_000
"""Events that may wait: 15 MB at some 300 bytes each, and a week of a line that makes five a minute."""
TIDY_ROWS = 2_000
"""At most so many give way in one go, so that nobody waits long for it."""
ROOM_ROWS = 50
PAGES_FREE = 4
"""Pages that a write may need besides its events: inner pages of the trees and of the indexes."""


class Database:
    """An open database. ``last_seq`` is the last number given."""

    def __init__(self, folder: Path, receivers: Sequence[str] = ()) -> None:
        """Open the file, creating it if it is missing, and check it from end to end.

        Raises:
            DamagedError: it must be quarantined.
            OutOfReachError: it cannot be used now.
        """
        path = folder / DATABASE
        with told_apart():
            if not path.exists():
                schema.drop_companions(path)  # a log without its database would be replayed into the new one
            self._db = sqlite3.connect(
                path, timeout=schema.BUSY_S, isolation_level=None, check_same_thread=False
            )
            try:
                schema.prepare(self._db)
                self.last_seq = self._last()
                text = self.meta("memory")
                self.memory_found = decode_memory(text) if text else None
                self._bits = self._know(receivers)
            except BaseException:
                self._db.close()
                raise
        self._everyone = sum(self._bits.values())

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
        clock: Now | None = None,
        make_room: bool = False,
    ) -> list[Recorded]:
        """Write events and named values in one transaction; all are on the disk when this returns.

        Args:
            drafts: the events, which get the next numbers.
            install: first half of the ids of events that have none yet.
            values: named values; None deletes.
            clock: a synchronised instant, which may date events that were stamped without one.
            make_room: old history, and what is of less weight than ``drafts``, gives way to them.

        Returns:
            The events as recorded; before them one that tells what gave way, if that had not been delivered.
        """
        # Before the transaction: what an event holds must never be taken for damage to the file.
        bodies = {id(draft): _body(draft) for draft in drafts}
        recorded: list[Recorded] = []
        with self._transaction():
            for key, value in (values or {}).items():
                self._put(key, value)
            first = self._last() + 1
            lost = self._make_room(drafts, sum(map(len, bodies.values()))) if make_room and drafts else None
            told = [lost.told(drafts[-1].now)] if lost else []
            for seq, draft in enumerate([*told, *drafts], first):
                body = bodies.get(id(draft)) or _body(draft)
                recorded.append(self._insert(seq, draft, body, install, clock))
        if recorded:
            self.last_seq = recorded[-1].seq or 0
        return recorded

    def write_memory(self, memory: Memory) -> None:
        """Replace the memory, and bring it out of the write-ahead log into the file itself."""
        self.write(values={"memory": encode_memory(memory)})
        # A log that ends early is dropped by SQLite without a word, and cycles must not be.
        self.shorten_log()

    def shorten_log(self) -> None:
        """Bring what is in the write-ahead log into the file itself, and give its room back."""
        with told_apart():
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def outbox(self, receiver: str, after: int, limit: int) -> list[tuple[int, Recorded | None]]:
        """Events beyond ``after`` that ``receiver`` has not acknowledged, in order; None for nonsense.

        A number that was never given is of the database before this one, and everything here is beyond it.
        """
        after = after if after <= self.last_seq else 0
        query = (
            "SELECT seq, id, at, synced, body FROM events INDEXED BY outbox"
            " WHERE waits > 1 AND waits & ? AND seq > ? ORDER BY seq LIMIT ?"
        )
        with told_apart():
            rows = self._db.execute(query, (self._bits[receiver], after, limit)).fetchall()
        return [(row[0], _decoded(row)) for row in rows]

    def acknowledge(self, taken: Mapping[str, Iterable[int]]) -> None:
        """These receivers have these events; after a power loss some may wait once more."""
        rows = [(~self._bits[receiver], seq) for receiver, seqs in taken.items() for seq in seqs]
        with told_apart():
            self._db.execute("PRAGMA synchronous = NORMAL")
            try:
                with self._transaction():
                    self._db.executemany(
                        "UPDATE events SET waits = waits & ? WHERE seq = ? AND waits > 1", rows
                    )
            finally:
                self._db.execute("PRAGMA synchronous = FULL")

    def date(self, clock: Now) -> bool:
        """Give the events of this boot that were stamped without a known clock their true time; True."""
        found: list[tuple[float, int, int]] = []
        with told_apart():
            # Those of this boot are the newest.
            for seq, text in self._db.execute(
                "SELECT seq, body FROM events INDEXED BY undated WHERE synced = 0 ORDER BY seq DESC"
            ):
                try:
                    mono, boot = decode_clock(text)
                except DamagedError:
                    continue
                if boot != clock.boot:
                    break
                wall = wall_of(mono, boot, clock)
                if wall is not None:
                    found.append((wall, CORRECTED, seq))
            if found:
                with self._transaction():
                    self._db.executemany("UPDATE events SET at = ?, synced = ? WHERE seq = ?", found)
        return True

    def tidy(self, now: Now, install: str) -> list[Recorded]:
        """Take what waits beyond ``OUTBOX_ROWS`` out of the outbox, and old history out of the file.

        Never deletes the last event: numbers go on from it.

        Returns:
            The event that tells what was taken out of the outbox, if anything was.
        """
        recorded: list[Recorded] = []
        with self._transaction():
            waiting = self._db.execute("SELECT count(*) FROM events INDEXED BY outbox WHERE waits > 1")
            over = min(waiting.fetchone()[0] - OUTBOX_ROWS, TIDY_ROWS)
            lost: Loss | None = None
            for severity in GIVES_WAY:
                found = self._waiting(severity, over - (lost.count if lost else 0))
                self._db.executemany(
                    "UPDATE events SET waits = 0 WHERE seq = ?", [(row[0],) for row in found]
                )
                lost = _lost(found, lost)
            if lost is not None:
                draft = lost.told(now)
                recorded.append(self._insert(self._last() + 1, draft, _body(draft), install, None))
            gone = self._delete_history(self._last() - KEPT_ROWS, TIDY_ROWS)
        if recorded:
            self.last_seq = recorded[-1].seq or 0
        if gone:
            self.shorten_log()
        return recorded

    def _know(self, receivers: Sequence[str]) -> dict[str, int]:
        """The bit of each receiver. One that is new gets events from now on; one that is gone, none."""
        text = self.meta(RECEIVERS_KEY) or "[]"
        try:
            names = list(decode_names(text))
        except DamagedError:
            names = list(receivers)  # the order of the configuration is the best that is left
        here = [name if name in receivers else "" for name in names]
        new = [name for name in receivers if name not in here]
        for place, name in enumerate(here):
            if not name and new:
                here[place] = new.pop(0)
        here += new
        if encode_names(tuple(here)) != text:
            known = sum(2 << n for n, (name, was) in enumerate(zip(here, names, strict=False)) if name == was)
            with self._transaction():
                self._db.execute(
                    "UPDATE events INDEXED BY outbox SET waits = waits & ? WHERE waits > 1", (known,)
                )
                self._put(RECEIVERS_KEY, encode_names(tuple(here)))
        return {name: 2 << n for n, name in enumerate(here) if name}

    def _insert(self, seq: int, draft: Draft, body: str, install: str, clock: Now | None) -> Recorded:
        wall, synced, corrected = draft.date(clock)
        at = wall if isfinite(wall) else 0.0
        name = draft.id or f"{install}-{seq}"
        # What explains a hole is never lost itself.
        rank = NEVER_LOST if draft.event.code is Code.EVENTS_LOST else RANKS[draft.event.severity]
        self._db.execute(
            "INSERT INTO events (seq, id, at, synced, waits, body, severity) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (seq, name, at, CORRECTED if corrected else int(synced), self._everyone, body, rank),
        )
        return Recorded(name, seq, draft.event, at, synced, corrected)

    def _make_room(self, drafts: Sequence[Draft], size: int) -> Loss | None:
        """Delete until what is free inside the file will do, or nothing more may go; what was lost by it."""
        page = self._pragma("page_size")
        wanted = 2 * (size + 200 * len(drafts)) // page + PAGES_FREE
        while self._pragma("freelist_count") < wanted and self._delete_history(self._last(), ROOM_ROWS):
            pass
        lost: Loss | None = None
        heaviest = max(RANKS[draft.event.severity] for draft in drafts)
        for severity in GIVES_WAY:
            while RANKS[severity] < heaviest and self._pragma("freelist_count") < wanted:
                found = self._waiting(severity, ROOM_ROWS)
                if not found:
                    break
                self._db.executemany("DELETE FROM events WHERE seq = ?", [(row[0],) for row in found])
                lost = _lost(found, lost)
        return lost

    def _delete_history(self, up_to: int, limit: int) -> int:
        query = (
            "DELETE FROM events WHERE seq IN (SELECT seq FROM events"
            " WHERE waits <= 1 AND seq <= ? AND seq < (SELECT max(seq) FROM events) ORDER BY seq LIMIT ?)"
        )
        return self._db.execute(query, (up_to, limit)).rowcount

    def _waiting(self, severity: Severity, limit: int) -> list[tuple[int, float, int]]:
        """Number, time and trust in it of the oldest events of this severity that wait."""
        query = (
            "SELECT seq, at, synced FROM events INDEXED BY outbox"
            " WHERE waits > 1 AND severity = ? AND seq < (SELECT max(seq) FROM events) ORDER BY seq LIMIT ?"
        )
        return self._db.execute(query, (RANKS[severity], max(0, limit))).fetchall()

    def _pragma(self, name: str) -> int:
        return int(self._db.execute(f"PRAGMA {name}").fetchone()[0])

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


def _body(draft: Draft) -> str:
    return encode_event(draft.event, draft.now.mono, draft.now.boot)


def _lost(rows: Sequence[tuple[int, float, int]], before: Loss | None) -> Loss | None:
    """What these rows are as a loss, together with what was lost before."""
    if not rows:
        return before
    walls = [at for _, at, synced in rows if synced]
    lost = Loss(len(rows), rows[0][0], rows[-1][0], min(walls, default=None), max(walls, default=None))
    return lost.and_then(before)


def _decoded(row: tuple[Any, ...]) -> Recorded | None:
    try:
        return decode_row(row)
    except DamagedError:
        return None
