"""The last 24 hours of each uplink, a minute at a time, in some kilobytes of memory; gone with the agent."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import isfinite, nan
from typing import TypeVar

from agent.core.snapshot_types import Health, Phase, Snapshot, UplinkView

MINUTE_S = 60.0
KEPT = 1440

T = TypeVar("T")


class Band(IntEnum):
    """What an uplink was like for a while; of several, the greatest tells most."""

    NOTHING = 0
    """Nobody measured."""
    UNKNOWN = 1
    UP = 2
    DOUBT = 3
    """Slow, or in doubt."""
    DOWN = 4
    RESTARTING = 5


BANDS = {
    Health.UNKNOWN: Band.UNKNOWN,
    Health.UP: Band.UP,
    Health.SUSPECT: Band.DOUBT,
    Health.DEGRADED: Band.DOUBT,
    Health.DOWN: Band.DOWN,
}


def is_linked(uplink: UplinkView) -> bool:
    """False without a link: then nothing is asked, and the last answers say nothing of now."""
    return uplink.present and uplink.carrier is not False


@dataclass(frozen=True, slots=True)
class Trail:
    """One uplink's last ``KEPT`` minutes, oldest first.

    Attributes:
        end: the number of the minute after the last, of monotonic time.
        bands: a ``Band`` for each minute.
        rtt_ms: mean round trip of each minute; NaN where no target answered.
    """

    end: int
    bands: bytes
    rtt_ms: array[float]

    @property
    def measured(self) -> int:
        """How many minutes ago measuring began; 0 if it has not."""
        return next((KEPT - place for place, band in enumerate(self.bands) if band), 0)


class _Ring:
    """One uplink's minutes, each at the place of its number modulo ``KEPT``."""

    def __init__(self, minute: int) -> None:
        self.minute = minute
        self.bands = bytearray(KEPT)
        self.rtt_ms = array("f", [nan]) * KEPT
        self.samples = 0

    def forward(self, minute: int) -> None:
        """Begin ``minute``; those nobody measured are empty."""
        for number in range(max(self.minute + 1, minute - KEPT + 1), minute + 1):
            self.bands[number % KEPT] = Band.NOTHING
            self.rtt_ms[number % KEPT] = nan
        if minute > self.minute:
            self.minute, self.samples = minute, 0

    def add(self, band: Band, rtt_ms: float | None) -> None:
        """One picture more of the present minute."""
        place = self.minute % KEPT
        self.bands[place] = max(self.bands[place], band)
        if rtt_ms is not None and isfinite(rtt_ms):
            self.samples += 1
            mean = self.rtt_ms[place] if self.samples > 1 else rtt_ms
            self.rtt_ms[place] = mean + (rtt_ms - mean) / self.samples


class Minutes:
    """Gathers snapshots; about 7 kB for each uplink."""

    def __init__(self) -> None:
        self._rings: dict[str, _Ring] = {}

    def add(self, snapshot: Snapshot) -> None:
        """Take in one more picture of the site, not older than the last."""
        minute = int(snapshot.mono // MINUTE_S)
        cycling = {box.uplink for box in snapshot.boxes if box.phase is not Phase.POWERED}
        for uplink in snapshot.uplinks:
            ring = self._rings.setdefault(uplink.name, _Ring(minute))
            ring.forward(minute)
            answers = uplink.health.works and is_linked(uplink)
            band = Band.RESTARTING if uplink.name in cycling else BANDS[uplink.health]
            ring.add(band, uplink.rtt_ms if answers else None)

    def trail(self, uplink: str, mono: float) -> Trail:
        """What is known at ``mono`` of the hours before."""
        end = int(mono // MINUTE_S) + 1
        ring = self._rings.get(uplink)
        if ring is None:
            return Trail(end, bytes(KEPT), array("f", [nan]) * KEPT)
        ring.forward(end - 1)
        turn = (ring.minute + 1) % KEPT
        return Trail(
            ring.minute + 1, bytes(_turned(ring.bands, turn)), array("f", _turned(ring.rtt_ms, turn))
        )


def _turned(ring: Sequence[T], turn: int) -> tuple[T, ...]:
    return (*ring[turn:], *ring[:turn])
