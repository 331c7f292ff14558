"""Whether a relay cuts the box that it is wired to in the configuration, and no other: seen in every cut.

From the order of a cut on, the carriers of all uplinks are watched. A relay is proven when its own uplink
goes away during the cut, no other one does, and it comes back after it. The opposite counts as well: a cut
in which the own uplink stayed, or another went instead, takes the proof away.

Where a switch stands between the Pi and the box, the carrier never drops; then the uplink and its box must
both fall silent.
"""

from __future__ import annotations

from dataclasses import replace

from agent.core.codes import Code
from agent.core.instant import Now, stamp
from agent.core.out import Out
from agent.core.saves import SaveProof
from agent.core.site import BoxSpec
from agent.core.snapshot_types import Phase
from agent.core.state import BoxState, State, UplinkState, Watch, evolved

PROVEN = "proven"
NO_EFFECT = "relay_no_effect"
WRONG_BOX = "relay_wrong_box"
NOT_ALONE = "relay_not_alone"
NOT_BACK = "relay_not_back"
SILENT_S = 1.5
SILENT_ECHOES = 3
"""A silence of the uplink during a cut counts from so long and so many unanswered echoes on."""


def watch(state: State, box: BoxSpec, order: str) -> Watch:
    """Look at all uplinks in the step in which a cut is ordered: what is there now can be seen to go."""
    own = state.uplinks[box.uplink]
    return Watch(
        order=order,
        box=box.name,
        plugged=frozenset(name for name, uplink in state.uplinks.items() if _plugged(uplink)),
        answering=own.health.works and own.internet.lost_since is None,
    )


def lacking(state: State, box: str) -> bool:
    """The relay of this box may not be used automatically, because nobody has seen what it cuts."""
    return state.site.power.require_proof and box not in state.proven


def refuted(state: State, order: str) -> bool:
    """The cut of this order is known not to have taken the power of its box."""
    seen = state.watch
    return seen is not None and seen.order == order and seen.verdict in (NO_EFFECT, WRONG_BOX)


def update(state: State, now: Now, out: Out) -> State:
    """Note who has gone and who is back, and judge as soon as it can be judged."""
    seen = state.watch
    if seen is None or seen.verdict is not None:
        return state
    box = state.boxes[seen.box]
    if box.cycle is None or box.cycle.order != seen.order:
        # The cycle is over: what has gone and not come back until now has stayed away.
        return _conclude(state, replace(seen, verdict=NOT_BACK), now, out) if _cut_only(seen) else state
    noted = _noted(state, seen, box, now.mono)
    verdict = _verdict(state, noted, box)
    if verdict is not None:
        return _conclude(state, replace(noted, verdict=verdict), now, out)
    return state if noted == seen else evolved(state, watch=noted)


def _plugged(uplink: UplinkState) -> bool:
    return uplink.link is not None and uplink.link.plugged


def _cut_only(seen: Watch) -> bool:
    return seen.gone_at is not None and not seen.others


def _noted(state: State, seen: Watch, box: BoxState, now_at: float) -> Watch:
    """Who has gone, up to the moment at which the power came back."""
    own = state.uplinks[box.spec.uplink]
    if seen.gone_at is None:
        if box.spec.uplink in seen.plugged and not _plugged(own):
            seen = replace(seen, gone_at=now_at)
        elif seen.answering and box.cut_at is not None and _silent(own, box.cut_at, now_at):
            seen = replace(seen, gone_at=now_at, by_silence=True)
    if box.phase is Phase.BOOTING:
        return seen
    gone = [
        name
        for name in state.uplinks
        if name != box.spec.uplink and name in seen.plugged and not _plugged(state.uplinks[name])
    ]
    return replace(seen, others=tuple(dict.fromkeys((*seen.others, *gone))))


def _silent(uplink: UplinkState, since: float, now_at: float) -> bool:
    """Neither the internet behind the uplink nor its box has answered anything that was sent ``since``."""
    lost_since = uplink.internet.lost_since
    box_too = not uplink.box_answers or uplink.box.lost_since is not None
    return (
        lost_since is not None
        and uplink.internet.lost >= SILENT_ECHOES
        and now_at - max(lost_since, since) >= SILENT_S
        and box_too
    )


def _verdict(state: State, seen: Watch, box: BoxState) -> str | None:
    if box.phase is not Phase.BOOTING:
        return None
    if seen.gone_at is None:
        if seen.others:
            return WRONG_BOX
        # What was not there to begin with could not be seen to go.
        return NO_EFFECT if seen.answering or box.spec.uplink in seen.plugged else None
    if seen.others:
        return NOT_ALONE
    own = state.uplinks[box.spec.uplink]
    back = own.internet.lost_since is None if seen.by_silence else _plugged(own)
    return PROVEN if back else None


def _conclude(state: State, seen: Watch, now: Now, out: Out) -> State:
    """Keep the proof, or take it away, and tell what is news."""
    box = state.boxes[seen.box]
    name, label = box.spec.name, box.spec.label
    state = evolved(state, watch=seen)
    known = name in state.proven
    if seen.verdict == PROVEN:
        if seen.asked or lacking(state, name):
            how = "silence" if seen.by_silence else "carrier"
            assert seen.gone_at is not None
            gone_s = None if box.cut_at is None else round(max(0.0, seen.gone_at - box.cut_at), 1)
            back_s = round(now.mono - box.since, 1)
            out.tell(Code.RELAY_PROVEN, name, label, seen=how, gone_s=gone_s, back_s=back_s)
        out.order(SaveProof(name, stamp(now)))
        return evolved(state, proven={**state.proven, name: stamp(now)})
    if seen.verdict in (NOT_ALONE, NOT_BACK) and not seen.asked:
        # By chance another uplink may fail just then, and a box may die of its fault: no word on the relay.
        return state
    others = [state.uplinks[other].spec.label for other in seen.others]
    out.tell(Code.RELAY_UNPROVEN, name, label, reason=seen.verdict, other=", ".join(others) or None)
    if not known:
        return state
    out.order(SaveProof(name, None))
    return evolved(state, proven={box: at for box, at in state.proven.items() if box != name})
