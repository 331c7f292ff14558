"""Asks services when it is told to, each by its own protocol, through the way that was named.

When and how often is the core's to say (``AskService``).
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import Final

from agent.core.inquiries import Said
from agent.core.model import Link
from agent.core.outside import NO_NEXT_HOP
from agent.core.service_words import SITE_WAY, Served, ServiceKind, Snag
from agent.probes.meter import uncounted
from agent.probes.names import Named, ask_name
from agent.probes.public import is_somewhere
from agent.probes.services.https import ask_https
from agent.probes.services.outcome import Outcome, unmade
from agent.probes.services.plan import ServicePlan
from agent.probes.services.sip import ask_sip
from agent.probes.services.talk import Talk, ask_by_tcp
from agent.probes.services.tls import MOST_BYTES, only_prove, open_context
from agent.probes.way import SystemWay, Way

MOST_AT_ONCE: Final = 8
"""Questions on their way at the same time; more wait their turn."""
ANY_PUBLIC: Final = "1.1.1.1"
"""Towards this address the system's route is looked up; nothing is sent to it."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait: for a name server, and for the service from the first packet to its answer."""

    name_s: float = 3.0
    service_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Exit:
    """An uplink to ask through, as in ``CheckPlan``."""

    uplink: str
    interface: str
    source: str | None = None
    gateway: str | None = None


