"""What the business needs of the internet, by the names that people use: does it answer, and through what."""

from __future__ import annotations

from agent.core.service_words import Serves
from agent.core.snapshot_types import ServiceView, ServiceWayView, Snapshot
from agent.sinks.web.markup import Html, joined, tag
from agent.sinks.web.said import symbol
from agent.text import page

LEVELS = {Serves.WORKS: "good", Serves.FAILS: "bad", Serves.UNKNOWN: "idle"}


def service_section(snapshot: Snapshot, language: str) -> Html:
    """All services; nothing where none is configured."""
    if not snapshot.services:
        return Html()
    rows = [_row(view, snapshot, language) for view in snapshot.services]
    return tag("section", tag("h2", page("services", language)), tag("ul", *rows, class_="also"))


def _row(view: ServiceView, snapshot: Snapshot, language: str) -> Html:
    how = LEVELS[view.now.serves]
    if how == "good" and any(way.serves is Serves.FAILS for way in view.uplinks):
        how = "warn"
    said = page(f"service_{view.now.serves}", language)
    through = [_through(way, snapshot, language) for way in view.uplinks if way.serves is not Serves.UNKNOWN]
    told = joined(tag("b", view.label), " · ", tag("b", said))
    return tag("li", symbol(how), tag("div", joined(told, *(f" · {one}" for one in through))), class_=how)


def _through(way: ServiceWayView, snapshot: Snapshot, language: str) -> str:
    """Whether it answers through one uplink, and how long ago that was seen."""
    state = page(f"service_{way.serves}", language)
    for_s = None if way.at is None else max(1.0, snapshot.mono - way.at)
    return page("service_through", language, label=way.label, state=state.lower(), for_s=for_s)
