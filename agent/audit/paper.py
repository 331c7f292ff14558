"""An audit on paper: sheets of A4, for the manager's folder."""

from __future__ import annotations

from collections.abc import Iterable

from agent.audit.lines import Kind, Line
from agent.audit.points import Grade
from agent.reports.pdf import HEIGHT, LEADING, POINT, WIDTH, Shade, Sheets, wrapped

EDGE, TOP, FOOT = 18.0, 18.0, 15.0
"""White around, millimetres."""
COLUMN = 32.0
"""Width of what stands before a text, millimetres."""
BAR_MM = 60.0
SIZES = {Kind.HEAD: 16.0, Kind.SECTION: 12.0, Kind.POINT: 10.0}
SIZE = 9.0
BEFORE = {Kind.SECTION: 5.0, Kind.POINT: 3.0}
"""White above, millimetres."""
TOGETHER = 24.0
"""A title stands on a sheet only with so much room below it, so that it is not left alone."""
GREY: Shade = (0.75, 0.75, 0.75)


def draw(lines: Iterable[Line], title: str) -> bytes:
    """The audit as a PDF; equal arguments give equal bytes."""
    sheets = Sheets(title)
    y = TOP
    for line in lines:
        size = SIZES.get(line.kind, SIZE)
        bold = line.kind in SIZES
        indent = COLUMN if line.kind in (Kind.FIELD, Kind.SCORE) else 0.0
        text = f"{line.lead} {line.text}".strip() if line.kind is Kind.POINT else line.text
        parts = wrapped(text, size, WIDTH - 2 * EDGE - indent, bold=bold)
        high = len(parts) * size * POINT * LEADING
        y += BEFORE.get(line.kind, 0.0) if y > TOP else 0.0
        if y + high + (TOGETHER if line.kind in BEFORE else 0.0) > HEIGHT - FOOT:
            sheets.next()
            y = TOP
        if line.kind is Kind.SCORE:
            _bar(sheets, y, line)
        else:
            sheets.lines(EDGE + indent, y, parts, size, bold=bold)
        if indent:
            sheets.lines(EDGE, y, [line.lead], size)
        if line.grade is Grade.CRITICAL:
            # Seen at a glance, in black and white, too.
            sheets.line(EDGE - 3, y + 0.8, EDGE - 3, y + high + 0.8, 0.8)
        y += high + 0.6
    return sheets.finished()


def _bar(sheets: Sheets, y: float, line: Line) -> None:
    sheets.box(EDGE + COLUMN, y + 0.8, BAR_MM, 3.0)
    if line.score:
        sheets.box(EDGE + COLUMN, y + 0.8, BAR_MM * line.score / 100, 3.0, GREY)
    sheets.lines(EDGE + COLUMN + BAR_MM + 3, y, [line.text], SIZE, bold=True)
