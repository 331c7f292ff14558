"""The store on real files: order, crashes, damage, full and read-only disks."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_ground import mounted, run_writer

from agent.core.codes import Code, Severity
from agent.core.instant import Now, Stamp, stamp
from agent.core.model import Cycle, Event, OpenIncident, Part, Recorded
from agent.runtime import store_database, store_schema
from agent.runtime.store import Store, StoreError
from agent.runtime.store_loss import BACKLOG

NOW = Now(mono=1000.0, wall=1_800_000_000.0, synced=True, boot="a")


_stores: list[Store] = []


def opened(folder: Path, now: Now, receivers: tuple[str, ...] = ("mqtt",)) -> Store:
    """A store that is closed at the end of the test at the latest."""
    _stores.append(Store.open(folder, now, receivers))
    return _stores[-1]


@pytest.fixture(autouse=True)
def _close_stores():
    yield
    while _stores:
        _stores.pop().close()


def later(seconds: float, boot: str = "a") -> Now:
    return Now(NOW.mono + seconds, NOW.wall + seconds, synced=True, boot=boot)


def event(n: int, severity: Severity = Severity.WARNING) -> Event:
    return Event(Code.UPLINK_DOWN, "ftth", severity, "i1", {"label": "Fibre é", "why": f"silence {n}"})


def cycle(n: int, helped: bool | None = None) -> Cycle:
    return Cycle(f"o{n}", "ont", Code.BOX_HUNG, "i1", stamp(NOW), helped)


def write(store: Store, count: int, start: int = 0) -> list[Recorded]:
    return store.append([(event(n), NOW) for n in range(start, start + count)])


def in_order(recorded: list[Recorded]) -> list[int | None]:
    return [item.seq for item in recorded]


# --- the calm days -------------------------------------------------------------------------------------


def test_events_come_back_as_they_were_written(tmp_path):
    """After a restart the outbox holds equal events with the same ids and numbers."""
    store = opened(tmp_path, NOW)
    written = write(store, 3)
    store.close()
    again = opened(tmp_path, NOW)
    assert again.pending("mqtt", 0, 10) == written
    assert in_order(written) == [1, 2, 3]
    assert written[0].at == NOW.wall
    assert written[0].id.endswith("-1")
    assert again.faults == []


def test_numbers_go_on_after_restart(tmp_path):
    """Numbers and ids continue over restarts, also when all events are acknowledged."""
    ids = []
    for _ in range(4):
        store = opened(tmp_path, NOW)
        for item in write(store, 2):
            ids.append(item.id)
            store.acknowledge("mqtt", item.seq or 0)
        store.close()
    assert [name.rpartition("-")[2] for name in ids] == [str(n) for n in range(1, 9)]
    assert len({name.rpartition("-")[0] for name in ids}) == 1


def test_debug_events_are_not_kept(tmp_path):
    """A debug event has no number, a unique id, and does not take part in the order of the others."""
    store = opened(tmp_path, NOW)
    mixed = [
        (event(0), NOW),
        (event(1, Severity.DEBUG), NOW),
        (event(2), NOW),
        (event(3, Severity.DEBUG), NOW),
    ]
    recorded = store.append(mixed)
    assert in_order(recorded) == [1, None, 2, None]
    assert [item.event for item in recorded] == [item for item, _ in mixed]
    assert len({item.id for item in recorded}) == 4
    assert in_order(store.pending("mqtt", 0, 10)) == [1, 2]


def test_acknowledged_events_leave_the_outbox(tmp_path):
    """Pending gives exactly what nobody acknowledged, beyond a number, at most so many, in order."""
    store = opened(tmp_path, NOW)
    write(store, 6)
    store.acknowledge("mqtt", 2)
    store.acknowledge("mqtt", 5)
    assert in_order(store.pending("mqtt", 0, 10)) == [1, 3, 4, 6]
    assert in_order(store.pending("mqtt", 1, 2)) == [3, 4]
    store.close()
    assert in_order(opened(tmp_path, NOW).pending("mqtt", 0, 10)) == [1, 3, 4, 6]


def test_without_outbox_events_are_history(tmp_path):
    """Without MQTT nothing waits, and nothing old is sent the day MQTT is configured."""
    store = opened(tmp_path, NOW, ())
    write(store, 3)
    with pytest.raises(ValueError, match="no receiver 'mqtt'; there are none"):
        store.pending("mqtt", 0, 10)
    store.close()
    again = opened(tmp_path, NOW)
    assert again.pending("mqtt", 0, 10) == []
    write(again, 1)
    assert in_order(again.pending("mqtt", 0, 10)) == [4]


def test_incident_survives(tmp_path):
    """The open incident is there after a restart, and gone once none is open."""
    incident = OpenIncident("i7", stamp(NOW), Code.BOX_HUNG, "ftth")
    store = opened(tmp_path, NOW)
    store.save_incident(incident)
    store.close()
    again = opened(tmp_path, NOW)
    assert again.load(NOW).incident == incident
    again.save_incident(None)
    again.close()
    assert opened(tmp_path, NOW).load(NOW).incident is None


def test_answering_boxes_are_remembered(tmp_path):
    """Which boxes answer pings survives a restart; saying it twice changes nothing."""
    store = opened(tmp_path, NOW)
    for name in ("ftth", "4g", "ftth"):
        store.save_answering(name)
    store.close()
    assert opened(tmp_path, NOW).load(NOW).answering == ("ftth", "4g")


def test_quick_restarts_are_counted_and_forgiven(tmp_path):
    """Earlier starts within ten minutes count, this one does not; calm or age forgives them."""
    counts = []
    for n in range(3):
        store = opened(tmp_path, later(n * 60))
        store.note_start(later(n * 60))
        counts.append(store.load(later(n * 60)).quick_restarts)
        store.close()
    assert counts == [0, 1, 2]
    assert opened(tmp_path, later(650)).load(later(650)).quick_restarts == 2
    assert opened(tmp_path, later(721)).load(later(721)).quick_restarts == 0
    store = opened(tmp_path, later(130))
    store.note_calm()
    store.close()
    assert opened(tmp_path, later(131)).load(later(131)).quick_restarts == 0


def test_old_history_is_deleted_in_pieces(tmp_path, monkeypatch):
    """Acknowledged events beyond the limits go, waiting ones stay, numbers go on."""
    monkeypatch.setattr(store_database, "KEPT_ROWS", 100)
    store = opened(tmp_path, NOW)
    for item in write(store, 300)[:290]:
        store.acknowledge("mqtt", item.seq or 0)
    write(store, 300, start=300)
    with sqlite3.connect(tmp_path / "vigie.db") as db:
        kept = [row[0] for row in db.execute("SELECT seq FROM events ORDER BY seq")]
    db.close()
    assert kept == list(range(291, 601))


# --- the memory of cycles --------------------------------------------------------------------------------


def test_cycles_survive_and_are_replaced_by_order(tmp_path):
    """A cycle is remembered once; what became of it replaces it."""
    store = opened(tmp_path, NOW)
    store.save_cycle(cycle(1))
    store.save_cycle(cycle(2))
    store.save_cycle(cycle(1, helped=True))
    store.close()
    assert opened(tmp_path, NOW).load(NOW).cycles == (cycle(2), cycle(1, helped=True))


def test_new_installation_may_cut(tmp_path):
    """An empty folder is a new installation: no cycles, no fault."""
    store = opened(tmp_path / "new", NOW)
    assert store.load(NOW).cycles == ()
    assert store.faults == []


@pytest.mark.parametrize("broken", ["vigie.db", "cycles.json"])
@pytest.mark.parametrize("how", ["garbage", "gone", "empty"])
def test_one_file_restores_the_other(tmp_path, broken, how):
    """Damage to one of the two files loses no cycle, does not block, and is repaired for next time."""
    store = opened(tmp_path, NOW)
    store.save_cycle(cycle(1))
    store.close()
    damage(tmp_path / broken, how)
    again = opened(tmp_path, NOW)
    assert again.load(NOW).cycles == (cycle(1),)
    again.close()
    damage(tmp_path / ({"vigie.db", "cycles.json"} - {broken}).pop(), how)
    assert opened(tmp_path, NOW).load(NOW).cycles == (cycle(1),)


def damage(path: Path, how: str) -> None:
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(b"" if how == "empty" else b"\x00garbage" * 1000)


@pytest.mark.parametrize("how", ["garbage", "gone", "empty"])
def test_lost_memory_blocks_a_day_over_restarts(tmp_path, how):
    """Both files unusable: no budget for 24 hours in all, then cycles since then count."""
    store = opened(tmp_path, NOW)
    store.save_cycle(cycle(1))
    store.close()
    damage(tmp_path / "vigie.db", "garbage")
    damage(tmp_path / "cycles.json", how)
    for hours in (0, 8, 23.9):
        store = opened(tmp_path, later(hours * 3600))
        assert store.load(later(hours * 3600)).cycles is None
        assert [(p.name, p.ok, p.code) for p in store.faults if p.name == "budget"] == [
            ("budget", False, Code.BUDGET_UNREADABLE)
        ]
        store.close()
    store = opened(tmp_path, later(24 * 3600))
    assert store.load(later(24 * 3600)).cycles == ()
    assert store.faults == []
    store.close()
    assert opened(tmp_path, later(24.1 * 3600)).load(later(24.1 * 3600)).cycles == ()


def test_block_ends_while_running(tmp_path):
    """After 24 hours without a restart the fault is withdrawn."""
    (tmp_path / "cycles.json").write_text("{}")
    store = opened(tmp_path, NOW)
    store.save_cycle(cycle(5))
    store.append([(event(1), later(86_399))])
    assert store.faults == [
        Part("budget", False, Code.BUDGET_UNREADABLE, "cycles.json: unreadable content (KeyError)")
    ]
    store.append([(event(1), later(86_401))])
    assert store.faults == []
    store.close()
    assert opened(tmp_path, later(86_402)).load(later(86_402)).cycles == (cycle(5),)


def test_smaller_budget_by_hand_is_noticed(tmp_path):
    """A copy edited by hand does not pass for the real one."""
    store = opened(tmp_path, NOW)
    store.save_cycle(cycle(1))
    store.close()
    body = json.loads((tmp_path / "cycles.json").read_text())
    body["memory"]["cycles"] = []
    (tmp_path / "cycles.json").write_text(json.dumps(body))
    (tmp_path / "vigie.db").unlink()
    assert opened(tmp_path, NOW).load(NOW).cycles is None


def test_both_files_differ_every_cycle_counts(tmp_path):
    """A power loss between the two writes costs no cycle."""
    store = opened(tmp_path, NOW)
    store.save_cycle(cycle(1))
    former = (tmp_path / "cycles.json").read_bytes()
    store.save_cycle(cycle(1, helped=False))
    store.save_cycle(cycle(2))
    store.close()
    (tmp_path / "cycles.json").write_bytes(former)
    assert opened(tmp_path, NOW).load(NOW).cycles == (cycle(1, helped=False), cycle(2))


# --- damage ----------------------------------------------------------------------------------------------


def test_damaged_database_is_kept_aside(tmp_path):
    """Each damaged database gets a name of its own; the three newest are kept; ids never repeat."""
    ids = set()
    for n in range(5):
        store = opened(tmp_path, NOW)
        ids |= {item.id for item in write(store, 3)}
        store.close()
        (tmp_path / "vigie.db").write_bytes(b"no database %d" % n)
    assert len(ids) == 15
    assert sorted(path.name for path in tmp_path.glob("*.bad-*")) == [f"vigie.db.bad-{n}" for n in (2, 3, 4)]
    assert (tmp_path / "vigie.db.bad-4").read_bytes() == b"no database 3"


def test_rewound_history_does_not_reuse_ids(tmp_path):
    """A database restored from an older copy goes on under a new name."""
    store = opened(tmp_path, NOW)
    ids = {item.id for item in write(store, 2)}
    store.close()
    shutil.copy(tmp_path / "vigie.db", tmp_path / "backup")
    store = opened(tmp_path, NOW)
    ids |= {item.id for item in write(store, 2)}
    store.save_cycle(cycle(1))
    store.close()
    shutil.copy(tmp_path / "backup", tmp_path / "vigie.db")
    store = opened(tmp_path, NOW)
    ids |= {item.id for item in write(store, 2)}
    assert len(ids) == 6
    assert in_order(store.pending("mqtt", 0, 10)) == [1, 2, 3, 4]


def test_database_damaged_while_running_is_replaced(tmp_path):
    """Events go on into a new database, and the memory of cycles with them."""
    store = opened(tmp_path, NOW)
    store.save_cycle(cycle(1))
    write(store, 5)
    store._disk.opened()._db.execute("DROP TABLE events")
    assert in_order(write(store, 2)) == [1, 2]
    assert store.faults == []
    assert (tmp_path / "vigie.db.bad-1").exists()
    store.close()
    (tmp_path / "cycles.json").unlink()
    assert opened(tmp_path, NOW).load(NOW).cycles == (cycle(1),)


def test_new_database_takes_no_acknowledgement_of_the_old_one(tmp_path):
    """Numbers begin anew under a receiver that is far beyond them: it gets all, and loses none."""
    store = opened(tmp_path, NOW)
    write(store, 20)
    outbox = store.outbox("mqtt")
    assert in_order(outbox.pending(0, 20)) == list(range(1, 21))
    other = sqlite3.connect(tmp_path / "vigie.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store._disk.opened()._db.execute("PRAGMA busy_timeout = 0")
    outbox.acknowledge(2)
    other.execute("DROP TABLE events")
    other.execute("COMMIT")
    other.close()
    fresh = write(store, 3, start=100)
    assert in_order(fresh) == [1, 2, 3]
    outbox.acknowledge(15)
    assert outbox.pending(20, 10) == fresh


def test_one_unreadable_event_does_not_stop_the_outbox(tmp_path):
    """An event that cannot be decoded is left out; those after it are sent."""
    store = opened(tmp_path, NOW)
    write(store, 4)
    store.close()
    with sqlite3.connect(tmp_path / "vigie.db") as db:
        db.execute('UPDATE events SET body = \'{"code": "of the future"}\' WHERE seq IN (1, 3)')
    db.close()
    again = opened(tmp_path, NOW)
    assert in_order(again.pending("mqtt", 0, 1)) == [2]
    assert in_order(again.pending("mqtt", 2, 10)) == [4]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    """A folder as kill -9 leaves it: with a write-ahead log."""
    folder = tmp_path_factory.mktemp("healthy")
    work = folder / "work"
    store = opened(work, NOW)
    for n in range(3):
        store.save_cycle(cycle(n))
    write(store, 30)
    for seq in range(1, 10):
        store.acknowledge("mqtt", seq)
    shutil.copytree(work, folder / "state", ignore=shutil.ignore_patterns("*-shm"))
    store.close()
    return folder / "state"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["vigie.db", "vigie.db", "vigie.db-wal", "cycles.json"]),
    where=st.floats(0, 0.999),
    flips=st.integers(1, 255) | st.none(),
    width=st.sampled_from([1, 8, 600, 5000]),
)
def test_no_damage_is_ever_raised(healthy, tmp_path, name, where, flips, width):
    """Flipped or missing bytes in one file never raise, never block, never lose a cycle, never stop work."""
    folder = tmp_path / "state"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(healthy, folder)
    data = bytearray((folder / name).read_bytes())
    at = int(where * len(data))
    if flips is None:
        del data[at:]
    else:
        data[at : at + width] = bytes(byte ^ flips for byte in data[at : at + width])
    (folder / name).write_bytes(data)
    store = opened(folder, NOW)
    assert store.load(NOW).cycles == (cycle(0), cycle(1), cycle(2))
    store.note_start(NOW)
    store.save_incident(None)
    fresh = write(store, 2, start=100)
    store.save_cycle(cycle(9))
    waiting = store.pending("mqtt", 0, 100)
    assert in_order(waiting) == sorted(set(in_order(waiting)))
    assert waiting[-2:] == fresh
    for item in waiting:
        store.acknowledge("mqtt", item.seq or 0)
    store.close()
    again = opened(folder, NOW)
    assert again.load(NOW).cycles == (cycle(0), cycle(1), cycle(2), cycle(9))
    assert again.pending("mqtt", 0, 100) == []
    again.close()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_to_both_files_never_makes_a_smaller_budget(healthy, tmp_path, data):
    """Whatever happens to both files, either all cycles are known or cutting is blocked."""
    folder = tmp_path / "state"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(healthy, folder)
    for name in ("vigie.db", "cycles.json"):
        content = bytearray((folder / name).read_bytes())
        at = int(data.draw(st.floats(0, 0.999)) * len(content))
        if data.draw(st.booleans()):
            content[at] ^= data.draw(st.integers(1, 255))
        else:
            del content[at:]
        (folder / name).write_bytes(content)
    store = opened(folder, NOW)
    assert store.load(NOW).cycles in (None, (cycle(0), cycle(1), cycle(2)))
    store.close()


# --- crashes ---------------------------------------------------------------------------------------------


def test_kill_at_any_moment_loses_nothing_that_was_written(tmp_path):
    """After each of many kill -9: no hole, no repeated id, every reported event and cycle is there."""
    script = """
