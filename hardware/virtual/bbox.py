"""A Bbox's REST interface, with and without a login."""

from __future__ import annotations

import json
import socket
import ssl
from typing import Any
from urllib.parse import parse_qs

from hardware.virtual.box_server import Answer, LineState, Request, VirtualDevice

PASSWORD = "Bbox pass-4&5"  # noqa: S105 - of a box that does not exist
MODEL, FIRMWARE, WAN = "F@st5696b", "25.5.virtual", "203.0.113.10"


class VirtualBbox(VirtualDevice):
    """A Bbox.

    Attributes:
        open_status: the line's state is told without a login.
        link_type: ``ftth`` or ``vdsl``.
        logins: how often a login was tried, right or wrong.
        sessions: cookies of open sessions.
    """

    def __init__(
        self,
        listener: socket.socket | None = None,
        *,
        open_status: bool = True,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(listener, tls)
        self.open_status = open_status
        self.link_type = "ftth"
        self.logins = 0
        self.sessions: set[str] = set()

    def answer(self, request: Request) -> Answer:
        """See ``VirtualDevice.answer``."""
        part = request.path.removeprefix("/api/v1/")
        cookie = request.headers.get("cookie", "")
        if request.method == "POST":
            if part == "logout":
                self.sessions.discard(cookie)
                return _json([])
            return self._log_in(request.body) if part == "login" else _refusal(part, 404, "Unknown")
        told = {"wan/ip": self._wan, "device": self._device, "wan/ftth/stats": self._fibre}
        if part not in told:
            return _refusal(part, 404, "Unknown")
        known = not self.locked and cookie in self.sessions
        if not known and (part == "wan/ftth/stats" or self.locked or not self.open_status):
            return _refusal(part, 401, "Operation requires authentication")
        return _json([told[part]()])

    def _log_in(self, body: bytes) -> Answer:
        self.logins += 1
        if self.locked:
            return _refusal("login", 429, "Too many failed attempts")
        if parse_qs(body.decode()).get("password") != [PASSWORD]:
            return _refusal("login", 401, "Invalid password")
        cookie = f"BBOX_ID=session-{self.logins:032d}"
        self.sessions.add(cookie)
        return Answer(b"", headers=(("Set-Cookie", f"{cookie}; HttpOnly; Secure; Path=/"),))

    def _wan(self) -> dict[str, Any]:
        well = self.line is LineState.WELL
        light = self.line in (LineState.WELL, LineState.NO_WAN)
        return {
            "wan": {
                "internet": {"state": 2 if well else 0},
                "interface": {"id": 1, "default": 0, "state": int(light)},
                "ip": {
                    "address": WAN if well else "0.0.0.0",  # noqa: S104 - as the box writes "none"
                    "state": "Up" if well else "Down",
                    "gateway": "203.0.113.1",
                    "dnsservers": "203.0.113.2",
                    "subnet": "255.255.255.0",
                    "ip6state": "Discover",
                    "ip6address": [],
                    "mtu": 1500,
                },
                "link": {"state": "Up" if light else "Down", "type": self.link_type},
            }
        }

    def _device(self) -> dict[str, Any]:
        return {
            "device": {
                "status": 1,
                "numberofboots": 12,
                "modelname": MODEL,
                "running": {"version": FIRMWARE, "date": "2025-05-01T00:00:00Z"},
                "main": {"version": FIRMWARE},
                "uptime": self.uptime_s,
                "using": {"ipv4": 1, "ipv6": 0, "ftth": int(self.link_type == "ftth"), "vdsl": 0},
            }
        }

    def _fibre(self) -> dict[str, Any]:
        light = self.line in (LineState.WELL, LineState.NO_WAN)
        return {"wan": {"ftth": {"mode": "ftth", "state": "Up" if light else "Down"}}}


def _refusal(part: str, status: int, reason: str) -> Answer:
    errors = [{"name": "", "reason": reason}]
    return _json({"exception": {"domain": f"v1/{part}", "code": str(status), "errors": errors}}, status)


def _json(content: Any, status: int = 200) -> Answer:
    return Answer(json.dumps(content).encode(), status)
