"""The wire format of protobuf and the frames of gRPC-Web, held to bytes that others made."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.grpc_web import frame, split, trailers_frame
from hardware.protobuf_wire import Message, WireError, bytes_field, real_field, varint_field

FIELDS = st.integers(1, (1 << 29) - 1)
UNSIGNED = st.integers(0, (1 << 64) - 1)


@pytest.mark.parametrize(
    ("encoded", "field", "value"),
    [("089601", 1, 150), ("08ac02", 1, 300), ("08ffffffffffffffffff01", 1, (1 << 64) - 1), ("0800", 1, 0)],
)
def test_integers_as_in_the_formats_own_description(encoded: str, field: int, value: int) -> None:
    """150 is 08 96 01, as protobuf.dev has it; 64 bits fit."""
    assert Message(bytes.fromhex(encoded)).unsigned(field) == value
    assert varint_field(field, value).hex() == encoded


def test_a_text_as_in_the_formats_own_description() -> None:
    """The text of seven letters in field 2 is 12 07 74 65 ..., as protobuf.dev has it."""
    encoded = bytes.fromhex("120774657374696e67")
    assert Message(encoded).text(2) == "testing"
    assert bytes_field(2, b"testing") == encoded


@given(FIELDS, UNSIGNED, st.floats(width=32), st.text())
def test_what_is_encoded_is_read_again(field: int, whole: int, real: float, text: str) -> None:
    """Integers, texts, floats and messages survive the way there and back."""
    inner = varint_field(field, whole) + bytes_field(1, text.encode())
    message = Message(bytes_field(field, inner) + real_field(field, real))
    below = message.message(field)
    assert below is not None
    assert below.text(1) == text
    assert below.unsigned(field) == whole
    assert message.real(field) == (real if math.isfinite(real) else None)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_an_error(data: bytes) -> None:
    """No bytes raise anything else, hang, or are read beyond their end."""
    try:
        message = Message(data)
    except WireError:
        return
    for field in range(1, 40):
        message.unsigned(field), message.boolean(field), message.real(field), message.text(field)
        message.message(field)


def test_a_message_cut_short_is_an_error_or_lacks_whole_fields() -> None:
    """A cut is noticed in every byte that is not the last of a field."""
    fields = [varint_field(1004, 1 << 40), real_field(2, 1.5), bytes_field(3, b"abc"), b"\x21" + b"x" * 8]
    encoded, ends = b"".join(fields), {0}
    for index in range(len(fields)):
        ends.add(len(b"".join(fields[: index + 1])))
    for length in range(len(encoded)):
        if length in ends:
            Message(encoded[:length])
        else:
            with pytest.raises(WireError):
                Message(encoded[:length])


@pytest.mark.parametrize(
    "data",
    [
        b"\x0b",
        b"\x0c",
        b"\x0e\x00",
        b"\x00\x00",
        b"\x08" + b"\xff" * 11,
        b"\x12\xff\xff\xff\xff\x0f" + b"x" * 9,
    ],
    ids=["group", "end of group", "wire type 6", "field 0", "endless integer", "4 GB text"],
)
def test_what_the_format_forbids_is_an_error(data: bytes) -> None:
    """Groups, unknown wire types, field 0, integers without end and lengths beyond the data."""
    with pytest.raises(WireError):
        Message(data)


def test_a_field_of_another_type_is_not_known() -> None:
    """A value of another type is None, never a number made of its bytes, nor what unsent would mean."""
    message = Message(varint_field(1, 7) + real_field(2, 1.0) + bytes_field(3, b"\xff"))
    assert (message.real(1, 0.0), message.text(1), message.message(1)) == (None, None, None)
    assert (message.unsigned(2, 0), message.boolean(2), message.text(2)) == (None, None, None)
    assert (message.text(3), message.unsigned(3, 0)) == (None, None)


def test_unsent_is_what_the_reader_says() -> None:
    """proto3 sends no zeros; what that means is the caller's knowledge."""
    message = Message(b"")
    assert (message.unsigned(1), message.unsigned(1, 0), message.real(1), message.real(1, 0.0)) == (
        None, 0, None, 0.0,
    )  # fmt: skip
    assert message.message(1) is None


@pytest.mark.parametrize("bits", [0x7FC00000, 0x7F800000, 0xFF800000], ids=["nan", "inf", "-inf"])
def test_a_float_that_is_no_number_is_not_known(bits: int) -> None:
    """Dishes do send NaN (for the time between obstructions)."""
    assert Message(b"\x0d" + struct.pack("<I", bits)).real(1, 0.0) is None


def test_the_last_of_several_counts() -> None:
    """A scalar that is sent twice has its last value."""
    assert Message(varint_field(1, 1) + varint_field(1, 2)).unsigned(1) == 2


# --- frames ---------------------------------------------------------------------------------------------


def test_frames_as_in_the_protocols_description() -> None:
    """One byte of flags, four of length; the trailers are headers in a frame of their own."""
    body = bytes.fromhex("0000000002") + b"hi" + bytes.fromhex("8000000010") + b"grpc-status: 0\r\n"
    assert split(body) == (b"hi", {"grpc-status": "0"})
    assert frame(b"hi") + trailers_frame(0) == body
    assert split(b"") == (None, {})


@pytest.mark.parametrize(
    "body",
    [
        frame(b"a", 1),
        frame(b"a") + frame(b"b"),
        frame(b"a", 2),
        frame(b"abc")[:-1],
        b"\0\0\0",
        b"\0\xff\xff\xff\xff",
    ],
    ids=["compressed", "two messages", "unknown flag", "cut", "cut head", "4 GB"],
)
def test_other_frames_are_an_error(body: bytes) -> None:
    """Nothing is guessed about a frame that was not asked for or is not whole."""
    with pytest.raises(ValueError, match=r"cut short|compressed|more than one"):
        split(body)


@given(st.binary(max_size=100))
def test_any_bytes_are_frames_or_an_error(data: bytes) -> None:
    """No bytes raise anything but ValueError."""
    try:
        split(data)
    except ValueError:
        return
