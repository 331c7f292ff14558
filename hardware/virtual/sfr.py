"""An SFR box's REST interface: a line of XML for each question."""

from __future__ import annotations

import socket
from urllib.parse import parse_qs

from hardware.virtual.box_server import Answer, LineState, Request, VirtualDevice

MODEL, FIRMWARE, WAN = "BOX10H-SER-r0", "BOX10H-XbSP-virtual", "203.0.113.9"


class VirtualSfrBox(VirtualDevice):
    """An SFR box.

    Attributes:
        infra: its main line: ``ftth`` or ``adsl``, which leaves the fibre port unused.
        silent_fibre: it answers ftth.getInfo with nothing, as some boxes do.
        closed: it wants a login for everything.
    """

    def __init__(self, listener: socket.socket | None = None) -> None:
        super().__init__(listener)
        self.infra = "ftth"
        self.silent_fibre = False
        self.closed = False

    def answer(self, request: Request) -> Answer:
        """See ``VirtualDevice.answer``."""
        if request.path != "/api/1.0/":
            return Answer(b"<html><body>404</body></html>", 404, "text/html")
        method = parse_qs(request.query).get("method", [""])[0]
        told = {"wan.getInfo": self._wan, "ftth.getInfo": self._fibre, "system.getInfo": self._system}
        if method not in told:
            return _xml('<err code="112" msg="Method not found" />', "fail")
        if self.closed:
            return _xml('<err code="115" msg="Authentication needed" />', "fail")
        return _xml(told[method]())

    def _wan(self) -> str:
        well = self.line is LineState.WELL
        return (
            f'<wan status="{"up" if well else "down"}" uptime="{86_000 if well else ""}" '
            f'ip_addr="{WAN if well else ""}" infra="{self.infra}" mode="{self.infra}/routed" infra6="Dual" '
            'status6="down" uptime6="" ipv6_addr="" />'
        )

    def _fibre(self) -> str:
        if self.silent_fibre:
            return ""
        used = self.infra == "ftth"
        link = used and self.line in (LineState.WELL, LineState.NO_WAN)
        return f'<ftth status="{"up" if link else "down"}" wanfibre="{"in" if used else "out"}"/>'

    def _system(self) -> str:
        return (
            f'<system product_id="{MODEL}" serial_number="virtual" mac_addr="02:00:00:00:00:09" '
            f'net_mode="router" net_infra="{self.infra}" uptime="{self.uptime_s}" '
            f'version_mainfirmware="{FIRMWARE}" version_dsldriver="" current_datetime="20251024160207" '
            'refclient="" alimvoltage="0.000" temperature="48.5" />'
        )


def _xml(content: str, stat: str = "ok") -> Answer:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<rsp stat="{stat}" version="1.0">\n{content}\n</rsp>\n'
    return Answer(text.encode(), kind="text/xml")
