"""The text messages of a site that is played: what its modems send, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agent.core.letters import Fate, SendText, Texting, TextReport
from agent.core.model import Action, Observation
from agent.core.saves import SaveTexting
from agent.core.site import Site
from agent.simulation.lines import Line
from agent.simulation.schedule import Schedule

SEND_S = 3.0
"""From the order until the network has taken a message."""


class Texts:
    """Sends what is ordered, if the modem can.

    Attributes:
        memory: what is on the disk; None if that is lost.
        sent: instant and order of each message that went out.
        ordered: the same of each that was ordered.
        fate: what becomes of every message; None: what the modem's radio makes of it.
    """

    def __init__(
        self,
        site: Site,
        lines: Mapping[str, Line],
        schedule: Schedule,
        run: Callable[[], str | None],
        hear: Callable[[Observation], None],
        memory: Texting | None,
    ) -> None:
        """``run`` names the agent that runs, ``hear`` tells it something."""
        self._uplinks = {
            uplink.device.name: uplink.name for uplink in site.uplinks if uplink.device is not None
        }
        self._lines = lines
        self._schedule = schedule
        self._run = run
        self._hear = hear
        self.memory = memory
        self.sent: list[tuple[float, SendText]] = []
        self.ordered: list[tuple[float, SendText]] = []
        self.fate: Fate | None = None

    def take(self, action: Action) -> None:
        """Do what is ordered, if it is about text messages."""
        match action:
            case SaveTexting():
                self.memory = action.memory
            case SendText():
                self.memory = action.memory
                self.ordered.append((self._schedule.t, action))
                self._schedule.at(self._schedule.t + SEND_S, self._send, action, self._run())

    def _send(self, order: SendText, run: str | None) -> None:
        if self._run() != run:
            return
        line = self._lines[self._uplinks[order.modem]]
        able = line.radio and line.listens
        fate = self.fate or (Fate.SENT if able else Fate.REFUSED)
        if fate is not Fate.REFUSED:
            self.sent.append((self._schedule.t, order))
        if fate is not Fate.ORDERED:
            self._hear(TextReport(order.order, fate, "" if fate is Fate.SENT else "no answer"))
