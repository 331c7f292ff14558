"""The buzzer of the front panel: a short sound once when an alert begins, and silence for the rest.

It calls a person to the panel, which says what is the matter. It never repeats itself: a cause that changes
within one incident is no second alarm, and what began in the quiet hours or during a pause stays unsaid.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from agent.core.codes import Severity
from agent.core.instant import is_within
from agent.core.snapshot_types import Snapshot
from hardware.buzzer_port import Beeps, Buzzer

ALERT = Beeps(times=3, on_s=0.1, off_s=0.15)

Window = tuple[float, float]
"""From when to when, seconds after midnight, local time; the end may be on the next day."""


@dataclass(frozen=True, slots=True)
class Told:
    """The alerts that need no sound any more, code and subject each, and the incident they belong to."""

    alerts: frozenset[tuple[str, str]]
    incident: str | None


def render(
    told: Told | None, snapshot: Snapshot, day_s: float | None, quiet: Window | None
) -> tuple[Told, Beeps | None]:
    """What is to be heard as this snapshot comes.

    Args:
        told: what this function returned for the snapshot before; None for the first one, which begins
            nothing: what stands already when the agent starts was heard before.
        snapshot: what came.
        day_s: seconds after midnight, local time; None while nobody knows the time, which may be the night.
        quiet: when to be silent; None for never.

    Returns:
        What to hand over with the next snapshot, and the sound, if there is one.
    """
    standing = frozenset(
        (finding.code.value, finding.subject)
        for finding in snapshot.findings
        if finding.severity is Severity.ALERT
    )
    known = told.alerts if told is not None else standing
    new = standing - known
    same = told is not None and told.incident is not None and told.incident == snapshot.incident
    after = Told(standing | known if same else standing, snapshot.incident)
    # One sound for an incident: another cause of what is known already is told by the panel.
    subjects = {subject for _, subject in known} if same else set()
    worth = any(subject not in subjects or code == "needs_human" for code, subject in new)
    silent = snapshot.hold_until is not None or _is_quiet(day_s, quiet)
    return after, ALERT if worth and not silent else None


def _is_quiet(day_s: float | None, quiet: Window | None) -> bool:
    if quiet is None:
        return False
    if day_s is None:
        return True
    return is_within(quiet, day_s)


def local_day_s(snapshot: Snapshot) -> float | None:
    """Local time of a snapshot, seconds after midnight; None while the clock is not synchronised."""
    if not snapshot.synced:
        return None
    local = time.localtime(snapshot.wall)
    return local.tm_hour * 3600.0 + local.tm_min * 60.0 + local.tm_sec


class BuzzerSink:
    """Sounds what ``render`` says.

    Attributes:
        buzzer: what sounds.
        quiet: when to be silent; None for never.
        day_s: local time of a snapshot.
    """

    def __init__(
        self,
        buzzer: Buzzer,
        quiet: Window | None,
        *,
        day_s: Callable[[Snapshot], float | None] = local_day_s,
    ) -> None:
        self._buzzer = buzzer
        self._quiet = quiet
        self._day_s = day_s

    async def run(self, snapshots: AsyncIterator[Snapshot]) -> None:
        """Listen to snapshots until they end.

        Raises:
            HardwareError: the buzzer does not obey.
        """
        told: Told | None = None
        async for snapshot in snapshots:
            told, beeps = render(told, snapshot, self._day_s(snapshot), self._quiet)
            if beeps is not None:
                self._buzzer.sound(beeps)
