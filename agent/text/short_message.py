"""A text message in words: what fits into one SMS, in letters that every telephone shows as they are.

A letter outside the GSM alphabet (ê, ç) would make it a message of another kind, of 70 characters instead of
160; those are written without their accent. The alphabet is that of 3GPP TS 23.038 without what takes two
places.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from agent.core.letters import TextCode
from agent.core.model import Scalar
from agent.text import sms

LONGEST = 160
LABEL_CHARACTERS = 40
_LETTERS = frozenset(
    "@£$¥_èéùìòÇØøÅåÆæßÉ !\"#%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§abcdefghijklmnopqrstuvwxyzäöñüà"
)
_LIKE = {"’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "–": "-", "—": "-", "œ": "oe", "Œ": "OE"}
_LIKE |= {"[": "(", "]": ")", "{": "(", "}": ")", "|": "/", "\\": "/", "~": "-", "€": "EUR", "…": "..."}


def short_message(code: TextCode, language: str, args: Mapping[str, Scalar]) -> str:
    """The message in one SMS of the GSM alphabet.

    Args:
        code: what it says.
        language: one of ``text.LANGUAGES``.
        args: what the core gives to be said.

    Raises:
        KeyError: no such language.
    """
    label = plain(str(args.get("label") or ""))[:LABEL_CHARACTERS].rstrip()
    return plain(sms(code, language, {**args, "label": label}))[:LONGEST]


def plain(text: str) -> str:
    """The text in letters of the GSM alphabet; what has none that is like it becomes ``?``."""
    return " ".join("".join(_plain(letter) for letter in text).split())


def _plain(letter: str) -> str:
    if letter.isspace():
        return " "
    letter = _LIKE.get(letter, letter)
    if all(one in _LETTERS for one in letter):
        return letter
    bare = "".join(one for one in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(one))
    known = "".join(one for one in bare if one in _LETTERS)
    return known if known and known == bare else "?"
