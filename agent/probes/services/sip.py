"""Asks a telephone provider's server whether it is there: OPTIONS, by UDP or TCP, without an account.

A server that knows us as little as anybody may answer 200, 401, 403, 404, 405, 483 or 501: it answers, and
that is what was asked. A question and its answer are about 1 kB on the line.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Final

from agent.core.service_words import Snag
from agent.probes.services.outcome import Outcome, unmade
from agent.probes.services.plan import ServicePlan, Transport
from agent.probes.services.sip_message import MOST_BYTES, SICK, Answer, Options, SipError, decode
from agent.probes.services.talk import Talk, ask_by_tcp, since_ms
from agent.probes.way import UDP_HEADERS, Way, refusal_of, unsent

T1_S: Final = 0.5
T2_S: Final = 4.0
"""Between two sendings of a question by UDP: doubled from the first to the second (RFC 3261, 17.1.2.2)."""


async def ask_sip(
    way: Way, plan: ServicePlan, address: str, clock: Callable[[], float], timeout_s: float
) -> Outcome:
    """Ask the server at ``address`` once; by UDP repeated until it answers, ``timeout_s`` at most.

    Args:
        way: the way to ask through.
        plan: a service of kind ``sip``.
        address: IPv4 address of the plan's host.
        clock: monotonic seconds.
        timeout_s: longest wait in all.
    """
    if plan.transport is Transport.TCP:
        return await ask_by_tcp(
            way, (address, plan.port), clock, timeout_s, MOST_BYTES, lambda talk: _talk(talk, plan)
        )
    try:
        asked = way.open(socket.SOCK_DGRAM)
    except OSError as error:
        return unmade(unsent(error), address)
    with asked:
        try:
            # Only this server's answers get through from now on, and ICMP errors find their way back.
            asked.connect((address, plan.port))
        except OSError as error:
            return unmade(unsent(error), address)
        return await _Datagrams(way, asked, _options(plan, asked), address, clock).ask(timeout_s)


def _options(plan: ServicePlan, asked: socket.socket) -> Options:
    own: tuple[str, int] = asked.getsockname()
    return Options(plan.host, plan.port, plan.transport.value.upper(), own, os.urandom(10).hex())


def _judged(answer: Answer, by: str, took_ms: float) -> Outcome:
    snag = Snag.STATUS if answer.status in SICK else None
    return Outcome(snag, took_ms, by, f"{answer.status} {answer.reason}".rstrip())


async def _talk(talk: Talk, plan: ServicePlan) -> Outcome:
    """The conversation on a connection: answers follow each other, each as long as it says."""
    options = _options(plan, talk.socket)
    await talk.say(options.encode())
    while True:
        try:
            answer = decode(talk.heard)
        except SipError as error:
            return talk.over(Snag.NOT_SPOKEN, f"no SIP: {error}")
        if answer is not None and answer.is_final and answer.is_to(options):
            return _judged(answer, talk.address, talk.took_ms)
        if answer is not None and len(talk.heard) >= answer.length:
            # A word that another answer follows, or an answer to nothing that was asked.
            talk.heard = talk.heard[answer.length :]
        elif not await talk.listen():
            return talk.cut_short()


class _Datagrams:
    """One question on its way by UDP, sent again until it is answered."""

    def __init__(
        self, way: Way, asked: socket.socket, options: Options, address: str, clock: Callable[[], float]
    ) -> None:
        self._way = way
        self._socket = asked
        self._options = options
        self._address = address
        self._clock = clock
        self._strays = 0
        self._odd: str | None = None
        self._working = False

    async def ask(self, timeout_s: float) -> Outcome:
        sent_at, message = self._clock(), self._options.encode()
        loop = asyncio.get_running_loop()
        end, again_s = loop.time() + timeout_s, T1_S
        try:
            while loop.time() < end:
                self._way.spend(UDP_HEADERS + self._socket.send(message), 0)
                try:
                    async with asyncio.timeout_at(min(end, loop.time() + again_s)):
                        return _judged(await self._final(), self._address, since_ms(sent_at, self._clock))
                except TimeoutError:
                    # Once it is being worked on, it is repeated as seldom as at the end.
                    again_s = T2_S if self._working else min(2.0 * again_s, T2_S)
        except OSError as error:
            return unmade(refusal_of(self._socket, error) or unsent(error), self._address)
        if self._odd is not None:
            return Outcome(Snag.NOT_SPOKEN, by=self._address, detail=f"no SIP: {self._odd}")
        strays = f", {self._strays} datagrams that are no answer to it" if self._strays else ""
        return Outcome(Snag.SILENT, detail=f"no answer{strays}")

    async def _final(self) -> Answer:
        loop = asyncio.get_running_loop()
        while True:
            data = await loop.sock_recv(self._socket, MOST_BYTES)
            self._way.spend(0, UDP_HEADERS + len(data))
            answer = self._read(data)
            if answer is not None and answer.is_final:
                return answer
            # Receiving does not wait while there is something: a flood must not keep the event loop.
            await asyncio.sleep(0)

    def _read(self, data: bytes) -> Answer | None:
        """The answer in a datagram; None for what is none."""
        try:
            answer = decode(data)
        except SipError as error:
            self._odd = str(error)
            return None
        if answer is None or not answer.is_to(self._options):
            self._strays += 1
            return None
        self._working = True
        return answer
