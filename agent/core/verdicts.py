"""Keeping the verdicts: what one more look at an uplink changes, tells and teaches."""

from __future__ import annotations

from agent.core import diagnosis, health, line, quality, window
from agent.core.codes import Code
from agent.core.instant import Now
from agent.core.model import Probe
from agent.core.out import Out
from agent.core.saves import SaveLine
from agent.core.snapshot_types import Health
from agent.core.state import State, UplinkState, evolved, with_uplink

SAVE_LINE_S = 600.0
"""What is learned of a line is written at most this often: it changes slowly, and flash wears."""
COMMON_S = 3.0
"""Silences of all uplinks that end within this time of each other had one cause, and it was no line."""


def judge(state: State, name: str, now: Now, out: Out) -> State:
    """Look at one uplink again; a verdict that changes is told."""
    old = state.uplinks[name]
    uplink = health.track_silence(health.track_return(old, now.mono), state.site.switch_cost_s)
    uplink = health.track_quality(uplink, state.site.switch_cost_s, now.mono)
    verdict = health.judge(uplink, state.site.switch_cost_s, state.warm, now.mono)
    begin = uplink.internet.lost_since if uplink.link_bad_since is None else uplink.link_bad_since
    if uplink.broke_at is None and begin is not None and verdict.health in (Health.SUSPECT, Health.DOWN):
        uplink = evolved(uplink, broke_at=begin)
    elif uplink.broke_at is None and verdict.health is Health.DOWN:
        uplink = evolved(uplink, broke_at=now.mono)
    if verdict.health is not uplink.health:
        uplink = _turn(uplink, verdict, now, out)
    elif verdict.why != uplink.why:
        uplink = evolved(uplink, why=verdict.why)
    return state if uplink is old else with_uplink(state, uplink)


def _turn(uplink: UplinkState, verdict: health.Verdict, now: Now, out: Out) -> UplinkState:
    """Change the verdict, and tell it."""
    name, label, was = uplink.spec.name, uplink.spec.label, health.settled(uplink)
    turned = evolved(uplink, health=verdict.health, why=verdict.why, since=now.mono, before_doubt=was)
    match verdict.health:
        case Health.DOWN:
            recovered_at = uplink.recovered_at
            soon = recovered_at is not None and now.mono - recovered_at < health.RELAPSE_S
            turned = evolved(turned, broke_why=verdict.why, relapses=uplink.relapses + 1 if soon else 0)
            out.tell(Code.UPLINK_DOWN, name, label, why=verdict.why)
        case Health.SUSPECT:
            silent = round(health.silence_s(uplink, now.mono), 1)
            out.tell(Code.UPLINK_SUSPECT, name, label, silent_s=silent)
        case Health.UNKNOWN:
            out.tell(Code.UPLINK_UNKNOWN, name, label, why=verdict.why)
        case Health.DEGRADED:
            if was is not Health.DEGRADED:
                out.tell(Code.UPLINK_DEGRADED, name, label, **quality.told(uplink))
            turned = evolved(turned, broke_at=None)
        case Health.UP:
            turned = _up(turned, was, now, out)
    return turned


def _up(uplink: UplinkState, was: Health, now: Now, out: Out) -> UplinkState:
    """It works again, or is believed to work well again."""
    down_s = 0.0
    if was is Health.DOWN:
        began_at = uplink.broke_at if uplink.broke_at is not None else now.mono
        down_s = round(now.mono - began_at, 1)
        uplink = evolved(window.forget_losses(uplink), recovered_at=now.mono, strained_s=0.0)
    if was is not Health.UP:
        out.tell(Code.UPLINK_UP, uplink.spec.name, uplink.spec.label, down_s=down_s)
    return evolved(uplink, broke_at=None)


def silence_ended(state: State, old: UplinkState, uplink: UplinkState, probe: Probe, now: Now) -> UplinkState:
    """An answer ends a silence: the line has shown one more of its habits, if it was the line's."""
    uplink = evolved(uplink, mute=False, spoiled=False, silence_ended_at=now.mono)
    begun = old.internet.lost_since
    assert begun is not None
    foreign = (
        old.spoiled
        or old.internet.alive_at is None
        or old.link_bad_since is not None
        or diagnosis.in_cycle(state, uplink.spec.name)
        or _all_silent(state, uplink.spec.name, now.mono)
    )
    if foreign:
        return uplink
    # Between the last unanswered echo and the answered one nobody knows.
    resolution_s = max(health.spacing_s(old.internet, old), probe.sent_at - old.internet.lost_last)
    known = line.silence_learned(
        uplink.line,
        now.mono - begun,
        resolution_s,
        state.site.switch_cost_s,
        uplink.calm_s,
        mute=old.mute,
    )
    return evolved(uplink, line=known, line_dirty=True, calm_s=0.0)


def _all_silent(state: State, but: str, now_at: float) -> bool:
    """Every other uplink is silent as well, or was a moment ago: it is not this line's own trouble."""
    others = [uplink for name, uplink in state.uplinks.items() if name != but]
    return bool(others) and all(
        uplink.internet.lost > 0 or now_at - uplink.silence_ended_at < COMMON_S for uplink in others
    )


def save_lines(state: State, now: Now, out: Out, *, every_s: float) -> State:
    """Order to write what has been learned of each line, unless that was done less than ``every_s`` ago."""
    for name, uplink in state.uplinks.items():
        if uplink.line_dirty and now.mono - uplink.line_saved_at >= every_s:
            known = line.calm_learned(uplink.line, uplink.calm_s)
            out.order(SaveLine(name, known))
            saved = evolved(uplink, line=known, calm_s=0.0, line_dirty=False, line_saved_at=now.mono)
            state = with_uplink(state, saved)
    return state
