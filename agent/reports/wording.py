"""Words, dates and figures of reports in both languages; codes have theirs in ``agent.text``."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, tzinfo
from functools import cache
from importlib import resources

from agent.reports.month_time import SECOND, local
from agent.text import duration, figure

NO_BREAK = "\N{NO-BREAK SPACE}"


@cache
def table() -> Mapping[str, Mapping[str, str]]:
    """All sentences: key, then language."""
    return tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))


def say(key: str, language: str, **holes: object) -> str:
    """The sentence ``key``, its holes filled; in French with the spaces before high punctuation unbreakable.

    Raises:
        KeyError: no such key, language or hole.
    """
    text = table()[key][language]
    if language == "fr":
        text = re.sub(r"(?<=«) ", NO_BREAK, re.sub(r" (?=[:;!?%»€])", NO_BREAK, text))
    return text.format(**holes)


def lasted(ms: int, language: str) -> str:
    """A duration to the second, in all its units."""
    return duration(round(abs(ms) / SECOND), language, units=4).replace(" ", NO_BREAK)


def share(part: float | None, language: str, digits: int = 3) -> str:
    """A share of 1 in per cent; what is not the whole is never shown as 100."""
    if part is None:
        return say("not_recorded", language)
    fine = 10**digits
    return say("percent", language, value=figure(math.floor(100.0 * part * fine) / fine, language, digits))


def euros(value: float, language: str) -> str:
    """An amount of money in whole euros from ten on, else with cents."""
    digits = 0 if value >= 10 else 2
    text = f"{value:,.{digits}f}"
    if language == "fr":
        text = text.replace(",", NO_BREAK).replace(".", ",")
    return say("euros", language, value=text)


def day(at: int, language: str, zone: tzinfo) -> str:
    """The local day of an instant."""
    return local(at, zone).strftime(table()["date"][language])


def day_and_clock(at: int, language: str, zone: tzinfo = UTC) -> str:
    """Day and time of an instant, with seconds."""
    return local(at, zone).strftime(table()["date_clock"][language])


def zone_name(zone: tzinfo) -> str:
    """What a zone is called."""
    return getattr(zone, "key", None) or str(zone)