class ServiceAsker:
    """Posts a ``Served`` for each question that it was told to ask."""

    def __init__(
        self,
        plans: Sequence[ServicePlan],
        exits: Sequence[Exit],
        name_servers: Sequence[str],
        post: Callable[[Served], None],
        clock: Callable[[], float] = time.monotonic,
        count: Callable[[str, int, int], None] = uncounted,
        patience: Patience = Patience(),
    ) -> None:
        """Prepare; nothing is opened or sent before ``run``.

        Args:
            plans: the services; names must differ.
            exits: the uplinks; names must differ.
            name_servers: IPv4 addresses of public resolvers; the box of an uplink is asked first.
            post: takes each outcome, in the event loop's thread.
            clock: monotonic seconds.
            count: takes uplink and bytes sent and received.
            patience: how long answers are waited for.
        """
        self._plans = {plan.name: plan for plan in plans}
        self._exits = {one.uplink: one for one in exits}
        self._name_servers = tuple(name_servers)
        self._post = post
        self._clock = clock
        self._count = count
        self._patience = patience
        self._links: dict[str, Link] = {}
        self._asked: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._waiting: set[tuple[str, str]] = set()
        self._contexts: dict[Path | None, ssl.SSLContext] = {}

    def link_changed(self, link: Link) -> None:
        """Follow what the system says of an uplink's interface."""
        self._links[link.uplink] = link

    def ask(self, service: str, way: str) -> None:
        """Ask soon; what is being asked already is not asked twice."""
        known = service in self._plans and (way == SITE_WAY or way in self._exits)
        if known and (service, way) not in self._waiting:
            self._waiting.add((service, way))
            self._asked.put_nowait((service, way))

    async def run(self) -> None:
        """Ask until cancelled; may be run again after it has ended.

        Raises:
            ExceptionGroup: whatever ``post`` raised, or a defect; asking has ended.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(MOST_AT_ONCE):
                    group.create_task(self._keep_asking())
        finally:
            self._asked = asyncio.Queue()
            self._waiting.clear()

    async def _keep_asking(self) -> None:
        while True:
            service, way = await self._asked.get()
            self._post(await self._served(self._plans[service], way))
            self._waiting.discard((service, way))

    async def _served(self, plan: ServicePlan, name: str) -> Served:
        sent_at = round(self._clock(), 4)
        way, via = self._way(name)
        found = await self._address(plan.host, way, via)
        outcome = found if isinstance(found, Outcome) else await self._ask(plan, way, found)
        return Served(
            plan.name,
            name,
            sent_at,
            outcome.snag,
            outcome.took_ms,
            outcome.by,
            via if name == SITE_WAY else None,
            outcome.valid_until,
            outcome.detail,
        )

    # --- the way --------------------------------------------------------------------------------------------

    def _way(self, name: str) -> tuple[Way, str | None]:
        """The way of this name, and the uplink by which it leaves, as far as that can be told."""
        if name != SITE_WAY:
            leave = self._exits[name]
            return Way(name, leave.interface, leave.source, self._count), name
        own = SystemWay().address_towards(ANY_PUBLIC)
        via = next(
            (uplink for uplink, at in self._own_addresses().items() if own is not None and at == own), None
        )
        return SystemWay(via or "", count=uncounted if via is None else self._count), via

    def _own_addresses(self) -> Mapping[str, str | None]:
        """By uplink, the address that this machine has on it."""
        return {
            name: leave.source or (self._links[name].address if name in self._links else None)
            for name, leave in self._exits.items()
        }

    def _resolvers(self, via: str | None) -> list[str]:
        """Who is asked for names: the box, as boxes hand out themselves, then the public ones."""
        leave = None if via is None else self._exits[via]
        link = None if via is None else self._links.get(via)
        box = leave.gateway if leave is not None and leave.gateway else link.gateway if link else None
        boxes = [] if box is None or box == NO_NEXT_HOP else [box]
        return list(dict.fromkeys([*boxes, *self._name_servers]))

    async def _address(self, host: str, way: Way, via: str | None) -> str | Outcome:
        """The address of ``host`` as this way's name servers tell it, or why there is none."""
        if _is_address(host):
            return host
        answers: list[Named] = []
        for server in self._resolvers(via):
            named = await ask_name(way, server, host, self._clock, self._patience.name_s)
            address = next(filter(is_somewhere, named.addresses), None)
            if address is not None:
                return address
            answers.append(named)
        if not answers or all(named.said is Said.UNSENT for named in answers):
            return Outcome(Snag.UNSENT, detail=answers[0].detail if answers else "no name server to ask")
        # Who says something says more than who is silent.
        told = next((named for named in answers if named.took_ms is not None), answers[-1])
        return Outcome(Snag.NAME, by=told.by, detail=f"no address of {host}: {told.detail}")

    # --- the questions --------------------------------------------------------------------------------------

    async def _ask(self, plan: ServicePlan, way: Way, address: str) -> Outcome:
        clock, patience_s = self._clock, self._patience.service_s
        match plan.kind:
            case ServiceKind.SIP:
                return await ask_sip(way, plan, address, clock, patience_s)
            case ServiceKind.DNS:
                named = await ask_name(way, address, plan.question, clock, patience_s, plan.port)
                return judge_name(named, address)
            case ServiceKind.TCP:
                return await ask_by_tcp(way, (address, plan.port), clock, patience_s, MOST_BYTES, _nothing)
        context = await self._context(plan.ca_file)
        if isinstance(context, Outcome):
            return context

        async def secure(talk: Talk) -> Outcome:
            if plan.kind is ServiceKind.HTTPS:
                return await ask_https(talk, context, plan)
            return await only_prove(talk, context, plan.host)

        outcome = await ask_by_tcp(way, (address, plan.port), clock, patience_s, MOST_BYTES, secure)
        if outcome.snag is Snag.CERTIFICATE:
            # The system's list of authorities may have been renewed since it was read.
            self._contexts.pop(plan.ca_file, None)
        return outcome

    async def _context(self, ca_file: Path | None) -> ssl.SSLContext | Outcome:
        """What a proof must be; reading the system's authorities takes a small computer 100 ms and more."""
        known = self._contexts.get(ca_file)
        if known is None:
            try:
                known = await asyncio.to_thread(open_context, ca_file)
            except OSError as error:
                return Outcome(Snag.UNSENT, detail=f"{ca_file}: {error.strerror or error}")
            self._contexts[ca_file] = known
        return known


def judge_name(named: Named, address: str) -> Outcome:
    """What an answer of a name server means that is itself the service: any address is one."""
    if named.took_ms is None:
        outcome = unmade(named, address)
        silent = outcome.snag is Snag.NO_CONNECTION
        return Outcome(Snag.SILENT, detail=named.detail) if silent else outcome
    return Outcome(None if named.addresses else Snag.STATUS, named.took_ms, named.by, named.detail)


async def _nothing(talk: Talk) -> Outcome:
    """The whole conversation with a service of kind ``tcp``."""
    return talk.over(None, "")


def _is_address(host: str) -> bool:
    try:
        IPv4Address(host)
    except AddressValueError:
        return False
    return True
