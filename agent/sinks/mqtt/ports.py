"""What the sink needs of the rest of the agent."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from agent.core.model import Recorded
from agent.core.snapshot_types import Snapshot


class Meter(Protocol):
    """Counts what connections cost; may be called in any thread."""

    def opened(self, connection: socket.socket) -> None:
        """Count this connection."""

    def closed(self, connection: socket.socket) -> None:
        """It is about to be closed."""


class Outbox(Protocol):
    """Events that the broker must get; calls may block, and are made through ``RunBlocking``."""

    def pending(self, after: int, limit: int) -> list[Recorded]:
        """Up to ``limit`` events with a number above ``after`` that are not acknowledged, in order."""

    def acknowledge(self, seq: int) -> None:
        """The broker has event ``seq``."""


class RunBlocking(Protocol):
    """Runs a call where blocking does no harm; calls are made one after the other."""

    def __call__(self, call: Callable[..., Any], /, *args: object) -> Awaitable[Any]:
        """Run ``call(*args)`` and give its result."""


class Resolve(Protocol):
    """Asks public name servers through an uplink."""

    async def __call__(self, host: str, uplink: str) -> list[str]:
        """IPv4 addresses of ``host`` as asked through ``uplink``; empty if none is heard within seconds."""


class Inbox(Protocol):
    """Takes what people ask for through the broker."""

    async def take(self, verb: str, payload: bytes, *, retained: bool) -> bytes | None:
        """Do what is asked, or refuse it, and give the answer; never raises for what was sent.

        None where nothing is to be answered: a flood of commands must be no flood of answers.

        Args:
            verb: the last level of the topic.
            payload: as it came, from whoever may write there.
            retained: the broker had kept it, so nobody knows when it was asked.
        """


class Announcer(Protocol):
    """Tells others at the broker what is to be found where."""

    def due(self, snapshot: Snapshot) -> dict[str, bytes]:
        """Retained messages that are to be published now, by whole topics; empty ones remove."""

    def begin(self) -> None:
        """A connection begins: nothing counts as published."""
