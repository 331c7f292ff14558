"""What a report is made of, read beside the running agent: journal, recordings, budget, configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.report_recordings import Recordings
from agent.reports.month import SiteAbout, UplinkAbout
from agent.reports.month_figures import Figures
from agent.reports.month_time import Piece, milliseconds

if TYPE_CHECKING:
    from agent.config.schema import Box, Config, Modem
    from agent.core.model import Recorded

EVERYTHING = 10_000_000
"""More events than a history holds."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that was read; ``alive`` and ``figures`` as the reports take them."""

    events: list[Recorded]
    alive: list[Piece]
    figures: Figures


def about(config: Config) -> SiteAbout:
    """What the configuration says of the site."""
    from agent.config.hours import hours_of

    devices: list[Box | Modem] = [*config.box, *config.modem]
    return SiteAbout(
        name=config.site.name,
        label=config.site.label,
        uplinks=tuple(
            UplinkAbout(
                uplink.name,
                uplink.label,
                uplink.operator,
                uplink.facts.contract,
                uplink.facts.hotline,
                uplink.facts.repair_h or None,  # 0: nothing is promised
            )
            for uplink in config.uplink
        ),
        boxes={device.name: device.uplink for device in devices},
        box_labels={device.name: device.label for device in devices},
        opening=tuple(hours_of(text) for text in config.site.opening),
        cost_per_hour_eur=config.site.facts.cost_per_hour_eur,
    )


def sources(state: Path, now_s: float, progress: Callable[[str], None]) -> Sources:
    """Read a state folder; ``progress`` is told the name of each recording before it is read.

    Raises:
        TroubleError: there is no history, or it cannot be read.
    """
    from agent.runtime.lock import is_held
    from agent.runtime.past import past_clocks, past_events

    events = past_events(state, EVERYTHING)
    recordings = Recordings(state / "trace", past_clocks(state, EVERYTHING), progress)
    alive = recordings.runs()
    dated = [milliseconds(recorded.at) for recorded in events if recorded.synced]
    if dated and is_held(state):
        alive.append((max(dated), max(*dated, milliseconds(now_s))))
    return Sources(events, sorted(alive), recordings.figures())


def data_used(state: Path) -> dict[str, tuple[str, int]]:
    """By uplink with a budget: the calendar month (UTC) and the bytes used in it; nothing if not readable."""
    from agent.runtime.notes import SPENDING, decode_spendings, read_note
    from agent.runtime.store_codec import TroubleError

    try:
        spendings = decode_spendings(read_note(state, SPENDING) or {})
    except TroubleError:
        return {}
    return {
        name: (spending.month, spending.used_bytes)
        for name, spending in spendings.items()
        if spending.month is not None
    }
