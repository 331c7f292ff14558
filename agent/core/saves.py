"""What the core orders to be remembered over restarts, beside cycles and incidents."""

from __future__ import annotations

from dataclasses import dataclass

from agent.core.instant import Stamp
from agent.core.letters import Texting
from agent.core.line import Line
from agent.core.people import OpenHold
from agent.core.radio import Air


@dataclass(frozen=True, slots=True)
class SaveAnswering:
    """Remember that the box of this uplink answers pings, so that its silence means something."""

    uplink: str


@dataclass(frozen=True, slots=True)
class SaveLine:
    """Remember what has been learned of this uplink's line."""

    uplink: str
    line: Line


@dataclass(frozen=True, slots=True)
class SaveProof:
    """Remember when the relay of ``box`` was last proven; None: it is not proven any more.

    ``by_silence``: its box fell silent in the cut and kept its carrier, which is then that of a switch.
    """

    box: str
    at: Stamp | None
    by_silence: bool = False


@dataclass(frozen=True, slots=True)
class SaveAir:
    """Remember how the signal of this uplink's modem was in the last days."""

    uplink: str
    air: Air


@dataclass(frozen=True, slots=True)
class SaveHold:
    """Remember the hold, so that a restart of the agent does not end it; None when there is none."""

    hold: OpenHold | None


@dataclass(frozen=True, slots=True)
class SaveTexting:
    """Remember which text messages were sent, and to whom the end of an outage is still to be told."""

    memory: Texting


Save = SaveAnswering | SaveLine | SaveProof | SaveAir | SaveHold | SaveTexting
