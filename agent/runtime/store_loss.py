"""What gives way when there is no room, and the event that tells of it.

The oldest informational events go first, then the oldest warnings, never an alert. What went is told by an
event of its own, so that a hole in the numbers is explained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from agent.core.codes import EVENTS, Code, Severity
from agent.core.instant import Now, wall_of
from agent.core.model import Event, Scalar

BACKLOG = 5_000
"""Events that wait in memory while the disk refuses; where they are all alerts, more."""
PIECE = 200
"""They are written so many at a time: what the log has room for on a full disk."""
GIVES_WAY = (Severity.INFO, Severity.WARNING)
"""What may be lost, the first first."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event on its way to the disk; ``id`` is set if it was already shown under that name."""

    event: Event
    now: Now
    id: str | None = None

    def date(self, clock: Now | None) -> tuple[float, bool, bool]:
        """UNIX seconds, whether they can be believed, whether ``clock``, a later instant, told them."""
        told = None if self.now.synced or clock is None else wall_of(self.now.mono, self.now.boot, clock)
        return (self.now.wall, self.now.synced, False) if told is None else (told, True, True)


@dataclass(frozen=True, slots=True)
class Loss:
    """Events that gave way. Numbers are None if they never had one, instants if the clock was not known."""

    count: int
    first_seq: int | None
    last_seq: int | None
    since: float | None
    until: float | None

    def and_then(self, other: Loss | None) -> Loss:
        """Both as one."""
        if other is None:
            return self
        seqs = [n for n in (self.first_seq, self.last_seq, other.first_seq, other.last_seq) if n is not None]
        walls = [t for t in (self.since, self.until, other.since, other.until) if t is not None]
        return Loss(
            self.count + other.count,
            min(seqs, default=None),
            max(seqs, default=None),
            min(walls, default=None),
            max(walls, default=None),
        )

    def told(self, now: Now) -> Draft:
        """The event that tells of it."""
        args: dict[str, Scalar] = {
            "label": "Vigie",
            "count": self.count,
            "first_seq": self.first_seq,
            "last_seq": self.last_seq,
            "since": _moment(self.since),
            "until": _moment(self.until),
        }
        return Draft(Event(Code.EVENTS_LOST, "store", EVENTS[Code.EVENTS_LOST], None, args), now)


class Backlog:
    """Events that wait in memory until the disk takes them, in the order in which they happened."""

    def __init__(self) -> None:
        self._drafts: list[Draft] = []
        self._loss: Loss | None = None
        self._lost_at = Now(0.0)

    def __len__(self) -> int:
        return len(self._drafts)

    @property
    def loses(self) -> bool:
        """Something was given up, and that is not on the disk yet."""
        return self._loss is not None

    def add(self, drafts: Sequence[Draft]) -> None:
        """Let these wait too; what is more than ``BACKLOG`` gives way."""
        self._drafts.extend(drafts)
        over = len(self._drafts) - BACKLOG
        for severity in GIVES_WAY:
            while over > 0 and (at := self._first(severity)) is not None:
                self._give_up(self._drafts.pop(at))
                over -= 1

    def first(self) -> list[Draft]:
        """What is to be written next: that some were lost, and then the oldest."""
        told = [self._loss.told(self._lost_at)] if self._loss else []
        return [*told, *self._drafts[:PIECE]]

    def written(self) -> None:
        """What ``first`` gave is on the disk."""
        self._loss = None
        del self._drafts[:PIECE]

    def _first(self, severity: Severity) -> int | None:
        return next((n for n, draft in enumerate(self._drafts) if draft.event.severity is severity), None)

    def _give_up(self, draft: Draft) -> None:
        wall = draft.now.wall if draft.now.synced else None
        self._loss = Loss(1, None, None, wall, wall).and_then(self._loss)
        self._lost_at = draft.now


def _moment(wall: float | None) -> str | None:
    """UNIX seconds as ISO 8601 in UTC, to the second."""
    try:
        return (
            None if wall is None else datetime.fromtimestamp(round(wall), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        )
    except (OverflowError, ValueError, OSError):
        return None
