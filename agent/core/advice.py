"""The policy at work: what it is told of each uplink, and what becomes of its choice.

Where the site's own router switches, the choice is advice: beside what the router does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from agent.core import failover, shortcomings
from agent.core.causes import names_fail, walled
from agent.core.failover import Candidate, Conditions
from agent.core.instant import Now
from agent.core.opening import closes_in_s
from agent.core.ranking import order
from agent.core.snapshot_types import Health
from agent.core.state import State, UplinkState, evolved


def update(state: State, now: Now) -> State:
    """Keep what the policy must remember, and choose anew."""
    if not state.warm:
        return state
    old, rests_on = state.steering, _grounds(state)
    until = None if old.choice is None else old.choice.until
    if rests_on == old.rests_on and (until is None or now.mono < until):
        return state
    clean_since = _clean_since(state, now.mono)
    past = old.past
    active = state.carried.active
    ranked = order(state)
    if active is not None and active != past.active:
        past = failover.switched(past, active, ranked, state.carried.since or now.mono)
    elif active is None and state.path is None:
        past = replace(past, active=None)
    choice = failover.decide(_candidates(state, ranked, clean_since, now), past, _conditions(state, now))
    new = replace(old, choice=choice, past=past, clean_since=clean_since, rests_on=rests_on)
    return evolved(state, steering=new)


def _grounds(state: State) -> tuple[object, ...]:
    """All that the choice depends on, time aside: while it is the same, so is the choice."""
    uplinks = (
        (
            uplink.health,
            uplink.before_doubt,
            uplink.checks,
            uplink.recovered_at,
            uplink.says,
            uplink.purse is not None and uplink.purse.spent,
            uplink.quality if uplink.health is Health.DEGRADED else None,
            uplink.wait_s if uplink.health is Health.SUSPECT else None,
        )
        for uplink in state.uplinks.values()
    )
    return (*uplinks, state.incident, state.hold_until, state.carried.active)


def _clean_since(state: State, now_at: float) -> dict[str, float]:
    """A mere doubt that passes does not count against an uplink."""
    before = state.steering.clean_since
    clean: dict[str, float] = {}
    for name, uplink in state.uplinks.items():
        if walled(uplink) or names_fail(uplink):
            continue
        if uplink.health is Health.UP:
            clean[name] = before.get(name, now_at)
        elif uplink.health is Health.SUSPECT and uplink.before_doubt is Health.UP and name in before:
            clean[name] = before[name]
    return clean


def _candidates(state: State, ranked: list[str], clean_since: dict[str, float], now: Now) -> list[Candidate]:
    return [
        _candidate(state.uplinks[name], place, clean_since.get(name), now)
        for place, name in enumerate(ranked)
    ]


def _candidate(uplink: UplinkState, rank: int, clean_since: float | None, now: Now) -> Candidate:
    measured, since = uplink.quality, uplink.internet.lost_since
    doubted = uplink.health is Health.SUSPECT and since is not None
    return Candidate(
        name=uplink.spec.name,
        rank=rank,
        health=uplink.health,
        barred=uplink.health.works and (walled(uplink) or names_fail(uplink)),
        mos=None if measured is None else measured.mos,
        loss=None if measured is None else measured.loss,
        spent=_is_spent(uplink),
        clean_since=clean_since,
        verdict_at=max(now.mono, since + uplink.wait_s) if doubted and since is not None else None,
    )


def _is_spent(uplink: UplinkState) -> bool:
    """Its data is used up: what the agent may use, or what the subscription allows."""
    limit = shortcomings.limit_bytes(uplink)
    used = None if uplink.says is None else uplink.says.month_bytes
    gone = limit is not None and used is not None and used >= limit
    return gone or (uplink.purse is not None and uplink.purse.spent)


def _conditions(state: State, now: Now) -> Conditions:
    rules = state.site.failover
    return Conditions(
        now_at=now.mono,
        fail_back_after_s=rules.fail_back_after_s,
        held_until=state.hold_until,
        troubled=_troubled(state),
        open_until=_open_until(state, now) if rules.fail_back_closed else None,
    )


def _open_until(state: State, now: Now) -> float | None:
    """When the site closes, monotonic seconds; None while it is closed, or if nobody knows."""
    left_s = closes_in_s(state.site.opening, now)
    return now.mono + left_s if left_s else None


def _troubled(state: State) -> frozenset[str]:
    """The uplinks of which the open incident is."""
    incident = state.incident
    if incident is None:
        return frozenset()
    if incident.subject in state.uplinks:
        return frozenset({incident.subject})
    if incident.subject in state.boxes:
        return frozenset({state.boxes[incident.subject].spec.uplink})
    return frozenset(state.uplinks)


def turning_points(state: State) -> Iterator[float]:
    """When the choice changes although nothing is heard."""
    choice = state.steering.choice
    if choice is not None and choice.until is not None:
        yield choice.until


def shown(state: State) -> object:
    """What people see of it, as far as a change is news."""
    choice = state.steering.choice
    return None if choice is None else (choice.wanted, choice.why, choice.waits_for)
