"""What a cut is seen to do: did the box lose its power, did another, and so what is its relay worth.

From the order of a cut on, the carriers of all uplinks are watched. A box whose own carrier goes has lost its
power. Where a switch stands between the Pi and the box the carrier stays; then uplink and box must both fall
silent. The carrier of an uplink is that of the last of its boxes: one before it (an optical terminal) has
lost its power when the internet falls silent and the box behind it still answers, and if a carrier goes in
its cut it is another's. What cannot be told (a carrier that nobody knows) counts as nothing.

All conclusions come from this one watch:

- the cycle in memory (``Cycle.effect`` and ``instead``), as soon as it is known;
- the power given back at once when another uplink went and the own one did not;
- the proof: a relay is proven when its own box went during the cut, no other did, and it came back after it.
  A cut in which the own box stayed, or another went instead, takes the proof away.
"""

from __future__ import annotations

from dataclasses import replace

from agent.core.codes import Code
from agent.core.instant import Now, stamp
from agent.core.model import Cycle, SaveCycle
from agent.core.out import Out
from agent.core.saves import SaveProof
from agent.core.site import BoxSpec
from agent.core.snapshot_types import Phase
from agent.core.state import BoxState, State, evolved
from agent.core.watch import Watch

PROVEN = "proven"
NO_EFFECT = "relay_no_effect"
WRONG_BOX = "relay_wrong_box"
NOT_ALONE = "relay_not_alone"
NOT_BACK = "relay_not_back"
SILENT_S = 1.5
SILENT_ECHOES = 3
"""A silence of the uplink during a cut counts from so long and so many unanswered echoes on."""
SURELY_S = 2.0
"""A box loses its carrier within this time of its power; by then it is known whose power it was."""


def watch(state: State, box: BoxSpec, order: str) -> Watch:
    """Look at all uplinks in the step in which a cut is ordered: what is there now can be seen to go."""
    own = state.uplinks[box.uplink]
    return Watch(
        order=order,
        box=box.name,
        plugged=frozenset(name for name, one in state.uplinks.items() if one.link and one.link.plugged),
        answering=own.health.works and own.internet.lost_since is None,
    )


def forget(state: State, order: str) -> State:
    """The cut of this order was not made, or nobody knows: nothing follows from what went meanwhile."""
    seen = state.watch
    return evolved(state, watch=None) if seen is not None and seen.order == order else state


def lacking(state: State, box: str) -> bool:
    """The relay of this box may not be used automatically, because nobody has seen what it cuts."""
    return state.site.power.require_proof and box not in state.proven


def remember(state: State, cycle: Cycle, out: Out) -> State:
    """Keep what is known of a cycle in place of what was known of it."""
    out.order(SaveCycle(cycle))
    cycles = tuple(cycle if old.order == cycle.order else old for old in state.cycles or ())
    box = replace(state.boxes[cycle.box], cycle=cycle)
    return evolved(state, cycles=cycles, boxes={**state.boxes, cycle.box: box})


def update(state: State, now: Now, out: Out) -> State:
    """Note who has gone and who is back, and conclude as soon as something can be concluded."""
    seen = state.watch
    if seen is None or seen.verdict is not None:
        return state
    box = state.boxes[seen.box]
    if box.cycle is None or box.cycle.order != seen.order:
        # The cycle is over: what has gone and not come back until now has stayed away.
        alone = seen.gone_at is not None and not seen.others
        return _conclude(state, replace(seen, verdict=NOT_BACK), now, out) if alone else state
    noted = _noted(state, seen, box, now.mono)
    noted = replace(noted, verdict=_verdict(state, noted, box))
    if noted != seen:
        state = evolved(state, watch=noted)
    state = _known(state, noted, box, now, out)
    return state if noted.verdict is None else _conclude(state, noted, now, out)


