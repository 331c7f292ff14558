"""The policy: which uplink the site should use. Pure; numbers and names only.

Over at once, back slowly. An uplink that does not work is left for the most wanted one that does; one on
which a call is as good as impossible is left for one that is clean. The return to an uplink that is wanted
more waits until that has been clean for long, and longer each time it has fallen again soon after a return;
it never happens during a drill, a hold, or while the better uplink's incident is open. What is waited for is
always said.

What is wanted most is the configured order; without one the order of the file, with those last that cost by
the byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.core.snapshot_types import Health
from agent.core.steering import Choice, Figure, Past, Wait, Why

POOR_MOS = 2.6
"""Below, nearly all who call are dissatisfied (R 50 of ITU-T G.107, annex B); 20 % loss is about there."""
POOR_LOSS = 0.2
"""At a fifth lost a download hardly moves (see ``quality.LOSS_RUINOUS``)."""
DWELL_S = 60.0
"""Bad quality alone changes the uplink no sooner after the last change."""
LONGEST_WAIT_S = 14_400.0
"""However often an uplink has fallen, it is given another chance after four clean hours."""
FALL_S = 14_400.0
"""An uplink that is left within four hours of the return to it has fallen again."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One uplink as the policy sees it; instants are monotonic seconds.

    Attributes:
        name: of the uplink.
        rank: its place in the order in which uplinks are wanted, 0 the first; no two have the same.
        health: the verdict.
        barred: it answers, but not as the internet: a portal stands in the way, or names fail.
        mos: what a call over it is worth; None if not known.
        loss: share of echoes lost, 0 to 1; None if not known.
        spent: its data is used up.
        clean_since: since when it has been up without a fault; None while it is not.
        verdict_at: when a doubt about it is decided at the latest; None if there is none.
    """

    name: str
    rank: int
    health: Health
    barred: bool = False
    mos: float | None = None
    loss: float | None = None
    spent: bool = False
    clean_since: float | None = None
    verdict_at: float | None = None

    @property
    def dead(self) -> bool:
        """Traffic cannot be expected to pass."""
        return self.barred or self.health is Health.DOWN

    @property
    def poor(self) -> bool:
        """It answers so badly that a call is as good as impossible."""
        if self.health is not Health.DEGRADED:
            return False
        bad_call = self.mos is not None and self.mos < POOR_MOS
        return bad_call or (self.loss is not None and self.loss >= POOR_LOSS)

    @property
    def clean(self) -> bool:
        """It works without fault."""
        return self.health is Health.UP and not self.barred

    @property
    def tier(self) -> int:
        """How well it can serve now, 0 the best."""
        if self.dead:
            return 4
        if self.health is Health.UNKNOWN:
            return 3
        if self.health is Health.SUSPECT:
            return 2
        return 1 if self.poor else 0


@dataclass(frozen=True, slots=True)
class Conditions:
    """What else matters now; instants are monotonic seconds.

    Attributes:
        now_at: the present.
        fail_back_after_s: how long a better uplink must have been clean before the return.
        held_until: a person's hold; None without one.
        drilling: a drill is under way.
        troubled: uplinks of which the open incident is; with all of them it is the whole site's.
        open_until: until when the return is put off because the site is open; None if it is not.
    """

    now_at: float
    fail_back_after_s: float = 900.0
    held_until: float | None = None
    drilling: bool = False
    troubled: frozenset[str] = frozenset()
    open_until: float | None = None


def decide(candidates: Sequence[Candidate], past: Past, now: Conditions) -> Choice:
    """Which uplink the site should use.

    Args:
        candidates: every uplink; one at least.
        past: what has happened so far; ``past.active`` is in use.
        now: what else matters.
    """
    active = next((one for one in candidates if one.name == past.active), None)
    best = min(candidates, key=_as_substitute)
    if active is None:
        if best.dead:
            return Choice(None, None, Why.NOTHING, waits_for=Wait.ANY)
        return Choice(None, best.name, Why.FIRST)
    if active.dead:
        if best.dead:
            return Choice(active.name, active.name, Why.NOTHING, waits_for=Wait.ANY)
        return Choice(active.name, best.name, Why.DOWN)
    if active.health in (Health.SUSPECT, Health.UNKNOWN):
        return Choice(active.name, active.name, Why.UNSURE, waits_for=Wait.VERDICT, until=active.verdict_at)
    if active.poor:
        return _from_poor(active, candidates, past, now)
    return _from_sound(active, candidates, past, now)


def _as_substitute(one: Candidate) -> tuple[int, bool, bool, int]:
    """The order in which uplinks take over: how well they serve, data left, unblemished, wanted."""
    return one.tier, one.spent, one.health is Health.DEGRADED, one.rank


def _worth(one: Candidate) -> tuple[bool, int]:
    """The order in which uplinks that serve well are wanted."""
    return one.spent, one.rank


def _from_poor(active: Candidate, candidates: Sequence[Candidate], past: Past, now: Conditions) -> Choice:
    """The one in use is as good as an outage for a call: to one that is clean, but not to and fro."""
    numbers: dict[str, Figure] = {
        "loss_pct": None if active.loss is None else round(active.loss * 100),
        "mos": None if active.mos is None else round(active.mos, 1),
    }
    clean = [one for one in candidates if one.clean and one is not active]
    if not clean:
        return Choice(active.name, active.name, Why.POOR, numbers, Wait.BETTER)
    ready = {one.name: _steady_at(one, past) for one in clean}
    usable = [one for one in clean if ready[one.name] <= now.now_at]
    if usable:
        return Choice(active.name, min(usable, key=_as_substitute).name, Why.POOR, numbers)
    soonest = min(clean, key=lambda one: (ready[one.name], one.rank))
    until = ready[soonest.name]
    return Choice(active.name, active.name, Why.POOR, numbers, Wait.CLEAN, until, soonest.name)


def _steady_at(one: Candidate, past: Past) -> float:
    """When one that takes over for its quality alone may.

    Not at once after the last change; one that has fallen lately not before it has been clean for a while.
    """
    falls = past.falls.get(one.name, 0)
    clean_s = min(LONGEST_WAIT_S, DWELL_S * 2.0 ** min(falls, 30)) if falls else 0.0
    clean_since = one.clean_since if one.clean_since is not None else float("inf")
    return max(past.switched_at + DWELL_S, clean_since + clean_s)


def wait_s(name: str, past: Past, fail_back_after_s: float) -> float:
    """How long this uplink must have been clean before the return to it: doubled by each fall, bounded."""
    falls = past.falls.get(name, 0)
    longest = max(LONGEST_WAIT_S, fail_back_after_s)
    return min(longest, fail_back_after_s * 2.0 ** min(max(0, falls - 1), 30))


def _from_sound(active: Candidate, candidates: Sequence[Candidate], past: Past, now: Conditions) -> Choice:
    """The one in use serves: back to one that is wanted more, in time."""
    wanted_more = [one for one in candidates if one.clean and _worth(one) < _worth(active)]
    if not wanted_more:
        return Choice(active.name, active.name, Why.BEST)
    if active.spent and not all(one.spent for one in wanted_more):
        # What has no data left may stop at any moment.
        return Choice(active.name, min(wanted_more, key=_worth).name, Why.SPENT)
    ready = {one.name: _ready_at(one, past, now) for one in wanted_more}
    usable = [one for one in wanted_more if ready[one.name] <= now.now_at]
    if not usable:
        soonest = min(wanted_more, key=lambda one: (ready[one.name], one.rank))
        return _waiting(active, soonest, Wait.CLEAN, ready[soonest.name])
    target = min(usable, key=_worth)
    if now.held_until is not None and now.now_at < now.held_until:
        return _waiting(active, target, Wait.HOLD, now.held_until)
    if now.drilling:
        return _waiting(active, target, Wait.DRILL, None)
    if target.name in now.troubled:
        return _waiting(active, target, Wait.INCIDENT, None)
    if now.open_until is not None and now.now_at < now.open_until:
        return _waiting(active, target, Wait.CLOSING, now.open_until)
    clean_s = now.now_at - (target.clean_since if target.clean_since is not None else now.now_at)
    return Choice(active.name, target.name, Why.BACK, {"clean_s": round(clean_s)})


def _ready_at(one: Candidate, past: Past, now: Conditions) -> float:
    clean_since = one.clean_since if one.clean_since is not None else now.now_at
    since_switch = past.switched_at + now.fail_back_after_s
    return max(clean_since + wait_s(one.name, past, now.fail_back_after_s), since_switch)


def _waiting(active: Candidate, target: Candidate, wait: Wait, until: float | None) -> Choice:
    return Choice(active.name, active.name, Why.WAITING, {}, wait, until, target.name)


def switched(past: Past, to: str, rank: Sequence[str], at: float) -> Past:
    """The past once the uplink in use is another one.

    Args:
        past: what had happened before.
        to: the uplink in use from now on.
        rank: all uplinks in the order in which they are wanted.
        at: when it changed, monotonic seconds.
    """
    before = past.active
    if before == to:
        return past
    if before is None or before not in rank:
        return replace(past, active=to, switched_at=at)
    if rank.index(to) < rank.index(before):
        return replace(past, active=to, switched_at=at, returned_at={**past.returned_at, to: at})
    returned_at = past.returned_at.get(before)
    again = returned_at is not None and at - returned_at < FALL_S
    falls = {**past.falls, before: past.falls.get(before, 0) + 1 if again else 1}
    return replace(past, active=to, switched_at=at, falls=falls)
