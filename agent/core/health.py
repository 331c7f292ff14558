"""The verdict on one uplink.

This detector is the ski-rental rule: acting costs ``switch_cost_s`` once, waiting costs a second per
second, so ``down`` is declared when the silence has lasted as long as acting costs. Whatever the line's
habits, that is never worse than twice the best that could have been done with foresight (Karlin et al.,
"Competitive snoopy caching", 1988). Loss of the link itself needs no waiting.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from agent.core import window
from agent.core.snapshot_types import Health
from agent.core.state import State, UplinkState

CLEAN_S = 5.0
"""After an outage, answers without a silence for this long before ``up`` is believed."""
SUSPECT_LOSSES = 2
SUSPECT_S = 1.5
"""Shorter silences are the everyday losses of any line; probing faster is answer enough to them."""
DOWN_LOSSES = 3
DEGRADED_ABOVE = 0.10
DEGRADED_BELOW = 0.03
DEGRADED_ECHOES = 30
"""Loss is judged on at least this many echoes; 10 % and 3 % leave a gap so that the verdict does not flap."""
UNSENT_S = 3.0
DOUBT_PACE_S = 0.2
OUTAGE_PACE_S = 1.0
DOUBT_PACE_FOR_S = 30.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """A health with its reason in plain words and numbers."""

    health: Health
    why: str


def silence_s(uplink: UplinkState, now_at: float) -> float:
    """Seconds since the first echo sent after the last answer, 0 while targets answer."""
    since = uplink.internet.lost_since
    return 0.0 if since is None else max(0.0, now_at - since)


def judge(uplink: UplinkState, switch_cost_s: float, warm: bool, now_at: float) -> Verdict:
    """The verdict that the evidence supports now.

    Args:
        uplink: evidence and the verdict so far (it matters for hysteresis).
        switch_cost_s: what a failover costs, seconds.
        warm: false just after the start; an uplink that has not worked yet is then unknown, not down.
        now_at: monotonic seconds.
    """
    verdict = _judge(uplink, switch_cost_s, now_at)
    never_worked = uplink.internet.alive_at is None
    if not warm and never_worked and verdict.health in (Health.DOWN, Health.SUSPECT):
        return Verdict(Health.UNKNOWN, f"starting: {verdict.why}")
    return verdict


def _judge(uplink: UplinkState, switch_cost_s: float, now_at: float) -> Verdict:
    link = uplink.link
    if link is not None and not link.present:
        return Verdict(Health.DOWN, "interface is gone")
    if link is not None and link.carrier is False:
        return Verdict(Health.DOWN, "no carrier")
    if uplink.link_bad_since is not None:
        lasted = now_at - uplink.link_bad_since
        if lasted >= switch_cost_s:
            return Verdict(Health.DOWN, f"no address or gateway for {lasted:.0f} s")
        return Verdict(_not_worse(uplink.health), f"no address or gateway for {lasted:.1f} s")
    unsent = uplink.unsent_since is not None and now_at - uplink.unsent_since >= UNSENT_S
    # An uplink that was found down stays so until it answers, whatever keeps us from asking meanwhile.
    if unsent and uplink.health is not Health.DOWN:
        return Verdict(Health.UNKNOWN, f"cannot send: {uplink.unsent_why}")
    silent = silence_s(uplink, now_at)
    pulse = uplink.internet
    if pulse.lost >= DOWN_LOSSES and silent >= switch_cost_s:
        return Verdict(Health.DOWN, f"silent {silent:.1f} s; a switch costs {switch_cost_s:g} s")
    if uplink.health is Health.DOWN:
        return _coming_back(uplink, now_at)
    if pulse.lost >= SUSPECT_LOSSES and silent >= SUSPECT_S:
        return Verdict(_not_worse(Health.SUSPECT), f"silent {silent:.1f} s")
    if pulse.alive_at is None:
        return Verdict(Health.UNKNOWN, "no answer yet")
    return _quality(uplink)


def settled(uplink: UplinkState) -> Health:
    """The verdict, a mere doubt aside."""
    return uplink.before_doubt if uplink.health is Health.SUSPECT else uplink.health


def _not_worse(health: Health) -> Health:
    """A doubt about a working uplink is ``suspect``; anything else keeps its verdict."""
    return Health.SUSPECT if health.works else health


def _coming_back(uplink: UplinkState, now_at: float) -> Verdict:
    if uplink.clean_since is None:
        return Verdict(Health.DOWN, "no answer since it went down")
    clean = now_at - uplink.clean_since
    if clean < CLEAN_S:
        return Verdict(Health.DOWN, f"answers again for {clean:.1f} s of {CLEAN_S:g} s")
    return Verdict(Health.UP, f"answers again for {clean:.1f} s")


def _quality(uplink: UplinkState) -> Verdict:
    share, echoes = window.loss(uplink)
    was_degraded = settled(uplink) is Health.DEGRADED
    limit = DEGRADED_BELOW if was_degraded else DEGRADED_ABOVE
    too_few = echoes < DEGRADED_ECHOES
    if (was_degraded and too_few) or (not too_few and share > limit):
        return Verdict(Health.DEGRADED, f"{share * 100:.0f} % of {echoes} echoes lost")
    rtt_ms = window.median_rtt_ms(uplink)
    return Verdict(Health.UP, "answers" if rtt_ms is None else f"answers in {rtt_ms:.0f} ms")


def track_return(uplink: UplinkState, now_at: float) -> UplinkState:
    """Keep ``clean_since``: when the present stretch of answers without a silence began."""
    if uplink.health is not Health.DOWN:
        return uplink if uplink.clean_since is None else replace(uplink, clean_since=None)
    alive_at = uplink.internet.alive_at
    broken = uplink.internet.lost >= SUSPECT_LOSSES or uplink.link_bad_since is not None
    if broken or alive_at is None or alive_at < uplink.since:
        return uplink if uplink.clean_since is None else replace(uplink, clean_since=None)
    return uplink if uplink.clean_since is not None else replace(uplink, clean_since=now_at)


def pace_s(uplink: UplinkState, state: State, now_at: float) -> float:
    """How often each target of the uplink is to be probed now, seconds.

    Fast while in doubt, at a second during an outage, and a metered standby is looked at every second
    while any other uplink is in trouble, because it is about to be needed.
    """
    calm_s = uplink.spec.interval_s
    if uplink.internet.lost > 0 or uplink.health is Health.SUSPECT:
        doubt = now_at - (uplink.broke_at or uplink.internet.lost_since or now_at)
        return min(calm_s, DOUBT_PACE_S if doubt < DOUBT_PACE_FOR_S else OUTAGE_PACE_S)
    if uplink.health is Health.DOWN:
        return min(calm_s, OUTAGE_PACE_S)
    others_in_trouble = any(
        other.health in (Health.DOWN, Health.SUSPECT)
        for other in state.uplinks.values()
        if other is not uplink
    )
    return min(calm_s, OUTAGE_PACE_S) if others_in_trouble else calm_s
