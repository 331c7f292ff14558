"""What earlier runs left behind, as it is read from disk at the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.core.alerts import Told
from agent.core.instant import Stamp
from agent.core.letters import Texting
from agent.core.line import Line
from agent.core.model import Cycle, OpenIncident
from agent.core.outside import Outer
from agent.core.people import OpenHold
from agent.core.radio import Air
from agent.core.spending import Spending


@dataclass(frozen=True, slots=True)
class Durable:
    """Read from disk at the start.

    ``cycles`` is None when the memory of past cycles is missing or unreadable, which forbids cutting.
    ``quick_restarts`` counts the starts of the last ten minutes before this one. ``answering`` names the
    uplinks whose box has been seen to answer pings, ``lines`` is what was learned of each uplink's line.
    ``proven`` tells when each box's relay was last seen to cut this box and no other, ``behind_switch`` names
    those of them whose carrier stayed meanwhile; ``airs`` how the signal
    of each uplink's modem was in the last days. ``texting`` tells which text messages were sent; None when
    that is missing or unreadable, and then so many count as sent that one outage is left to be told.
    ``spendings`` are what was used of each metered uplink's data budget, ``outers`` how each uplink was last
    seen from outside. ``told`` are the conditions beside incidents that were told as alerts.
    """

    cycles: tuple[Cycle, ...] | None = ()
    incident: OpenIncident | None = None
    quick_restarts: int = 0
    answering: tuple[str, ...] = ()
    lines: Mapping[str, Line] = field(default_factory=dict)
    proven: Mapping[str, Stamp] = field(default_factory=dict)
    behind_switch: frozenset[str] = frozenset()
    hold: OpenHold | None = None
    airs: Mapping[str, Air] = field(default_factory=dict)
    texting: Texting | None = field(default_factory=Texting)
    spendings: Mapping[str, Spending] = field(default_factory=dict)
    outers: Mapping[str, Outer] = field(default_factory=dict)
    told: tuple[Told, ...] = ()
