"""Text messages through a modem: what is ordered, what became of it, and what is remembered.

When they are written is for ``texting`` to say. Numbers are people's: whatever is told, kept in a history or
sent elsewhere holds them ``masked``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from agent.core.instant import Now, Stamp, age_s, stamp

MOST_A_DAY = 6
"""Messages to one number within ``DAY_S``: three outages, each with its end."""
DAY_S = 86400.0
SHOWN_DIGITS = 3


class TextCode(StrEnum):
    """What a message says, a key of the texts' ``sms`` table."""

    NO_INTERNET = "no_internet"
    BAY_DARK = "bay_dark"
    BACK = "back"


class Fate(StrEnum):
    """What became of a message."""

    ORDERED = "ordered"
    SENT = "sent"
    """The network has taken it."""
    REFUSED = "refused"
    """It surely did not leave."""
    UNKNOWN = "unknown"
    """Nobody knows: it may have been sent, and is never sent again."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one number.

    Attributes:
        order: names it, a new name with each try.
        number: to whom.
        code: what it says.
        incident: the incident in which the outage began that it tells of.
        since: when the outage began.
        at: when it was ordered last.
        modem: by name, through which it was to leave.
        fate: what is known of it.
        tries: how often it was ordered.
        over: nothing more follows from it: the end of its outage has been ordered too, or was left out.
    """

    order: str
    number: str
    code: TextCode
    incident: str
    since: Stamp
    at: Stamp
    modem: str
    fate: Fate = Fate.ORDERED
    tries: int = 1
    over: bool = False


@dataclass(frozen=True, slots=True)
class Texting:
    """What is remembered over restarts: messages of the last day, the oldest first, and outages without end.

    ``lost`` is when an earlier memory was found to be missing: for a day nobody knows what was sent before.
    """

    letters: tuple[Letter, ...] = ()
    lost: Stamp | None = None


@dataclass(frozen=True, slots=True)
class Texts:
    """The memory, and what this run has seen; times are monotonic seconds.

    Attributes:
        memory: as it is on the disk, or about to be.
        dead_since: since when no uplink works; None while one does, or while nobody can know.
        found_at: when that was found.
        back_since: since when one works.
    """

    memory: Texting = field(default_factory=Texting)
    dead_since: float | None = None
    found_at: float = 0.0
    back_since: float | None = None


@dataclass(frozen=True, slots=True)
class SendText:
    """Write ``memory`` to disk, and only then have the modem send this message to ``number``."""

    modem: str
    order: str
    number: str
    code: TextCode
    args: Mapping[str, str | int | float | None]
    memory: Texting


@dataclass(frozen=True, slots=True)
class TextReport:
    """What became of the order: ``sent``, ``refused`` or ``unknown``; ``detail`` is for the log."""

    order: str
    fate: Fate
    detail: str = ""


def first_texts(memory: Texting | None, now: Now) -> Texts:
    """The beginning of a run; None is a memory that is missing or cannot be read."""
    return Texts(memory if memory is not None else Texting(lost=stamp(now)))


def masked(number: str) -> str:
    """The number without what would tell whose it is."""
    return "*" * (len(number) - SHOWN_DIGITS) + number[-SHOWN_DIGITS:]


def lost_lately(memory: Texting, now: Now) -> bool:
    """What was sent in the last day is not known."""
    return memory.lost is not None and age_s(memory.lost, now) < DAY_S


def sent_today(memory: Texting, number: str, now: Now) -> int:
    """How many messages to the number left, or may have left, in the last 24 hours; cautiously counted.

    Where it is not known, all but one outage's worth is taken to be spent.
    """
    known = sum(
        1
        for letter in memory.letters
        if letter.number == number and letter.fate is not Fate.REFUSED and age_s(letter.at, now) < DAY_S
    )
    return known + (MOST_A_DAY - 2 if lost_lately(memory, now) else 0)


def newest(memory: Texting, number: str) -> Letter | None:
    """The last message to the number."""
    return next((letter for letter in reversed(memory.letters) if letter.number == number), None)


def kept(memory: Texting, now: Now) -> Texting:
    """The memory without what has no consequence any more."""
    letters = tuple(
        letter
        for letter in memory.letters
        if age_s(letter.at, now) < DAY_S or (letter.code is not TextCode.BACK and not letter.over)
    )
    return Texting(letters, memory.lost if lost_lately(memory, now) else None)
