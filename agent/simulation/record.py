"""What comes out of the core that runs on the machine."""

from __future__ import annotations

from agent.core.codes import Code
from agent.core.model import Event
from agent.core.snapshot import snapshot
from agent.core.snapshot_types import Snapshot
from agent.core.state import State
from agent.simulation.machine import Machine


class Record(Machine):
    """The core's state, and every event with the instant of the world's clock at which it came."""

    state: State

    def __init__(self, start_at: float, wall: float, boot: str, zone_s: float) -> None:
        super().__init__(start_at, wall, boot, zone_s)
        self.events: list[tuple[float, Event]] = []

    def codes(self, *subjects: str) -> list[Code]:
        """The codes of all events, or of those about these subjects."""
        return [event.code for _, event in self.events if not subjects or event.subject in subjects]

    def when(self, code: Code, subject: str | None = None) -> float:
        """The instant of the first such event; fails if there is none."""
        return next(t for t, event in self.events if event.code is code and subject in (None, event.subject))

    def picture(self) -> Snapshot:
        """The site as everybody gets to see it."""
        return snapshot(self.state, self.now(), 1)

    def findings(self) -> set[tuple[Code, str]]:
        """The findings that are shown."""
        return {(finding.code, finding.subject) for finding in self.picture().findings}
