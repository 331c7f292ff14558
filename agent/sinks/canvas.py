"""A one-bit picture with text in the screen's own letters, and how it wanders.

No pixel may be lit for ever, or an OLED burns in: every minute the whole picture moves on by one pixel on a
small loop, as far as its own dark border allows, so that nothing is ever cut off.
"""

from __future__ import annotations

from PIL import Image

from agent.sinks import font

SIZE = (128, 64)
MARGIN = 1
"""Dark columns at either side, so that a picture can wander by a pixel to either."""
FOOT = 2
"""Dark rows below the last line, where there is room for them: the picture wanders down into them."""
PAIR_GAP = 4
BIG = 2
"""Magnification of the headline."""
LINE = font.HEIGHT
HEADLINE = BIG * font.HEIGHT - 1
BAND = LINE + 1
LOOP = ((0, 0), (1, 0), (1, 1), (1, 2), (0, 2), (-1, 2), (-1, 1), (-1, 0))
"""Where a picture stands, a minute each: within 2 pixels, and never a jump of more than one."""


class Canvas:
    """A one-bit picture to draw on.

    Attributes:
        image: the picture.
        left, right: the columns between which text stands, ``right`` excluded.
        bottom: the row below the last one.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.image = Image.new("1", size)
        self.left = MARGIN
        self.right = size[0] - MARGIN
        self.bottom = size[1]

    def text(self, x: int, y: int, text: str, scale: int = 1, *, dark: bool = False) -> None:
        """Write with the top left corner at (x, y); ``dark`` on a lit ground."""
        colour = 0 if dark else 1
        for letter in text:
            rows = font.glyph(letter)
            for down, row in enumerate(rows):
                for along, pixel in enumerate(row):
                    if pixel == "#":
                        self.bar(x + along * scale, y + down * scale, scale, scale, colour)
            x += (len(rows[0]) + font.SPACING) * scale

    def bar(self, x: int, y: int, wide: int, high: int, colour: int = 1) -> None:
        """Fill a rectangle; what lies outside of the picture is cut off."""
        self.image.paste(colour, (x, y, x + wide, y + high))

    def headline(self, text: str) -> int:
        """Write a headline, big if it fits; return the row below it."""
        if font.width(text) * BIG <= self.right - self.left:
            self.text(self.left, 0, text, BIG)
        else:
            self.text(self.left, LINE // 2, cut(text, self.right - self.left))
        return HEADLINE

    def foot(self, y: int, text: str) -> None:
        """Write at the lower edge as many lines as fit below ``y``; big, if all of it fits so."""
        columns, room = self.right - self.left, max(0, self.bottom - y)
        big = wrapped(text, columns // BIG)
        fits = len(big) * HEADLINE <= room and all(font.width(line) * BIG <= columns for line in big)
        lines, pitch, scale = (
            (big, HEADLINE, BIG) if fits else (wrapped(text, columns)[: room // LINE], LINE, 1)
        )
        below = self.bottom - min(FOOT, room - len(lines) * pitch)
        for line, up in zip(lines, range(len(lines), 0, -1), strict=True):
            self.text(self.left, below - up * pitch, line, scale)

    def pair(self, y: int, left: str, right: str) -> int:
        """Write a name and, at the right, what there is to say of it; return the row below."""
        room = self.right - self.left
        if right:
            room -= font.width(right) + PAIR_GAP
            self.text(self.right - font.width(right), y, right)
        self.text(self.left, y, cut(left, room))
        return y + LINE


def band(canvas: Canvas, title: str, right: str = "") -> int:
    """Draw a lit band on top, which no main page has; return the row below it."""
    canvas.bar(canvas.left, 0, canvas.right - canvas.left, BAND)
    canvas.text(canvas.left + 2, 1, title, dark=True)
    canvas.text(canvas.right - 2 - font.width(right), 1, right, dark=True)
    return BAND + 1


def wandered(image: Image.Image, minute: int) -> Image.Image:
    """The picture as it stands in this minute: moved along ``LOOP``, as far as nothing of it is cut off."""
    lit = image.getbbox()
    if lit is None:
        return image
    (right, down), (wide, high) = LOOP[minute % len(LOOP)], image.size
    moved = Image.new("1", image.size)
    moved.paste(image, (max(-lit[0], min(right, wide - lit[2])), min(down, high - lit[3])))
    return moved


def wrapped(text: str, columns: int) -> list[str]:
    """Break a text into lines of at most ``columns`` pixels; a longer word stands alone and is cut off."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.width(longer) <= columns:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def cut(text: str, columns: int) -> str:
    """As much of the beginning of a text as stands in so many columns."""
    while font.width(text) > columns:
        text = text[:-1]
    return text.rstrip()
