"""The terminal views as rows of plain text with a style each; every colour stands beside a word or symbol.

Styles are names such as ``bold red``; what draws them is elsewhere.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from agent.cli.devices import device_lines, is_troubled
from agent.cli.labels import SYMBOLS, label
from agent.cli.view import Line, View, finding_text, line_text, power_text, refused_text
from agent.core.codes import Severity
from agent.core.service_words import Serves
from agent.core.snapshot_types import BoxView, Health, Phase, ServiceView, Snapshot, UplinkView
from agent.text import duration
from hardware.ports import Colour

Row = tuple[str, str]
"""A text and its style."""

LONG_SILENCE_S = 3.0
BAR_WIDTH = 20
HEADING = "dim underline"
ROOMY = 8
"""So many rows let the timeline break long words over several rows instead of cutting them."""
TEXT_COLUMN = 20
"""Where the words of a timeline's line begin, after its times."""

HEALTH_STYLE = {
    Health.UP: "bold green",
    Health.DEGRADED: "bold yellow",
    Health.SUSPECT: "bold dark_orange",
    Health.DOWN: "bold red",
    Health.UNKNOWN: "dim",
}
SERVES = {Serves.WORKS: "✓", Serves.FAILS: "✗", Serves.UNKNOWN: "·"}
SERVES_STYLE = {Serves.WORKS: "", Serves.FAILS: "bold red", Serves.UNKNOWN: "dim"}
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


def power_row(shot: Snapshot, language: str) -> Row:
    """Armed or not is never silent."""
    held = shot.hold_until is not None and shot.hold_until > shot.mono
    return power_text(shot, language), "green" if shot.armed and not held else "yellow"


def uplink_cells(uplink: UplinkView, language: str) -> list[Row]:
    """One uplink's row: each cell with its style."""
    state = f"{SYMBOLS[uplink.health]} {label(f'health.{uplink.health}', language)}"
    # Without a link nothing is asked, and the last answers say nothing of now.
    linked = uplink.present and uplink.carrier is not False
    rtt_ms, loss = (uplink.rtt_ms, uplink.loss_pct) if linked else (None, None)
    silent_s = uplink.silent_s
    return [
        (uplink.label, "bold"),
        (state, HEALTH_STYLE[uplink.health]),
        (_mark(uplink, language), "cyan"),
        ("–" if rtt_ms is None else f"{rtt_ms:.0f} ms", ""),
        ("–" if loss is None else f"{loss:.0f} %", "yellow" if loss else ""),
        (f"{silent_s:.1f} s" if silent_s > 0 else "–", "red" if silent_s > LONG_SILENCE_S else ""),
        (data_text(uplink, language) + uplink.why, "dim"),
    ]


def _mark(uplink: UplinkView, language: str) -> str:
    if uplink.active:
        return f"◂{label('active', language)}"
    return f"◂{label('preferred', language)}" if uplink.preferred else ""


def device_rows(shot: Snapshot, language: str, width: int | None) -> list[Row]:
    """What each modem, dish and box says of itself, in lines of at most ``width`` columns; None: in one."""
    return [
        (line, "yellow" if is_troubled(device) else "" if device.heard else "dim")
        for device in shot.devices
        for line in device_lines(shot, device, language, width)
    ]


def service_rows(shot: Snapshot, language: str) -> list[Row]:
    """Each service: whether it works on the path in use, and through each uplink."""
    return [(_service(view, shot, language), SERVES_STYLE[view.now.serves]) for view in shot.services]


def _service(view: ServiceView, shot: Snapshot, language: str) -> str:
    told = f"{SERVES[view.now.serves]} {view.label}{label('colon', language)}"
    told += label(f"serves.{view.now.serves}", language)
    for way in view.uplinks:
        ago = "" if way.at is None else f" {duration(max(1.0, shot.mono - way.at), language, 1)}"
        told += f" · {way.label} {SERVES[way.serves]}{ago}"
    if view.now.serves is Serves.FAILS and view.now.why is not None:
        told += f" · {view.place}{label('colon', language)}{view.now.why}"
        told += f" ({view.now.detail})" if view.now.detail else ""
    return told


