"""Colours of the terminal views, each beside a symbol or a word that says the same."""

from __future__ import annotations

from agent.cli.labels import SYMBOLS, label
from agent.core.codes import Severity
from agent.core.snapshot_types import Health, UplinkView
from hardware.ports import Colour

LONG_SILENCE_S = 3.0

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
    loss, silent_s = uplink.loss_pct, uplink.silent_s
    return [
        (uplink.label, "bold"),
        (state, HEALTH_STYLE[uplink.health]),
        (f"◂{label('in_use', language)}" if uplink.preferred else "", "cyan"),
        ("–" if uplink.rtt_ms is None else f"{uplink.rtt_ms:.0f} ms", ""),
        ("–" if loss is None else f"{loss:.0f} %", "yellow" if loss else ""),
        (f"{silent_s:.1f} s" if silent_s > 0 else "–", "red" if silent_s > LONG_SILENCE_S else ""),
        (uplink.why, "dim"),
    ]
