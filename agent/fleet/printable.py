"""Strangers' texts made fit for a terminal."""

from __future__ import annotations

LONGEST = 120
"""Characters; a name or a reason of the agent's own is shorter."""
REPLACED = "\ufffd"


def printable(text: str, longest: int = LONGEST) -> str:
    """The text without anything that moves a cursor, turns the direction or ends a line.

    Every blank becomes a plain space, and whatever else has no picture of its own (control and format
    characters, so escape sequences and right-to-left overrides too; lone surrogates, private and unassigned
    characters) the replacement character. What is longer than ``longest`` characters ends in an ellipsis.
    """
    shown = text if len(text) <= longest else text[: longest - 1] + "…"
    if shown.isascii() and shown.isprintable():
        return shown
    return "".join(_picture(letter) for letter in shown)


def _picture(letter: str) -> str:
    if letter.isprintable():
        return letter
    return " " if letter.isspace() else REPLACED
