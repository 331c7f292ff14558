"""The core on a trace: every item at its instant, and each change of a verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.core.durable import Durable
from agent.core.instant import Now
from agent.core.model import Observation, Tick
from agent.core.site import Site, UplinkKind, UplinkSpec
from agent.core.snapshot_types import Health
from agent.core.state import State, initial
from agent.core.step import Result, step
from agent.replay.items import Away, Timed
from agent.replay.reading import Heard
from agent.runtime.trace import Start

RUN = "replay"
SWITCH_COST_S = 10.0
TICK = Tick()


@dataclass(frozen=True, slots=True)
class Change:
    """A verdict that became another, at ``t`` seconds; ``wall`` is UNIX seconds if they are known."""

    t: float
    uplink: str
    health: Health
    was: Health
    why: str
    wall: float | None = None


def site_of(name: str, heard: Heard, kind: UplinkKind, switch_cost_s: float | None = None) -> Site:
    """A site of the uplinks that were heard, without boxes.

    Args:
        name: of the site, if the trace does not say.
        heard: who is in the trace. A recording says itself what its uplinks are.
        kind: of uplinks that the trace says nothing of.
        switch_cost_s: in place of what the trace says, or of the usual 10 s.
    """
    start = heard.start
    told = {spec.name: spec for spec in start.uplinks} if start is not None else {}
    heard_of = (
        UplinkSpec(uplink, uplink, kind, targets, heard.interval_s[uplink])
        for uplink, targets in heard.uplinks.items()
        if uplink not in told
    )
    site = start.site if start is not None else name
    cost_s = switch_cost_s or (start.switch_cost_s if start is not None else None) or SWITCH_COST_S
    services = start.services if start is not None else ()
    return Site(site, site, (*told.values(), *heard_of), switch_cost_s=cost_s, services=services)


def _left(start: Start) -> Durable:
    """What earlier runs had left, as far as a recording says."""
    return Durable(lines=start.lines, answering=start.answering, spendings=start.spendings)


class Player:
    """Plays one trace.

    Args:
        site: whom to expect.
        ticked: true if the trace holds its own ticks. Otherwise the core is called when it asks to be, as
            long as somebody was watching.
    """

    def __init__(self, site: Site, *, ticked: bool) -> None:
        self._site = site
        self._ticked = ticked
        self._started = Now(0.0)
        self._state: State | None = None
        self._healths: dict[str, Health] = {}
        self._wake_at = self._away_until = float("-inf")
        self.observations = 0
        """How many have been played, ticks aside."""

    def play(self, items: Iterable[Timed]) -> Iterator[Change]:
        """Feed the items; yield each change as it happens."""
        for at, item in items:
            if isinstance(item, Start):
                self._start(item.now, item.run, _left(item))
                continue
            if self._state is None:
                self._start(Now(at), RUN)
            while self._wake_at < at:
                yield from self._step(TICK, self._wake_at)
            if isinstance(item, Away):
                self._wake_at, self._away_until = float("inf"), item.until
            else:
                yield from self._step(item, at)

    def _start(self, now: Now, run: str, known: Durable | None = None) -> None:
        self._started = now
        self._state = initial(self._site, known or Durable(), now, run)
        self._healths = {name: uplink.health for name, uplink in self._state.uplinks.items()}
        self._wake_at = float("inf") if self._ticked else now.mono
        self._away_until = float("-inf")

    def _step(self, observation: Observation, at: float) -> Iterator[Change]:
        assert self._state is not None
        started = self._started
        now = Now(at, started.wall + at - started.mono, started.synced, started.boot, started.zone_s)
        result: Result = step(self._state, observation, now)
        self._state = result.state
        if observation is not TICK:
            self.observations += 1
        if not self._ticked and at >= self._away_until:
            self._wake_at = result.wake_at
        if not result.changed:
            return
        for name, was in self._healths.items():
            uplink = result.state.uplinks[name]
            if uplink.health is not was:
                self._healths[name] = uplink.health
                yield Change(at, name, uplink.health, was, uplink.why, now.wall if started.synced else None)
