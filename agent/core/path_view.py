"""What everybody gets to see of the site's own way out and of the uplink that it should use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agent.core.steering import Choice


class PathState(StrEnum):
    """The site path in a word."""

    UNSEEN = "unseen"
    """Nothing can be said: the machine does not reach the site's router, or has not heard anything yet."""
    WORKS = "works"
    SILENT = "silent"
    """Nothing comes back through the site's router: the site has no internet."""


@dataclass(frozen=True, slots=True)
class PathView:
    """The site path. Instants are monotonic seconds.

    Attributes:
        state: in a word.
        since: since when.
        active: the uplink that carries the site; None while nobody can tell.
        active_since: from when on.
        witness: what tells it: ``address`` or ``hop``; None while nothing does.
        spread: several uplinks carry the site at once.
        public_address: what the site looks like from outside; None if not known.
        rtt_ms: median of the last answers through the site's router.
        loss_pct: share of the last echoes without an answer.
        choice: the uplink that the site should use.
    """

    state: PathState
    since: float
    active: str | None
    active_since: float | None
    witness: str | None
    spread: bool
    public_address: str | None
    rtt_ms: float | None
    loss_pct: float | None
    choice: Choice | None
