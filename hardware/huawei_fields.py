"""What the pages of a Huawei HiLink modem say, as one reading. Pure.

A page is a mapping of element names to texts, as the library gives it. Firmwares differ in spelling, units
and in what they leave empty; an empty element is unknown. The codes are those of the modems' own web pages
(``main.js``: ``MACRO_*``).
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

from hardware import radio
from hardware.ports import Cell, DataState, DataUse, Network, Registration, Signal, Sim

Page = Mapping[str, object]
"""Element to text; None for an empty element; anything else is not used."""

SIGNAL, STATUS, OPERATOR, PIN, INFORMATION, BASIC, MONTH, PLAN = (
    "device/signal",
    "monitoring/status",
    "net/current-plmn",
    "pin/status",
    "device/information",
    "device/basic_information",
    "monitoring/month_statistics",
    "monitoring/start_date",
)

_NUMBER = re.compile(r"[-+]?\d{1,15}(?:\.\d{1,6})?", re.ASCII)
_UNITS = {"": 1, "B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}

_MODES = {0: Network.G2, 2: Network.G3, 7: Network.G4, 12: Network.G5_SA}
_TYPES_EX = {
    **dict.fromkeys(range(1, 4), Network.G2),
    **dict.fromkeys((*range(41, 47), *range(61, 66)), Network.G3),
    **dict.fromkeys((101, 1011), Network.G4),
    111: Network.G5_SA,
}
"""``CurrentNetworkTypeEx``: GSM to EDGE, UMTS to DC-HSPA+, TD-SCDMA, LTE and LTE+, NR."""
_TYPES = {
    **dict.fromkeys(range(1, 4), Network.G2),
    **dict.fromkeys((*range(4, 10), 17, 18), Network.G3),
    19: Network.G4,
}
"""``CurrentNetworkType``. Not 41, which is 3G on some firmwares and 4G on others."""

_DATA = {
    900: DataState.CONNECTING,
    901: DataState.CONNECTED,
    902: DataState.DISCONNECTED,
    903: DataState.DISCONNECTING,
    904: DataState.DISCONNECTED,
    905: DataState.DISCONNECTED,
    # Access point name, user or password; no access; no roaming; data used up.
    **dict.fromkeys((2, 3, 5, 8, 20, 21, 23, *range(27, 34)), DataState.REFUSED),
    **dict.fromkeys((7, 11, 14, 37, 12, 13, 201), DataState.REFUSED),
}
_SIM_STATES = {
    255: Sim.MISSING,
    256: Sim.MISSING,
    257: Sim.READY,
    258: Sim.READY,
    259: Sim.READY,
    260: Sim.PIN,
    261: Sim.PUK,
}
"""``SimState``: no card, card fails, ready, PIN off, PIN passed, PIN wanted, PUK wanted."""


def text(page: Page, *names: str) -> str | None:
    """The first of these elements that holds something, unescaped (some firmwares escape twice)."""
    for name in names:
        value = page.get(name)
        if isinstance(value, str) and (found := html.unescape(html.unescape(value)).strip()):
            return found
    return None


def number(page: Page, *names: str) -> float | None:
    """The number in an element, whatever stands around it: ``-7.0dB``, ``>=-51dBm``, ``DL:6300 UL:24300``.

    A bound counts as the value, as it is the end of the modem's scale.
    """
    found = text(page, *names)
    match = None if found is None else _NUMBER.search(found)
    return None if match is None else float(match[0])


def whole(page: Page, *names: str) -> int | None:
    """A number without sign and fraction, alone in its element or after ``DL:``; None for anything else."""
    found = text(page, *names)
    match = re.match(r"(?:DL:)?\s*(\d{1,15})(?=\s|$)", found or "", re.ASCII | re.IGNORECASE)
    return None if match is None else int(match[1])


def understand(pages: Mapping[str, Page]) -> Signal:
    """One reading from the pages that were got; a page that is missing leaves its fields unknown."""
    signal, status = pages.get(SIGNAL, {}), pages.get(STATUS, {})
    sim = _sim(pages.get(PIN, {}), status)
    network = _network(signal, status)
    lte, nr = _lte(signal), _nr(signal)
    if network is Network.G5_SA:
        serving, beside = radio.fill_cell(nr, Cell(pci=_whole_within(signal, 1007, "pci"))), None
    else:
        serving, beside = lte, nr if network is Network.G5_NSA and nr != Cell() else None
    name, code = _operator(pages.get(OPERATOR, {}), signal)
    information = {**pages.get(BASIC, {}), **pages.get(INFORMATION, {})}
    return Signal(
        network=network,
        operator=name,
        plmn=code,
        registration=_registration(status, sim),
        sim=sim,
        data=_DATA.get(_code(status, "ConnectionStatus")),
        cell=serving,
        nr=beside,
        wan_address=_address(status) or _address(information),
        month=_month(pages.get(MONTH, {}), pages.get(PLAN, {})),
        model=_model(information),
        firmware=text(information, "SoftwareVersion"),
        uptime_s=number(information, "uptime"),
    )


def _lte(page: Page) -> Cell:
    """The serving cell of 4G, 3G or 2G. The band is ``20`` or ``10MHz@6300(B20)``."""
    divisor = radio.tenths_or_whole(number(page, "rsrp"))
    named = re.search(r"(?:^|\bB)([1-9]\d{0,2})\b$|\(B([1-9]\d{0,2})\)", text(page, "band") or "", re.ASCII)
    return Cell(
        band=f"B{named[1] or named[2]}" if named else None,
        channel=whole(page, "earfcn", "arfcn"),
        pci=_whole_within(page, 503, "pci"),
        cell_id=whole(page, "cell_id") or None,
        rsrp_dbm=radio.rsrp(_figure(page, "rsrp", divisor)),
        rsrq_db=radio.rsrq(_figure(page, "rsrq", divisor)),
        sinr_db=radio.sinr(_figure(page, "sinr", divisor)),
        rssi_dbm=radio.rssi(_figure(page, "rssi", divisor)),
    )


def _nr(page: Page) -> Cell:
    """The 5G carrier. Its band is written as ``n78``, ``N78`` or ``100MHz@627264(N78)``."""
    divisor = radio.tenths_or_whole(number(page, "nrrsrp"))
    named = re.search(r"\bN(\d{1,3})\b", text(page, "nrband", "bandInfo", "band") or "", re.IGNORECASE)
    return Cell(
        band=f"n{int(named[1])}" if named else None,
        channel=whole(page, "nrearfcn"),
        pci=_whole_within(page, 1007, "scc_pci", "nrpci"),
        cell_id=whole(page, "nrcellid", "nrcell_id") or None,
        rsrp_dbm=radio.rsrp(_figure(page, "nrrsrp", divisor)),
        rsrq_db=radio.rsrq(_figure(page, "nrrsrq", divisor)),
        sinr_db=radio.sinr(_figure(page, "nrsinr", divisor)),
        rssi_dbm=radio.rssi(_figure(page, "nrrssi", divisor)),
    )


def _figure(page: Page, name: str, divisor: float) -> float | None:
    """A radio figure; only one that stands without its unit can be in tenths."""
    value = number(page, name)
    return value if "dB" in (text(page, name) or "") else radio.scaled(value, divisor)


def _network(signal: Page, status: Page) -> Network | None:
    """By the radio page, else by the status page; 5G figures beside a 4G mode are 5G NSA."""
    found = _MODES.get(_code(signal, "mode"))
    if found is None:
        found = _TYPES_EX.get(_code(status, "CurrentNetworkTypeEx")) or _TYPES.get(
            _code(status, "CurrentNetworkType")
        )
    beside = number(signal, "nrrsrp") is not None
    anchored = number(signal, "rsrp") is not None or _code(signal, "mode") == 7
    if found is Network.G4 and beside:
        return Network.G5_NSA
    if found is Network.G5_SA and anchored:
        return Network.G5_NSA
    return found


def _sim(pin: Page, status: Page) -> Sim | None:
    if _code(status, "simlockStatus") == 1:
        return Sim.BLOCKED
    state = _SIM_STATES.get(_code(pin, "SimState"))
    if state is Sim.PUK and _code(pin, "SimPukTimes") == 0:
        return Sim.BLOCKED
    if state is not None:
        return state
    # 0 is a card that is locked or unusable; which, only the page about the PIN tells.
    return {1: Sim.READY, 255: Sim.MISSING}.get(_code(status, "SimStatus"))


def _registration(status: Page, sim: Sim | None) -> Registration | None:
    """``ServiceStatus`` 2 is service, 1 emergency calls only, 0 none.

    Emergency calls only is what a refused card gets, and also what a modem without a usable card gets.
    Firmware that leaves it out is registered at least while it is connected.
    """
    service = _code(status, "ServiceStatus")
    if _code(status, "flymode") == 1:
        return Registration.NONE
    if service == 2 or (service < 0 and _code(status, "ConnectionStatus") == 901):
        return Registration.ROAMING if _code(status, "RoamingStatus") == 1 else Registration.HOME
    if sim not in (None, Sim.READY) or (sim is None and _code(status, "SimStatus") == 0):
        return Registration.NONE
    return {0: Registration.SEARCHING, 1: Registration.DENIED}.get(service)


def _operator(page: Page, signal: Page) -> tuple[str | None, str | None]:
    code = text(page, "Numeric") or text(signal, "plmn")
    if code is None or re.fullmatch(r"\d{5,6}", code, re.ASCII) is None:
        code = None
    name = text(page, "FullName", "ShortName")
    return None if name == code else name, code


def _address(page: Page) -> str | None:
    found = text(page, "WanIPAddress")
    return None if found == "0.0.0.0" else found  # noqa: S104


def _month(use: Page, plan: Page) -> DataUse | None:
    """The plan is written as ``5GB``; 0 is none. Units are powers of 1024, as on the modem's own page."""
    down, up = whole(use, "CurrentMonthDownload"), whole(use, "CurrentMonthUpload")
    if down is None or up is None:
        return None
    written = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)\s*([KMGT]?B|)", (text(plan, "DataLimit") or "").upper())
    limit = int(float(written[1]) * _UNITS[written[2]]) if written else 0
    return DataUse(used_bytes=down + up, limit_bytes=limit or None)


def _model(page: Page) -> str | None:
    name = text(page, "DeviceName", "devicename", "spreadname_en")
    return name if name is None or "huawei" in name.lower() else f"Huawei {name}"


def _whole_within(page: Page, top: int, *names: str) -> int | None:
    value = whole(page, *names)
    return None if value is None or value > top else value


def _code(page: Page, name: str) -> int:
    """A code; -1 if there is none."""
    value = whole(page, name)
    return -1 if value is None else value
