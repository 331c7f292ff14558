"""Which uplink carries the site, by two witnesses that know nothing of each other.

The first is the public address: the site's is that of one uplink. The second are the routers on the way:
behind the site's own stands the box of one uplink, and behind that its operator. Where neither tells one
uplink from all others, the answer is that nobody knows.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from agent.core.addresses import address_of
from agent.core.carried import Witness
from agent.core.inquiries import Asked, Said
from agent.core.outside import SITE, nearest
from agent.core.state import State, UplinkState


class Found(NamedTuple):
    """The uplink, what tells it, and when that was asked."""

    uplink: str
    witness: Witness
    asked_at: float


def carrier(state: State) -> Found | None:
    """The uplink that carries the site, from what was asked since ``Carried.fresh_from``; None: not known."""
    fresh_from = state.carried.fresh_from
    candidates: Collection[str] = tuple(state.uplinks)
    for version in (4, 6):
        known = state.outsides.known.get((SITE, version))
        if known is None or known.asked_at < fresh_from:
            continue
        others = {
            name: address
            for name in state.uplinks
            if (address := address_of(state.outsides, name, version)) is not None
        }
        same = nearest(known.address, others)
        if len(same) == 1:
            return Found(same[0], Witness.ADDRESS, known.asked_at)
        if same:
            candidates = same
    return _by_hops(state, candidates)


def _by_hops(state: State, candidates: Collection[str]) -> Found | None:
    path = state.outsides.path
    if path is None or path.asked_at < state.carried.fresh_from:
        return None
    seen = {hop for hop in path.hops if hop is not None}
    marks = {name: _marks(uplink) for name, uplink in state.uplinks.items()}
    own = [
        name
        for name in candidates
        if any(
            mark in seen and not any(mark in marks[other] for other in marks if other != name)
            for mark in marks[name]
        )
    ]
    return Found(own[0], Witness.HOP, path.asked_at) if len(own) == 1 else None


def _marks(uplink: UplinkState) -> set[str]:
    """Addresses of routers on this uplink's way: its box, and the operator's first hop."""
    marks = set()
    if uplink.link is not None and uplink.link.gateway is not None:
        marks.add(uplink.link.gateway)
    hop = uplink.checks.get((Asked.HOP, ""))
    if hop is not None and hop.check.said is Said.WELL and hop.check.by is not None:
        marks.add(hop.check.by)
    return marks


def is_stray(state: State) -> bool:
    """The site has a public address, and no uplink is known to have it: one of them may have a new one."""
    known = state.outsides.known.get((SITE, 4))
    if known is None or known.asked_at < state.carried.fresh_from:
        return False
    return all(address_of(state.outsides, name) != known.address for name in state.uplinks)
