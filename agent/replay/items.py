"""What a trace is made of, whatever file it came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush

from agent.core.model import Observation, Probe, Role
from agent.runtime.trace import Start

TIMEOUT_S = 1.0
"""An echo unanswered for this long counts as lost, as in the daemon; its answer may still come."""
HOLE_S = 4.0
"""A longer pause between two echoes means that nobody was sending."""
LATEST_S = 20.0
"""How long an echo is held back because its answer may still come; no rule read here waits that long."""


@dataclass(frozen=True, slots=True)
class Away:
    """From the item's instant until ``until`` nobody was watching: nothing can be said of that time."""

    until: float


@dataclass(frozen=True, slots=True)
class Echo:
    """One echo with all that ever became of it. ``rtt_s`` is None if no answer came."""

    uplink: str
    target: str
    sent_at: float
    rtt_s: float | None

    def answered_within(self, timeout_s: float) -> bool:
        """True if a prober that waits ``timeout_s`` saw the answer."""
        return self.rtt_s is not None and self.rtt_s <= timeout_s


Item = Observation | Start | Away
Timed = tuple[float, Item]
"""An item with its instant: monotonic seconds, when it became known."""


class InSendOrder:
    """Outcomes come as they become known; other probers are shown the echoes in the order of sending.

    An echo is held back until its answer can hardly come any more.
    """

    def __init__(self) -> None:
        self._order: list[tuple[float, int, str, str]] = []
        self._rtts: dict[tuple[str, str, float], float | None] = {}
        self._count = 0
        self._shown_to = float("-inf")

    def take(self, at: float, item: Item) -> Iterator[Echo | Away]:
        """One more item; what can be shown now. Only echoes to targets that were really sent are."""
        if isinstance(item, Probe):
            if item.role is not Role.TARGET or (item.why is not None and not item.why.was_sent):
                return
            if item.sent_at > self._shown_to:
                key = (item.uplink, item.target, item.sent_at)
                if key not in self._rtts:
                    self._count += 1
                    heappush(self._order, (item.sent_at, self._count, item.uplink, item.target))
                self._rtts[key] = None if item.rtt_ms is None else item.rtt_ms / 1000
            yield from self._up_to(at - LATEST_S)
        elif isinstance(item, Away):
            yield from self._up_to(at)
            yield item
        elif isinstance(item, Start):
            yield from self.end()
            self._shown_to = float("-inf")
            yield Away(at)

    def end(self) -> Iterator[Echo]:
        """The trace is over: whatever is left."""
        yield from self._up_to(float("inf"))

    def _up_to(self, sent_at: float) -> Iterator[Echo]:
        while self._order and self._order[0][0] <= sent_at:
            at, _, uplink, target = heappop(self._order)
            self._shown_to = at
            yield Echo(uplink, target, at, self._rtts.pop((uplink, target, at)))
