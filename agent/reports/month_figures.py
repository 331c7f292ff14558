"""Latency, loss, signal and light of a span, a quarter of an hour at a time. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.reports.month_time import SECOND, Piece

QUARTER = 900 * SECOND
"""What one figure stands for, milliseconds."""


@dataclass(slots=True)
class Quarter:
    """What was measured through one uplink in a quarter of an hour; grows while a recording is read."""

    answered: int = 0
    lost: int = 0
    rtt_sum_ms: float = 0.0
    rtt_max_ms: float = 0.0

    def answer(self, rtt_ms: float) -> None:
        """One more answer."""
        self.answered += 1
        self.rtt_sum_ms += rtt_ms
        self.rtt_max_ms = max(self.rtt_max_ms, rtt_ms)

    @property
    def rtt_ms(self) -> float | None:
        """Mean round trip."""
        return self.rtt_sum_ms / self.answered if self.answered else None

    @property
    def loss_pct(self) -> float | None:
        """Share of the echoes that brought no answer, 0 to 100."""
        asked = self.answered + self.lost
        return 100.0 * self.lost / asked if asked else None


@dataclass(slots=True)
class Level:
    """The mean of what a device has told of its signal in a quarter of an hour; grows as ``Quarter`` does."""

    count: int = 0
    total: float = 0.0

    def add(self, value: float) -> None:
        """One more value."""
        self.count += 1
        self.total += value

    @property
    def mean(self) -> float:
        """Of at least one value."""
        return self.total / self.count


@dataclass(frozen=True, slots=True)
class Figures:
    """What is recorded.

    Attributes:
        echoes: by uplink, by the beginning of the quarter of an hour (milliseconds), what pings brought.
        levels: by uplink and kind (``rsrp_dbm``, ``sinr_db``, ``rx_dbm``), the same of signal and light.
        recorded: ordered pieces of time of which a recording is kept.
    """

    echoes: Mapping[str, Mapping[int, Quarter]] = field(default_factory=dict)
    levels: Mapping[tuple[str, str], Mapping[int, Level]] = field(default_factory=dict)
    recorded: tuple[Piece, ...] = ()
