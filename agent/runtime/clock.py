"""The one place that reads the machine's clocks."""

from __future__ import annotations

import ctypes
import time
from pathlib import Path
from typing import Protocol

from agent.core.instant import Now

SYNC_CHECK_S = 10.0
_TIME_ERROR = 5  # adjtimex(2): clock not synchronised
_TIMEX_BYTES = 256  # struct timex is 208 bytes on 64-bit Linux


class Clock(Protocol):
    """Gives the present instant."""

    def now(self) -> Now:
        """The instant, on all clocks at once."""


class SystemClock:
    """Monotonic seconds since boot, wall time, and whether that wall time is to be believed."""

    def __init__(
        self,
        boot_id: Path = Path("/proc/sys/kernel/random/boot_id"),
        timesync: Path = Path("/run/systemd/timesync/synchronized"),
    ) -> None:
        try:
            self._boot = boot_id.read_text().strip()
        except OSError:
            self._boot = ""
        self._timesync = timesync
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._synced = False
        self._zone_s = 0.0
        self._checked_at = float("-inf")

    def now(self) -> Now:
        """The instant, to a tenth of a millisecond: what is recorded is exactly what was decided upon."""
        mono = round(time.monotonic(), 4)
        if mono - self._checked_at >= SYNC_CHECK_S:
            self._checked_at = mono
            self._synced = self._kernel_says_synced() or self._timesync.exists()
            self._zone_s = float(time.localtime().tm_gmtoff)
        return Now(mono, round(time.time(), 3), self._synced, self._boot, self._zone_s)

    def _kernel_says_synced(self) -> bool:
        buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
        state = int(self._libc.adjtimex(buffer))
        return state not in (-1, _TIME_ERROR)