n = 0
while True:
    n += 1
    for item in store.append([(event(k), NOW) for k in range(n % 4 + 1)]):
        say("event", item.seq, item.id)
    if n % 3 == 0:
        cycle = Cycle(f"{store._session}-{n}", "ont", Code.BOX_HUNG, "i1", stamp(NOW))
        store.save_cycle(cycle)
        say("cycle", cycle.order)
"""
    chance = random.Random(7)
    events: dict[int, str] = {}
    cycles: set[str] = set()
    for _ in range(12):
        with run_writer(tmp_path, script) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(chance.randint(1, 30))]
            time.sleep(chance.uniform(0.0, 0.01))  # so that the kill falls anywhere within a write
            process.kill()
            lines += process.stdout
        for words in (line.split() for line in lines if line.endswith("\n")):
            if words[0] == "event":
                assert int(words[1]) not in events
                events[int(words[1])] = words[2]
            else:
                cycles.add(words[1])
        store = opened(tmp_path, NOW)
        found = {item.seq: item.id for item in store.pending("mqtt", 0, 100_000)}
        orders = {item.order for item in store.load(NOW).cycles or ()}
        store.close()
        assert list(found) == list(range(1, len(found) + 1))
        assert len(set(found.values())) == len(found)
        assert events.items() <= found.items()
        assert cycles <= orders
        assert store.faults == []
    assert len(events) > 50
    assert len(cycles) > 3


def test_first_start_that_dies_is_no_lost_memory(tmp_path):
    """The copy is written before the database, so a first start that dies does not block the second."""
    script = """
