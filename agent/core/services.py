"""What the business needs, one service at a time: what the answers mean, and how old they may be.

Who calls a service by its name wants to know one thing: does it work now. So each is asked on the path in
use, and, more seldom, through each healthy uplink in turn, so that it is known before it is needed what
still works on the backup.

- An answer counts at once. A failure is believed when it has repeated ``REPEATS`` times in a row, some
  seconds apart; one datagram lost or a server restarting makes no finding.
- A failure counts against a service only while the uplink that carried the question is sound: it answers
  now, has not been silent since, knows names and has no portal. So an outage of an uplink is never told as
  an outage of the telephone too.
- A verdict that is older than ``STALE`` of its intervals, or than the last recovery of its uplink, is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from agent.core import health
from agent.core.causes import names_fail, walled
from agent.core.instant import Now
from agent.core.service_words import (
    NEVER,
    SITE_WAY,
    Served,
    Serves,
    ServiceState,
    ServiceWay,
    Snag,
)
from agent.core.state import State, UplinkState, evolved

REPEATS = 3
"""A failure is believed once it has repeated so often."""
OTHERS = 5.0
"""An uplink that does not carry the site's traffic is asked so many times more seldom than what does."""
METERED_AGAIN_S = 900.0
"""What fails, and what is in use, is asked this often where data cost money."""
METERED_NEWS_S = 300.0
"""News makes an uplink be asked there at once, but not sooner than so long after the last question: a service
that comes and goes all day is asked for 288 times."""
STALE = 3.0
"""A verdict that is older than so many intervals says nothing about now."""


# --- what is known --------------------------------------------------------------------------------------


def is_open(uplink: UplinkState) -> bool:
    """It works, for all that is known; a verdict on a service through it stands."""
    return uplink.health.works and not walled(uplink) and not names_fail(uplink)


def is_sound(uplink: UplinkState) -> bool:
    """Beyond doubt: what fails through it at this instant fails for another reason than the uplink itself."""
    return uplink.health.answers and uplink.internet.lost == 0 and is_open(uplink)


def carrier(state: State, service: ServiceState, way: str) -> UplinkState | None:
    """The uplink that a way leads through; None if nobody can tell."""
    via = known(service, SITE_WAY).via if way == SITE_WAY else way
    return None if via is None else state.uplinks.get(via)


def known(service: ServiceState, way: str) -> ServiceWay:
    """What is known of a service through one way."""
    return service.ways.get(way, _NOTHING)


_NOTHING = ServiceWay()


def _leads(state: State, service: ServiceState, way: str, somewhere: Callable[[UplinkState], bool]) -> bool:
    """The uplink of a way is such; if nobody can tell which that is, one of all is."""
    uplink = carrier(state, service, way)
    if uplink is not None:
        return somewhere(uplink)
    return way == SITE_WAY and any(map(somewhere, state.uplinks.values()))


def verdict(state: State, service: ServiceState, way: str, now_at: float) -> Serves:
    """Whether a service works through one way, as far as that is known at this instant."""
    found = known(service, way)
    uplink = carrier(state, service, way)
    every_s = interval_s(service, way, uplink)
    recovered_at = NEVER if uplink is None or uplink.recovered_at is None else uplink.recovered_at
    if not _leads(state, service, way, is_open) or found.told_at < recovered_at:
        return Serves.UNKNOWN
    if every_s is None or now_at - found.told_at > STALE * every_s:
        return Serves.UNKNOWN
    return found.serves


def in_use(state: State, service: ServiceState, now_at: float) -> str:
    """The way that people take: the site's path, or the preferred uplink while nothing is known of that."""
    preferred = health.preferred_uplink(state)
    unknown = verdict(state, service, SITE_WAY, now_at) is Serves.UNKNOWN
    return preferred if unknown and preferred is not None else SITE_WAY


def interval_s(service: ServiceState, way: str, uplink: UplinkState | None) -> float | None:
    """How often a service is asked through a way while all is well, seconds; None: not at all.

    Where data cost money, as the budget allows: stretched as much as the checks are, and nothing any more
    once it is spent, because then only the minimal watch is left.
    """
    spec = service.spec
    purse = None if uplink is None else uplink.purse
    if uplink is None or purse is None:
        return spec.every_s if way == SITE_WAY else OTHERS * spec.every_s
    if purse.spent:
        return None
    seldom = spec.metered_s if way != SITE_WAY else min(spec.metered_s, max(spec.every_s, METERED_AGAIN_S))
    return seldom * max(1.0, purse.checks_s / uplink.spec.checks_s)


# --- what came of a question ----------------------------------------------------------------------------


def served(state: State, outcome: Served, now: Now) -> State:
    """The state after one more outcome; of what is not configured nothing is kept."""
    service = state.services.get(outcome.service)
    if service is None or (outcome.way != SITE_WAY and outcome.way not in state.uplinks):
        return state
    ways = {**service.ways}
    if outcome.way == SITE_WAY and outcome.via != known(service, SITE_WAY).via:
        # Another way than before: what was known of the old one says nothing about it.
        ways[SITE_WAY] = ServiceWay(asked_at=known(service, SITE_WAY).asked_at, via=outcome.via)
    service = replace(service, ways=ways)
    counts = _counts(state, service, outcome, now)
    # The site's path is also a way through the uplink that carries it.
    concerned = [outcome.way] if outcome.way != SITE_WAY or outcome.via is None else [SITE_WAY, outcome.via]
    for way in concerned:
        heard = replace(known(service, way), heard_at=now.mono)
        ways[way] = _after(heard, outcome) if counts else heard
    until = outcome.valid_until if outcome.valid_until is not None else service.valid_until
    service = replace(service, ways=ways, valid_until=until)
    return evolved(state, services={**state.services, outcome.service: service})


def _counts(state: State, service: ServiceState, outcome: Served, now: Now) -> bool:
    """The outcome says something about the service, and not about the uplink or about ourselves."""
    if outcome.snag is None:
        return True
    if outcome.snag is Snag.UNSENT:
        return False
    if outcome.snag is Snag.CERTIFICATE and not now.synced:
        # Whoever does not know what day it is cannot say that a certificate has ended.
        return False
    return _leads(state, service, outcome.way, is_sound)


def _after(way: ServiceWay, outcome: Served) -> ServiceWay:
    way = replace(way, told_at=outcome.sent_at, last=outcome)
    if outcome.snag is None:
        since = way.since if way.serves is Serves.WORKS else outcome.sent_at
        return replace(way, serves=Serves.WORKS, since=since, failures=0, failing_at=NEVER)
    failing_at = way.failing_at if way.failures else outcome.sent_at
    way = replace(way, failures=way.failures + 1, failing_at=failing_at)
    if way.failures < REPEATS or way.serves is Serves.FAILS:
        return way
    return replace(way, serves=Serves.FAILS, since=failing_at)


# --- what it rests on -----------------------------------------------------------------------------------


def evidence(service: ServiceState, now_at: float) -> Iterator[str]:
    """What was asked, through which way, and what came of it, in plain English."""
    yield f"asked: {service.spec.place or service.spec.kind}"
    for name, way in service.ways.items():
        last = way.last
        if last is None:
            continue
        through = f"site path{f' by {way.via}' if way.via else ''}" if name == SITE_WAY else name
        said = "works" if last.snag is None else str(last.snag)
        by = f" by {last.by}" if last.by is not None else ""
        detail = f" ({last.detail})" if last.detail else ""
        times = f", {way.failures} times" if way.failures > 1 else ""
        yield f"through {through}: {said}{by}{detail} {now_at - way.told_at:.0f} s ago{times}"
