"""Answers of SIMCom modules (``SIM7xxx``, ``A76xx``, ``SIM82xx``), as parts of a reading. Pure.

Forms: SIMCom's AT command manuals for SIM7500/SIM7600 (V2.00) and SIM82xx/SIM83xx.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hardware import radio
from hardware.at_3gpp import plmn_of
from hardware.at_lines import at, number, rows, whole
from hardware.ports import Cell, Network, Registration, Signal

COMMANDS = ("AT+CPSI?",)


def cpsi(lines: Sequence[str]) -> Signal:
    """``+CPSI: <mode>,<operation>,...``, in 5G NSA with a second line for the 5G carrier.

    Just after boot a module may answer ``ERROR`` once: then there is no line and nothing is known.
    """
    reading = Signal()
    for fields in rows(lines, "+CPSI"):
        mode = at(fields, 0).upper()
        if mode == "NO SERVICE":
            reading = Signal(registration=Registration.SEARCHING if at(fields, 1) == "Online" else None)
        elif mode in ("NR5G_NSA", "NR5G"):
            reading = radio.fill(Signal(network=Network.G5_NSA, nr=_nr(fields, 1)), reading)
        elif mode in _FORMS:
            reading = _FORMS[mode](fields)
        elif mode.startswith("LTE"):
            reading = _lte(fields)
    return reading


def _lte(fields: list[str]) -> Signal:
    """Mode, operation, MCC-MNC, TAC, cell, PCI, band, EARFCN, two bandwidths, RSRQ, RSRP, RSSI, RSSNR.

    RSRQ, RSRP and RSSI are in tenths on SIM7500/7600/8200, whole on SIM7000/7070. RSSNR is no dB: the
    manual gives SINR = 2 * RSSNR - 20, and only that fits the RSRQ of real answers (RSSNR 4 with RSRQ -20).
    """
    level = number(at(fields, 11))
    divisor = radio.tenths_or_whole(level)
    noise = number(at(fields, 13))
    return Signal(
        network=Network.G4,
        plmn=_plmn(fields),
        cell=Cell(
            band=_band("B", at(fields, 6)),
            channel=whole(at(fields, 7)),
            pci=whole(at(fields, 5)),
            cell_id=whole(at(fields, 4)) or None,
            rsrp_dbm=radio.rsrp(radio.scaled(level, divisor)),
            rsrq_db=radio.rsrq(radio.scaled(number(at(fields, 10)), divisor)),
            rssi_dbm=radio.rssi(radio.scaled(number(at(fields, 12)), divisor)),
            sinr_db=radio.sinr(None if noise is None else 2 * noise - 20),
        ),
    )


def _sa(fields: list[str]) -> Signal:
    """Mode, operation, MCC-MNC, TAC, cell, then as in 5G NSA."""
    return Signal(
        network=Network.G5_SA,
        plmn=_plmn(fields),
        cell=radio.fill_cell(_nr(fields, 5), Cell(cell_id=whole(at(fields, 4)) or None)),
    )


def _nr(fields: list[str], start: int) -> Cell:
    """PCI, band, NR-ARFCN, RSRP, RSRQ, SNR: the three figures in tenths."""
    pci, band, channel, level, quality, noise = (at(fields, start + index) for index in range(6))
    divisor = radio.tenths_or_whole(number(level))
    return Cell(
        band=_band("n", band),
        channel=whole(channel),
        pci=whole(pci),
        rsrp_dbm=radio.rsrp(radio.scaled(number(level), divisor)),
        rsrq_db=radio.rsrq(radio.scaled(number(quality), divisor)),
        sinr_db=radio.sinr(radio.scaled(number(noise), divisor)),
    )


def _wcdma(fields: list[str]) -> Signal:
    """Mode, operation, MCC-MNC, area, cell, band, scrambling code, ...; the level is left to +CSQ."""
    return Signal(network=Network.G3, plmn=_plmn(fields), cell=Cell(cell_id=whole(at(fields, 4)) or None))


def _gsm(fields: list[str]) -> Signal:
    """Mode, operation, MCC-MNC, area, cell, ``<ARFCN> <band>``, level in dBm, ..."""
    return Signal(
        network=Network.G2,
        plmn=_plmn(fields),
        cell=Cell(
            channel=whole(at(fields, 5).partition(" ")[0]),
            cell_id=whole(at(fields, 4)) or None,
            rssi_dbm=radio.rssi(number(at(fields, 6))),
        ),
    )


_FORMS = {"NR5G_SA": _sa, "WCDMA": _wcdma, "GSM": _gsm}


def _plmn(fields: list[str]) -> str | None:
    mcc, _, mnc = at(fields, 2).partition("-")
    return plmn_of(mcc, mnc)


def _band(letter: str, field: str) -> str | None:
    """``EUTRAN-BAND20``, ``NR5G_BAND78``."""
    match = re.search(r"BAND(\d{1,3})$", field, re.ASCII | re.IGNORECASE)
    return f"{letter}{int(match[1])}" if match else None
