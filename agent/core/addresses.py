"""The public address of each uplink: when it changes, and whether the operator shares it among customers.

Who is called from outside, or stands on somebody's list of allowed addresses, needs an address that is its
own and stays. Behind carrier-grade NAT it is neither.
"""

from __future__ import annotations

from dataclasses import replace

from agent.core.causes import SAYS_FRESH_S
from agent.core.codes import Code
from agent.core.out import Out
from agent.core.outside import (
    NO_NEXT_HOP,
    SITE,
    Known,
    Outer,
    Outsides,
    PathSeen,
    PublicAddress,
    SaveOuter,
    is_carrier_grade,
    is_shared,
)
from agent.core.state import State, UplinkState, evolved


def seen(state: State, public: PublicAddress, out: Out) -> State:
    """The state after somebody outside has said where packets of a way come from."""
    if public.way != SITE and public.way not in state.uplinks:
        return state
    if public.address is None:
        return state
    outsides, key = state.outsides, (public.way, public.version)
    known = {**outsides.known, key: Known(public.address, public.asked_at)}
    state = evolved(state, outsides=replace(outsides, known=known))
    if public.way == SITE or public.version != 4:
        return state
    return _tell(state, public.way, public.address, out)


def path_seen(state: State, path: PathSeen) -> State:
    """The state after the routers of the site's way have been seen."""
    return evolved(state, outsides=replace(state.outsides, path=path))


def _tell(state: State, name: str, address: str, out: Out) -> State:
    uplink = state.uplinks[name]
    outsides, label = state.outsides, uplink.spec.label
    old = outsides.outers.get(name, Outer())
    shared = shared_now(uplink, address, state.stepped_at)
    new = Outer(address, old.shared if shared is None else shared)
    if new == old:
        return state
    if new.shared and not old.shared:
        out.tell(Code.ADDRESS_SHARED, name, label, address=address)
    # A shared address is the operator's: which of many it is today says nothing.
    if old.address not in (None, address) and not new.shared:
        out.tell(Code.PUBLIC_ADDRESS_CHANGED, name, label, old=old.address, new=address)
    out.order(SaveOuter(name, new))
    return evolved(state, outsides=replace(outsides, outers={**outsides.outers, name: new}))


def shared_now(uplink: UplinkState, address: str, now_at: float) -> bool | None:
    """Whether the operator puts several customers behind one address; None if nobody can tell.

    What the device says that the operator gave it comes first. A private address of this machine says
    nothing where a box stands in between, and all where none does. A private first hop says nothing
    either: operators number their routers as they like.

    Args:
        uplink: its evidence.
        address: how it looks from outside, IPv4.
        now_at: monotonic seconds.
    """
    says = uplink.says
    if says is not None and says.heard and now_at - uplink.says_at <= SAYS_FRESH_S:
        if says.address is not None and says.address == address:
            return False
        if says.shared is not None:
            return says.shared
        if says.address is not None and is_shared(says.address):
            return True
    link = uplink.link
    own = None if link is None else link.address
    if link is None or own is None:
        return None
    if own == address:
        return False
    if is_carrier_grade(own):
        return True
    return True if link.gateway == NO_NEXT_HOP and is_shared(own) else None


def address_of(outsides: Outsides, way: str, version: int = 4) -> str | None:
    """The way's newest public address; None if none is known."""
    known = outsides.known.get((way, version))
    return None if known is None else known.address
