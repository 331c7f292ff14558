"""What came of one question to a service, before it is told as a ``Served``."""

from __future__ import annotations

from dataclasses import dataclass

from agent.core.inquiries import Said
from agent.core.service_words import Snag
from agent.probes.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """``snag`` is None if it answered as it should; the rest as in ``Served``."""

    snag: Snag | None
    took_ms: float | None = None
    by: str | None = None
    detail: str = ""
    valid_until: float | None = None


def unmade(verdict: Verdict, address: str) -> Outcome:
    """What a connection to ``address`` that did not come about, or a datagram that was sent back, means."""
    match verdict.said:
        case Said.UNSENT:
            snag = Snag.UNSENT
        case Said.REFUSED:
            snag = Snag.REFUSED if verdict.by == address else Snag.UNREACHABLE
        case _:
            snag = Snag.NO_CONNECTION
    return Outcome(snag, by=verdict.by, detail=verdict.detail)