import os
from agent.runtime import store_schema
def die(path, **options):
    Path(path).touch()
    os._exit(9)
store_schema.sqlite3.connect = die
Store.open(Path(sys.argv[1]) / "new", NOW)
"""
    with run_writer(tmp_path, script) as process:
        assert process.wait() == 9
    assert (tmp_path / "new" / "vigie.db").stat().st_size == 0
    again = opened(tmp_path / "new", NOW)
    assert again.load(NOW).cycles == ()
    assert again.faults == []


# --- disks that refuse -----------------------------------------------------------------------------------


def test_full_disk_costs_nothing_that_fits_later(tmp_path):
    """While files cannot grow events wait in memory; then they are written in order, without a hole."""
    script = """
import resource
written = store.append([(event(n), NOW) for n in range(3)])
free = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, free[1]))
waiting = []
for n in range(3, 9):
    waiting += store.append([(event(n), NOW)])
say([item.seq for item in waiting])
say([item.seq for item in store.pending("mqtt", 0, 100)])
try:
    store.save_cycle(Cycle("o1", "ont", Code.BOX_HUNG, "i1", stamp(NOW)))
except StoreError as error:
    say("refused")
store.save_incident(None)
store.note_start(NOW)
store.acknowledge("mqtt", 1)
say([(part.name, part.ok) for part in store.faults])
resource.setrlimit(resource.RLIMIT_FSIZE, free)
store.save_cycle(Cycle("o2", "ont", Code.BOX_HUNG, "i1", stamp(NOW)))
store.append([(event(9), NOW)])
say(store.faults)
found = store.pending("mqtt", 0, 100)
say([item.seq for item in found])
say([item.event.args["why"] for item in found])
say([item.id for item in found][2:8] == [item.id for item in waiting])
say([item.order for item in store.load(NOW).cycles])
"""
    with run_writer(tmp_path, script) as process:
        assert process.stdout is not None
        said = process.stdout.read().splitlines()
    assert said == [
        "[None, None, None, None, None, None]",
        "[1, 2, 3]",
        "refused",
        "[('store', False)]",
        "[]",
        "[2, 3, 4, 5, 6, 7, 8, 9, 10]",
        "['1', '2', '3', '4', '5', '6', '7', '8', '9']",
        "True",
        "['o2']",
    ]
    store = opened(tmp_path, NOW)
    assert in_order(store.pending("mqtt", 0, 100)) == list(range(2, 11))
    assert store.faults == []


def test_disk_full_from_the_start(tmp_path):
    """On a disk without a free byte the store opens, reports, refuses cycles, and heals."""
    fill = f'dd if=/dev/zero of="{tmp_path}/fill" bs=1k 2>/dev/null; true'
    script = """
