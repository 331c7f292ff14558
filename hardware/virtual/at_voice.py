"""The AT modem of a cellular box of the virtual bay: a serial port that is there while the box has power.

Its port appears with the box's carrier, as that of a USB stick does when it is plugged in, and it answers
there as long as the module itself lives: also while nothing answers on its network side.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hardware.ports import Registration
from hardware.virtual.at_modem import Fault, VirtualAtModem
from hardware.virtual.at_scripts import SCRIPTS
from hardware.virtual.at_state import AtState
from hardware.virtual.box import VirtualBox
from hardware.virtual.box_state import Hang
from hardware.virtual.emulator import Line
from hardware.virtual.hilink import LEAST_RSRP_DBM
from hardware.virtual.voice import Voice, radio_fields

RUNNING_BEFORE_S = 86_400.0


class AtVoice(Voice):
    """The modem of one box; its line is its radio link.

    Attributes:
        modem: at the other end of its port.
        state: its radio and card, while its line is well; may be replaced at any time.
    """

    _hangs_with = frozenset({Hang.API, Hang.FROZEN})

    def __init__(self, box: VirtualBox, line: Line, path: Path, script: str = "quectel") -> None:
        super().__init__(box, line)
        self._loop = asyncio.get_running_loop()
        self._plugged = False
        self._refused = False
        self.state = AtState(operator=box.plan.operator, address=box.plan.box_wan)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.modem = VirtualAtModem(path, SCRIPTS[script])
        self.modem.refresh = self._refresh
        self.modem.on_reboot = self._told_to_reboot

    async def stop(self) -> None:
        """See ``Voice.stop``."""
        self.modem.stop()

    def follow(self) -> None:
        """See ``Voice.follow``."""
        plugged = self.box.carrier
        if plugged is not self._plugged:
            self._plugged = plugged
            (self.modem.start if plugged else self.modem.stop)()
        super().follow()

    def _hush(self, *, silent: bool) -> None:
        self.modem.fault = Fault(cut_after=0) if silent else Fault()

    def change(self, args: Mapping[str, Any]) -> None:
        """See ``Voice.change``: sim, registration, signal, band, operator, data."""
        self.state = replace(self.state, **radio_fields(args))
        if "operator" in args:
            self.state = replace(self.state, operator=args["operator"])
        if "data" in args:
            self._refused = args["data"] == "refused"
        self.line.barred = self._refused or not (self.state.has_service and self._is_heard)

    @property
    def _is_heard(self) -> bool:
        """The cell's signal is enough for data."""
        return self.state.rsrp_dbm is None or self.state.rsrp_dbm >= LEAST_RSRP_DBM

    def _told_to_reboot(self) -> None:
        """In the modem's own thread."""
        self._loop.call_soon_threadsafe(self.box.reboot)

    def _refresh(self) -> None:
        """In the modem's own thread, which only reads here."""
        state = replace(self.state, uptime_s=int(min(self.box.uptime_s, RUNNING_BEFORE_S)))
        if self.line.is_cut and state.has_service:
            state = replace(state, registration=Registration.SEARCHING)
        if self._refused or not self._is_heard:
            state = replace(state, address=None)
        self.modem.state = state
