"""What one step has to say, collected while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent.core.codes import EVENTS, FINDINGS, Code, Severity
from agent.core.model import Action, Event, Scalar


@dataclass(slots=True)
class Out:
    """Actions and events of the step in progress, in the order they arose. Lives for one step only."""

    incident: str | None = None
    actions: list[Action] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def order(self, action: Action) -> None:
        """Add an action."""
        self.actions.append(action)

    def tell(self, code: Code, subject: str, label: str, **args: Scalar) -> None:
        """Add an event; its severity is the catalogue's."""
        severity = FINDINGS[code].severity if code in FINDINGS else EVENTS[code]
        self.events.append(Event(code, subject, severity, self.incident, {"label": label, **args}))

    def alert(self, code: Code, subject: str, label: str, severity: Severity, **args: Scalar) -> None:
        """Add an event that somebody is to be called for, with the severity that it has just now."""
        self.events.append(
            Event(code, subject, severity, self.incident, {"label": label, **args}, alert=True)
        )
