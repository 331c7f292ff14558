"""The few rules of protobuf's wire format that a message of known fields needs, both ways.

A message is a row of fields, each a key (number and wire type) and a value. So it can be read without any
schema; numbers that the reader does not know are passed over, as the format intends. Groups (wire types
3 and 4) have been deprecated since proto2 and are refused. Source: protobuf.dev/programming-guides/encoding.

proto3 does not send a field that has its default value: False, 0, an empty text. Whether "not sent" means
the default or "not known" only the reader of the message can say: the argument ``unsent``.
"""

from __future__ import annotations

import math
import struct
from enum import IntEnum

_LONGEST_VARINT = 10


class WireError(ValueError):
    """The bytes are not a message."""


class WireType(IntEnum):
    """How a value is laid out."""

    VARINT = 0
    FIXED64 = 1
    BYTES = 2
    FIXED32 = 5


class Message:
    """A decoded message. Of a field sent several times the last counts.

    (The format would merge a message that was sent in pieces; no device is known to send one so.)

    Each reader returns ``unsent`` if the field is not there, and None if it is there as something else: a
    device's newer firmware may have changed one field without making the others worthless.

    Raises:
        WireError: not a message, or one cut short.
    """

    def __init__(self, data: bytes) -> None:
        self._fields: dict[tuple[int, WireType], int | bytes] = {}
        at = 0
        while at < len(data):
            key, at = _varint(data, at)
            try:
                kind = WireType(key & 7)
            except ValueError:
                raise WireError(f"wire type {key & 7}") from None
            if not 0 < key >> 3 < 1 << 29:
                raise WireError(f"field number {key >> 3}")
            value, at = _value(data, at, kind)
            self._fields[key >> 3, kind] = value

    def __len__(self) -> int:
        return len(self._fields)

    def __contains__(self, field: int) -> bool:
        return any((field, kind) in self._fields for kind in WireType)

    def unsigned(self, field: int, unsent: int | None = None) -> int | None:
        """An unsigned integer or the number of an enumeration."""
        value = self._fields.get((field, WireType.VARINT))
        if value is None and field not in self:
            return unsent
        return value if isinstance(value, int) else None

    def boolean(self, field: int) -> bool | None:
        """A truth."""
        value = self.unsigned(field)
        return None if value is None else value != 0

    def real(self, field: int, unsent: float | None = None) -> float | None:
        """A ``float``; None also for what is no finite number."""
        value = self._fields.get((field, WireType.FIXED32))
        if not isinstance(value, bytes):
            return None if field in self else unsent
        (found,) = struct.unpack("<f", value)
        return found if math.isfinite(found) else None

    def text(self, field: int) -> str | None:
        """A text; None also for what is no UTF-8."""
        value = self._fields.get((field, WireType.BYTES))
        try:
            return value.decode() if isinstance(value, bytes) else None
        except UnicodeDecodeError:
            return None

    def message(self, field: int) -> Message | None:
        """A message within the message; None also for bytes that are no message."""
        value = self._fields.get((field, WireType.BYTES))
        try:
            return Message(value) if isinstance(value, bytes) else None
        except WireError:
            return None


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(_LONGEST_VARINT):
        if at + index >= len(data):
            raise WireError("cut short in an integer")
        byte = data[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value & (1 << 64) - 1, at + index + 1
    raise WireError("an integer without end")


def _value(data: bytes, at: int, kind: WireType) -> tuple[int | bytes, int]:
    if kind is WireType.VARINT:
        return _varint(data, at)
    size = {WireType.FIXED64: 8, WireType.FIXED32: 4}.get(kind)
    if size is None:
        size, at = _varint(data, at)
    if at + size > len(data):
        raise WireError("cut short in a value")
    return data[at : at + size], at + size


def varint_field(field: int, value: int) -> bytes:
    """A field that holds an integer (negative ones as 64 bits), a truth or an enumeration."""
    return _encoded(field << 3 | WireType.VARINT) + _encoded(value & (1 << 64) - 1)


def real_field(field: int, value: float) -> bytes:
    """A field that holds a ``float``."""
    return _encoded(field << 3 | WireType.FIXED32) + struct.pack("<f", value)


def bytes_field(field: int, value: bytes) -> bytes:
    """A field that holds a text or a message."""
    return _encoded(field << 3 | WireType.BYTES) + _encoded(len(value)) + value


def _encoded(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
