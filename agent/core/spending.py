"""The words of the data budget: what the agent itself has sent and received through a metered uplink."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Spent:
    """What the agent itself has sent and received through an uplink since the last such observation.

    Bytes on the wire as an operator counts them: with IP headers, without those of the link below.
    """

    uplink: str
    sent_bytes: int
    received_bytes: int


@dataclass(frozen=True, slots=True)
class Spending:
    """What the agent has used on one uplink in one calendar month.

    Attributes:
        month: ``2027-01``, in UTC; None until the clock has been right once.
        calm_bytes: used while all was well.
        trouble_bytes: used while this uplink or another one was in trouble.
    """

    month: str | None = None
    calm_bytes: int = 0
    trouble_bytes: int = 0

    @property
    def used_bytes(self) -> int:
        """All of it."""
        return self.calm_bytes + self.trouble_bytes


@dataclass(frozen=True, slots=True)
class SaveSpending:
    """Remember what has been used on this uplink."""

    uplink: str
    spending: Spending


@dataclass(frozen=True, slots=True)
class CheckEvery:
    """Ask names, pages and the first hop of this uplink every ``every_s`` seconds from now on."""

    uplink: str
    every_s: float


@dataclass(frozen=True, slots=True)
class Purse:
    """A metered uplink's budget as the core keeps it.

    Attributes:
        limit_bytes: what the agent may use in a month.
        spending: what it has used.
        spent: nothing is left but the minimal watch, until the next month.
        checks_s: how often checks are made: as configured, or as last ordered by ``CheckEvery``.
        round_s: rounds of checks that trouble asks for are at least so far apart.
        box_s: how often the box, which costs nothing, is asked; None at the start.
        slowed: it is asked less often than configured, for the sake of the budget.
        dirty: ``spending`` is not on disk as it is.
    """

    limit_bytes: int
    checks_s: float
    spending: Spending = field(default_factory=Spending)
    spent: bool = False
    round_s: float = 0.0
    box_s: float | None = None
    slowed: bool = False
    dirty: bool = False
    saved_at: float = float("-inf")


def first_purse(limit_bytes: int | None, checks_s: float, spending: Spending | None) -> Purse | None:
    """What an uplink's budget begins with; None where it has no limit."""
    return None if limit_bytes is None else Purse(limit_bytes, checks_s, spending or Spending())
