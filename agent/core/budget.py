"""How much of its data budget an uplink may use now, and so how often it may be looked at. Numbers only.

Two thirds of a month's budget are for calm days: what is left of them is spread evenly over what is left of
the month. One third is kept for trouble, when a standby is about to be needed and must be looked at every
second; trouble that lasts longer goes on from the other share, more slowly. Whatever
happens, as much is kept back as the minimal watch costs until the month ends, so that there is always one:
the agent sends less, not nothing, and the whole stays within the budget.

An echo and its answer are 88 bytes (``ECHO_BYTES`` each way). Of 50 MB, 33.3 are for calm days: 12.4 bytes
a second over 31 days. A round of checks every half hour takes 2.8 of them, and the rest is one echo every
9.1 s. The share for trouble pays 53 hours of an echo every second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from agent.core.instant import Now
from agent.core.spending import Spending

ECHO_BYTES = 44
"""An echo request, or its reply: IP header 20, ICMP header 8, payload 16."""
LOOK_BYTES = 2 * ECHO_BYTES
ROUND_BYTES = 5000
"""A round of names, pages and the first hop with the usual questions, both ways; see docs/data.md."""
TROUBLE_SHARE = 1.0 / 3.0
CHECKS_SHARE = 0.25
"""Of what calm days may cost, checks take this much at most."""
DAY_S = 86_400.0
LONGEST_MONTH_S = 31.0 * DAY_S
SECOND_S = 1.0
"""In trouble the uplink is looked at this often at least, while there is something left for it."""
SHORT_LOOK_S = 5.0
SHORT_ROUND_S = 900.0
"""The same once the share for trouble is used up; and how far apart rounds of checks then are."""
MINIMAL_LOOK_S = 60.0
MINIMAL_CHECKS_S = 21_600.0
"""The minimal watch: an echo a minute and checks every six hours are 4.6 MB in the longest month, which the
smallest budget holds."""
MINIMAL_BYTES_A_S = LOOK_BYTES / MINIMAL_LOOK_S + ROUND_BYTES / MINIMAL_CHECKS_S
MARGIN_BYTES = 150_000
"""What may be sent between two counts: a minute of three targets five times a second is 79 kB, the rounds of
checks that go with it are 20 kB."""
STEP = 1.05
"""Paces change in steps of 5 %, so that they do not move with every byte."""


class Level(StrEnum):
    """How much is left for trouble."""

    AMPLE = "ample"
    SHORT = "short"
    SPENT = "spent"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the budget allows now, seconds between two.

    Attributes:
        level: how much is left for trouble.
        calm_look_s: looks while all is well; infinite if the share of calm days is used up.
        trouble_look_s: looks in trouble.
        checks_s: regular rounds of checks.
        round_s: rounds of checks that trouble asks for.
    """

    level: Level
    calm_look_s: float
    trouble_look_s: float
    checks_s: float
    round_s: float


def month_of(now: Now) -> str | None:
    """The calendar month in UTC; None while nobody knows it."""
    return _moment(now).strftime("%Y-%m") if now.synced else None


def rest_s(now: Now) -> float:
    """Seconds until the next month; a whole one while nobody knows, which promises least."""
    if not now.synced:
        return LONGEST_MONTH_S
    moment = _moment(now)
    first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (first + timedelta(days=32)).replace(day=1)
    return max(1.0, (following - moment).total_seconds())


def _moment(now: Now) -> datetime:
    # No clock that is right shows years that a date cannot.
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=min(max(now.wall, 0.0), 2.0e11))


def turned(spending: Spending, now: Now) -> Spending:
    """The spending as it counts now: anew in a new month.

    A clock that is found to have been ahead resets nothing: what was used stays used.
    """
    month = month_of(now)
    if month is None or month == spending.month:
        return spending
    if spending.month is not None and month > spending.month:
        return Spending(month)
    return Spending(month, spending.calm_bytes, spending.trouble_bytes)


def is_spent(limit_bytes: int, spending: Spending, left_s: float) -> bool:
    """Nothing is left but the minimal watch until the month ends, ``left_s`` seconds from now."""
    return spending.used_bytes >= limit_bytes - MINIMAL_BYTES_A_S * left_s - MARGIN_BYTES


def allowance(
    limit_bytes: int, spending: Spending, left_s: float, checks_s: float, *, spent: bool = False
) -> Allowance:
    """What the budget allows now.

    Args:
        limit_bytes: of a month.
        spending: of this month.
        left_s: until the month ends, seconds, above 0.
        checks_s: how often checks are wanted.
        spent: it was found spent earlier this month, and stays so.
    """
    if spent or is_spent(limit_bytes, spending, left_s):
        checks_s = max(checks_s, MINIMAL_CHECKS_S)
        return Allowance(Level.SPENT, MINIMAL_LOOK_S, MINIMAL_LOOK_S, checks_s, checks_s)
    trouble = TROUBLE_SHARE * limit_bytes - spending.trouble_bytes
    calm = (1.0 - TROUBLE_SHARE) * limit_bytes - spending.calm_bytes + min(0.0, trouble)
    rate = max(0.0, calm) / left_s
    checks_s = max(checks_s, min(MINIMAL_CHECKS_S, _per(ROUND_BYTES, CHECKS_SHARE * rate)))
    calm_look_s = min(MINIMAL_LOOK_S, _per(LOOK_BYTES, rate - ROUND_BYTES / checks_s))
    if trouble > 0.0:
        # What is left may last a day: much of it asks all targets, little of it asks them in turn.
        look_s = min(SECOND_S, calm_look_s, _per(LOOK_BYTES, trouble / DAY_S))
        return Allowance(Level.AMPLE, calm_look_s, look_s, checks_s, 0.0)
    return Allowance(Level.SHORT, calm_look_s, min(SHORT_LOOK_S, calm_look_s), checks_s, SHORT_ROUND_S)


def _per(size_bytes: float, rate: float) -> float:
    return size_bytes / rate if rate > 0.0 else math.inf


def stepped(look_s: float) -> float:
    """The next longer time of a fixed scale."""
    return float(round(STEP ** math.ceil(math.log(look_s, STEP) - 1e-9), 4))


def planned_look_s(limit_bytes: int, checks_s: float) -> float:
    """How often a standby can be looked at on calm days over the longest month, seconds between two."""
    return allowance(limit_bytes, Spending(), LONGEST_MONTH_S, checks_s).calm_look_s
