"""The site path: what a PC of the site experiences through the site's own router, and each switch measured.

Echoes through the router tell whether the site has the internet, and for how long it had not. Which uplink
it has it by is told by ``carrying``; while that is known to be one and then another, the router has switched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from agent.core import carrying, health, path_pace, window
from agent.core.carried import Carried, Silence
from agent.core.codes import Code
from agent.core.instant import Now
from agent.core.model import Link, Pace, Probe, Role, Scalar
from agent.core.out import Out
from agent.core.outside import SITE, AskAddress
from agent.core.ranking import rank
from agent.core.snapshot_types import Health
from agent.core.spending import CheckEvery
from agent.core.state import NEVER, State, UplinkState, evolved

SILENT_LOSSES = 2
SILENT_S = 1.0
"""Two echoes of different targets in a row, or a second: shorter is the everyday loss of any line."""
TOLD_S = 3.0
"""An interruption without a switch is told from here on: nobody notices shorter ones but a call."""
RESOLVE_S = 20.0
"""After a silence it must be known within this time who carries the site; then nobody knows."""
AGAIN_S = 5.0
STRAYS_S = 60.0
STRAYS_METERED_S = 1800.0
"""An uplink's own address is asked for so often at most because the site has that of none."""
TURNS_S = 1800.0
MOST_TURNS = 4
"""So many changes within this time, and no silence with any of them, are no switches: the router spreads the
traffic."""


def is_unseen(path: UplinkState) -> bool:
    """Nothing can be said of the path: the machine's own cable to the site, or nothing can be sent."""
    return (
        path.internet.alive_at is None
        or path.link_bad_since is not None
        or path.unsent_since is not None
        or (path.link is not None and path.link.unplugged)
    )


def carries(state: State, uplink: str) -> bool:
    """True while the site is known to be on the internet by this uplink, whatever is seen of it from here."""
    path, carried = state.path, state.carried
    # Just after a silence the router may have moved.
    sure = path is not None and path.health is Health.UP and carried.silence is None
    return sure and carried.active == uplink


def shown(state: State) -> object:
    """What people see of it, as far as a change is news."""
    carried = state.carried
    return (carried.active, carried.spread, None if state.path is None else state.path.health)


def carried_until(state: State, uplink: str) -> float:
    """Since when the uplink is not seen any more to carry the site that it carried; else long ago.

    The site may be silent since then, or this machine's own cable to it may be out.
    """
    path, carried = state.path, state.carried
    if carried.active != uplink:
        return carried.left_at.get(uplink, NEVER)
    return NEVER if path is None or path.health is Health.UP else path.since


# --- evidence ---------------------------------------------------------------------------------------------


def calm(state: State, probe: Probe, at: float) -> State | None:
    """The state after an echo of the path that is no news; None if it may be some."""
    path = state.path
    if path is None or probe.uplink != SITE or path.unsent_since is not None:
        return None
    if probe.why is not None and not probe.why.was_sent:
        return None
    if probe.role is Role.BOX and not path.box_answers:
        return None
    silent = path.internet.lost_since is not None
    if (probe.rtt_ms is None) is not silent or (silent and state.carried.silent_since is None):
        return None
    return evolved(state, stepped_at=at, path=window.seen_again(path, probe, at))


def seen(state: State, probe: Probe, now: Now) -> State:
    """The state after one more echo of the path."""
    if state.path is None:
        return state
    path = window.seen(state.path, probe, now.mono)
    if probe.role is Role.BOX and probe.rtt_ms is not None:
        path = evolved(path, box_answers=True)
    return evolved(state, path=path)


def linked(state: State, link: Link, now: Now) -> State:
    """The state after a change of the interface towards the site."""
    path = state.path
    if path is None:
        return state
    bad = link.unplugged or link.address is None or link.gateway is None
    since = (path.link_bad_since if path.link_bad_since is not None else now.mono) if bad else None
    return evolved(state, path=evolved(path, link=link, link_bad_since=since, unsent_since=None))


