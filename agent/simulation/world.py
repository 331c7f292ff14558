"""The agent's core in a site that is played: everything that it orders happens, in virtual time."""

from __future__ import annotations

import random
from collections.abc import Callable
from math import inf

from agent.core.alerts import SaveAlerts
from agent.core.durable import Durable
from agent.core.instant import Now, Stamp
from agent.core.line import Line as Habits
from agent.core.model import (
    Action,
    AskMore,
    Cut,
    Event,
    Leave,
    Link,
    Observation,
    OpenIncident,
    Pace,
    Reboot,
    Restore,
    SaveCycle,
    SaveIncident,
    Tick,
)
from agent.core.outside import SITE, AskAddress, SaveOuter
from agent.core.people import Answer, Request, Verb
from agent.core.saves import SaveAnswering, SaveHold, SaveLine, SaveProof
from agent.core.service_words import AskService
from agent.core.site import Site
from agent.core.snapshot_types import Snapshot
from agent.core.spending import CheckEvery, SaveSpending
from agent.core.state import State, initial
from agent.core.step import step
from agent.simulation.asking import Asking
from agent.simulation.boxes import Boxes
from agent.simulation.lines import GATEWAY, Line
from agent.simulation.obeying import Obeying
from agent.simulation.router import Router
from agent.simulation.serving import Serving
from agent.simulation.texts import Texts

QUICK_S = 600.0
"""Starts this long ago still count as quick restarts."""

Check = Callable[[State, State, Observation, tuple[Action, ...], Now], None]


