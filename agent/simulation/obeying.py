"""What becomes of the core's orders to relays and boxes, and the memory that is written before them."""

from __future__ import annotations

from agent.core.model import Cut, Cycle, Observation, Outcome, PowerReport, Reboot, Restore
from agent.core.site import Site
from agent.simulation.boxes import Boxes
from agent.simulation.record import Record

RELAY_S = 0.01
"""From an order to what becomes of it."""
REBOOT_TIMEOUT_S = 5.0


class Obeying(Record):
    """Carries orders out, or fails to, as the flags say; outcomes may get lost."""

    site: Site
    boxes: Boxes
    run_name: str

    def __init__(self, start_at: float, wall: float, boot: str, zone_s: float) -> None:
        super().__init__(start_at, wall, boot, zone_s)
        self.alive = False
        self.cycles: dict[str, Cycle] = {}
        self.unwritten: set[str] = set()
        """Orders that the disk refused."""
        self.cuts: list[tuple[float, str]] = []
        self.restores: list[tuple[float, str]] = []
        self.reboots: list[tuple[float, str]] = []
        """Those that were tried, whatever the box made of it."""
        # what goes wrong with the agent's own things
        self.lose_outcomes = False
        self.refuse_cuts = False
        self.refuse_reboots = False
        self.unwritable = False

    def _hear(self, observation: Observation) -> None:
        raise NotImplementedError

    def obey(self, action: Cut | Reboot | Restore) -> None:
        """Carry an order out, a moment later."""
        match action:
            case Cut():
                self.at(self.t + RELAY_S, self._cut, action, self.run_name)
            case Reboot():
                self.at(self.t + RELAY_S, self._reboot, action, self.run_name)
            case Restore():
                self.at(self.t + RELAY_S, self._restore, action, self.run_name)

    def _cut(self, action: Cut, run: str) -> None:
        if not self._runs(run) or not self._written(action):
            return
        if self.refuse_cuts:
            self._report(PowerReport(action.box, action.order, Outcome.REFUSED, "no such relay"))
            return
        self.cuts.append((self.t, action.box))
        self.boxes.cut(action.box, action.order)
        self.at(self.t + action.longest_s, self._time_is_up, action, run)
        self._report(PowerReport(action.box, action.order, Outcome.CUT))

    def _time_is_up(self, action: Cut, run: str) -> None:
        """The relay's own timer, which runs as long as the agent's process does."""
        if self._runs(run):
            self.boxes.restore(action.box, action.order)

    def _restore(self, action: Restore, run: str) -> None:
        if not self._runs(run):
            return
        self.restores.append((self.t, action.box))
        self.boxes.restore(action.box)
        self._report(PowerReport(action.box, action.order, Outcome.RESTORED))

    def _reboot(self, action: Reboot, run: str) -> None:
        if not self._runs(run) or not self._written(action):
            return
        self.reboots.append((self.t, action.box))
        if not self.refuse_reboots and self.boxes.reboot(self.uplink_of(action.box)):
            self._report(PowerReport(action.box, action.order, Outcome.REBOOTING))
        else:
            refused = PowerReport(action.box, action.order, Outcome.REFUSED, "no answer")
            self.at(self.t + REBOOT_TIMEOUT_S, self._refused, refused, run)

    def _refused(self, report: PowerReport, run: str) -> None:
        if self._runs(run):
            self._report(report)

    def _written(self, action: Cut | Reboot) -> bool:
        """The cycle is on disk before anything is done to the box."""
        if self.unwritable:
            self.unwritten.add(action.order)
            self._report(PowerReport(action.box, action.order, Outcome.UNWRITTEN, "disk full"))
            return False
        self.cycles[action.order] = action.cycle
        return True

    def _runs(self, run: str) -> bool:
        return self.alive and run == self.run_name

    def _report(self, report: PowerReport) -> None:
        if not self.lose_outcomes:
            self._hear(report)

    def uplink_of(self, box: str) -> str:
        """The uplink that a box stands on."""
        return next(spec.uplink for spec in self.site.boxes if spec.name == box)