def after_gap(state: State, now_at: float) -> State:
    """Nobody was watching: no silence can be claimed, and who carries the site must be asked anew."""
    if state.path is None:
        return state
    carried = replace(state.carried, silent_since=None, silence=None, fresh_from=now_at)
    return evolved(state, path=window.forget_silence(state.path, now_at), carried=carried)


# --- the measure ------------------------------------------------------------------------------------------


def update(state: State, now: Now, out: Out) -> State:
    """Look at the path again: silences, switches, and how often it is to be asked."""
    path = state.path
    if path is None:
        return state
    state = evolved(state, carried=_silence(path, state.carried, now, out))
    state = _resolve(state, now, out)
    state = _ask_uplinks(state, now, out)
    return _judge(state, path, now, out)


def turning_points(state: State) -> Iterator[float]:
    """When the path must be looked at again if nothing more is heard."""
    carried = state.carried
    if carried.silence is not None:
        yield carried.asked_at + AGAIN_S
        yield carried.silence.ended_at + RESOLVE_S


def _silence(path: UplinkState, carried: Carried, now: Now, out: Out) -> Carried:
    """Begin or end a silence."""
    pulse = path.internet
    if is_unseen(path):
        return replace(carried, silent_since=None, silence=None)
    if pulse.lost_since is not None:
        lasts = pulse.lost >= SILENT_LOSSES or now.mono - pulse.lost_since >= SILENT_S + health.GRACE_S
        if carried.silent_since is None and lasts:
            return replace(carried, silent_since=pulse.lost_since, silence=None)
        return carried
    if carried.silent_since is None:
        return carried
    silence = Silence(carried.silent_since, pulse.alive_sent)
    if silence.lasted_s <= 0.0:
        # A late answer: it was none.
        return replace(carried, silent_since=None)
    out.order(AskAddress(SITE))
    return replace(
        carried,
        silent_since=None,
        silence=silence,
        fresh_from=silence.ended_at,
        asked_at=now.mono,
        doubt=None,
    )


def _resolve(state: State, now: Now, out: Out) -> State:
    """Who carries the site now, and what that means."""
    carried = state.carried
    if carried.silent_since is not None:
        return state
    found = carrying.carrier(state)
    if found is None:
        return _unresolved(state, now, out)
    if found.uplink == carried.active:
        if carried.silence is not None:
            _interrupted(state, carried.silence, found.uplink, out)
        kept = replace(carried, silence=None, doubt=None, witness=found.witness)
        return state if kept == carried else evolved(state, carried=kept)
    if carried.active is not None and carried.silence is None and not carried.spread:
        return _changed_quietly(state, found, now, out)
    return _turn(state, found, now, out)


def _unresolved(state: State, now: Now, out: Out) -> State:
    carried = state.carried
    if carried.silence is None:
        return state
    if now.mono - carried.silence.ended_at >= RESOLVE_S:
        _interrupted(state, carried.silence, None, out)
        left_at = carried.left(carried.silence.began_at)
        unknown = replace(carried, active=None, since=None, witness=None, silence=None, left_at=left_at)
        return evolved(state, carried=unknown)
    if now.mono - carried.asked_at < AGAIN_S:
        return state
    out.order(AskAddress(SITE))
    return evolved(state, carried=replace(carried, asked_at=now.mono))


def _changed_quietly(state: State, found: carrying.Found, now: Now, out: Out) -> State:
    """Another uplink without a silence: believed once it has been seen twice."""
    carried = state.carried
    if carried.doubt == found.uplink:
        return state if found.asked_at <= carried.doubt_at else _turn(state, found, now, out)
    turns = (*(at for at in carried.turns if now.mono - at < TURNS_S), now.mono)
    if len(turns) >= MOST_TURNS:
        gone = replace(carried, active=None, since=None, witness=None, left_at=carried.left(now.mono))
        return evolved(state, carried=replace(gone, doubt=None, turns=turns, spread=True))
    out.order(AskAddress(SITE))
    doubt = replace(carried, doubt=found.uplink, doubt_at=found.asked_at, asked_at=now.mono, turns=turns)
    return evolved(state, carried=doubt)


