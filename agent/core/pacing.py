"""How often each uplink is looked at now, and what a data budget makes of it.

What the evidence calls for is ``wanted_s``. Where a budget is kept, it is done as far as the budget allows
(``budget.allowance``): the targets are spread over a longer round, so that one of them in turn is asked where
all of them would be. One answer proves an uplink alive; an unanswered echo makes a doubt, and then all are
asked at once. The box is asked as often as ever: on the LAN that costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from agent.core import asking, budget
from agent.core.budget import Allowance, Level
from agent.core.codes import Code
from agent.core.instant import Now
from agent.core.model import Pace, Scalar
from agent.core.out import Out
from agent.core.outside import SITE
from agent.core.ranking import active_uplink
from agent.core.snapshot_types import Health
from agent.core.spending import CheckEvery, Purse, SaveSpending, Spent
from agent.core.state import DOUBT_PACE_S, State, UplinkState, evolved, with_uplink

OUTAGE_PACE_S = 1.0
DOUBT_PACE_FOR_S = 30.0
SAVE_S = 600.0
"""What was used is written at most this often, because flash wears; a sudden end forgets no more."""
EASED = 0.95
"""What is asked less often than configured counts as such until it is asked clearly more often."""
MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Paces:
    """Seconds between two echoes to one target: now, and ``calm_s`` while all is well."""

    now_s: float
    calm_s: float


def wanted_s(uplink: UplinkState, state: State, now_at: float) -> float:
    """How often each target is to be asked by the evidence, seconds.

    Fast while in doubt, at a second during an outage, and a metered standby is looked at every second
    while any other uplink is in trouble, because it is about to be needed.
    """
    calm_s = uplink.spec.interval_s
    if _doubtful(uplink):
        doubt = now_at - (uplink.broke_at or uplink.internet.lost_since or now_at)
        return min(calm_s, DOUBT_PACE_S if doubt < DOUBT_PACE_FOR_S else OUTAGE_PACE_S)
    return min(calm_s, OUTAGE_PACE_S) if _troubled(uplink, state) else calm_s


def _doubtful(uplink: UplinkState) -> bool:
    return uplink.internet.lost > 0 or uplink.health is Health.SUSPECT


def _troubled(uplink: UplinkState, state: State) -> bool:
    """This uplink is down, or another one may be."""
    return uplink.health is Health.DOWN or any(
        other.health in (Health.DOWN, Health.SUSPECT)
        for other in state.uplinks.values()
        if other is not uplink
    )


def look_s(uplink: UplinkState) -> float:
    """Seconds between two echoes to any target, as they are asked now."""
    return uplink.pace_s / max(1, len(uplink.spec.targets))


def _allowance(uplink: UplinkState, purse: Purse, now: Now) -> Allowance:
    return budget.allowance(
        purse.limit_bytes, purse.spending, budget.rest_s(now), uplink.spec.checks_s, spent=purse.spent
    )


def _metered(uplink: UplinkState, state: State, allowed: Allowance, now_at: float) -> Paces:
    """The paces of an uplink with a budget."""
    interval_s, turns = uplink.spec.interval_s, max(1, len(uplink.spec.targets))
    carries = allowed.level is not Level.SPENT and active_uplink(state) == uplink.spec.name
    slowest_s = max(budget.SECOND_S, interval_s) if carries else budget.MINIMAL_LOOK_S
    calm_s = max(interval_s, turns * budget.stepped(min(slowest_s, allowed.calm_look_s)))
    wanted, doubtful = wanted_s(uplink, state, now_at), _doubtful(uplink)
    if not doubtful and not _troubled(uplink, state):
        return Paces(calm_s, calm_s)
    if doubtful and wanted <= DOUBT_PACE_S and (allowed.level is Level.AMPLE or carries):
        return Paces(wanted, calm_s)
    slowest_s = budget.SECOND_S if carries else budget.MINIMAL_LOOK_S
    trouble_s = turns * budget.stepped(min(slowest_s, allowed.trouble_look_s))
    return Paces(min(calm_s, max(wanted, trouble_s)), calm_s)


def update(state: State, now: Now, out: Out) -> State:
    """Order the paces that hold now, where they are others than before."""
    for old in state.uplinks.values():
        paced = _paced(old, state, now, out)
        if paced is not old:
            state = with_uplink(state, paced)
    return state


def _paced(uplink: UplinkState, state: State, now: Now, out: Out) -> UplinkState:
    if uplink.purse is not None:
        return _kept(uplink, uplink.purse, state, now, out)
    pace_s = wanted_s(uplink, state, now.mono)
    if pace_s == uplink.pace_s:
        return uplink
    out.order(Pace(uplink.spec.name, pace_s))
    return evolved(uplink, pace_s=pace_s)


def _kept(uplink: UplinkState, old: Purse, state: State, now: Now, out: Out) -> UplinkState:
    """One uplink with a budget after one more look at it."""
    purse = _turned(old, now)
    allowed = _allowance(uplink, purse, now)
    paces, box_s = _metered(uplink, state, allowed, now.mono), wanted_s(uplink, state, now.mono)
    name, turns = uplink.spec.name, max(1, len(uplink.spec.targets))
    if _apart(allowed.checks_s, purse.checks_s):
        out.order(CheckEvery(name, allowed.checks_s))
        purse = replace(purse, checks_s=allowed.checks_s)
    if (paces.now_s, box_s) != (uplink.pace_s, purse.box_s):
        out.order(Pace(name, paces.now_s, box_s))
        purse = replace(purse, box_s=box_s)
        uplink = evolved(uplink, pace_s=paces.now_s)
    interval_s = max(uplink.spec.interval_s, paces.calm_s / turns)
    if interval_s != uplink.interval_s:
        uplink = evolved(uplink, interval_s=interval_s, paced_at=now.mono)
    slowed = look_s(uplink) > _promised_s(uplink, box_s) * (EASED if purse.slowed else 1.001)
    # While nobody knows how much of the month is left, nothing is decided for the rest of it.
    spent = allowed.level is Level.SPENT and (now.synced or purse.spent)
    purse = replace(purse, slowed=slowed, spent=spent, round_s=allowed.round_s)
    return uplink if purse == old else evolved(uplink, purse=purse)


def _apart(one_s: float, other_s: float) -> bool:
    """Two lengths of time differ by so much that it is worth an order."""
    return not 1 / budget.STEP < one_s / other_s < budget.STEP


def _promised_s(uplink: UplinkState, wanted: float) -> float:
    """How often at least any target is asked where no budget is short, seconds."""
    interval_s = uplink.spec.interval_s
    return interval_s if wanted >= interval_s else min(interval_s, budget.SECOND_S)


def _turned(purse: Purse, now: Now) -> Purse:
    """The purse in the month that it is."""
    spending = budget.turned(purse.spending, now)
    if spending == purse.spending:
        return purse
    spent = purse.spent and spending.used_bytes > 0
    return replace(purse, spending=spending, spent=spent, dirty=True)


def spent(state: State, what: Spent, now: Now) -> State:
    """The state after some more has been sent and received; what has no budget is not counted."""
    # What is asked through the site's router is paid for by the uplink that carries the site.
    name = state.carried.active or "" if what.uplink == SITE else what.uplink
    uplink = state.uplinks.get(name)
    if uplink is None or uplink.purse is None:
        return state
    used = max(0, what.sent_bytes) + max(0, what.received_bytes)
    purse = _turned(uplink.purse, now)
    old = purse.spending
    if _doubtful(uplink) or _troubled(uplink, state) or asking.failing(uplink.checks):
        spending = replace(old, trouble_bytes=old.trouble_bytes + used)
    else:
        spending = replace(old, calm_bytes=old.calm_bytes + used)
    return with_uplink(state, evolved(uplink, purse=replace(purse, spending=spending, dirty=True)))


def save(state: State, now: Now, out: Out, *, every_s: float) -> State:
    """Order to write what has been used, unless that was done less than ``every_s`` ago."""
    for name, uplink in state.uplinks.items():
        purse = uplink.purse
        if purse is not None and purse.dirty and now.mono - purse.saved_at >= every_s:
            out.order(SaveSpending(name, purse.spending))
            saved = replace(purse, dirty=False, saved_at=now.mono)
            state = with_uplink(state, evolved(uplink, purse=saved))
    return state


def findings(state: State) -> dict[tuple[Code, str], tuple[str, Mapping[str, Scalar]]]:
    """What is to be said of the budgets: (code, subject) to (label, args)."""
    found: dict[tuple[Code, str], tuple[str, Mapping[str, Scalar]]] = {}
    for name, uplink in state.uplinks.items():
        purse = uplink.purse
        if purse is None or not (purse.spent or purse.slowed):
            continue
        args: dict[str, Scalar] = {
            "used_mb": math.floor(purse.spending.used_bytes / MEGABYTE),
            "limit_mb": round(purse.limit_bytes / MEGABYTE),
            "every_s": max(1, round(look_s(uplink))),
        }
        found[Code.DATA_SPENT if purse.spent else Code.DATA_SAVING, name] = (uplink.spec.label, args)
    return found
