"""A Freebox's API: versions, pairing with a person's finger, sessions, and what it says of its line."""

from __future__ import annotations

import hmac
import json
import re
import socket
from typing import Any

from hardware.virtual.box_server import Answer, LineState, Request, VirtualDevice

TOKEN = "Vi7tualT0ken+ofAboxThatDoesNotExist/0000000000000000000000000000"  # noqa: S105 - of a box that does not exist
MODEL, FIRMWARE, WAN = "Freebox v8 virtual", "4.8.2", "203.0.113.8"
RX_DBM = -18.38


class VirtualFreebox(VirtualDevice):
    """A Freebox.

    Attributes:
        version: of its API.
        granted: tokens of applications, by track id: token and state of the question.
        logins: how often a session was asked for, right or wrong.
        sessions: open ones.
        media: ``ftth`` or ``xdsl``.
    """

    def __init__(self, listener: socket.socket | None = None) -> None:
        super().__init__(listener)
        self.version = "10.2"
        self.granted: dict[int, tuple[str, str]] = {1: (TOKEN, "granted")}
        self.logins = 0
        self.sessions: set[str] = set()
        self.media = "ftth"

    def press(self, answer: str = "granted") -> None:
        """What a person does on the display to the last question: ``granted`` or ``denied``."""
        track = max(self.granted)
        self.granted[track] = self.granted[track][0], answer

    def answer(self, request: Request) -> Answer:
        """See ``VirtualDevice.answer``."""
        if request.path == "/api_version":
            return _json({"uid": "virtual", "device_name": "Freebox Server", "api_version": self.version,
                          "api_base_url": "/api/", "device_type": "FreeboxServer7,1"})  # fmt: skip
        path = request.path.removeprefix("/api/v8/")
        payload = json.loads(request.body) if request.body else {}
        if path == request.path:
            return _refusal("invalid_api_version", 404)
        if path.startswith("login/"):
            return self._login(request, path.removeprefix("login/"), payload)
        if self.locked or request.headers.get("x-fbx-app-auth") not in self.sessions:
            return _refusal("auth_required", challenge=self._challenge())
        told = {"connection/": self._connection, "connection/ftth/": self._fibre, "system/": self._system}
        return _json({"success": True, "result": told[path]()}) if path in told else _refusal("noent", 404)

    # --- login ----------------------------------------------------------------------------------------------

    def _challenge(self) -> str:
        return f"virtual/challenge+{self.logins:012d}"

    def _login(self, request: Request, path: str, payload: dict[str, str]) -> Answer:
        if path == "":
            return _json({"success": True, "result": {"logged_in": False, "challenge": self._challenge()}})
        if path == "authorize/" and request.method == "POST":
            track = max(self.granted, default=0) + 1
            self.granted[track] = f"fresh/token+{track:040d}", "pending"
            result = {"app_token": self.granted[track][0], "track_id": track}
            return _json({"success": True, "result": result})
        if found := re.fullmatch(r"authorize/(\d+)", path):
            _, state = self.granted.get(int(found[1]), ("", "unknown"))
            return _json({"success": True, "result": {"status": state, "challenge": self._challenge()}})
        if path == "session/":
            return self._open(payload.get("password", ""))
        if path == "logout/":
            self.sessions.discard(request.headers.get("x-fbx-app-auth", ""))
            return _json({"success": True})
        return _refusal("invalid_request", 404)

    def _open(self, password: str) -> Answer:
        challenge = self._challenge()
        self.logins += 1
        if self.locked:
            return _refusal("ratelimited")
        for token, state in self.granted.values():
            if hmac.new(token.encode(), challenge.encode(), "sha1").hexdigest() == password:
                if state != "granted":
                    return _refusal("pending_token")
                session = f"session/token+{self.logins:040d}"
                self.sessions.add(session)
                result = {
                    "session_token": session,
                    "challenge": challenge,
                    "permissions": {"settings": False},
                }
                return _json({"success": True, "result": result})
        return _refusal("invalid_token", challenge=challenge)

    # --- readings -------------------------------------------------------------------------------------------

    def _connection(self) -> dict[str, Any]:
        states = {LineState.WELL: "up", LineState.BOOTING: "going_up"}
        told = {"type": "ethernet" if self.media == "ftth" else "rfc2684", "media": self.media,
                "state": states.get(self.line, "down"), "rate_up": 0, "rate_down": 0, "bytes_up": 0,
                "bytes_down": 0, "bandwidth_up": 700_000_000, "bandwidth_down": 8_000_000_000}  # fmt: skip
        if self.line is LineState.WELL:
            told["ipv4"] = WAN
        return told

    def _fibre(self) -> dict[str, Any]:
        if self.media != "ftth":
            return {"sfp_present": False}
        light = self.line in (LineState.WELL, LineState.NO_WAN)
        return {"sfp_present": True, "sfp_alim_ok": True, "sfp_has_power_report": True, "sfp_vendor": "ACME",
                "sfp_has_signal": light, "link": light, "link_type": "pon", "sfp_model": "SFP-X1",
                "sfp_pwr_rx": round((self.rx_dbm or RX_DBM) * 100) if light else -3698,
                "sfp_pwr_tx": 642}  # fmt: skip

    def _system(self) -> dict[str, Any]:
        return {"firmware_version": FIRMWARE, "uptime": "1 jour", "board_name": "fbxgw8r",
                "uptime_val": self.uptime_s,
                "model_info": {"name": "fbxgw8-r1", "pretty_name": MODEL}}  # fmt: skip


def _refusal(code: str, status: int = 403, challenge: str | None = None) -> Answer:
    told: dict[str, Any] = {"success": False, "error_code": code, "msg": "Refusé", "uid": "virtual"}
    if challenge is not None:
        told["result"] = {"challenge": challenge}
    return _json(told, status)


def _json(content: Any, status: int = 200) -> Answer:
    return Answer(json.dumps(content).encode(), status)
