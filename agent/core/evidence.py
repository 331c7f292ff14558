"""What a finding rests on, in plain English: what was asked, when, and what answered."""

from __future__ import annotations

from collections.abc import Iterator

from agent.core import radio, services
from agent.core.codes import FINDINGS, Code, Scope
from agent.core.state import State, UplinkState


def of(state: State, code: Code, subject: str, now_at: float) -> tuple[str, ...]:
    """The evidence for a finding as it stands at ``now_at``, the nearest first."""
    scope = FINDINGS[code].scope
    if scope is Scope.UPLINK:
        uplinks = [state.uplinks[subject]] if subject in state.uplinks else []
    elif scope is Scope.BOX and subject in state.boxes:
        uplinks = [state.uplinks[state.boxes[subject].spec.uplink]]
    elif scope is Scope.SERVICE and subject in state.services:
        return tuple(services.evidence(state.services[subject], now_at))
    elif scope is Scope.SITE:
        uplinks = list(state.uplinks.values())
    else:
        return ()
    lines = tuple(line for uplink in uplinks for line in _lines(state, uplink, now_at))
    return (*_path(state, now_at), *lines) if code in (Code.FAILOVER_MISSING, Code.SITE_PATH_DOWN) else lines


def _path(state: State, now_at: float) -> Iterator[str]:
    """What is seen through the site's own router."""
    path, carried = state.path, state.carried
    if path is None or carried.silent_since is None:
        return
    gateway = None if path.link is None else path.link.gateway
    router = "answers" if path.box.lost_since is None else "does not answer either"
    yield f"site path: silent for {now_at - carried.silent_since:.0f} s, the router {gateway or ''} {router}"
    if carried.active is not None:
        yield f"site path: carried by {carried.active} before, as its {carried.witness} told"


def _lines(state: State, uplink: UplinkState, now_at: float) -> Iterator[str]:
    yield f"{uplink.spec.name}: {_link(uplink)}"
    yield from _box(uplink, now_at)
    yield from _says(uplink, now_at)
    yield from _checks(uplink, now_at)
    yield f"targets: {_targets(uplink, now_at)}"
    others = [f"{name} {other.health}" for name, other in state.uplinks.items() if other is not uplink]
    if others:
        yield f"witnesses: {', '.join(others)}"


def _link(uplink: UplinkState) -> str:
    link = uplink.link
    if link is None:
        return "link not seen"
    if not link.present:
        return "interface gone"
    carrier = {True: "carrier", False: "no carrier", None: "carrier unknown"}[link.carrier]
    return f"{carrier}, address {link.address or 'none'}, gateway {link.gateway or 'none'}"


def _box(uplink: UplinkState, now_at: float) -> Iterator[str]:
    pulse = uplink.box
    if not uplink.box_answers:
        yield "box: has never answered pings"
    elif pulse.lost_since is not None:
        yield f"box: {pulse.lost} pings unanswered for {now_at - pulse.lost_since:.0f} s"
    elif pulse.alive_at is not None:
        yield f"box: answered a ping {now_at - pulse.alive_at:.1f} s ago"


def _says(uplink: UplinkState, now_at: float) -> Iterator[str]:
    says = uplink.says
    if says is None:
        return
    asked = f"asked {now_at - uplink.says_at:.0f} s ago"
    if not says.heard:
        yield f"box itself: {asked}, no answer{f' ({says.why})' if says.why else ''}"
        return
    ways = {"line": says.line_up, "internet": says.wan_up}
    words = {
        "SIM": says.sim,
        "network": says.registration,
        "signal": None if says.radio is None else radio.strength(says.radio),
        "cause": says.cause,
    }
    told = [f"{name} {'up' if up else 'down'}" for name, up in ways.items() if up is not None]
    told += [f"{name} {word}" for name, word in words.items() if word is not None]
    yield f"box itself: {asked}: {', '.join(told) or 'nothing of use'}"


def _checks(uplink: UplinkState, now_at: float) -> Iterator[str]:
    for (asked, _), checked in sorted(uplink.checks.items()):
        check = checked.check
        by = f" by {check.by}" if check.by is not None else ""
        detail = f" ({check.detail})" if check.detail else ""
        times = f", {checked.times} times" if checked.times > 1 else ""
        age = f"{now_at - check.sent_at:.0f} s ago"
        yield f"{asked} {check.subject}: {check.said}{by}{detail} {age}{times}"


def _targets(uplink: UplinkState, now_at: float) -> str:
    pulse = uplink.internet
    names = ", ".join(uplink.targets)
    if pulse.lost_since is not None:
        denied = f", refused by the box: {', '.join(sorted(uplink.denied))}" if uplink.denied else ""
        return f"none of {names} for {now_at - pulse.lost_since:.1f} s, {pulse.lost} echoes{denied}"
    if pulse.alive_at is None:
        return f"none of {names} has ever answered"
    return f"one of {names} answered {now_at - pulse.alive_at:.1f} s ago"
