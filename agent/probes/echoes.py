"""Echoes on their way: which answer belongs to which echo, and how long it took. No I/O.

The kernel stamps arrivals with the wall clock, which may be set at any moment. A stamp is believed only
if wall clock and monotonic clock have run together since the echo was sent; otherwise the moment of
reading counts. So a wrong time costs precision, never truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from agent.core.budget import ECHO_BYTES
from agent.core.model import Probe, Role, Why

LATE_S: Final = 60.0
"""An answer is still news this long after its echo was given up."""

CLOCKS_AGREE_S: Final = 0.001
SEQUENCES: Final = 1 << 16
EXPIRED_BYTES: Final = 28 + ECHO_BYTES
"""An ICMP error about an echo: its own headers, and the echo that it quotes (routers may quote less)."""


class Moment(NamedTuple):
    """Both clocks read together: monotonic seconds and UNIX seconds."""

    mono: float
    wall: float


class Host(NamedTuple):
    """Somebody to ask."""

    address: str
    role: Role


@dataclass(frozen=True, slots=True)
class Echo:
    """An echo that has been sent."""

    sequence: int
    host: Host
    sent: Moment


def arrived_at(sent: Moment, read: Moment, stamp: float | None) -> float:
    """Monotonic seconds at which an answer arrived that was read later.

    ``stamp`` is the kernel's wall time of the arrival. It is used only if neither clock was set between
    ``sent`` and ``read`` and if it lies between the two, as exactly as two clocks can be read.
    """
    if stamp is None:
        return read.mono
    if abs((read.wall - read.mono) - (sent.wall - sent.mono)) > CLOCKS_AGREE_S:
        return read.mono
    arrived = read.mono - (read.wall - stamp)
    # Two clocks cannot be read at one instant: an answer after microseconds may seem to precede its echo.
    if not sent.mono - CLOCKS_AGREE_S <= arrived <= read.mono + CLOCKS_AGREE_S:
        return read.mono
    return min(max(arrived, sent.mono), read.mono)


class Flight:
    """The echoes of one uplink that may still be answered."""

    def __init__(self, uplink: str, timeout_s: float) -> None:
        self._uplink = uplink
        self._timeout_s = timeout_s
        self._last = 0
        # Insertion order is the order of sending, and all share one timeout: the first is the next to end.
        self._waiting: dict[int, Echo] = {}
        self._late: dict[int, Echo] = {}
        self.strays = 0
        """Replies that came from another address than the one asked; they count for nothing."""

    @property
    def deadline(self) -> float:
        """When the oldest unanswered echo times out; infinity if there is none."""
        for echo in self._waiting.values():
            return echo.sent.mono + self._timeout_s
        return float("inf")

    def next_sequence(self) -> int:
        """A sequence number that no open echo bears."""
        for _ in range(SEQUENCES):
            self._last = (self._last + 1) % SEQUENCES
            if self._last not in self._waiting and self._last not in self._late:
                break
        return self._last

    def add(self, echo: Echo) -> None:
        """Remember an echo that has just been sent."""
        self._late.pop(echo.sequence, None)
        self._waiting[echo.sequence] = echo

    def answered(self, sequence: int, sender: str, read: Moment, stamp: float | None) -> Probe | None:
        """The outcome that a reply brings; None for strangers and duplicates."""
        echo = self._waiting.get(sequence) or self._late.get(sequence)
        if echo is None:
            return None
        if echo.host.address != sender:
            self.strays += 1
            return None
        self._waiting.pop(sequence, None)
        self._late.pop(sequence, None)
        rtt_s = max(0.0, arrived_at(echo.sent, read, stamp) - echo.sent.mono)
        rtt_ms = round(rtt_s * 1000.0, 2)
        return Probe(self._uplink, sender, echo.host.role, _said(echo.sent.mono), rtt_ms=rtt_ms)

    def refused(self, sequence: int, target: str, by: str) -> Probe | None:
        """The outcome that an ICMP error brings; None if it is old news."""
        echo = self._waiting.get(sequence)
        if echo is None or echo.host.address != target:
            return None
        self._late[sequence] = self._waiting.pop(sequence)
        return self._failed(echo, Why.UNREACHABLE, by)

    def overdue(self, now: float) -> list[Probe]:
        """The outcomes of echoes that have waited long enough at ``now``, monotonic seconds."""
        probes = []
        while self.deadline <= now:
            sequence = next(iter(self._waiting))
            echo = self._waiting.pop(sequence)
            self._late[sequence] = echo
            probes.append(self._failed(echo, Why.TIMEOUT))
        for sequence, echo in list(self._late.items()):
            if echo.sent.mono + self._timeout_s + LATE_S > now:
                break
            del self._late[sequence]
        return probes

    def abandon(self, why: Why) -> list[Probe]:
        """The outcomes of all unanswered echoes when their socket goes away: nobody can hear answers now."""
        probes = [self._failed(echo, why) for echo in self._waiting.values()]
        self._waiting.clear()
        self._late.clear()
        return probes

    def _failed(self, echo: Echo, why: Why, by: str | None = None) -> Probe:
        sent_at = _said(echo.sent.mono)
        return Probe(self._uplink, echo.host.address, echo.host.role, sent_at, why=why, by=by)


def _said(at: float) -> float:
    """An instant as it is told: to a tenth of a millisecond, which every recorded trace pays for."""
    return round(at, 4)
