"""Durations as people type them."""

from __future__ import annotations

import re

_UNITS = {"d": 86400.0, "j": 86400.0, "h": 3600.0, "min": 60.0, "m": 60.0, "s": 1.0}
_PART = re.compile(r"(\d{1,6})\s*(min|[djhms])\s*", re.IGNORECASE)
_MINUTES = re.compile(r"(\d{1,2})\s*h\s*([0-5]?\d)", re.IGNORECASE)


def parse(text: str) -> float:
    """Seconds of ``2h``, ``90min``, ``1h30``, ``1 h 30 min``, ``45s``, ``1d`` (or ``1j``).

    The units go down, each at most once. A number alone is refused: nobody knows what it counts.

    Raises:
        ValueError: not a duration, or one of nothing.
    """
    stripped = text.strip()
    if short := _MINUTES.fullmatch(stripped):
        stripped = f"{short[1]}h{short[2]}min"
    seconds, at, last = 0.0, 0, float("inf")
    while at < len(stripped):
        part = _PART.match(stripped, at)
        if part is None or _UNITS[part[2].lower()] >= last:
            raise ValueError(f"not a duration: {text!r}")
        last = _UNITS[part[2].lower()]
        seconds += int(part[1]) * last
        at = part.end()
    if seconds <= 0:
        raise ValueError(f"not a duration: {text!r}")
    return seconds
