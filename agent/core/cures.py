"""Whether a power cycle is worth it: what it can cure, how long to wait, which step comes next.

A site sees few cycles, so every one counts. What is believed of a finding before anything was tried is a
beta distribution, and each cycle remembered moves it (Laplace's rule of succession): ``(a + helped) /
(a + b + tried)``. A cycle is not made where that chance has fallen to a fifth. For a box that is silent
itself the belief is 3 to 1 that power helps, and ten failures in a row end it; for a fault that may just as
well lie beyond the box it is 1 to 3, and one failure ends it, until a success has shown otherwise.

How long to wait follows from how long outages last (``outages``): waiting costs its time, a cycle its own,
and cures with that chance only. So a cycle that costs ``c`` and cures with the chance ``p`` is worth waiting
for the end of an outage as one that costs ``c / p`` and always cures.
"""

from __future__ import annotations

from agent.core.codes import FINDINGS, Code, Cure
from agent.core.instant import DAY_S, Now, age_s, is_within
from agent.core.model import Cycle, How
from agent.core.outages import Tail
from agent.core.site import BoxSpec, PowerRules
from agent.core.state import BoxState, State

BELIEFS = {Cure.LIKELY: (3.0, 1.0), Cure.PERHAPS: (1.0, 3.0)}
LEAST_CHANCE = 0.2
USUAL = Tail(shape=0.57, scale_s=44.0)
"""Outages of an ordinary line: the maximum likelihood fit to 926 outages of a cable line in 2023
(``scripts/bench outages``)."""
FAINT = 0.5
FAINT_HOPE_WAIT_S = 180.0
"""A cycle that more likely fails than helps waits so long, however quickly the box boots: half of all
outages of that line were over within three minutes."""
LATE_BOOT = 3.0
"""A box that does not come back after a restart is called hung again, and restarted again, only after three
times its configured boot: a check of its disk or new software takes its time, and a cut in it does harm."""
LONGER = 3.0
LONGEST_OFF_S = 100.0
"""A second cut in an incident lasts three times as long: supplies and batteries keep a box alive."""


def remembered(state: State, box: str, finding: Code) -> list[Cycle]:
    """The cycles of this box for this finding of which it is known whether they helped.

    One whose cut had no effect on the box says nothing about the box.
    """
    return [
        cycle
        for cycle in state.cycles or ()
        if cycle.box == box
        and cycle.finding is finding
        and cycle.helped is not None
        and cycle.effect is not False
    ]


def chance(state: State, box: str, finding: Code) -> float:
    """How likely a cycle of this box cures this finding, 0 to 1, by belief and memory."""
    cure = FINDINGS[finding].cure
    if cure is Cure.NEVER:
        return 0.0
    cured, failed = BELIEFS[cure]
    known = remembered(state, box, finding)
    helped = sum(1 for cycle in known if cycle.helped)
    return (cured + helped) / (cured + failed + len(known))


def cycle_s(box: BoxSpec) -> float:
    """What a cycle of the box costs, seconds."""
    return box.off_s + box.boot_s


def wait_s(state: State, box: BoxSpec, finding: Code) -> float:
    """How long the finding must stand before the box is cycled for it, seconds.

    Never less than configured: ``confirm_s`` is a promise to the people on site.
    """
    likely = chance(state, box.name, finding)
    if likely <= 0.0:
        return float("inf")
    least_s = FAINT_HOPE_WAIT_S if likely < FAINT else 0.0
    return max(box.confirm_s, least_s, USUAL.best_wait_s(cycle_s(box) / likely))


def in_incident(state: State, box: str) -> list[Cycle]:
    """The cycles of this box that belong to the open incident."""
    incident = state.incident.id if state.incident is not None else None
    return [cycle for cycle in state.cycles or () if cycle.box == box and cycle.incident == incident]


def cuts_in_incident(state: State, box: str) -> list[Cycle]:
    """Those of them in which the relay was to cut."""
    return [cycle for cycle in in_incident(state, box) if cycle.how is not How.SOFT]


def next_step(state: State, box: BoxState) -> How | None:
    """The smallest step not yet tried in this incident; None where nothing is left that this box can do."""
    tried = [cycle.how for cycle in in_incident(state, box.spec.name)]
    if box.spec.soft and How.SOFT not in tried:
        return How.SOFT
    if not box.spec.wired:
        return None
    return How.LONG_CUT if cuts_in_incident(state, box.spec.name) else How.CUT


def off_s(box: BoxSpec, how: How) -> float:
    """How long the power stays away in this step, seconds."""
    if how is How.LONG_CUT:
        return max(box.off_s, min(LONGEST_OFF_S, LONGER * box.off_s))
    return box.off_s


def starting_s(state: State, box: BoxSpec, now: Now) -> float:
    """How much longer the box may still be starting after a restart that has not helped yet, seconds."""
    newest = next((cycle for cycle in reversed(state.cycles or ()) if cycle.box == box.name), None)
    if newest is None or newest.helped is not False or newest.effect is False:
        return 0.0
    return max(0.0, off_s(box, newest.how) + LATE_BOOT * box.boot_s - age_s(newest.started, now))


def maintenance_until(rules: PowerRules, now: Now) -> float | None:
    """When the operator's maintenance window ends, monotonic seconds; None outside of any.

    Without a synchronised clock nobody knows the time of day, and no window is assumed.
    """
    if not now.synced:
        return None
    of_day = (now.wall + now.zone_s) % DAY_S
    for window in rules.maintenance:
        if is_within(window, of_day):
            return now.mono + (window[1] - of_day) % DAY_S
    return None
