"""Colours of the terminal views, each beside a symbol or a word that says the same."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from agent.cli.labels import SYMBOLS, label
from agent.cli.view import Line, line_text
from agent.core.codes import Severity
from agent.core.snapshot_types import Health, UplinkView
from hardware.ports import Colour

LONG_SILENCE_S = 3.0
TEXT_COLUMN = 20
"""Where the words of a timeline's line begin, after its times."""

HEALTH_STYLE = {
    Health.UP: "bold green",
    Health.DEGRADED: "bold yellow",
    Health.SUSPECT: "bold dark_orange",
    Health.DOWN: "bold red",
    Health.UNKNOWN: "dim",
}
SEVERITY_STYLE = {
    Severity.DEBUG: "dim",
    Severity.INFO: "",
    Severity.WARNING: "yellow",
    Severity.ALERT: "bold red",
}
LED_STYLE = {
    Colour.GREEN: "bold bright_green",
    Colour.ORANGE: "bold dark_orange",
    Colour.RED: "bold bright_red",
    Colour.DARK: "grey35",
}


def uplink_cells(uplink: UplinkView, language: str) -> list[tuple[str, str]]:
    """One uplink's row: each cell with its style."""
    state = f"{SYMBOLS[uplink.health]} {label(f'health.{uplink.health}', language)}"
    # Without a link nothing is asked, and the last answers say nothing of now.
    linked = uplink.present and uplink.carrier is not False
    rtt_ms, loss = (uplink.rtt_ms, uplink.loss_pct) if linked else (None, None)
    silent_s = uplink.silent_s
    return [
        (uplink.label, "bold"),
        (state, HEALTH_STYLE[uplink.health]),
        (f"◂{label('in_use', language)}" if uplink.preferred else "", "cyan"),
        ("–" if rtt_ms is None else f"{rtt_ms:.0f} ms", ""),
        ("–" if loss is None else f"{loss:.0f} %", "yellow" if loss else ""),
        (f"{silent_s:.1f} s" if silent_s > 0 else "–", "red" if silent_s > LONG_SILENCE_S else ""),
        (uplink.why, "dim"),
    ]


def line_style(line: Line) -> str:
    """What the scenario does has a colour of its own."""
    return "cyan" if line.by_story else SEVERITY_STYLE[line.severity]


def newest_rows(lines: Sequence[Line], room: int | None, width: int) -> list[tuple[str, str]]:
    """The newest lines that fit into ``room`` rows, broken between words, oldest first, with their style."""
    rows: list[tuple[str, str]] = []
    for line in reversed(lines):
        wrapped = textwrap.wrap(line_text(line), width, subsequent_indent=" " * TEXT_COLUMN)
        if room is not None and len(rows) + len(wrapped) > room:
            break
        rows = [*((row, line_style(line)) for row in wrapped), *rows]
    return rows
