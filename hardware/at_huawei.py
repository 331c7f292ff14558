"""Answers of Huawei sticks and modules in serial mode (``E3372``, ``ME909``), as parts of a reading. Pure.

Forms: Huawei's "HUAWEI ME909s AT Command Interface Specification" (^HCSQ, ^SYSINFOEX, ^MONSC).
"""

from __future__ import annotations

from collections.abc import Sequence

from hardware import radio
from hardware.at_3gpp import plmn_of
from hardware.at_lines import at, hexadecimal, number, rows, whole
from hardware.ports import Cell, Network, Registration, Signal, Sim

COMMANDS = ("AT^HCSQ?", "AT^SYSINFOEX", "AT^MONSC")


def hcsq(lines: Sequence[str]) -> Signal:
    """``^HCSQ: <technology>,<steps>...``; 255 is unknown, 0 below the scale, each step by its lower edge.

    4G: RSSI (-121 + n), RSRP (-141 + n), SINR (-20.2 + n/5), RSRQ (-20 + n/2). 3G and 2G: RSSI first.
    The technology is quoted on some firmware only, and a report setting may stand before it.
    """
    reading = Signal()
    for fields in rows(lines, "^HCSQ"):
        names = [index for index, field in enumerate(fields) if field.upper() in _NETWORK]
        if not names:
            reading = Signal()
            continue
        network = _NETWORK[fields[names[0]].upper()]
        steps = fields[names[0] + 1 :]
        cell = Cell(rssi_dbm=radio.rssi(_step(at(steps, 0), 96, 1.0, -121.0)))
        if network is Network.G4:
            cell = Cell(
                rssi_dbm=cell.rssi_dbm,
                rsrp_dbm=radio.rsrp(_step(at(steps, 1), 97, 1.0, -141.0)),
                sinr_db=radio.sinr(_step(at(steps, 2), 251, 0.2, -20.2)),
                rsrq_db=radio.rsrq(_step(at(steps, 3), 34, 0.5, -20.0)),
            )
        reading = Signal(network=network, cell=cell)
    return reading


_NETWORK = {"LTE": Network.G4, "WCDMA": Network.G3, "TD-SCDMA": Network.G3, "GSM": Network.G2}


def _step(field: str, top: int, width: float, zero: float) -> float | None:
    value = whole(field)
    return None if value is None or value > top else round(zero + width * value, 1)


def sysinfoex(lines: Sequence[str]) -> Signal:
    """``^SYSINFOEX: <service>,<domain>,<roaming>,<SIM>,<lock>,<technology>,...``."""
    reading = Signal()
    for fields in rows(lines, "^SYSINFOEX"):
        service, roaming, card = (whole(at(fields, index)) for index in (0, 2, 3))
        # 0 is a card that is locked or unusable; which, +CPIN tells.
        sim = {1: Sim.READY, 255: Sim.MISSING}.get(-1 if card is None else card)
        state: Registration | None = None
        if service == 2:
            state = Registration.ROAMING if roaming == 1 else Registration.HOME
        elif service == 1 and sim is Sim.READY:
            state = Registration.DENIED
        reading = Signal(
            registration=state,
            sim=sim,
            network={1: Network.G2, 3: Network.G3, 4: Network.G3, 6: Network.G4}.get(
                whole(at(fields, 5)) or 0
            ),
        )
    return reading


def monsc(lines: Sequence[str]) -> Signal:
    """``^MONSC: LTE,<MCC>,<MNC>,<EARFCN>,<cell>,<PCI>,<TAC>,<RSRP>,<RSRQ>,<RSSI>``, the middle three hex."""
    reading = Signal()
    for fields in rows(lines, "^MONSC"):
        if at(fields, 0) != "LTE":
            continue
        reading = Signal(
            network=Network.G4,
            plmn=plmn_of(at(fields, 1), at(fields, 2)),
            cell=Cell(
                channel=whole(at(fields, 3)),
                cell_id=hexadecimal(at(fields, 4)),
                pci=hexadecimal(at(fields, 5)),
                rsrp_dbm=radio.rsrp(number(at(fields, 7))),
                rsrq_db=radio.rsrq(number(at(fields, 8))),
                rssi_dbm=radio.rssi(number(at(fields, 9))),
            ),
        )
    return reading
