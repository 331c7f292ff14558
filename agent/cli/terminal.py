"""Terminal views: the front panel drawn live, uplinks, boxes, findings and events.

The only file that knows rich. ``panel`` is a pure function of a ``View``; nothing here reads a clock, so
a picture can be tested. What does not fit the terminal's height is left out from the bottom.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TextIO

from rich import box as frames
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from agent.cli.face import leds, screen_rows
from agent.cli.labels import label
from agent.cli.styles import LED_STYLE, SEVERITY_STYLE, line_style, newest_rows, uplink_cells
from agent.cli.view import (
    Line,
    Progress,
    View,
    finding_text,
    line_text,
    local_time,
    minutes,
    power_text,
    refused_text,
)
from agent.core.codes import Severity
from agent.core.snapshot_types import BoxView, Phase, Snapshot
from agent.text import duration
from hardware.ports import Colour

FRAMES_PER_S = 10
"""Twice per blink of the fastest rhythm (4 Hz), and a little more."""
WIDE = 118
"""From so many columns on, findings and boxes stand beside the panel instead of below it."""
BAR_WIDTH = 20
TALL = 30
"""From so many lines on, a demo's text is shown."""
NARROW = 80
FRONT_HEIGHT = 18
"""Columns and lines that the panel needs; a smaller terminal gets the LEDs in one line."""
TITLED = 9
"""So many free lines let the table of uplinks have a head."""
ROOMY = 8
"""So many lines let the timeline wrap long words instead of cutting them."""
LEDS_WIDTH = 13
HALF_BLOCKS_FROM = 180
HALF_BLOCKS_HEIGHT = 50


def panel(view: View) -> RenderableType:
    """The whole picture, at most ``view.height`` lines of ``view.width`` columns."""
    if view.snapshot is not None and view.aged_s > 0:
        aged = replace(view.snapshot, mono=view.snapshot.mono + view.aged_s)
        view = replace(view, snapshot=aged)
    shot = view.snapshot
    head = [_head(view)] if view.story is None else _story(view, view.story)
    parts: list[RenderableType] = [*head]
    left = view.height - len(head)
    rows = 0 if shot is None else len(shot.uplinks)
    if view.width < NARROW or left < FRONT_HEIGHT + rows + 1:
        parts.append(_led_line(view))
        left -= 1
    else:
        front = _front(view)
        left -= front.height or 0
        parts.append(front if shot is None or view.width < WIDE else _side_by_side(view, shot, front))
    if shot is not None:
        with_head = left > rows + TITLED
        parts.append(uplinks(shot, view.language, view.width, head=with_head))
        left -= rows + with_head
        if view.width < WIDE:
            below = _boxes(shot, view.language, view.width)[: max(0, left - 1)]
            below += _findings(shot, view.language, view.width)[: max(0, left - 3 - len(below))]
            parts += below
            left -= len(below)
    parts += _timeline(view, left)
    return Group(*parts)


# --- the head -----------------------------------------------------------------------------------------------


def _cut(text: str, width: int) -> Text:
    """One line, cut with an ellipsis."""
    line = Text(text, no_wrap=True)
    line.truncate(max(1, width), overflow="ellipsis")
    return line


def _wrapped(text: Text, width: int) -> list[Text]:
    """The text in lines of at most ``width`` columns."""
    return list(text.wrap(Console(width=width, color_system=None), width))


def _head(view: View) -> Text:
    shot = view.snapshot
    if shot is None:
        return Text(label("no_agent", view.language), style="bold red")
    title = Text()
    title.append(f" {shot.label} ", style="bold reverse")
    title.append(f"  {local_time(shot.wall)}  ")
    if not shot.synced:
        title.append(f"({label('clock', view.language)})  ", style="dim")
    title.append_text(_power(shot, view.language))
    title.truncate(view.width, overflow="ellipsis")
    return title


def _power(shot: Snapshot, language: str) -> Text:
    """Armed or not is never silent."""
    held = shot.hold_until is not None and shot.hold_until > shot.mono
    return Text(power_text(shot, language), style="green" if shot.armed and not held else "yellow")


