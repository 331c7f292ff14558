"""A sheet to draw on in plain coordinates: drawn larger and shrunk, so that lines and letters are smooth."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Point = tuple[float, float]

PAPER: Colour = (255, 255, 255)
INK: Colour = (32, 34, 40)
GREY: Colour = (105, 109, 118)
FAINT: Colour = (222, 224, 229)
FINER = 2
"""Drawn this many times larger."""


class Canvas:
    """Coordinates are pixels of the finished picture; ``anchor`` is Pillow's (``lm``: left, middle)."""

    def __init__(self, width: int, height: int) -> None:
        self._image = Image.new("RGB", (width * FINER, height * FINER), PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def text(
        self,
        at: Point,
        text: str,
        size: float,
        colour: Colour = INK,
        anchor: str = "lm",
        *,
        bold: bool = False,
    ) -> None:
        """Write one line. Pillow's own font has one weight; bold is written with a wider pen."""
        self._draw.text(
            _finer(at),
            text,
            fill=colour,
            font=_font(size),
            anchor=anchor,
            stroke_width=int(bold),
            stroke_fill=colour,
        )

    def box(self, corner: Point, size: Point, colour: Colour) -> None:
        """A filled rectangle."""
        end = (corner[0] + size[0], corner[1] + size[1])
        (left, top), (right, bottom) = _finer(corner), _finer(end)
        self._draw.rectangle((left, top, right - 1, bottom - 1), fill=colour)

    def frame(self, corner: Point, size: Point, colour: Colour = INK, width: float = 2.0) -> None:
        """The outline of a rectangle."""
        end = (corner[0] + size[0], corner[1] + size[1])
        self._draw.rectangle((*_finer(corner), *_finer(end)), outline=colour, width=round(width * FINER))

    def line(self, points: Sequence[Point], colour: Colour = INK, width: float = 1.0) -> None:
        """Straight pieces through all points."""
        self._draw.line(list(map(_finer, points)), fill=colour, width=round(width * FINER), joint="curve")

    def dashed(self, begin: Point, end: Point, colour: Colour, width: float = 2.0, dash: float = 9.0) -> None:
        """A dashed horizontal line."""
        x = begin[0]
        while x < end[0]:
            self.line([(x, begin[1]), (min(x + dash, end[0]), begin[1])], colour, width)
            x += 1.8 * dash

    def dot(self, at: Point, radius: float, colour: Colour) -> None:
        """A filled circle."""
        x, y, r = at[0] * FINER, at[1] * FINER, radius * FINER
        self._draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    def finished(self) -> Image.Image:
        """The picture in its own size, and in so few colours that it weighs little."""
        width, height = self._image.size
        smooth = self._image.resize((width // FINER, height // FINER), Image.Resampling.LANCZOS)
        return smooth.quantize(256, dither=Image.Dither.NONE)


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a line of text is."""
    return _font(size).getlength(text) / FINER + 2 * bold


def wrapped(text: str, size: float, width: float) -> list[str]:
    """The words of a text in lines no wider than this, unless a word alone is."""
    lines: list[str] = []
    for word in text.split():
        if lines and width_of(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def blend(value: float, stops: Sequence[tuple[float, Colour]]) -> Colour:
    """The colour of a value between stops in rising order; beyond the outer ones it is theirs."""
    if value <= stops[0][0]:
        return stops[0][1]
    for (low, below), (high, above) in pairwise(stops):
        if value <= high:
            part = (value - low) / (high - low)
            red, green, blue = (round(a + part * (b - a)) for a, b in zip(below, above, strict=True))
            return red, green, blue
    return stops[-1][1]


def readable_on(colour: Colour) -> Colour:
    """Ink or paper, whichever stands out; the weights are those of ITU-R BT.601."""
    red, green, blue = colour
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else PAPER


def _finer(at: Point) -> tuple[int, int]:
    return round(at[0] * FINER), round(at[1] * FINER)


def _font(size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size * FINER)
    # Without FreeType Pillow gives its old bitmap font, in one size: no picture could be laid out with it.
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("the picture needs Pillow 10.1 or newer, built with FreeType")
    return font
