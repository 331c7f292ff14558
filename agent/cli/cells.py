"""How many columns of a terminal a text takes, and texts cut and filled to a number of columns."""

from __future__ import annotations

import unicodedata

_WIDE = ("W", "F")
_MARKS = ("Mn", "Me")


def columns(text: str) -> int:
    """Columns that the text takes: two for a wide letter, none for a mark on the letter before."""
    if text.isascii():
        return len(text)
    return sum(_columns(letter) for letter in text)


def fitted(text: str, width: int, *, fill: bool = True) -> str:
    """The text in exactly ``width`` columns, or at most so many; what is cut ends in an ellipsis."""
    if columns(text) > width:
        kept, room = [], width - 1
        for letter in text:
            room -= _columns(letter)
            if room < 0:
                break
            kept.append(letter)
        text = "".join(kept).rstrip() + "…" if width > 0 else ""
    return text + " " * (width - columns(text)) if fill else text


def _columns(letter: str) -> int:
    if unicodedata.category(letter) in _MARKS:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in _WIDE else 1