class World(Obeying):
    """Plays a site until told otherwise, and keeps everything that came out of the core.

    Args:
        site: as configured.
        start_at: when the agent starts, monotonic seconds.
        durable: what earlier runs have left.
        seed: of the losses.
        run: names this run.
        check: looks at every step.
        wall: UNIX seconds at the start; 2027 unless it matters.
        boot: names this boot of the machine.
        lines: how each uplink behaves; all work if not given.
        show: gets each snapshot that differs from the one before, with its time.
        zone_s: seconds of local time ahead of UTC.
        started: false to start the agent later, by ``start``.
        record: keep every observation in ``trace``.
    """

    def __init__(
        self,
        site: Site,
        *,
        start_at: float = 10_000.0,
        durable: Durable | None = None,
        seed: int = 1,
        run: str = "run",
        check: Check | None = None,
        wall: float = 1_800_000_000.0,
        boot: str = "boot1",
        lines: dict[str, Line] | None = None,
        show: Callable[[float, Snapshot], None] | None = None,
        zone_s: float = 0.0,
        started: bool = True,
        record: bool = True,
    ) -> None:
        super().__init__(start_at, wall, boot, zone_s)
        self.site = site
        self.lines = lines if lines is not None else {uplink.name: Line() for uplink in site.uplinks}
        self.boxes = Boxes(site, self.lines, self.schedule, self.change)
        self.asking = Asking(site, self.lines, self.schedule, random.Random(seed), self._hear, self.mono)
        self.router = Router(site, self.lines, self.schedule, random.Random(seed), self._hear, self.mono)
        self._check, self._show, self._record = check, show, record
        # what survives the agent
        durable = durable or Durable()
        self.cycles = {cycle.order: cycle for cycle in durable.cycles or ()}
        self.incident: OpenIncident | None = durable.incident
        self.answering = dict.fromkeys(durable.answering)
        self.habits: dict[str, Habits] = dict(durable.lines)
        self.proven: dict[str, Stamp | None] = dict(durable.proven)
        self.behind_switch = set(durable.behind_switch)
        self.hold = durable.hold
        self.spendings = dict(durable.spendings)
        self.outers = dict(durable.outers)
        self.told = durable.told
        # what came out
        self.answers: list[Answer] = []
        self.trace: list[tuple[Now, Observation]] = []
        self.on_event: Callable[[Event], None] | None = None
        self._starts: list[float] = []
        self._first_name = self.run_name = run
        runs = lambda: self.run_name if self.alive else None  # noqa: E731
        heard = (runs, self._hear, self.mono, self.asking.used)
        self.serving = Serving(site, self.lines, self.schedule, *heard)
        self.texts = Texts(site, self.lines, self.schedule, runs, self._hear, durable.texting)
        if started:
            self._begin(durable)

    # --- time -----------------------------------------------------------------------------------------------

    def play(self, seconds: float) -> None:
        """Let this much time pass."""
        end = self.schedule.t + seconds
        while (wake_at := self._wake_at if self.alive else inf) <= end or self.schedule.next_at <= end:
            if self.schedule.next_at <= wake_at:
                self.schedule.run_next()
            else:
                self.schedule.t = max(self.schedule.t, wake_at)
                self.feed(Tick())
        self.schedule.t = end

    # --- the agent ------------------------------------------------------------------------------------------

    def _begin(self, durable: Durable) -> None:
        self.alive = True
        self._wake_at = self.t
        self._starts.append(self.t)
        self.trace.clear()
        self.first = self.now()
        self.state = initial(self.site, durable, self.first, self.run_name)
        self.feed(Tick())
        for name in self.lines:
            self.link(name)
        self.asking.start()
        self.router.start()

    def start(self) -> None:
        """Start the agent with what it had written; before all else it restores every relay."""
        if self.alive:
            return
        self.boxes.restore_all()
        lately = [at for at in self._starts if self.t - at <= QUICK_S and at >= self.booted_at]
        self.run_name = f"{self._first_name}-{len(self._starts)}" if self._starts else self._first_name
        self._begin(
            Durable(
                cycles=tuple(self.cycles.values()),
                incident=self.incident,
                quick_restarts=len(lately),
                answering=tuple(self.answering),
                lines=dict(self.habits),
                proven={box: at for box, at in self.proven.items() if at is not None},
                behind_switch=frozenset(self.behind_switch),
                hold=self.hold,
                texting=self.texts.memory,
                spendings=dict(self.spendings),
                outers=dict(self.outers),
                told=self.told,
            )
        )

    def stop(self, *, kill: bool = False) -> None:
        """End the agent: asked to, it restores every relay; killed, it leaves them as they are."""
        if not self.alive:
            return
        if not kill:
            self.feed(Leave())
            self.boxes.restore_all()
        self.alive = False
        self.asking.stop()
        self.router.stop()

    def machine_off(self) -> None:
        """The machine loses its power: the agent dies, every relay falls back, and its clocks stop."""
        self.stop(kill=True)
        self.boxes.restore_all()
        self.clocks_stop()

    def machine_on(self, boots_in_s: float) -> None:
        """The machine gets its power back; the agent runs ``boots_in_s`` later."""
        self.clocks_start(lambda: any(line.works for line in self.lines.values()))
        self.at(self.t + boots_in_s, self.start)

    def _hear(self, observation: Observation) -> None:
        if self.alive:
            self.feed(observation)

    def feed(self, observation: Observation) -> None:
        """Let the core take one observation in, and do what it orders."""
        now, before = self.now(), self.state
        if self._record:
            self.trace.append((now, observation))
        result = step(before, observation, now)
        self.state = result.state
        self._wake_at = result.wake_at + self.booted_at
        self.events.extend((self.t, event) for event in result.events)
        if self._check is not None:
            self._check(before, result.state, observation, result.actions, now)
        if result.changed and self._show is not None:
            self._show(self.t, self.picture())
        for action in result.actions:
            self._act(action)
        if self.on_event is not None:
            for event in result.events:
                self.on_event(event)

    def _act(self, action: Action) -> None:
        match action:
            case AskMore():
                self.asking.ask(action.uplink)
            case AskService():
                self.serving.ask(action)
            case Cut() | Reboot() | Restore():
                self.obey(action)
            case Pace() if action.uplink == SITE:
                self.router.pace(action.interval_s, action.box_s)
            case Pace():
                self.asking.pace(action.uplink, action.interval_s, action.box_s)
            case CheckEvery():
                self.asking.check_every(action.uplink, action.every_s)
                self.router.check_every(action.uplink, action.every_s)
            case AskAddress():
                self.router.ask_address(action.way)
            case SaveOuter():
                self.outers[action.uplink] = action.outer
            case SaveCycle():
                self.cycles[action.cycle.order] = action.cycle
            case SaveIncident():
                self.incident = action.incident
            case SaveAnswering():
                self.answering[action.uplink] = None
            case SaveLine():
                self.habits[action.uplink] = action.line
            case SaveProof():
                self.proven[action.box] = action.at
                (self.behind_switch.add if action.by_silence else self.behind_switch.discard)(action.box)
            case SaveHold():
                self.hold = action.hold
            case SaveSpending():
                self.spendings[action.uplink] = action.spending
            case SaveAlerts():
                self.told = action.told
            case Answer():
                self.answers.append(action)
            case _:
                self.texts.take(action)

    # --- the people -----------------------------------------------------------------------------------------

    def ask(
        self,
        verb: Verb,
        box: str | None = None,
        for_s: float | None = None,
        by: str = "Anne",
        *,
        force: bool = False,
    ) -> Answer:
        """A person asks for something; the core must answer at once, and once."""
        before = len(self.answers)
        name = f"r{before}"
        self.feed(Request(name, verb, box, for_s, by, force))
        (answer,) = self.answers[before:]
        assert answer.id == name
        return answer

    # --- the bay --------------------------------------------------------------------------------------------

    def link(self, name: str) -> None:
        """Let the agent see the uplink's interface as it is."""
        line = self.lines[name]
        gateway = None if line.address is None else GATEWAY
        self._hear(Link(name, line.present, line.carrier if line.present else None, line.address, gateway))

    def change(self, name: str, **what: object) -> None:
        """Make an uplink behave differently from now on."""
        line = self.lines[name]
        before = (line.present, line.carrier, line.lan, line.address)
        for key, value in what.items():
            setattr(line, key, value)
        if (line.present, line.carrier, line.lan, line.address) != before:
            self.link(name)
