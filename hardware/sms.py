"""One short message as a modem takes it in PDU mode (3GPP TS 23.040, TS 23.038, TS 27.005). Pure.

PDU mode, because it is the same on every modem; text mode depends on character sets that are not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_GSM = 160
"""Septets of one message (TS 23.040, 9.2.3.24); ``^{}\\[~]|€`` take two."""
LONGEST_ANY = 70
"""UTF-16 units of one message that needs more than the GSM alphabet (ê, ç, emoji)."""

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""TS 23.038, 6.2.1: the place of a character is its code."""
_EXTENDED = {"^": 20, "{": 40, "}": 41, "\\": 47, "[": 60, "~": 61, "]": 62, "|": 64, "€": 101}
_ESCAPE = 27
_NUMBER = re.compile(r"\+?[0-9]{3,15}", re.ASCII)
"""E.164: at most 15 digits."""


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A message that fits into one SMS.

    Attributes:
        number: 3 to 15 digits, with ``+`` if international.
        text: as given.
        septets: its codes in the GSM alphabet; None if it needs UCS-2.

    Raises:
        ValueError: a number or a text that cannot be sent, with what is allowed.
    """

    number: str
    text: str
    septets: tuple[int, ...] | None


def text_message(number: str, text: str) -> TextMessage:
    """Check a number and a text.

    Raises:
        ValueError: it cannot be sent as one message; the message says what is allowed.
    """
    if _NUMBER.fullmatch(number) is None:
        raise ValueError(
            f"{number!r} is not a telephone number; allowed: 3 to 15 digits, with + and the country's code"
        )
    if not text.strip():
        raise ValueError("an empty text is not sent")
    strange = next((char for char in text if char != "\n" and not char.isprintable()), None)
    if strange is not None:
        raise ValueError(f"a text may not hold the control character {strange!r}")
    septets = _septets(text)
    units = len(text.encode("utf-16-be")) // 2
    if septets is not None and len(septets) > LONGEST_GSM:
        raise ValueError(f"the text has {len(septets)} characters; one message holds {LONGEST_GSM}")
    if septets is None and units > LONGEST_ANY:
        raise ValueError(
            f"the text has {units} characters, some of them beyond the GSM alphabet; then one message "
            f"holds {LONGEST_ANY}"
        )
    return TextMessage(number, text, septets)


def submit_pdu(message: TextMessage) -> tuple[str, int]:
    """The message as ``AT+CMGS`` takes it: hexadecimal digits, and its length in octets for the command.

    The service centre is left to the SIM (first octet 0, which the length does not count).
    """
    digits = message.number.removeprefix("+")
    kind = 0x91 if message.number.startswith("+") else 0x81
    padded = digits + "F" * (len(digits) % 2)
    swapped = "".join(padded[index + 1] + padded[index] for index in range(0, len(padded), 2))
    if message.septets is not None:
        coding, length, data = 0x00, len(message.septets), _packed(message.septets)
    else:
        data = message.text.encode("utf-16-be")
        coding, length = 0x08, len(data)
    head = bytes([0x01, 0x00, len(digits), kind]) + bytes.fromhex(swapped) + bytes([0x00, coding, length])
    tpdu = head + data
    return "00" + tpdu.hex().upper(), len(tpdu)


def _septets(text: str) -> tuple[int, ...] | None:
    codes: list[int] = []
    for char in text:
        if char in _EXTENDED:
            codes += [_ESCAPE, _EXTENDED[char]]
        elif char in _BASIC and char != "\x1b":
            codes.append(_BASIC.index(char))
        else:
            return None
    return tuple(codes)


def _packed(septets: tuple[int, ...]) -> bytes:
    """Seven bits each, the first in the lowest bits (TS 23.038, 6.1.2.1)."""
    value = sum(code << (7 * index) for index, code in enumerate(septets))
    return value.to_bytes((7 * len(septets) + 7) // 8, "little")
