"""What a HiLink modem says: its XML pages, from plain values. Pure. All values are invented."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

from hardware.ports import Network, Registration, Sim

UNKNOWN, NO_SUPPORT, NO_RIGHTS, BUSY, BAD_FORMAT = 100001, 100002, 100003, 100004, 100005
"""Error codes: no such page, wants a login, later, not understood."""
WRONG_PASSWORD, OCCUPIED, LOCKED = 108006, 108003, 108007
"""Of a login: wrong, somebody else is logged in, too many tries."""
NO_SESSION, BAD_TOKEN = 125002, 125003
"""The modem knows no such session, or the token has been used up."""

_ONLINE, _OFFLINE, _REFUSED = 901, 902, 7
"""``ConnectionStatus``; the last one is "network access not allowed"."""
_TYPES = {
    Network.G2: (3, 3),
    Network.G3: (9, 46),
    Network.G4: (19, 101),
    Network.G5_NSA: (19, 101),
    Network.G5_SA: (0, 111),
}
"""The codes of a technology in the two fields that name it."""
_MODES = {Network.G2: 0, Network.G3: 2, Network.G4: 7, Network.G5_NSA: 7, Network.G5_SA: 12}
_SIM = {
    Sim.READY: (1, 257, 3, 10),
    Sim.MISSING: (255, 255, 0, 0),
    Sim.PIN: (0, 260, 3, 10),
    Sim.PUK: (0, 261, 0, 10),
    Sim.BLOCKED: (0, 261, 0, 0),
}
"""``SimStatus``, ``SimState``, tries left for PIN and PUK."""


@dataclass(frozen=True, slots=True)
class HiLinkSignal:
    """What the radio reports; None leaves the element empty, as modems do when they do not know."""

    rsrp_dbm: int | None = -97
    rsrq_db: float | None = -10.5
    rssi_dbm: int | None = -67
    sinr_db: int | None = 9
    band: int | None = 20
    plmn: str = "20899"
    network: Network | None = Network.G4
    sim: Sim = Sim.READY
    registration: Registration = Registration.HOME
    nr_rsrp_dbm: int = -91
    nr_rsrq_db: float = -11.0
    nr_sinr_db: int = 14
    nr_band: int = 78
    pci: int = 214
    cell_id: int = 27_316_994
    channel: int = 6300
    nr_channel: int = 636_000
    nr_pci: int = 612
    tells_signal: bool = True
    """False: every element of the radio page is empty although the modem is online, as on some E8372."""
    plain_figures: bool = False
    """Without units, in tenths of a dB."""

    @property
    def has_service(self) -> bool:
        """Registered with a card that works."""
        return self.sim is Sim.READY and self.registration in (Registration.HOME, Registration.ROAMING)


@dataclass(frozen=True, slots=True)
class HiLinkReadings:
    """Everything that changes. Bytes and seconds count from the modem's last boot."""

    signal: HiLinkSignal = HiLinkSignal()
    operator: str = "Exemple Mobile"
    online: bool = True
    refused: bool = False
    """The operator lets it into the network, and to no data."""
    wan_address: str = "100.71.4.9"
    uptime_s: float = 86_400.0
    sent_bytes: int = 0
    received_bytes: int = 0
    month_bytes: int = 3_221_225_472
    month_limit: str = "50GB"


def response(fields: dict[str, object]) -> str:
    """A page of fields in their order; None makes an empty element."""
    lines = [
        f"<{name}>{'' if value is None else escape(str(value))}</{name}>" for name, value in fields.items()
    ]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', "<response>", *lines, "</response>", ""])


def done() -> str:
    """An order was accepted."""
    return '<?xml version="1.0" encoding="UTF-8"?><response>OK</response>'


def error(code: int) -> str:
    """An order or page was refused."""
    lines = (
        '<?xml version="1.0" encoding="UTF-8"?>',
        "<error>",
        f"<code>{code}</code>",
        "<message></message>",
    )
    return "\n".join((*lines, "</error>", ""))