say([(part.name, part.ok) for part in store.faults])
shown = store.append([(event(n), NOW) for n in range(3)])
say([item.seq for item in shown])
try:
    store.save_cycle(Cycle("o1", "ont", Code.BOX_HUNG, "i1", stamp(NOW)))
except StoreError:
    say("refused")
(Path(sys.argv[1]) / "fill").unlink()
say([item.seq for item in store.append([(event(3), NOW)])])
say([item.id for item in store.pending("mqtt", 0, 10)][:3] == [item.id for item in shown])
say([item.seq for item in store.pending("mqtt", 0, 10)])
say(store.faults, store.load(NOW).cycles)
"""
    with run_writer(tmp_path, script, *mounted(tmp_path, "size=400k", fill)) as process:
        assert process.stdout is not None
        said = process.stdout.read().splitlines()
    assert said == [
        "[('store', False)]",
        "[None, None, None]",
        "refused",
        "[4]",
        "True",
        "[1, 2, 3, 4]",
        "[] ()",
    ]


def test_read_only_disk(tmp_path):
    """On a read-only disk with a history the cycles are known, nothing is written, nothing raises."""
    prepared = tmp_path / "prepared"
    store = opened(prepared, NOW)
    store.save_cycle(cycle(1))
    write(store, 2)
    store.close()
    place = tmp_path / "state"
    place.mkdir()
    then = f'cp "{prepared}"/* "{place}" && mount -o remount,ro "{place}"'
    script = """
