"""A site in virtual time: what the core would be told if uplinks and boxes behaved in a given way.

Not a mock of anything: it plays the bay. It sends echoes at the pace the core asks for, answers or loses
them, cuts and boots boxes, and reports outcomes, all in simulated seconds.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.core.codes import Code
from agent.core.instant import Now
from agent.core.model import (
    Action,
    Cut,
    Durable,
    Event,
    Link,
    Observation,
    Outcome,
    Pace,
    PowerReport,
    Probe,
    Restore,
    Role,
    SaveCycle,
    SaveIncident,
    Tick,
    Why,
)
from agent.core.site import BoxSpec, PowerRules, Site, UplinkKind, UplinkSpec
from agent.core.snapshot import snapshot
from agent.core.snapshot_types import Snapshot
from agent.core.state import State, initial
from agent.core.step import step

TARGETS = ("1.1.1.1", "8.8.8.8", "9.9.9.9")
TIMEOUT_S = 1.0


def example_site(
    uplinks: int = 3,
    boxes: tuple[str, ...] = ("ftth",),
    rules: PowerRules | None = None,
    boot_s: float = 60.0,
    confirm_s: float = 30.0,
) -> Site:
    """Fibre, second fibre, 4G; a wired box on each of ``boxes``."""
    kinds = (("ftth", UplinkKind.FTTH), ("fibre2", UplinkKind.FTTH), ("4g", UplinkKind.CELLULAR))
    return Site(
        name="garage",
        label="Garage",
        uplinks=tuple(UplinkSpec(n, n.upper(), k, TARGETS) for n, k in kinds[:uplinks]),
        boxes=tuple(
            BoxSpec(f"box-{n}", f"Box {n}", n, confirm_s=confirm_s, off_s=10.0, boot_s=boot_s) for n in boxes
        ),
        power=rules or PowerRules(after_power_s=0.0),
    )


@dataclass
class Line:
    """How one uplink behaves."""

    cable: bool = True
    forwards: bool = True
    answers: bool = True
    """The box answers on the LAN."""
    hung: bool = False
    loss: float = 0.0
    rtt_s: float = 0.008
    dead_targets: set[str] = field(default_factory=set)
    powered: bool = True
    booted: bool = True
    boots: int = 0
    """Which boot is under way; an older one's end no longer counts."""
    cures: bool = True
    """A power cycle ends the hang."""
    unsendable: Why | None = None

    @property
    def carrier(self) -> bool:
        return self.cable and self.powered

    @property
    def lan(self) -> bool:
        return self.carrier and self.booted and self.answers and not self.hung

    def replies(self, target: str) -> bool:
        return self.lan and self.forwards and target not in self.dead_targets


