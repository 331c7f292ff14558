"""What survives a restart: events, an outbox for each receiver, past power cycles, the open incident.

One SQLite file holds everything; past cycles stand in a small JSON file beside it as well, because they
decide whether a box may be cut. Everything is synchronous and meant for one worker thread.

Rules:

* An event has its number only once it is on the disk, so numbers have no holes and are never used twice.
* What has no room gives way by its weight, the oldest first, an alert never; and that is told.
* Trouble with the disk costs history, not the watch: only ``save_cycle`` may refuse, because no box may be
  cut for a cycle that would be forgotten.
* Where the memory of cycles is in doubt, more cycles are assumed, never fewer.
"""

from __future__ import annotations

import logging
import secrets
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
from agent.runtime.outbox import Outbox, Rows, unacknowledged
from agent.runtime.starts import Starts
from agent.runtime.store_codec import DamagedError, Memory, TroubleError
from agent.runtime.store_database import Database
from agent.runtime.store_disk import FULL, Disk
from agent.runtime.store_loss import Backlog, Draft

BLOCK_S = 86_400.0
"""A lost memory forbids cutting this long: the length of the longest budget."""
TIDY_EVERY = 250

_log = logging.getLogger("vigie.store")
T = TypeVar("T")


class StoreError(RuntimeError):
    """Something that had to be on the disk is not."""


