"""Times as people write them: opening hours like ``"mon-fri 08:00-18:30"``, and days."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from agent.config.words import Words, say
from agent.core.opening import Hours

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = "(?:" + "|".join(DAYS) + ")"
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
OPENING = re.compile(
    rf"(?P<days>{_DAY}(?:-{_DAY})?(?:,{_DAY}(?:-{_DAY})?)*) (?P<begin>{_CLOCK})-(?P<end>{_CLOCK}|24:00)"
)
_FOREIGN = {
    "lun": "mon",
    "mar": "tue",
    "mer": "wed",
    "jeu": "thu",
    "ven": "fri",
    "sam": "sat",
    "dim": "sun",
}
"""French names, for the hint: the file has one language, or the same file would mean two things (``mar``)."""


def opening(text: str) -> Words | None:
    """A stretch on some days of the week, local time."""
    if _parts(text) is not None:
        return None
    hint = _meant(text)
    return say("opening") if _parts(hint) is None else say("opening_hint", hint=hint)


def hours_of(text: str) -> Hours:
    """What a good text says.

    Raises:
        ValueError: it is not good.
    """
    match = _parts(text)
    if match is None:
        raise ValueError(f"no opening hours: {text!r}")
    days: set[int] = set()
    for part in match["days"].split(","):
        first, _, last = part.partition("-")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        days |= {(begin + step) % 7 for step in range((end - begin) % 7 + 1)}
    return Hours(tuple(sorted(days)), _seconds(match["begin"]), _seconds(match["end"]))


def _parts(text: str) -> re.Match[str] | None:
    match = OPENING.fullmatch(text)
    return None if match is None or match["begin"] == match["end"] else match


def _seconds(clock: str) -> float:
    return int(clock[:2]) * 3600.0 + int(clock[3:]) * 60.0


def _meant(text: str) -> str:
    """The text with what people write instead put right: other names of days, ``8h30``, spaces."""
    plain = re.sub(r"\s*([-–,])\s*", lambda match: match[1].replace("–", "-"), text.strip().lower())
    plain = re.sub(r"[a-zé]{3,}\.?", lambda match: _day(match[0]), plain)
    plain = re.sub(r"\b([0-9]{1,2})(?:[h:.]([0-9]{2})|h)", lambda m: f"{int(m[1]):02}:{m[2] or '00'}", plain)
    return re.sub(r"\s+", " ", plain)


def _day(name: str) -> str:
    return _FOREIGN.get(name[:3], name[:3])


def day(text: str) -> Words | None:
    """A day of the calendar."""
    try:
        return None if date.fromisoformat(text).isoformat() == text else say("day")
    except ValueError:
        return say("day")


TIMES: dict[str, Callable[[str], Words | None]] = {"opening": opening, "day": day}
"""The rules of this file, by the names that the schema gives them."""
