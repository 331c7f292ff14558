"""The store on a small disk of its own without a free byte: what gives way, and what never does."""

from __future__ import annotations

from pathlib import Path

from store_ground import mounted, run_writer

from agent.runtime.store_disk import FULL

BEGIN = """
import json, os
from collections import Counter
HERE = Path(sys.argv[1])
KINDS = (Severity.INFO, Severity.WARNING, Severity.ALERT)
def fill():
    with (HERE / "fill").open("ab", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass
def waiting(store=store):
    return store.pending("mqtt", 0, 100_000)
def append(severity, first, last):
    return [r for n in range(first, last + 1) for r in store.append([(event(n, severity), NOW)])]
def count():
    return Counter(r.event.severity.value for r in waiting() if r.event.code is not Code.EVENTS_LOST)
def explained():
    numbers = [r.seq for r in waiting()]
    losses = [r.event.args for r in waiting() if r.event.code is Code.EVENTS_LOST]
    holes = set(range(1, numbers[-1] + 1)) - set(numbers) - gone
    told = set()
    for args in losses:
        told |= set(range(args["first_seq"], args["last_seq"] + 1))
    return holes <= told and sum(args["count"] for args in losses) == len(holes)
gone = set()
"""


def said(folder: Path, script: str, size: str = "8m") -> list[str]:
    with run_writer(folder, BEGIN + script, *mounted(folder, f"size={size}")) as process:
        assert process.stdout is not None
        return process.stdout.read().splitlines()


def test_history_and_then_information_make_room_for_alerts(tmp_path):
    """Without a free byte alerts are written: what was delivered goes first, then what informs; all told."""
    assert said(
        tmp_path,
        """
store.append([(event(n, KINDS[n % 2]), NOW) for n in range(1, 1201)])
for seq in range(1, 401):
    store.acknowledge("mqtt", seq)
gone |= set(range(1, 401))
say((HERE / "reserve").stat().st_size)
store._disk.opened().shorten_log()  # or the room of the log would be used first
fill()
store.acknowledge("mqtt", 401)
gone.add(401)
say(waiting(Store.open(HERE, NOW, ("mqtt",)))[0].seq)
written = append(Severity.ALERT, 1201, 1450)
say(all(item.seq for item in written), [part.detail for part in store.faults], dict(count()), explained())
written = append(Severity.ALERT, 1451, 1515)
say(all(item.seq for item in written), count()["info"] < count()["warning"] == 399, explained())
written = append(Severity.ALERT, 1516, 2300)
say(all(item.seq for item in written), [part.detail for part in store.faults], dict(count()), explained())
cycle = Cycle("o1", "ont", Code.BOX_HUNG, "i1", stamp(NOW))
store.save_cycle(cycle)
again = Store.open(HERE, NOW, ("mqtt",))
say(again.load(NOW).cycles == (cycle,), waiting(again) == waiting(), again.faults)
(HERE / "fill").unlink()
append(Severity.INFO, 2301, 2301)
say(store.faults)
""",
    ) == [
        "524288",
        "402",
        f"True ['{FULL}'] {{'info': 400, 'warning': 399, 'alert': 250}} True",
        "True True True",
        f"True ['{FULL}'] {{'alert': 1100}} True",
        "True True []",
        "[]",
    ]


def test_alerts_wait_in_memory_where_nothing_may_give_way(tmp_path):
    """On a disk full of alerts no more is written; what is there survives a kill; it heals in order."""
    assert said(
        tmp_path,
        """
append(Severity.ALERT, 1, 40)
fill()
n, item = 40, True
while item:
    n += 1
    item = store.append([(event(n, Severity.ALERT), NOW)])[-1].seq
say([part.name for part in store.faults], [r.seq for r in waiting()] == list(range(1, n)))
for _ in range(3):
    n += 1
    store.append([(event(n, Severity.INFO), NOW)])
store.append([(event(n + 1, Severity.ALERT), NOW)])
pid = os.fork()
if pid == 0:
    again = Store.open(HERE, NOW, ("mqtt",))
    say(len(waiting(again)) == n - 4)
    os._exit(0)
os.waitpid(pid, 0)
(HERE / "fill").unlink()
say([r.seq for r in store.append([(event(n + 2), NOW)])] == [n + 2])
found = waiting()
all_of_them = list(range(1, n + 3))
say([r.seq for r in found] == all_of_them, [int(r.event.args["why"]) for r in found] == all_of_them)
say(store.faults)
store.append([(event(n + 3), NOW)])
""",
    ) == ["['store'] True", "True", "True", "True True", "[]"]
