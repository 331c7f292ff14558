"""From the state to what is shown of the site path, and of each uplink in regard to it."""

from __future__ import annotations

from typing import TypedDict

from agent.core import site_path, window
from agent.core.addresses import address_of
from agent.core.outside import SITE, Outer
from agent.core.path_view import PathState, PathView
from agent.core.state import State


class OfUplink(TypedDict):
    """The fields of ``UplinkView`` that come from here."""

    active: bool
    public_address: str | None
    shared: bool | None
    proven_at: float | None


def of_uplink(state: State, name: str) -> OfUplink:
    """What is shown of one uplink in regard to the site path."""
    outer = state.outsides.outers.get(name, Outer())
    return OfUplink(
        active=state.carried.active == name,
        public_address=address_of(state.outsides, name) or outer.address,
        shared=outer.shared,
        proven_at=state.steering.proven.get(name),
    )


def view(state: State) -> PathView | None:
    """The site path as it is now; None where it is not watched."""
    path, carried = state.path, state.carried
    if path is None:
        return None
    word = PathState.WORKS
    if site_path.is_unseen(path):
        word = PathState.UNSEEN
    elif carried.silent_since is not None:
        word = PathState.SILENT
    share, echoes = window.loss(path)
    return PathView(
        state=word,
        since=path.since,
        active=carried.active,
        active_since=carried.since,
        witness=None if carried.witness is None else str(carried.witness),
        spread=carried.spread,
        public_address=address_of(state.outsides, SITE),
        rtt_ms=window.median_rtt_ms(path),
        loss_pct=round(share * 100, 1) if echoes else None,
        choice=state.steering.choice if carried.active is not None else None,
    )
