"""What the begin of an HTTP/1.1 answer says about who answered. Pure; RFC 9112.

A page is asked for whose answer is known. Who answers anything else in its place stands in the way: a
portal that wants a login, a page that says that the data of this month is used up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from agent.core.inquiries import Said

MOST_BYTES: Final = 4096
"""Of an answer; enough to see whose it is."""
NO_CONTENT: Final = 204
LONGEST_DETAIL: Final = 160
_BEGIN: Final = b"HTTP/1."
_END_OF_HEAD: Final = re.compile(rb"\r?\n\r?\n")
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\r?\n")
_OK, _NETWORK_LOGIN = 200, 511
"""511 is "network authentication required" (RFC 6585, 6)."""


class HttpError(ValueError):
    """Bytes that are no HTTP answer, whatever may follow; the message says what they are."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The final answer as far as it has come; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def missing_bytes(self) -> int:
        """How much of the body has not come yet, as far as its length is told."""
        length = self.headers.get("content-length", "")
        return max(0, int(length) - len(self.body)) if re.fullmatch(r"[0-9]{1,9}", length) else 0


def parse(data: bytes) -> HttpAnswer | None:
    """The answer that begins with ``data``; None while its head is not complete.

    Interim answers (status 1xx) are passed over.

    Raises:
        HttpError: it is no answer.
    """
    while True:
        status = _STATUS.match(data)
        if status is None and (b"\n" in data or not data.startswith(_BEGIN[: len(data)])):
            raise HttpError(printable(data.decode("latin-1")))
        end = _END_OF_HEAD.search(data)
        if status is None or end is None:
            return None
        if not status[1].startswith(b"1"):
            break
        data = data[end.end() :]
    headers: dict[str, str] = {}
    for line in data[status.end() : end.start()].decode("latin-1").split("\n"):
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), value.strip())
    body = data[end.end() :]
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = _without_chunks(body)
    return HttpAnswer(int(status[1]), headers, body)


def _without_chunks(data: bytes) -> bytes:
    """A body that is sent in chunks (RFC 9112, 7.1), as far as it has come."""
    body = b""
    while True:
        line, _, data = data.partition(b"\r\n")
        size = line.partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", size) or int(size, 16) == 0:
            return body
        body += data[: int(size, 16)]
        data = data[int(size, 16) + 2 :]


def is_complete(data: bytes) -> bool:
    """True once nothing more is needed to judge; the connection's end and ``MOST_BYTES`` end it as well."""
    try:
        answer = parse(data)
    except HttpError:
        return True
    if answer is None:
        return False
    return answer.status != _OK or ("content-length" in answer.headers and not answer.missing_bytes)


def judge(data: bytes, expected: str | None, *, ended: bool) -> tuple[Said, str]:
    """What an answer means, with what it says in one printable line.

    Args:
        data: its begin, at most ``MOST_BYTES``.
        expected: the exact body of a page with status 200, white space around it aside; None expects 204.
        ended: nothing more would have come; else it was given up, or as much as is looked at has come.
    """
    cut = (Said.REFUSED if ended else Said.SILENT), f"answer not complete, {len(data)} bytes"
    if not data:
        return cut
    try:
        answer = parse(data)
    except HttpError as error:
        return Said.WRONG, f"no HTTP: {error}"
    if answer is None:
        return (Said.WRONG, "a head without end") if len(data) >= MOST_BYTES else cut
    if expected is None and answer.status == NO_CONTENT:
        return Said.WELL, ""
    if expected is not None and answer.status == _OK:
        body = answer.body.decode("utf-8", "replace").strip()
        if body == expected.strip():
            return Said.WELL, ""
        more_to_come = answer.missing_bytes or not ended
        if more_to_come and expected.strip().startswith(body) and len(data) < MOST_BYTES:
            return cut
    detail = f"{answer.status} {_shown(answer)}".rstrip()
    if answer.status >= 500 and answer.status != _NETWORK_LOGIN:
        # The server's own trouble, or that of something on the way: nobody pretends to be it.
        return Said.REFUSED, detail
    return Said.WRONG, detail


def _shown(answer: HttpAnswer) -> str:
    """Where a redirection leads, or else the page's title, or its first words."""
    if "location" in answer.headers:
        return f"Location: {printable(answer.headers['location'])}"
    text = answer.body.decode("utf-8", "replace")
    lower = text.lower()
    begin = lower.find("<title")
    begin = lower.find(">", begin) + 1 if begin >= 0 else 0
    if begin:
        end = lower.find("</title", begin)
        return f"title: {printable(text[begin : end if end >= 0 else None].strip())}"
    return printable(text.strip())


def printable(text: str) -> str:
    """``text`` on one line, shortened; what cannot be printed as its number."""
    short = text[:LONGEST_DETAIL]
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in short
    )
    return shown if len(shown) <= LONGEST_DETAIL and short == text else shown[: LONGEST_DETAIL - 3] + "..."
