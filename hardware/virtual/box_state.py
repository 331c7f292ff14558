"""What a box does, as a state and the functions that change it. Pure: the time is passed in.

A box has power while the site has mains and the relay does not keep it away. After its power comes back
it boots in stages: first its LAN port has a carrier, then it answers on its LAN, at last it forwards.
A box that hangs keeps some of its functions; only a power cycle (or ``heal``) brings the others back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Hang(StrEnum):
    """How a box can hang."""

    FORWARDING = "forwarding"
    """It answers on its LAN and forwards nothing."""
    LAN = "lan"
    """Its LAN side is silent and it forwards nothing; its line side still answers the operator."""
    FROZEN = "frozen"
    """Nothing answers on either side; only the carrier stays."""
    API = "api"
    """It answers pings, forwards nothing, and says nothing of itself: its pages and its serial port hang."""


class Phase(StrEnum):
    """What a box is doing, in one word."""

    CUT = "cut"
    DARK = "dark"
    """Booting, its LAN port still without a carrier."""
    CARRIER = "carrier"
    """Booting, with a carrier, silent."""
    ANSWERING = "answering"
    """Booting, answering on its LAN, not forwarding yet."""
    RUNNING = "running"
    HUNG = "hung"


@dataclass(frozen=True, slots=True)
class Boot:
    """How long a box needs: ``boot_s`` seconds in all, and at which shares of them each stage is reached.

    Raises:
        ValueError: stages out of order.
    """

    boot_s: float
    carrier_share: float = 0.15
    lan_share: float = 0.6

    def __post_init__(self) -> None:
        if not (self.boot_s >= 0 and 0 <= self.carrier_share <= self.lan_share <= 1):
            raise ValueError(f"a boot goes from carrier to LAN to forwarding in 0 seconds or more: {self}")


@dataclass(frozen=True, slots=True)
class Cutting:
    """The relay kept the power away from ``began_at`` to ``ended_at``; None is until now."""

    began_at: float
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class Abilities:
    """What works at one instant.

    Attributes:
        carrier: the LAN port has one.
        lan: the box answers on its LAN address.
        line: the box's line side answers the operator.
        forwarding: packets pass through, both ways.
    """

    carrier: bool = False
    lan: bool = False
    line: bool = False
    forwarding: bool = False


@dataclass(frozen=True, slots=True)
class BoxState:
    """One box.

    Attributes:
        mains: the site has power.
        relay_cut: the relay is ordered to keep the power away.
        welded: its contacts stick: whatever the relay does, the box keeps its power.
        booted_from: when the running boot began; long ago at the start, so that the box is running.
        reboots: boots that the box made by itself, on request.
        cuts: every time the relay really took the power away, oldest first.
    """

    boot: Boot
    mains: bool = True
    relay_cut: bool = False
    welded: bool = False
    booted_from: float = float("-inf")
    hang: Hang | None = None
    reboots: int = 0
    cuts: tuple[Cutting, ...] = ()

    @property
    def relay_open(self) -> bool:
        """The relay really keeps the power away."""
        return self.relay_cut and not self.welded

    @property
    def powered(self) -> bool:
        """The box has power."""
        return self.mains and not self.relay_open


def switch_relay(state: BoxState, now: float, *, cut: bool) -> BoxState:
    """Order the relay to cut or to restore."""
    return _settle(state, replace(state, relay_cut=cut), now)


def switch_mains(state: BoxState, now: float, *, present: bool) -> BoxState:
    """Take the site's power away or bring it back."""
    return _settle(state, replace(state, mains=present), now)


def weld(state: BoxState, now: float, *, welded: bool) -> BoxState:
    """Make the relay's contacts stick, or repair them."""
    return _settle(state, replace(state, welded=welded), now)


def hang(state: BoxState, mode: Hang) -> BoxState:
    """Hang from now on; a box without power cannot."""
    return replace(state, hang=mode) if state.powered else state


def heal(state: BoxState) -> BoxState:
    """Stop hanging, as if by itself."""
    return replace(state, hang=None)


def reboot(state: BoxState, now: float) -> BoxState:
    """Boot by software; a box without power cannot, nor one that listens to nobody."""
    if not state.powered or state.hang in (Hang.FROZEN, Hang.API):
        return state
    return replace(state, hang=None, booted_from=now, reboots=state.reboots + 1)


def _settle(before: BoxState, after: BoxState, now: float) -> BoxState:
    """Draw the consequences of power that went or came."""
    cuts = after.cuts
    if after.relay_open and not before.relay_open:
        cuts = (*cuts, Cutting(now))
    elif before.relay_open and not after.relay_open:
        cuts = (*cuts[:-1], Cutting(cuts[-1].began_at, now))
    if before.powered and not after.powered:
        return replace(after, cuts=cuts, hang=None)
    if after.powered and not before.powered:
        return replace(after, cuts=cuts, booted_from=now)
    return replace(after, cuts=cuts)


def _stages(state: BoxState) -> tuple[float, float, float]:
    """When the box gets its carrier, answers on its LAN, and forwards."""
    boot, begin = state.boot, state.booted_from
    return (
        begin + boot.carrier_share * boot.boot_s,
        begin + boot.lan_share * boot.boot_s,
        begin + boot.boot_s,
    )


def abilities(state: BoxState, now: float) -> Abilities:
    """What works ``now``."""
    if not state.powered:
        return Abilities()
    carrier_at, lan_at, running_at = _stages(state)
    running = now >= running_at
    return Abilities(
        carrier=now >= carrier_at,
        lan=now >= lan_at and state.hang in (None, Hang.FORWARDING, Hang.API),
        line=running and state.hang is not Hang.FROZEN,
        forwarding=running and state.hang is None,
    )


def next_change(state: BoxState, now: float) -> float | None:
    """When the abilities will change by themselves; None if they will not."""
    if not state.powered:
        return None
    return min((at for at in _stages(state) if at > now), default=None)


def phase(state: BoxState, now: float) -> Phase:
    """What the box is doing ``now``, in one word."""
    if not state.powered:
        return Phase.CUT
    carrier_at, lan_at, running_at = _stages(state)
    if state.hang is not None and now >= lan_at:
        return Phase.HUNG
    if now >= running_at:
        return Phase.RUNNING
    if now >= lan_at:
        return Phase.ANSWERING
    return Phase.CARRIER if now >= carrier_at else Phase.DARK


def longest_cut_s(state: BoxState, now: float) -> float:
    """Seconds of the longest time that the relay kept the power away, the running one included."""
    return max(
        ((now if cut.ended_at is None else cut.ended_at) - cut.began_at for cut in state.cuts), default=0.0
    )
