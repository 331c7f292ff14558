"""The actuator: nothing is cut that is not written first, and what happened is always reported."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent.core.alerts import SaveAlerts, Told
from agent.core.codes import Code
from agent.core.instant import Stamp
from agent.core.model import (
    AskMore,
    Cut,
    Cycle,
    Observation,
    OpenIncident,
    Outcome,
    Pace,
    Part,
    PowerReport,
    Restore,
    SaveCycle,
    SaveIncident,
)
from agent.core.people import Answer, OpenHold
from agent.core.saves import SaveAnswering, SaveHold, SaveProof
from agent.core.spending import CheckEvery, SaveSpending, Spending
from agent.runtime.actuator import Actuator
from hardware.ports import HardwareError

CYCLE = Cycle("run-1", "box", Code.BOX_HUNG, "run-0", Stamp(1.0, 2.0, True, "b"))
CUT = Cut("box", "run-1", 20.0, CYCLE)


class BenchRelay:
    """A relay on the bench: it does what it is told, or fails where it is told to."""

    def __init__(self, log: list[str], fails: str = "") -> None:
        self._log = log
        self._fails = fails
        self.is_cut = False

    def cut(self, longest_s: float) -> None:
        if self._fails == "cut":
            raise HardwareError("the coil does not answer")
        self._log.append(f"cut {longest_s:g}")
        self.is_cut = True

    def restore(self) -> None:
        if self._fails == "restore":
            raise HardwareError("the coil is stuck")
        self._log.append("restore")
        self.is_cut = False

    def close(self) -> None:
        self._log.append("close")
        self.is_cut = False


class BenchMemory:
    """Remembers on the bench: slow or refusing where it is told to be."""

    def __init__(self, log: list[str], fails: bool = False) -> None:
        self._log = log
        self._fails = fails
        self.gate = threading.Event()
        self.gate.set()

    def _write(self, what: str) -> None:
        self.gate.wait(5.0)
        if self._fails:
            raise OSError("no space left on the card")
        self._log.append(what)

    def save_cycle(self, cycle: Cycle) -> None:
        self._write(f"cycle {cycle.order}")

    def save_incident(self, incident: OpenIncident | None) -> None:
        self._write(f"incident {incident.id if incident else None}")

    def save_answering(self, uplink: str) -> None:
        self._write(f"answering {uplink}")

    def save_proof(self, box: str, at: Stamp | None, by_silence: bool = False) -> None:
        self._write(f"proof {box} {at is not None}")

    def save_spending(self, uplink: str, spending: Spending) -> None:
        self._write(f"spending {uplink} {spending.used_bytes}")

    def save_told(self, told: tuple[Told, ...]) -> None:
        self._write(f"told {[str(one.code) for one in told]}")

    def save_hold(self, hold: OpenHold | None) -> None:
        self._write(f"hold {hold.by if hold else None}")


class Bench:
    def __init__(self, fails: str = "") -> None:
        self.log: list[str] = []
        self.posted: list[Observation] = []
        self.relay = BenchRelay(self.log, fails)
        self.memory = BenchMemory(self.log, fails == "memory")
        self.disk = ThreadPoolExecutor(max_workers=1)
        self.answers: list[Answer] = []
        self.actuator = Actuator(
            {"box": self.relay},
            self.memory,
            self.disk,
            self._pace,
            self._ask_more,
            self.posted.append,
            answer=self.answers.append,
            notes=self.memory,
            check_every=lambda uplink, every_s: self.log.append(f"check {uplink} every {every_s:g}"),
        )

    def _pace(self, uplink: str, interval_s: float, _box_s: float | None) -> None:
        self.log.append(f"pace {uplink} {interval_s:g}")

    def _ask_more(self, uplink: str) -> None:
        self.log.append(f"ask {uplink}")

    async def settled(self) -> None:
        while tasks := [*self.actuator._tasks, *self.actuator._saves]:
            await asyncio.gather(*tasks)


@pytest.fixture
def play() -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def run(*actions: object, fails: str = "") -> Bench:
        async def body() -> Bench:
            bench = Bench(fails)
            benches.append(bench)
            for action in actions:
                bench.actuator.carry_out(action)  # type: ignore[arg-type]
                await bench.settled()
            await bench.actuator.close()
            return bench

        return asyncio.run(body())

    yield run
    for bench in benches:
        bench.disk.shutdown()


def test_a_cycle_is_on_disk_before_the_cut(play: Callable[..., Bench]) -> None:
    """The cut may be the last thing this process ever does; the budget must know of it."""
    bench = play(CUT, Restore("box", "run-1"))
    assert bench.log == ["cycle run-1", "cut 20", "restore", "close"]
    assert [o.outcome for o in bench.posted if isinstance(o, PowerReport)] == [Outcome.CUT, Outcome.RESTORED]


def test_what_cannot_be_written_is_not_cut(play: Callable[..., Bench]) -> None:
    """A full card blocks the cut, and it is reported."""
    bench = play(CUT, fails="memory")
    assert "cut 20" not in bench.log
    assert bench.posted == [PowerReport("box", "run-1", Outcome.UNWRITTEN, "no space left on the card")]


def test_a_relay_that_refuses_is_reported(play: Callable[..., Bench]) -> None:
    """Both as the outcome of the order and as a part that does not work."""
    bench = play(CUT, fails="cut")
    assert PowerReport("box", "run-1", Outcome.REFUSED, "the coil does not answer") in bench.posted
    assert any(isinstance(o, Part) and o.code is Code.RELAY_FAILED and not o.ok for o in bench.posted)


def test_a_relay_that_does_not_restore_is_an_alarm(play: Callable[..., Bench]) -> None:
    """There is no outcome then, so the core orders it again."""
    bench = play(Restore("box", "run-1"), fails="restore")
    assert not any(isinstance(o, PowerReport) for o in bench.posted)
    assert any(isinstance(o, Part) and not o.ok for o in bench.posted)


def test_an_order_restored_while_the_disk_was_slow_never_cuts() -> None:
    """The core has given up on it: a cut that comes late would be one that nobody watches."""

    async def body() -> Bench:
        bench = Bench()
        bench.memory.gate.clear()
        bench.actuator.carry_out(CUT)
        bench.actuator.carry_out(Restore("box", "run-1"))
        await asyncio.sleep(0)
        bench.memory.gate.set()
        await bench.settled()
        await bench.actuator.close()
        bench.disk.shutdown()
        return bench

    assert "cut 20" not in asyncio.run(body()).log


def test_a_box_without_relay_is_refused(play: Callable[..., Bench]) -> None:
    """An order for a relay that could not be opened ends as a refusal, not as silence."""
    bench = play(Cut("other", "run-1", 20.0, CYCLE))
    assert bench.posted == [PowerReport("other", "run-1", Outcome.REFUSED, "no relay")]


def test_every_other_action_has_its_deed(play: Callable[..., Bench]) -> None:
    """Pace, questions, and the things to remember."""
    incident = OpenIncident("run-0", CYCLE.started, Code.BOX_HUNG, "ftth")
    told = Told(Code.SIGNAL_WEAK, "4g", CYCLE.started, CYCLE.started)
    bench = play(
        Pace("ftth", 0.2),
        AskMore("4g"),
        SaveCycle(CYCLE),
        SaveIncident(incident),
        SaveAnswering("ftth"),
        SaveAlerts((told,)),
    )
    assert bench.log == [
        "pace ftth 0.2",
        "ask 4g",
        "cycle run-1",
        "incident run-0",
        "answering ftth",
        "told ['signal_weak']",
        "close",
    ]


def test_proofs_and_holds_are_noted(play: Callable[..., Bench]) -> None:
    """And the part that keeps them works, whatever was wrong with it before."""
    hold = OpenHold(CYCLE.started, 60.0, "Anne")
    bench = play(SaveProof("box", CYCLE.started), SaveProof("box", None), SaveHold(hold), SaveHold(None))
    assert bench.log[:4] == ["proof box True", "proof box False", "hold Anne", "hold None"]
    assert bench.posted == [Part(name, ok=True) for name in ("proofs", "proofs", "hold", "hold")]


def test_a_data_budget_has_its_deeds(play: Callable[..., Bench]) -> None:
    """Checks get rarer, and what was used is noted."""
    bench = play(CheckEvery("4g", 3600.0), SaveSpending("4g", Spending("2027-01", 5, 6)))
    assert bench.log[:2] == ["check 4g every 3600", "spending 4g 11"]
    assert bench.posted == [Part("spending", ok=True)]


def test_what_is_being_written_at_the_end_is_written() -> None:
    """The last orders of a run are to write, and a disk may be slow; relays are restored before that."""

    async def body() -> list[str]:
        bench = Bench()
        bench.memory.gate.clear()
        threading.Timer(0.1, bench.memory.gate.set).start()
        bench.actuator.carry_out(SaveSpending("4g", Spending("2027-01", 5, 6)))
        bench.actuator.carry_out(SaveHold(None))
        await bench.actuator.close()
        await asyncio.sleep(0)
        bench.disk.shutdown()
        return bench.log

    assert asyncio.run(body()) == ["close", "spending 4g 11", "hold None"]


def test_a_proof_that_cannot_be_noted_is_said(play: Callable[..., Bench]) -> None:
    """It will be missing after the next start."""
    bench = play(SaveProof("box", CYCLE.started), fails="memory")
    assert bench.posted == [Part("proofs", ok=False, detail="no space left on the card")]


def test_an_answer_goes_to_whoever_waits_for_it(play: Callable[..., Bench]) -> None:
    """At once, without any worker."""
    assert play(Answer("r1", ok=True)).answers == [Answer("r1", ok=True)]


def test_closing_restores(play: Callable[..., Bench]) -> None:
    """An orderly stop in the middle of a cut leaves the box powered."""
    bench = play(CUT)
    assert bench.log[-1] == "close"
    assert not bench.relay.is_cut
