"""When the site has an address on an uplink, as its network manager would decide. Pure: time is passed in."""

from __future__ import annotations

from dataclasses import dataclass, replace

CARRIER_LOSS_S = 1.0
"""An address outlives the carrier by this much; a shorter interruption changes nothing."""
LEASE_S = 0.2
"""From the box's first answer on its LAN to the address."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What the site knows of one interface.

    Attributes:
        carrier: the interface is there and has one.
        lan: the box would answer on this LAN.
        host: last number of the address that the site has now; None is no address.
        next_host: last number of the next address it will be given.
        due_at: when the address comes or goes if nothing else happens; None is never.
    """

    next_host: int
    carrier: bool = False
    lan: bool = False
    host: int | None = None
    due_at: float | None = None


def see(lease: Lease, now: float, *, carrier: bool, lan: bool) -> Lease:
    """Take note of the interface. A silent LAN alone takes no address away: its lease still runs."""
    seen = replace(lease, carrier=carrier, lan=carrier and lan)
    if seen.host is None:
        wait_s = LEASE_S if seen.lan else None
    else:
        wait_s = None if seen.carrier else CARRIER_LOSS_S
    if wait_s is None:
        return replace(seen, due_at=None)
    # What is already waited for is not put off by news that change nothing.
    return seen if lease.due_at is not None else replace(seen, due_at=now + wait_s)


def advance(lease: Lease, now: float) -> Lease:
    """Give or take the address if its time has come."""
    if lease.due_at is None or now < lease.due_at:
        return lease
    return replace(lease, host=lease.next_host if lease.host is None else None, due_at=None)


def lose(lease: Lease) -> Lease:
    """The interface is gone, and the address with it."""
    return replace(lease, carrier=False, lan=False, host=None, due_at=None)


def renew(lease: Lease) -> Lease:
    """Take the next address now, if there is one and the box answers; else it waits for the next lease."""
    return replace(lease, host=lease.next_host) if lease.host is not None and lease.lan else lease


def offer_another(lease: Lease) -> Lease:
    """Let the next lease be a new address (10 to 199, round and round)."""
    return replace(lease, next_host=lease.next_host + 1 if lease.next_host < 199 else 10)
