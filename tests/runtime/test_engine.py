"""The engine: one observation at a time, recorded before it is decided upon."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from world import example_site

from agent.core.codes import CABLE_TOLD_AFTER_S, Code
from agent.core.durable import Durable
from agent.core.instant import Now
from agent.core.model import Action, Event, Link, Observation, Pace, Part, Probe, Role, Tick, Why
from agent.core.site import Site
from agent.runtime.board import Board
from agent.runtime.engine import FRESH_PROBE_S, Engine


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.mono = 1000.0

    def now(self) -> Now:
        return Now(self.mono, self.mono + 1e9, True, "boot")


class Handle:
    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Bench:
    """An engine with everything it asks for, in the open."""

    def __init__(self, act: Callable[[Action], None] | None = None, site: Site | None = None) -> None:
        self.clock = ManualClock()
        self.board = Board()
        self.log: list[object] = []
        self.events: list[Event] = []
        self.fed = 0
        self.timers: list[tuple[float, Callable[[], None], Handle]] = []
        self.engine = Engine(
            site or example_site(),
            Durable(),
            "run",
            self.clock,
            self.board,
            act or self.log.append,
            lambda observation, _now: self.log.append(observation),
            lambda events: self.events.extend(event for event, _ in events),
            self._feed,
            self._later,
        )

    def _feed(self) -> None:
        self.fed += 1

    def _later(self, delay_s: float, call: Callable[[], None]) -> Handle:
        handle = Handle()
        self.timers.append((self.clock.mono + delay_s, call, handle))
        return handle

    def play(self, seconds: float) -> None:
        """Let the timers fire in their order."""
        end = self.clock.mono + seconds
        while due := [t for t in self.timers if t[0] <= end and not t[2].cancelled]:
            first = min(due, key=lambda t: t[0])
            self.timers.remove(first)
            self.clock.mono = max(self.clock.mono, first[0])
            first[1]()
        self.clock.mono = end


def answered(at: float) -> Probe:
    return Probe("ftth", "1.1.1.1", Role.TARGET, at, rtt_ms=8.0)


def test_an_observation_is_recorded_before_its_consequences() -> None:
    """So that a crash in a step can be replayed."""
    bench = Bench()
    probe = Probe("ftth", "box", Role.BOX, 1000.0, rtt_ms=1.0)
    bench.engine.post(probe)
    assert bench.log[0] is probe
    assert len(bench.log) > 1, "the consequence: the box answers pings"


def test_ticks_come_by_themselves() -> None:
    """Without any observation the core is called at least every second."""
    bench = Bench()
    bench.engine.post(Tick())
    bench.play(10.0)
    ticks = [entry for entry in bench.log if isinstance(entry, Tick)]
    assert len(ticks) >= 10


def test_a_snapshot_comes_at_least_every_second() -> None:
    """Sinks can tell a calm agent from a dead one."""
    bench = Bench()
    bench.engine.post(Tick())
    first = bench.board.latest
    assert first is not None
    bench.play(5.0)
    assert bench.board.latest is not None
    assert bench.board.latest.seq >= first.seq + 4


def test_observations_that_arise_during_a_step_wait_for_its_end() -> None:
    """An action that fails at once reports at once; its report is the next step, not one inside the other."""
    order: list[str] = []

    def act(action: Action) -> None:
        if isinstance(action, Pace):
            order.append("act")
            bench.engine.post(Part("x", ok=False))
            order.append("acted")

    bench = Bench(act)
    bench.engine._record = lambda o, _n: order.append(type(o).__name__)
    bench.engine.post(Probe("ftth", "1.1.1.1", Role.TARGET, 1000.0, why=Why.TIMEOUT))
    assert order.index("acted") < order.index("Part")


def test_the_watchdog_is_fed_by_fresh_probes_only() -> None:
    """Ticks alone prove that the loop turns, not that anybody watches."""
    bench = Bench()
    bench.engine.post(answered(1000.0))
    bench.play(FRESH_PROBE_S + 5.0)
    fed = bench.fed
    assert fed > 0
    bench.play(10.0)
    assert bench.fed == fed, "no outcome of a probe for a quarter of a minute"
    bench.engine.post(answered(bench.clock.mono))
    assert bench.fed == fed + 1


def test_the_watchdog_waits_for_probes_that_are_far_apart() -> None:
    """Where a data budget, or the configuration, lets the only uplink be asked once a minute, it lives."""
    (only,) = example_site(uplinks=1).uplinks
    bench = Bench(site=replace(example_site(uplinks=1), uplinks=(replace(only, interval_s=60.0),)))
    bench.engine.post(Probe("ftth", "1.1.1.1", Role.TARGET, 1000.0, rtt_ms=8.0))
    bench.play(3 * 60.0 - 5.0)
    assert bench.fed > 100
    fed = bench.fed
    bench.play(20.0)
    assert bench.fed - fed <= 5


def test_a_fault_in_the_core_ends_the_run() -> None:
    """A watchdog that has lost its mind is restarted, not kept."""

    async def run() -> None:
        bench = Bench()
        bench.engine.start()
        bench.engine.post(Part("x", ok=False, code="nonsense"))  # type: ignore[arg-type]
        await bench.engine.run()

    with pytest.raises(KeyError):
        asyncio.run(run())


def test_events_go_out_in_order() -> None:
    """What happened first is told first."""
    bench = Bench()
    bench.engine.post(answered(1000.0))
    for name in ("fibre2", "4g"):
        bench.engine.post(Probe(name, "1.1.1.1", Role.TARGET, 1000.0, rtt_ms=8.0))
    bench.engine.post(Tick())
    bench.engine.post(Link("ftth", present=True, carrier=False))
    assert bench.events[-1].code is Code.UPLINK_DOWN
    bench.play(CABLE_TOLD_AFTER_S)
    assert [event.code for event in bench.events][-2:] == [Code.CABLE_OR_POWER, Code.INCIDENT_OPENED]


def test_observation_types_are_all_handled() -> None:
    """Whatever is posted, the engine steps."""
    bench = Bench()
    observations: list[Observation] = [
        Tick(),
        answered(1000.0),
        Part("x", ok=True),
        Link("ftth", present=True),
    ]
    for observation in observations:
        bench.engine.post(observation)
    assert bench.board.latest is not None