def session(cookie: str, token: str) -> str:
    """The page that opens a session."""
    return response({"SesInfo": f"SessionID={cookie}", "TokInfo": token})


def page(path: str, now: HiLinkReadings) -> str | None:
    """The page at ``path`` (below ``/api/``); None if there is none."""
    maker = _PAGES.get(path)
    return None if maker is None else response(maker(now))


def bars(signal: HiLinkSignal) -> int:
    """The modem's own 0 to 5, from the strength of the reference signal."""
    if signal.rsrp_dbm is None:
        return 0
    return sum(signal.rsrp_dbm >= least for least in (-120, -111, -105, -99, -90))


def _signal(now: HiLinkReadings) -> dict[str, object]:
    signal = now.signal
    known = signal.tells_signal and signal.has_service and signal.rsrp_dbm is not None
    lte = known and signal.network in (Network.G4, Network.G5_NSA)
    five = known and signal.network in (Network.G5_NSA, Network.G5_SA)
    alone = known and signal.network is Network.G5_SA

    def figure(value: float | None, unit: str, *, shown: bool = lte) -> str | None:
        if value is None or not shown:
            return None
        return f"{10 * value:.0f}" if signal.plain_figures else f"{value:g}{unit}"

    rssi = figure(signal.rssi_dbm, "dBm", shown=known)
    fields: dict[str, object] = {
        "pci": signal.nr_pci if alone else signal.pci if lte else None,
        "sc": None,
        "cell_id": signal.cell_id if lte else None,
        "rsrq": figure(signal.rsrq_db, "dB"),
        "rsrp": figure(signal.rsrp_dbm, "dBm"),
        # The end of the scale is told as a bound, and escaped twice by some firmwares.
        "rssi": ">=-51dBm" if known and (signal.rssi_dbm or -99) >= -51 else rssi,
        "sinr": "&lt;-20dB" if lte and (signal.sinr_db or 0) <= -20 else figure(signal.sinr_db, "dB"),
        "rscp": None,
        "ecio": None,
        "mode": _MODES.get(signal.network or Network.G4) if signal.has_service and signal.network else None,
        "ulbandwidth": "10MHz" if lte else None,
        "dlbandwidth": "10MHz" if lte else None,
        "txpower": "PPusch:11dBm PPucch:2dBm PSrs:0dBm PPrach:8dBm" if lte else None,
        "earfcn": f"DL:{signal.channel} UL:{signal.channel + 18_000}" if lte else None,
        "tac": 20_411 if lte else None,
        "band": f"100MHz@{signal.nr_channel}(N{signal.nr_band})" if alone else signal.band if lte else None,
        "plmn": signal.plmn if known else None,
    }
    if five:
        fields |= {
            "nrearfcn": signal.nr_channel,
            "nrrsrp": figure(signal.nr_rsrp_dbm, "dBm", shown=True),
            "nrrsrq": f"{signal.nr_rsrq_db:.1f}dB",
            "nrsinr": figure(signal.nr_sinr_db, "dB", shown=True),
        }
        if not alone:
            fields["nrband"] = f"n{signal.nr_band}"
            fields["scc_pci"] = signal.nr_pci
    return fields


