"""How often the agent has started lately: an agent that keeps dying may itself be the trouble."""

from __future__ import annotations

from collections.abc import Sequence

from agent.core.instant import Now, Stamp, age_s, stamp

QUICK_S = 600.0
KEPT = 20


class Starts:
    """The starts that may still count; those of this run apart from those before it."""

    def __init__(self, earlier: Sequence[Stamp] = ()) -> None:
        self.stamps = list(earlier)
        self._own = 0

    def note(self, now: Now) -> None:
        """This run has started."""
        recent = [start for start in self.stamps if age_s(start, now) <= QUICK_S]
        self.stamps = [*recent, stamp(now)][-KEPT:]
        self._own = min(self._own + 1, len(self.stamps))

    def forget(self) -> None:
        """The agent has run long enough: its starts so far no longer count."""
        self.stamps, self._own = [], 0

    def quick(self, now: Now) -> int:
        """How many earlier runs started within the last ten minutes."""
        earlier = self.stamps[: len(self.stamps) - self._own]
        return sum(age_s(start, now) <= QUICK_S for start in earlier)
