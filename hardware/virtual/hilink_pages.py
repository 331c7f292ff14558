"""What a HiLink modem says: its XML pages, from plain values. Pure. All values are invented."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

NO_SUPPORT, NO_SESSION, BAD_TOKEN = 100002, 125002, 125003
"""Error codes: the modem does not know this, knows no such session, or the token has been used up."""

_ONLINE, _OFFLINE = 901, 902
_LTE = 19, 101
"""The code of 4G in the two fields that name the radio technology."""


@dataclass(frozen=True, slots=True)
class HiLinkSignal:
    """What the radio reports; None leaves the element empty, as modems do when they do not know."""

    rsrp_dbm: int | None = -97
    rsrq_db: float | None = -10.5
    rssi_dbm: int | None = -67
    sinr_db: int | None = 9
    band: int | None = 20
    plmn: str = "20899"
    sim_present: bool = True


@dataclass(frozen=True, slots=True)
class HiLinkReadings:
    """Everything that changes. Bytes and seconds count from the modem's last boot."""

    signal: HiLinkSignal
    operator: str
    online: bool
    wan_address: str
    uptime_s: float
    sent_bytes: int
    received_bytes: int


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


def _with_unit(value: float | None, unit: str) -> str | None:
    return None if value is None else f"{value:g}{unit}"


def bars(signal: HiLinkSignal) -> int:
    """The modem's own 0 to 5, from the strength of the reference signal."""
    if signal.rsrp_dbm is None:
        return 0
    return sum(signal.rsrp_dbm >= least for least in (-120, -111, -105, -99, -90))


def _signal(now: HiLinkReadings) -> dict[str, object]:
    signal = now.signal
    known = signal.rsrp_dbm is not None
    return {
        "pci": 214 if known else None,
        "sc": None,
        "cell_id": 27_316_994 if known else None,
        "rsrq": _with_unit(signal.rsrq_db, "dB"),
        "rsrp": _with_unit(signal.rsrp_dbm, "dBm"),
        "rssi": _with_unit(signal.rssi_dbm, "dBm"),
        "sinr": _with_unit(signal.sinr_db, "dB"),
        "rscp": None,
        "ecio": None,
        "mode": 7 if known else None,
        "ulbandwidth": "10MHz" if known else None,
        "dlbandwidth": "10MHz" if known else None,
        "txpower": "PPusch:11dBm PPucch:2dBm PSrs:0dBm PPrach:8dBm" if known else None,
        "tac": 20_411 if known else None,
        "band": signal.band,
        "plmn": signal.plmn if known else None,
    }


def _status(now: HiLinkReadings) -> dict[str, object]:
    return {
        "ConnectionStatus": _ONLINE if now.online else _OFFLINE,
        "WifiConnectionStatus": None,
        "SignalStrength": None,
        "SignalIcon": bars(now.signal),
        "CurrentNetworkType": _LTE[0] if now.signal.sim_present else 0,
        "CurrentServiceDomain": 3,
        "RoamingStatus": 0,
        "simlockStatus": 0,
        "WanIPAddress": now.wan_address if now.online else None,
        "PrimaryDns": "9.9.9.9" if now.online else None,
        "SecondaryDns": "1.1.1.1" if now.online else None,
        "ServiceStatus": 2 if now.signal.sim_present else 0,
        "SimStatus": 1 if now.signal.sim_present else 255,
        "CurrentNetworkTypeEx": _LTE[1] if now.signal.sim_present else 0,
        "maxsignal": 5,
        "classify": "hilink",
        "flymode": 0,
    }


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


def _information(now: HiLinkReadings) -> dict[str, object]:
    return {
        "DeviceName": "E3372v-000",
        "SerialNumber": "VIRTUAL000000001",
        "Imei": "001010000000001",
        "Imsi": f"{now.signal.plmn}0000000001" if now.signal.sim_present else None,
        "Iccid": "8933000000000000001" if now.signal.sim_present else None,
        "Msisdn": None,
        "HardwareVersion": "VL1E3372V",
        "SoftwareVersion": "10.0.0.1(H000SP0C00)",
        "WebUIVersion": "WEBUI 10.0.0.1(W0SP0C00)",
        "MacAddress1": "02:76:00:00:00:FE",
        "WanIPAddress": now.wan_address if now.online else None,
        "ProductFamily": "LTE",
        "Classify": "hilink",
        "supportmode": "LTE|WCDMA|GSM",
        "workmode": "LTE",
        "uptime": int(now.uptime_s),
    }


def _operator(now: HiLinkReadings) -> dict[str, object]:
    if not now.signal.sim_present:
        return {"State": 1, "FullName": None, "ShortName": None, "Numeric": None, "Rat": None}
    name = now.operator
    return {"State": 0, "FullName": name, "ShortName": name, "Numeric": now.signal.plmn, "Rat": 7}


_PAGES = {
    "device/signal": _signal,
    "device/information": _information,
    "monitoring/status": _status,
    "monitoring/traffic-statistics": _traffic,
    "net/current-plmn": _operator,
}
