"""A conversation by TCP with a service: bounded in time and size, whatever the other side does."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

from agent.core.service_words import Snag
from agent.probes.services.outcome import Outcome, unmade
from agent.probes.tcp import account, connect, refused
from agent.probes.way import Way, unsent

RECEIVE_BYTES = 16_384
"""A small window: of what a server pushes, hardly more than is read is ever sent."""
PIECE_BYTES = 4096


def since_ms(began_at: float, clock: Callable[[], float]) -> float:
    """Milliseconds from then to now."""
    return round((clock() - began_at) * 1000, 2)


class Talk:
    """One connection that stands, and what was heard on it."""

    def __init__(self, asked: socket.socket, address: str, clock: Callable[[], float], most: int) -> None:
        self.socket = asked
        self.address = address
        self.heard = b""
        self._clock = clock
        self._began_at = clock()
        self._left = most
        self._loop = asyncio.get_running_loop()

    @property
    def took_ms(self) -> float:
        """Since it was begun, the making of the connection included."""
        return since_ms(self._began_at, self._clock)

    async def say(self, data: bytes) -> None:
        """Send all of it."""
        await self._loop.sock_sendall(self.socket, data)

    async def listen(self) -> bool:
        """Hear some more; False if nothing more can come, or enough has."""
        if self._left <= 0:
            return False
        piece = await self._loop.sock_recv(self.socket, min(PIECE_BYTES, self._left))
        self._left -= len(piece)
        self.heard += piece
        # Receiving does not wait while there is something: a flood must not keep the event loop.
        await asyncio.sleep(0)
        return bool(piece)

    def over(self, snag: Snag | None, detail: str, valid_until: float | None = None) -> Outcome:
        """The conversation ends with this."""
        return Outcome(snag, self.took_ms, self.address, detail, valid_until)

    def cut_short(self) -> Outcome:
        """What it means that nothing more was heard before there was an answer."""
        if self._left <= 0:
            return self.over(Snag.NOT_SPOKEN, "an answer without end")
        return self.over(Snag.HUNG_UP, "hung up before it had answered")


async def ask_by_tcp(
    way: Way,
    server: tuple[str, int],
    clock: Callable[[], float],
    timeout_s: float,
    most: int,
    converse: Callable[[Talk], Awaitable[Outcome]],
) -> Outcome:
    """Connect, converse, and hang up; ``timeout_s`` at most for all of it.

    Args:
        way: the way to ask through.
        server: IPv4 address and port.
        clock: monotonic seconds.
        timeout_s: longest time in all.
        most: bytes that are listened to.
        converse: what is said once the connection stands; the same errors are told for all.
    """
    address, port = server
    try:
        asked = way.open(socket.SOCK_STREAM)
    except OSError as error:
        return unmade(unsent(error), address)
    with asked:
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        talk = Talk(asked, address, clock, most)
        connected = False
        try:
            async with asyncio.timeout(timeout_s):
                refusal = await connect(asked, address, port)
                if refusal is not None:
                    return unmade(refusal, address)
                connected = True
                return await converse(talk)
        except TimeoutError:
            if not connected:
                return Outcome(Snag.NO_CONNECTION, detail="no connection")
            return Outcome(Snag.SILENT, by=address, detail="connected, then no answer in time")
        except (ConnectionResetError, BrokenPipeError):
            return talk.over(Snag.HUNG_UP, "connected, then reset")
        except OSError as error:
            return unmade(refused(asked, error, address), address)
        finally:
            account(way, asked)
