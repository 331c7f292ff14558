"""The table of the places that were recorded while an antenna was aimed, the best first. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from agent.cli.aim import SAME, middle, power_of, score
from agent.cli.aim_record import Recorded
from agent.cli.aim_words import SYMBOLS
from agent.cli.words import say
from agent.core.devices import Radio, Strength
from agent.core.radio import strength
from agent.text import strength as strength_word

LEAST_READINGS = 5
"""Fewer say what one second was like, not what the place is like."""
NARROW = 72


@dataclass(frozen=True, slots=True)
class Spot:
    """One place: the middle figures, how far the middle half of them is spread (dB, by field), how many."""

    name: str
    middle: Radio
    spread_db: dict[str, float]
    count: int

    @property
    def word(self) -> Strength:
        """How good the signal is there."""
        word = strength(self.middle)
        assert word is not None, "a reading without figures is not kept"
        return word


@dataclass(frozen=True, slots=True)
class Compared:
    """The places that can be compared, the best first, and those with too few readings."""

    spots: tuple[Spot, ...]
    too_few: tuple[tuple[str, int], ...]


def compare(recorded: Recorded) -> Compared:
    """Judge each place by the middle of its readings."""
    several = len({modem for modem, _ in recorded.places}) > 1
    spots, too_few = [], []
    for (modem, place), readings in recorded.places.items():
        name = f"{modem}: {place}" if several else place
        known = [radio for radio in readings if score(radio) is not None]
        if len(known) < LEAST_READINGS:
            too_few.append((name, len(known)))
        else:
            spots.append(Spot(name, middle(known), _spreads(known), len(known)))
    return Compared(tuple(sorted(spots, key=_rank, reverse=True)), tuple(too_few))


def _rank(spot: Spot) -> tuple[float, float]:
    power = power_of(spot.middle)
    return score(spot.middle) or 0.0, getattr(spot.middle, power) if power is not None else -200.0


def _spreads(readings: Sequence[Radio]) -> dict[str, float]:
    """By field, from the first quartile to the third."""
    spreads = {}
    for name in ("rsrp_dbm", "rssi_dbm", "sinr_db"):
        values = [value for value in (getattr(radio, name) for radio in readings) if value is not None]
        if len(values) >= LEAST_READINGS:
            low, _, high = quantiles(values, n=4, method="inclusive")
            spreads[name] = high - low
    return spreads


def table(compared: Compared, language: str, width: int) -> list[str]:
    """The table as lines of text; where it is narrow, two lines a place."""
    spots = compared.spots
    if not spots:
        return []
    lines = list(_wide(spots, language) if width >= NARROW else _narrow(spots, language))
    lines.append(say("signal_spread", language))
    if len(spots) > 1 and (score(spots[0].middle) or 0.0) - (score(spots[1].middle) or 0.0) < SAME:
        lines.append(say("signal_alike", language, first=spots[0].name, second=spots[1].name))
    return lines


def _wide(spots: Sequence[Spot], language: str) -> Iterator[str]:
    heads = [say(f"signal_head_{key}", language) for key in ("place", "word")]
    heads += ["RSRP dBm" if any(spot.middle.rsrp_dbm is not None for spot in spots) else "RSSI dBm"]
    cells = [[*heads, "SINR dB", say("signal_head_count", language)]]
    cells += [
        [
            spot.name,
            strength_word(spot.word, language),
            _cell(spot, power_of(spot.middle), heads[2]),
            _cell(spot, "sinr_db"),
            str(spot.count),
        ]
        for spot in spots
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for row in cells:
        left = [cell.ljust(width) for cell, width in zip(row[:2], widths, strict=False)]
        right = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
        yield "  ".join([*left, *right]).rstrip()


def _narrow(spots: Sequence[Spot], language: str) -> Iterator[str]:
    for spot in spots:
        yield f"{spot.name}: {strength_word(spot.word, language)}"
        power = power_of(spot.middle)
        figures = [f"{SYMBOLS[name]} {_cell(spot, name)}" for name in (power, "sinr_db") if name is not None]
        yield f"  {'  '.join(figures)}  n {spot.count}"


def _cell(spot: Spot, name: str | None, head: str = "") -> str:
    value = None if name is None else getattr(spot.middle, name)
    if name is None or value is None:
        return "–"
    # One modem may tell RSRP at one place and, on 3G, only RSSI at another.
    symbol = "" if not head or head.startswith(SYMBOLS[name]) else f"{SYMBOLS[name]} "
    spread = spot.spread_db.get(name)
    return f"{symbol}{value:.0f}" + ("" if spread is None else f" ± {spread:.0f}")


def as_json(compared: Compared) -> dict[str, Any]:
    """The same for scripts."""
    return {
        "places": [
            {
                "place": spot.name,
                "strength": spot.word,
                "readings": spot.count,
                **{name: getattr(spot.middle, name) for name in ("rsrp_dbm", "rssi_dbm", "sinr_db")},
                "spread_db": spot.spread_db,
            }
            for spot in compared.spots
        ],
        "too_few": [{"place": name, "readings": count} for name, count in compared.too_few],
        "least_readings": LEAST_READINGS,
    }
