"""Answers of Quectel modules (``EC``, ``EG``, ``EP``, ``BG``, ``RM``, ``RG``), as parts of a reading. Pure.

Forms: Quectel's AT command manuals for EC2x/EG9x/EG2x and RG50xQ/RM5xxQ.
"""

from __future__ import annotations

from collections.abc import Sequence

from hardware import radio
from hardware.at_3gpp import plmn_of
from hardware.at_lines import at, hexadecimal, number, rows, whole
from hardware.ports import Cell, Network, Registration, Signal

COMMANDS = ('AT+QENG="servingcell"', "AT+QCSQ", "AT+QNWINFO")


def qeng(lines: Sequence[str]) -> Signal:
    """``+QENG: "servingcell",<state>,<technology>,...``; in 5G NSA the carriers follow on lines of their own.

    A state alone (``SEARCH``, ``LIMSRV``) says what the modem does when it has no cell.
    """
    reading = Signal()
    for row in rows(lines, "+QENG"):
        fields = row
        if at(row, 0) == "servingcell":
            reading = Signal(registration=_REGISTRATION.get(at(row, 1)))
            fields = row[2:]
        form = _FORMS.get(at(fields, 0))
        if form is not None:
            reading = radio.fill(form(fields[1:]), reading)
        elif at(fields, 0) == "NR5G-NSA":
            reading = radio.fill(Signal(network=Network.G5_NSA, nr=_nsa(fields[1:])), reading)
    return reading


_REGISTRATION = {"SEARCH": Registration.SEARCHING, "LIMSRV": Registration.DENIED}
"""``LIMSRV`` is "camping, but not registered": emergency calls only."""


def _lte(fields: list[str]) -> Signal:
    """Duplex, MCC, MNC, cell, PCI, EARFCN, band, two bandwidths, TAC, RSRP, RSRQ, RSSI, SINR, ..."""
    rsrq = radio.rsrq(number(at(fields, 11)))
    return Signal(
        network=Network.G4,
        plmn=plmn_of(at(fields, 1), at(fields, 2)),
        cell=Cell(
            band=_band("B", at(fields, 6)),
            channel=whole(at(fields, 5)),
            pci=whole(at(fields, 4)),
            cell_id=hexadecimal(at(fields, 3)),
            rsrp_dbm=radio.rsrp(number(at(fields, 10))),
            rsrq_db=rsrq,
            rssi_dbm=radio.rssi(number(at(fields, 12))),
            sinr_db=radio.fifth_or_db(number(at(fields, 13)), rsrq),
        ),
    )


def _sa(fields: list[str]) -> Signal:
    """Duplex, MCC, MNC, cell, PCI, TAC, NR-ARFCN, band, bandwidth, RSRP, RSRQ, SINR, ..."""
    return Signal(
        network=Network.G5_SA,
        plmn=plmn_of(at(fields, 1), at(fields, 2)),
        cell=Cell(
            band=_band("n", at(fields, 7)),
            channel=whole(at(fields, 6)),
            pci=whole(at(fields, 4)),
            cell_id=hexadecimal(at(fields, 3)),
            rsrp_dbm=radio.rsrp(number(at(fields, 9))),
            rsrq_db=radio.rsrq(number(at(fields, 10))),
            sinr_db=radio.sinr(number(at(fields, 11))),
        ),
    )


def _nsa(fields: list[str]) -> Cell:
    """MCC, MNC, PCI, RSRP, SINR, RSRQ, NR-ARFCN, band, ...; the last ones are missing on old firmware.

    Old firmware gives the SINR in a unit that is nowhere stated (180 was seen); above 41 it is unknown.
    """
    return Cell(
        band=_band("n", at(fields, 7)),
        channel=whole(at(fields, 6)),
        pci=whole(at(fields, 2)),
        rsrp_dbm=radio.rsrp(number(at(fields, 3))),
        rsrq_db=radio.rsrq(number(at(fields, 5))),
        sinr_db=radio.sinr(number(at(fields, 4))),
    )


def _wcdma(fields: list[str]) -> Signal:
    """MCC, MNC, area, cell, UARFCN, scrambling code, ..."""
    return Signal(
        network=Network.G3,
        plmn=plmn_of(at(fields, 0), at(fields, 1)),
        cell=Cell(channel=whole(at(fields, 4)), cell_id=hexadecimal(at(fields, 3))),
    )


def _gsm(fields: list[str]) -> Signal:
    """MCC, MNC, area, cell, base station colour, ARFCN, ..."""
    return Signal(
        network=Network.G2,
        plmn=plmn_of(at(fields, 0), at(fields, 1)),
        cell=Cell(channel=whole(at(fields, 5)), cell_id=hexadecimal(at(fields, 3))),
    )


_FORMS = {
    "LTE": _lte,
    "CAT-M": _lte,
    "eMTC": _lte,
    "CAT-NB": _lte,
    "NBIoT": _lte,
    "NR5G-SA": _sa,
    "WCDMA": _wcdma,
    "GSM": _gsm,
}


def qcsq(lines: Sequence[str]) -> Signal:
    """``+QCSQ: <technology>,...``: 4G is RSSI, RSRP, SINR, RSRQ; 5G the same, or without the RSSI."""
    reading = Signal()
    for fields in rows(lines, "+QCSQ"):
        network = _QCSQ_NETWORK.get(at(fields, 0).upper())
        values = [number(field) for field in fields[1:]]
        if network in (Network.G2, Network.G3) and values:
            reading = Signal(network=network, cell=Cell(rssi_dbm=radio.rssi(values[0])))
        elif network in (Network.G4, Network.G5_SA) and len(values) in (3, 4):
            rssi, level, noise, quality = [None, *values][-4:]
            rsrq = radio.rsrq(quality)
            lte = network is Network.G4
            reading = Signal(
                network=network,
                cell=Cell(
                    rssi_dbm=radio.rssi(rssi),
                    rsrp_dbm=radio.rsrp(level),
                    rsrq_db=rsrq,
                    sinr_db=radio.fifth_or_db(noise, rsrq) if lte else radio.sinr(noise),
                ),
            )
        else:
            reading = Signal()
    return reading


_QCSQ_NETWORK = {
    "GSM": Network.G2,
    "WCDMA": Network.G3,
    "LTE": Network.G4,
    "CAT-M1": Network.G4,
    "EMTC": Network.G4,
    "CAT-NB1": Network.G4,
    "NBIOT": Network.G4,
    "NR5G": Network.G5_SA,
    "NR5G-SA": Network.G5_SA,
}


def qnwinfo(lines: Sequence[str]) -> Signal:
    """``+QNWINFO: "FDD LTE","20801","LTE BAND 20",6300``; the second line of 5G NSA is left to +QENG."""
    for fields in rows(lines, "+QNWINFO"):
        words = at(fields, 2).split()
        if len(words) == 3 and words[:2] == ["LTE", "BAND"]:
            code = at(fields, 1)
            return Signal(
                plmn=code if whole(code) is not None and len(code) in (5, 6) else None,
                cell=Cell(band=_band("B", words[2]), channel=whole(at(fields, 3))),
            )
    return Signal()


def _band(letter: str, field: str) -> str | None:
    value = whole(field)
    return f"{letter}{value}" if value else None
