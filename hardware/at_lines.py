"""Lines of an AT conversation taken apart (3GPP TS 27.007, ITU-T V.250). Pure.

A line either is unprefixed text (``Quectel``) or has a prefix and fields (``+CSQ: 20,99``). Modems put
unsolicited lines between the lines of an answer, quote fields or not, and put a space after the colon
or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_PREFIXED = re.compile(r"([+^!$*#%&][A-Z0-9]+):\s*(.*)", re.IGNORECASE | re.DOTALL)
_FINAL = re.compile(
    r"OK|ERROR|\+CM[ES] ERROR:.*|COMMAND NOT SUPPORT|TOO MANY PARAMETERS", re.IGNORECASE | re.DOTALL
)
"""Ends an answer. The last two are Huawei's. Not ``NO CARRIER``: no command here dials, so it is a report."""
_NEWS = frozenset(
    """RDY|RING|NO CARRIER|SMS DONE|SMS READY|CALL READY|PB DONE|POWERED DOWN|NORMAL POWER DOWN|APP RDY
    |SIM READY""".replace("\n    ", "").split("|")
)
"""Unsolicited lines without a prefix."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a modem said to one command.

    Attributes:
        command: as it was sent.
        lines: what came between, unsolicited lines included, without echo and empty lines.
        final: the line that ended it: ``OK``, ``ERROR``, ``+CME ERROR: 10``.
    """

    command: str
    lines: tuple[str, ...]
    final: str

    @property
    def ok(self) -> bool:
        """The modem did as it was told."""
        return self.final.upper() == "OK"


def is_final(line: str) -> bool:
    """True for a line that ends an answer."""
    return _FINAL.fullmatch(line) is not None


def rows(lines: Iterable[str], prefix: str) -> Iterator[list[str]]:
    """The fields of every line with this prefix (``+CSQ``), in order."""
    for line in lines:
        match = _PREFIXED.fullmatch(line.strip())
        if match is not None and match[1].upper() == prefix:
            yield split(match[2])


def split(text: str) -> list[str]:
    """Fields between commas, without quotes and spaces around; a comma inside quotes stays."""
    fields: list[str] = []
    field: list[str] = []
    quoted = False
    for char in text:
        if char == '"':
            quoted = not quoted
        elif char == "," and not quoted:
            fields.append("".join(field).strip())
            field = []
        else:
            field.append(char)
    fields.append("".join(field).strip())
    return fields


def plain_text(lines: Iterable[str]) -> str | None:
    """The first line that is neither prefixed nor one of the known reports: a name or a version."""
    for line in lines:
        text = line.strip()
        if text and text.upper() not in _NEWS and _PREFIXED.fullmatch(text) is None:
            return text
    return None


def labelled(lines: Iterable[str], label: str) -> str | None:
    """The value of a line ``label: value``, as ``ATI`` gives them."""
    for line in lines:
        name, colon, value = line.partition(":")
        if colon and name.strip().lower() == label.lower() and value.strip():
            return value.strip()
    return None


def at(fields: list[str], index: int) -> str:
    """The field, or nothing if the line is shorter."""
    return fields[index] if -len(fields) <= index < len(fields) else ""


def number(field: str) -> float | None:
    """A decimal number, or None for anything else (``-``, ``---``, empty)."""
    return float(field) if re.fullmatch(r"[-+]?\d{1,9}(\.\d{1,6})?", field, re.ASCII) else None


def whole(field: str) -> int | None:
    """A whole decimal number, not negative, or None."""
    return int(field) if re.fullmatch(r"\d{1,12}", field, re.ASCII) else None


def hexadecimal(field: str) -> int | None:
    """A number in base 16, with or without ``0x``, or None."""
    return int(field, 16) if re.fullmatch(r"(0x)?[0-9a-f]{1,12}", field, re.ASCII | re.IGNORECASE) else None
