"""An audit drawn: as rows of styled text for a terminal, and as one page of HTML."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from html import escape

from agent.audit.lines import Kind, Line
from agent.audit.points import Grade

BAR = 20
LEAD = 13
"""Columns of what stands before a text, a blank included."""
INDENT = 3
STYLES = {Grade.CRITICAL: "bold red", Grade.SERIOUS: "bold yellow", Grade.MINOR: "bold"}
LOW, FAIR = 50, 80
"""Scores below are red, or yellow."""

Row = list[tuple[str, str]]
"""Pieces of one line, each with its style."""


def rows(lines: Iterable[Line], width: int) -> list[Row]:
    """Rows of at most ``width`` columns; a longer word stands alone."""
    found: list[Row] = []
    for line in lines:
        match line.kind:
            case Kind.HEAD:
                found += [[(part, "bold reverse")] for part in textwrap.wrap(line.text, width)]
            case Kind.SECTION:
                found += [[], *([(part, "bold underline")] for part in textwrap.wrap(line.text, width))]
            case Kind.SCORE:
                found.append(_score(line))
            case Kind.TEXT:
                found += [[(part, "")] for part in textwrap.wrap(line.text, width)]
            case Kind.POINT:
                found += [[], *_hung(line, width, INDENT, STYLES.get(line.grade or Grade.MINOR, "bold"))]
            case Kind.FIELD:
                found += [[(" " * INDENT, ""), *row] for row in _hung(line, width - INDENT, LEAD, "")]
    return found


def _hung(line: Line, width: int, lead: int, style: str) -> list[Row]:
    """The lead before the first row of the text, blanks before the others."""
    parts = textwrap.wrap(line.text, max(20, width - lead))
    before = [line.lead.ljust(lead), *[" " * lead] * (len(parts) - 1)]
    return [[(first, style or "dim"), (part, style)] for first, part in zip(before, parts, strict=True)]


def _score(line: Line) -> Row:
    full = round(line.score * BAR / 100)
    style = "red" if line.score < LOW else "yellow" if line.score < FAIR else "green"
    bar = "█" * full + "·" * (BAR - full)
    return [(f"  {line.lead.ljust(LEAD)} ", ""), (bar, style), (f" {line.text}", "bold")]


_STYLE = """
body { font: 15px/1.45 sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em; color: #111; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; border-bottom: 1px solid #888; margin-top: 1.8em; }
h3 { font-size: 1em; margin: 1.3em 0 .3em; break-after: avoid; }
.critical { color: #a00000; } .serious { color: #7a5200; }
dl { display: grid; grid-template-columns: 8em 1fr; margin: .2em 0; break-inside: avoid; }
dt { color: #555; } dd { margin: 0; } p { margin: .2em 0; } meter { width: 14em; }
"""


def html(lines: Iterable[Line], language: str) -> str:
    """One page that needs nothing else, for a browser and for paper."""
    body: list[str] = []
    title = ""
    for line in lines:
        text, lead = escape(line.text), escape(line.lead)
        match line.kind:
            case Kind.HEAD:
                title = title or text
                body.append(f"<h1>{text}</h1>")
            case Kind.SECTION:
                body.append(f"<h2>{text}</h2>")
            case Kind.SCORE:
                meter = f'<meter min="0" max="100" value="{line.score}"></meter>'
                body.append(f"<dl><dt>{lead}</dt><dd>{meter} {text}</dd></dl>")
            case Kind.TEXT:
                body.append(f"<p>{text}</p>")
            case Kind.POINT:
                grade = f' class="{line.grade}"' if line.grade is not None else ""
                body.append(f"<h3{grade}>{f'{lead} {text}'.strip()}</h3>")
            case Kind.FIELD:
                body.append(f"<dl><dt>{lead}</dt><dd>{text}</dd></dl>")
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{title}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n" + "\n".join(body) + "\n</body>\n</html>\n"
    )
