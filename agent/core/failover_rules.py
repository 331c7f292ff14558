"""What the configuration says of failover: the site path, the order of uplinks, when to return, proofs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FailoverRules:
    """Everything the core must know of ``[failover]``.

    Attributes:
        path_targets: what is asked through the site's own router; empty: the site path is not watched.
        path_interval_s: calm spacing of echoes per target there.
        expect_s: the site's router must have switched within this time.
        by_hand: how to switch by hand on this site, for people; empty: nobody has said.
        priority: uplinks in the order in which they are wanted; those not named follow in their order.
        fail_back_after_s: a better uplink must have been clean for so long before the return.
        fail_back_closed: the return waits until the site is closed.
        proof_every_s: a standby is to be proven end to end this often.
        proof_every_metered_s: the same for one with a data budget.
        names: name servers are asked through every uplink, so a proof needs their answer.
        pages: so are pages.
    """

    path_targets: tuple[str, ...] = ()
    path_interval_s: float = 1.0
    expect_s: float = 60.0
    by_hand: str = ""
    priority: tuple[str, ...] = ()
    fail_back_after_s: float = 900.0
    fail_back_closed: bool = False
    proof_every_s: float = 21_600.0
    proof_every_metered_s: float = 86_400.0
    names: bool = True
    pages: bool = True