def data_text(uplink: UplinkView, language: str) -> str:
    """How seldom it is looked at for the sake of its data budget, and how much of that is used."""
    used, limit, every_s = uplink.data_used_bytes, uplink.data_limit_bytes, uplink.pace_s
    if not uplink.slowed or used is None or limit is None or every_s is None:
        return ""
    told = {"every": f"{every_s:.0f}", "used": f"{used / 1e6:.0f}", "limit": f"{limit / 1e6:.0f}"}
    return f"({label('data', language, **told)}) "


def box_rows(shot: Snapshot, language: str) -> list[Row]:
    """Boxes in a cycle, with their countdown, and cycles that are wanted but not done."""
    rows: list[Row] = []
    for box in shot.boxes:
        if box.phase is not Phase.POWERED:
            rows += _cycle(shot, box, language)
        elif box.refusal is not None:
            rows.append((refused_text(shot, box, language), ""))
    return rows


def _cycle(shot: Snapshot, box: BoxView, language: str) -> list[Row]:
    """What is being done to the box, and the countdown of it."""
    phase = f"⟳ {box.label}{label('colon', language)}{label(f'phase.{box.phase}', language)}"
    if box.until is None:
        return [(phase, "bold red")]
    left_s = max(0.0, box.until - shot.mono)
    share = 1.0 - left_s / max(0.1, box.until - box.since)
    done = min(BAR_WIDTH, max(0, round(share * BAR_WIDTH)))
    left = label("left", language, left=duration(math.ceil(left_s), language))
    return [(phase, "bold red"), (f"  {'█' * done}{'░' * (BAR_WIDTH - done)} {left}", "red")]


def finding_rows(shot: Snapshot, language: str) -> list[Row]:
    """Each finding: what, since when; then what to do."""
    rows: list[Row] = []
    for finding in shot.findings:
        told, advice = finding_text(shot, finding, language)
        rows.append((told, SEVERITY_STYLE[finding.severity]))
        if advice:
            rows.append((f"  → {advice}", ""))
    return rows or [(label("all_well", language), "green")]


def beside_rows(view: View, shot: Snapshot, width: int, height: int) -> list[Row]:
    """What stands beside the panel: power, incident, boxes, findings, broken between words."""
    language = view.language
    rows = [power_row(shot, language)]
    if shot.incident is not None and shot.incident_since is not None:
        lasted = duration(max(0.0, shot.mono - shot.incident_since), language)
        rows.append((label("incident", language, lasted=lasted), "bold"))
    rows += [("", ""), *box_rows(shot, language), (label("findings", language), HEADING)]
    rows += finding_rows(shot, language)
    return [(part, style) for text, style in rows for part in textwrap.wrap(text, width) or [""]][:height]


def line_style(line: Line) -> str:
    """What the scenario does has a colour of its own."""
    return "cyan" if line.by_story else SEVERITY_STYLE[line.severity]


def newest_rows(lines: Sequence[Line], room: int | None, width: int) -> list[Row]:
    """The newest lines that fit into ``room`` rows, broken between words, oldest first, with their style."""
    rows: list[Row] = []
    for line in reversed(lines):
        wrapped = textwrap.wrap(line_text(line), width, subsequent_indent=" " * TEXT_COLUMN)
        if room is not None and len(rows) + len(wrapped) > room:
            break
        rows = [*((row, line_style(line)) for row in wrapped), *rows]
    return rows


def timeline_rows(view: View, room: int) -> list[Row]:
    """The newest lines that fit, oldest first; where room is short, fine detail and long words go first."""
    if room >= ROOMY:
        return [(label("events", view.language), HEADING), *newest_rows(view.lines, room - 1, view.width)]
    told = [line for line in view.lines if line.severity is not Severity.DEBUG]
    return [(line_text(line), line_style(line)) for line in (told[-room:] if room > 0 else ())]
