"""Sheets of paper as a PDF, in millimetres from the top left corner. The one file that imports reportlab.

Only the fonts that every PDF reader has are used (Helvetica): nothing is embedded, nothing has a licence.
They hold the letters of Windows-1252, so all of French and English with their typographic marks; any other
letter is replaced by its plain form. The same drawing gives the same bytes.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = 210.0, 297.0
"""A4, millimetres."""
POINT = 25.4 / 72
"""A typographic point in millimetres."""
LEADING = 1.2
"""From one line of a text to the next, in heights of the letters."""
ENCODING = "cp1252"
Shade = tuple[float, float, float]
"""Red, green and blue, 0 to 1."""
BLACK: Shade = (0, 0, 0)


def printable(text: str) -> str:
    """The text in letters that the fonts have; a letter without a plain form becomes a question mark."""
    return "".join(
        letter
        if _has(letter)
        else unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode() or "?"
        for letter in unicodedata.normalize("NFC", text)
    )


def _has(letter: str) -> bool:
    try:
        return bool(letter.encode(ENCODING))
    except UnicodeEncodeError:
        return False


def width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a line is, millimetres; ``size`` in points."""
    points: float = stringWidth(printable(text), _font(bold=bold), size)
    return points / float(mm)


def wrapped(text: str, size: float, wide: float, *, bold: bool = False) -> list[str]:
    """Lines of at most ``wide`` millimetres; a longer word stands alone."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(longer, size, bold=bold) <= wide:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _font(*, bold: bool) -> str:
    return "Helvetica-Bold" if bold else "Helvetica"


class Sheets:
    """Sheets of A4, drawn one after the other."""

    def __init__(self, title: str) -> None:
        self._buffer = io.BytesIO()
        # Invariant: no time, no random identifier. Not compressed: another zlib would give other bytes.
        self._canvas = Canvas(self._buffer, pagesize=A4, invariant=1, pageCompression=0)
        self._canvas.setTitle(printable(title))
        self._canvas.setAuthor("Vigie")

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        *,
        bold: bool = False,
        middle: bool = False,
        shade: Shade = BLACK,
    ) -> None:
        """One line whose letters stand on ``y``, beginning at ``x``, or with its middle there."""
        self._canvas.setFillColorRGB(*shade)
        self._canvas.setFont(_font(bold=bold), size)
        draw = self._canvas.drawCentredString if middle else self._canvas.drawString
        draw(x * mm, (HEIGHT - y) * mm, printable(text))

    def lines(self, x: float, y: float, lines: Sequence[str], size: float, *, bold: bool = False) -> float:
        """Several lines, the first one below ``y``; the height that they take, millimetres."""
        step = size * POINT * LEADING
        for place, line in enumerate(lines, 1):
            self.text(x, y + place * step, line, size, bold=bold)
        return len(lines) * step

    def line(self, x1: float, y1: float, x2: float, y2: float, thick: float = 0.2) -> None:
        """A black line, ``thick`` millimetres."""
        self._canvas.setStrokeColorRGB(*BLACK)
        self._canvas.setLineWidth(thick * mm)
        self._canvas.line(x1 * mm, (HEIGHT - y1) * mm, x2 * mm, (HEIGHT - y2) * mm)

    def box(self, x: float, y: float, wide: float, high: float, fill: Shade | None = None) -> None:
        """A rectangle with a thin black edge."""
        self._ink(fill)
        self._canvas.rect(x * mm, (HEIGHT - y - high) * mm, wide * mm, high * mm, fill=int(fill is not None))

    def circle(self, x: float, y: float, across: float, fill: Shade | None = None) -> None:
        """A circle around (x, y) with a thin black edge."""
        self._ink(fill)
        self._canvas.circle(x * mm, (HEIGHT - y) * mm, across / 2 * mm, fill=int(fill is not None))

    def stroke(self, points: Sequence[tuple[float, float]], shade: Shade, thick: float) -> None:
        """A line through points, ``thick`` millimetres."""
        self._canvas.setStrokeColorRGB(*shade)
        self._canvas.setLineWidth(thick * mm)
        path = self._canvas.beginPath()
        for place, (x, y) in enumerate(points):
            (path.lineTo if place else path.moveTo)(x * mm, (HEIGHT - y) * mm)
        self._canvas.drawPath(path)

    def area(self, x: float, y: float, wide: float, high: float, shade: Shade) -> None:
        """A filled rectangle without an edge."""
        self._canvas.setFillColorRGB(*shade)
        self._canvas.rect(x * mm, (HEIGHT - y - high) * mm, wide * mm, high * mm, stroke=0, fill=1)

    def _ink(self, fill: Shade | None) -> None:
        self._canvas.setStrokeColorRGB(*BLACK)
        self._canvas.setLineWidth(0.15 * mm)
        if fill is not None:
            self._canvas.setFillColorRGB(*fill)

    def next(self) -> None:
        """Begin another sheet."""
        self._canvas.showPage()

    def finished(self) -> bytes:
        """The whole as a file."""
        self._canvas.save()
        return self._buffer.getvalue()
