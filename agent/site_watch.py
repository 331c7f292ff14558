"""Watches the site's own way out through its router, and asks how every way looks from outside.

Belongs to the composition root: it puts probes together. What it finds goes to the core as observations; it
is an ornament, because whether an uplink works is known without it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine
from typing import Any, Final

from agent.config.effective import checks_s
from agent.config.forms_outside import ADDRESS_PAGE, STUN_SERVER
from agent.config.schema import Config
from agent.core.model import Link, Observation, Part
from agent.core.outside import SITE
from agent.probes.address_page import AddressPage
from agent.probes.icmp import IcmpProber
from agent.probes.lane import ProbePlan
from agent.probes.links import LinkWatcher
from agent.probes.meter import Meter
from agent.probes.netlink import Tables, read_tables
from agent.probes.outside import Outside, OutsidePlan, Servers, StunServer
from agent.probes.stun import USUAL_PORT

LOOK_S: Final = 5.0
"""How often the way to the site is looked for until there is one."""
OUTSIDE_S: Final = 60.0
"""How often the site's public address is asked for; the core changes it where that costs."""

Pace = Callable[[str, float, float | None], None]
CheckEvery = Callable[[str, float], None]


def servers(config: Config) -> Servers:
    """Who is asked for public addresses."""
    stun, pages = [], []
    for text in config.failover.public_from:
        page, server = ADDRESS_PAGE.fullmatch(text), STUN_SERVER.fullmatch(text)
        if page is not None:
            tls = page["scheme"] == "https"
            port = int(page["port"] or (443 if tls else 80))
            pages.append(AddressPage(page["host"], port, page["path"] or "/", tls))
        else:
            assert server is not None, "the configuration lets only servers through"
            host = server["host"].removeprefix("[").removesuffix("]")
            stun.append(StunServer(host, int(server["port"] or USUAL_PORT)))
    return Servers(tuple(stun), tuple(pages), config.checks.name_servers)


def site_interface(tables: Tables, uplinks: Collection[str]) -> str | None:
    """The interface of the best default route among those that are no uplink's; None if there is none."""
    names = {interface.index: name for name, interface in tables.interfaces.items()}
    others = [
        route for route in tables.defaults if route.main and names.get(route.index, "") not in ("", *uplinks)
    ]
    best = min(others, key=lambda route: route.metric, default=None)
    return None if best is None else names[best.index]


class SiteWatch:
    """See the module. Both ``run`` methods may be run again after they have ended."""

    def __init__(self, config: Config, post: Callable[[Observation], None], meter: Meter) -> None:
        """Prepare; nothing is opened or sent before one of them runs.

        Args:
            config: where the site's network is, and whom to ask.
            post: takes every observation, in the event loop's thread.
            meter: counts what this costs.
        """
        self._config = config
        self._post = post
        self._count = meter.count
        self._outside = Outside(self._plans(), servers(config), post, count=meter.count)
        self._path: tuple[IcmpProber, Outside] | None = None
        self._pace: tuple[float, float | None] | None = None
        self._every_s = OUTSIDE_S

    def parts(self) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
        """What is to be run, by name; nothing where the configuration does not want it."""
        if self._config.failover.mode == "off":
            return {}
        return {"addresses": self.ask_outside, "site_path": self.watch_path}

    async def ask_outside(self) -> None:
        """Ask for the public address of each uplink until cancelled."""
        await self._outside.run()

    async def watch_path(self) -> None:
        """Find the way to the site and watch the path through it until cancelled."""
        interface = self._config.failover.site_interface
        while interface is None:
            interface = site_interface(read_tables(), [uplink.interface for uplink in self._config.uplink])
            if interface is None:
                await asyncio.sleep(LOOK_S)
        gateway, targets = self._config.failover.site_gateway, self._config.uplink[0].targets
        plan = ProbePlan(SITE, interface, targets, gateway=gateway)
        prober = IcmpProber([plan], self._post, self._permitted, count=self._count)
        outsides = [OutsidePlan(SITE, interface, self._every_s, path_to=targets[0])]
        outside = Outside(outsides, servers(self._config), self._post, count=self._count)
        self._path = prober, outside
        if self._pace is not None:
            prober.pace(SITE, *self._pace)
        gateways = {} if gateway is None else {SITE: gateway}
        links = LinkWatcher({SITE: interface}, self._link_seen, gateways)
        try:
            async with asyncio.TaskGroup() as group:
                for part in (prober, outside, links):
                    group.create_task(part.run())
        finally:
            self._path = None

    def link_changed(self, link: Link) -> None:
        """Follow what the system says of an uplink's interface."""
        self._outside.link_changed(link)

    def paces(self, others: Pace) -> Pace:
        """What sends echoes so often from now on: along the site path, and through ``others``."""

        def pace(way: str, interval_s: float, box_s: float | None) -> None:
            if way != SITE:
                others(way, interval_s, box_s)
                return
            self._pace = interval_s, box_s
            if self._path is not None:
                self._path[0].pace(way, interval_s, box_s)

        return pace

    def ask_address(self, way: str) -> None:
        """Ask for the public address of this way now."""
        if way != SITE:
            self._outside.ask(way)
        elif self._path is not None:
            self._path[1].ask(way)

    def checks(self, others: CheckEvery) -> CheckEvery:
        """What asks so often from now on: for the public address of a way, and all that ``others`` ask."""

        def check(way: str, every_s: float) -> None:
            if way != SITE:
                others(way, every_s)
                self._outside.every(way, every_s)
                return
            self._every_s = every_s
            if self._path is not None:
                self._path[1].every(way, every_s)

        return check

    def _plans(self) -> list[OutsidePlan]:
        return [
            OutsidePlan(uplink.name, uplink.interface, checks_s(self._config, uplink), uplink.source)
            for uplink in self._config.uplink
        ]

    def _link_seen(self, link: Link) -> None:
        if self._path is not None:
            for part in self._path:
                part.link_changed(link)
        self._post(link)

    def _permitted(self, part: Part) -> None:
        """The uplinks' own prober tells what the kernel forbids; once is enough."""
