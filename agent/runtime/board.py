"""The latest snapshot and the stream of events, for any number of readers.

A reader of snapshots always gets the newest and may miss some: it shows a state. A reader of events gets
all of them through its own bounded queue; one that is too slow loses its oldest (live views only; what
must not be lost goes through the store).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from agent.core.model import Recorded
from agent.core.snapshot_types import Snapshot

EVENT_BACKLOG = 200
RECENT = 50
"""What a person who begins to watch sees of the time before."""


class Board:
    """Where the engine pins what sinks show. Everything runs in the event loop's thread."""

    def __init__(self) -> None:
        self.latest: Snapshot | None = None
        self._changed = asyncio.Event()
        self._event_readers: list[_EventQueue] = []
        self._recent: deque[Recorded] = deque(maxlen=RECENT)

    def publish(self, snapshot: Snapshot) -> None:
        """Replace the picture and wake its readers."""
        self.latest = snapshot
        self._changed.set()
        self._changed = asyncio.Event()

    def tell(self, recorded: Recorded) -> None:
        """Hand one event to every reader of events."""
        self._recent.append(recorded)
        for reader in self._event_readers:
            reader.put(recorded)

    async def snapshots(self) -> AsyncIterator[Snapshot]:
        """Yield the latest snapshot now and after every change, skipping those a slow reader missed."""
        seen = -1
        while True:
            changed = self._changed
            if self.latest is not None and self.latest.seq != seen:
                seen = self.latest.seq
                yield self.latest
            else:
                await changed.wait()

    async def events(self, *, recent: bool = False) -> AsyncIterator[Recorded]:
        """Yield every event told from now on, and before them the last few if ``recent``."""
        queue = _EventQueue()
        for recorded in self._recent if recent else ():
            queue.put(recorded)
        self._event_readers.append(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._event_readers.remove(queue)


class _EventQueue:
    """A queue that drops its oldest entry rather than block the engine."""

    def __init__(self) -> None:
        self._items: deque[Recorded] = deque(maxlen=EVENT_BACKLOG)
        self._filled = asyncio.Event()

    def put(self, recorded: Recorded) -> None:
        self._items.append(recorded)
        self._filled.set()

    async def get(self) -> Recorded:
        while not self._items:
            self._filled.clear()
            await self._filled.wait()
        return self._items.popleft()
