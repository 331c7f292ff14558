"""The function: one observation in, the next state out, with what to do, what to tell and when to call again.

``step`` is called for every observation, and with ``Tick`` at the latest at ``wake_at``. Most observations
are answered echoes of a calm site; those touch one uplink's evidence and nothing else. The full pass
(power, findings, incident) runs when a verdict changed, at every other observation, and at every tick.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from agent.core import diagnosis, findings, health, incident, power, window
from agent.core.codes import Code
from agent.core.instant import Now
from agent.core.model import (
    Action,
    Check,
    Event,
    Hold,
    Leave,
    Link,
    Observation,
    Pace,
    Part,
    PowerReport,
    Probe,
    Role,
    SaveAnswering,
)
from agent.core.out import Out
from agent.core.snapshot_types import Health, Phase
from agent.core.state import State, UplinkState

CALM_WAKE_S = 1.0
BUSY_WAKE_S = 0.2
"""Everything is looked at this often at least: calm, and while something may change quickly."""
GAP_S = 5.0
"""A longer pause between two steps means that nobody was watching (a stalled or stopped process)."""
WARM_S = 15.0
"""Once the first uplink works, the others get this long before something is said about them."""
EARLIEST_WAKE_S = 0.02


@dataclass(frozen=True, slots=True)
class Result:
    """What comes out of one step. ``wake_at`` is monotonic seconds."""

    state: State
    actions: tuple[Action, ...]
    events: tuple[Event, ...]
    wake_at: float
    changed: bool
    """True if a reader of the snapshot would want to see it now."""


def step(state: State, observation: Observation, now: Now) -> Result:
    """Take one observation into account.

    Args:
        state: what came out of the last step, or ``state.initial``.
        observation: what was seen.
        now: when it was seen; ``now.mono`` never goes back.
    """
    out = Out(incident=state.incident.id if state.incident is not None else None)
    before = state
    if now.mono - state.stepped_at > GAP_S:
        state = _after_gap(state, now)
    state = replace(state, stepped_at=now.mono)
    state, full = _observe(state, observation, now, out)
    full = full or now.mono - state.full_at >= CALM_WAKE_S
    if full:
        state = replace(state, full_at=now.mono)
        for name in state.uplinks:
            state = _judge(state, name, now, out)
        state = _warm_up(state, now, out)
        state = power.update(state, now, out)
        holds = diagnosis.holds_now(state, now.mono)
        state = _power_came_back(state, holds, now)
        state = findings.update(state, holds, now.mono, out)
        state = incident.update(state, now, out)
        state = _pace(state, now, out)
    changed = bool(out.events) or bool(out.actions) or (full and _visible(before) != _visible(state))
    return Result(state, tuple(out.actions), tuple(out.events), _wake_at(state, now), changed)


def _observe(state: State, observation: Observation, now: Now, out: Out) -> tuple[State, bool]:
    """Take the observation into the evidence; True if a full pass is due."""
    match observation:
        case Probe():
            return _probe(state, observation, now, out)
        case Link():
            return _link(state, observation, now, out), True
        case Check():
            return state, True
        case PowerReport():
            return power.reported(state, observation, now, out), True
        case Part():
            return _part(state, observation), True
        case Hold():
            return _hold(state, observation, now, out), True
        case Leave():
            out.tell(Code.AGENT_STOPPED, state.site.name, state.site.label)
            return state, True
    if not state.announced:
        # The first tick comes after what is known of the relays, so that "armed" is the truth.
        armed = power.unarmed_why(state, now) is None
        out.tell(Code.AGENT_STARTED, state.site.name, state.site.label, armed=armed)
        state = replace(state, announced=True)
    if state.hold_until is not None and now.mono >= state.hold_until:
        state = _hold(state, Hold(None, "time"), now, out)
    return state, True


def _with(state: State, uplink: UplinkState) -> State:
    return replace(state, uplinks={**state.uplinks, uplink.spec.name: uplink})


def _after_gap(state: State, now: Now) -> State:
    uplinks = {name: window.forget_silence(uplink, now.mono) for name, uplink in state.uplinks.items()}
    return replace(state, uplinks=uplinks)


def _probe(state: State, probe: Probe, now: Now, out: Out) -> tuple[State, bool]:
    old = state.uplinks.get(probe.uplink)
    if old is None:
        return state, False
    uplink = window.seen(old, probe, now.mono)
    if probe.role is Role.BOX and probe.rtt_ms is not None and not old.box_answers:
        uplink = replace(uplink, box_answers=True)
        out.order(SaveAnswering(probe.uplink))
    calm = (
        probe.rtt_ms is not None
        and old.health is Health.UP
        and old.internet.lost_since is None
        and old.unsent_since is None
    )
    return _with(state, uplink), not calm


def _no_carrier(link: Link | None) -> bool:
    return link is not None and (not link.present or link.carrier is False)


def _link(state: State, link: Link, now: Now, out: Out) -> State:
    old = state.uplinks.get(link.uplink)
    if old is None:
        return state
    bad = not link.present or link.carrier is False or link.address is None or link.gateway is None
    bad_since = (old.link_bad_since if old.link_bad_since is not None else now.mono) if bad else None
    carrier_at = old.carrier_at
    if _no_carrier(old.link) and not _no_carrier(link):
        carrier_at = now.mono
    was = old.link.address if old.link is not None else None
    known = old.link_last_address if was is None else was
    if link.address is not None and known is not None and link.address != known:
        out.tell(Code.ADDRESS_CHANGED, link.uplink, old.spec.label, old=known, new=link.address)
    last = link.address if link.address is not None else known
    # What could not be sent over the link as it was says nothing about the link as it is.
    return _with(
        state,
        replace(
            old,
            link=link,
            link_bad_since=bad_since,
            link_last_address=last,
            unsent_since=None,
            carrier_at=carrier_at,
        ),
    )


def _part(state: State, part: Part) -> State:
    if part.name == "budget" and part.ok and state.cycles is None:
        # The store has waited out what may have been forgotten.
        state = replace(state, cycles=())
    return replace(state, parts={**state.parts, part.name: part})


def _hold(state: State, hold: Hold, now: Now, out: Out) -> State:
    site = state.site
    if hold.until is None:
        if state.hold_until is not None:
            out.tell(Code.HOLD_ENDED, site.name, site.label, by=hold.by)
        return replace(state, hold_until=None)
    out.tell(Code.HOLD_SET, site.name, site.label, by=hold.by, for_s=round(hold.until - now.mono))
    return replace(state, hold_until=hold.until)


def _judge(state: State, name: str, now: Now, out: Out) -> State:
    old = state.uplinks[name]
    uplink = health.track_return(old, now.mono)
    verdict = health.judge(uplink, state.site.switch_cost_s, state.warm, now.mono)
    begin = uplink.internet.lost_since if uplink.link_bad_since is None else uplink.link_bad_since
    if uplink.broke_at is None and begin is not None and verdict.health in (Health.SUSPECT, Health.DOWN):
        uplink = replace(uplink, broke_at=begin)
    elif uplink.broke_at is None and verdict.health is Health.DOWN:
        uplink = replace(uplink, broke_at=now.mono)
    if verdict.health is not uplink.health:
        uplink = _turn(uplink, verdict, now, out)
    elif verdict.why != uplink.why:
        uplink = replace(uplink, why=verdict.why)
    return state if uplink is old else _with(state, uplink)


def _turn(uplink: UplinkState, verdict: health.Verdict, now: Now, out: Out) -> UplinkState:
    """Change the verdict, and tell it."""
    name, label, was = uplink.spec.name, uplink.spec.label, health.settled(uplink)
    turned = replace(uplink, health=verdict.health, why=verdict.why, since=now.mono, before_doubt=was)
    match verdict.health:
        case Health.DOWN:
            out.tell(Code.UPLINK_DOWN, name, label, why=verdict.why)
        case Health.SUSPECT:
            silent = round(health.silence_s(uplink, now.mono), 1)
            out.tell(Code.UPLINK_SUSPECT, name, label, silent_s=silent)
        case Health.UNKNOWN:
            out.tell(Code.UPLINK_UNKNOWN, name, label, why=verdict.why)
        case Health.DEGRADED:
            share, _ = window.loss(uplink)
            if was is not Health.DEGRADED:
                out.tell(Code.UPLINK_DEGRADED, name, label, loss_pct=round(share * 100))
            turned = replace(turned, broke_at=None)
        case Health.UP:
            down_s = 0.0
            if was is Health.DOWN:
                down_s = round(
                    now.mono - (uplink.broke_at if uplink.broke_at is not None else uplink.since), 1
                )
                turned = window.forget_losses(turned)
            if was is not Health.UP:
                out.tell(Code.UPLINK_UP, name, label, down_s=down_s)
            turned = replace(turned, broke_at=None)
    return turned


def _warm_up(state: State, now: Now, out: Out) -> State:
    """End the silence after the start once there is something to say.

    While no uplink at all has worked, the whole bay may just have got its power: its boxes get their
    boot time before anything is said about them.
    """
    if state.warm:
        return state
    uplinks = state.uplinks.values()
    if state.worked_at is None and any(uplink.health.works for uplink in uplinks):
        state = replace(state, worked_at=now.mono)
    if state.worked_at is not None:
        end = state.worked_at + WARM_S
    else:
        end = state.started_at + max([WARM_S, *(box.spec.boot_s for box in state.boxes.values())])
    if all(uplink.health.works for uplink in uplinks) or now.mono >= end:
        state = replace(state, warm=True)
        for name in state.uplinks:
            state = _judge(state, name, now, out)
    return state


def _power_came_back(state: State, holds: diagnosis.Holds, now: Now) -> State:
    """When all cables come alive again together, the bay had lost its power: its boxes are booting."""
    dark = (Code.BAY_DARK, state.site.name)
    if dark not in state.findings or dark in holds:
        return state
    boxes = {
        name: replace(box, settle_until=max(box.settle_until, now.mono + box.spec.boot_s))
        for name, box in state.boxes.items()
    }
    return replace(state, power_back_at=now.mono, boxes=boxes)


def _pace(state: State, now: Now, out: Out) -> State:
    for name, uplink in state.uplinks.items():
        pace_s = health.pace_s(uplink, state, now.mono)
        if pace_s != uplink.pace_s:
            out.order(Pace(name, pace_s))
            state = _with(state, replace(uplink, pace_s=pace_s))
    return state


def _hurried(state: State) -> bool:
    """True while verdicts or cycles may change within fractions of a second."""
    return (
        not state.warm
        or any(box.phase is not Phase.POWERED for box in state.boxes.values())
        or any(
            uplink.clean_since is not None if uplink.health is Health.DOWN else uplink.internet.lost > 0
            for uplink in state.uplinks.values()
        )
    )


def _wake_at(state: State, now: Now) -> float:
    wake_at = state.full_at + (BUSY_WAKE_S if _hurried(state) else CALM_WAKE_S)
    due = power.deadlines(state)
    waiting_s = findings.next_change_s(state, now.mono)
    if waiting_s is not None:
        due.append(now.mono + waiting_s)
    if state.hold_until is not None:
        due.append(state.hold_until)
    future = [at for at in due if at > now.mono]
    return max(now.mono + EARLIEST_WAKE_S, min([wake_at, *future]))


def _visible(state: State) -> tuple[object, ...]:
    """What makes a new snapshot urgent."""
    return (
        tuple(uplink.health for uplink in state.uplinks.values()),
        tuple((box.phase, box.until, box.refusal) for box in state.boxes.values()),
        tuple(key for key, finding in state.findings.items() if finding.shown),
        state.incident,
        state.hold_until,
        state.warm,
    )
