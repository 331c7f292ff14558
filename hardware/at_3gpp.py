"""Answers that every modem gives alike, by 3GPP TS 27.007, as parts of a reading. Pure.

Each function takes all lines of a reading and looks at its own; the last line with a prefix is the newest.
Scales in steps are given by the lower edge of the step.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import AddressValueError, IPv4Address

from hardware import radio
from hardware.at_lines import Answer, at, hexadecimal, rows, whole
from hardware.ports import Cell, DataState, Network, Registration, Signal, Sim

_NETWORK_OF_ACT = {
    **dict.fromkeys((0, 1, 3, 8), Network.G2),
    **dict.fromkeys((2, 4, 5, 6), Network.G3),
    **dict.fromkeys((7, 9, 10), Network.G4),
    **dict.fromkeys((11, 12), Network.G5_SA),
    13: Network.G5_NSA,
}
"""``<AcT>`` of +COPS and +CEREG (TS 27.007, 7.3)."""

_REGISTRATION = {
    0: Registration.NONE,
    1: Registration.HOME,
    2: Registration.SEARCHING,
    3: Registration.DENIED,
    5: Registration.ROAMING,
    8: Registration.DENIED,
    9: Registration.HOME,
    10: Registration.ROAMING,
}
"""``<stat>`` (TS 27.007, 7.2 and 10.1.20 to 10.1.22). 8 is emergency calls only, which is what a refused SIM
gets; 4 is unknown; 6 and 7 are registered for SMS only, which says nothing of data."""

_SIM = {
    "READY": Sim.READY,
    "SIM PIN": Sim.PIN,
    "SIM PUK": Sim.PUK,
    # The second PIN guards fixed dialling and charges: the card works.
    "SIM PIN2": Sim.READY,
    "SIM PUK2": Sim.READY,
}
_TIED = "PH-"
"""Begins every state of a modem that is tied to one card or operator: ``PH-NET PIN`` and others."""
_SIM_ERRORS: dict[int | str, Sim] = {
    10: Sim.MISSING,
    11: Sim.PIN,
    12: Sim.PUK,
    13: Sim.MISSING,
    15: Sim.BLOCKED,
    17: Sim.READY,
    18: Sim.READY,
    "SIM NOT INSERTED": Sim.MISSING,
    "SIM PIN REQUIRED": Sim.PIN,
    "SIM PUK REQUIRED": Sim.PUK,
    "SIM FAILURE": Sim.MISSING,
    "SIM WRONG": Sim.BLOCKED,
}
"""``+CME ERROR`` as a number (+CMEE=1) or in words (TS 27.007, 9.2)."""


def csq(lines: Sequence[str]) -> Signal:
    """``+CSQ: <rssi>,<ber>`` (8.5): 0 is -113 dBm or less, 31 is -51 or more, 2 dB a step, 99 unknown.

    Some 4G modems give 99 for ever.
    """
    reading = Signal()
    for fields in rows(lines, "+CSQ"):
        value = whole(at(fields, 0))
        level = None if value is None or value > 31 else -113.0 + 2 * value
        reading = Signal(cell=Cell(rssi_dbm=level))
    return reading


def cesq(lines: Sequence[str]) -> Signal:
    """``+CESQ`` (8.69): six fields ``<rxlev>,<ber>,<rscp>,<ecno>,<rsrq>,<rsrp>``, on 5G modems nine.

    The three more are ``<ss_rsrq>,<ss_rsrp>,<ss_sinr>``. 99 or 255 is unknown.
    """
    reading = Signal()
    for fields in rows(lines, "+CESQ"):
        rxlev = _step(at(fields, 0), 63, 1.0, -111.0)
        rscp = _step(at(fields, 2), 96, 1.0, -121.0)
        lte = Cell(
            rsrq_db=radio.rsrq(_step(at(fields, 4), 34, 0.5, -20.0)),
            rsrp_dbm=radio.rsrp(_step(at(fields, 5), 97, 1.0, -141.0)),
            # Narrow-band technologies have no reference signal; what they call level is the power received.
            rssi_dbm=radio.rssi(rxlev if rscp is None else rscp) if at(fields, 5) in ("255", "") else None,
        )
        nr = Cell(
            rsrq_db=radio.rsrq(_step(at(fields, 6), 126, 0.5, -43.5)),
            rsrp_dbm=radio.rsrp(_step(at(fields, 7), 126, 1.0, -157.0)),
            sinr_db=radio.sinr(_step(at(fields, 8), 127, 0.5, -23.5)),
        )
        if nr == Cell():
            reading = Signal(cell=lte)
        elif lte.rsrp_dbm is None:
            reading = Signal(cell=nr)
        else:
            reading = Signal(cell=lte, nr=nr)
    return reading


def _step(field: str, top: int, width: float, zero: float) -> float | None:
    value = whole(field)
    return None if value is None or value > top else zero + width * value


def registration(lines: Sequence[str]) -> Signal:
    """What the network says of data: ``+C5GREG``, ``+CEREG``, ``+CGREG``; only without these ``+CREG``.

    A modem on 5G SA is not registered in 4G and the other way round, so the best of the three counts.
    """
    found = {prefix: _registered(lines, prefix) for prefix in ("+C5GREG", "+CEREG", "+CGREG", "+CREG")}
    data = [found[prefix] for prefix in ("+C5GREG", "+CEREG", "+CGREG")]
    if all(reading.registration is None for reading in data):
        data = [found["+CREG"]]
    for state in (
        Registration.HOME,
        Registration.ROAMING,
        Registration.DENIED,
        Registration.SEARCHING,
        Registration.NONE,
    ):
        for reading in data:
            if reading.registration is state:
                return reading
    return Signal()


def _registered(lines: Sequence[str], prefix: str) -> Signal:
    """Read ``<n>,<stat>[,<area>,<cell>,<AcT>]`` as an answer, or ``<stat>[,<area>,...]`` as a report.

    The second field tells: a state is a decimal number below 12, an area four or six digits to base 16.
    """
    reading = Signal()
    for fields in rows(lines, prefix):
        second = whole(at(fields, 1))
        start = 1 if second is not None and second < 12 else 0
        state = _REGISTRATION.get(_or_minus(whole(at(fields, start))))
        if state in (Registration.HOME, Registration.ROAMING):
            reading = Signal(
                registration=state,
                network=_NETWORK_OF_ACT.get(_or_minus(whole(at(fields, start + 3)))),
                cell=Cell(cell_id=_cell_id(at(fields, start + 2))),
            )
        else:
            reading = Signal(registration=state)
    return reading


def _cell_id(field: str) -> int | None:
    """0 and all ones are fillers."""
    value = hexadecimal(field)
    return None if value in (None, 0, 0xFFFF, 0xFFFFFFF, 0xFFFFFFFF) else value


def _or_minus(value: int | None) -> int:
    return -1 if value is None else value


def operator(lines: Sequence[str]) -> Signal:
    """``+COPS: <mode>[,<format>,<oper>[,<AcT>]]`` (7.3): format 2 is the code, 0 and 1 are names."""
    name: str | None = None
    code: str | None = None
    network: Network | None = None
    for fields in rows(lines, "+COPS"):
        found = at(fields, 2)
        if found.isdecimal() and found.isascii() and len(found) in (5, 6):
            code = found
        elif found:
            name = _decoded(found)
        network = _NETWORK_OF_ACT.get(_or_minus(whole(at(fields, 3))), network)
    return Signal(operator=name, plmn=code, network=network)


def _decoded(name: str) -> str:
    """A name as text; modems that are set to UCS-2 give it as hexadecimal digits."""
    if re.fullmatch(r"(00[0-9A-F]{2}){2,}", name, re.ASCII | re.IGNORECASE):
        text = bytes.fromhex(name).decode("utf-16-be")
        return text if text.isprintable() else name
    return name


def sim(answers: Sequence[Answer]) -> Signal:
    """``+CPIN: <code>`` (8.3), or the error instead of it."""
    state: Sim | None = None
    for answer in answers:
        for fields in rows(answer.lines, "+CPIN"):
            code = at(fields, 0).upper()
            state = Sim.BLOCKED if code.startswith(_TIED) else _SIM.get(code)
        if answer.command.upper() == "AT+CPIN?" and not answer.ok:
            error = answer.final.partition(":")[2].strip().upper()
            state = _SIM_ERRORS.get(int(error) if error.isdecimal() and len(error) < 5 else error, state)
    return Signal(sim=state)


def data_state(lines: Sequence[str]) -> Signal:
    """``+CGACT: <cid>,<state>`` for each context (10.1.10): one that is active is enough.

    An active context means that the network gives the modem its data bearer; whether a computer behind it
    uses that is not visible here.
    """
    states = [whole(at(fields, 1)) for fields in rows(lines, "+CGACT")]
    if 1 in states:
        return Signal(data=DataState.CONNECTED)
    return Signal(data=DataState.DISCONNECTED if 0 in states else None)


def address(lines: Sequence[str]) -> Signal:
    """``+CGPADDR: <cid>,<address>[,<address>]`` (10.1.14): the first IPv4 address that is not zero."""
    for fields in rows(lines, "+CGPADDR"):
        for text in fields[1:]:
            try:
                found = IPv4Address(text)
            except AddressValueError:
                continue  # IPv6, in sixteen decimal parts or in its own notation
            if not found.is_unspecified:
                return Signal(wan_address=str(found))
    return Signal()


def plmn_of(mcc: str, mnc: str) -> str | None:
    """The operator's code from its two parts."""
    if whole(mcc) is None or whole(mnc) is None or len(mcc) != 3 or not 1 <= len(mnc) <= 3:
        return None
    return f"{mcc}{mnc:0>2}"