def _status(now: HiLinkReadings) -> dict[str, object]:
    signal = now.signal
    online = now.online and signal.has_service and not now.refused
    types = _TYPES.get(signal.network, (0, 0)) if signal.has_service and signal.network else (0, 0)
    service = 2 if signal.has_service else 1
    if signal.sim is Sim.READY and signal.registration in (Registration.SEARCHING, Registration.NONE):
        service = 0
    return {
        "ConnectionStatus": _ONLINE if online else _REFUSED if now.refused else _OFFLINE,
        "WifiConnectionStatus": None,
        "SignalStrength": None,
        "SignalIcon": bars(signal),
        "CurrentNetworkType": types[0],
        "CurrentServiceDomain": 3,
        "RoamingStatus": int(signal.registration is Registration.ROAMING),
        "simlockStatus": 0,
        "WanIPAddress": now.wan_address if online else None,
        "PrimaryDns": "9.9.9.9" if online else None,
        "SecondaryDns": "1.1.1.1" if online else None,
        "ServiceStatus": service,
        "SimStatus": _SIM[signal.sim][0],
        "CurrentNetworkTypeEx": types[1],
        "maxsignal": 5,
        "classify": "hilink",
        "flymode": int(signal.sim is Sim.READY and signal.registration is Registration.NONE),
    }


def _pin(now: HiLinkReadings) -> dict[str, object]:
    _, state, pin_times, puk_times = _SIM[now.signal.sim]
    return {"SimState": state, "PinOptState": 258, "SimPinTimes": pin_times, "SimPukTimes": puk_times}


def _traffic(now: HiLinkReadings) -> dict[str, object]:
    return {
        "CurrentConnectTime": int(now.uptime_s),
        "CurrentUpload": now.sent_bytes,
        "CurrentDownload": now.received_bytes,
        "CurrentDownloadRate": 0,
        "CurrentUploadRate": 0,
        "TotalUpload": now.sent_bytes,
        "TotalDownload": now.received_bytes,
        "TotalConnectTime": int(now.uptime_s),
        "showtraffic": 1,
    }


def _month(now: HiLinkReadings) -> dict[str, object]:
    return {
        "CurrentMonthDownload": now.month_bytes - now.month_bytes // 4,
        "CurrentMonthUpload": now.month_bytes // 4,
        "MonthDuration": 175_201,
        "MonthLastClearTime": "2026-11-1",
    }


def _plan(now: HiLinkReadings) -> dict[str, object]:
    return {"StartDay": 1, "DataLimit": now.month_limit, "MonthThreshold": 90, "SetMonthData": 1}


def _information(now: HiLinkReadings) -> dict[str, object]:
    has_card = now.signal.sim is not Sim.MISSING
    return {
        "DeviceName": "E3372v-000",
        "SerialNumber": "VIRTUAL000000001",
        "Imei": "001010000000001",
        "Imsi": f"{now.signal.plmn}0000000001" if has_card else None,
        "Iccid": "8933000000000000001" if has_card else None,
        "Msisdn": None,
        "HardwareVersion": "VL1E3372V",
        "SoftwareVersion": "10.0.0.1(H000SP0C00)",
        "WebUIVersion": "WEBUI 10.0.0.1(W0SP0C00)",
        "MacAddress1": "02:76:00:00:00:FE",
        "WanIPAddress": now.wan_address if now.online and now.signal.has_service else None,
        "ProductFamily": "LTE",
        "Classify": "hilink",
        "supportmode": "LTE|WCDMA|GSM",
        "workmode": "LTE",
        "uptime": int(now.uptime_s),
    }


def _basic(_now: HiLinkReadings) -> dict[str, object]:
    return {"productfamily": "LTE", "classify": "hilink", "devicename": "E3372v-000", "multimode": 0}


def _operator(now: HiLinkReadings) -> dict[str, object]:
    if not now.signal.has_service:
        return {"State": 1, "FullName": None, "ShortName": None, "Numeric": None, "Rat": None}
    name = now.operator
    return {"State": 0, "FullName": name, "ShortName": name, "Numeric": now.signal.plmn, "Rat": 7}


_PAGES = {
    "device/signal": _signal,
    "device/information": _information,
    "device/basic_information": _basic,
    "monitoring/status": _status,
    "monitoring/traffic-statistics": _traffic,
    "monitoring/month_statistics": _month,
    "monitoring/start_date": _plan,
    "net/current-plmn": _operator,
    "pin/status": _pin,
}
