"""Snapshots as they arrive, and the silence when they do not: a sink must not show old news as if fresh."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from agent.core.snapshot_types import Snapshot

STALE_S = 5.0
"""The agent decides at least once a second; after this long without a snapshot it is stuck."""


async def or_silence(
    snapshots: AsyncIterator[Snapshot], stale_s: float
) -> AsyncGenerator[Snapshot | None, None]:
    """Yield each snapshot, and None once whenever none has come for ``stale_s`` seconds."""
    coming = asyncio.ensure_future(_next(snapshots))
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=stale_s)
            if not done:
                yield None
                await asyncio.wait({coming})
            snapshot = coming.result()
            if snapshot is None:
                return
            yield snapshot
            coming = asyncio.ensure_future(_next(snapshots))
    finally:
        coming.cancel()


async def _next(snapshots: AsyncIterator[Snapshot]) -> Snapshot | None:
    return await anext(snapshots, None)
