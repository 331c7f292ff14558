"""Answers of Sierra Wireless modules (``EM74xx``, ``MC74xx``, ``EM91xx``, Dell ``DW58xx``). Pure.

Form: "AirPrime EM74xx-MC74xx AT Command Reference", ``AT!GSTATUS?``: labels and values in two columns;
``---`` and ``--`` are unknown. ``AT!`` commands that only read need no unlocking.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hardware import radio
from hardware.at_lines import hexadecimal, number, whole
from hardware.ports import Cell, Network, Registration, Signal

COMMANDS = ("AT!GSTATUS?",)

_NETWORK = {
    "LTE": Network.G4,
    "ENDC": Network.G5_NSA,
    "NR5G": Network.G5_SA,
    "UMTS": Network.G3,
    "WCDMA": Network.G3,
    "GSM": Network.G2,
}


def gstatus(lines: Sequence[str]) -> Signal:
    """The whole status page. Of the two receivers the main one counts."""
    text = "\n".join(lines)
    if "!GSTATUS" not in text.upper():
        return Signal()
    network = _NETWORK.get(_value(text, "System mode").upper())
    lte = Cell(
        band=_band("B", _value(text, "LTE band")),
        channel=whole(_value(text, "LTE Rx chan")),
        cell_id=hexadecimal(_value(text, "Cell ID")),
        rsrp_dbm=radio.rsrp(number(_value(text, "RSRP (dBm)") or _value(text, "PCC RxM RSRP"))),
        rsrq_db=radio.rsrq(number(_value(text, "RSRQ (dB)"))),
        sinr_db=radio.sinr(number(_value(text, "SINR (dB)"))),
        rssi_dbm=radio.rssi(number(_value(text, "PCC RxM RSSI"))),
    )
    nr = Cell(
        band=_band("n", _value(text, "NR5G band")),
        channel=whole(_value(text, "NR5G Rx chan")),
        cell_id=hexadecimal(_value(text, "NR5G Cell ID")),
        rsrp_dbm=radio.rsrp(number(_value(text, "NR5G RSRP (dBm)"))),
        rsrq_db=radio.rsrq(number(_value(text, "NR5G RSRQ (dB)"))),
        sinr_db=radio.sinr(number(_value(text, "NR5G SINR (dB)"))),
    )
    both = network is Network.G5_NSA or (network is Network.G4 and nr.rsrp_dbm is not None)
    return Signal(
        network=Network.G5_NSA if both else network,
        registration=_registration(text),
        cell=nr if network is Network.G5_SA else lte,
        nr=nr if both and nr != Cell() else None,
        uptime_s=number(_value(text, "Current Time")),
    )


def _registration(text: str) -> Registration | None:
    """``EMM state: Registered  Normal Service``; home or roaming is left to +CEREG."""
    match = re.search(r"EMM state:[ \t]*(\w+)[ \t]+([\w ]+)", text)
    if match is None:
        return None
    state, detail = match[1].lower(), match[2].lower()
    if state == "deregistered":
        if "limited" in detail:
            return Registration.DENIED
        return Registration.SEARCHING if "search" in detail else None
    return None


def _value(text: str, label: str) -> str:
    """The first word after ``label:``, which must not continue another label (``NR5G RSRQ`` for ``RSRQ``)."""
    match = re.search(rf"(?:^|\t|  )[ \t]*{re.escape(label)}:[ \t]*(\S+)", text, re.MULTILINE)
    return "" if match is None else match[1]


def _band(letter: str, field: str) -> str | None:
    match = re.fullmatch(r"[Bn]?(\d{1,3})", field, re.ASCII)
    return f"{letter}{int(match[1])}" if match else None
