"""The function: one observation in, the next state out, with what to do, what to tell and when to call again.

``step`` is called for every observation, and with ``Tick`` at the latest at ``wake_at``. Most observations
are answered echoes of a calm site; those touch one uplink's evidence and nothing else (``_calm_echo``). The
full pass (verdicts, power, findings, incident) runs at every other observation, and at every tick.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from agent.core import (
    addresses,
    advice,
    asking,
    diagnosis,
    findings,
    guards,
    health,
    incident,
    pacing,
    power,
    proofs,
    requests,
    service_turns,
    services,
    site_path,
    standby,
    standing,
    texting,
    timing,
    verdicts,
    window,
)
from agent.core.codes import Code
from agent.core.devices import Says
from agent.core.inquiries import Check
from agent.core.instant import Now
from agent.core.letters import TextReport
from agent.core.model import (
    Action,
    Event,
    Hold,
    Leave,
    Link,
    Observation,
    Part,
    PowerReport,
    Probe,
    Role,
)
from agent.core.out import Out
from agent.core.outside import SITE, PathSeen, PublicAddress
from agent.core.people import Request
from agent.core.saves import SaveAnswering
from agent.core.service_words import Served
from agent.core.snapshot_types import Health
from agent.core.spending import Spent
from agent.core.state import State, UplinkState, evolved, with_uplink

CALM_WAKE_S = 4.0
"""The next call is asked for within this time, so that a pause in the calls means something."""
GAP_S = 5.0
"""A longer pause between two steps means that nobody was watching (a stalled or stopped process)."""
WARM_S = 15.0
"""Once the first uplink works, the others get this long before something is said about them."""
EARLIEST_WAKE_S = 0.02


class Result(NamedTuple):
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
    if observation.__class__ is Probe:
        calm = _calm_echo(state, observation, now)
        if calm is not None:
            return calm
    out = Out(incident=state.incident.id if state.incident is not None else None)
    before = state
    if now.mono - state.stepped_at > GAP_S:
        state = _after_gap(state, now)
    state = evolved(state, stepped_at=now.mono)
    state = _observe(state, observation, now, out)
    for name in state.uplinks:
        state = verdicts.judge(state, name, now, out)
    state = _warm_up(state, now, out)
    state = site_path.update(state, now, out)
    state = proofs.update(state, now, out)
    state = power.update(state, now, out)
    holds = diagnosis.holds_now(state, now)
    state = _power_came_back(state, holds, now)
    state = findings.update(state, holds, now.mono, out)
    state = incident.update(state, now, out)
    state = standing.update(state, now, out)
    state = advice.update(state, now)
    state = texting.update(state, now, out)
    state = pacing.update(state, now, out)
    state = asking.update(state, now.mono, out)
    state = standby.update(state, now.mono, out)
    changed = bool(out.events) or bool(out.actions) or timing.looks_different(before, state)
    # That a service is asked is nothing to look at; what comes of it is.
    state = service_turns.update(state, now.mono, out)
    state = evolved(state, full_at=now.mono, due_at=timing.due_at(state, now, changed=changed))
    wake_at = max(now.mono + EARLIEST_WAKE_S, min(now.mono + CALM_WAKE_S, state.due_at))
    return Result(state, tuple(out.actions), tuple(out.events), wake_at, changed)


def _calm_echo(state: State, probe: Probe, now: Now) -> Result | None:
    """The result of an outcome that is no news; None if it may be some.

    This is what nearly every step is, in a calm hour, in a long outage and in a recorded week: it must stay
    cheap.
    """
    at = now.mono
    if at >= state.due_at or at - state.stepped_at > GAP_S:
        return None
    uplink = state.uplinks.get(probe.uplink)
    if uplink is None:
        beside = site_path.calm(state, probe, at)
        return None if beside is None else Result(beside, (), (), min(at + CALM_WAKE_S, state.due_at), False)
    if not (_more_of_the_same(uplink, probe) if uplink.health is Health.DOWN else _expected(uplink, probe)):
        return None
    uplinks = {**state.uplinks, probe.uplink: window.seen_again(uplink, probe, at)}
    calm = evolved(state, stepped_at=at, uplinks=uplinks)
    return Result(calm, (), (), min(at + CALM_WAKE_S, state.due_at), False)


def _expected(uplink: UplinkState, probe: Probe) -> bool:
    """An answer, as quick as ever, of somebody who was not silent."""
    return (
        probe.rtt_ms is not None
        and uplink.health is Health.UP
        and probe.rtt_ms <= uplink.remarkable_ms
        and uplink.internet.lost_since is None
        and uplink.box.lost_since is None
        and uplink.unsent_since is None
        and (uplink.box_answers if probe.role is Role.BOX else not window.was_failing(uplink, probe.target))
    )


def _more_of_the_same(uplink: UplinkState, probe: Probe) -> bool:
    """The outcome that the one before it had already had, on an uplink known to be down."""
    if uplink.unsent_since is not None or (probe.why is not None and not probe.why.was_sent):
        return False
    if probe.role is Role.BOX:
        return uplink.box_answers and (uplink.box.lost_since is None) is (probe.rtt_ms is not None)
    silent = uplink.internet.lost_since is not None
    return (uplink.clean_since is None) is silent is (probe.rtt_ms is None)


def _observe(state: State, observation: Observation, now: Now, out: Out) -> State:
    """Take the observation into the evidence."""
    match observation:
        case Probe():
            return _probe(state, observation, now, out)
        case Link():
            return _link(state, observation, now, out)
        case Check():
            return _told(state, observation.uplink, lambda uplink: asking.checked(uplink, observation))
        case Served():
            return services.served(state, observation, now)
        case PublicAddress():
            return addresses.seen(state, observation, out)
        case PathSeen():
            return addresses.path_seen(state, observation)
        case Says():
            return _told(state, observation.uplink, lambda uplink: asking.said(uplink, observation, now, out))
        case PowerReport():
            return power.reported(state, observation, now, out)
        case TextReport():
            return texting.reported(state, observation, out)
        case Part():
            return _part(state, observation)
        case Hold():
            return requests.set_hold(state, observation, now, out)
        case Request():
            return requests.decide(state, observation, now, out)
        case Spent():
            return pacing.spent(state, observation, now)
        case Leave():
            out.tell(Code.AGENT_STOPPED, state.site.name, state.site.label)
            return pacing.save(verdicts.save_lines(state, now, out, every_s=0.0), now, out, every_s=0.0)
    if not state.announced:
        # The first tick comes after what is known of the relays, so that "armed" is the truth.
        armed = guards.unarmed_why(state, now) is None
        out.tell(Code.AGENT_STARTED, state.site.name, state.site.label, armed=armed)
        state = evolved(state, announced=True)
    if state.hold_until is not None and now.mono >= state.hold_until:
        state = requests.set_hold(state, Hold(None, "time"), now, out)
    state = verdicts.save_lines(state, now, out, every_s=verdicts.SAVE_LINE_S)
    return pacing.save(state, now, out, every_s=pacing.SAVE_S)


def _after_gap(state: State, now: Now) -> State:
    uplinks = {name: window.forget_silence(uplink, now.mono) for name, uplink in state.uplinks.items()}
    return site_path.after_gap(evolved(state, uplinks=uplinks), now.mono)


def _probe(state: State, probe: Probe, now: Now, out: Out) -> State:
    if probe.uplink == SITE:
        return site_path.seen(state, probe, now)
    old = state.uplinks.get(probe.uplink)
    if old is None:
        return state
    # The box may have fallen silent without another pass; that belongs to the silence that ends now.
    cost_s = state.site.switch_cost_s
    old = health.track_silence(old, cost_s)
    uplink = window.seen(old, probe, now.mono)
    if old.internet.lost_since is None and uplink.internet.lost_since is not None:
        uplink = health.silence_began(uplink, cost_s)
    elif old.internet.lost_since is not None and uplink.internet.lost_since is None:
        uplink = verdicts.silence_ended(state, old, uplink, probe, now)
    if probe.role is Role.BOX and probe.rtt_ms is not None and not old.box_answers:
        uplink = evolved(uplink, box_answers=True)
        out.order(SaveAnswering(probe.uplink))
    return with_uplink(state, uplink)


def _told(state: State, name: str, change: Callable[[UplinkState], UplinkState]) -> State:
    uplink = state.uplinks.get(name)
    return state if uplink is None else with_uplink(state, change(uplink))


def _link(state: State, link: Link, now: Now, out: Out) -> State:
    if link.uplink == SITE:
        return site_path.linked(state, link, now)
    old = state.uplinks.get(link.uplink)
    if old is None:
        return state
    bad = link.unplugged or link.address is None or link.gateway is None
    bad_since = (old.link_bad_since if old.link_bad_since is not None else now.mono) if bad else None
    carrier_at = old.carrier_at
    if old.link is not None and old.link.unplugged and not link.unplugged:
        carrier_at = now.mono
    was = old.link.address if old.link is not None else None
    known = old.link_last_address if was is None else was
    if link.address is not None and known is not None and link.address != known:
        out.tell(Code.ADDRESS_CHANGED, link.uplink, old.spec.label, old=known, new=link.address)
    last = link.address if link.address is not None else known
    # What could not be sent over the link as it was says nothing about the link as it is.
    return with_uplink(
        state,
        evolved(
            old,
            link=link,
            link_bad_since=bad_since,
            link_last_address=last,
            unsent_since=None,
            denied=frozenset(),
            spoiled=old.spoiled or (bad and old.internet.lost_since is not None),
            carrier_at=carrier_at,
        ),
    )


def _part(state: State, part: Part) -> State:
    if part.name == "budget" and part.ok and state.cycles is None:
        # The store has waited out what may have been forgotten.
        state = evolved(state, cycles=())
    return evolved(state, parts={**state.parts, part.name: part})


def _warm_up(state: State, now: Now, out: Out) -> State:
    """End the silence after the start once there is something to say.

    While no uplink at all has worked, the whole bay may just have got its power: its boxes get their
    boot time before anything is said about them.
    """
    if state.warm:
        return state
    uplinks = state.uplinks.values()
    if state.worked_at is None and any(uplink.health.works for uplink in uplinks):
        state = evolved(state, worked_at=now.mono)
    if state.worked_at is not None:
        end = state.worked_at + WARM_S
    else:
        end = state.started_at + max([WARM_S, *(box.spec.boot_s for box in state.boxes.values())])
    if all(uplink.health.works for uplink in uplinks) or now.mono >= end:
        state = evolved(state, warm=True)
        for name in state.uplinks:
            state = verdicts.judge(state, name, now, out)
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
    return evolved(state, power_back_at=now.mono, boxes=boxes)
