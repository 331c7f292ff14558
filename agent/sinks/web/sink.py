"""The page's paths, and what is kept in memory for them."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass

from agent.core.codes import Severity
from agent.core.model import Recorded
from agent.core.snapshot_types import Snapshot
from agent.sinks.arrivals import STALE_S
from agent.sinks.payloads import state_payload, to_json
from agent.sinks.web.document import document, policy
from agent.sinks.web.markup import Html
from agent.sinks.web.minutes import MINUTE_S, Minutes
from agent.sinks.web.panel import Shown, headline, level, panel_main, silent_main
from agent.sinks.web.plot import Hours, plot
from agent.sinks.web.said import wall
from agent.sinks.web.server import TEXT, Answer, Server, listen
from agent.sinks.web.sheet import sheet_main
from agent.sinks.web.story import Incident, incidents, outages
from agent.text import LANGUAGES, page, panel

EVENTS_KEPT = 500
"""Incidents and outages are read from so many events: months of a calm site, a day of a bad one."""
FRESH_S = 1.0
"""A page is drawn at most once a second, however often it is asked for."""
HTML = "text/html; charset=utf-8"
MARKS = {"good": "✓", "warn": "!", "bad": "✗", "busy": "↻", "idle": "…"}


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where and how the page is served.

    Attributes:
        address: of this machine; empty: all of them.
        port: 1024 to 65535.
        names: host names by which it may be called, beside its own.
        language: of ``/``.
        label: of the site.
    """

    address: str
    port: int
    names: tuple[str, ...]
    language: str
    label: str


class WebSink:
    """Gathers what the page shows, and serves it; run again after a failure, it has forgotten nothing.

    Attributes:
        settings: where and how.
        past: events of earlier runs, oldest first; None if they cannot be read.
        mono: monotonic seconds, the clock of the snapshots.
    """

    def __init__(
        self, settings: WebSettings, past: Iterable[Recorded] | None, mono: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._mono = mono
        self._latest: Snapshot | None = None
        self._minutes = Minutes()
        self._readable = past is not None
        self._events: deque[Recorded] = deque(past or (), maxlen=EVENTS_KEPT)
        self._seen = {recorded.id for recorded in self._events}
        self._incidents: tuple[Incident, ...] | None = None
        self._plots: dict[str, tuple[tuple[object, ...], dict[str, Html]]] = {}
        self._pages: dict[str, tuple[float, Answer]] = {}

    async def run(self, snapshots: AsyncIterator[Snapshot], events: AsyncIterator[Recorded]) -> None:
        """Gather and serve until cancelled.

        Raises:
            OSError: the address cannot be had (yet).
        """
        listener = listen(self._settings.address, self._settings.port)
        with listener:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._gather(snapshots))
                group.create_task(self._note(events))
                group.create_task(Server(self.answer, self.names(), policy()).run(listener))

    def names(self) -> frozenset[str]:
        """Host names by which this machine may be called."""
        own = socket.gethostname().lower()
        short = own.partition(".")[0]
        given = (name.lower().removesuffix(".") for name in self._settings.names)
        return frozenset(("localhost", own, short, f"{short}.local", *given))

    def take(self, snapshot: Snapshot) -> None:
        """A new picture of the site."""
        self._latest = snapshot
        self._minutes.add(snapshot)

    def tell(self, recorded: Recorded) -> None:
        """A new event; one that is known already is not taken twice."""
        if recorded.event.severity is Severity.DEBUG or recorded.id in self._seen:
            return
        if len(self._events) == EVENTS_KEPT:
            self._seen.discard(self._events[0].id)
        self._events.append(recorded)
        self._seen.add(recorded.id)
        self._incidents = None

    def answer(self, path: str) -> Answer:
        """What is at ``path``."""
        now_at = self._mono()
        made_at, answer = self._pages.get(path, (float("-inf"), Answer(500, TEXT, b"")))
        if not 0 <= now_at - made_at < FRESH_S:
            answer = self._made(path, now_at)
            if answer.status != 404:
                self._pages[path] = (now_at, answer)
        return answer

    def _made(self, path: str, now_at: float) -> Answer:
        if path == "/state.json":
            return self._state()
        for language in LANGUAGES:
            if path == f"/{language}" or (path == "/" and language == self._settings.language):
                return self._panel(language, now_at)
            if path == f"/{language}/lights" or (path == "/lights" and language == self._settings.language):
                return Answer(200, HTML, self._sheet(language))
        return Answer(404, TEXT, b"There is /, /fr, /en, /lights and /state.json.\n")

    def _state(self) -> Answer:
        if self._latest is None:
            return Answer(503, TEXT, b"The agent is starting.\n")
        return Answer(200, "application/json", to_json(state_payload(self._latest)))

    def _panel(self, language: str, now_at: float) -> Answer:
        snapshot = self._latest
        if snapshot is None or now_at - snapshot.mono > STALE_S:
            main = silent_main(self._settings.label, language, starting=snapshot is None)
            title = f"{MARKS['bad']} {panel('silent', language)}"
            return Answer(503, HTML, self._document(main, title, language))
        if self._incidents is None:
            self._incidents = incidents(self._events)
        known = self._incidents if self._readable or self._incidents else None
        main = panel_main(Shown(snapshot, language, self._drawn(snapshot, language), known))
        title = f"{MARKS[level(snapshot)]} {headline(snapshot, language)} – {snapshot.label}"
        return Answer(200, HTML, self._document(main, title, language))

    def _document(self, main: Html, title: str, language: str) -> bytes:
        return document(
            main, title, language, other=f"/{_other(language)}", sheet=f"/{language}/lights", live=True
        )

    def _sheet(self, language: str) -> bytes:
        title = page("lights_title", language)
        other = f"/{_other(language)}/lights"
        return document(sheet_main(language), title, language, other=other, sheet=None, live=False)

    def _drawn(self, snapshot: Snapshot, language: str) -> dict[str, Html]:
        """The plots; drawn anew once a minute, or when something has happened."""
        last = self._events[-1].id if self._events else None
        state = (int(snapshot.mono // MINUTE_S), last, *(uplink.health for uplink in snapshot.uplinks))
        made_for, plots = self._plots.get(language, ((), {}))
        if made_for != state:
            plots = {
                u.name: plot(self._hours(snapshot, u.name), u.label, language, None) for u in snapshot.uplinks
            }
            self._plots[language] = (state, plots)
        return plots

    def _hours(self, snapshot: Snapshot, uplink: str) -> Hours:
        trail = self._minutes.trail(uplink, snapshot.mono)
        spells = outages(self._events, uplink) if self._readable else None
        return Hours(trail, spells, wall(snapshot, trail.end * MINUTE_S))

    async def _gather(self, snapshots: AsyncIterator[Snapshot]) -> None:
        async for snapshot in snapshots:
            self.take(snapshot)

    async def _note(self, events: AsyncIterator[Recorded]) -> None:
        async for recorded in events:
            self.tell(recorded)


def _other(language: str) -> str:
    return next(other for other in LANGUAGES if other != language)