def _noted(state: State, seen: Watch, box: BoxState, now_at: float) -> Watch:
    """Who has gone, up to the moment at which the power came back."""
    spec = box.spec
    gone = [name for name in state.uplinks if name in seen.plugged and _unplugged(state, name)]
    if seen.gone_at is None:
        if spec.direct and spec.uplink in gone:
            seen = replace(seen, gone_at=now_at)
        elif seen.answering and box.cut_at is not None and _silent(state, spec, box.cut_at, now_at):
            seen = replace(seen, gone_at=now_at, by_silence=True)
    if box.phase is Phase.BOOTING:
        return seen
    others = [name for name in gone if name != spec.uplink or not spec.direct]
    return replace(seen, others=tuple(dict.fromkeys((*seen.others, *others))))


def _unplugged(state: State, uplink: str) -> bool:
    link = state.uplinks[uplink].link
    return link is not None and link.unplugged


def _silent(state: State, box: BoxSpec, since: float, now_at: float) -> bool:
    """The internet behind the uplink has answered nothing that was sent ``since``, nor has its last box.

    Unless the cut box stands before that one: then it must go on answering, or it is the one that was cut.
    """
    uplink = state.uplinks[box.uplink]
    lost_since = uplink.internet.lost_since
    last_too = uplink.box.lost_since is not None
    return (
        lost_since is not None
        and uplink.internet.lost >= SILENT_ECHOES
        and now_at - max(lost_since, since) >= SILENT_S
        and (not uplink.box_answers or last_too is box.direct)
    )


def _verdict(state: State, seen: Watch, box: BoxState) -> str | None:
    if box.phase is not Phase.BOOTING:
        return None
    own = state.uplinks[box.spec.uplink]
    if seen.gone_at is None:
        if seen.others:
            return WRONG_BOX
        # What was not there to begin with could not be seen to go, nor can the carrier of a switch.
        shows = (
            box.spec.direct and box.spec.uplink in seen.plugged and box.spec.name not in state.behind_switch
        )
        visible = seen.answering or shows
        return NO_EFFECT if visible else None
    if seen.others:
        return NOT_ALONE
    plugged = own.link is not None and own.link.plugged
    back = own.internet.lost_since is None if seen.by_silence else plugged
    return PROVEN if back else None


def _known(state: State, seen: Watch, box: BoxState, now: Now, out: Out) -> State:
    """Remember with the cycle what its cut did; a wrong box that has lost its power gets it back at once."""
    if box.cycle is None or box.phase is Phase.ORDERED:
        return state
    cut_s = 0.0 if box.cut_at is None else now.mono - box.cut_at
    wrong = bool(seen.others) and cut_s >= SURELY_S
    if seen.gone_at is None and not wrong and seen.verdict is None:
        return state
    effect = seen.gone_at is not None
    instead = None if effect or not seen.others else seen.others[0]
    if (box.cycle.effect, box.cycle.instead) == (effect, instead):
        return state
    if box.phase is Phase.CUT and not effect:
        box = replace(box, until=now.mono, restore_at=now.mono)
        state = evolved(state, boxes={**state.boxes, box.spec.name: box})
    assert box.cycle is not None
    return remember(state, replace(box.cycle, effect=effect, instead=instead), out)


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
        out.order(SaveProof(name, stamp(now), seen.by_silence))
        behind = state.behind_switch - {name} | ({name} if seen.by_silence else set())
        return evolved(state, proven={**state.proven, name: stamp(now)}, behind_switch=behind)
    if seen.verdict in (NOT_ALONE, NOT_BACK) and not seen.asked:
        # By chance another uplink may fail just then, and a box may die of its fault: no word on the relay.
        return state
    others = [state.uplinks[other].spec.label for other in seen.others]
    out.tell(Code.RELAY_UNPROVEN, name, label, reason=seen.verdict, other=", ".join(others) or None)
    if not known:
        return state
    out.order(SaveProof(name, None))
    return evolved(state, proven={box: at for box, at in state.proven.items() if box != name})
