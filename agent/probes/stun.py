"""Asks a STUN server (RFC 8489) what address packets of one way come from.

By UDP from a socket that is bound to the way, so that the answer is about this way and no other. A question
and its answer are 108 bytes on the line, more where the server adds its name.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from agent.probes.stun_message import (
    IDENT_BYTES,
    LONGEST_ANSWER,
    StunError,
    StunRefusedError,
    decode_answer,
    encode_request,
)
from agent.probes.way import UDP_HEADERS, Way, refusal_of, unsent

USUAL_PORT: Final = 3478
AGAIN_S: Final = (0.5, 1.0, 1.5)
"""A datagram may get lost: the question is sent anew after each of these waits (RFC 8489, 6.2.1), and given
up after the last."""
_UDP6_HEADERS: Final = 48


@dataclass(frozen=True, slots=True)
class Mapped:
    """What came of one question: the address, or why there is none."""

    address: str | None
    why: str = ""


async def ask_stun(way: Way, server: str, port: int, clock: Callable[[], float]) -> Mapped:
    """Ask the server where packets of this way come from; gives up after ``AGAIN_S``.

    Args:
        way: to ask through.
        server: IPv4 or IPv6 address.
        port: UDP port.
        clock: monotonic seconds; only their differences matter.
    """
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    try:
        asked = way.open(socket.SOCK_DGRAM, family)
    except OSError as error:
        return Mapped(None, unsent(error).detail)
    with asked:
        try:
            # Only this server's answers get through from now on, and ICMP errors find their way back.
            asked.connect((server, port))
        except OSError as error:
            return Mapped(None, unsent(error).detail)
        headers = UDP_HEADERS if family == socket.AF_INET else _UDP6_HEADERS
        return await _Question(way, asked, headers, clock).ask()


class _Question:
    """One question on its way, with a number that nobody else can guess."""

    def __init__(self, way: Way, asked: socket.socket, headers: int, clock: Callable[[], float]) -> None:
        self._way = way
        self._socket = asked
        self._headers = headers
        self._clock = clock
        self._ident = os.urandom(IDENT_BYTES)
        self._strays = 0

    async def ask(self) -> Mapped:
        request = encode_request(self._ident)
        try:
            for wait_s in AGAIN_S:
                self._way.spend(self._headers + self._socket.send(request), 0)
                try:
                    async with asyncio.timeout(wait_s):
                        return Mapped(await self._answer())
                except TimeoutError:
                    continue
        except StunRefusedError as refusal:
            return Mapped(None, str(refusal))
        except OSError as error:
            return Mapped(None, (refusal_of(self._socket, error) or unsent(error)).detail)
        strays = f", {self._strays} datagrams that are no answer to it" if self._strays else ""
        return Mapped(None, f"no answer{strays}")

    async def _answer(self) -> str:
        loop = asyncio.get_running_loop()
        while True:
            # One byte more than is allowed, so that what is too long is seen to be.
            data = await loop.sock_recv(self._socket, LONGEST_ANSWER + 1)
            self._way.spend(0, self._headers + len(data))
            try:
                if len(data) <= LONGEST_ANSWER:
                    return decode_answer(data, self._ident)
            except StunRefusedError:
                raise
            except StunError:
                pass
            self._strays += 1
            # Receiving does not wait while there is something: a flood must not keep the event loop.
            await asyncio.sleep(0)
