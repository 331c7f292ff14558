"""The machine that the agent runs on: its clocks, which stop with its power."""

from __future__ import annotations

from collections.abc import Callable

from agent.core.instant import Now
from agent.simulation.schedule import Schedule

SYNC_EVERY_S = 16.0


class Machine:
    """Its clocks, and the schedule of the world around it.

    Args:
        start_at: the first instant, seconds; the machine has been running for so long.
        wall: UNIX seconds then.
        boot: names this boot.
        zone_s: seconds of local time ahead of UTC.
    """

    def __init__(self, start_at: float, wall: float, boot: str, zone_s: float) -> None:
        self.schedule = Schedule(start_at)
        self.wall_offset = self._true_offset = wall - start_at
        self.synced = True
        self.boot = boot
        self.booted_at = 0.0
        self._dark_since = start_at
        self.zone_s = zone_s

    @property
    def t(self) -> float:
        """Seconds of the world's own clock; the machine's monotonic clock unless it has been restarted."""
        return self.schedule.t

    @t.setter
    def t(self, t: float) -> None:
        self.schedule.t = t

    def at(self, when: float, call: Callable[..., None], *args: object) -> None:
        """Call ``call(*args)`` when the world's clock shows ``when``."""
        self.schedule.at(when, call, *args)

    def mono(self) -> float:
        """The machine's monotonic clock, seconds since its boot."""
        return self.schedule.t - self.booted_at

    def now(self) -> Now:
        """The machine's clocks."""
        mono, wall = round(self.mono(), 6), round(self.t + self.wall_offset, 3)
        return Now(mono, wall, self.synced, self.boot, self.zone_s)

    def clocks_stop(self) -> None:
        """The machine loses its power."""
        self._true_offset, self._dark_since = self.wall_offset, self.t

    def clocks_start(self, knows_time: Callable[[], bool]) -> None:
        """The machine gets its power back.

        There is no battery: the wall clock goes on from where it stopped, until the internet tells the time,
        for which ``knows_time`` is asked again and again.
        """
        self.booted_at = self.t
        self.boot += "+"
        self.wall_offset = self._true_offset - (self.t - self._dark_since)
        self.synced = False
        self.at(self.t + SYNC_EVERY_S, self._sync, knows_time)

    def _sync(self, knows_time: Callable[[], bool]) -> None:
        if knows_time():
            self.wall_offset, self.synced = self._true_offset, True
        else:
            self.at(self.t + SYNC_EVERY_S, self._sync, knows_time)
