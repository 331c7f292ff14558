"""From single outcomes to evidence: what one more echo says about a target, an uplink, a box."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from statistics import median

from agent.core.model import Probe, Role
from agent.core.state import WINDOW, Pulse, TargetPulse, UplinkState

LONELY_FAILURES = 3
"""A target that failed this often in a row while others answer says nothing about the uplink."""


def answered(pulse: Pulse, sent_at: float, now_at: float) -> Pulse:
    """A reply came, perhaps late: the party is alive now, and nothing sent before counts as lost."""
    return Pulse(alive_at=now_at, alive_sent=max(pulse.alive_sent, sent_at))


def unanswered(pulse: Pulse, sent_at: float) -> Pulse:
    """An echo is known to be lost; it matters only if nothing sent later was answered."""
    if sent_at <= pulse.alive_sent:
        return pulse
    first = sent_at if pulse.lost_since is None else min(pulse.lost_since, sent_at)
    return replace(pulse, lost_since=first, lost=pulse.lost + 1)


def _target(pulse: TargetPulse, probe: Probe) -> TargetPulse:
    window = (*pulse.window[-(WINDOW - 1) :], probe.rtt_ms)
    if probe.rtt_ms is not None:
        # A target back from a long failure starts afresh: its old losses were its own.
        return TargetPulse(window if pulse.failed < LONELY_FAILURES else (probe.rtt_ms,))
    since = probe.sent_at if pulse.failing_since is None else pulse.failing_since
    return TargetPulse(window, since, pulse.failed + 1)


def seen(uplink: UplinkState, probe: Probe, now_at: float) -> UplinkState:
    """The uplink's evidence after one more outcome. Its verdict is left as it was."""
    if probe.why is not None and not probe.why.was_sent:
        if uplink.unsent_since is not None:
            return uplink
        return replace(uplink, unsent_since=now_at, unsent_why=str(probe.why))
    if probe.role is Role.BOX:
        box = (
            unanswered(uplink.box, probe.sent_at)
            if probe.rtt_ms is None
            else answered(uplink.box, probe.sent_at, now_at)
        )
        return replace(uplink, box=box, unsent_since=None)
    old = uplink.targets.get(probe.target)
    targets = uplink.targets
    if old is not None:
        targets = {**targets, probe.target: _target(old, probe)}
    if probe.rtt_ms is None:
        internet = unanswered(uplink.internet, probe.sent_at)
    else:
        internet = answered(uplink.internet, probe.sent_at, now_at)
    return replace(uplink, targets=targets, internet=internet, unsent_since=None)


def forget_silence(uplink: UplinkState, now_at: float) -> UplinkState:
    """Evidence after a time in which nobody was listening: no silence can be claimed for it.

    Echoes sent before ``now_at`` cannot count as lost any more either: their answers may have been missed.
    """
    return replace(
        uplink,
        internet=replace(uplink.internet, alive_sent=now_at, lost_since=None, lost=0),
        box=replace(uplink.box, alive_sent=now_at, lost_since=None, lost=0),
        clean_since=None,
    )


def forget_losses(uplink: UplinkState) -> UplinkState:
    """Start the loss statistics afresh, after an outage that is over."""
    return replace(uplink, targets={name: TargetPulse() for name in uplink.targets})


def bad_targets(uplink: UplinkState) -> tuple[str, ...]:
    """Targets that fail through this uplink while others answer."""
    if uplink.internet.lost_since is not None:
        return ()
    return tuple(name for name, pulse in uplink.targets.items() if pulse.failed >= LONELY_FAILURES)


def _pooled(uplink: UplinkState) -> Iterable[float | None]:
    bad = bad_targets(uplink)
    for name, pulse in uplink.targets.items():
        if name not in bad:
            yield from pulse.window


def loss(uplink: UplinkState) -> tuple[float, int]:
    """Share of unanswered echoes (0 to 1) and how many echoes it rests on, without bad targets."""
    results = list(_pooled(uplink))
    if not results:
        return 0.0, 0
    return sum(1 for rtt in results if rtt is None) / len(results), len(results)


def median_rtt_ms(uplink: UplinkState) -> float | None:
    """Median of the answered echoes in the window, milliseconds; None without any."""
    answers = [rtt for rtt in _pooled(uplink) if rtt is not None]
    return median(answers) if answers else None
