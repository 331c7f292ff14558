"""Asking the running agent for a power cycle, and following it to its end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from agent.cli.control_client import EventLine, UnreachableError, ask, watch
from agent.core.codes import Code
from agent.core.snapshot_types import Snapshot

ENDS = frozenset({Code.CYCLE_HELPED, Code.CYCLE_DID_NOT_HELP, Code.CYCLE_REFUSED})
"""What a cycle that was ordered ends with."""
TICK_S = 0.25
SILENCE_S = 15.0
"""The agent shows a picture every second; after this long without one it is gone or stuck."""


class Onlooker(Protocol):
    """Is told what happens meanwhile."""

    def event(self, event: EventLine) -> None:
        """Something has happened to the box, or to its relay."""

    def picture(self, shot: Snapshot) -> None:
        """A new picture of the site."""

    def tick(self) -> None:
        """A moment has passed: countdowns may move."""


class GoneError(UnreachableError):
    """The agent has gone while a cycle was under way."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """What came of it: the agent's answer, and the event that ended the cycle if it was begun."""

    answer: dict[str, Any]
    end: EventLine | None = None

    @property
    def helped(self) -> bool:
        """The box was cut, came back, and its uplink works."""
        return self.end is not None and self.end.code == Code.CYCLE_HELPED


async def order(socket: Path, request: dict[str, Any], onlooker: Onlooker) -> Ordered:
    """Ask for a cycle of the box ``request["box"]`` and follow it.

    Raises:
        UnreachableError: there is no agent to ask.
        GoneError: it has gone in the middle.
        RefusedError: the request makes no sense to the agent.
    """
    # Looking on begins before the asking, so that nothing of the cycle is missed.
    async with contextlib.aclosing(watch(socket, recent=False)) as stream:
        first = await anext(stream, None)
        if not isinstance(first, Snapshot):
            raise UnreachableError(f"{socket}: the agent shows nothing")
        onlooker.picture(first)
        answer = await ask(socket, request)
        if not answer.get("ok"):
            return Ordered(answer)
        return Ordered(answer, await _end(stream, str(request["box"]), onlooker))


async def _end(stream: AsyncGenerator[Snapshot | EventLine, None], box: str, onlooker: Onlooker) -> EventLine:
    begun = False
    async with contextlib.aclosing(_with_ticks(stream, onlooker)) as messages:
        async for message in messages:
            if isinstance(message, Snapshot):
                onlooker.picture(message)
            elif message.subject == box:
                onlooker.event(message)
                begun = begun or message.code == Code.CYCLE_ORDERED
                if begun and message.code in ENDS:
                    return message
    raise GoneError


async def _with_ticks(
    stream: AsyncGenerator[Snapshot | EventLine, None], onlooker: Onlooker
) -> AsyncGenerator[Snapshot | EventLine, None]:
    """The messages of ``stream``; between them the onlooker is told that time passes."""
    clock = asyncio.get_running_loop().time
    heard_at = clock()
    coming = asyncio.ensure_future(anext(stream, None))
    try:
        while clock() - heard_at < SILENCE_S:
            done, _ = await asyncio.wait({coming}, timeout=TICK_S)
            onlooker.tick()
            if not done:
                continue
            message = coming.result()
            if message is None:
                return
            heard_at = clock()
            coming = asyncio.ensure_future(anext(stream, None))
            yield message
    finally:
        coming.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await coming
