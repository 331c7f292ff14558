"""DNS messages: what is asked, what an honest answer says, and that no bytes can do harm."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.probes.dns_message import (
    CODES,
    LONGEST_NAME,
    MOST_RECORDS,
    Answer,
    DnsError,
    decode_answer,
    encode_query,
    labels_of,
)
from agent.probes.public import is_public, is_somewhere

NAME = "one.one.one.one"
LABELS = (b"one",) * 4
QUESTION = b"\3one\3one\3one\3one\0" + struct.pack("!HH", 1, 1)
TO_QUESTION = b"\xc0\x0c"
IS_ANSWER = 0x8180


def record(owner: bytes, kind: int, data: bytes, family: int = 1) -> bytes:
    return owner + struct.pack("!HHIH", kind, family, 300, len(data)) + data


def answer(*records: bytes, flags: int = IS_ANSWER, ident: int = 7, question: bytes = QUESTION) -> bytes:
    head = struct.pack("!HHHHHH", ident, flags, 1 if question else 0, len(records), 0, 0)
    return head + question + b"".join(records)


A_RECORD = record(TO_QUESTION, 1, bytes([1, 1, 1, 1]))


def test_a_question_is_as_the_standard_says() -> None:
    """Header with "recursion desired", the name by labels, type A, class IN: 33 bytes for this one."""
    assert encode_query(0x1234, NAME) == bytes.fromhex("1234 0100 0001 0000 0000 0000") + QUESTION
    assert encode_query(1, "Dns.Google.") == encode_query(1, "dns.google")


@pytest.mark.parametrize(
    "name", ["", ".", "a..b", "a b", "é.fr", "a" * 64 + ".fr", "a." * 127 + "a.", ".fr", "a/b", "a\0b"]
)
def test_what_is_no_host_name_is_not_asked_for(name: str) -> None:
    """A clear error instead of a question that nobody can answer."""
    with pytest.raises(ValueError, match="is not a host name"):
        encode_query(1, name)


def test_an_honest_answer_gives_its_addresses() -> None:
    """In their order."""
    second = record(TO_QUESTION, 1, bytes([1, 0, 0, 1]))
    assert decode_answer(answer(A_RECORD, second)) == Answer(7, 0, False, LABELS, ("1.1.1.1", "1.0.0.1"))


def test_aliases_are_followed_in_any_order() -> None:
    """The address of an alias is one of the name; that of a stranger is not."""
    alias = b"\5alias\3net\0"
    addresses = (record(alias, 1, bytes([9, 9, 9, 9])), record(b"\5other\3net\0", 1, bytes([6, 6, 6, 6])))
    aliases = (record(b"\3mid\3net\0", 5, alias), record(TO_QUESTION, 5, b"\3mid\3net\0"))
    assert decode_answer(answer(*addresses, *aliases)).addresses == ("9.9.9.9",)


def test_aliases_in_a_circle_end() -> None:
    """Two names that are aliases of each other have no address, and cost no time."""
    other = b"\5other\3net\0"
    circle = (record(TO_QUESTION, 5, other), record(other, 5, TO_QUESTION))
    assert decode_answer(answer(*circle)).addresses == ()


def test_the_case_of_letters_does_not_matter() -> None:
    """Some servers answer in capitals."""
    loud = answer(record(QUESTION[:-4].upper(), 1, bytes(4)), question=QUESTION.upper())
    assert decode_answer(loud).name == labels_of(NAME)
    assert decode_answer(loud).addresses == ("0.0.0.0",)


@pytest.mark.parametrize(("code", "name"), [*CODES.items(), (9, "code 9")])
def test_a_code_has_its_name(code: int, name: str) -> None:
    """What the server says is told in its own words."""
    said = decode_answer(answer(flags=IS_ANSWER | code))
    assert (said.code, said.code_name) == (code, name)


def test_an_error_may_come_without_the_question() -> None:
    """Servers that did not understand it cannot repeat it."""
    assert decode_answer(answer(flags=IS_ANSWER | 1, question=b"")) == Answer(7, 1, False, None, ())


def test_other_records_and_classes_are_passed_over() -> None:
    """Signatures and the like, whatever is in them."""
    others = (record(TO_QUESTION, 46, b"x" * 90), record(TO_QUESTION, 1, bytes(4), family=3))
    assert decode_answer(answer(*others, A_RECORD)).addresses == ("1.1.1.1",)


SELF = struct.pack("!H", 0xC000 | (12 + len(QUESTION)))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "ends in the middle"),
        (answer(A_RECORD)[:-1], "ends in the middle"),
        (encode_query(7, NAME), "not an answer"),
        (answer(flags=IS_ANSWER | 0x2800), "not an answer"),
        (answer(question=b""), "0 questions"),
        (answer(question=QUESTION[:-4] + b"\0\x1c\0\1"), "another kind of question"),
        (answer(record(SELF, 1, bytes(4))), "points to itself"),
        (answer(record(b"\1a" + SELF, 1, bytes(4))), "points to itself"),
        (answer(record(b"\xc0\xff", 1, bytes(4))), "points to itself or ahead"),
        (answer(record(b"\x80a\0", 1, bytes(4))), "unknown kind"),
        (answer(record((b"\x3f" + b"a" * 63) * 4 + b"\0", 1, bytes(4))), "longer than 255"),
        (answer(record(TO_QUESTION, 5, b"\1a\0more")), "not as long as it says"),
        (answer(*[A_RECORD] * (MOST_RECORDS + 1)), "more than 64"),
    ],
)
def test_what_is_no_answer_is_told(data: bytes, why: str) -> None:
    """Cut short, circular, too long, or simply something else."""
    with pytest.raises(DnsError, match=why):
        decode_answer(data)


def test_a_long_chain_of_pointers_is_cut_short() -> None:
    """It ends somewhere, but only after more steps than any honest name needs."""
    data_at = 12 + len(QUESTION) + len(record(b"\0", 16, b""))
    links = b"\0\0" + b"".join(struct.pack("!H", 0xC000 | (data_at + 2 * number)) for number in range(20))
    last = struct.pack("!H", 0xC000 | (data_at + 40))
    with pytest.raises(DnsError, match="more than 16 pointers"):
        decode_answer(answer(record(b"\0", 16, links), record(last, 1, bytes(4))))


@given(st.binary(max_size=600))
@example(answer(record(b"\xc0\x0c", 5, b"\xc0\x0c")))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    """Whatever a server sends, there is an answer or the one clear error."""
    with contextlib.suppress(DnsError):
        said = decode_answer(data)
        assert len(said.addresses) <= MOST_RECORDS


@given(st.data())
def test_no_change_to_an_honest_answer_breaks_the_reader(data: st.DataObject) -> None:
    """Bytes replaced, removed and repeated where it hurts most."""
    message = bytearray(answer(A_RECORD, record(TO_QUESTION, 5, b"\5alias" + TO_QUESTION), A_RECORD))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(message) - 1))
        message[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    with contextlib.suppress(DnsError):
        decode_answer(bytes(message))


HOST_LABEL = st.from_regex(r"[a-z0-9_-]{1,63}", fullmatch=True)


@given(st.integers(0, 65535), st.lists(HOST_LABEL, min_size=1, max_size=4))
def test_any_question_comes_back_with_its_answer(ident: int, labels: list[str]) -> None:
    """Number and name are what an answer is matched by."""
    name = ".".join(labels)
    if len(name) > LONGEST_NAME:
        return
    question = encode_query(ident, name)
    said = decode_answer(answer(A_RECORD, ident=ident, question=question[12:]))
    assert (said.ident, said.name, said.addresses) == (ident, labels_of(name), ("1.1.1.1",))


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("1.1.1.1", True),
        ("8.8.8.8", True),
        ("100.63.255.255", True),
        ("172.32.0.1", True),
        ("192.168.1.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("100.64.0.1", False),
        ("127.0.0.1", False),
        ("169.254.1.1", False),
        ("0.0.0.0", False),
        ("198.18.0.5", False),
        ("203.0.113.10", False),
        ("239.1.1.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("", False),
    ],
)
def test_public_addresses_are_told_from_all_others(address: str, public: bool) -> None:
    """What a host on the internet can have, and what only somebody nearer can."""
    assert is_public(address) is public


@pytest.mark.parametrize(
    ("address", "somewhere"),
    [
        ("1.1.1.1", True),
        ("192.168.1.1", True),
        ("100.64.0.1", True),
        ("0.0.0.0", False),
        ("127.0.0.53", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("portal", False),
    ],
)
def test_nobody_is_asked_who_cannot_answer(address: str, somewhere: bool) -> None:
    """A portal may be on the LAN; this machine and nobody are no portals."""
    assert is_somewhere(address) is somewhere
