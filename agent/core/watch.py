"""What is watched while a relay cuts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Watch:
    """What is seen to go away while a relay cuts, and the verdict; see ``proofs``."""

    order: str
    box: str
    plugged: frozenset[str]
    """Uplinks whose interface had a carrier when the cut was ordered."""
    answering: bool
    """The box's own uplink answered then."""
    asked: bool = False
    """The cut is made for the sake of the proof."""
    gone_at: float | None = None
    """When the box was seen to have lost its power."""
    by_silence: bool = False
    """The carrier stayed (it is that of a switch, or of a box in between), and silence told."""
    others: tuple[str, ...] = ()
    """Other uplinks that lost their carrier during the cut."""
    verdict: str | None = None
    """``PROVEN``, or a key of the texts' ``refusal`` table; None until it is known."""
