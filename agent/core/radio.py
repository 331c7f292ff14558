"""How good a radio signal is, in words that hold still, and whether it has become worse over the days.

A signal is as good as the worse of its power (RSRP) and its cleanness (SINR, without that RSRQ); a 2G or 3G
one as its RSSI. The edges between the words are what makers of industrial modems publish for 4G:

- RSRP -80, -90, -100 dBm and SINR 20, 13, 0 dB, RSRQ -10, -15, -20 dB: Teltonika, "Mobile Signal Strength
  Recommendations"; the same RSRP figures at signaltester.co.uk, "Understanding signal metrics";
- RSSI -70, -85, -100 dBm: Digi, TransPort WR21 user guide, "Evaluating your signal";
- unusable below -120 dBm, from where on a 4G connection may not come about at all (unlockmyrouter.com, "LTE
  signal quality parameters"), and below -6 dB SINR, about what the lowest coding scheme of 4G needs (CQI 1
  of 3GPP TS 36.213, table 7.2.3-1).

A word changes only once the figures are ``HYSTERESIS_DB`` beyond the edge, and the figures are smoothed over
minutes, so that a lorry before the window is no news.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median

from agent.core.devices import Radio, Strength

Edges = tuple[float, float, float, float]
RSRP_DBM: Edges = (-80.0, -90.0, -100.0, -120.0)
SINR_DB: Edges = (20.0, 13.0, 0.0, -6.0)
RSRQ_DB: Edges = (-10.0, -15.0, -20.0, float("-inf"))
RSSI_DBM: Edges = (-70.0, -85.0, -100.0, -110.0)
"""The least figure for excellent, good, fair and poor; below is unusable."""
HYSTERESIS_DB = 2.0
SMOOTH_S = 180.0
"""Time constant of the smoothing."""
DAY_S = 86400.0
KEPT_DAYS = 14
COMPARED_DAYS = 7
LEAST_DAYS = 3
COUNTED_S = 50.0
"""A day's mean takes one reading a minute: aiming an antenna would outweigh it."""
LEAST_READINGS = 30
"""A day's mean counts from so many readings on: half an hour at the calm pace."""
DROP_DB = 6.0
"""A quarter of the power: more than weather and load do to a mean over a day."""
_WORDS = (Strength.EXCELLENT, Strength.GOOD, Strength.FAIR, Strength.POOR, Strength.UNUSABLE)


@dataclass(frozen=True, slots=True)
class Day:
    """What was received on one day (days since 1970, UTC): mean RSRP of so many readings."""

    number: int
    rsrp_dbm: float
    readings: int


@dataclass(frozen=True, slots=True)
class Air:
    """What is remembered of the signal at one place.

    Attributes:
        at: when it was read last, monotonic seconds.
        rsrp_dbm: smoothed; for 2G and 3G the RSSI.
        sinr_db: smoothed.
        strength: the word, with hysteresis; None while nothing was read.
        days: the newest last; only while the clock was synchronised.
        counted_at: when a reading last went into a day's mean, monotonic seconds.
    """

    at: float = float("-inf")
    rsrp_dbm: float | None = None
    sinr_db: float | None = None
    strength: Strength | None = None
    days: tuple[Day, ...] = ()
    counted_at: float = float("-inf")


def strength(reading: Radio, before: Strength | None = None) -> Strength | None:
    """The word for one reading; None if it holds no figure.

    Args:
        reading: the figures.
        before: the word until now, which is kept unless the figures are clearly beyond its edges.
    """
    power = _place(reading.rsrp_dbm, RSRP_DBM, before)
    if power is None:
        power = _place(reading.rssi_dbm, RSSI_DBM, before)
    clean = _place(reading.sinr_db, SINR_DB, before)
    if clean is None:
        clean = _place(reading.rsrq_db, RSRQ_DB, before)
    places = [place for place in (power, clean) if place is not None]
    return _WORDS[max(places)] if places else None


def _place(figure: float | None, edges: Edges, before: Strength | None) -> int | None:
    """Which word this figure alone asks for, 0 the best."""
    if figure is None:
        return None
    place = sum(1 for edge in edges if figure < edge)
    if before is None:
        return place
    held = _WORDS.index(before)
    if place > held:
        # Worse: only what is clearly below the edges above it.
        return max(held, sum(1 for edge in edges if figure < edge - HYSTERESIS_DB))
    return min(held, sum(1 for edge in edges if figure < edge + HYSTERESIS_DB))


def heard(air: Air, reading: Radio, at: float, day: int | None) -> Air:
    """What is remembered after one more reading.

    Args:
        air: what was remembered.
        reading: the figures.
        at: monotonic seconds.
        day: days since 1970, UTC; None while the clock is not synchronised.
    """
    power = reading.rsrp_dbm if reading.rsrp_dbm is not None else reading.rssi_dbm
    share = min(1.0, (at - air.at) / SMOOTH_S) if at > air.at else 1.0
    rsrp_dbm, sinr_db = _smooth(air.rsrp_dbm, power, share), _smooth(air.sinr_db, reading.sinr_db, share)
    steady = replace(
        reading,
        rsrp_dbm=None if reading.rsrp_dbm is None else rsrp_dbm,
        rssi_dbm=reading.rssi_dbm if reading.rsrp_dbm is not None else rsrp_dbm,
        sinr_db=sinr_db,
    )
    word = strength(steady, air.strength)
    days, counted_at = air.days, air.counted_at
    if day is not None and power is not None and at - counted_at >= COUNTED_S:
        days, counted_at = _counted(days, day, power), at
    return Air(at, rsrp_dbm, sinr_db, word if word is not None else air.strength, days, counted_at)


def _smooth(old: float | None, new: float | None, share: float) -> float | None:
    return new if old is None or new is None else old + (new - old) * share


def _counted(days: tuple[Day, ...], number: int, power: float) -> tuple[Day, ...]:
    if not days or days[-1].number < number:
        return (*days[-KEPT_DAYS + 1 :], Day(number, power, 1))
    today = days[-1]
    if today.number > number:
        # The clock went back over midnight: what is in the future cannot be known.
        return _counted(days[:-1], number, power)
    readings = today.readings + 1
    mean = today.rsrp_dbm + (power - today.rsrp_dbm) / readings
    return (*days[:-1], Day(number, mean, readings))


def trend_db(air: Air) -> float | None:
    """How much stronger (or, below 0, weaker) today is than the middle one of the days before, dB.

    None while fewer than ``LEAST_DAYS`` days are known, or too little of today.
    """
    full = [day for day in air.days if day.readings >= LEAST_READINGS]
    if len(full) <= LEAST_DAYS or full[-1] is not air.days[-1]:
        return None
    return full[-1].rsrp_dbm - median(day.rsrp_dbm for day in full[-COMPARED_DAYS - 1 : -1])
