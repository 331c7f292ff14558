"""When does a packet leave a line? Delay, jitter, loss and rate as pure arithmetic on a given time."""

from __future__ import annotations

import random
from dataclasses import dataclass

QUEUE_PACKETS = 2000
"""Packets on the way or waiting in one direction; more are dropped (3 MB of full frames)."""

QUEUE_S = 0.5
"""Longest wait before a slow line: a packet that would wait longer is dropped, as a modem's buffer does."""


@dataclass(frozen=True, slots=True)
class LinkQuality:
    """How good a line is, for each direction on its own: a round trip suffers everything twice.

    Attributes:
        delay_ms: least time a packet is on the way, 0 or more.
        jitter_ms: up to this much is added to each packet, evenly spread; packets never overtake.
        loss: share of packets that vanish, 0 to 1.
        rate_kbit: kilobits per second (1000 bits), above 0; None is unlimited.

    Raises:
        ValueError: out of range.
    """

    delay_ms: float = 4.0
    jitter_ms: float = 0.5
    loss: float = 0.0
    rate_kbit: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.delay_ms < float("inf") or not 0 <= self.jitter_ms < float("inf"):
            raise ValueError(
                f"delay_ms and jitter_ms are 0 or more, not {self.delay_ms!r}, {self.jitter_ms!r}"
            )
        if not 0 <= self.loss <= 1:
            raise ValueError(f"loss is a share from 0 to 1, not {self.loss!r}")
        if self.rate_kbit is not None and not self.rate_kbit > 0:
            raise ValueError(f"rate_kbit is above 0 or None, not {self.rate_kbit!r}")


class Schedule:
    """The fate of each packet of one direction, in the order in which they arrive.

    Attributes:
        quality: may be replaced at any time; counts for the packets that arrive from then on.
        rng: seeded by the caller; every packet draws the same amount of luck whatever the quality, so that
            a story told twice loses the same packets.
    """

    def __init__(self, quality: LinkQuality, rng: random.Random) -> None:
        self.quality = quality
        self._rng = rng
        self._free_at = float("-inf")
        """When the line has sent the last bit of everything before."""
        self._last_at = float("-inf")

    def leaves_at(self, now: float, size_bytes: int, waiting: int) -> float | None:
        """When a packet that arrives ``now`` comes out at the other end; None if it never does.

        Args:
            now: seconds, of any clock that never goes back.
            size_bytes: length of the whole frame.
            waiting: packets of this direction that have not come out yet.
        """
        luck, wobble = self._rng.random(), self._rng.random()
        quality = self.quality
        if luck < quality.loss or waiting >= QUEUE_PACKETS:
            return None
        sent_at = now
        if quality.rate_kbit is not None:
            begins_at = max(now, self._free_at)
            if begins_at - now > QUEUE_S:
                return None
            sent_at = self._free_at = begins_at + size_bytes * 8 / (quality.rate_kbit * 1000)
        self._last_at = max(self._last_at, sent_at + (quality.delay_ms + wobble * quality.jitter_ms) / 1000)
        return self._last_at

    def forget(self) -> None:
        """Nothing is on the way any more: the line was cut."""
        self._free_at = self._last_at = float("-inf")
