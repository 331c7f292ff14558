"""The pages of a box, or a dish, of the virtual bay, in the box's own network namespace.

Its server runs in threads of its own from the moment when the box answers on its LAN until it loses its
power or reboots; each boot makes a new one, which knows no session of the one before.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hardware.virtual import bbox, freebox, livebox
from hardware.virtual.box import VirtualBox
from hardware.virtual.box_server import Fault, FaultKind, LineState, VirtualDevice
from hardware.virtual.box_state import Phase
from hardware.virtual.dish import VirtualDish
from hardware.virtual.emulator import Line
from hardware.virtual.sfr import VirtualSfrBox
from hardware.virtual.sockets import bound
from hardware.virtual.speaks import DISH_STATES
from hardware.virtual.voice import Voice

SECRETS: Mapping[str, str] = {
    "livebox": livebox.PASSWORD,
    "freebox": freebox.TOKEN,
    "bbox": bbox.PASSWORD,
}
"""What some of them want to be told."""
REBOOT_AFTER_S = 0.2
"""From the answer to the reboot it promises."""
RUNNING_BEFORE_S = 86_400.0
_NO_DATA = frozenset(DISH_STATES) - {"well"}


@dataclass(frozen=True, slots=True)
class Pages:
    """How a kind of device is made: from its listener, and what encrypts its connections."""

    make: Callable[[socket.socket, ssl.SSLContext | None], VirtualDevice]
    port: int = 80


PAGES: Mapping[str, Pages] = {
    "livebox": Pages(lambda listener, _tls: livebox.VirtualLivebox(listener)),
    "freebox": Pages(lambda listener, _tls: freebox.VirtualFreebox(listener)),
    "sfr": Pages(lambda listener, _tls: VirtualSfrBox(listener)),
    "bbox": Pages(lambda listener, tls: bbox.VirtualBbox(listener, tls=tls), port=443),
    "starlink": Pages(lambda listener, _tls: VirtualDish(listener), port=9201),
}


class WebVoice(Voice):
    """The device of one box.

    Attributes:
        device: what answers now; None while the box does not.
    """

    def __init__(self, box: VirtualBox, line: Line, speaks: str, certificate: Path | None) -> None:
        super().__init__(box, line)
        self.device: VirtualDevice | None = None
        self._speaks = speaks
        self._loop = asyncio.get_running_loop()
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self._state: dict[str, Any] = {}
        self._locked = False
        self._rx_dbm: float | None = None
        self._reboot: asyncio.TimerHandle | None = None

    async def stop(self) -> None:
        """See ``Voice.stop``."""
        self._end()

    def follow(self) -> None:
        """See ``Voice.follow``."""
        if self.box.is_awake and self.device is None:
            self._begin()
        elif not self.box.is_awake:
            self._end()
        super().follow()

    def forget(self) -> None:
        """See ``Voice.forget``."""
        self._end()
        super().forget()

    def _begin(self) -> None:
        pages = PAGES[self._speaks]
        address = self.box.plan.dish or self.box.plan.box
        listener = self.box.namespace.call(partial(_listener, address, pages.port))
        self.device = device = pages.make(listener, self._tls)
        device.refresh = partial(self._refresh, device)
        device.locked = self._locked
        if isinstance(device, VirtualDish):
            device.on_reboot = self._told_to_reboot
        if self._silent:
            self._hush(silent=True)

    def _end(self) -> None:
        if self._reboot is not None:
            self._reboot.cancel()
            self._reboot = None
        if self.device is not None:
            self.device.stop()
            self.device = None

    def _told_to_reboot(self) -> None:
        """In the thread of a connection."""
        self._loop.call_soon_threadsafe(self._promise_reboot)

    def _promise_reboot(self) -> None:
        if self._reboot is None:
            self._reboot = self._loop.call_later(REBOOT_AFTER_S, self.box.reboot)

    def _hush(self, *, silent: bool) -> None:
        if self.device is not None:
            self.device.server.fault = Fault(FaultKind.HANG if silent else FaultKind.NONE)

    def change(self, args: Mapping[str, Any]) -> None:
        """See ``Voice.change``: ``state`` and ``obstructed_pct`` of a dish, ``rx_dbm`` of a box with light.

        Only a dish without a fault of its own lets packets pass.
        """
        state = args.get("state", "well")
        if state not in DISH_STATES:
            raise ValueError(f"state {state!r} is not one of: {', '.join(DISH_STATES)}")
        self._rx_dbm = args.get("rx_dbm", self._rx_dbm)
        self._state |= {name: args[name] for name in ("state", "obstructed_pct") if name in args}
        self.line.barred = self._state.get("state") in _NO_DATA

    def lock(self, *, locked: bool) -> None:
        """See ``Voice.lock``."""
        if self._speaks not in SECRETS:
            super().lock(locked=locked)
        self._locked = locked
        if self.device is not None:
            self.device.locked = locked

    def _refresh(self, device: VirtualDevice) -> None:
        """In the thread of a connection, which only reads here."""
        device.ran_s = min(self.box.uptime_s, RUNNING_BEFORE_S)
        device.rx_dbm = self._rx_dbm
        if isinstance(device, VirtualDish):
            device.state = self._state.get("state", device.state)
            device.obstructed_pct = self._state.get("obstructed_pct", device.obstructed_pct)
        device.be(self._line_state())

    def _line_state(self) -> LineState:
        if self.line.is_cut:
            return LineState.NO_LIGHT
        if self.box.phase is Phase.ANSWERING:
            return LineState.BOOTING
        return LineState.NO_WAN if self.box.way_out_lost else LineState.WELL


def _listener(address: str, port: int) -> socket.socket:
    listener = bound(socket.SOCK_STREAM, address, port, (socket.SOL_SOCKET, socket.SO_REUSEADDR))
    listener.setblocking(True)
    listener.listen()
    return listener