class Store:
    """The state folder. Use ``Store.open``."""

    def __init__(self, folder: Path, receivers: tuple[str, ...]) -> None:
        self._folder = folder
        self._receivers = receivers
        self._disk = Disk(folder, receivers, self._take_over)
        self._memory = Memory(install=codec.new_install())
        self._memory_known = False
        self._unsaved: dict[str, str | None] = {}
        self._backlog = Backlog()
        self._acked: dict[str, set[int]] = {}
        self._clock: Now | None = None
        self._undated = True
        self._untold: list[Recorded] = []
        self._starts = Starts()
        self._answering: tuple[str, ...] = ()
        self._lines: dict[str, Line] = {}
        self._session = secrets.token_hex(3)
        self._shown = 0
        self._untidied = TIDY_EVERY
        self._lost_why = "lost by an earlier run"

    @classmethod
    def open(cls, folder: Path, now: Now, receivers: tuple[str, ...] = ()) -> Store:
        """Open the state folder, or begin one. Never raises for what it finds there.

        Args:
            folder: the state folder; created if missing.
            now: the present instant; dates a loss of the memory.
            receivers: who must get every event; it waits until each of them has acknowledged it. A new one
                gets events from now on, one that is no longer here holds nothing up. Without any, events
                are history from the start.
        """
        store = cls(folder, receivers)
        store._begin(now)
        return store

    def load(self, now: Now) -> Durable:
        """What earlier runs left. Starts noted by this run itself do not count as quick restarts."""
        self._end_block(now)
        self.note_clock(now)
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
        if self._disk.trouble is not None:
            losing = "; the oldest waiting events are being lost" if self._backlog.loses else ""
            faults.append(Part("store", ok=False, code=Code.PART_FAILED, detail=self._disk.trouble + losing))
        return faults

    def append(self, events: Sequence[tuple[Event, Now]]) -> list[Recorded]:
        """Write events, all or none, and return them with their place in history.

        ``debug`` events are not written. If the disk refuses, the others wait in memory, are returned
        without a number, and get one when they are written; their ``id`` stays. If something had to give
        way since the last call, the event that tells so stands first.
        """
        drafts = [Draft(event, now) for event, now in events if event.severity is not Severity.DEBUG]
        if drafts:
            self._end_block(drafts[-1].now)
            self.note_clock(drafts[-1].now)
        written = self._disk.attempt(lambda: self._flush(drafts)) if drafts else []
        if written is None:
            written = [self._show(draft) for draft in drafts]
            self._backlog.add([replace(d, id=r.id) for d, r in zip(drafts, written, strict=True)])
        kept, untold = iter(written), self._untold
        self._untold = []
        debug = Severity.DEBUG
        return untold + [
            self._show(Draft(e, now)) if e.severity is debug else next(kept) for e, now in events
        ]

    def note_clock(self, now: Now) -> None:
        """Once the clock is known, events of this boot that were stamped before get their true time."""
        if not now.synced:
            return
        self._clock = now
        if self._undated:
            self._undated = not self._disk.attempt(lambda: self._disk.opened().date(now))

    def outbox(self, receiver: str) -> Outbox:
        """What waits for one receiver.

        Raises:
            ValueError: it is none of the ``receivers``.
        """
        return Outbox(self, self._checked(receiver))

    def pending(self, receiver: str, after: int, limit: int) -> list[Recorded]:
        """Up to ``limit`` written events beyond ``after`` that ``receiver`` still needs, in order."""
        acked = self._acked.setdefault(self._checked(receiver), set())
        self._flush_what_waits()

        def read(after: int, limit: int) -> Rows | None:
            return self._disk.attempt(lambda: self._disk.opened().outbox(receiver, after, limit))

        return unacknowledged(read, acked, after, limit)

    def acknowledge(self, receiver: str, seq: int) -> None:
        """``receiver`` has event ``seq``; once all have it, it leaves the outbox and is history."""
        self._acked.setdefault(self._checked(receiver), set()).add(seq)
        self._disk.attempt(self._write_acknowledged)

    def save_cycle(self, cycle: Cycle) -> None:
        """Remember a cycle, or what became of it (same ``order``); on the disk when this returns.

        Raises:
            StoreError: it is not on the disk in both files; do not cut.
        """
        try:
            self._disk.healing(self._disk.opened)
            others = tuple(item for item in self._memory.cycles if item.order != cycle.order)
            memory = replace(self._memory, cycles=(*others, cycle)[-codec.CYCLES_KEPT :])
            if len(others) < len(self._memory.cycles):
                # What became of a known cycle is true even if it cannot be written yet.
                self._memory = memory
                self._unsaved["memory"] = codec.encode_memory(memory)
            self._disk.healing(lambda: self._write_memory(memory))
        except TroubleError as trouble:
            self._disk.note(str(trouble))
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
        self._disk.close()

    def _checked(self, receiver: str) -> str:
        if receiver not in self._receivers:
            raise ValueError(f"no receiver {receiver!r}; there are {', '.join(self._receivers) or 'none'}")
        return receiver

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
            self._disk.attempt(lambda: codec.write_copy(self._folder, self._memory))
        self._disk.attempt(self._disk.opened)
        if not self._memory_known:
            self._memory = replace(self._memory, lost_at=stamp(now))
            self._lost_why = why
        self._end_block(now)
        self._disk.attempt(lambda: self._write_memory(self._memory))
        self._starts = Starts(self._recall("starts", codec.decode_stamps, []))
        self._answering = self._recall("answering", codec.decode_names, ())
        self._lines = self._recall("lines", codec.decode_lines, {})

    def _recall(self, key: str, decode: Callable[[str], T], fallback: T) -> T:
        """A named value as an earlier run left it."""
        try:
            text = self._unsaved.get(key) or self._disk.attempt(lambda: self._disk.opened().meta(key))
            return decode(text) if text else fallback
        except DamagedError as damage:
            _log.warning("%s: %s cannot be read and begins anew: %s", schema.DATABASE, key, damage)
            return fallback

    def _take_over(self, database: Database) -> None:
        """A database was opened: what is in it counts."""
        self._forget_acknowledged()  # a new database has other events under these numbers
        found = database.memory_found
        self._memory_known = self._memory_known or found is not None
        self._memory = codec.united(found, self._memory, database.last_seq)
        self._unsaved["memory"] = codec.encode_memory(self._memory)

    def _flush(self, fresh: Sequence[Draft] = ()) -> list[Recorded]:
        """Write what waits, piece by piece, then ``fresh``; return ``fresh`` as recorded."""
        with suppress(TroubleError):  # first of all: what was delivered gives way without being a loss
            self._write_acknowledged()
        while piece := self._backlog.first():
            self._write(piece)
            self._backlog.written()
        recorded = self._write(fresh)
        self._unsaved.clear()
        self._disk.note(FULL if self._disk.cramped else None)
        with suppress(TroubleError):  # the events are written: what fails now must not write them twice
            if self._untidied >= TIDY_EVERY and fresh:
                self._untidied = 0
                self._untold += self._disk.opened().tidy(fresh[-1].now, self._memory.install)
                self._disk.keep_room()
        return recorded

    def _write(self, drafts: Sequence[Draft]) -> list[Recorded]:
        """Write these, and named values, in one transaction; what is not told of otherwise is untold."""
        database, cramped, install = self._disk.opened(), self._disk.cramped, self._memory.install
        recorded = database.write(
            drafts, install=install, values=self._unsaved, clock=self._clock, make_room=cramped
        )
        self._untold += [item for item in recorded if item.event.code is Code.EVENTS_LOST]
        self._untidied += len(recorded)
        self._undated = self._undated or not all(item.synced for item in recorded)
        if cramped:
            with suppress(TroubleError):
                database.shorten_log()
        return recorded[len(recorded) - len(drafts) :]

    def _write_acknowledged(self) -> None:
        if any(self._acked.values()):
            self._disk.opened().acknowledge(self._acked)
            self._forget_acknowledged()

    def _forget_acknowledged(self) -> None:
        for seqs in self._acked.values():
            seqs.clear()

    def _flush_what_waits(self) -> None:
        if len(self._backlog) or self._unsaved:
            self._disk.attempt(self._flush)
        self._disk.attempt(self._write_acknowledged)
        if self._clock is not None:
            self.note_clock(self._clock)

    def _write_memory(self, memory: Memory) -> None:
        """Write the memory to both files."""
        database = self._disk.opened()
        memory = replace(memory, install=self._memory.install, seq=database.last_seq)
        database.write_memory(memory)
        self._unsaved.pop("memory", None)
        codec.write_copy(self._folder, memory)
        self._memory = memory

    def _save(self, key: str, value: str | None) -> None:
        """Write a named value now, or as soon as the disk lets us."""
        self._unsaved[key] = value
        self._flush_what_waits()

    def _show(self, draft: Draft) -> Recorded:
        """An event that is not, or not yet, on the disk, under a name that no other run can give."""
        self._shown += 1
        name = f"{self._memory.install}-{self._session}.{self._shown}"
        return Recorded(name, None, draft.event, *draft.date(self._clock))

    def _end_block(self, now: Now) -> None:
        """A lost memory has aged: whatever was in it no longer counts."""
        if self._memory.lost_at and age_s(self._memory.lost_at, now) >= BLOCK_S:
            self._memory = replace(self._memory, lost_at=None)
            self._disk.attempt(lambda: self._write_memory(self._memory))
