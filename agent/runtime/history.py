"""The store's worker: everything that touches the database runs there, one call after the other.

So events keep their order, a slow card never holds up the engine, and the outbox is told when there is
something to send.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import WeakSet

from agent.core.instant import Now
from agent.core.model import Event, Part, Recorded
from agent.runtime.board import Board
from agent.runtime.store import Store


class History:
    """Writes events, shows them once written, and passes on what the store says of itself."""

    def __init__(
        self, store: Store, disk: ThreadPoolExecutor, board: Board, post: Callable[[Part], None]
    ) -> None:
        self._store = store
        self._disk = disk
        self._board = board
        self._post = post
        self._faults: dict[str, Part] = {}
        self._listeners: WeakSet[asyncio.Event] = WeakSet()

    def listen(self) -> asyncio.Event:
        """An event of the caller's own, set whenever the outbox has grown; the caller clears and keeps it."""
        filled = asyncio.Event()
        self._listeners.add(filled)
        return filled

    def tell(self, events: Sequence[tuple[Event, Now]]) -> None:
        """Write the events of a step, then show them to live readers; returns at once."""
        task = asyncio.get_running_loop().run_in_executor(self._disk, self._store.append, events)
        task.add_done_callback(self._told)

    def _told(self, done: asyncio.Future[list[Recorded]]) -> None:
        if done.cancelled():
            return
        for recorded in done.result():
            self._board.tell(recorded)
        for filled in self._listeners:
            filled.set()
        self.report_faults()

    def report_faults(self) -> None:
        """Post what is wrong with the store, and what is no longer, when it changes."""
        faults = {part.name: part for part in self._store.faults}
        for name, part in faults.items():
            if self._faults.get(name) != part:
                self._post(part)
        for name in self._faults.keys() - faults.keys():
            self._post(Part(name, ok=True))
        self._faults = faults

    async def call(self, method: Callable[..., Any], *args: object) -> Any:
        """Run a blocking call after all that were asked for before."""
        return await asyncio.get_running_loop().run_in_executor(self._disk, method, *args)

    async def run(self, calm_after_s: float, now: Callable[[], Now]) -> None:
        """Tell the store what time brings, until cancelled.

        Args:
            calm_after_s: once the agent has run this long, its start no longer counts towards a boot loop.
            now: the machine's clocks.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._note_calm(calm_after_s))
            group.create_task(self._note_clock(now))

    async def _note_calm(self, after_s: float) -> None:
        await asyncio.sleep(after_s)
        await self.call(self._store.note_calm)

    async def _note_clock(self, now: Callable[[], Now]) -> None:
        """As soon as the clock is known, also when no event happens then: some may be about to be sent."""
        known = False
        async for snapshot in self._board.snapshots():
            if snapshot.synced and not known:
                await self.call(self._store.note_clock, now())
            known = snapshot.synced

    async def close(self) -> None:
        """Write what is waiting, and close the store."""
        await self.call(self._store.close)