def _story(view: View, story: Progress) -> list[RenderableType]:
    row = Table.grid(padding=(0, 1), expand=False)
    name = f" {story.title} "
    bar_width = 20 if view.width < WIDE else 30
    times = f"{minutes(story.elapsed_s)} / {minutes(story.duration_s)}"
    follows = _cut(story.next_deed or "", view.width - len(name) - bar_width - len(times) - 6)
    follows.stylize("dim")
    bar = ProgressBar(total=story.duration_s, completed=story.elapsed_s, width=bar_width)
    row.add_row(Text(name, style="bold reverse"), bar, Text(times), follows)
    if view.height < TALL:
        return [row]
    return [row, *_wrapped(Text(story.text, style="italic dim"), view.width)[:2]]


# --- the front panel ----------------------------------------------------------------------------------------


def _front(view: View) -> Panel:
    """LEDs and screen in a frame, as on the bay."""
    solid = view.width >= HALF_BLOCKS_FROM and view.height >= HALF_BLOCKS_HEIGHT
    rows = screen_rows(view, solid=solid)
    screen_width = len(rows[0])
    leds_width = LEDS_WIDTH if view.width >= WIDE else view.width - 5 - screen_width
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=screen_width)
    grid.add_column(width=leds_width)
    face = Text("\n".join(rows), style="bright_white on grey7", no_wrap=True)
    grid.add_row(face, _leds(view, leds_width))
    return Panel(
        grid,
        box=frames.ROUNDED,
        width=screen_width + leds_width + 5,
        height=len(rows) + 2,
        padding=(0, 1),
        border_style="grey50",
    )


def _side_by_side(view: View, shot: Snapshot, front: Panel) -> Table:
    """The panel, and what is the matter at its right."""
    beside_width = view.width - (front.width or 0) - 2
    beside = _beside(view, shot, beside_width, front.height or 0)
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column(width=front.width)
    row.add_column(width=beside_width)
    row.add_row(front, Group(*beside[: front.height]))
    return row


def _led_line(view: View) -> Text:
    text = Text(no_wrap=True)
    for shown, colour in leds(view):
        text.append("○ " if colour is Colour.DARK else "● ", style=LED_STYLE[colour])
        text.append(f"{shown}   ")
    text.truncate(view.width, overflow="ellipsis")
    return text


def _leds(view: View, width: int) -> Text:
    text = Text()
    for shown, colour in leds(view):
        text.append("○ " if colour is Colour.DARK else "● ", style=LED_STYLE[colour])
        text.append_text(_cut(shown, width - 2))
        text.append("\n\n")
    return text


# --- uplinks, boxes, findings -------------------------------------------------------------------------------


def uplinks(shot: Snapshot, language: str, width: int, *, head: bool = True) -> Table:
    """One row per uplink."""
    table = Table(box=None, show_header=head, width=width, padding=(0, 1, 0, 0), header_style="dim")
    widths = {"uplink": 12, "state": 13, "in_use": 8, "latency": 8, "loss": 6, "silence": 8}
    for key, columns in widths.items():
        right = key in ("latency", "loss", "silence")
        shown = "" if key == "in_use" else label(key, language)
        table.add_column(
            shown, width=columns, no_wrap=True, overflow="ellipsis", justify="right" if right else "left"
        )
    table.add_column(label("why", language), no_wrap=True, overflow="ellipsis", ratio=1)
    for uplink in shot.uplinks:
        table.add_row(*(Text(shown, style) for shown, style in uplink_cells(uplink, language)))
    return table


def _boxes(shot: Snapshot, language: str, width: int) -> list[RenderableType]:
    """Boxes in a cycle, with their countdown, and cycles that are wanted but not done."""
    lines: list[RenderableType] = []
    for box in shot.boxes:
        if box.phase is not Phase.POWERED:
            lines += _cycle(shot, box, language)
        elif box.refusal is not None:
            lines.append(_cut(refused_text(shot, box, language), width))
    return lines


def _cycle(shot: Snapshot, box: BoxView, language: str) -> list[RenderableType]:
    """What is being done to the box, and the countdown of it."""
    phase = f"⟳ {box.label}{label('colon', language)}{label(f'phase.{box.phase}', language)}"
    lines: list[RenderableType] = [Text(phase, style="bold red")]
    if box.until is not None:
        total_s = max(0.1, box.until - box.since)
        left_s = max(0.0, box.until - shot.mono)
        bar = ProgressBar(total=total_s, completed=total_s - left_s, width=BAR_WIDTH, complete_style="red")
        row = Table.grid(padding=(0, 1))
        row.add_row(" ", bar, label("left", language, left=duration(math.ceil(left_s), language)))
        lines.append(row)
    return lines


