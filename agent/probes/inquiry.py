"""Everything beyond echoes that is asked through one uplink, and what was learned from earlier answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

from agent.core.inquiries import Asked, Check, Said
from agent.core.model import Link, Why
from agent.core.outside import NO_NEXT_HOP
from agent.probes.hop import FirstHop
from agent.probes.meter import uncounted
from agent.probes.names import ask_name
from agent.probes.public import is_somewhere
from agent.probes.verdict import Verdict
from agent.probes.way import Way
from agent.probes.web import Page, ask_page


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait for an answer: of a name server, of a web server, of the routers on the way."""

    name_s: float = 3.0
    page_s: float = 5.0
    hop_s: float = 1.5


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked through every uplink.

    Attributes:
        names: names that must exist and have a public address.
        name_servers: IPv4 addresses of public resolvers; the box of an uplink is asked as well.
        pages: pages whose answer is known.
        patience: how long answers are waited for.
    """

    names: tuple[str, ...]
    name_servers: tuple[str, ...]
    pages: tuple[Page, ...]
    patience: Patience = Patience()


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """How to check one uplink.

    ``source`` binds to an address as well, ``gateway`` overrides what the system's routes say; without them
    both are followed. ``every_s`` is the time between two regular runs.
    """

    uplink: str
    interface: str
    targets: tuple[str, ...]
    every_s: float
    source: str | None = None
    gateway: str | None = None


class Inquiry:
    """Asks through one uplink, as often as it is told to."""

    def __init__(
        self,
        plan: CheckPlan,
        questions: Questions,
        post: Callable[[Check], None],
        clock: Callable[[], float],
        count: Callable[[str, int, int], None] = uncounted,
    ) -> None:
        self._plan = plan
        self._questions = questions
        self._post = post
        self._clock = clock
        self._way = Way(plan.uplink, plan.interface, plan.source, count)
        self._patience = questions.patience
        self._hop = FirstHop(plan.targets, clock, questions.patience.hop_s)
        self._link: Link | None = None
        self._known_box: str | None = None
        """Whose ways have been learned."""
        self._box_resolves = False
        """The box has answered for a name: only then does its silence mean something."""
        self._found: dict[str, str] = {}
        """Host to the last public address that it was said to have."""

    def link_changed(self, link: Link) -> bool:
        """Follow the interface; True if what is being asked now can no longer be answered."""
        before, box_before, self._link = self._link, self._box, link
        # A box that is away for a while, as during a restart, is still the same when it comes back.
        if self._box is not None and self._box != self._known_box:
            self._known_box = self._box
            self._box_resolves = False
            self._hop.forget()
        if before is None:
            return False
        return (before.present, before.carrier, before.address, box_before) != (
            link.present,
            link.carrier,
            link.address,
            self._box,
        )

    @property
    def is_open(self) -> bool:
        """Packets can leave, as far as is known."""
        return self._obstacle() is None

    async def ask_all(self) -> None:
        """Ask everything, and post each answer as it comes; takes some 15 seconds if nobody answers."""
        obstacle = self._obstacle()
        if obstacle is not None:
            self._post_unsent(obstacle)
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ask_hop())
            group.create_task(self._ask_names_and_pages())

    # --- the way --------------------------------------------------------------------------------------------

    @property
    def _box(self) -> str | None:
        if self._plan.gateway is not None:
            return self._plan.gateway
        gateway = None if self._link is None else self._link.gateway
        return None if gateway == NO_NEXT_HOP else gateway

    def _obstacle(self) -> str | None:
        """Why asking would be a lie: without address or route the kernel takes a packet and drops it."""
        link = self._link
        if link is None:
            return None
        if not link.present:
            return Why.NO_INTERFACE
        if link.carrier is False:
            return "no_carrier"
        if link.address is None:
            return Why.NO_ADDRESS
        return Why.NO_ROUTE if link.gateway is None else None

    def _servers(self) -> list[str]:
        """The name servers to ask: the box, as boxes hand out themselves, then the public ones."""
        box = self._box
        return list(dict.fromkeys([*([] if box is None else [box]), *self._questions.name_servers]))

    def _post_unsent(self, why: str) -> None:
        now = round(self._clock(), 4)
        subjects = [
            (Asked.NAME, f"{name}@{server}")
            for server in self._questions.name_servers
            for name in self._questions.names
        ]
        subjects += [(Asked.WEB, page.url) for page in self._questions.pages]
        for asked, subject in subjects:
            self._tell(asked, subject, now, Verdict(Said.UNSENT, detail=why))

    # --- the questions --------------------------------------------------------------------------------------

    async def _ask_hop(self) -> None:
        check = await self._hop.ask(self._way, self._box)
        if check is not None:
            self._post(check)

    async def _ask_names_and_pages(self) -> None:
        servers = self._servers()
        async with asyncio.TaskGroup() as group:
            asked = {
                server: [group.create_task(self._ask_name(server, name)) for name in self._questions.names]
                for server in servers
            }
        if self._questions.names:
            servers = [server for server, tasks in asked.items() if any(task.result() for task in tasks)]
        async with asyncio.TaskGroup() as group:
            for page in self._questions.pages:
                group.create_task(self._ask_page(page, servers))

    async def _ask_name(self, server: str, name: str) -> bool:
        """Ask and post; True if the server gave an address that can be asked for pages."""
        sent_at = round(self._clock(), 4)
        named = await ask_name(self._way, server, name, self._clock, self._patience.name_s)
        if server == self._box:
            # Nobody has said that the box is a name server; it is one once it has answered as one.
            self._box_resolves = self._box_resolves or named.took_ms is not None
            if not self._box_resolves:
                return False
        self._tell(Asked.NAME, f"{name}@{server}", sent_at, named)
        return any(map(is_somewhere, named.addresses))

    async def _ask_page(self, page: Page, servers: list[str]) -> None:
        address = await self._address_of(page.host, servers)
        sent_at = round(self._clock(), 4)
        if address is None:
            verdict = Verdict(Said.UNSENT, detail="no name server gives its address")
        else:
            verdict = await ask_page(self._way, page, address, self._clock, self._patience.page_s)
        self._tell(Asked.WEB, page.url, sent_at, verdict)

    def _tell(self, asked: Asked, subject: str, sent_at: float, verdict: Verdict) -> None:
        said, took_ms, by, detail = verdict.said, verdict.took_ms, verdict.by, verdict.detail
        self._post(Check(self._plan.uplink, asked, subject, sent_at, said, took_ms, by, detail))

    async def _address_of(self, host: str, servers: list[str]) -> str | None:
        """The address that the first of ``servers`` gives, even one that cannot be true: a portal is there.

        If none gives any, the last one that was true: a page can be asked for while only names fail.
        """
        if _is_address(host):
            return host
        for server in servers:
            named = await ask_name(self._way, server, host, self._clock, self._patience.name_s)
            address = next(filter(is_somewhere, named.addresses), None)
            if address is not None and named.said is Said.WELL:
                self._found[host] = address
            if address is not None:
                return address
        return self._found.get(host)


def _is_address(host: str) -> bool:
    try:
        IPv4Address(host)
    except AddressValueError:
        return False
    return True