def _turn(state: State, found: carrying.Found, now: Now, out: Out) -> State:
    """Another uplink carries the site from now on; told, if it is known which one did before."""
    carried = state.carried
    silence, before = carried.silence, carried.active
    if carried.spread and now.mono - carried.turns[-1] < TURNS_S:
        # While the traffic is spread, each answer may be another one.
        if silence is not None:
            _interrupted(state, silence, None, out)
        return evolved(state, carried=replace(carried, silence=None))
    since = now.mono if silence is None else silence.ended_at
    if before is not None:
        code = Code.FAILBACK if rank(state, found.uplink) < rank(state, before) else Code.FAILOVER
        args: dict[str, Scalar] = {
            "from": before,
            "to": found.uplink,
            "from_label": state.uplinks[before].spec.label,
            "to_label": state.uplinks[found.uplink].spec.label,
            "silent_s": 0.0 if silence is None else silence.lasted_s,
        }
        out.tell(code, state.site.name, state.site.label, **args)
    elif silence is not None:
        _interrupted(state, silence, found.uplink, out)
    turned = replace(
        carried,
        active=found.uplink,
        since=since,
        witness=found.witness,
        silence=None,
        doubt=None,
        spread=False,
        turns=() if carried.spread or silence is not None else carried.turns,
        left_at=carried.left(now.mono if silence is None else silence.began_at),
    )
    return evolved(state, carried=turned)


def _interrupted(state: State, silence: Silence, by: str | None, out: Out) -> None:
    """The site was without internet, and has it again as before, or nobody knows how."""
    if silence.lasted_s < TOLD_S:
        return
    label = None if by is None else state.uplinks[by].spec.label
    out.tell(
        Code.SITE_INTERRUPTED,
        state.site.name,
        state.site.label,
        silent_s=silence.lasted_s,
        uplink=by,
        uplink_label=label,
    )


def _ask_uplinks(state: State, now: Now, out: Out) -> State:
    """Ask for the address of an uplink that has come back, and of all if the site's is that of none."""
    carried = state.carried
    stray = now.mono - carried.strays_asked_at >= STRAYS_S and carrying.is_stray(state)
    asked: dict[str, float] = {}
    for name, uplink in state.uplinks.items():
        if not uplink.health.answers:
            continue
        known = state.outsides.known.get((name, 4))
        last_at = max(carried.uplinks_asked.get(name, NEVER), NEVER if known is None else known.asked_at)
        every_s = STRAYS_S if uplink.purse is None else STRAYS_METERED_S
        back = uplink.recovered_at is not None and uplink.recovered_at > last_at
        if back or (stray and now.mono - last_at >= every_s):
            out.order(AskAddress(name))
            asked[name] = now.mono
    if not (asked or stray):
        return state
    strays_asked_at = now.mono if stray else carried.strays_asked_at
    uplinks_asked = {**carried.uplinks_asked, **asked}
    return evolved(
        state, carried=replace(carried, strays_asked_at=strays_asked_at, uplinks_asked=uplinks_asked)
    )


def _judge(state: State, path: UplinkState, now: Now, out: Out) -> State:
    """The verdict on the path, and the pace that it needs."""
    verdict = Health.UP
    if is_unseen(path):
        verdict = Health.UNKNOWN
    elif state.carried.silent_since is not None:
        verdict = Health.DOWN
    cost = path_pace.cost(state)
    pace_s = path_pace.echoes_s(path, now.mono, cost)
    if verdict is not path.health:
        since = state.carried.silent_since or now.mono
        path = evolved(path, health=verdict, since=since)
    if pace_s != path.pace_s:
        out.order(Pace(SITE, pace_s, min(pace_s, path.spec.interval_s)))
        path = evolved(path, pace_s=pace_s)
    every_s = path_pace.outside_s(state, cost)
    if every_s != state.carried.asked_every_s:
        out.order(CheckEvery(SITE, every_s))
        state = evolved(state, carried=replace(state.carried, asked_every_s=every_s))
    return state if path is state.path else evolved(state, path=path)
