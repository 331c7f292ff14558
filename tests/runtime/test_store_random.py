"""Anything in any order happens to the outbox; a model made of lists says what must come of it."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.core.codes import Code, Severity
from agent.core.instant import Now
from agent.core.model import Event, Recorded
from agent.runtime import store, store_database, store_loss, store_schema
from agent.runtime.store import Store

RECEIVERS = ("here", "there")
SEVERITIES = (Severity.INFO, Severity.WARNING, Severity.ALERT)
WALL = 1.8e9
BOOT_S = 1e4
LONG = "x" * 2000
"""So that few events fill a page of the file."""
MEMORY = Path("/dev/shm")
"""A disk would only be slower."""


def number(item: Recorded) -> int:
    return int(item.event.args["n"])  # type: ignore[arg-type]


def ours(items: list[Recorded]) -> list[Recorded]:
    return [item for item in items if item.event.code is not Code.EVENTS_LOST]


class Outboxes(RuleBasedStateMachine):
    """A store with two receivers, on a disk that may refuse or be full, with a clock that may be unset."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
        self.s, self.boot, self.synced, self.off_s = 0.0, 0, False, 0.0
        self.appended: dict[int, tuple[str, Severity, int, float]] = {}
        """Id, severity, boot and true time of every event."""
        self.in_memory: set[int] = set()
        """What a kill may take away."""
        self.killed: set[int] = set()
        self.acked: dict[str, set[int]] = {name: set() for name in RECEIVERS}
        self.delivered: dict[str, set[int]] = {name: set() for name in RECEIVERS}
        self.told: dict[str, int] = {}
        """How many were lost, by the id of the event that said so."""
        self.blocker: sqlite3.Connection | None = None

    @initialize()
    def begin(self) -> None:
        self.store = Store.open(self.folder, self.now(), RECEIVERS)

    def now(self) -> Now:
        """True while synchronised, and otherwise anything that goes forward."""
        wall = (WALL if self.synced else self.off_s) + self.s
        return Now(self.s - BOOT_S * self.boot, wall, self.synced, f"boot{self.boot}")

    @rule(severities=st.lists(st.sampled_from(SEVERITIES), min_size=1, max_size=6), pause_s=st.floats(0, 100))
    def append(self, severities: list[Severity], pause_s: float) -> None:
        self.s += pause_s
        first = len(self.appended)
        events = [
            (Event(Code.UPLINK_DOWN, "ftth", severity, None, {"n": n, "why": LONG}), self.now())
            for n, severity in enumerate(severities, first)
        ]
        told = ours(self.store.append(events))
        assert [item.event for item in told] == [event for event, _ in events]
        for n, item in enumerate(told, first):
            self.appended[n] = (item.id, item.event.severity, self.boot, WALL + self.s)
            if item.seq is None:
                self.in_memory.add(n)
            else:
                self.in_memory.clear()  # what waited was written before it

    @rule(name=st.sampled_from(RECEIVERS), skip=st.integers(0, 3), limit=st.integers(1, 4))
    def acknowledge(self, name: str, skip: int, limit: int) -> None:
        outbox = self.store.outbox(name)
        for item in outbox.pending(0, 100)[skip : skip + limit]:
            outbox.acknowledge(item.seq or 0)
            self.acked[name].add(item.seq or 0)
            self.delivered[name] |= {number(one) for one in ours([item])}

    @rule(orderly=st.booleans(), reboot=st.booleans())
    def restart(self, orderly: bool, reboot: bool) -> None:
        self.unblock()
        self.waiting("here")  # what was acknowledged while the disk refused is written
        if orderly:
            self.store.close()
        else:
            self.store._disk.close()
        self.killed |= self.in_memory
        self.in_memory.clear()
        if reboot:
            self.boot += 1
            self.synced, self.s = False, BOOT_S * self.boot
        self.store = Store.open(self.folder, self.now(), RECEIVERS)

    @rule()
    def set_clock(self) -> None:
        self.synced = True
        self.store.note_clock(self.now())

    @rule(off_s=st.sampled_from([0.0, WALL - 3600.0, 2 * WALL]))
    def lose_clock(self, off_s: float) -> None:
        self.synced, self.off_s = False, off_s

    @precondition(lambda self: self.blocker is None)
    @rule()
    def block(self) -> None:
        self.blocker = sqlite3.connect(self.folder / "vigie.db", isolation_level=None)
        self.blocker.execute("BEGIN IMMEDIATE")

    @rule()
    def unblock(self) -> None:
        if self.blocker is not None:
            self.blocker.close()
            self.blocker = None

    @rule(full=st.booleans())
    def fill(self, full: bool) -> None:
        """The file may grow no more, or again."""
        db = self.store._disk.opened()._db
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages if full else 100_000}")

    def waiting(self, name: str) -> list[Recorded]:
        found: list[Recorded] = []
        while batch := self.store.pending(name, (found[-1].seq or 0) if found else 0, 7):
            found += batch
        for item in found:
            if item.event.code is Code.EVENTS_LOST:
                self.told[item.id] = int(item.event.args["count"])  # type: ignore[arg-type]
        return found

    @invariant()
    def what_waits_is_right(self) -> None:
        """In order, nothing twice, nothing that was acknowledged, under its first id, at its true time."""
        if not hasattr(self, "store"):
            return
        for name in RECEIVERS:
            waiting = self.waiting(name)
            seqs = [item.seq or 0 for item in waiting]
            assert seqs == sorted(set(seqs))
            assert not self.acked[name] & set(seqs)
            assert [number(item) for item in ours(waiting)] == sorted(
                {number(item) for item in ours(waiting)}
            )
            for item in ours(waiting):
                known, _, boot, true_at = self.appended[number(item)]
                assert item.id == known
                if item.synced:
                    assert item.at == pytest.approx(true_at, abs=0.01)
                else:
                    assert not self.synced or boot != self.boot or self.blocker is not None

    def teardown(self) -> None:
        """Once the disk takes everything: no alert is missing, and what is missing was told."""
        try:
            if hasattr(self, "store"):
                self.judge()
                self.store.close()
        finally:
            shutil.rmtree(self.folder)

    def judge(self) -> None:
        self.unblock()
        self.store._disk.opened()._db.execute("PRAGMA max_page_count = 100000")
        lost: set[int] = set()
        for name in RECEIVERS:
            here = {number(item) for item in ours(self.waiting(name))}
            lost |= set(self.appended) - self.killed - self.delivered[name] - here
        assert {self.appended[n][1] for n in lost} <= {Severity.INFO, Severity.WARNING}
        assert len(lost) <= sum(self.told.values()) <= len(lost | self.killed)


Outboxes.TestCase.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)


class TestOutboxes(Outboxes.TestCase):  # type: ignore[misc, name-defined]
    """The rules above, in random orders."""

    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(store_schema, "BUSY_S", 0.0)
        monkeypatch.setattr(store_loss, "BACKLOG", 12)
        monkeypatch.setattr(store_database, "ROOM_ROWS", 3)
        monkeypatch.setattr(store_database, "OUTBOX_ROWS", 25)
        monkeypatch.setattr(store, "TIDY_EVERY", 10)
