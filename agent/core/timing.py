"""When to look again, and whether what has changed is worth showing at once."""

from __future__ import annotations

from collections.abc import Iterator

from agent.core import (
    advice,
    asking,
    findings,
    health,
    incident,
    power,
    service_turns,
    site_faults,
    site_path,
    standby,
    texting,
)
from agent.core.instant import Now
from agent.core.snapshot_types import Health, Phase
from agent.core.state import State, UplinkState

BUSY_PASS_S = 0.2
CALM_PASS_S = 60.0
"""Everything is looked at this often at least: while something may change quickly, and however calm the
echoes are."""
FRESH_S = 5.0
"""An uplink that has only just been found down: its cause is still being looked for."""


def _hurried(state: State) -> bool:
    """True while verdicts, causes or cycles may change within fractions of a second."""
    return (
        not state.warm
        or any(box.phase is not Phase.POWERED for box in state.boxes.values())
        or any(
            uplink.internet.lost > 0 and (uplink.health is not Health.DOWN or _fresh(state, uplink))
            for uplink in state.uplinks.values()
        )
    )


def _fresh(state: State, uplink: UplinkState) -> bool:
    """It has only just been found down: its cause is still being looked for."""
    return state.stepped_at - uplink.since < FRESH_S


def due_at(state: State, now: Now, *, changed: bool) -> float:
    """When everything is to be looked at again, monotonic seconds.

    Soon after something has ``changed``: what follows from it may be decided by what comes before it in a
    pass.
    """
    due = [*power.deadlines(state), *texting.turning_points(state), *incident.turning_points(state)]
    due += [*site_path.turning_points(state), *site_faults.turning_points(state)]
    due += [*standby.turning_points(state, now.mono), *advice.turning_points(state)]
    for uplink in state.uplinks.values():
        due.extend(_turning_points(uplink, state.site.switch_cost_s))
        ask_at = asking.next_at(uplink, now.mono)
        if ask_at is not None:
            due.append(ask_at)
    serve_at = service_turns.next_at(state, now.mono)
    if serve_at is not None:
        due.append(serve_at)
    waiting_s = findings.next_change_s(state, now.mono)
    if waiting_s is not None:
        due.append(now.mono + waiting_s)
    if state.hold_until is not None:
        due.append(state.hold_until)
    latest = now.mono + (BUSY_PASS_S if changed or _hurried(state) else CALM_PASS_S)
    return min([latest, *(at for at in due if at > now.mono)])


def _turning_points(uplink: UplinkState, switch_cost_s: float) -> Iterator[float]:
    """When the verdict on an uplink changes if nothing more is heard: not a tenth of a second later."""
    if uplink.link_bad_since is not None:
        yield uplink.link_bad_since + switch_cost_s
    if uplink.health is Health.DOWN:
        if uplink.clean_since is not None:
            yield uplink.clean_since + health.clean_needed_s(uplink)
    elif uplink.internet.lost_since is not None:
        yield uplink.internet.lost_since + uplink.wait_s
        if uplink.denied:
            yield health.denied_at(uplink)


def looks_different(before: State, after: State) -> bool:
    """Whether a new snapshot is urgent."""
    if before.incident != after.incident or before.hold_until != after.hold_until:
        return True
    if before.warm != after.warm:
        return True
    if site_path.shown(before) != site_path.shown(after) or advice.shown(before) != advice.shown(after):
        return True
    if any(after.uplinks[name].health is not old.health for name, old in before.uplinks.items()):
        return True
    if any(after.uplinks[name].says != old.says for name, old in before.uplinks.items()):
        return True
    if before.services is not after.services and _serving(before) != _serving(after):
        return True
    if before.boxes is not after.boxes and _boxes_shown(before) != _boxes_shown(after):
        return True
    return before.findings is not after.findings and _findings_shown(before) != _findings_shown(after)


def _serving(state: State) -> list[object]:
    return [(way, known.serves) for one in state.services.values() for way, known in one.ways.items()]


def _boxes_shown(state: State) -> list[tuple[object, ...]]:
    return [(box.phase, box.until, box.refusal) for box in state.boxes.values()]


def _findings_shown(state: State) -> list[object]:
    return [key for key, finding in state.findings.items() if finding.shown]
