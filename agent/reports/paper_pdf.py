"""A document as a PDF on A4: blocks one below the other, tables go on with their head on the next page."""

from __future__ import annotations

from collections.abc import Sequence

from agent.reports.paper import Block, Chart, Facts, Heading, Paper, Paragraph, Table
from agent.reports.paper_chart import HIGH, WIDE, Area, Label, Stroke, marks
from agent.reports.pdf import HEIGHT, LEADING, POINT, WIDTH, Shade, Sheets, width, wrapped
from agent.reports.wording import say

EDGE = 15.0
BOTTOM = 18.0
"""White at the bottom; the foot stands in it."""
TOP = 16.0
INSIDE = WIDTH - 2 * EDGE
SIZE, SMALL, TITLE, HEAD = 9.5, 8.5, 16.0, 12.0
PAD = 1.5
GREY: Shade = (0.92, 0.92, 0.92)
LINE: Shade = (0.7, 0.7, 0.7)
NAMES = 0.34
"""The share of the names in a list of facts."""


def render(paper: Paper) -> bytes:
    """The whole file; equal documents give equal bytes."""
    writer = _Writer(paper)
    for block, following in zip(paper.blocks, (*paper.blocks[1:], None), strict=True):
        if isinstance(block, Heading):
            # A heading is not the last thing on a page.
            writer.room(high(1, HEAD) + 8.0 + (HIGH if isinstance(following, Chart) else 18.0))
        writer.add(block)
    return writer.finished()


def broken(text: str, size: float, wide: float, *, bold: bool = False) -> list[str]:
    """Lines that fit: between words, at line ends, and within a word that is longer than a line."""
    lines: list[str] = []
    for part in text.split("\n"):
        for line in wrapped(part, size, wide, bold=bold):
            while width(line, size, bold=bold) > wide and len(line) > 1:
                cut = next(
                    n
                    for n in range(len(line) - 1, 0, -1)
                    if n == 1 or width(line[:n], size, bold=bold) <= wide
                )
                lines.append(line[:cut])
                line = line[cut:]  # noqa: PLW2901 (what is left of it)
            lines.append(line)
    return lines


def high(lines: int, size: float) -> float:
    """How high so many lines are, millimetres."""
    return lines * size * POINT * LEADING


class _Writer:
    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._sheets = Sheets(paper.title)
        self._page = 1
        self._y = TOP
        for line in broken(paper.title, TITLE, INSIDE, bold=True):
            self._y += high(1, TITLE)
            self._sheets.text(EDGE, self._y, line, TITLE, bold=True)
        self._y += 1.0
        self._lines(broken(paper.lead, SIZE, INSIDE), SIZE)

    def finished(self) -> bytes:
        self._foot()
        return self._sheets.finished()

    def add(self, block: Block) -> None:
        match block:
            case Heading(text):
                self._y += 5.0
                self._lines(broken(text, HEAD, INSIDE, bold=True), HEAD, bold=True)
                self._sheets.stroke([(EDGE, self._y + 1), (WIDTH - EDGE, self._y + 1)], LINE, 0.3)
                self._y += 2.0
            case Paragraph(text, small):
                size = SMALL if small else SIZE
                self._y += 1.0
                self._lines(broken(text, size, INSIDE), size)
            case Facts(rows):
                self._rows(None, rows, (NAMES, 1 - NAMES), frozenset(), frozenset())
            case Table(head, rows, widths, right, bold):
                self._rows(head, rows, widths, right, bold)
            case Chart():
                self._chart(block)

    def _foot(self) -> None:
        text = say("page", self._paper.language, title=self._paper.title, number=self._page)
        lines = broken(text, 8.0, INSIDE)
        self._sheets.text(WIDTH / 2, HEIGHT - 9.0, lines[-1] if len(lines) > 1 else text, 8.0, middle=True)

    def _next(self) -> None:
        self._foot()
        self._sheets.next()
        self._page += 1
        self._y = TOP

    def room(self, needed: float) -> None:
        if self._y + needed > HEIGHT - BOTTOM and self._y > TOP:
            self._next()

    def _lines(self, lines: Sequence[str], size: float, *, bold: bool = False) -> None:
        for line in lines:
            self.room(high(1, size))
            self._y += high(1, size)
            self._sheets.text(EDGE, self._y, line, size, bold=bold)

    def _rows(
        self,
        head: Sequence[str] | None,
        rows: Sequence[Sequence[str]],
        widths: Sequence[float],
        right: frozenset[int],
        bold: frozenset[int],
    ) -> None:
        wides = [INSIDE * share / sum(widths) for share in widths]
        self._y += 1.0
        if head is not None:
            first = [self._cells(row, wides, bold=number in bold) for number, row in enumerate(rows[:1])]
            tall = max((len(cell) for cell in first[0]), default=1) if first else 1
            self.room(2 * high(1, SIZE) + high(tall, SMALL) + 6)
            self._row(self._cells(head, wides, bold=True), wides, right, bold=True, ground=True)
        for number, row in enumerate(rows):
            cells = self._cells(row, wides, bold=number in bold)
            before = self._page
            self.room(high(max(map(len, cells)), SMALL) + 2)
            if self._page != before and head is not None:
                self._row(self._cells(head, wides, bold=True), wides, right, bold=True, ground=True)
            self._row(cells, wides, right, bold=number in bold)
        self._y += 1.0

    @staticmethod
    def _cells(row: Sequence[str], wides: Sequence[float], *, bold: bool) -> list[list[str]]:
        return [broken(cell, SMALL, wide - 2 * PAD, bold=bold) for cell, wide in zip(row, wides, strict=True)]

    def _row(
        self,
        cells: Sequence[Sequence[str]],
        wides: Sequence[float],
        right: frozenset[int],
        *,
        bold: bool,
        ground: bool = False,
    ) -> None:
        """One row; of one that is higher than a page, the rest goes on the next."""
        while any(cells):
            fits = max(1, int((HEIGHT - BOTTOM - self._y - 1.6) / high(1, SMALL)))
            shown = [cell[:fits] for cell in cells]
            cells = [cell[fits:] for cell in cells]
            tall = high(max(map(len, shown)), SMALL) + 1.6
            if ground:
                self._sheets.area(EDGE, self._y, INSIDE, tall, GREY)
            x = EDGE
            for place, (lines, wide) in enumerate(zip(shown, wides, strict=True)):
                for number, line in enumerate(lines, 1):
                    shift = wide - PAD - width(line, SMALL, bold=bold) if place in right else PAD
                    y = self._y + high(number, SMALL)
                    self._sheets.text(x + shift, y, line, SMALL, bold=bold)
                x += wide
            self._y += tall
            self._sheets.stroke([(EDGE, self._y), (WIDTH - EDGE, self._y)], LINE, 0.15)
            if any(cells):
                self._next()

    def _chart(self, chart: Chart) -> None:
        self.room(HIGH + 2)
        self._y += 1.0
        for mark in marks(chart):
            match mark:
                case Area(x, y, wide, tall, colour):
                    self._sheets.area(EDGE + x, self._y + y, wide, tall, colour)
                case Stroke(points, colour, thick):
                    self._sheets.stroke([(EDGE + x, self._y + y) for x, y in points], colour, thick)
                case Label(x, y, text, size, anchor, bold):
                    back = {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor] * width(text, size, bold=bold)
                    self._sheets.text(EDGE + x - back, self._y + y, text, size, bold=bold)
        self._y += HIGH + 1.0


assert INSIDE == WIDE, "a chart is as wide as the text"
