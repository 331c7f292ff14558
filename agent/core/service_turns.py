"""When to ask for services: the path in use often, the other uplinks seldom, and all at once when one fails.

As soon as a service has failed once on the path in use, every other healthy uplink is asked: does it work
through none of them (its provider's fault), or only not through this one (something on the way blocks it)?
Where data cost money they are asked once that is certain, and never without a pause.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from agent.core.asking import LATER_S, MINUTE_S, RARELY_S, SOON_S, TEN_MINUTES_S
from agent.core.causes import broke_since
from agent.core.out import Out
from agent.core.service_words import NEVER, SITE_WAY, AskService, Serves, ServiceState
from agent.core.services import METERED_AGAIN_S, METERED_NEWS_S, REPEATS, carrier, interval_s, is_sound, known
from agent.core.snapshot_types import Health
from agent.core.state import State, evolved

DOUBT = 1
"""From so many failures on the path in use on, the other uplinks are asked too."""
AGAIN_S = 5.0
"""From a failure to the next question, until it is believed."""
LOST_S = 40.0
"""A question whose outcome has not come in by then is asked again; no probe takes so long."""
APART_S = 2.0
"""Between two regular questions, so that they do not all go at once."""


class Due(NamedTuple):
    """A question that is to be asked at ``at``; an ``urgent`` one waits for no other."""

    at: float
    urgent: bool
    service: str
    way: str


def update(state: State, now_at: float, out: Out) -> State:
    """Order what is due: all that is urgent, and one regular question."""
    free = _free_at(state) <= now_at
    for due in _all_due(state, now_at):
        if due.at > now_at:
            break
        if not due.urgent and not free:
            continue
        free = free and due.urgent
        out.order(AskService(due.service, due.way))
        service = state.services[due.service]
        asked = replace(known(service, due.way), asked_at=now_at)
        service = replace(service, ways={**service.ways, due.way: asked})
        state = evolved(state, services={**state.services, due.service: service})
    return state


def next_at(state: State, now_at: float) -> float | None:
    """When something is to be asked, monotonic seconds; None while nothing is."""
    free_at = _free_at(state)
    times = (due.at if due.urgent else max(due.at, free_at) for due in _all_due(state, now_at))
    return min(times, default=None)


def _free_at(state: State) -> float:
    """When the next regular question may be asked."""
    asked = [way.asked_at for service in state.services.values() for way in service.ways.values()]
    return max(asked, default=NEVER) + APART_S


def _all_due(state: State, now_at: float) -> list[Due]:
    if not state.warm or not any(uplink.health.answers for uplink in state.uplinks.values()):
        return []
    found = (
        _due(state, service, way, now_at)
        for service in state.services.values()
        for way in (SITE_WAY, *state.uplinks)
    )
    return sorted(due for due in found if due is not None)


def _due(state: State, service: ServiceState, way: str, now_at: float) -> Due | None:
    """When a service is to be asked through a way; None if it is not."""
    uplink, found, name = carrier(state, service, way), known(service, way), service.spec.name
    if way != SITE_WAY and (uplink is None or not is_sound(uplink) or _carries(service, way)):
        return None
    every_s = interval_s(service, way, uplink)
    if every_s is None:
        return None
    if found.asked_at > found.heard_at:
        return Due(found.asked_at + LOST_S, False, name, way)
    if found.asked_at == NEVER:
        return Due(state.started_at, False, name, way)
    if 0 < found.failures < REPEATS:
        return Due(found.heard_at + AGAIN_S, True, name, way)
    metered = uplink is not None and uplink.purse is not None
    again_s = METERED_AGAIN_S if metered else SOON_S
    news_at = _news_at(state, service, way, metered=metered)
    if news_at > found.asked_at:
        return Due(max(news_at, found.asked_at + (METERED_NEWS_S if metered else SOON_S)), True, name, way)
    if found.serves is Serves.FAILS:
        lasted_s = now_at - found.since
        often_s = SOON_S if lasted_s < MINUTE_S else LATER_S if lasted_s < TEN_MINUTES_S else RARELY_S
        every_s = min(every_s, max(again_s, often_s))
    elif way != SITE_WAY and known(service, SITE_WAY).serves is Serves.FAILS:
        every_s = min(every_s, max(again_s, RARELY_S))
    return Due(found.asked_at + every_s, False, name, way)


def _carries(service: ServiceState, way: str) -> bool:
    """The site's path leads through this uplink, so that asking the one is asking the other."""
    return known(service, SITE_WAY).via == way


def _news_at(state: State, service: ServiceState, way: str, *, metered: bool) -> float:
    """When something happened after which what was known through this way must be asked anew."""
    uplink = carrier(state, service, way)
    news = [NEVER if uplink is None or uplink.recovered_at is None else uplink.recovered_at]
    site = known(service, SITE_WAY)
    if way == SITE_WAY:
        # What begins to fail, or to answer, through one uplink may do so through all.
        others = [known(service, name) for name in state.uplinks]
        if site.serves is Serves.WORKS:
            news += [other.failing_at for other in others]
        elif site.serves is Serves.FAILS:
            news += [other.since for other in others if other.serves is Serves.WORKS]
    else:
        if site.failures >= (REPEATS if metered else DOUBT):
            news.append(site.failing_at)
        if site.serves is Serves.WORKS and known(service, way).serves is Serves.FAILS:
            # It was down everywhere, and may be back everywhere.
            news.append(site.since)
        # It is about to be needed.
        news += [broke_since(one) for one in state.uplinks.values() if one.health is Health.DOWN]
    return max(news)
