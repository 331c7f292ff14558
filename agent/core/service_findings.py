"""What is said of services: only this one fails, it fails on this way only, it would fail on the backup."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from agent.core import services
from agent.core.codes import Code
from agent.core.instant import Now
from agent.core.model import Scalar
from agent.core.service_words import Serves, ServiceState, ServiceWay
from agent.core.state import FindingKey, State, UplinkState

Found = dict[FindingKey, tuple[str, Mapping[str, Scalar]]]

ENDS_SOON_S = 14 * 86_400.0
"""Certificates that are renewed by machines are so a month before they end; two weeks before, one is not."""
UNSURE_S = 60.0
"""So long the others' answers are waited for before it is said that a service works nowhere."""
_OF_WAYS = (Code.SERVICE_DOWN, Code.SERVICE_CUT_OFF, Code.SERVICE_BLOCKED)


@dataclass(frozen=True, slots=True)
class _Ways:
    """The uplinks that work now, by what is known of one service through each."""

    works: tuple[str, ...]
    fails: tuple[str, ...]
    unknown: tuple[str, ...]
    away: bool
    """Some uplink does not work, and cannot be asked."""


def findings(state: State, now: Now) -> Found:
    """What is to be said of services at this instant; nothing new while no uplink works."""
    found: Found = {}
    if not any(services.is_open(uplink) for uplink in state.uplinks.values()):
        # What is said of the ways is not over because nobody can ask.
        return _standing(state, (Code.SERVICE_BLOCKED, Code.CERTIFICATE_ENDS))
    for service in state.services.values():
        found.update(_of(state, service, now.mono))
        until = service.valid_until
        if now.synced and until is not None and 0.0 < until - now.wall < ENDS_SOON_S:
            args = {"days": int((until - now.wall) // 86_400.0)}
            found[Code.CERTIFICATE_ENDS, service.spec.name] = (service.spec.label, args)
    return found


def _of(state: State, service: ServiceState, now_at: float) -> Found:
    name, label = service.spec.name, service.spec.label
    way = services.in_use(state, service, now_at)
    ways = _sorted(state, service, way, now_at)
    if services.verdict(state, service, way, now_at) is not Serves.FAILS:
        used = services.known(service, way)
        blocked = tuple(one for one in ways.fails if _is_blocked(services.known(service, one), used))
        standing = (Code.SERVICE_BLOCKED, name) in state.findings
        if standing:
            blocked += tuple(one for one in state.uplinks if _is_still_blocked(state, service, one))
        carried = services.verdict(state, service, way, now_at) is Serves.WORKS
        if not blocked or not (ways.works or carried or standing):
            return {}
        return {(Code.SERVICE_BLOCKED, name): (label, {"ways": _labels(state, blocked)})}
    uplink = services.carrier(state, service, way)
    through = None if uplink is None else uplink.spec.label
    # With one uplink left nobody can tell its provider's fault from something on the way.
    alone = ways.away and len(ways.fails) + len(ways.unknown) == 1
    if ways.works or alone:
        args = {"through": through, "works": _labels(state, ways.works) or None}
        return {(Code.SERVICE_CUT_OFF, name): (label, args)}
    if ways.unknown and now_at - services.known(service, way).failing_at < UNSURE_S:
        return _standing(state, _OF_WAYS, name)
    return {(Code.SERVICE_DOWN, name): (label, {"place": service.spec.place or None})}


def _sorted(state: State, service: ServiceState, in_use: str, now_at: float) -> _Ways:
    used = services.known(service, in_use)
    found: dict[Serves, list[str]] = {serves: [] for serves in Serves}
    for name, uplink in state.uplinks.items():
        # Through one whose budget is spent nothing is asked, so its answer is not waited for.
        if services.is_open(uplink) and services.interval_s(service, name, uplink) is not None:
            serves = services.verdict(state, service, name, now_at)
            if serves is Serves.WORKS and not _is_witness(services.known(service, name), used, uplink):
                serves = Serves.UNKNOWN
            found[serves].append(name)
    away = any(not services.is_open(uplink) for uplink in state.uplinks.values())
    return _Ways(tuple(found[Serves.WORKS]), tuple(found[Serves.FAILS]), tuple(found[Serves.UNKNOWN]), away)


def _is_witness(way: ServiceWay, used: ServiceWay, uplink: UplinkState) -> bool:
    """It has answered since the service fails on the path in use, and that failed after it began to answer.

    Where data cost money an answer may be as old as the shortest time between two.
    """
    patience_s = 0.0 if uplink.purse is None else services.METERED_NEWS_S
    lately = way.told_at >= used.failing_at - patience_s
    return way.failures == 0 and lately and way.since <= used.told_at


def _is_blocked(way: ServiceWay, used: ServiceWay) -> bool:
    """It has failed since the service works on the path in use, and that answered after it began to fail.

    What failed while the service was down everywhere is no evidence against a way.
    """
    return way.told_at >= used.since and way.since <= used.told_at


def _labels(state: State, names: tuple[str, ...]) -> str:
    return ", ".join(state.uplinks[name].spec.label for name in names)


def _is_still_blocked(state: State, service: ServiceState, name: str) -> bool:
    """It failed there when it was last asked, and has not been asked since its uplink was down."""
    way, uplink = services.known(service, name), state.uplinks[name]
    asked_before = uplink.recovered_at is not None and way.told_at < uplink.recovered_at
    return way.serves is Serves.FAILS and (asked_before or not services.is_open(uplink))


def _standing(state: State, codes: Collection[Code], name: str | None = None) -> Found:
    """What has been said so far, of one service or of all, while more cannot be known."""
    return {
        key: (finding.label, finding.args)
        for key, finding in state.findings.items()
        if finding.code in codes and name in (None, finding.subject)
    }


def failing_since(state: State, name: str, now_at: float) -> float:
    """Since when a service fails on the path in use, or through the first uplink that it fails through."""
    service = state.services[name]
    way = services.in_use(state, service, now_at)
    begins = [
        services.known(service, one).failing_at
        for one in (way, *state.uplinks)
        if services.verdict(state, service, one, now_at) is Serves.FAILS
    ]
    return begins[0] if begins else now_at
