"""Radio figures that can be true, and readings put together from several partial ones. Pure.

Modems fill a gap with 0, 99, 255, -32768 or nothing. A figure outside what the standard's scale can hold
is such a filler and becomes None; it is never shown as a value.
"""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import TypeVar

from hardware.ports import Cell, Signal

RSRP_DBM = (-157.0, -31.0)
"""3GPP TS 38.133 table 10.1.6.1-1 and, narrower, TS 36.133 table 9.1.4-1; one step below the scale means
that the modem measures less than it can express."""
RSRQ_DB = (-44.0, -2.5)
"""TS 38.133 table 10.1.11.1-1 and TS 36.133 table 9.1.7-1 from below. From above the definition: of each
received resource block at least two of twelve parts are the reference signal itself, so -3 dB is the best."""
SINR_DB = (-24.0, 41.0)
"""TS 38.133 table 10.1.16.1-1, one step more on each side."""
RSSI_DBM = (-122.0, -10.0)
"""From 2 dB below the noise of a narrow carrier to what destroys the receiver."""

_Reading = TypeVar("_Reading", Signal, Cell)

_RAW_ABOVE = 30.0
_RAW_RSRQ_DB = -18.0


def rsrp(value: float | None) -> float | None:
    """dBm, or None if it cannot be true."""
    return _within(value, RSRP_DBM)


def rsrq(value: float | None) -> float | None:
    """dB, or None if it cannot be true."""
    return _within(value, RSRQ_DB)


def sinr(value: float | None) -> float | None:
    """dB, or None if it cannot be true."""
    return _within(value, SINR_DB)


def rssi(value: float | None) -> float | None:
    """dBm, or None if it cannot be true."""
    return _within(value, RSSI_DBM)


def fifth_or_db(value: float | None, rsrq_db: float | None) -> float | None:
    """SINR of a modem that gives dB on some firmware and fifths of a dB above -20 dB on others.

    Both are found on 4G Quectel modules. Below 0 it is dB (fifths are 0 to 250), above 30 fifths. Between,
    fifths would mean less than -14 dB; with so much interference the reference signal is at most 1/(2 +
    12/SINR) of what is received, so RSRQ would be below -24 dB, beyond its scale. Decibels from 0 to 30
    come with an RSRQ above -14 dB. So RSRQ tells.

    Args:
        value: as the modem gave it.
        rsrq_db: of the same answer.
    """
    if value is None:
        return None
    if value > _RAW_ABOVE or (value >= 0 and rsrq_db is not None and rsrq_db <= _RAW_RSRQ_DB):
        return sinr(value / 5 - 20)
    return sinr(value)


def tenths_or_whole(rsrp_value: float | None) -> float:
    """What to divide an answer's figures by: 10 if its RSRP is in tenths of a dBm (below -200), else 1."""
    return 10.0 if rsrp_value is not None and rsrp_value < -200 else 1.0


def scaled(value: float | None, divisor: float) -> float | None:
    """``value / divisor``, None kept."""
    return None if value is None else value / divisor


def fill(best: Signal, other: Signal) -> Signal:
    """``best``, with its gaps filled from ``other``; the carriers figure by figure."""
    nr = other.nr if best.nr is None else best.nr if other.nr is None else fill_cell(best.nr, other.nr)
    return replace(_filled(best, other), cell=fill_cell(best.cell, other.cell), nr=nr)


def fill_cell(best: Cell, other: Cell) -> Cell:
    """``best``, with its gaps filled from ``other``."""
    return _filled(best, other)


def _filled(best: _Reading, other: _Reading) -> _Reading:
    gaps = {part.name: getattr(other, part.name) for part in fields(best) if getattr(best, part.name) is None}
    return replace(best, **gaps)


def _within(value: float | None, bounds: tuple[float, float]) -> float | None:
    if value is None or not math.isfinite(value) or not bounds[0] <= value <= bounds[1]:
        return None
    return float(value)
