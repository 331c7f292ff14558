"""One way's rounds of questions: at regular times, at once when asked, anew when the way has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from agent.core.model import Link
from agent.probes.turns import Turns
from agent.probes.waiting import sleep_unless


class Round(Protocol):
    """What is asked in one round."""

    def link_changed(self, link: Link) -> bool:
        """Follow the interface; True if what is being asked now can no longer be answered."""
        ...

    @property
    def is_open(self) -> bool:
        """Packets can leave, as far as is known."""
        ...

    async def ask_all(self) -> None:
        """Ask everything, and post each answer as it comes."""
        ...


class Asker:
    """Makes the rounds of one way, one at a time."""

    def __init__(
        self,
        inquiry: Round,
        turns: Turns,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._inquiry = inquiry
        self._turns = turns
        self._clock = clock
        self._sleep = sleep
        self._news = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def ask(self) -> None:
        """Begin a round now; if one began a moment ago, a few seconds later."""
        self._turns.ask(self._clock())
        self._news.set()

    def every(self, every_s: float) -> None:
        """Begin a round every ``every_s`` seconds from now on."""
        self._turns.every(every_s)
        self._news.set()

    def link_changed(self, link: Link) -> None:
        """Follow the interface; a new way out is asked through at once."""
        if not self._inquiry.link_changed(link):
            return
        if self._running is not None:
            # What is under way was asked through another network, and says nothing about this one.
            self._running.cancel()
        if self._inquiry.is_open:
            self.ask()

    async def keep_asking(self) -> None:
        """Make rounds until cancelled."""
        while True:
            await self._until_due()
            self._turns.begin(self._clock())
            await self._ask()

    async def _until_due(self) -> None:
        while (wait_s := self._turns.due_at - self._clock()) > 0:
            await sleep_unless(self._news, self._sleep, wait_s)

    async def _ask(self) -> None:
        task = self._running = asyncio.ensure_future(self._inquiry.ask_all())
        try:
            await asyncio.wait((task,))
        finally:
            self._running = None
            if not task.done():
                task.cancel()
                await asyncio.wait((task,))
        if not task.cancelled():
            task.result()
