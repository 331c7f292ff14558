"""What survives a restart: events, the outbox for MQTT, past power cycles, the open incident.

One SQLite file holds everything; past cycles stand in a small JSON file beside it as well, because they
decide whether a box may be cut. Everything is synchronous and meant for one worker thread.

Rules:

* An event has its number only once it is on the disk, so numbers have no holes and are never used twice.
* Trouble with the disk costs history, not the watch: only ``save_cycle`` may refuse, because no box may be
  cut for a cycle that would be forgotten.
* Where the memory of cycles is in doubt, more cycles are assumed, never fewer.
"""

from __future__ import annotations

import logging
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from agent.core.codes import Code, Severity
from agent.core.durable import Durable
from agent.core.instant import Now, age_s, stamp
from agent.core.line import Line
from agent.core.model import Cycle, Event, OpenIncident, Part, Recorded
from agent.runtime import store_codec as codec
from agent.runtime import store_schema as schema
from agent.runtime.starts import Starts
from agent.runtime.store_codec import DamagedError, Memory, OutOfReachError, TroubleError
from agent.runtime.store_schema import Database, Draft

BLOCK_S = 86_400.0
"""A lost memory forbids cutting this long: the length of the longest budget."""
BACKLOG = 5_000
PURGE_EVERY = 250
RENEWALS = 3

_log = logging.getLogger("vigie.store")
T = TypeVar("T")


class StoreError(RuntimeError):
    """Something that had to be on the disk is not."""


