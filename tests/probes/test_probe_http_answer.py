"""What answers of web servers mean, however they are written, and that no bytes can do harm."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.inquiries import Said
from agent.probes.http_answer import (
    LONGEST_DETAIL,
    MOST_BYTES,
    HttpError,
    is_complete,
    judge,
    parse,
    printable,
)

NO_CONTENT = b"HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n"
LOGIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><TITLE lang=fr>\n Recharge\n</title>"


def ok(body: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", *headers, b"", body])


def test_the_expected_answers_are_well() -> None:
    """204 where nothing is expected, or exactly the text that is."""
    assert judge(NO_CONTENT, None, ended=False) == (Said.WELL, "")
    assert judge(ok(b"success\n", b"Content-Length: 8"), "success", ended=False) == (Said.WELL, "")
    assert judge(ok(b"success\n"), "success", ended=True) == (Said.WELL, "")


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://box/login?x=1\r\n\r\n",
            "302 Location: http://box/login?x=1",
        ),
        (b"HTTP/1.0 307 x\r\nLOCATION:http://box/\r\n\r\n", "307 Location: http://box/"),
        (b"HTTP/1.1 302\r\n\r\n", "302"),
        (LOGIN, "200 title: Recharge"),
        (ok(b"<p>pay</p>"), "200 <p>pay</p>"),
        (ok(b""), "200"),
        (ok(b"<title"), "200 <title"),
        (b"HTTP/1.1 511 Network Authentication Required\r\n\r\n", "511"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "404"),
        (b"HTTP/1.1 200 OK\nLocation: unix\n\n", "200 Location: unix"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no HTTP: SSH-2.0-OpenSSH_9.2\\r\\n"),
        (b"HTTP/2 204\r\n\r\n", "no HTTP: HTTP/2 204\\r\\n\\r\\n"),
        (b"HTTP/1.1 999 what\r\n\r\n", "no HTTP: HTTP/1.1 999 what\\r\\n\\r\\n"),
        (b"HTTP/1.1 204 x\r\n" + b"a" * MOST_BYTES, "a head without end"),
    ],
)
def test_anything_else_is_somebody_else(data: bytes, detail: str) -> None:
    """Where a portal leads or what it is called is told."""
    assert judge(data, None, ended=True) == (Said.WRONG, detail)


def test_other_content_than_the_expected_is_somebody_elses() -> None:
    """Even if it contains the expected, or is 204, or nothing at all."""
    for data in (ok(b"success but pay"), ok(b"", b"Content-Length: 0"), NO_CONTENT, LOGIN):
        assert judge(data, "success", ended=True)[0] is Said.WRONG


@pytest.mark.parametrize("status", [b"500", b"502", b"503", b"504"])
def test_a_servers_own_trouble_is_a_refusal(status: bytes) -> None:
    """Nobody pretends to be it."""
    said, detail = judge(b"HTTP/1.1 " + status + b" x\r\n\r\n", None, ended=True)
    assert (said, detail) == (Said.REFUSED, status.decode())


@pytest.mark.parametrize("data", [b"", b"H", b"HTTP/1.1 20", NO_CONTENT[:-2]])
def test_half_an_answer_is_none(data: bytes) -> None:
    """Given up it is silence; hung up on it is a refusal."""
    detail = f"answer not complete, {len(data)} bytes"
    assert judge(data, None, ended=False) == (Said.SILENT, detail)
    assert judge(data, None, ended=True) == (Said.REFUSED, detail)


def test_half_of_the_expected_text_is_no_other_text() -> None:
    """Unless nothing more is to come."""
    half = ok(b"succ", b"Content-Length: 8")
    assert judge(half, "success", ended=False)[0] is Said.SILENT
    assert judge(half, "success", ended=True)[0] is Said.REFUSED
    assert judge(ok(b"succ", b"Content-Length: 4"), "success", ended=True)[0] is Said.WRONG
    assert judge(ok(b"fail", b"Content-Length: 8"), "success", ended=False)[0] is Said.WRONG


def test_chunks_and_interim_answers_are_understood() -> None:
    """Servers may send a text in pieces, and hints before the answer."""
    chunked = ok(b"4\r\nsucc\r\n4;x=y\r\ness\n\r\n0\r\n\r\n", b"Transfer-Encoding: chunked")
    assert judge(chunked, "success", ended=True) == (Said.WELL, "")
    assert (
        judge(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + NO_CONTENT, None, ended=False)[0] is Said.WELL
    )
    assert parse(b"HTTP/1.1 100 Continue\r\n\r\n") is None


def test_no_more_is_read_than_is_needed() -> None:
    """A redirection is judged at the end of its head, a text at its last byte, noise at its first."""
    assert is_complete(NO_CONTENT)
    assert not is_complete(NO_CONTENT[:-1])
    assert is_complete(b"HTTP/1.1 302 x\r\n\r\n")
    assert is_complete(b"220 smtp")
    assert not is_complete(LOGIN)
    assert not is_complete(ok(b"succes", b"Content-Length: 7"))
    assert is_complete(ok(b"success", b"content-length: 7"))


def test_a_first_header_counts() -> None:
    """Somebody on the way may have added another."""
    answer = parse(b"HTTP/1.1 302 x\r\nLocation: a\r\nLocation: b\r\n\r\n")
    assert answer is not None
    assert answer.headers["location"] == "a"


@given(st.binary(max_size=300), st.sampled_from([None, "success"]), st.booleans())
def test_no_bytes_break_the_judge(noise: bytes, expected: str | None, ended: bool) -> None:
    """Behind any honest begin too; what is told is one printable line of bounded length."""
    for begin in (b"", b"HTTP/1.1 ", b"HTTP/1.1 302 x\r\n", ok(b"<title>"), NO_CONTENT[:-2]):
        data = begin + noise
        is_complete(data)
        said, detail = judge(data, expected, ended=ended)
        assert said in (Said.WELL, Said.SILENT, Said.REFUSED, Said.WRONG)
        assert detail.isprintable()
        assert len(detail) <= LONGEST_DETAIL + 40


@given(st.binary(max_size=80))
def test_only_http_is_taken_for_http(data: bytes) -> None:
    """There is an answer, the one clear error, or nothing yet."""
    with contextlib.suppress(HttpError):
        answer = parse(data)
        assert answer is None or 200 <= answer.status <= 599


@given(st.text(max_size=400))
def test_what_is_told_fits_on_one_line(text: str) -> None:
    """Control characters, line ends and directions of writing cannot disturb a terminal."""
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown) <= LONGEST_DETAIL
    assert shown == text or not text.isprintable() or len(text) > LONGEST_DETAIL
