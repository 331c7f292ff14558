"""Services that the played site asks for, and how they answer: broken at their end, or blocked on a way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from agent.core.model import Observation
from agent.core.service_words import SITE_WAY, AskService, Served, Snag
from agent.core.site import Site
from agent.simulation.lines import REFUSED, SILENT, UNSENT, WELL, Line
from agent.simulation.schedule import Schedule

PATIENCE_S = 5.0
"""A service that says nothing is waited for so long; so is a name server, and so long are all of them."""
SERVICE_BYTES = 3000
"""One question with its answer, in the mean of a telephone server and a page by HTTPS."""
ADDRESS = "203.0.113.80"


class Serving:
    """Answers ``AskService`` as the site's lines and services let it; ``spend`` takes bytes by uplink."""

    def __init__(
        self,
        site: Site,
        lines: Mapping[str, Line],
        schedule: Schedule,
        run: Callable[[], str | None],
        hear: Callable[[Observation], None],
        mono: Callable[[], float],
        spend: Counter[str],
    ) -> None:
        self._order = [uplink.name for uplink in site.uplinks]
        self._lines = lines
        self._schedule = schedule
        self._run = run
        self._hear = hear
        self._mono = mono
        self._spend = spend
        self.broken: dict[str, Snag] = {}
        """What is wrong with a service at its own end."""
        self.blocked: set[tuple[str, str]] = set()
        """Services that something on the way through an uplink keeps from answering."""
        self.valid_until: dict[str, float] = {}
        """UNIX seconds at which a service's certificate ends."""
        self.asked: Counter[tuple[str, str]] = Counter()
        """How often each service was asked through each way."""

    def ask(self, action: AskService) -> None:
        """Ask, and bring what comes of it."""
        self.asked[action.service, action.way] += 1
        way, service = action.way, action.service
        via = self._site_path() if way == SITE_WAY else way
        snag, took_s = (Snag.UNSENT, 0.0) if via is None else self._fate(service, via)
        if via is not None:
            self._spend[via] += 0 if snag is Snag.UNSENT else SERVICE_BYTES
        answered = snag in (None, Snag.STATUS, Snag.CERTIFICATE, Snag.REFUSED)
        outcome = Served(
            service,
            way,
            round(self._mono(), 6),
            snag,
            took_s * 1e3 if answered else None,
            ADDRESS if answered else None,
            via if way == SITE_WAY else None,
            self.valid_until.get(service) if snag is None else None,
        )
        self._schedule.at(self._schedule.t + took_s, self._came_back, self._run(), outcome)

    def _came_back(self, run: str | None, outcome: Served) -> None:
        if run == self._run():
            self._hear(outcome)

    def _site_path(self) -> str | None:
        """The uplink of the system's best route: the first that has one."""
        return next((name for name in self._order if self._lines[name].address is not None), None)

    def _fate(self, service: str, via: str) -> tuple[Snag | None, float]:
        """What comes of a question through an uplink, and after how long."""
        line = self._lines[via]
        name, page = line.said("name"), line.said("web")
        if UNSENT in (name, page):
            return Snag.UNSENT, 0.0
        if name != WELL:
            return Snag.NAME, PATIENCE_S if name == SILENT else line.rtt_s
        if page != WELL:
            return (Snag.UNREACHABLE, line.rtt_s) if page == REFUSED else (Snag.NO_CONNECTION, PATIENCE_S)
        if (service, via) in self.blocked:
            return Snag.SILENT, PATIENCE_S
        snag = self.broken.get(service)
        return snag, PATIENCE_S if snag in (Snag.SILENT, Snag.NO_CONNECTION) else 3.0 * line.rtt_s
