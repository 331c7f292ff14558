"""The power of the boxes: relays, outlets, the site's mains, and booting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent.core.site import BoxSpec, Site
from agent.simulation.lines import Line, Terminal
from agent.simulation.schedule import Schedule

OTHER_BOOT_S = 60.0
"""Boot time of a box that is not configured."""
USUAL_BOOT = 0.75
"""Share of the configured boot time that a box usually needs."""


@dataclass(slots=True)
class Outage:
    """A relay kept the power from a box, named as in ``Boxes.wiring``; ``end`` is None while it does."""

    box: str
    begin: float
    end: float | None = None


class Boxes:
    """Gives power to boxes and takes it away; ``change`` makes a line behave differently.

    ``wiring`` tells what each relay really switches: another box than planned, several, or none (welded
    contacts). The box behind an interface bears its uplink's name there, a terminal before it its own.
    ``dark_share`` is the share of a boot in which the LAN port has no carrier yet.
    """

    def __init__(
        self, site: Site, lines: Mapping[str, Line], schedule: Schedule, change: Callable[..., None]
    ) -> None:
        self._specs: dict[str, BoxSpec] = {box.name: box for box in site.boxes}
        self._lines = lines
        self._schedule = schedule
        self._change = change
        self._open: dict[str, str] = {}
        """Which order keeps each relay open, by box."""
        self.terminals: dict[str, Terminal] = {}
        for box in site.boxes:
            if any(other.uplink == box.uplink and other.direct for other in site.boxes) and not box.direct:
                line = lines[box.uplink]
                line.terminal = self.terminals[box.name] = line.terminal or Terminal()
        self.wiring: dict[str, list[str]] = {
            box.name: [box.name if box.name in self.terminals else box.uplink] for box in site.boxes
        }
        self.dark_share = 0.0
        self.mains = True
        self.outages: list[Outage] = []

    # --- relays ---------------------------------------------------------------------------------------------

    def cut(self, box: str, order: str) -> None:
        """Open the relay of this box."""
        self._open[box] = order
        for name in self.wiring[box]:
            if self.has_power(name):
                self.outages.append(Outage(name, self._schedule.t))
            self._settle(name)

    def restore(self, box: str, order: str | None = None) -> None:
        """Close the relay; only if this order opened it, if one is given."""
        if box not in self._open or order not in (None, self._open[box]):
            return
        del self._open[box]
        for name in self.wiring[box]:
            for outage in self.outages:
                if outage.box == name and outage.end is None:
                    outage.end = self._schedule.t
            self._settle(name)

    def restore_all(self) -> None:
        """Close every relay, as at the start of an agent and at the end of its machine's power."""
        for box in list(self._open):
            self.restore(box)

    # --- outlets and mains ----------------------------------------------------------------------------------

    def switch_mains(self, *, present: bool) -> None:
        """Take the power of all boxes away, or bring it back."""
        self.mains = present
        for name in (*self._lines, *self.terminals):
            self._settle(name)

    def plug(self, name: str, *, plugged: bool) -> None:
        """Take the supply of one box out of the outlet, or put it back."""
        self._lines[name].plugged = plugged
        self._settle(name)

    def has_power(self, name: str) -> bool:
        """Whether this box, named as in ``wiring``, has power."""
        terminal = self.terminals.get(name)
        return self._lines[name].powered if terminal is None else terminal.powered

    def _settle(self, name: str) -> None:
        """Draw the consequences for the power of a box."""
        away = any(name in self.wiring[box] for box in self._open)
        terminal = self.terminals.get(name)
        if terminal is not None:
            self._settle_terminal(name, terminal, powered=self.mains and not away)
            return
        line = self._lines[name]
        powered = self.mains and line.plugged and not away
        if line.powered and not powered:
            self._change(name, powered=False, booted=False, dark=False)
        elif powered and not line.powered:
            self._cure(line)
            self.boot(name)

    def _settle_terminal(self, name: str, terminal: Terminal, *, powered: bool) -> None:
        if terminal.powered and not powered:
            terminal.powered = terminal.booted = False
        elif powered and not terminal.powered:
            terminal.hung = terminal.hung and not terminal.cures
            self.boot_terminal(name)

    # --- booting --------------------------------------------------------------------------------------------

    def _cure(self, line: Line) -> None:
        """What a loss of power does to a box that hangs."""
        if not line.cures:
            return
        if line.outlives > 0:
            line.outlives -= 1
            return
        was_hung = line.hung or line.half_hung or line.mute
        line.hung = line.half_hung = line.mute = False
        if was_hung and line.becomes == "portal":
            line.portal = True

    def reboot(self, name: str) -> bool:
        """Boot by software; False if the box does not listen."""
        line = self._lines[name]
        if not line.listens:
            return False
        self._cure(line)
        self.boot(name)
        return True

    def boot(self, name: str) -> None:
        """Give power and let the box boot."""
        line = self._lines[name]
        line.boots += 1
        spec = next((spec for spec in self._specs.values() if spec.uplink == name and spec.direct), None)
        boots_in_s = line.boots_in_s
        if boots_in_s is None:
            boots_in_s = USUAL_BOOT * (spec.boot_s if spec is not None else OTHER_BOOT_S)
        now = self._schedule.t
        self._change(name, powered=True, booted=False, dark=self.dark_share > 0.0)
        if line.dark:
            self._schedule.at(now + self.dark_share * boots_in_s, self._lit, name, line.boots)
        self._schedule.at(now + boots_in_s, self._booted, name, line.boots)

    def boot_terminal(self, name: str) -> None:
        """Give power and let the terminal boot."""
        terminal = self.terminals[name]
        terminal.powered, terminal.booted = True, False
        terminal.boots += 1
        boots_in_s = USUAL_BOOT * self._specs[name].boot_s
        self._schedule.at(self._schedule.t + boots_in_s, self._terminal_booted, terminal, terminal.boots)

    @staticmethod
    def _terminal_booted(terminal: Terminal, boot: int) -> None:
        if terminal.boots == boot and terminal.powered:
            terminal.booted = True

    def _lit(self, name: str, boot: int) -> None:
        if self._lines[name].boots == boot and self._lines[name].powered:
            self._change(name, dark=False)

    def _booted(self, name: str, boot: int) -> None:
        if self._lines[name].boots == boot and self._lines[name].powered:
            self._change(name, booted=True)
