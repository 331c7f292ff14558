"""STUN messages: what is asked, what an honest answer says, and that no bytes can do harm."""

from __future__ import annotations

import binascii
import contextlib
import struct
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.probes.stun_message import StunError, StunRefusedError, decode_answer, encode_request

IDENT = bytes.fromhex("b7e7a701bc34d686fa87dfae")
COOKIE = 0x2112A442
MASK = struct.pack("!I", COOKIE) + IDENT
V4 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220"
    "002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)
V6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220"
    "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed41"
    "80280004c8fb0b4c"
)
"""The sample answers of RFC 5769, 2.2 and 2.3."""


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def message(*attributes: bytes, kind: int = 0x0101, ident: bytes = IDENT, cookie: int = COOKIE) -> bytes:
    body = b"".join(attributes)
    return struct.pack("!HHI12s", kind, len(body), cookie, ident) + body


def mapped(address: str) -> bytes:
    """An XOR-MAPPED-ADDRESS."""
    plain = (IPv6Address if ":" in address else IPv4Address)(address).packed
    value = bytes([0, 2 if ":" in address else 1, 0xA1, 0x47])
    return attribute(0x0020, value + bytes(a ^ b for a, b in zip(plain, MASK, strict=False)))


def test_a_request_is_as_the_standard_says() -> None:
    """Binding request, no attributes, the cookie, the number: 20 bytes."""
    assert encode_request(IDENT) == bytes.fromhex("000100002112a442") + IDENT


@pytest.mark.parametrize(
    ("data", "address"), [(V4, "192.0.2.1"), (V6, "2001:db8:1234:5678:11:2233:4455:6677")]
)
def test_the_samples_of_the_standard_are_understood(data: bytes, address: str) -> None:
    """With software name, integrity and fingerprint; every other fingerprint is refused."""
    assert decode_answer(data, IDENT) == address
    with pytest.raises(StunError, match="fingerprint"):
        decode_answer(data[:-1] + bytes([data[-1] ^ 1]), IDENT)


def test_an_old_server_gives_the_address_as_it_is() -> None:
    """MAPPED-ADDRESS of RFC 3489, which the newer one outdoes."""
    old = attribute(0x0001, bytes([0, 1, 0, 80, 81, 2, 69, 160]))
    assert decode_answer(message(old), IDENT) == "81.2.69.160"
    assert decode_answer(message(old, mapped("81.2.69.161")), IDENT) == "81.2.69.161"


def test_a_refusal_says_its_number_and_words() -> None:
    """Of whatever letters the server chose, those that can be printed."""
    refused = message(attribute(0x0009, bytes([0, 0, 4, 20]) + b"Unknown\n"), kind=0x0111)
    with pytest.raises(StunRefusedError, match=r"error 420 Unknown\?"):
        decode_answer(refused, IDENT)


FINGERPRINT = struct.pack("!I", binascii.crc32(b"something else") ^ 0x5354554E)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "0 bytes"),
        (message(mapped("81.2.69.160"), ident=bytes(12)), "not an answer to this question"),
        (message(mapped("81.2.69.160"), cookie=0), "not an answer to this question"),
        (message(mapped("81.2.69.160"))[:-4], "says 12 bytes and has 8"),
        (message(mapped("81.2.69.160")) + bytes(4), "says 12 bytes and has 16"),
        (message(mapped("81.2.69.160"), kind=0x0001), "message type 0x0001"),
        (message(), "no address"),
        (message(struct.pack("!HH", 0x0020, 9) + bytes(8)), "cut off"),
        (message(attribute(0x0020, bytes([0, 3, 0, 0, 1, 2, 3, 4]))), "family 3"),
        (message(attribute(0x0020, bytes([0, 2, 0, 0, 1, 2, 3, 4]))), "family 2 in 8 bytes"),
        (message(attribute(0x0020, b"")), "family 0"),
        (message(attribute(0x0024, b"abcd"), mapped("81.2.69.160")), "0x0024 is not known"),
        (message(attribute(0x8028, FINGERPRINT), mapped("81.2.69.160")), "fingerprint"),
    ],
)
def test_what_is_no_answer_is_refused(data: bytes, why: str) -> None:
    """Each with the reason."""
    with pytest.raises(StunError, match=why):
        decode_answer(data, IDENT)


@given(st.ip_addresses().map(str), st.lists(st.binary(max_size=30).map(lambda b: attribute(0x8022, b))))
def test_every_address_comes_through(address: str, others: list[bytes]) -> None:
    """Whatever a server adds that may be passed over."""
    assert decode_answer(message(*others, mapped(address)), IDENT) == address


@given(st.one_of(st.binary(max_size=600), st.lists(st.binary(max_size=40)).map(lambda p: message(*p))))
@example(message(struct.pack("!HH", 0x8022, 0xFFFF)))
def test_no_bytes_can_do_harm(data: bytes) -> None:
    """An address, or the one error; nothing else, and no waiting."""
    with contextlib.suppress(StunError):
        decode_answer(data, IDENT)


@given(st.integers(0, len(V4) - 1), st.integers(1, 255))
def test_a_changed_byte_is_never_another_address(at: int, flip: int) -> None:
    """The fingerprint sees to that; without it the answer would be another address."""
    data = bytearray(V4)
    data[at] ^= flip
    with contextlib.suppress(StunError):
        assert decode_answer(bytes(data), IDENT) == "192.0.2.1"
