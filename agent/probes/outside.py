"""Asks how each way out looks from outside: its public address, and for the site path the routers on it.

The servers are asked one after the other, the next one half a second after the last or as soon as that has
failed; the first that answers counts. Where it says something else than before, another server must say
the same. A page is asked only when no STUN server answers. A round through an uplink is 108 bytes with
a server that adds nothing, and through the site up to 460 more for the routers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from typing import Final

from agent.core.model import Link
from agent.core.outside import PathSeen, PublicAddress
from agent.probes.address_page import AddressPage, ask_page_for_address
from agent.probes.asker import Asker
from agent.probes.hop import FURTHEST, Shot, volley
from agent.probes.meter import uncounted
from agent.probes.names import ask_name
from agent.probes.public import is_public
from agent.probes.stun import Mapped, ask_stun
from agent.probes.turns import Turns
from agent.probes.way import Way

FIRST_S: Final = 2.0
"""After the start; by then the interfaces are known."""
SPACING_S: Final = 2.0
"""Between two rounds through one way, however often they are asked for."""
STAGGER_S: Final = 0.5
"""A server that has not answered by then gets company."""
NAME_S: Final = 2.0
HOP_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class StunServer:
    """A STUN server: name or address, and UDP port. One with an IPv6 address is asked for that of IPv6."""

    host: str
    port: int

    @property
    def version(self) -> int:
        """Of IP: a name is asked for its IPv4 address."""
        return 6 if ":" in self.host else 4


@dataclass(frozen=True, slots=True)
class OutsidePlan:
    """One way that is asked through.

    ``path_to`` is the target towards which the routers on the way are looked for; None: they are not.
    """

    way: str
    interface: str
    every_s: float
    source: str | None = None
    path_to: str | None = None


@dataclass(frozen=True, slots=True)
class Servers:
    """Who is asked: STUN servers, then pages; and the name servers that know where they are."""

    stun: tuple[StunServer, ...]
    pages: tuple[AddressPage, ...] = ()
    name_servers: tuple[str, ...] = ()


Post = Callable[[PublicAddress | PathSeen], None]


class Outside:
    """Posts what each way looks like from outside; see the module."""

    def __init__(
        self,
        plans: Sequence[OutsidePlan],
        servers: Servers,
        post: Post,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        count: Callable[[str, int, int], None] = uncounted,
    ) -> None:
        """Prepare; nothing is opened or sent before ``run``.

        Args:
            plans: one per way; names must differ.
            servers: whom to ask through each.
            post: takes each outcome, in the event loop's thread.
            clock: monotonic seconds.
            sleep: waits so many seconds of that clock; may be cancelled.
            count: takes way and bytes sent and received.
        """
        now = clock()
        self._ways = {
            plan.way: Asker(
                AddressRound(plan, servers, post, clock, count),
                Turns(now + FIRST_S, plan.every_s, SPACING_S),
                clock,
                sleep,
            )
            for plan in plans
        }

    async def run(self) -> None:
        """Ask until cancelled; may be run again after it has ended.

        Raises:
            ExceptionGroup: whatever ``post`` raised, or a defect; asking has ended.
        """
        async with asyncio.TaskGroup() as group:
            for way in self._ways.values():
                group.create_task(way.keep_asking())

    def ask(self, way: str) -> None:
        """Ask through this way now; if that was done a moment ago, a few seconds later."""
        if way in self._ways:
            self._ways[way].ask()

    def every(self, way: str, every_s: float) -> None:
        """Ask through this way every ``every_s`` seconds from now on."""
        if way in self._ways:
            self._ways[way].every(every_s)

    def link_changed(self, link: Link) -> None:
        """Follow what the system says of a way's interface; a new way out is asked through at once."""
        if link.uplink in self._ways:
            self._ways[link.uplink].link_changed(link)


