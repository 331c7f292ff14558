"""When to check one uplink: at regular times, and at once when asked, but never too often. No I/O."""

from __future__ import annotations

import math
from typing import Final

SPACING_S: Final = 5.0
"""From the begin of a run to the begin of the next, however often it is asked for."""


class Turns:
    """The timetable of one uplink: ``first_at`` and every ``every_s`` from there, monotonic seconds.

    Runs begin ``spacing_s`` apart at least.
    """

    def __init__(self, first_at: float, every_s: float, spacing_s: float = SPACING_S) -> None:
        self._first_at = first_at
        self._every_s = every_s
        self._spacing_s = spacing_s
        self._began_at = -math.inf
        self._asked = False
        self.due_at = first_at
        """When the next run is to begin."""

    def ask(self, now: float) -> None:
        """Somebody wants to know now: the next run begins as early as it may."""
        self.due_at = min(self.due_at, max(now, self._began_at + self._spacing_s))
        self._asked = True

    def every(self, every_s: float) -> None:
        """Let regular runs follow each other at this distance; one that was asked for stays as it is."""
        self._every_s = every_s
        if self._began_at > -math.inf and not self._asked:
            self.due_at = self._first_at = self._began_at + every_s

    def begin(self, now: float) -> None:
        """A run begins; it also serves for a regular one that would follow in less than half the interval."""
        self._began_at, self._asked = now, False
        earliest = now + max(self._every_s / 2, self._spacing_s)
        rounds = math.ceil((earliest - self._first_at) / self._every_s)
        self.due_at = self._first_at + max(0, rounds) * self._every_s