class Store:
    """The state folder. Use ``Store.open``."""

    def __init__(self, folder: Path, *, keep_outbox: bool) -> None:
        self._folder = folder
        self._keep_outbox = keep_outbox
        self._db: Database | None = None
        self._memory = Memory(install=codec.new_install())
        self._memory_known = False
        self._unsaved: dict[str, str | None] = {}
        self._backlog: deque[Draft] = deque(maxlen=BACKLOG)
        self._acked: set[int] = set()
        self._starts = Starts()
        self._answering: tuple[str, ...] = ()
        self._lines: dict[str, Line] = {}
        self._session = secrets.token_hex(3)
        self._shown = 0
        self._since_purge = PURGE_EVERY
        self._lost_why = "lost by an earlier run"
        self._trouble: str | None = None
        self._renewals = 0

    @classmethod
    def open(cls, folder: Path, now: Now, *, keep_outbox: bool = True) -> Store:
        """Open the state folder, or begin one. Never raises for what it finds there.

        Args:
            folder: the state folder; created if missing.
            now: the present instant; dates a loss of the memory.
            keep_outbox: keep events until they are acknowledged (MQTT is configured); otherwise new
                events are history from the start.
        """
        store = cls(folder, keep_outbox=keep_outbox)
        store._begin(now)
        return store

    def load(self, now: Now) -> Durable:
        """What earlier runs left. Starts noted by this run itself do not count as quick restarts."""
        self._end_block(now)
        return Durable(
            cycles=None if self._memory.lost_at else self._memory.cycles,
            incident=self._recall("incident", codec.decode_incident, None),
            quick_restarts=self._starts.quick(now),
            answering=self._answering,
            lines=dict(self._lines),
        )

    @property
    def faults(self) -> list[Part]:
        """What does not work now; a part that is not named works."""
        faults = []
        if self._memory.lost_at:
            faults.append(Part("budget", ok=False, code=Code.BUDGET_UNREADABLE, detail=self._lost_why))
        if self._trouble is not None:
            faults.append(Part("store", ok=False, code=Code.PART_FAILED, detail=self._trouble))
        return faults

    def append(self, events: Sequence[tuple[Event, Now]]) -> list[Recorded]:
        """Write events, all or none, and return them with their place in history.

        ``debug`` events are not written. If the disk refuses, the others wait in memory, are returned
        without a number, and get one when they are written; their ``id`` stays.
        """
        drafts = [Draft(event, now) for event, now in events if event.severity is not Severity.DEBUG]
        if drafts:
            self._end_block(drafts[-1].now)
        written = self._try(lambda: self._flush(drafts)) if drafts else []
        if written is None:
            written = [self._show(draft) for draft in drafts]
            self._backlog.extend(replace(d, id=r.id) for d, r in zip(drafts, written, strict=True))
        kept = iter(written)
        return [
            self._show(Draft(event, now)) if event.severity is Severity.DEBUG else next(kept)
            for event, now in events
        ]

    def pending(self, after: int, limit: int) -> list[Recorded]:
        """Up to ``limit`` written events beyond ``after`` that nobody acknowledged yet, in order."""
        self._flush_what_waits()
        found: list[Recorded] = []
        while len(found) < limit:
            rows = self._try(lambda: self._opened().outbox(after, limit - len(found)))  # noqa: B023 (called at once)
            if not rows:
                break
            after = rows[-1][0]
            for seq, recorded in rows:
                if recorded is None:
                    _log.warning("event %s cannot be read and is not sent", seq)
                    self._acked.add(seq)
                elif seq not in self._acked:
                    found.append(recorded)
        return found

    def acknowledge(self, seq: int) -> None:
        """The receiver has event ``seq``: it leaves the outbox and stays in history."""
        self._acked.add(seq)
        self._try(self._write_acknowledged)

    def save_cycle(self, cycle: Cycle) -> None:
        """Remember a cycle, or what became of it (same ``order``); on the disk when this returns.

        Raises:
            StoreError: it is not on the disk in both files; do not cut.
        """
        try:
            self._healing(self._opened)
            others = tuple(item for item in self._memory.cycles if item.order != cycle.order)
            memory = replace(self._memory, cycles=(*others, cycle)[-codec.CYCLES_KEPT :])
            if len(others) < len(self._memory.cycles):
                # What became of a known cycle is true even if it cannot be written yet.
                self._memory = memory
                self._unsaved["memory"] = codec.encode_memory(memory)
            self._healing(lambda: self._write_memory(memory))
        except TroubleError as trouble:
            self._note(str(trouble))
            raise StoreError(f"cycle {cycle.order} of {cycle.box} not saved: {trouble}") from trouble

    def save_incident(self, incident: OpenIncident | None) -> None:
        """Remember the open incident; None when none is open any more."""
        self._save("incident", codec.encode_incident(incident) if incident else None)

    def save_answering(self, uplink: str) -> None:
        """Remember that the box of ``uplink`` answers pings."""
        if uplink not in self._answering:
            self._answering = (*self._answering, uplink)
            self._save("answering", codec.encode_names(self._answering))

    def save_line(self, uplink: str, line: Line) -> None:
        """Remember what was learned of the line of ``uplink``."""
        self._lines[uplink] = line
        self._save("lines", codec.encode_lines(self._lines))

    def note_start(self, now: Now) -> None:
        """Count this start of the agent, for ``Durable.quick_restarts`` of later ones."""
        self._starts.note(now)
        self._save("starts", codec.encode_stamps(self._starts.stamps))

    def note_calm(self) -> None:
        """The agent has run long enough: its starts so far no longer count."""
        self._starts.forget()
        self._save("starts", codec.encode_stamps([]))

    def close(self) -> None:
        """Write what waits, if it can be written, and close the files."""
        self._flush_what_waits()
        self._disconnect()

    def _begin(self, now: Now) -> None:
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
        is_new = not schema.anything_in(self._folder)
        copy, why = None, f"{codec.COPY} is missing"
        try:
            copy = codec.read_copy(self._folder)
        except TroubleError as trouble:
            why = f"{codec.COPY}: {trouble}"
        self._memory, self._memory_known = copy or self._memory, is_new or copy is not None
        if is_new:
            # Before the database exists: a crash between the two must not look like a lost memory.
            self._try(lambda: codec.write_copy(self._folder, self._memory))
        self._try(self._opened)
        if not self._memory_known:
            self._memory = replace(self._memory, lost_at=stamp(now))
            self._lost_why = why
        self._end_block(now)
        self._try(lambda: self._write_memory(self._memory))
        self._starts = Starts(self._recall("starts", codec.decode_stamps, []))
        self._answering = self._recall("answering", codec.decode_names, ())
        self._lines = self._recall("lines", codec.decode_lines, {})

    def _recall(self, key: str, decode: Callable[[str], T], fallback: T) -> T:
        """A named value as an earlier run left it."""
        try:
            text = self._meta(key)
            return decode(text) if text else fallback
        except DamagedError as damage:
            _log.warning("%s: %s cannot be read and begins anew: %s", schema.DATABASE, key, damage)
            return fallback

    def _opened(self) -> Database:
        """The database; opens it, and takes over the memory that is in it, if necessary."""
        if self._db is None:
            self._db = Database(self._folder)
            found = self._db.memory_found
            self._memory_known = self._memory_known or found is not None
            self._memory = codec.united(found, self._memory, self._db.last_seq)
            self._unsaved["memory"] = codec.encode_memory(self._memory)
        return self._db

    def _disconnect(self) -> None:
        if self._db is not None:
            self._db.close()
        self._db = None

    def _renew(self, why: str) -> None:
        """Move a damaged database aside, so that the next use begins a new one."""
        self._disconnect()
        self._renewals += 1
        if self._renewals > RENEWALS:
            raise OutOfReachError(f"{why}; damaged again and again")
        name = schema.quarantine(self._folder)
        self._note(f"{why}; history begins anew, the damaged one is {name}")

    def _healing(self, work: Callable[[], T]) -> T:
        """Do ``work``, once more with a new database if the present one turns out damaged."""
        try:
            return work()
        except DamagedError as damage:
            self._renew(str(damage))
            return work()

    def _try(self, work: Callable[[], T]) -> T | None:
        """Do ``work``; if it cannot be done, note the fault and return None."""
        try:
            return self._healing(work)
        except TroubleError as trouble:
            self._note(str(trouble))
            return None

    def _flush(self, fresh: Sequence[Draft] = ()) -> list[Recorded]:
        """Write everything that waits, then ``fresh``, in one transaction; return ``fresh`` as recorded."""
        database = self._opened()
        drafts = [*self._backlog, *fresh]
        recorded = database.write(
            drafts, install=self._memory.install, values=self._unsaved, acked=not self._keep_outbox
        )
        self._unsaved.clear()
        self._backlog.clear()
        self._note(None)
        self._since_purge += len(drafts)
        with suppress(TroubleError):  # the events are written: what fails now must not write them twice
            if self._acked:
                self._write_acknowledged()
            if self._since_purge >= PURGE_EVERY and fresh:
                self._since_purge = 0
                database.purge(fresh[-1].now)
        return recorded[len(drafts) - len(fresh) :]

    def _write_acknowledged(self) -> None:
        self._opened().acknowledge(self._acked)
        self._acked.clear()

    def _flush_what_waits(self) -> None:
        if self._backlog or self._unsaved:
            self._try(self._flush)

    def _write_memory(self, memory: Memory) -> None:
        """Write the memory to both files."""
        database = self._opened()
        memory = replace(memory, install=self._memory.install, seq=database.last_seq)
        database.write_memory(memory)
        self._unsaved.pop("memory", None)
        codec.write_copy(self._folder, memory)
        self._memory = memory

    def _meta(self, key: str) -> str | None:
        return self._unsaved[key] if key in self._unsaved else self._try(lambda: self._opened().meta(key))

    def _save(self, key: str, value: str | None) -> None:
        """Write a named value now, or as soon as the disk lets us."""
        self._unsaved[key] = value
        self._flush_what_waits()

    def _show(self, draft: Draft) -> Recorded:
        """An event that is not, or not yet, on the disk, under a name that no other run can give."""
        self._shown += 1
        name = f"{self._memory.install}-{self._session}.{self._shown}"
        return Recorded(name, None, draft.event, draft.now.wall, draft.now.synced)

    def _end_block(self, now: Now) -> None:
        """A lost memory has aged: whatever was in it no longer counts."""
        if self._memory.lost_at and age_s(self._memory.lost_at, now) >= BLOCK_S:
            self._memory = replace(self._memory, lost_at=None)
            self._try(lambda: self._write_memory(self._memory))

    def _note(self, trouble: str | None) -> None:
        if trouble and len(self._backlog) == BACKLOG:
            trouble += "; the oldest waiting events are being lost"
        if trouble != self._trouble:
            self._trouble = trouble
            _log.warning("the store %s", f"does not work: {trouble}" if trouble else "works again")
