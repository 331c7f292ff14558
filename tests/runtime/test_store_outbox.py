"""The outbox: a place of its own for each receiver, limits, true times, and the database of version 1."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.core.codes import Code, Severity
from agent.core.instant import Now
from agent.core.model import Event, Recorded
from agent.runtime import store_database, store_loss, store_schema
from agent.runtime.board import Board
from agent.runtime.history import History
from agent.runtime.past import past_events
from agent.runtime.store import Store
from agent.runtime.store_rows import encode_event
from agent.sinks.payloads import event_payload

NOW = Now(mono=1000.0, wall=1_800_000_000.0, synced=True, boot="a")
UNSET = Now(mono=10.0, wall=86_400.0, synced=False, boot="a")
BOTH = ("here", "there")
YEAR_S = 365 * 86_400.0
SCHEMA_1 = """
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
PRAGMA user_version = 1;
"""


_stores: list[Store] = []


def opened(folder: Path, now: Now, receivers: tuple[str, ...]) -> Store:
    """A store that is closed at the end of the test at the latest."""
    _stores.append(Store.open(folder, now, receivers))
    return _stores[-1]


@pytest.fixture(autouse=True)
def _close_stores() -> Iterator[None]:
    yield
    while _stores:
        _stores.pop().close()


def event(n: int, severity: Severity = Severity.WARNING) -> Event:
    return Event(Code.UPLINK_DOWN, "ftth", severity, "i1", {"label": "Fibre", "why": f"silence {n}"})


def write(
    store: Store, *numbers: int, severity: Severity = Severity.WARNING, now: Now = NOW
) -> list[Recorded]:
    return store.append([(event(n, severity), now) for n in numbers])


def seqs(store: Store, receiver: str, after: int = 0) -> list[int | None]:
    return [item.seq for item in store.pending(receiver, after, 100_000)]


def columns(folder: Path, what: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "vigie.db")) as db:
        return db.execute(f"SELECT {what} FROM events ORDER BY seq").fetchall()


# --- receivers -------------------------------------------------------------------------------------------


def test_each_receiver_has_its_own_place(tmp_path):
    """What one has acknowledged still waits for the other, also after a kill; then it is history."""
    store = opened(tmp_path, NOW, BOTH)
    write(store, *range(1, 5))
    here, there = store.outbox("here"), store.outbox("there")
    for seq in (1, 2, 4):
        here.acknowledge(seq)
    there.acknowledge(1)
    store = opened(tmp_path, NOW, BOTH)
    assert seqs(store, "here") == [3]
    assert seqs(store, "there") == [2, 3, 4]
    assert [item.seq for item in store.outbox("there").pending(2, 1)] == [3]
    assert columns(tmp_path, "seq, waits <= 1") == [(1, 1), (2, 0), (3, 0), (4, 0)]
    with pytest.raises(ValueError, match="no receiver 'elsewhere'; there are here, there"):
        store.outbox("elsewhere")


def test_new_receivers_get_what_comes_and_old_ones_hold_nothing_up(tmp_path):
    """A receiver gets events from when it was configured on; the place of one that went is not inherited."""
    for receivers, number in ((("here",), 1), (BOTH, 2), (("there",), 3), (("there", "third"), 4)):
        store = opened(tmp_path, NOW, receivers)
        write(store, number)
        store.close()
    assert seqs(store, "there") == [2, 3, 4]
    assert seqs(store, "third") == [4]
    assert columns(tmp_path, "waits <= 1")[0] == (1,)
    store = opened(tmp_path, NOW, ("there", "third", "here"))
    assert (seqs(store, "there"), seqs(store, "third"), seqs(store, "here")) == ([2, 3, 4], [4], [])


def test_one_receiver_that_is_away_does_not_slow_the_other(tmp_path):
    """Finding out that nothing waits for one reads no event that waits for the other, but its index alone."""
    store = opened(tmp_path, NOW, BOTH)
    write(store, 1, 2)
    db = store._disk.opened()._db
    plan = " ".join(
        row[3]
        for row in db.execute(
            "EXPLAIN QUERY PLAN SELECT seq FROM events INDEXED BY outbox"
            " WHERE waits > 1 AND waits & 4 AND seq > 0 ORDER BY seq LIMIT 9"
        )
    )
    assert "COVERING INDEX outbox" in plan
    assert "TEMP B-TREE" not in plan


def old_database(folder: Path) -> None:
    """Version 1: five events acknowledged, four waiting, one of them unreadable."""
    with closing(sqlite3.connect(folder / "vigie.db")) as db:
        db.executescript(SCHEMA_1)
        for seq in range(1, 10):
            severity = (Severity.INFO, Severity.WARNING, Severity.ALERT)[seq % 3]
            body = encode_event(event(seq, severity), float(seq), "a") if seq != 7 else "garbled"
            db.execute(
                "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)",
                (seq, f"old-{seq}", 1.7e9 + seq, seq != 8, seq < 6, body),
            )
        db.execute("INSERT INTO meta VALUES ('answering', '[\"ftth\"]')")
        db.commit()


@pytest.mark.parametrize("receivers", [("mqtt",), ("other", "mqtt"), ("other",), ()])
def test_database_of_version_1_goes_on(tmp_path, receivers):
    """What waited still waits for MQTT, with its ids; history, names and numbers go on."""
    old_database(tmp_path)
    store = opened(tmp_path, NOW, receivers)
    assert store.load(NOW).answering == ("ftth",)
    assert list(tmp_path.glob("*.bad-*")) == []
    assert write(store, 10)[0].seq == 10
    for _ in range(2):
        if "mqtt" in receivers:
            waiting = store.pending("mqtt", 0, 100)
            assert [item.seq for item in waiting] == [6, 8, 9, 10]
            assert [item.id for item in waiting][:3] == ["old-6", "old-8", "old-9"]
            assert waiting[1].corrected
        if "other" in receivers:
            assert seqs(store, "other") == [10]
        store.close()
        store = opened(tmp_path, NOW, receivers)
    assert [item.seq for item in past_events(tmp_path, 100)] == [1, 2, 3, 4, 5, 6, 8, 9, 10]
    if receivers:
        assert columns(tmp_path, "severity")[5:] == [(0,), (0,), (2,), (0,), (1,)]
    assert columns(tmp_path, "waits <= 1")[:5] == [(1,)] * 5


# --- limits ----------------------------------------------------------------------------------------------


def explained(store: Store, receiver: str) -> tuple[set[int], int]:
    """The holes in what waits that no event explains, and how many were told to be lost."""
    waiting = store.pending(receiver, 0, 100_000)
    losses = [item.event.args for item in waiting if item.event.code is Code.EVENTS_LOST]
    holes = set(range(1, (waiting[-1].seq or 0) + 1)) - {item.seq for item in waiting}
    for args in losses:
        holes -= set(range(int(args["first_seq"]), int(args["last_seq"]) + 1))
    return holes, sum(int(args["count"]) for args in losses)


def test_days_without_a_line_cost_information_first_and_alerts_never(tmp_path, monkeypatch):
    """Beyond the limit the oldest that inform leave the outbox, then warnings; each hole is explained."""
    monkeypatch.setattr(store_database, "OUTBOX_ROWS", 600)
    store = opened(tmp_path, NOW, ("mqtt",))
    kinds = (Severity.INFO, Severity.WARNING, Severity.ALERT)
    shown: list[Recorded] = []
    for begin in range(0, 900, 30):
        shown += store.append([(event(n, kinds[n % 3]), NOW) for n in range(begin, begin + 30)])
    left = [
        item.event.severity
        for item in store.pending("mqtt", 0, 10_000)
        if item.event.code != Code.EVENTS_LOST
    ]
    assert left.count(Severity.ALERT) == 300
    assert left.count(Severity.WARNING) == 300
    assert 0 < left.count(Severity.INFO) <= 150
    for begin in range(900, 2700, 30):
        shown += store.append([(event(n, Severity.ALERT), NOW) for n in range(begin, begin + 30)])
    rest = [item for item in store.pending("mqtt", 0, 10_000) if item.event.code != Code.EVENTS_LOST]
    assert {item.event.severity for item in rest} == {Severity.ALERT}
    assert len(rest) == 2100
    holes, told = explained(store, "mqtt")
    assert (holes, told) == (set(), 600)
    losses = [item for item in shown if item.event.code is Code.EVENTS_LOST]
    assert sum(int(item.event.args["count"]) for item in losses) == 600
    assert losses[0].event.args["since"] == losses[0].event.args["until"] == "2027-01-15T08:00:00Z"
    assert len(columns(tmp_path, "seq")) == 2700 + len(losses)
    store.close()


def test_memory_gives_up_information_before_warnings_and_no_alert(tmp_path, monkeypatch):
    """While the disk refuses too long, alerts all come through, in order, and one event tells of the rest."""
    monkeypatch.setattr(store_schema, "BUSY_S", 0.0)
    monkeypatch.setattr(store_loss, "BACKLOG", 20)
    store = opened(tmp_path, NOW, ("mqtt",))
    with closing(sqlite3.connect(tmp_path / "vigie.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for n in range(30):
            write(store, n, severity=(Severity.INFO, Severity.WARNING, Severity.ALERT)[n % 3])
        assert "being lost" in store.faults[0].detail
        for n in range(30, 60):
            write(store, n, severity=Severity.ALERT)
    told, last = write(store, 60, now=replace(NOW, mono=2000.0))
    assert (told.event.code, told.event.severity, told.seq) == (Code.EVENTS_LOST, Severity.WARNING, 1)
    assert told.event.args["count"] == 20
    assert told.event.args["first_seq"] is None
    waiting = store.pending("mqtt", 0, 100)
    assert waiting[0] == told
    assert waiting[-1] == last
    numbers = [int(str(item.event.args["why"]).split()[1]) for item in waiting[1:]]
    assert numbers == [*range(2, 30, 3), *range(30, 61)]
    assert [item.seq for item in waiting] == list(range(1, 43))
    assert store.faults == []
    store.close()


# --- the clock -------------------------------------------------------------------------------------------


def test_minutes_without_a_clock_get_their_true_time(tmp_path):
    """Also those of an earlier run of this boot; those of an earlier boot stay as they were."""
    store = opened(tmp_path, replace(UNSET, boot="before"), ("mqtt",))
    write(store, 1, now=replace(UNSET, boot="before"))
    store.close()
    store = opened(tmp_path, UNSET, ("mqtt",))
    write(store, 2, now=UNSET)
    write(store, 3, now=replace(UNSET, mono=20.0, wall=90_000.0))
    store.acknowledge("mqtt", 3)
    store.close()
    store = opened(tmp_path, replace(UNSET, mono=500.0), ("mqtt",))
    write(store, 4, now=replace(UNSET, mono=510.0, wall=86_900.0))
    assert [item.synced for item in store.pending("mqtt", 0, 10)] == [False] * 3
    write(store, 5)
    store.close()
    found = past_events(tmp_path, 10)
    assert [(item.at - NOW.wall, item.synced, item.corrected) for item in found[1:]] == [
        (-990.0, True, True),
        (-980.0, True, True),
        (-490.0, True, True),
        (0.0, True, False),
    ]
    assert (found[0].at, found[0].synced, found[0].corrected) == (UNSET.wall, False, False)
    assert [event_payload(item)["clock"] for item in found[:2]] == ["unsynchronised", "corrected"]
    assert event_payload(found[1])["at"] == "2027-01-15T07:43:30Z"


def test_load_and_an_idle_store_learn_the_time_too(tmp_path):
    """A start with a known clock corrects what an earlier run wrote, before anything is sent."""
    store = opened(tmp_path, UNSET, ("mqtt",))
    write(store, 1, now=UNSET)
    store.close()
    store = opened(tmp_path, NOW, ("mqtt",))
    store.load(NOW)
    assert [item.at for item in store.pending("mqtt", 0, 10)] == [NOW.wall - 990.0]
    written = write(store, 2, now=replace(UNSET, mono=1100.0))
    assert [(item.at, item.synced, item.corrected) for item in written] == [(NOW.wall + 100.0, True, True)]
    assert store.pending("mqtt", 1, 10) == written
    store.close()


def test_history_tells_the_store_when_the_clock_is_known(tmp_path, example_snapshot):
    """Without any event; what waits is right before it can be sent."""

    async def story() -> list[Recorded]:
        disk, board = ThreadPoolExecutor(max_workers=1), Board()
        store = opened(tmp_path, UNSET, ("mqtt",))
        history = History(store, disk, board, lambda _part: None)
        running = asyncio.create_task(history.run(1e6, lambda: NOW))
        await history.call(write, store, 1, 2)
        board.publish(example_snapshot(seq=1, synced=False))
        await history.call(lambda: store.append([(event(3), UNSET)]))
        board.publish(example_snapshot(seq=2, synced=True))
        while not (found := await history.call(store.pending, "mqtt", 2, 10))[0].synced:
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running])
        await history.close()
        disk.shutdown()
        return found

    assert [(item.at, item.corrected) for item in asyncio.run(story())] == [(NOW.wall - 990.0, True)]


@pytest.mark.parametrize("step_s", [-50 * YEAR_S, -3600.0, 3600.0, 50 * YEAR_S])
def test_a_clock_that_is_wrong_reorders_and_deletes_nothing(tmp_path, step_s):
    """However far the clock steps, and believed: numbers, order and history stay."""
    store = opened(tmp_path, NOW, ("mqtt",))
    first = write(store, *range(300))
    for item in first[:100]:
        store.acknowledge("mqtt", item.seq or 0)
    second = write(store, *range(300, 900), now=replace(NOW, mono=1001.0, wall=NOW.wall + step_s))
    third = write(store, *range(900, 1200), now=replace(NOW, mono=1002.0, wall=NOW.wall + 2.0))
    assert store.pending("mqtt", 0, 10_000) == [*first[100:], *second, *third]
    assert [item.seq for item in past_events(tmp_path, 10_000)] == list(range(1, 1201))
    store.close()
