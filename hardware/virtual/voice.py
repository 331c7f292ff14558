"""Who speaks for an uplink of the virtual bay: what is common to modems, dishes and boxes with pages.

A device lives while its box has power and is far enough in its boot, and it knows how its line is. What it
does not know is whether packets pass: a box that hangs says that all is well.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from hardware.ports import Registration, Sim
from hardware.virtual.box import VirtualBox
from hardware.virtual.box_state import Hang
from hardware.virtual.emulator import Line
from hardware.virtual.speaks import AIR


class Voice(ABC):
    """The device of one box. All methods belong to the event loop's thread.

    Attributes:
        box: whose it is.
        line: its line; while that is cut, the device says so.
    """

    _hangs_with: frozenset[Hang] = frozenset({Hang.API})
    """Ways of its box to hang in which it takes questions and never answers."""

    def __init__(self, box: VirtualBox, line: Line) -> None:
        self.box = box
        self.line = line
        self._muted = False
        self._silent = False

    async def start(self) -> None:
        """Begin, with a box that has long been running."""
        self.follow()

    @abstractmethod
    async def stop(self) -> None:
        """End. Safe to repeat."""

    def follow(self) -> None:
        """The box may do something else now."""
        silent = self._muted or self.box.state.hang in self._hangs_with
        if silent is not self._silent:
            self._silent = silent
            self._hush(silent=silent)

    def forget(self) -> None:
        """The box has lost its power or reboots: nothing survives but what is wrong outside of it."""
        self._muted = False
        self.follow()

    def freeze(self, *, frozen: bool = True) -> None:
        """Hang while the box goes on forwarding, or answer again; a boot ends it."""
        self._muted = frozen
        self.follow()

    @abstractmethod
    def _hush(self, *, silent: bool) -> None:
        """Take questions and answer none from now on, or answer again."""

    def change(self, args: Mapping[str, Any]) -> None:
        """Be in another state, in the words of a deed; ``args`` are those that this kind of device has.

        Raises:
            ValueError: no such state.
        """
        raise ValueError(f"the device on {self.box.plan.name} cannot be {', '.join(args)}")

    def lock(self, *, locked: bool) -> None:
        """Refuse every password, or take the right one again.

        Raises:
            ValueError: no password guards this kind of device.
        """
        raise ValueError(f"no password guards the device on {self.box.plan.name} (locked: {locked})")


def radio_fields(args: Mapping[str, Any]) -> dict[str, Any]:
    """What the deed ``modem`` says of card, network and cell, as fields of a modem's state.

    Raises:
        ValueError: no such word.
    """
    fields: dict[str, Any] = {}
    if "sim" in args:
        fields["sim"] = Sim(args["sim"])
    if "registration" in args:
        fields["registration"] = Registration(args["registration"])
    if "signal" in args:
        if args["signal"] not in AIR:
            raise ValueError(f"signal {args['signal']!r} is not one of: {', '.join(AIR)}")
        air = AIR[args["signal"]]
        fields |= {"rsrp_dbm": air.rsrp_dbm, "rsrq_db": air.rsrq_db, "sinr_db": air.sinr_db, "band": air.band}
    if "band" in args:
        fields["band"] = int(str(args["band"]).removeprefix("B"))
    return fields
