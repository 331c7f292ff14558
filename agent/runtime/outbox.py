"""What waits for one receiver of events, as that receiver sees it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agent.core.model import Recorded

Rows = list[tuple[int, Recorded | None]]
"""Numbers and events, in order; None for one that makes no sense."""

_log = logging.getLogger("vigie.store")


class Events(Protocol):
    """Keeps events until each of several receivers has acknowledged them."""

    def pending(self, receiver: str, after: int, limit: int) -> list[Recorded]:
        """Up to ``limit`` events beyond ``after`` that ``receiver`` has not acknowledged, in order."""

    def acknowledge(self, receiver: str, seq: int) -> None:
        """``receiver`` has event ``seq``."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """One receiver's part of ``events``. Calls may block, and are meant for one worker thread."""

    events: Events
    receiver: str

    def pending(self, after: int, limit: int) -> list[Recorded]:
        """Up to ``limit`` events beyond ``after`` that the receiver has not acknowledged, in order."""
        return self.events.pending(self.receiver, after, limit)

    def acknowledge(self, seq: int) -> None:
        """The receiver has event ``seq``."""
        self.events.acknowledge(self.receiver, seq)


def unacknowledged(
    read: Callable[[int, int], Rows | None], acked: set[int], after: int, limit: int
) -> list[Recorded]:
    """Up to ``limit`` events beyond ``after``, in order, without those acknowledged meanwhile.

    Args:
        read: gives the next rows beyond a number, at most so many; None if that cannot be done now.
        acked: numbers whose acknowledgement is not written yet; one that makes no sense is added, because
            nobody can be sent it.
        after: the number before the first that is wanted.
        limit: how many are wanted.
    """
    found: list[Recorded] = []
    while len(found) < limit and (rows := read(after, limit - len(found))):
        after = rows[-1][0]
        for seq, recorded in rows:
            if recorded is None:
                _log.warning("event %s cannot be read and is not sent", seq)
                acked.add(seq)
            elif seq not in acked:
                found.append(recorded)
    return found