class World:
    """Plays a site until told otherwise, and keeps everything that came out of the core."""

    def __init__(
        self,
        site: Site,
        *,
        start_at: float = 10_000.0,
        durable: Durable | None = None,
        seed: int = 1,
        run: str = "run",
        check: Callable[[State, State, Observation, tuple[Action, ...], Now], None] | None = None,
        wall: float = 1_800_000_000.0,
        boot: str = "boot1",
        lines: dict[str, Line] | None = None,
    ) -> None:
        self.site = site
        self.t = start_at
        self.wall_offset = wall - start_at
        self.synced = True
        self.zone_s = 0.0
        self.boot = boot
        self.rng = random.Random(seed)
        self.lines = lines if lines is not None else {u.name: Line() for u in site.uplinks}
        self.check = check
        self.events: list[tuple[float, Event]] = []
        self.cuts: list[tuple[float, str]] = []
        self.restores: list[tuple[float, str]] = []
        self.saved: dict[str, object] = {}
        self.cycles = {c.order: c for c in ((durable or Durable()).cycles or ())}
        self.incident = (durable or Durable()).incident
        self.lose_outcomes = False
        self.refuse_cuts = False
        self.unwritable = False
        self._count = itertools.count()
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._pace: dict[str, tuple[float, int]] = {}
        self._wake_at = start_at
        self.trace: list[tuple[Now, Observation]] = []
        self.first = self.now()
        self.run_name = run
        self.state = initial(site, durable or Durable(), self.now(), run)
        self.feed(Tick())
        for name in self.lines:
            self.link(name)
        for uplink in site.uplinks:
            self._set_pace(uplink.name, uplink.interval_s)

    # --- time ---

    def now(self) -> Now:
        wall = round(self.t + self.wall_offset, 3)
        return Now(round(self.t, 6), wall, self.synced, self.boot, self.zone_s)

    def at(self, when: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (when, next(self._count), call))

    def play(self, seconds: float) -> None:
        """Let this much time pass."""
        end = self.t + seconds
        while True:
            due = self._heap[0][0] if self._heap else float("inf")
            if min(due, self._wake_at) > end:
                break
            if due <= self._wake_at:
                when, _, call = heapq.heappop(self._heap)
                self.t = max(self.t, when)
                call()
            else:
                self.t = max(self.t, self._wake_at)
                self.feed(Tick())
        self.t = end

    def feed(self, observation: Observation) -> None:
        now = self.now()
        before = self.state
        self.trace.append((now, observation))
        result = step(before, observation, now)
        self.state = result.state
        self._wake_at = result.wake_at
        self.events.extend((self.t, event) for event in result.events)
        if self.check is not None:
            self.check(before, result.state, observation, result.actions, now)
        for action in result.actions:
            self._act(action)

    # --- the bay ---

    def link(self, name: str) -> None:
        line = self.lines[name]
        has_address = line.lan or (line.carrier and line.hung)
        address, gateway = ("192.168.1.10", "192.168.1.1") if has_address else (None, None)
        self.feed(Link(name, present=True, carrier=line.carrier, address=address, gateway=gateway))

    def change(self, name: str, **what: object) -> None:
        """Make an uplink behave differently from now on."""
        line = self.lines[name]
        before = (line.carrier, line.lan)
        for key, value in what.items():
            setattr(line, key, value)
        if (line.carrier, line.lan) != before:
            self.link(name)

    def _set_pace(self, name: str, interval_s: float) -> None:
        generation = self._pace.get(name, (0.0, 0))[1] + 1
        self._pace[name] = (interval_s, generation)
        for number, target in enumerate((*TARGETS, "box")):
            self.at(self.t + interval_s * number / 4, lambda t=target, g=generation: self._send(name, t, g))

    def _send(self, name: str, target: str, generation: int) -> None:
        interval_s, current = self._pace[name]
        if generation != current:
            return
        self.at(self.t + interval_s, lambda: self._send(name, target, generation))
        line, sent_at = self.lines[name], self.t
        role = Role.BOX if target == "box" else Role.TARGET
        if not line.carrier or line.unsendable is not None:
            why = line.unsendable or Why.NO_ROUTE
            self.feed(Probe(name, target, role, sent_at, why=why))
            return
        alive = line.lan if role is Role.BOX else line.replies(target)
        if alive and (role is Role.BOX or self.rng.random() >= line.loss):
            rtt_s = 0.001 if role is Role.BOX else line.rtt_s
            self.at(
                sent_at + rtt_s, lambda: self.feed(Probe(name, target, role, sent_at, rtt_ms=rtt_s * 1e3))
            )
        else:
            self.at(
                sent_at + TIMEOUT_S, lambda: self.feed(Probe(name, target, role, sent_at, why=Why.TIMEOUT))
            )

    def _act(self, action: Action) -> None:
        match action:
            case Pace():
                self._set_pace(action.uplink, action.interval_s)
            case SaveCycle():
                self.cycles[action.cycle.order] = action.cycle
            case SaveIncident():
                self.incident = action.incident
            case Cut():
                self.at(self.t + 0.01, lambda: self._cut(action))
            case Restore():
                self.at(self.t + 0.01, lambda: self._restore(action))
            case _:
                pass

    def uplink_of(self, box: str) -> str:
        return next(b.uplink for b in self.site.boxes if b.name == box)

    def _cut(self, action: Cut) -> None:
        if self.unwritable:
            self._report(PowerReport(action.box, action.order, Outcome.UNWRITTEN, "disk full"))
            return
        self.cycles[action.order] = action.cycle
        if self.refuse_cuts:
            self._report(PowerReport(action.box, action.order, Outcome.REFUSED, "no such relay"))
            return
        self.cuts.append((self.t, action.box))
        self.change(self.uplink_of(action.box), powered=False, booted=False)
        self.at(self.t + action.longest_s, lambda: self._power_back(action.box))
        self._report(PowerReport(action.box, action.order, Outcome.CUT))

    def _restore(self, action: Restore) -> None:
        self.restores.append((self.t, action.box))
        self._power_back(action.box)
        self._report(PowerReport(action.box, action.order, Outcome.RESTORED))

    def _power_back(self, box: str) -> None:
        name = self.uplink_of(box)
        line = self.lines[name]
        if line.powered:
            return
        if line.cures:
            line.hung = False
        self.boot_up(name)

    def boot_up(self, name: str) -> None:
        """Give power and let the box boot for three quarters of its configured time."""
        spec = next((b for b in self.site.boxes if b.uplink == name), None)
        line = self.lines[name]
        line.boots += 1
        boot = line.boots
        self.change(name, powered=True, booted=False)

        def booted() -> None:
            if line.boots == boot and line.powered:
                self.change(name, booted=True)

        self.at(self.t + 0.75 * (spec.boot_s if spec is not None else 60.0), booted)

    def _report(self, report: PowerReport) -> None:
        if not self.lose_outcomes:
            self.feed(report)

    # --- what came out ---

    def codes(self, *subjects: str) -> list[Code]:
        return [e.code for _, e in self.events if not subjects or e.subject in subjects]

    def when(self, code: Code, subject: str | None = None) -> float:
        """The instant of the first such event; fails if there is none."""
        return next(t for t, e in self.events if e.code is code and subject in (None, e.subject))

    def picture(self) -> Snapshot:
        return snapshot(self.state, self.now(), 1)

    def findings(self) -> set[tuple[Code, str]]:
        return {(f.code, f.subject) for f in self.picture().findings}
