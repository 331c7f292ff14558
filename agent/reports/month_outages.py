"""The outages of a span: each one's cause, length, what was restarted, and whether that ended it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.core.codes import FINDINGS, Code
from agent.core.model import Recorded
from agent.reports.month_states import Histories, How
from agent.reports.month_time import SECOND, milliseconds

AFTER = 60 * SECOND
"""What belongs to an outage may be told so long after its end."""
NO_CAUSES = (Code.NEEDS_HUMAN, Code.BY_HAND, Code.DEGRADED, Code.RESTARTING)
"""Findings of an incident that say what is done, or something less than an outage."""
LEAST_LIKE = 5
"""Of fewer outages nothing is estimated."""


@dataclass(frozen=True, slots=True)
class Restart:
    """One restart of a box.

    Attributes:
        at: when it was made, milliseconds.
        box: its name.
        soft: by software, without a power cut.
        helped: None if that is not on record.
        by: the person who asked for it; None for Vigie itself.
    """

    at: int
    box: str
    soft: bool
    helped: bool | None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Outage:
    """An uplink was down, milliseconds.

    Attributes:
        uplink: its name.
        begin: when it began, or when the span did.
        end: when it ended, or when the span did, or when nobody watched any more.
        ended: it is known to have ended then, by the uplink working.
        cause: the last finding that named one; None if it was over before one was shown.
        incident: that it belongs to, if any.
        restarts: made meanwhile, in order.
        open_ms: how much of it was in opening hours, where that was asked for.
    """

    uplink: str
    begin: int
    end: int
    ended: bool
    cause: Code | None
    incident: str | None
    restarts: tuple[Restart, ...]
    open_ms: int = 0

    @property
    def length(self) -> int:
        """Milliseconds."""
        return self.end - self.begin

    @property
    def helped(self) -> bool | None:
        """Whether a restart ended it; None without any, or if nobody knows."""
        if not self.restarts:
            return None
        results = [restart.helped for restart in self.restarts]
        return True if True in results else None if None in results else False


def outages(events: Sequence[Recorded], seen: Histories, boxes: Mapping[str, str]) -> tuple[Outage, ...]:
    """Every stretch in which an uplink was down, in the order of their beginnings.

    Args:
        events: the journal, oldest first.
        seen: how the uplinks were, from the same journal.
        boxes: by box, the uplink that it belongs to.
    """
    dated = [recorded for recorded in events if recorded.synced]
    told = {uplink: _Told(dated, uplink, boxes) for uplink in seen.uplinks}
    found = []
    for uplink, stretches in seen.uplinks.items():
        for place, stretch in enumerate(stretches):
            if stretch.how is not How.DOWN:
                continue
            following = stretches[place + 1] if place + 1 < len(stretches) else None
            ended = following is not None and following.how is not How.UNKNOWN
            cause, incident, restarts = told[uplink].during(stretch.begin, stretch.end)
            found.append(Outage(uplink, stretch.begin, stretch.end, ended, cause, incident, restarts))
    return tuple(sorted(found, key=lambda outage: (outage.begin, outage.uplink)))


class _Told:
    """What the journal says of one uplink and its boxes, by time."""

    def __init__(self, dated: Sequence[Recorded], uplink: str, boxes: Mapping[str, str]) -> None:
        self._events = [
            recorded
            for recorded in dated
            if recorded.event.subject == uplink
            or boxes.get(recorded.event.subject) == uplink
            or recorded.event.code in (Code.EVERYTHING_DOWN, Code.BAY_DARK)
        ]
        self._events.sort(key=lambda recorded: recorded.at)
        self._uplink = uplink
        self._times = [milliseconds(recorded.at) for recorded in self._events]

    def during(self, begin: int, end: int) -> tuple[Code | None, str | None, tuple[Restart, ...]]:
        """Cause, incident and restarts of an outage."""
        cause, incident = None, None
        restarts: list[Restart] = []
        asked: str | None = None
        for place in range(bisect_left(self._times, begin), len(self._times)):
            at, event = self._times[place], self._events[place].event
            late = at > end
            if at > end + AFTER or (late and event.code is Code.UPLINK_DOWN):
                break
            entry = FINDINGS.get(event.code)
            if not late and entry is not None and entry.incident and event.code not in NO_CAUSES:
                cause = event.code
            if not late:
                incident = event.incident or incident
            if event.code is Code.CYCLE_ORDERED:
                asked = str(event.args["by"]) if event.args.get("by") else None
            elif event.code in (Code.BOX_CUT, Code.BOX_REBOOTING) and not late:
                soft = event.code is Code.BOX_REBOOTING
                restarts.append(Restart(at, event.subject, soft, None, asked))
            elif event.code in (Code.CYCLE_HELPED, Code.CYCLE_DID_NOT_HELP) and restarts:
                last, helped = restarts[-1], event.code is Code.CYCLE_HELPED
                if last.helped is None and last.box == event.subject:
                    restarts[-1] = Restart(last.at, last.box, last.soft, helped, last.by)
        return cause, incident, tuple(restarts)


# --- what restarts have avoided --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Avoided:
    """What one restart that helped has probably avoided.

    Attributes:
        outage: that it ended.
        ms: how much longer it would have lasted, milliseconds; below 0 if waiting would have been quicker;
            None if too few outages like it are on record.
        like: how many there are.
    """

    outage: Outage
    ms: int | None
    like: int


def avoided(shown: Sequence[Outage], known: Sequence[Outage]) -> tuple[Avoided, ...]:
    """An estimate for each outage that a restart has ended.

    Outages like it are those of the same uplink and cause that ended without a restart's help and had lasted
    at least until this one's restart was made; their mean length less its own is what was avoided. With fewer
    than ``LEAST_LIKE`` of them nothing is said.

    Args:
        shown: the outages that the report is about.
        known: all on record.
    """
    estimates = []
    for outage in shown:
        if outage.helped is not True:
            continue
        made = next(restart.at for restart in outage.restarts if restart.helped) - outage.begin
        lengths = [
            other.length
            for other in known
            if (other.uplink, other.cause) == (outage.uplink, outage.cause)
            and other.ended
            and other.helped is not True
            and other.length >= made
        ]
        enough = outage.cause is not None and len(lengths) >= LEAST_LIKE
        mean = round(sum(lengths) / len(lengths)) - outage.length if enough else None
        estimates.append(Avoided(outage, mean, len(lengths)))
    return tuple(estimates)
