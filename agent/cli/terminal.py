"""Terminal views: the front panel drawn live, uplinks, devices, boxes, findings and events.

The only file that knows rich. ``panel`` is a pure function of a ``View``; nothing here reads a clock, so
a picture can be tested. What does not fit the terminal's height is left out from the bottom.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
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
from agent.cli.path_rows import path_rows
from agent.cli.rows import (
    LED_STYLE,
    Row,
    beside_rows,
    box_rows,
    device_rows,
    finding_rows,
    newest_rows,
    power_row,
    service_rows,
    timeline_rows,
    uplink_cells,
)
from agent.cli.view import Line, Progress, View, local_time, minutes
from agent.core.snapshot_types import Snapshot
from hardware.ports import Colour

FRAMES_PER_S = 10
"""Twice per blink of the fastest rhythm (4 Hz), and a little more."""
WIDE = 118
"""From so many columns on, findings and boxes stand beside the panel instead of below it."""
TALL = 30
"""From so many lines on, a demo's text is shown."""
NARROW = 80
FRONT_HEIGHT = 18
"""Columns and lines that the panel needs; a smaller terminal gets the LEDs in one line."""
EVENTS = 3
"""So many lines at least are left to the timeline."""
TITLED = 9
"""So many free lines let the table of uplinks have a head."""
PIPE_WIDTH = 110
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
        below = [] if view.width >= WIDE else _matters(view, shot, left)
        served = service_rows(shot, view.language)[: max(0, left - len(below) - EVENTS)]
        left -= len(served)
        said = _said(view, shot, left - len(below))
        parts += [_cut(*row, view.width) for row in (*served, *said, *below)]
        left -= len(said) + len(below)
    parts += [_cut(*row, view.width) for row in timeline_rows(view, left)]
    return Group(*parts)


def _matters(view: View, shot: Snapshot, left: int) -> list[Row]:
    """Boxes and findings, in a terminal that has no room for them beside the panel."""
    rows = box_rows(shot, view.language)[: max(0, left - 1)]
    if shot.findings:
        rows += finding_rows(shot, view.language)[: max(0, left - EVENTS - len(rows))]
    return rows


def _said(view: View, shot: Snapshot, left: int) -> list[Row]:
    """What devices say of themselves, in one line each where there is no room for more."""
    calm = not shot.findings and left <= 2 * EVENTS
    room = max(0, left - (1 if calm else EVENTS))
    rows = path_rows(shot, view.language, view.width) + device_rows(shot, view.language, view.width)
    if len(rows) <= room:
        return rows
    return (path_rows(shot, view.language, None) + device_rows(shot, view.language, None))[:room]


# --- the head -----------------------------------------------------------------------------------------------


def _cut(text: str, style: str, width: int) -> Text:
    """One line, cut with an ellipsis."""
    line = Text(text, style, no_wrap=True)
    line.truncate(max(1, width), overflow="ellipsis")
    return line


def _head(view: View) -> Text:
    shot = view.snapshot
    if shot is None:
        return Text(label("no_agent", view.language), style="bold red")
    title = Text()
    title.append(f" {shot.label} ", style="bold reverse")
    title.append(f"  {local_time(shot.wall)}  ")
    if not shot.synced:
        title.append(f"({label('clock', view.language)})  ", style="dim")
    title.append(*power_row(shot, view.language))
    title.truncate(view.width, overflow="ellipsis")
    return title


def _story(view: View, story: Progress) -> list[RenderableType]:
    row = Table.grid(padding=(0, 1), expand=False)
    name = f" {story.title} "
    bar_width = 20 if view.width < WIDE else 30
    times = f"{minutes(story.elapsed_s)} / {minutes(story.duration_s)}"
    follows = _cut(story.next_deed or "", "dim", view.width - len(name) - bar_width - len(times) - 6)
    bar = ProgressBar(total=story.duration_s, completed=story.elapsed_s, width=bar_width)
    row.add_row(Text(name, style="bold reverse"), bar, Text(times), follows)
    if view.height < TALL:
        return [row]
    text = textwrap.wrap(story.text, view.width)[:2]
    return [row, *(Text(part, style="italic dim") for part in text)]


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
    beside = beside_rows(view, shot, beside_width, front.height or 0)
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column(width=front.width)
    row.add_column(width=beside_width)
    row.add_row(front, Group(*(Text(*one) for one in beside)))
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
        text.append_text(_cut(shown, "", width - 2))
        text.append("\n\n")
    return text


# --- uplinks ------------------------------------------------------------------------------------------------


def uplinks(shot: Snapshot, language: str, width: int, *, head: bool = True) -> Table:
    """One row per uplink."""
    table = Table(box=None, show_header=head, width=width, padding=(0, 1, 0, 0), header_style="dim")
    widths = {"uplink": 12, "state": 13, "preferred": 8, "latency": 8, "loss": 6, "silence": 8}
    for key, columns in widths.items():
        right = key in ("latency", "loss", "silence")
        shown = "" if key == "preferred" else label(key, language)
        table.add_column(
            shown, width=columns, no_wrap=True, overflow="ellipsis", justify="right" if right else "left"
        )
    table.add_column(label("why", language), no_wrap=True, overflow="ellipsis", ratio=1)
    for uplink in shot.uplinks:
        table.add_row(*(Text(shown, style) for shown, style in uplink_cells(uplink, language)))
    return table


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

    def rows(self, rows: Sequence[Sequence[Row]]) -> None:
        """Draw rows of styled pieces; none may be wider than the terminal, and not more than it is high."""
        drawn = [Text.assemble(*row, no_wrap=True, overflow="crop") for row in rows]
        self._live.update(Group(*drawn), refresh=True)

    def beep(self) -> None:
        """Ring the terminal's bell."""
        # Past the drawing: rich keeps what is printed meanwhile until a line is complete.
        self._console.bell()


def print_status(shot: Snapshot, language: str, stream: TextIO) -> None:
    """Uplinks, devices, boxes and findings as lines; plain where ``stream`` is no terminal."""
    if not stream.isatty():
        plain = io.StringIO()
        _print_status(shot, language, Console(file=plain, width=PIPE_WIDTH))
        # A table fills its columns with blanks, which nobody wants in a pipe.
        stream.writelines(f"{row.rstrip()}\n" for row in plain.getvalue().splitlines())
    else:
        _print_status(shot, language, Console(file=stream))


def _print_status(shot: Snapshot, language: str, console: Console) -> None:
    width = console.width
    view = View(shot, language=language, width=width)
    console.print(_head(view))
    console.print(uplinks(shot, language, width))
    columns = width if console.is_terminal else None
    served = path_rows(shot, language, columns) + service_rows(shot, language)
    said = device_rows(shot, language, columns)
    for row in (*served, *said, *box_rows(shot, language), *finding_rows(shot, language)):
        console.print(Text(*row), soft_wrap=True)


def print_lines(lines: tuple[Line, ...]) -> None:
    """A timeline on stdout, for reading back after a live view."""
    console = Console(highlight=False)
    for row in newest_rows(lines, None, console.width):
        console.print(Text(*row))


def print_rows(rows: Sequence[Sequence[Row]]) -> None:
    """Rows of styled pieces on stdout; none may be wider than the terminal."""
    console = Console(highlight=False)
    for row in rows:
        console.print(Text.assemble(*row), soft_wrap=True)
