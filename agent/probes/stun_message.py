"""STUN messages (RFC 8489): the question where a packet comes from, and the strict reading of the answer.

Bytes of strangers: everything that is not exactly an answer to the question that was asked is refused.
"""

from __future__ import annotations

import binascii
import struct
from ipaddress import IPv4Address, IPv6Address
from typing import Final

HEADER_BYTES: Final = 20
LONGEST_ANSWER: Final = 548
"""Bytes: an answer fits into the least IPv4 datagram that everybody takes (RFC 8489, 6.1)."""
IDENT_BYTES: Final = 12
_COOKIE: Final = 0x2112A442
_HEADER: Final = struct.Struct("!HHI12s")
_ATTRIBUTE: Final = struct.Struct("!HH")
_REQUEST, _SUCCESS, _ERROR = 0x0001, 0x0101, 0x0111
_MAPPED, _XOR_MAPPED, _ERROR_CODE, _FINGERPRINT = 0x0001, 0x0020, 0x0009, 0x8028
_INTEGRITY: Final = (0x0008, 0x001C)
"""Of a message among those who share a secret; without one there is nothing to check."""
_KNOWN: Final = (_MAPPED, _XOR_MAPPED, _ERROR_CODE, *_INTEGRITY)
_MUST_KNOW: Final = 0x8000
"""Attributes below must be understood, or the answer be dropped (RFC 8489, 14)."""
_FINGERPRINT_MASK: Final = 0x5354554E
_V4, _V6 = 1, 2


class StunError(ValueError):
    """No answer to the question; the message says what it is instead."""


class StunRefusedError(StunError):
    """A true answer, and it is an error; the message has its number and words."""


def encode_request(ident: bytes) -> bytes:
    """A binding request without attributes; ``ident`` is 12 bytes that nobody can guess."""
    return _HEADER.pack(_REQUEST, 0, _COOKIE, ident)


def decode_answer(data: bytes, ident: bytes) -> str:
    """The address from which the request with this ``ident`` came, as the server saw it.

    Raises:
        StunRefusedError: the server refuses.
        StunError: anything else.
    """
    if len(data) < HEADER_BYTES:
        raise StunError(f"{len(data)} bytes are no message")
    kind, length, cookie, theirs = _HEADER.unpack_from(data)
    if cookie != _COOKIE or theirs != ident:
        raise StunError("not an answer to this question")
    if length % 4 or length != len(data) - HEADER_BYTES:
        raise StunError(f"says {length} bytes and has {len(data) - HEADER_BYTES}")
    if kind not in (_SUCCESS, _ERROR):
        raise StunError(f"message type 0x{kind:04x}")
    found = _attributes(data)
    if kind == _ERROR:
        raise StunRefusedError(_error(found.get(_ERROR_CODE, b"")))
    if _XOR_MAPPED in found:
        return _address(found[_XOR_MAPPED], struct.pack("!I", _COOKIE) + ident)
    if _MAPPED in found:
        return _address(found[_MAPPED], bytes(16))
    raise StunError("no address in it")


def _attributes(data: bytes) -> dict[int, bytes]:
    """By type; of several of one type the first counts (RFC 8489, 14)."""
    found: dict[int, bytes] = {}
    at = HEADER_BYTES
    while at < len(data):
        # The length of the whole is a multiple of four, and so is that of each attribute.
        kind, length = _ATTRIBUTE.unpack_from(data, at)
        begin = at + _ATTRIBUTE.size
        after = begin + (length + 3) // 4 * 4
        if after > len(data):
            raise StunError("an attribute is cut off")
        if kind < _MUST_KNOW and kind not in _KNOWN:
            raise StunError(f"attribute 0x{kind:04x} is not known")
        if kind == _FINGERPRINT:
            _check_fingerprint(data, at, after)
        found.setdefault(kind, data[begin : begin + length])
        at = after
    return found


def _check_fingerprint(data: bytes, at: int, after: int) -> None:
    """The last attribute is a checksum of all before it (RFC 8489, 14.7)."""
    expected = binascii.crc32(data[:at]) ^ _FINGERPRINT_MASK
    if after != len(data) or data[at + _ATTRIBUTE.size :] != struct.pack("!I", expected):
        raise StunError("the fingerprint is not that of the message")


def _address(value: bytes, mask: bytes) -> str:
    family = value[1] if len(value) >= 4 else 0
    plain = bytes(one ^ other for one, other in zip(value[4:], mask, strict=False))
    if family == _V4 and len(value) == 8:
        return str(IPv4Address(plain))
    if family == _V6 and len(value) == 20:
        return str(IPv6Address(plain))
    raise StunError(f"an address of family {family} in {len(value)} bytes")


def _error(value: bytes) -> str:
    if len(value) < 4:
        return "an error without a number"
    words = "".join(c if c.isprintable() else "?" for c in value[4:].decode("utf-8", "replace")[:80])
    return f"error {(value[2] & 7) * 100 + value[3]} {words}".rstrip()
