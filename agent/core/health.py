"""The verdict on one uplink: several signals, one word.

Loss of the link, or the box's own word that it has no way out, needs no waiting. A silence is waited out as
long as its end is worth more than acting, by what this line has shown before (``habit``); a box that is
silent as well makes it another kind of silence. Bad quality adds up until it has cost as much as a switch
(``quality``). And an uplink that has just come back must prove itself, the longer the more often it has
lately broken its word.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.core import habit, line, quality, window
from agent.core.snapshot_types import Health
from agent.core.state import DOUBT_PACE_S, Pulse, State, UplinkState, evolved

CLEAN_S = 5.0
CLEAN_LONGEST_S = 150.0
RELAPSE_S = 600.0
"""After an outage, answers without a silence for this long before ``up`` is believed: 5 s, doubled each time
it goes down within ten minutes of having come back, at most two and a half minutes."""
SUSPECT_LOSSES = 2
SUSPECT_S = 1.5
"""Shorter silences are the everyday losses of any line; probing faster is answer enough to them."""
ALONE_PACE_S = 1.5
"""Where only one target is asked, and no slower than this, its first unanswered echo may decide: by then
the silence has lasted as long as the line's habit asks for. With several, two echoes must agree."""
UNSENT_S = 3.0
UNHEARD_S = 15.0
"""No outcome of any kind for this long (three rounds where rounds are longer): nobody has been asking."""
GRACE_S = 2.5
"""An echo's timeout and some more: until then, what was sent last may still be answered."""
DENIED_S = 0.5
"""Others are asked again within ``DOUBT_PACE_S``; their answers get this long to speak against the box."""
MUTE_LOSSES = 2
QUALITY_S = 2.0
"""Quality is looked at this often at most; it is a matter of many echoes, not of one."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A health with its reason in plain words and numbers."""

    health: Health
    why: str


def silence_s(uplink: UplinkState, now_at: float) -> float:
    """Seconds since the first echo sent after the last answer, 0 while targets answer.

    Only time in which somebody asked counts: a silence grows no further than the last unanswered echo can
    speak for.
    """
    pulse = uplink.internet
    if pulse.lost_since is None:
        return 0.0
    asked_until = pulse.lost_last + GRACE_S + 2.0 * max(spacing_s(pulse, uplink), DOUBT_PACE_S)
    return max(0.0, min(now_at, asked_until) - pulse.lost_since)


def spacing_s(pulse: Pulse, uplink: UplinkState) -> float:
    """How far apart the unanswered echoes of a silence were sent, which is how exactly it is known."""
    if pulse.lost_since is None or pulse.lost < 2:
        return uplink.interval_s
    return max(0.05, (pulse.lost_last - pulse.lost_since) / (pulse.lost - 1))


def box_is_mute(uplink: UplinkState) -> bool:
    """True if the box, which usually answers, has lost echoes too since its last answer."""
    return uplink.box_answers and uplink.box.lost_since is not None and uplink.box.lost >= MUTE_LOSSES


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
    # An uplink that was found down stays so until it answers, whatever keeps us from asking meanwhile.
    if uplink.health is not Health.DOWN:
        trouble = own_trouble(uplink, now_at)
        if trouble is not None:
            return Verdict(Health.UNKNOWN, trouble)
    if _is_denied(uplink, now_at):
        return Verdict(Health.DOWN, "the box itself says that it has no way out")
    if uplink.health is Health.DOWN:
        return _coming_back(uplink, now_at)
    if uplink.internet.lost_since is not None:
        verdict = _silent(uplink, switch_cost_s, now_at)
        if verdict is not None:
            return verdict
    if uplink.internet.alive_at is None:
        return Verdict(Health.UNKNOWN, "no answer yet")
    return _quality(uplink, switch_cost_s)


