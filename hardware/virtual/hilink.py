"""The HiLink modem of a cellular box of the virtual bay, in the box's own network namespace.

It needs no switching off: a box that is frozen or without power has no address, so nothing reaches it.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from pathlib import Path

from hardware.virtual.box import VirtualBox
from hardware.virtual.emulator import Line
from hardware.virtual.hilink_api import HiLinkApi
from hardware.virtual.hilink_pages import HiLinkReadings, HiLinkSignal
from hardware.virtual.hilink_server import HiLinkServer, WebFault

PORT = 80
REBOOT_AFTER_S = 0.2
"""From the answer to the reboot it promises."""
_FREEBIND = 15  # <linux/in.h>: the address may come later
_RUNNING_BEFORE_S = 86_400.0
"""How long a box that was there from the start says it has been running."""


class HiLink:
    """The modem of one box.

    Attributes:
        box: whose it is.
        line: its radio link; while that is cut, the modem says that it is not connected.
        signal: what its radio reports; may be replaced at any time.
        api: its sessions and firmware.
    """

    def __init__(self, box: VirtualBox, line: Line, rng: random.Random) -> None:
        self.box = box
        self.line = line
        self.signal = HiLinkSignal()
        self.api = HiLinkApi(self.readings, self._promise_reboot, rng, time.monotonic)
        self._server = HiLinkServer(self.api)
        self._counted_before = (0, 0)
        self._reboot: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Listen in the box's namespace on its LAN address."""
        await self._server.start(self.box.namespace.call(lambda: _listener(self.box.plan.box)))

    async def stop(self) -> None:
        """Stop listening. Safe to repeat."""
        self._cancel_reboot()
        await self._server.stop()

    def freeze(self, *, frozen: bool = True) -> None:
        """Let the web server hang while the box goes on forwarding, or answer again."""
        self._server.fault = WebFault(silent=frozen)

    def forget(self) -> None:
        """The box has lost its power or reboots: no session, no connection and no count survives."""
        self.api.forget()
        self._server.fault = WebFault()
        self._counted_before = self._counters()
        self._cancel_reboot()
        self._server.hang_up()

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
        return HiLinkReadings(
            signal=self.signal,
            operator=self.box.plan.operator,
            online=self.signal.has_service and not self.line.is_cut,
            wan_address=self.box.plan.box_wan,
            uptime_s=min(self.box.uptime_s, _RUNNING_BEFORE_S),
            received_bytes=received - self._counted_before[0],
            sent_bytes=sent - self._counted_before[1],
            month_bytes=received + sent,
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
