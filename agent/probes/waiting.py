"""Waiting for a time that may be brought forward."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def sleep_unless(news: asyncio.Event, sleep: Callable[[float], Awaitable[None]], wait_s: float) -> None:
    """Sleep so many seconds, or until there is news; what was news before is forgotten."""
    news.clear()
    sleeping = asyncio.ensure_future(sleep(wait_s))
    hearing = asyncio.ensure_future(news.wait())
    try:
        await asyncio.wait((sleeping, hearing), return_when=asyncio.FIRST_COMPLETED)
    finally:
        sleeping.cancel()
        hearing.cancel()
        await asyncio.wait((sleeping, hearing))
