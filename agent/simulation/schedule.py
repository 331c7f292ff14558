"""Time that passes only when it is told to, and what is to happen in it."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from math import inf


class Schedule:
    """Calls at instants. ``t`` is the present one, seconds; calls due together come in the order given."""

    def __init__(self, t: float) -> None:
        self.t = t
        self._count = itertools.count()
        self._heap: list[tuple[float, int, Callable[..., None], tuple[object, ...]]] = []

    def at(self, when: float, call: Callable[..., None], *args: object) -> None:
        """Call ``call(*args)`` at ``when``; an instant that has passed is now."""
        heapq.heappush(self._heap, (when, next(self._count), call, args))

    @property
    def next_at(self) -> float:
        """When the next call is due; infinity if there is none."""
        return self._heap[0][0] if self._heap else inf

    def run_next(self) -> None:
        """Go to the instant of the next call, and call it."""
        when, _, call, args = heapq.heappop(self._heap)
        self.t = max(self.t, when)
        call(*args)
