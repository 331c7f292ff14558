"""What the device of a line that is played says of itself, each as its kind does on real devices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agent.core.devices import Radio, Registration, Says, Sim
from agent.simulation.lines import Line

MODEMS = ("hilink", "at")
TELL_LIGHT = ("livebox", "freebox")
AIR = {
    "excellent": Radio("4G", "B7", rsrp_dbm=-72.0, rsrq_db=-7.0, sinr_db=24.0),
    "good": Radio("4G", "B3", rsrp_dbm=-86.0, rsrq_db=-9.0, sinr_db=16.0),
    "fair": Radio("4G", "B20", rsrp_dbm=-96.0, rsrq_db=-11.0, sinr_db=7.0),
    "poor": Radio("4G", "B20", rsrp_dbm=-112.0, rsrq_db=-15.0, sinr_db=-2.0),
    "unusable": Radio("4G", "B20", rsrp_dbm=-127.0, rsrq_db=-19.0, sinr_db=-9.0),
}
"""What a modem measures where the signal is so."""
_LINKED = ("no_pings", "unpaid", "disabled")
"""Troubles of a dish that is in touch with the sky."""
_CUT_MAY_CURE = ("no_downlink",)


def says(line: Line, uplink: str) -> Says:
    """What the device of this uplink says."""
    if not line.listens:
        return Says(uplink, heard=False, why="it does not answer")
    if line.locked:
        return Says(uplink, heard=True, locked=True, why="it refuses the password")
    if line.speaks in MODEMS:
        return Says(uplink, heard=True, **_modem(line))
    if line.speaks == "starlink":
        return Says(uplink, heard=True, **_dish(line))
    return Says(uplink, heard=True, **_box(line))


def _modem(line: Line) -> dict[str, Any]:
    registration = Registration(line.registration or "home")
    if not line.light and registration in (Registration.HOME, Registration.ROAMING):
        registration = Registration.SEARCHING
    served = registration in (Registration.HOME, Registration.ROAMING) and line.sim in (None, "ready")
    radio = AIR[line.signal or "good"]
    return {
        "wan_up": served and line.lets_data and not line.denies,
        "sim": Sim(line.sim or "ready"),
        "registration": registration,
        # By AT commands a refusal looks like any other missing connection.
        "refused": line.data == "refused" and line.speaks == "hilink",
        # Out of service it has no cell to measure.
        "radio": replace(radio, band=line.band or radio.band) if served else None,
        "operator": line.network,
        "month_bytes": None if line.month_gb is None else round(line.month_gb * 1e9),
    }


def _dish(line: Line) -> dict[str, Any]:
    cause = line.dish if line.dish != "well" else None
    if not line.light:
        cause = "no_downlink"
    elif line.denies and cause is None:
        cause = "no_pings"
    return {
        "line_up": cause is None or cause in _LINKED,
        "wan_up": cause is None,
        "cause": cause,
        "cut_helps": cause is None or cause in _CUT_MAY_CURE,
        "obstructed_pct": line.obstructed_pct,
    }


def _box(line: Line) -> dict[str, Any]:
    """``None`` speaks as a box of no maker, which is also asked what a modem is."""
    up = line.light and line.signal != "unusable"
    cause = "unknown" if line.denies else None
    if not line.light:
        cause = "no_light" if line.speaks in (None, *TELL_LIGHT) else "unknown"
    return {
        "line_up": up,
        "wan_up": line.light and line.lets_data and not line.denies,
        "cause": cause,
        "cut_helps": line.light,
        "rx_dbm": line.rx_dbm if line.light and line.speaks in TELL_LIGHT else None,
    }
