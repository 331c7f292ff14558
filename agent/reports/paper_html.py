"""A document as one HTML file that needs nothing else, and prints on A4."""

from __future__ import annotations

import html

from agent.reports.paper import Block, Chart, Facts, Heading, Paper, Paragraph, Table
from agent.reports.paper_chart import HIGH, WIDE, Area, Colour, Label, Mark, Stroke, marks

POINT = 25.4 / 72
"""Millimetres in a typographic point."""
_STYLE = """
@page { size: A4; margin: 15mm 15mm 18mm; }
* { box-sizing: border-box; }
body { font: 10.5pt/1.4 system-ui, "Helvetica Neue", Arial, sans-serif; color: #111; background: #fff;
  max-width: 180mm; margin: 8mm auto; padding: 0 4mm; overflow-wrap: anywhere; }
h1 { font-size: 17pt; line-height: 1.2; margin: 0 0 2mm; }
h2 { font-size: 12.5pt; margin: 7mm 0 2mm; border-bottom: .3mm solid #999; break-after: avoid; }
p { margin: 1.5mm 0; white-space: pre-line; }
.small { font-size: 9pt; color: #444; }
.table { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 8.5pt; overflow-wrap: break-word; }
th, td { text-align: left; vertical-align: top; padding: .8mm 1.5mm; border-bottom: .2mm solid #bbb; }
thead th { background: #eee; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
.right { text-align: right; }
.bold { font-weight: bold; }
.facts th { width: 34%; font-weight: normal; color: #333; }
figure { margin: 3mm 0; break-inside: avoid; }
svg { width: 100%; height: auto; display: block; }
.plain { white-space: pre-line; }
@media print { body { max-width: none; margin: 0; padding: 0; } .table { overflow-x: visible; } }
"""


def render(paper: Paper) -> str:
    """The whole file."""
    body = "".join(_block(block) for block in paper.blocks)
    return (
        f'<!DOCTYPE html>\n<html lang="{paper.language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_plain(paper.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{_plain(paper.title)}</h1>\n<p>{_plain(paper.lead)}</p>\n{body}</body>\n</html>\n"
    )


def _plain(text: str) -> str:
    return html.escape(
        "".join(
            letter if letter == "\n" or letter.isprintable() else letter if letter.isspace() else "\ufffd"
            for letter in text
        )
    )


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def _block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"<h2>{_plain(text)}</h2>\n"
        case Paragraph(text, small):
            return f"<p{_class('small' if small else '')}>{_plain(text)}</p>\n"
        case Facts(rows):
            lines = "".join(
                f'<tr><th scope="row">{_plain(name)}</th><td class="plain">{_plain(value)}</td></tr>\n'
                for name, value in rows
            )
            return f'<div class="table"><table class="facts"><tbody>\n{lines}</tbody></table></div>\n'
        case Table():
            return _table(block)
        case Chart():
            drawn = "".join(_mark(mark) for mark in marks(block))
            name = _plain(f"{block.title} ({block.unit})")
            return (
                f'<figure><svg viewBox="0 0 {WIDE:g} {HIGH:g}" role="img" aria-label="{name}" '
                f'font-family="Arial, Helvetica, sans-serif">{drawn}</svg></figure>\n'
            )


def _table(table: Table) -> str:
    whole = sum(table.widths)
    columns = "".join(f'<col style="width:{100 * wide / whole:.1f}%">' for wide in table.widths)

    def side(place: int) -> str:
        return ' class="right"' if place in table.right else ' class="plain"'

    head = "".join(
        f'<th scope="col"{side(place)}>{_plain(name)}</th>' for place, name in enumerate(table.head)
    )
    rows = "".join(
        f"<tr{_class('bold' if number in table.bold else '')}>"
        + "".join(f"<td{side(place)}>{_plain(cell)}</td>" for place, cell in enumerate(row))
        + "</tr>\n"
        for number, row in enumerate(table.rows)
    )
    return (
        f'<div class="table"><table><colgroup>{columns}</colgroup>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}</tbody></table></div>\n"
    )


def _mark(mark: Mark) -> str:
    match mark:
        case Area(x, y, wide, high, colour):
            place = f'x="{x:.2f}" y="{y:.2f}" width="{wide:.2f}" height="{high:.2f}"'
            return f'<rect {place} fill="{_hex(colour)}"/>'
        case Stroke(points, colour, thick):
            path = " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
            return (
                f'<polyline points="{path}" fill="none" stroke="{_hex(colour)}" stroke-width="{thick:g}" '
                'stroke-linejoin="round"/>'
            )
        case Label(x, y, text, size, anchor, bold):
            weight = ' font-weight="bold"' if bold else ""
            return (
                f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size * POINT:.2f}" '
                f'text-anchor="{anchor}"{weight}>{_plain(text)}</text>'
            )


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in colour)
