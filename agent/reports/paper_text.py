"""A document as plain text, for terminals and mails; charts are left out, their figures are in the others."""

from __future__ import annotations

import re
import textwrap

from agent.reports.paper import Block, Chart, Facts, Heading, Paper, Paragraph, Table

WIDE = 100
GAP = "  "


def render(paper: Paper) -> str:
    """The whole text, lines of ``WIDE`` columns at most where the words allow it."""
    parts = [paper.title, "=" * len(paper.title), *_filled(paper.lead)]
    for block, following in zip(paper.blocks, (*paper.blocks[1:], None), strict=True):
        if not (isinstance(block, Heading) and isinstance(following, Chart)):
            parts += _block(block)
    return "\n".join(line.rstrip() for line in parts) + "\n"


def _filled(text: str, wide: int = WIDE) -> list[str]:
    return [
        line
        for part in text.split("\n")
        for line in textwrap.wrap(part, wide, break_long_words=False, break_on_hyphens=False) or [""]
    ]


def _block(block: Block) -> list[str]:
    match block:
        case Heading(text):
            return ["", text, "-" * len(text)]
        case Paragraph(text):
            return _filled(text)
        case Facts(rows):
            wide = max((len(name) for name, _ in rows), default=0)
            return _columns([list(row) for row in rows], [wide, WIDE - wide - len(GAP)], frozenset())
        case Table(head, rows, _, right):
            cells = [list(head), *(list(row) for row in rows)]
            return _columns(cells, _widths(cells), right)
        case Chart():
            return []


def _widths(cells: list[list[str]]) -> list[int]:
    """As wide as the longest cell, the widest columns cut back until all fit or hold their longest word."""
    columns = [[row[at] for row in cells] for at in range(len(cells[0]))]
    widths = [max(len(line) for cell in column for line in cell.split("\n")) for column in columns]
    least = [max(len(word) for cell in column for word in re.split(r"[ \n]", cell)) for column in columns]
    while sum(widths) + len(GAP) * (len(widths) - 1) > WIDE:
        spare = [wide if wide > word else 0 for wide, word in zip(widths, least, strict=True)]
        if not any(spare):
            break
        widths[spare.index(max(spare))] -= 1
    return widths


def _columns(cells: list[list[str]], widths: list[int], right: frozenset[int]) -> list[str]:
    lines = []
    for row in cells:
        filled = [_filled(cell, wide) for cell, wide in zip(row, widths, strict=True)]
        for number in range(max(map(len, filled))):
            texts = [column[number] if number < len(column) else "" for column in filled]
            placed = [
                text.rjust(wide) if place in right else text.ljust(wide)
                for place, (text, wide) in enumerate(zip(texts, widths, strict=True))
            ]
            lines.append(GAP.join(placed))
    return lines
