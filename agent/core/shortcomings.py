"""What is wrong with an uplink that works, by its own evidence and by what its device says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agent.core import health, quality, radio
from agent.core.causes import SAYS_FRESH_S, names_fail, walled
from agent.core.codes import Code
from agent.core.devices import Registration, Says, Strength
from agent.core.model import Scalar
from agent.core.snapshot_types import Health
from agent.core.state import FindingKey, UplinkState

Found = Iterator[tuple[Code, Mapping[str, Scalar]]]

LIGHT_DBM = -27.0
"""Least light that a GPON terminal of class B+ must be able to read (ITU-T G.984.2 amendment 1: sensitivity
-27 dBm); those of class C+ read down to -30."""
OBSTRUCTED_PCT = 2.0
"""Half an hour a day without sky, in pieces of seconds: calls break off."""
DATA_LOW_SHARE = 0.8
GIGABYTE = 1e9


def of(uplink: UplinkState, now_at: float) -> dict[FindingKey, tuple[str, Mapping[str, Scalar]]]:
    """The findings for an uplink that answers."""
    name, label = uplink.spec.name, uplink.spec.label
    found = {(code, name): (label, args) for code, args in _beyond(uplink)}
    return found | {(code, name): (label, args) for code, args in _device(uplink, now_at)}


def _beyond(uplink: UplinkState) -> Found:
    """What echoes, names and pages show; the worst of it."""
    if walled(uplink):
        yield Code.WALLED_GARDEN, {}
    elif names_fail(uplink):
        yield Code.NAMES_FAIL, {}
    elif health.settled(uplink) is Health.DEGRADED:
        yield Code.DEGRADED, quality.told(uplink)


def _device(uplink: UplinkState, now_at: float) -> Found:
    says = uplink.says
    if says is None or now_at - uplink.says_at > SAYS_FRESH_S:
        return
    if says.locked:
        yield Code.DEVICE_LOCKED, {"why": says.why}
    if not says.heard:
        if not says.locked:
            yield Code.DEVICE_SILENT, {"why": says.why}
        return
    if says.rx_dbm is not None and says.rx_dbm < LIGHT_DBM:
        yield Code.LIGHT_WEAK, {"rx_dbm": says.rx_dbm}
    if says.obstructed_pct is not None and says.obstructed_pct >= OBSTRUCTED_PCT:
        yield Code.VIEW_OBSTRUCTED, {"obstructed_pct": says.obstructed_pct}
    yield from _signal(uplink, says)
    yield from _subscription(uplink, says)


def _signal(uplink: UplinkState, says: Says) -> Found:
    air = uplink.air
    if says.radio is None:
        return
    args = {"power_dbm": _whole(air.rsrp_dbm), "sinr_db": _whole(air.sinr_db), "band": says.radio.band}
    if air.strength in (Strength.POOR, Strength.UNUSABLE):
        yield Code.SIGNAL_WEAK, args
    elif (trend_db := radio.trend_db(air)) is not None and trend_db <= -radio.DROP_DB:
        yield Code.SIGNAL_DROPPED, {**args, "drop_db": round(-trend_db)}
    bands = uplink.spec.device.bands if uplink.spec.device is not None else ()
    if bands and says.radio.band is not None and says.radio.band not in bands:
        yield Code.WRONG_BAND, {"band": says.radio.band, "wanted": ", ".join(bands)}


def _subscription(uplink: UplinkState, says: Says) -> Found:
    if says.registration is Registration.ROAMING:
        yield Code.ROAMING, {"operator": says.operator}
    limit = limit_bytes(uplink)
    if limit is not None and says.month_bytes is not None and says.month_bytes >= DATA_LOW_SHARE * limit:
        yield Code.DATA_LOW, month(uplink)


def limit_bytes(uplink: UplinkState) -> int | None:
    """What may be used in a month: as configured, else as the modem was told; None if neither."""
    device, says = uplink.spec.device, uplink.says
    if device is not None and device.limit_bytes is not None:
        return device.limit_bytes
    return says.limit_bytes or None if says is not None else None


def month(uplink: UplinkState) -> dict[str, Scalar]:
    """What was used this month, and of how much, in gigabytes (10^9)."""
    used = uplink.says.month_bytes if uplink.says is not None else None
    limit = limit_bytes(uplink)
    return {
        "used_gb": None if used is None else round(used / GIGABYTE, 1),
        "limit_gb": None if limit is None else round(limit / GIGABYTE, 1),
    }


def _whole(figure: float | None) -> int | None:
    return None if figure is None else round(figure)