def _findings(shot: Snapshot, language: str, width: int) -> list[RenderableType]:
    """Two lines each: what, since when; what to do."""
    lines: list[RenderableType] = []
    for finding in shot.findings:
        told, advice = finding_text(shot, finding, language)
        first = _cut(told, width)
        first.stylize(SEVERITY_STYLE[finding.severity])
        lines.append(first)
        if advice:
            lines.append(_cut(f"  → {advice}", width))
    return lines


def _beside(view: View, shot: Snapshot, width: int, height: int) -> list[RenderableType]:
    """What stands at the right of the panel: power, boxes, findings with their advice, wrapped."""
    language = view.language
    lines: list[RenderableType] = [_power(shot, language)]
    if shot.incident is not None and shot.incident_since is not None:
        lasted = duration(max(0.0, shot.mono - shot.incident_since), language)
        lines.append(Text(label("incident", language, lasted=lasted), style="bold"))
    lines += [
        Text(""),
        *_boxes(shot, language, width),
        Text(label("findings", language), style="dim underline"),
    ]
    if not shot.findings:
        lines.append(Text(label("all_well", language), style="green"))
    left = height - len(lines)
    for finding in shot.findings:
        told, advice = finding_text(shot, finding, language)
        texts = [Text(told, SEVERITY_STYLE[finding.severity])]
        texts += [Text(f"→ {advice}")] if advice else []
        wrapped = [line for text in texts for line in _wrapped(text, max(10, width))]
        lines += wrapped[: max(0, left)]
        left -= len(wrapped)
    return lines


# --- the timeline -------------------------------------------------------------------------------------------


def _timeline(view: View, room: int) -> list[RenderableType]:
    """The newest lines that fit, oldest first; where room is short, fine detail and long words go first."""
    if room < ROOMY:
        told = [line for line in view.lines if line.severity is not Severity.DEBUG]
        return [_line(line, view.width) for line in (told[-room:] if room > 0 else ())]
    rows = newest_rows(view.lines, room - 1, view.width)
    return [Text(label("events", view.language), style="dim underline"), *(Text(*row) for row in rows)]


def _line(line: Line, width: int) -> Text:
    text = _cut(line_text(line), width)
    text.stylize(line_style(line))
    return text


# --- real terminals -----------------------------------------------------------------------------------------


class LiveTerminal:
    """Draws views on a real terminal's alternate screen, which is left as it was afterwards."""

    def __init__(self) -> None:
        self._console = Console()
        self._live = Live(console=self._console, screen=True, auto_refresh=False, transient=True)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines, now."""
        return self._console.size

    def __enter__(self) -> LiveTerminal:
        self._live.__enter__()
        return self

    def __exit__(self, *reason: object) -> None:
        self._live.__exit__(None, None, None)

    def show(self, view: View) -> None:
        """Draw; the view's size must be the terminal's."""
        self._live.update(panel(view), refresh=True)


def print_status(shot: Snapshot, language: str, stream: TextIO) -> None:
    """Uplinks, boxes and findings as lines; plain where ``stream`` is no terminal."""
    console = Console(file=stream, width=None if stream.isatty() else 110)
    width = console.width
    view = View(shot, language=language, width=width)
    lines: list[RenderableType] = [
        _head(view),
        uplinks(shot, language, width),
        *_boxes(shot, language, width),
    ]
    if not shot.findings:
        lines.append(Text(label("all_well", language), style="green"))
    for finding in shot.findings:
        told, advice = finding_text(shot, finding, language)
        lines.append(Text(told, SEVERITY_STYLE[finding.severity]))
        if advice:
            lines.append(Text(f"  → {advice}"))
    for line in lines:
        console.print(line, soft_wrap=not isinstance(line, Table), highlight=False)


def print_lines(lines: tuple[Line, ...]) -> None:
    """A timeline on stdout, for reading back after a live view."""
    console = Console(highlight=False)
    for row in newest_rows(lines, None, console.width):
        console.print(Text(*row))
