"""A clock that stands still until a test lets it go on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass
class StandingClock:
    """The time, and the sleepers that wait by it."""

    now: float = 1000.0
    sleepers: list[tuple[float, asyncio.Future[None]]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody has gone to sleep."""

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        waked = asyncio.get_running_loop().create_future()
        self.sleepers.append((self.now + seconds, waked))
        self.news.set()
        await waked