def own_trouble(uplink: UplinkState, now_at: float) -> str | None:
    """Why nothing can be said at all."""
    if uplink.unsent_since is not None and now_at - uplink.unsent_since >= UNSENT_S:
        return f"cannot send: {uplink.unsent_why}"
    # Where the looks have just become more frequent, the time before was a rest and no neglect.
    unheard_s = now_at - max(uplink.heard_at, uplink.paced_at)
    if uplink.spec.targets and unheard_s >= max(UNHEARD_S, 3.0 * uplink.interval_s):
        return f"nobody has asked for {unheard_s:.0f} s"
    return None


def _is_denied(uplink: UplinkState, now_at: float) -> bool:
    """The box has refused two targets, and no other has answered for as long as an answer takes.

    Two, because a box may forbid one; not all, because boxes limit how often they say so (Linux: once a
    second to the same asker).
    """
    if len(uplink.denied) < min(2, len(uplink.targets)) or uplink.internet.lost_since is None:
        return False
    own = uplink.denied.difference(window.failing_alone(uplink))
    return len(own) >= min(2, len(uplink.targets)) and now_at >= denied_at(uplink)


def denied_at(uplink: UplinkState) -> float:
    """When the box's refusals count, monotonic seconds, in a silence."""
    assert uplink.internet.lost_since is not None
    answer_s = 2.0 * (uplink.line.usual_ms or 0.0) / 1000.0
    return uplink.internet.lost_since + max(DENIED_S, answer_s)


def _silent(uplink: UplinkState, switch_cost_s: float, now_at: float) -> Verdict | None:
    """What a silence says; None while it is too short to say anything."""
    pulse, silent = uplink.internet, silence_s(uplink, now_at)
    wait_s = uplink.wait_s
    if silent >= wait_s and pulse.lost >= (1 if _is_alone(uplink) else 2):
        return Verdict(Health.DOWN, _reason(uplink, silent, switch_cost_s))
    if pulse.lost >= SUSPECT_LOSSES and silent >= SUSPECT_S:
        return Verdict(_not_worse(Health.SUSPECT), f"silent {silent:.1f} s; worth waiting {wait_s:.1f} s")
    return None


def _reason(uplink: UplinkState, silent: float, switch_cost_s: float) -> str:
    """Why waiting longer is the dearer choice."""
    known = line.of(uplink.line, mute=uplink.mute)
    said = f"silent {silent:.1f} s" + (", the box too" if uplink.mute else "")
    cost = f"a switch costs {switch_cost_s:g} s"
    if silent >= switch_cost_s:
        return f"{said}; {cost}, so much has been waited already"
    more = habit.expected_more_s(known, silent, uplink.calm_s)
    return f"{said}; from here this line stays silent {more:.0f} s more on average; {cost}"


def settled(uplink: UplinkState) -> Health:
    """The verdict, a mere doubt aside."""
    return uplink.before_doubt if uplink.health is Health.SUSPECT else uplink.health


def _not_worse(health: Health) -> Health:
    """A doubt about a working uplink is ``suspect``; anything else keeps its verdict."""
    return Health.SUSPECT if health.works else health


def clean_needed_s(uplink: UplinkState) -> float:
    """How long an uplink that was down must answer before it is believed, seconds: two answers at least."""
    needed_s = min(CLEAN_LONGEST_S, CLEAN_S * 2.0 ** min(uplink.relapses, 10))
    return needed_s if uplink.purse is None else max(needed_s, GRACE_S + uplink.pace_s / len(uplink.targets))


def _coming_back(uplink: UplinkState, now_at: float) -> Verdict:
    if uplink.clean_since is None:
        return Verdict(Health.DOWN, f"no answer since it went down: {uplink.broke_why}")
    clean, needed = now_at - uplink.clean_since, clean_needed_s(uplink)
    if clean < needed:
        return Verdict(Health.DOWN, f"answers again for {clean:.1f} s of {needed:g} s")
    return Verdict(Health.UP, f"answers again for {clean:.1f} s")


