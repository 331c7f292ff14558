"""From single outcomes to evidence: what one more echo says about a target, an uplink, a box."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from agent.core.model import Probe, Role, Why
from agent.core.state import WINDOW, Pulse, TargetPulse, UplinkState, evolved

LONELY_FAILURES = 3
"""A target that failed this often in a row while others answer says nothing about the uplink."""


def answered(pulse: Pulse, sent_at: float, now_at: float) -> Pulse:
    """A reply came, perhaps late: the party is alive now, and nothing sent before counts as lost."""
    return Pulse(now_at, sent_at if sent_at > pulse.alive_sent else pulse.alive_sent)  # noqa: FURB136 - hot


def unanswered(pulse: Pulse, sent_at: float) -> Pulse:
    """An echo is known to be lost; it matters only if nothing sent later was answered."""
    if sent_at <= pulse.alive_sent:
        return pulse
    # An answer that came late, after this echo had been sent, still was a sign of life.
    first = sent_at if pulse.alive_at is None else max(sent_at, pulse.alive_at)
    if pulse.lost_since is not None:
        first = min(pulse.lost_since, first)
    return Pulse(pulse.alive_at, pulse.alive_sent, first, pulse.lost + 1, max(pulse.lost_last, sent_at))


def _target(pulse: TargetPulse, probe: Probe) -> TargetPulse:
    window = (*pulse.window[-(WINDOW - 1) :], probe.rtt_ms)
    if probe.rtt_ms is not None:
        # A target back from a long failure starts afresh: its old losses were its own.
        return TargetPulse(window if pulse.failed < LONELY_FAILURES else (probe.rtt_ms,))
    since = probe.sent_at if pulse.failing_since is None else pulse.failing_since
    return TargetPulse(window, since, pulse.failed + 1)


def seen_again(uplink: UplinkState, probe: Probe, now_at: float) -> UplinkState:
    """The evidence after an outcome that is no news: it changes nothing but the windows and the pulses."""
    if probe.role is Role.BOX:
        return evolved(uplink, box=_party(uplink.box, probe, now_at))
    pulse = uplink.targets.get(probe.target)
    targets = uplink.targets
    if pulse is not None:
        targets = {**targets, probe.target: _target(pulse, probe)}
    return evolved(uplink, targets=targets, internet=_party(uplink.internet, probe, now_at), heard_at=now_at)


def seen(uplink: UplinkState, probe: Probe, now_at: float) -> UplinkState:
    """The uplink's evidence after one more outcome. Its verdict is left as it was."""
    if probe.why is not None and not probe.why.was_sent:
        return _unsent(uplink, probe, now_at)
    if probe.role is Role.BOX:
        back = probe.rtt_ms is not None and uplink.box.lost >= LONELY_FAILURES
        return evolved(
            uplink,
            box=_party(uplink.box, probe, now_at),
            box_back_at=now_at if back else uplink.box_back_at,
            unsent_since=None,
        )
    pulse = uplink.targets.get(probe.target)
    targets = uplink.targets
    if pulse is not None:
        targets = {**targets, probe.target: _target(pulse, probe)}
    denied = uplink.denied
    if _is_known_bad(uplink, probe):
        # Where looks are far apart, each of its losses would be a doubt of its own, answered by no other.
        return evolved(uplink, targets=targets, heard_at=now_at, unsent_since=None)
    if probe.rtt_ms is not None:
        denied = frozenset()
    elif _is_denial(uplink, probe):
        denied |= {probe.target}
    return evolved(
        uplink,
        targets=targets,
        internet=_party(uplink.internet, probe, now_at),
        heard_at=now_at,
        unsent_since=None,
        denied=denied,
    )


def _party(pulse: Pulse, probe: Probe, now_at: float) -> Pulse:
    if probe.rtt_ms is None:
        return unanswered(pulse, probe.sent_at)
    return answered(pulse, probe.sent_at, now_at)


def _is_known_bad(uplink: UplinkState, probe: Probe) -> bool:
    """A loss that says nothing of an uplink with a data budget: the target fails while others answer."""
    return uplink.purse is not None and probe.rtt_ms is None and probe.target in failing_alone(uplink)


def _unsent(uplink: UplinkState, probe: Probe, now_at: float) -> UplinkState:
    """Nothing left the machine: a silence that goes on meanwhile is our own doing as well."""
    spoiled = uplink.internet.lost_since is not None
    heard_at = now_at if probe.role is Role.TARGET else uplink.heard_at
    if uplink.unsent_since is not None:
        return evolved(uplink, spoiled=uplink.spoiled or spoiled, heard_at=heard_at)
    return evolved(uplink, unsent_since=now_at, unsent_why=str(probe.why), spoiled=spoiled, heard_at=heard_at)


def _is_denial(uplink: UplinkState, probe: Probe) -> bool:
    """The box itself says that it has no way out; anybody further away may speak of one target only."""
    link = uplink.link
    return (
        probe.why is Why.UNREACHABLE
        and link is not None
        and link.gateway is not None
        and probe.by == link.gateway
    )


def forget_silence(uplink: UplinkState, now_at: float) -> UplinkState:
    """Evidence after a time in which nobody was listening: no silence can be claimed for it.

    Echoes sent before ``now_at`` cannot count as lost any more either: their answers may have been missed.
    """
    return evolved(
        uplink,
        internet=uplink.internet._replace(alive_sent=now_at, lost_since=None, lost=0),
        box=uplink.box._replace(alive_sent=now_at, lost_since=None, lost=0),
        heard_at=now_at,
        denied=frozenset(),
        mute=False,
        spoiled=False,
        clean_since=None,
        strained_at=None,
    )


def was_failing(uplink: UplinkState, target: str) -> bool:
    """The target had failed for long enough to be noticed."""
    pulse = uplink.targets.get(target)
    return pulse is not None and pulse.failed >= LONELY_FAILURES


def forget_losses(uplink: UplinkState) -> UplinkState:
    """Start the loss statistics afresh, after an outage that is over."""
    return evolved(uplink, targets={name: TargetPulse() for name in uplink.targets})


def bad_targets(uplink: UplinkState) -> tuple[str, ...]:
    """Targets that fail through this uplink while others answer."""
    if uplink.internet.lost_since is not None:
        return ()
    return tuple(name for name, pulse in uplink.targets.items() if pulse.failed >= LONELY_FAILURES)


def failing_alone(uplink: UplinkState) -> tuple[str, ...]:
    """Targets that have gone on failing since before the uplink's last answer: it is their own trouble."""
    alive_at = uplink.internet.alive_at
    return tuple(
        name
        for name, pulse in uplink.targets.items()
        if pulse.failed >= LONELY_FAILURES
        and pulse.failing_since is not None
        and alive_at is not None
        and pulse.failing_since < alive_at
    )


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