say([cycle.order for cycle in store.load(NOW).cycles])
store.note_start(NOW)
say([item.seq for item in store.append([(event(3), NOW)])])
store.pending("mqtt", 0, 10)
store.acknowledge("mqtt", 1)
try:
    store.save_cycle(Cycle("o2", "ont", Code.BOX_HUNG, "i1", stamp(NOW)))
except StoreError:
    say("refused")
say(all(part.name == "store" and not part.ok for part in store.faults))
store.close()
"""
    with run_writer(place, script, *mounted(place, "size=2m", then)) as process:
        assert process.stdout is not None
        said = process.stdout.read().splitlines()
    assert said == ["['o1']", "[None]", "refused", "True"]


def test_locked_database_is_waited_for(tmp_path, monkeypatch):
    """Another program that holds the database costs no event."""
    monkeypatch.setattr(store_schema, "BUSY_S", 0.05)
    store = opened(tmp_path, NOW)
    other = sqlite3.connect(tmp_path / "vigie.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert in_order(write(store, 1)) == [None]
    assert [(part.name, part.ok) for part in store.faults] == [("store", False)]
    assert not (tmp_path / "vigie.db.bad-1").exists()
    other.execute("ROLLBACK")
    other.close()
    assert in_order(store.pending("mqtt", 0, 10)) == [1]
    assert store.faults == []


def test_memory_of_waiting_events_is_bounded(tmp_path, monkeypatch):
    """When too many wait the oldest are given up, and that is said once."""
    monkeypatch.setattr(store_schema, "BUSY_S", 0.0)
    store = opened(tmp_path, NOW)
    other = sqlite3.connect(tmp_path / "vigie.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    write(store, 1000)
    assert "being lost" not in store.faults[0].detail
    for n in range(1, BACKLOG // 1000 + 3):
        write(store, 1000, start=n * 1000)
    assert "being lost" in store.faults[0].detail
    other.execute("ROLLBACK")
    other.close()
    told, last = write(store, 1)
    assert (told.event.code, told.event.args["count"], told.seq) == (Code.EVENTS_LOST, 3000, 1)
    assert last.seq == BACKLOG + 2
    waiting = store.pending("mqtt", 0, 2)
    assert waiting == [told, waiting[1]]
    assert waiting[1].event == event(3000)


def test_stamp_of_an_unsynchronised_clock_blocks_longer_never_shorter(tmp_path):
    """After a reboot without a clock only the uptime counts as age of the loss."""
    (tmp_path / "cycles.json").write_text("broken")
    opened(tmp_path, NOW).close()
    rebooted = Now(mono=3600.0, wall=NOW.wall + 10 * 86_400, synced=False, boot="b")
    assert opened(tmp_path, rebooted).load(rebooted).cycles is None
    known = replace(rebooted, synced=True)
    assert opened(tmp_path, known).load(known).cycles == ()


def test_cycle_in_both_files_when_save_returns(tmp_path):
    """The cut that follows is remembered even if either file is lost the next moment."""
    store = opened(tmp_path, NOW)
    store.save_cycle(cycle(1))
    kept = Stamp(NOW.mono, NOW.wall, NOW.synced, NOW.boot)
    for name in ("vigie.db", "cycles.json"):
        place = tmp_path / f"only-{name}"
        place.mkdir()
        shutil.copy(tmp_path / name, place / name)
        assert [item.started for item in opened(place, NOW).load(NOW).cycles or ()] == [kept]


def test_copy_that_cannot_be_written_forbids_the_cut(tmp_path):
    """One file of two is not enough."""
    store = opened(tmp_path, NOW)
    (tmp_path / "cycles.json.new").mkdir()
    with pytest.raises(StoreError, match="o1"):
        store.save_cycle(cycle(1))
