"""A Livebox's web page: sysbus calls, with and without a login."""

from __future__ import annotations

import json
import socket
from typing import Any

from hardware.virtual.box_server import Answer, LineState, Request, VirtualDevice

PASSWORD = "Abc-livebox-123"  # noqa: S105 - of a box that does not exist
MODEL, FIRMWARE, WAN = "Livebox W7", "SGW7-fr-virtual", "203.0.113.7"
RX_DBM = -19.746
_KIND = "application/x-sah-ws-4-call+json"


class VirtualLivebox(VirtualDevice):
    """A Livebox.

    Attributes:
        open_status: the line's state is told without a login, as by a W7; older boxes do not.
        ont_state: what it says of its optical terminal; None follows ``line``.
        logins: how often a login was tried, right or wrong.
        sessions: open ones, context to cookie.
    """

    def __init__(self, listener: socket.socket | None = None, *, open_status: bool = True) -> None:
        super().__init__(listener)
        self.open_status = open_status
        self.ont_state: str | None = None
        self.logins = 0
        self.sessions: dict[str, str] = {}

    def answer(self, request: Request) -> Answer:
        """See ``VirtualDevice.answer``."""
        if request.method != "POST" or request.path != "/ws":
            return Answer(b"<html><body>404</body></html>", 404, "text/html")
        call = json.loads(request.body)
        name = f"{call['service']}.{call['method']}"
        if name == "sah.Device.Information.createContext":
            return self._log_in(request, call["parameters"])
        context = request.headers.get("x-context", "")
        known = (
            not self.locked
            and context in self.sessions
            and (
                request.headers.get("authorization") == f"X-Sah {context}"
                and request.headers.get("cookie") == self.sessions[context]
            )
        )
        if name == "sah.Device.Information.releaseContext":
            self.sessions.pop(context, None)
            return _json({"status": 0, "data": {}})
        if not known and (name.startswith("NeMo.") or not self.open_status or self.locked):
            return _json({"status": None, "errors": [_error(13, "Permission denied", name)]})
        told = {
            "NMC.getWANStatus": self._wan,
            "DeviceInfo.get": self._device,
            "NeMo.Intf.veip0.getMIBs": self._optics,
        }.get(name)
        if told is None:
            return _json({"status": None, "errors": [_error(196618, "Object or parameter not found", name)]})
        return _json(told())

    def _log_in(self, request: Request, parameters: dict[str, str]) -> Answer:
        self.logins += 1
        right = (
            parameters.get("username") == "admin"
            and parameters.get("password") == PASSWORD
            and not self.locked
        )
        if request.headers.get("authorization") != "X-Sah-Login" or not right:
            return _json({"status": 1, "data": {}}, 401)
        context = f"ctx+{self.logins:060d}/virtual"
        self.sessions[context] = f"v1rtual/sessid=s{self.logins}"
        cookie = f"{self.sessions[context]}; path=/; HttpOnly"
        return _json(
            {"status": 0, "data": {"contextID": context, "username": "admin", "groups": "http,admin"}},
            headers=(("Set-Cookie", cookie),),
        )

    def _wan(self) -> dict[str, Any]:
        well = self.line is LineState.WELL
        light = self.line in (LineState.WELL, LineState.NO_WAN)
        return {
            "status": True,
            "data": {
                "LinkType": "gpon",
                "LinkState": "up" if light else "down",
                "GponState": self.ont_state or ("O5_Operation" if light else "O1_Initial"),
                "MACAddress": "02:00:00:00:00:07",
                "Protocol": "dhcp",
                "WanState": "up" if well else "down",
                "ConnectionState": "Bound" if well else "Idle",
                "LastConnectionError": "None",
                "IPAddress": WAN if well else "",
                "RemoteGateway": "203.0.113.1" if well else "",
                "DNSServers": "203.0.113.2,203.0.113.3" if well else "",
                "IPv6Address": "",
            },
        }

    def _device(self) -> dict[str, Any]:
        return {
            "status": {
                "Manufacturer": "Sagemcom",
                "ProductClass": MODEL,
                "SoftwareVersion": FIRMWARE,
                "UpTime": self.uptime_s,
                "DeviceStatus": "Up",
            }
        }

    def _optics(self) -> dict[str, Any]:
        light = self.line in (LineState.WELL, LineState.NO_WAN)
        gpon = {
            "SignalRxPower": round((self.rx_dbm or RX_DBM) * 1000) if light else -40_000,
            "SignalTxPower": 3490,
            "ONUState": "O5_Operation" if light else "O1_Initial",
            "MaxBitRateSupported": 10_000,
        }
        return {"status": {"gpon": {"veip0": gpon}}}


def _error(number: int, description: str, info: str) -> dict[str, Any]:
    return {"error": number, "description": description, "info": info}


def _json(content: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(json.dumps(content).encode(), status, _KIND, headers)
