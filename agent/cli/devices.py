"""What modems, dishes and boxes say of themselves, in one line each. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from agent.core.devices import Radio, Registration, Says, Sim, Strength
from agent.core.snapshot_types import DeviceView, Snapshot
from agent.text import cause, device, figure, strength

BARS = {
    Strength.EXCELLENT: "▂▄▆█",
    Strength.GOOD: "▂▄▆_",
    Strength.FAIR: "▂▄__",
    Strength.POOR: "▂___",
    Strength.UNUSABLE: "____",
}
GAP = "  "
"""Between two things that are said."""
GIGABYTE = 1e9


def device_text(shot: Snapshot, view: DeviceView, language: str) -> str:
    """Everything that is known of a device now, or why and since when nothing is."""
    return GAP.join((view.label, *_parts(shot, view, language)))


def device_lines(shot: Snapshot, view: DeviceView, language: str, width: int | None) -> list[str]:
    """The same in lines of at most ``width`` columns, broken between what is said; None: in one line."""
    if width is None:
        return [device_text(shot, view, language)]
    lines = [view.label]
    for part in _parts(shot, view, language):
        longer = f"{lines[-1]}{GAP}{part}"
        if len(longer) > width and lines != [view.label] and len(GAP) + len(part) <= width:
            lines.append(GAP + part)
        else:
            lines[-1:] = textwrap.wrap(longer, width, subsequent_indent=GAP, break_on_hyphens=False)
    return lines


def is_troubled(view: DeviceView) -> bool:
    """Something that it says, or its silence, is not as it should be."""
    says = view.says
    if says is None or not view.heard or says.locked:
        return view.at is not None
    card = says.sim not in (None, Sim.READY) or says.registration not in (None, Registration.HOME)
    weak = view.strength in (Strength.POOR, Strength.UNUSABLE)
    return bool(card or weak or says.refused or says.cause or says.line_up is False or says.wan_up is False)


def _parts(shot: Snapshot, view: DeviceView, language: str) -> list[str]:
    says = view.says
    if says is None or not view.heard:
        return [_silence(shot, view, language)]
    parts = [part for part in (*_radio(view, says, language), *_line(says, language)) if part]
    if says.locked:
        parts.insert(0, device("locked", language, why=says.why))
    elif not parts:
        connected = "mute" if says.wan_up is None else "connected"
        parts.append(device(connected, language, why=says.why))
    if says.documented:
        parts.append(device("documented", language))
    return parts


def _silence(shot: Snapshot, view: DeviceView, language: str) -> str:
    """Why nothing is known, and since when."""
    if view.at is None:
        return device("never_asked", language)
    if view.says is None:
        return device("old", language, ago_s=max(0.0, shot.mono - view.at))
    if view.heard_at is None:
        return device("never_heard", language, why=view.says.why)
    return device("silent", language, ago_s=max(0.0, shot.mono - view.heard_at), why=view.says.why)


def _radio(view: DeviceView, says: Says, language: str) -> Iterator[str]:
    """What concerns a modem: its signal, what is wrong with its card or network, its month."""
    air = says.radio or Radio()
    if view.strength is not None:
        yield f"{BARS[view.strength]}{GAP}{strength(view.strength, language)}"
    if says.sim not in (None, Sim.READY):
        yield device(f"sim_{says.sim}", language)
    if says.registration not in (None, Registration.HOME):
        yield device(f"registration_{says.registration}", language)
    if says.refused:
        yield device("refused", language)
    power = air.rsrp_dbm if air.rsrp_dbm is not None else air.rssi_dbm
    if power is not None:
        yield device("power", language, dbm=figure(power, language))
    if air.sinr_db is not None:
        yield device("clean", language, db=figure(air.sinr_db, language))
    if view.trend_db is not None and round(view.trend_db):
        trend = "weaker" if view.trend_db < 0 else "stronger"
        yield device(trend, language, db=figure(abs(view.trend_db), language))
    yield "+".join(band for band in (air.band, air.nr_band) if band)
    yield says.operator or ""
    yield air.network or ""
    if says.month_bytes is not None:
        limit = None if not view.limit_bytes else figure(view.limit_bytes / GIGABYTE, language, 1)
        yield device("data", language, used=figure(says.month_bytes / GIGABYTE, language, 1), limit=limit)
    if says.shared:
        yield device("shared", language)


def _line(says: Says, language: str) -> Iterator[str]:
    """What concerns a box or a dish, and any that is not connected."""
    if says.cause is not None:
        yield cause(says.cause, language)
    elif says.line_up is False:
        yield device("line_down", language)
    elif says.wan_up is False and not says.refused:
        yield device("not_connected", language)
    if says.rx_dbm is not None:
        yield device("light", language, dbm=figure(says.rx_dbm, language, 1))
    if says.obstructed_pct is not None:
        pct = figure(says.obstructed_pct, language, 1)
        yield device("clear" if pct == "0" else "obstructed", language, pct=pct)
