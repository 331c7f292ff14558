"""The site's own router in a site that is played: which uplink it uses, and what is seen through it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from math import inf

from agent.core.budget import ECHO_BYTES
from agent.core.model import Link, Observation, Probe, Role, Why
from agent.core.outside import SITE, PathSeen, PublicAddress
from agent.core.site import Site
from agent.core.spending import Spent
from agent.simulation.lines import Line
from agent.simulation.schedule import Schedule

ROUTER = "192.168.10.1"
TIMEOUT_S = 1.0
NEAR_S = 0.001
LOOK_S = 0.5
"""The router looks at its uplinks this often."""
FIRST_S = 2.0
EVERY_S = 60.0
EVERY_UPLINK_S = 300.0
EVERY_METERED_S = 1800.0
"""Public addresses are asked for so long after the start, and then so often."""
METER_S = 60.0


class Router:
    """The router, and the agent's questions through it and about addresses.

    Attributes:
        active: the uplink that it uses; it starts with the first.
        switches_after_s: it leaves an uplink that has not worked for so long; infinite: it never does.
        returns_after_s: it goes back to a better one that has worked for so long; infinite: never.
        spreads: it uses all that work in turn.
        works: it forwards anything at all.
        plugged: the machine's own cable to it.
    """

    def __init__(
        self,
        site: Site,
        lines: Mapping[str, Line],
        schedule: Schedule,
        rng: random.Random,
        hear: Callable[[Observation], None],
        mono: Callable[[], float],
    ) -> None:
        self._site = site
        self._lines = lines
        self._schedule = schedule
        self._rng = rng
        self._hear = hear
        self._mono = mono
        self._run = 0
        self._pace: tuple[float, float, int] = (1.0, 1.0, 0)
        self._every: dict[str, float] = {}
        self._plans: Counter[str] = Counter()
        self._sent = self._received = 0
        self._worked: dict[str, float] = {}
        self._failed: dict[str, float] = {}
        self.active = next(iter(lines))
        self.switches_after_s = self.returns_after_s = inf
        self.spreads = False
        self.works = self.plugged = True
        self.questions: Counter[str] = Counter()
        """How often each way was asked for its address."""
        schedule.at(schedule.t, self._look)

    # --- the router itself ----------------------------------------------------------------------------------

    def _look(self) -> None:
        now = self._schedule.t
        for name, line in self._lines.items():
            if line.serves:
                self._worked.setdefault(name, now)
                self._failed.pop(name, None)
            else:
                self._failed.setdefault(name, now)
                self._worked.pop(name, None)
        order = list(self._lines)
        working = [name for name in order if name in self._worked]
        if now - self._failed.get(self.active, inf) >= self.switches_after_s and working:
            self.active = working[0]
        better = [name for name in working if order.index(name) < order.index(self.active)]
        ready = [name for name in better if now - self._worked[name] >= self.returns_after_s]
        if ready:
            self.active = ready[0]
        self._schedule.at(now + LOOK_S, self._look)

    def _carrier(self) -> Line | None:
        """The line that the next packet takes; None if none does."""
        if not self.works:
            return None
        if self.spreads:
            working = [line for line in self._lines.values() if line.serves]
            return self._rng.choice(working) if working else None
        return self._lines[self.active]

    # --- what the agent asks --------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin as a new agent does; nothing where the site path is not watched."""
        self._run += 1
        if not self._site.failover.path_targets:
            return
        self.link()
        for uplink in self._site.uplinks:
            self._every[uplink.name] = EVERY_UPLINK_S if uplink.data_bytes is None else EVERY_METERED_S
        self._every[SITE] = EVERY_S
        for way in (*self._lines, SITE):
            self._at(FIRST_S, self._ask_regularly, way, self._run, self._plans[way])
        self.pace(self._site.failover.path_interval_s, None)
        self._at(METER_S, self._tell_bytes, self._run)

    def stop(self) -> None:
        """The agent is gone."""
        self._run += 1

    def link(self) -> None:
        """Let the agent see its interface towards the router."""
        address = "192.168.10.20" if self.plugged else None
        self._hear(Link(SITE, True, self.plugged, address, ROUTER if self.plugged else None))

    def plug(self, *, plugged: bool) -> None:
        """Pull or plug the machine's cable to the router."""
        self.plugged = plugged
        if self._site.failover.path_targets:
            self.link()

    def pace(self, interval_s: float, box_s: float | None) -> None:
        """Send echoes this often from now on."""
        box_s = interval_s if box_s is None else box_s
        self._pace = (interval_s, box_s, self._pace[2] + 1)
        targets = (*self._site.failover.path_targets, ROUTER)
        for number, target in enumerate(targets):
            spacing_s = box_s if target == ROUTER else interval_s
            self._at(spacing_s * number / len(targets), self._send, target, self._pace[2], self._run)

    def check_every(self, way: str, every_s: float) -> None:
        """Ask for this way's address so often from now on."""
        if self._every.get(way) not in (None, every_s):
            self._every[way] = every_s
            self._plans[way] += 1
            self._at(every_s, self._ask_regularly, way, self._run, self._plans[way])

    def ask_address(self, way: str) -> None:
        """Ask for this way's address now."""
        self._at(NEAR_S, self._ask, way, self._run)

    def _at(self, after_s: float, call: Callable[..., None], *args: object) -> None:
        self._schedule.at(self._schedule.t + after_s, call, *args)

    def _send(self, target: str, change: int, run: int) -> None:
        interval_s, box_s, current = self._pace
        if change != current or run != self._run:
            return
        role = Role.BOX if target == ROUTER else Role.TARGET
        self._at(box_s if role is Role.BOX else interval_s, self._send, target, change, run)
        sent_at = round(self._mono(), 6)
        if not self.plugged:
            self._hear(Probe(SITE, target, role, sent_at, why=Why.NO_ROUTE))
            return
        line = self._carrier()
        if role is Role.BOX:
            alive, rtt_s = self.works, NEAR_S
        else:
            self._sent += ECHO_BYTES
            served = line is not None and line.serves and target not in line.dead_targets
            alive = served and line is not None and self._rng.random() >= line.loss
            rtt_s = NEAR_S + (line.rtt_s if line is not None else 0.0)
        if alive:
            self._received += 0 if role is Role.BOX else ECHO_BYTES
            self._at(rtt_s, self._came, Probe(SITE, target, role, sent_at, rtt_ms=rtt_s * 1e3), run)
        else:
            self._at(TIMEOUT_S, self._came, Probe(SITE, target, role, sent_at, why=Why.TIMEOUT), run)

    def _ask_regularly(self, way: str, run: int, plan: int) -> None:
        if run == self._run and plan == self._plans[way]:
            self._ask(way, run)
            self._at(self._every[way], self._ask_regularly, way, run, plan)

    def _ask(self, way: str, run: int) -> None:
        if run != self._run:
            return
        self.questions[way] += 1
        sent_at = round(self._mono(), 6)
        line = self._carrier() if way == SITE else self._lines[way]
        reached = line is not None and line.serves and (way != SITE or self.plugged)
        if line is None or not reached:
            self._at(3.0, self._came, PublicAddress(way, sent_at, None, why="no answer"), run)
            return
        number = next(n for n, one in enumerate(self._lines.values(), start=1) if one is line)
        address = line.public or f"81.2.69.{number}"
        self._at(line.rtt_s, self._came, PublicAddress(way, sent_at, address, by="stun.example.net"), run)
        if way == SITE:
            self._at(1.0, self._came, PathSeen(SITE, sent_at, (ROUTER, None, None, None)), run)

    def _came(self, observation: Observation, run: int) -> None:
        if run == self._run:
            self._hear(observation)

    def _tell_bytes(self, run: int) -> None:
        if run != self._run:
            return
        sent, received = self._sent, self._received
        self._sent = self._received = 0
        self._hear(Spent(SITE, sent, received))
        self._at(METER_S, self._tell_bytes, run)