def _quality(uplink: UplinkState, switch_cost_s: float) -> Verdict:
    was_degraded = settled(uplink) is Health.DEGRADED
    if uplink.strained_s >= switch_cost_s or (was_degraded and uplink.strained_s > 0.0):
        return Verdict(Health.DEGRADED, uplink.strained_why)
    measured = uplink.quality
    return Verdict(Health.UP, "answers" if measured is None else f"answers in {measured.rtt_ms:.0f} ms")


def track_return(uplink: UplinkState, now_at: float) -> UplinkState:
    """Keep ``clean_since``: when the present stretch of answers without a silence began."""
    if uplink.health is not Health.DOWN:
        return uplink if uplink.clean_since is None else evolved(uplink, clean_since=None)
    alive_at = uplink.internet.alive_at
    broken = uplink.internet.lost >= SUSPECT_LOSSES or uplink.link_bad_since is not None
    if broken or alive_at is None or alive_at < uplink.since:
        return uplink if uplink.clean_since is None else evolved(uplink, clean_since=None)
    return uplink if uplink.clean_since is not None else evolved(uplink, clean_since=now_at)


def silence_began(uplink: UplinkState, switch_cost_s: float) -> UplinkState:
    """Decide how long the silence that has just begun is worth waiting out."""
    resolution_s = min(uplink.spec.interval_s, DOUBT_PACE_S)
    known = line.of(uplink.line, mute=uplink.mute)
    wait_s = habit.threshold_s(known, switch_cost_s, resolution_s, uplink.calm_s)
    if not _is_alone(uplink):
        # People hear of a doubt before they hear of an outage.
        wait_s = max(wait_s, min(SUSPECT_S, switch_cost_s))
    return evolved(uplink, wait_s=wait_s)


def _is_alone(uplink: UplinkState) -> bool:
    return len(uplink.targets) == 1 and uplink.spec.interval_s <= ALONE_PACE_S


def track_silence(uplink: UplinkState, switch_cost_s: float) -> UplinkState:
    """Keep ``mute``: a box that has been silent during a silence makes it one of the other kind."""
    if uplink.internet.lost_since is None or uplink.mute or not box_is_mute(uplink):
        return uplink
    return silence_began(evolved(uplink, mute=True), switch_cost_s)


def track_quality(uplink: UplinkState, switch_cost_s: float, now_at: float) -> UplinkState:
    """Keep the account of what bad quality costs, and the line's usual latency while all is well."""
    begun = uplink.strained_at
    if begun is not None and now_at - begun < QUALITY_S:
        return uplink
    if begun is None or not uplink.health.works:
        return evolved(uplink, strained_at=now_at, quality=None)
    passed_s = now_at - begun
    calm_s = uplink.calm_s if silence_s(uplink, now_at) >= SUSPECT_S else uplink.calm_s + passed_s
    measured = quality.measured(uplink)
    uplink = evolved(uplink, strained_at=now_at, calm_s=calm_s, quality=measured)
    if measured is None:
        return uplink
    known = uplink.line
    degraded = settled(uplink) is Health.DEGRADED
    strain = quality.strain(measured, known.usual_ms, degraded=degraded)
    if strain.share <= 0.0 and not degraded:
        known = line.latency_learned(known, measured.rtt_ms, passed_s)
    return evolved(
        uplink,
        line=known,
        line_dirty=uplink.line_dirty or known is not uplink.line,
        strained_s=quality.account(uplink.strained_s, strain.share, passed_s, switch_cost_s),
        strained_why=strain.why,
        remarkable_ms=quality.slow_ms(known.usual_ms) * quality.LATENCY_GOOD,
    )


def preferred_uplink(state: State) -> str | None:
    """The first uplink, in the configured order, that works; a doubtful one only if no other does."""
    for sound in ((Health.UP, Health.DEGRADED), (Health.SUSPECT,)):
        for name, uplink in state.uplinks.items():
            if uplink.health in sound:
                return name
    return None
