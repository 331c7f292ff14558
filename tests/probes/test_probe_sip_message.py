"""What answers of telephone servers mean, however they are written, and that no bytes can do harm."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.probes.services.sip_message import Answer, Options, SipError, decode

ASKED = Options("sip.example.net", 5060, "UDP", ("192.168.1.10", 41234), "0123456789abcdef")


def reply(status: str = "200 OK", *more: str, via: str | None = None, body: str = "") -> bytes:
    """An answer to ``ASKED`` as servers write them."""
    via = via or "SIP/2.0/UDP 192.168.1.10:41234;rport=41234;received=1.2.3.4;branch=z9hG4bK0123456789abcdef"
    lines = [f"SIP/2.0 {status}", f"Via: {via}", "Call-ID: 0123456789abcdef@192.168.1.10", "CSeq: 1 OPTIONS"]
    return "\r\n".join([*lines, *more, f"Content-Length: {len(body)}", "", body]).encode()


def answer_of(data: bytes) -> Answer:
    answer = decode(data)
    assert answer is not None
    return answer


def test_the_question_has_all_that_rfc_3261_wants_of_it() -> None:
    """Section 8.1.1; rport (RFC 3581) brings the answer back through address translation."""
    lines = ASKED.encode().decode().split("\r\n")
    assert lines[0] == "OPTIONS sip:sip.example.net SIP/2.0"
    assert lines[-2:] == ["", ""]
    headers = dict(line.split(": ", 1) for line in lines[1:-2])
    assert headers["Via"] == "SIP/2.0/UDP 192.168.1.10:41234;branch=z9hG4bK0123456789abcdef;rport"
    assert headers["Max-Forwards"] == "70"
    assert headers["From"] == "<sip:vigie@192.168.1.10>;tag=0123456789"
    assert headers["To"] == "<sip:sip.example.net>"
    assert headers["Call-ID"] == "0123456789abcdef@192.168.1.10"
    assert headers["CSeq"] == "1 OPTIONS"
    assert headers["Contact"] == "<sip:vigie@192.168.1.10:41234>"
    assert headers["Content-Length"] == "0"
    tcp = Options("1.2.3.4", 5070, "TCP", ("192.168.1.10", 5), "ab").encode()
    assert tcp.startswith(b"OPTIONS sip:1.2.3.4:5070;transport=tcp SIP/2.0\r\nVia: SIP/2.0/TCP ")


def test_an_answer_is_known_by_branch_call_and_number() -> None:
    """What answers another question, or nobody's, is none."""
    assert answer_of(reply()).is_to(ASKED)
    assert not answer_of(reply(via="SIP/2.0/UDP 1.2.3.4;branch=z9hG4bKother")).is_to(ASKED)
    # Only the topmost Via is ours to look at.
    two = "SIP/2.0/UDP 1.2.3.4;branch=z9hG4bKother, SIP/2.0/UDP x;branch=z9hG4bK0123456789abcdef"
    assert not answer_of(reply(via=two)).is_to(ASKED)
    assert not answer_of(reply().replace(b"1 OPTIONS", b"1 INVITE")).is_to(ASKED)
    assert not answer_of(reply().replace(b"@192", b"@193")).is_to(ASKED)


def test_compact_and_folded_headers_are_the_same_headers() -> None:
    """RFC 3261, 7.3.1 and 7.3.3."""
    data = (
        b"SIP/2.0 404 Not Found\r\nv: SIP/2.0/UDP 192.168.1.10:41234\r\n ;BRANCH=z9hG4bK0123456789abcdef\r\n"
        b"i: 0123456789abcdef@192.168.1.10\r\nCSEQ:1   OPTIONS\r\nl: 0\r\n\r\n"
    )
    assert answer_of(data).is_to(ASKED)


def test_an_answer_is_as_long_as_it_says_and_begins_after_empty_lines() -> None:
    """On a connection the next one follows."""
    first = reply("100 Trying", body="wait")
    answer = answer_of(b"\r\n\r\n" + first + reply())
    assert (answer.status, answer.is_final, answer.length) == (100, False, len(first) + 4)


@pytest.mark.parametrize(
    "noise",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"SIP/2.0 700 x\r\n\r\n",
        b"SIP/3.0",
        b"\0\xff",
        b"OPTIONS sip:x SIP/2.0\r\n",
    ],
)
def test_what_is_no_answer_is_told_printable(noise: bytes) -> None:
    """As early as it can be known."""
    with pytest.raises(SipError) as caught:
        decode(noise)
    assert str(caught.value).isprintable()
    with pytest.raises(SipError, match="Content-Length: -1"):
        decode(reply().replace(b"Content-Length: 0", b"Content-Length: -1"))


@given(st.integers(0, len(reply("200 OK", body="abc"))))
def test_an_answer_cut_anywhere_is_whole_or_not_yet(size: int) -> None:
    """Never an error, and whole exactly when its head is."""
    data = reply("200 OK", body="abc")
    assert (decode(data[:size]) is None) is (size < len(data) - 3)


@given(
    st.binary(max_size=600)
    | st.binary(max_size=300).map(lambda noise: b"SIP/2.0 200 OK\r\n" + noise + b"\r\n\r\n")
)
def test_any_bytes_are_an_answer_or_an_error(data: bytes) -> None:
    """Nothing else can come of them, and no answer reaches back before its begin."""
    with contextlib.suppress(SipError):
        answer = decode(data)
        if answer is not None:
            assert 100 <= answer.status < 700
            assert answer.reason.isprintable()
            assert answer.length > 0
