"""Asks a name server for the address of a name that must exist, and judges the answer.

By UDP from a socket bound to the uplink: ``getaddrinfo`` follows the machine's best route, whichever uplink
that is. A question and its answer are some 150 bytes on the line.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from agent.core.inquiries import Said
from agent.probes.dns_message import (
    NO_SUCH_NAME,
    WELL,
    Answer,
    DnsError,
    decode_answer,
    encode_query,
    labels_of,
)
from agent.probes.public import is_public
from agent.probes.verdict import Verdict
from agent.probes.way import UDP_HEADERS, Way, refusal_of, unsent

PORT: Final = 53
AGAIN_S: Final = 1.0
"""A datagram may get lost on a good line: the question is sent this often until it is answered."""
LONGEST_ANSWER: Final = 512
"""Bytes of a datagram without extensions (RFC 1035, 2.3.4)."""
SHOWN_ADDRESSES: Final = 4


@dataclass(frozen=True, slots=True)
class Named(Verdict):
    """What came of one question; ``addresses`` are what the name is said to have, true or not."""

    addresses: tuple[str, ...] = ()


def judge(answer: Answer) -> tuple[Said, str]:
    """What an answer to the question for a public name that must exist means, and what it says."""
    if answer.code == NO_SUCH_NAME:
        return Said.WRONG, "says that the name does not exist"
    if answer.code != WELL:
        return Said.REFUSED, answer.code_name
    if not answer.addresses:
        return (Said.REFUSED, "truncated") if answer.truncated else (Said.WRONG, "no address")
    shown = " ".join(answer.addresses[:SHOWN_ADDRESSES])
    return (Said.WELL if all(map(is_public, answer.addresses)) else Said.WRONG), shown


async def ask_name(
    way: Way, server: str, name: str, clock: Callable[[], float], timeout_s: float, port: int | None = None
) -> Named:
    """Ask ``server`` for ``name`` and wait for the answer, ``timeout_s`` at most.

    Args:
        way: the uplink to ask through.
        server: IPv4 address.
        name: a name with a public address.
        clock: monotonic seconds.
        timeout_s: longest wait in all.
        port: the server's; None is the usual one.
    """
    try:
        asked = way.open(socket.SOCK_DGRAM)
    except OSError as error:
        return _named(unsent(error))
    with asked:
        try:
            # Only this server's answers get through from now on, and ICMP errors find their way back.
            asked.connect((server, PORT if port is None else port))
        except OSError as error:
            return _named(unsent(error))
        return await _Question(way, asked, server, name, clock).ask(timeout_s)


class _Question:
    """One question on its way, with a number and a port that nobody else can guess."""

    def __init__(
        self, way: Way, asked: socket.socket, server: str, name: str, clock: Callable[[], float]
    ) -> None:
        self._way = way
        self._socket = asked
        self._server = server
        self._ident = int.from_bytes(os.urandom(2))
        self._query = encode_query(self._ident, name)
        self._labels = labels_of(name)
        self._clock = clock
        self._strays = 0

    async def ask(self, timeout_s: float) -> Named:
        sent_at = self._clock()
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout_s
        try:
            while loop.time() < end:
                self._way.spend(UDP_HEADERS + self._socket.send(self._query), 0)
                try:
                    async with asyncio.timeout_at(min(end, loop.time() + AGAIN_S)):
                        answer = await self._answer()
                except TimeoutError:
                    continue
                said, detail = judge(answer)
                took_ms = round((self._clock() - sent_at) * 1000, 2)
                return Named(said, took_ms, self._server, detail, answer.addresses)
        except OSError as error:
            return self._failed(error)
        strays = f", {self._strays} datagrams that are no answer to it" if self._strays else ""
        return Named(Said.SILENT, detail=f"no answer{strays}")

    async def _answer(self) -> Answer:
        loop = asyncio.get_running_loop()
        while True:
            data = await loop.sock_recv(self._socket, LONGEST_ANSWER)
            self._way.spend(0, UDP_HEADERS + len(data))
            try:
                answer = decode_answer(data)
            except DnsError:
                answer = None
            if answer is not None and answer.ident == self._ident and answer.name in (None, self._labels):
                return answer
            self._strays += 1
            # Receiving does not wait while there is something: a flood must not keep the event loop.
            await asyncio.sleep(0)

    def _failed(self, error: OSError) -> Named:
        """An ICMP error has come back, or the question could not be sent."""
        return _named(refusal_of(self._socket, error) or unsent(error))


def _named(verdict: Verdict) -> Named:
    return Named(verdict.said, verdict.took_ms, verdict.by, verdict.detail)