class AddressRound:
    """One round through one way."""

    def __init__(
        self,
        plan: OutsidePlan,
        servers: Servers,
        post: Post,
        clock: Callable[[], float],
        count: Callable[[str, int, int], None] = uncounted,
    ) -> None:
        self._plan = plan
        self._servers = servers
        self._post = post
        self._clock = clock
        self._way = Way(plan.way, plan.interface, plan.source, count)
        self._link: Link | None = None
        self._last: dict[int, str] = {}
        """By version of IP, the address that was told last."""
        self._found: dict[str, str] = {}
        """Host to the last public address that it was said to have."""

    def link_changed(self, link: Link) -> bool:
        """Follow the interface; True if what is being asked now can no longer be answered."""
        before, self._link = self._link, link
        return before is not None and before != link

    @property
    def is_open(self) -> bool:
        """Packets can leave, as far as is known."""
        link = self._link
        return link is None or not (link.unplugged or link.address is None or link.gateway is None)

    async def ask_all(self) -> None:
        """Ask and post; takes some seconds if nobody answers. Nothing is posted where nothing can leave."""
        if not self.is_open:
            return
        versions = sorted({server.version for server in self._servers.stun} | {4})
        async with asyncio.TaskGroup() as group:
            if self._plan.path_to is not None:
                group.create_task(self._look_at_path(self._plan.path_to))
            for version in versions:
                group.create_task(self._ask_address(version))

    async def _look_at_path(self, target: str) -> None:
        sent_at = round(self._clock(), 4)
        shots = [Shot(target, ttl) for ttl in range(1, FURTHEST + 1)]
        try:
            answers = await volley(self._way, shots, self._clock, HOP_S)
        except OSError:
            return
        hops = tuple(None if answer is None else answer.by for answer in answers)
        self._post(PathSeen(self._plan.way, sent_at, hops))

    async def _ask_address(self, version: int) -> None:
        sent_at = round(self._clock(), 4)
        servers = [server for server in self._servers.stun if server.version == version]
        mapped, by, others = await self._race(servers)
        before = self._last.get(version)
        if mapped.address is not None and before not in (None, mapped.address) and others:
            second, other, _ = await self._race(others)
            if second.address is not None and second.address != mapped.address:
                mapped = Mapped(None, f"{by} says {mapped.address}, {other} says {second.address}")
        if mapped.address is None and version == 4:
            mapped, by = await self._ask_pages(mapped, by)
        if mapped.address is not None:
            self._last[version] = mapped.address
        elif before is None and version != 4:
            # Where there has never been IPv6, its absence is no news.
            return
        self._post(PublicAddress(self._plan.way, sent_at, mapped.address, version, by, mapped.why))

    async def _race(self, servers: Sequence[StunServer]) -> tuple[Mapped, str | None, list[StunServer]]:
        """The first answer, who gave it, and the servers that were not needed."""
        waiting = list(servers)
        asked: dict[asyncio.Task[Mapped], StunServer] = {}
        last = Mapped(None, "no server is configured")
        try:
            while waiting or asked:
                if waiting:
                    server = waiting.pop(0)
                    asked[asyncio.ensure_future(self._ask_server(server))] = server
                done, _ = await asyncio.wait(
                    asked, timeout=STAGGER_S if waiting else None, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    server = asked.pop(task)
                    last = task.result()
                    if last.address is not None:
                        return last, server.host, [*asked.values(), *waiting]
            return last, None, []
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    async def _ask_server(self, server: StunServer) -> Mapped:
        address = server.host if server.version == 6 else await self._address_of(server.host)
        if address is None:
            return Mapped(None, f"no name server gives the address of {server.host}")
        mapped = await ask_stun(self._way, address, server.port, self._clock)
        if mapped.address is None:
            # A server that has moved does not answer; it is looked for anew.
            self._found.pop(server.host, None)
        return _believed(mapped)

    async def _ask_pages(self, mapped: Mapped, by: str | None) -> tuple[Mapped, str | None]:
        for page in self._servers.pages:
            address = await self._address_of(page.host)
            if address is None:
                continue
            told = _believed(await ask_page_for_address(self._way, page, address))
            if told.address is not None:
                return told, page.host
        return mapped, by

    async def _address_of(self, host: str) -> str | None:
        """The host's IPv4 address, asked for once and then only after it has not answered."""
        if _is_ipv4(host):
            return host
        if host in self._found:
            return self._found[host]
        for server in self._servers.name_servers:
            named = await ask_name(self._way, server, host, self._clock, NAME_S)
            address = next(filter(is_public, named.addresses), None)
            if address is not None:
                self._found[host] = address
                return address
        return None


def _is_ipv4(host: str) -> bool:
    try:
        IPv4Address(host)
    except AddressValueError:
        return False
    return True


def _believed(mapped: Mapped) -> Mapped:
    """What cannot be seen on the internet is nobody's public address."""
    if mapped.address is None:
        return mapped
    parsed = ip_address(mapped.address)
    known = parsed.is_global if isinstance(parsed, IPv6Address) else is_public(mapped.address)
    return mapped if known else Mapped(None, f"{mapped.address} is no public address")
