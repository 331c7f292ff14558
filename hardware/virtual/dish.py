"""A Starlink dish's own interface: gRPC-Web with a status that can be any published one."""

from __future__ import annotations

import copy
import socket
from collections.abc import Callable, Mapping
from typing import Any

from hardware.grpc_web import frame, split, trailers_frame
from hardware.protobuf_wire import Message, bytes_field
from hardware.virtual.box_server import Answer, LineState, Request, VirtualDevice
from hardware.virtual.dish_messages import response
from hardware.virtual.speaks import DISH_CAUSES

PATH = "/SpaceX.API.Device.Device/Handle"
WELL: dict[str, Any] = {
    "deviceInfo": {"id": "ut0-virtual", "hardwareVersion": "rev4_prod1", "softwareVersion": "2026.virtual"},
    "deviceState": {"uptimeS": "86400"},
    "obstructionStats": {"fractionObstructed": 0.0125, "validS": 86_000.0, "patchesValid": 4400},
    "alerts": {},
    "popPingDropRate": 0.0625,
    "popPingLatencyMs": 31.5,
    "softwareUpdateState": "IDLE",
    "disablementCode": "OKAY",
}  # fmt: skip
_OUTAGES = {LineState.NO_LIGHT: "NO_DOWNLINK", LineState.NO_WAN: "NO_PINGS", LineState.BOOTING: "BOOTING"}
_CODES = {"unpaid": "NO_ACTIVE_ACCOUNT", "disabled": "CELL_IS_DISABLED"}


class VirtualDish(VirtualDevice):
    """A dish that answers ``get_status`` and ``reboot``.

    Attributes:
        status: its status in protobuf's JSON form; may be replaced at any time, and is by ``be``.
        state: what it is in beside its line, one of ``speaks.DISH_STATES``; shown after ``be``.
        obstructed_pct: share of the time that something stands in its view; shown after ``be``.
        reboots: how often it was told to reboot.
        on_reboot: called then.
        reboot_status: gRPC status with which it answers a wish to reboot; 0 is "done".
    """

    def __init__(self, listener: socket.socket | None = None) -> None:
        super().__init__(listener)
        self.status: Mapping[str, Any] = WELL
        self.state = "well"
        self.obstructed_pct = 1.25
        self.reboots = 0
        self.on_reboot: Callable[[], None] = lambda: None
        self.reboot_status = 0

    def be(self, line: LineState) -> None:
        """Have the line be so; ``NO_LIGHT`` means that the dish hears nothing."""
        super().be(line)
        status = copy.deepcopy(WELL)
        outage = _OUTAGES.get(line) or DISH_CAUSES.get(self.state)
        if self.state == "updating":
            # It cannot talk to the sky while it writes its software.
            outage, status["softwareUpdateState"] = outage or "UNKNOWN", "WRITING"
        if outage is not None:
            status["outage"] = {"cause": outage, "durationNs": "90000000000"}
            status["popPingDropRate"] = 1.0
            del status["popPingLatencyMs"]
        status["obstructionStats"]["fractionObstructed"] = self.obstructed_pct / 100
        status["obstructionStats"]["currentlyObstructed"] = int(outage == "OBSTRUCTED")
        status["disablementCode"] = _CODES.get(self.state, "OKAY")
        status["deviceState"] = {"uptimeS": str(self.uptime_s)}
        self.status = status

    def answer(self, request: Request) -> Answer:
        """See ``VirtualDevice.answer``."""
        if request.method != "POST" or request.path != PATH:
            return Answer(b"404 page not found\n", 404, "text/plain")
        message, _ = split(request.body)
        asked = Message(message or b"")
        if asked.message(1004) is not None:
            return _framed(response(self.status), 0)
        if asked.message(1001) is not None:
            if self.reboot_status == 0:
                self.reboots += 1
                self.on_reboot()
                return _framed(bytes_field(1001, b""), 0)
            return _framed(None, self.reboot_status)
        return _framed(None, 12)


def _framed(message: bytes | None, status: int) -> Answer:
    kind = "application/grpc-web+proto"
    if message is None:  # without a message the trailers travel as headers
        return Answer(b"", kind=kind, headers=(("grpc-status", str(status)),))
    return Answer(frame(message) + trailers_frame(status), kind=kind)
