"""The dark backup: each standby is proven end to end, so that it is known to work before it is needed.

A proof is an answer of two targets, a name and a true page through the uplink; all of them are asked anyway,
and what they are worth grows old. A proof that is too old, or an uplink in use that is in doubt, makes a
standby be asked out of turn, as far as its data allow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import inf

from agent.core import radio
from agent.core.causes import names_fail, walled
from agent.core.codes import Code
from agent.core.inquiries import Asked, Said
from agent.core.model import AskMore, Scalar
from agent.core.out import Out
from agent.core.snapshot_types import Health
from agent.core.state import FindingKey, State, UplinkState, evolved, with_uplink

TARGETS = 2
"""One target that answers proves an uplink alive; two prove that it is the internet."""
FRESH_S = 60.0
FRESH_METERED_S = 600.0
"""While the uplink in use is in doubt, the proof of a standby may be so old."""
SPACING_S = 600.0
"""Between two questions out of turn because a proof is old."""
OVERDUE = 2.0
"""A standby that could not be proven for twice the time in which it should be is a finding."""


def proof_at(state: State, uplink: UplinkState) -> float | None:
    """When the newest proof of this uplink was complete, from what is known now; None: there is none."""
    rules = state.site.failover
    answering = sum(1 for pulse in uplink.targets.values() if pulse.window and pulse.failed == 0)
    alive_at = uplink.internet.alive_at
    if not uplink.health.answers or walled(uplink) or alive_at is None:
        return None
    if answering < min(TARGETS, len(uplink.targets)):
        return None
    times = [alive_at]
    for asked, needed in ((Asked.NAME, rules.names), (Asked.WEB, rules.pages)):
        if needed:
            well = [
                one.check.sent_at
                for one in uplink.checks.values()
                if one.check.asked is asked and one.check.said is Said.WELL
            ]
            if not well:
                return None
            times.append(max(well))
    return min(times)


def every_s(state: State, uplink: UplinkState) -> float:
    """How often this uplink is to be proven."""
    rules = state.site.failover
    return rules.proof_every_s if uplink.purse is None else rules.proof_every_metered_s


def age_s(state: State, name: str, now_at: float) -> float:
    """How old the proof of this uplink is; since the start of the agent while there is none."""
    return now_at - state.steering.proven.get(name, state.started_at)


def in_use(state: State) -> str:
    """The uplink that carries the site; where nobody can tell, the first of those that are not down."""
    if state.carried.active is not None:
        return state.carried.active
    works = (name for name, uplink in state.uplinks.items() if uplink.health.works)
    return next(works, next(iter(state.uplinks)))


def is_standby(state: State, name: str) -> bool:
    """Another uplink carries the site, and this one works as far as echoes tell."""
    return state.uplinks[name].health.works and in_use(state) != name


def update(state: State, now_at: float, out: Out) -> State:
    """Note new proofs, and ask where one is needed."""
    state = _note(state)
    ask_at = inf
    for name, uplink in state.uplinks.items():
        due_at = _due_at(state, uplink)
        if due_at is None:
            continue
        if due_at <= now_at:
            out.order(AskMore(name))
            state = with_uplink(state, evolved(uplink, asked_more_at=now_at))
        else:
            ask_at = min(ask_at, due_at)
    if ask_at == state.steering.ask_at:
        return state
    return evolved(state, steering=replace(state.steering, ask_at=ask_at))


def _note(state: State) -> State:
    """New proofs: they are complete when a check comes in, for targets are asked all the time."""
    old = state.steering
    news = {name: one.checks for name, one in state.uplinks.items() if old.noted.get(name) is not one.checks}
    if not news:
        return state
    found = {name: at for name in news if (at := proof_at(state, state.uplinks[name])) is not None}
    newer = {name: at for name, at in found.items() if at > old.proven.get(name, -inf)}
    return evolved(state, steering=replace(old, proven={**old.proven, **newer}, noted={**old.noted, **news}))


def _due_at(state: State, uplink: UplinkState) -> float | None:
    """When this standby is to be asked out of turn; None if it need not, or may not."""
    name, purse, link = uplink.spec.name, uplink.purse, uplink.link
    if not state.warm or not is_standby(state, name) or (purse is not None and purse.spent):
        return None
    if link is not None and (link.unplugged or link.address is None):
        return None
    proven_at = state.steering.proven.get(name, state.started_at)
    due_at = max(proven_at + every_s(state, uplink), uplink.asked_more_at + SPACING_S)
    doubt_at = _doubted_since(state)
    if doubt_at is not None:
        fresh_s = FRESH_S if purse is None else max(FRESH_METERED_S, purse.round_s)
        soon_at = max(doubt_at, proven_at + fresh_s, uplink.asked_more_at + fresh_s)
        # Once in a doubt: what is asked while it lasts is the business of whoever is in doubt itself.
        due_at = min(due_at, soon_at) if uplink.asked_more_at < doubt_at else due_at
    return due_at


def _doubted_since(state: State) -> float | None:
    """Since when the uplink in use has been in doubt, or worse; None while it works."""
    uplink = state.uplinks[in_use(state)]
    if uplink.health not in (Health.SUSPECT, Health.DOWN):
        return None
    return uplink.broke_at if uplink.broke_at is not None else uplink.since


def turning_points(state: State, now_at: float) -> Iterator[float]:
    """When a standby is to be asked, or its proof has become too old."""
    yield state.steering.ask_at
    for name, uplink in state.uplinks.items():
        yield now_at - age_s(state, name, now_at) + OVERDUE * every_s(state, uplink)


def findings(state: State, now_at: float) -> dict[FindingKey, tuple[str, Mapping[str, Scalar]]]:
    """Standbys that could not be proven for too long, although they seem to work."""
    found: dict[FindingKey, tuple[str, Mapping[str, Scalar]]] = {}
    for name, uplink in state.uplinks.items():
        longest_s = OVERDUE * every_s(state, uplink)
        overdue = age_s(state, name, now_at) >= longest_s
        if overdue and is_standby(state, name) and not (walled(uplink) or names_fail(uplink)):
            trend_db = radio.trend_db(uplink.air)
            weaker = None if trend_db is None or trend_db > -1.0 else round(-trend_db)
            args: dict[str, Scalar] = {"longest_s": longest_s, "drop_db": weaker}
            found[Code.BACKUP_UNPROVEN, name] = (uplink.spec.label, args)
    return found
