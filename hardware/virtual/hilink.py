"""The HiLink modem of a cellular box of the virtual bay, in the box's own network namespace.

It needs no switching off: a box that is frozen or without power has no address, so nothing reaches it.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hardware.ports import Registration
from hardware.virtual.box import VirtualBox
from hardware.virtual.emulator import Line
from hardware.virtual.hilink_api import HiLinkApi
from hardware.virtual.hilink_pages import HiLinkReadings, HiLinkSignal
from hardware.virtual.hilink_server import HiLinkServer, WebFault
from hardware.virtual.voice import Voice, radio_fields

PORT = 80
REBOOT_AFTER_S = 0.2
"""From the answer to the reboot it promises."""
LEAST_RSRP_DBM = -120
"""A connection does not come about where the cell is weaker."""
_FREEBIND = 15  # <linux/in.h>: the address may come later
_RUNNING_BEFORE_S = 86_400.0
"""How long a box that was there from the start says it has been running."""


class HiLink(Voice):
    """The modem of one box; its line is its radio link.

    Attributes:
        signal: what its radio reports; may be replaced at any time.
        api: its sessions and firmware.
        server: its web server.
    """

    def __init__(self, box: VirtualBox, line: Line, rng: random.Random) -> None:
        super().__init__(box, line)
        self.signal = HiLinkSignal()
        self.api = HiLinkApi(self.readings, self._promise_reboot, rng, time.monotonic)
        self.server = HiLinkServer(self.api)
        self._operator = box.plan.operator
        self._refused = False
        self._month_bytes: int | None = None
        self._counted_before = (0, 0)
        self._reboot: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Listen in the box's namespace on its LAN address."""
        await self.server.start(self.box.namespace.call(lambda: _listener(self.box.plan.box)))
        self.follow()

    async def stop(self) -> None:
        """Stop listening. Safe to repeat."""
        self._cancel_reboot()
        await self.server.stop()

    def _hush(self, *, silent: bool) -> None:
        self.server.fault = WebFault(silent=silent)

    def change(self, args: Mapping[str, Any]) -> None:
        """See ``Voice.change``: sim, registration, signal, band, operator, data, month_gb."""
        self.signal = replace(self.signal, **radio_fields(args))
        self._operator = args.get("operator", self._operator)
        if "data" in args:
            self._refused = args["data"] == "refused"
        if "month_gb" in args:
            self._month_bytes = round(args["month_gb"] * 1e9)
        self.line.barred = self._refused or not (self.signal.has_service and self._is_heard)

    @property
    def _is_heard(self) -> bool:
        """The cell's signal, where the modem tells it, is enough for data."""
        return self.signal.rsrp_dbm is None or self.signal.rsrp_dbm >= LEAST_RSRP_DBM

    def forget(self) -> None:
        """The box has lost its power or reboots: no session, no connection and no count survives."""
        self.api.forget()
        self.server.fault = WebFault()
        self._silent = False
        self._counted_before = self._counters()
        self._cancel_reboot()
        self.server.hang_up()
        super().forget()

    def _promise_reboot(self) -> None:
        if self._reboot is None:
            self._reboot = asyncio.get_running_loop().call_later(REBOOT_AFTER_S, self.box.reboot)

    def _cancel_reboot(self) -> None:
        if self._reboot is not None:
            self._reboot.cancel()
            self._reboot = None

    def readings(self) -> HiLinkReadings:
        """What the modem knows now."""
        received, sent = self._counters()
        signal = self.signal
        if self.line.is_cut and signal.has_service:
            signal = replace(signal, registration=Registration.SEARCHING)
        return HiLinkReadings(
            signal=signal,
            operator=self._operator,
            online=signal.has_service and self._is_heard,
            refused=self._refused,
            wan_address=self.box.plan.box_wan,
            uptime_s=min(self.box.uptime_s, _RUNNING_BEFORE_S),
            received_bytes=received - self._counted_before[0],
            sent_bytes=sent - self._counted_before[1],
            month_bytes=received + sent if self._month_bytes is None else self._month_bytes,
        )

    def _counters(self) -> tuple[int, int]:
        """Bytes received and sent on the box's line, as its kernel counts them."""
        with self.box.namespace.entered():
            table = Path("/proc/thread-self/net/dev").read_text()
        for line in table.splitlines():
            name, _, numbers = line.partition(":")
            if name.strip() == "wan":
                fields = numbers.split()
                return int(fields[0]), int(fields[8])
        return 0, 0


def _listener(address: str) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_IP, _FREEBIND, 1)
        listener.bind((address, PORT))
    except BaseException:
        listener.close()
        raise
    return listener
