"""SIP messages: the question OPTIONS, and what an answer says. Pure; RFC 3261.

One question and the first lines of its answers are all that is needed. Whatever bytes arrive, there is an
answer or a ``SipError``, after a number of steps that their length bounds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from agent.probes.http_answer import printable

COOKIE: Final = "z9hG4bK"
"""How a branch begins (RFC 3261, 8.1.1.7)."""
MOST_BYTES: Final = 8192
"""Of an answer; honest ones have some hundreds."""
SICK: Final = frozenset({500, 503, 504})
"""The server itself, or the one behind it, says that it does not work (RFC 3261, 21.5.1, 21.5.4, 21.5.5). Any
other final answer, a refusal too, shows that telephony is there: OPTIONS need not be allowed to everybody."""

_STATUS: Final = re.compile(rb"SIP/2\.0 ([1-6][0-9]{2})(?: ([^\r\n]*))?")
_END_OF_HEAD: Final = re.compile(rb"\r?\n\r?\n")
_BEGIN: Final = b"SIP/2.0 "
_SHORT: Final = {"v": "via", "i": "call-id", "l": "content-length", "f": "from", "t": "to"}
"""Compact forms of the headers that are looked at (RFC 3261, 7.3.3)."""


class SipError(ValueError):
    """Bytes that are no SIP answer, whatever may follow; the message says what they are."""


@dataclass(frozen=True, slots=True)
class Options:
    """One question OPTIONS with what makes it unlike any other.

    Attributes:
        host: whom it is for: a name or an IPv4 address.
        port: the server's.
        transport: ``UDP`` or ``TCP``.
        own: this machine's address and port on the way there.
        token: random, letters and digits; branch, tag and call are made from it.
    """

    host: str
    port: int
    transport: str
    own: tuple[str, int]
    token: str

    @property
    def branch(self) -> str:
        """Identifies the question in the answer's topmost Via."""
        return f"{COOKIE}{self.token}"

    @property
    def call(self) -> str:
        """Identifies the dialogue that never begins."""
        return f"{self.token}@{self.own[0]}"

    def encode(self) -> bytes:
        """What is sent to the server."""
        address, port = self.own
        parameter = ";transport=tcp" if self.transport == "TCP" else ""
        uri = f"sip:{self.host}" + ("" if self.port == USUAL_PORT else f":{self.port}") + parameter
        lines = [
            f"OPTIONS {uri} SIP/2.0",
            f"Via: SIP/2.0/{self.transport} {address}:{port};branch={self.branch};rport",
            "Max-Forwards: 70",
            f"From: <sip:vigie@{address}>;tag={self.token[:10]}",
            f"To: <sip:{self.host}>",
            f"Call-ID: {self.call}",
            "CSeq: 1 OPTIONS",
            f"Contact: <sip:vigie@{address}:{port}{parameter}>",
            "Accept: application/sdp",
            "User-Agent: vigie",
            "Content-Length: 0",
        ]
        return "\r\n".join([*lines, "", ""]).encode("ascii")


USUAL_PORT: Final = 5060


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer; header names are long and in lower case, of each the first counts.

    Attributes:
        status: 100 to 699; below 200 another one follows.
        reason: what it says in words, printable.
        headers: as they stand.
        length: bytes of the message in all, its body included.
    """

    status: int
    reason: str
    headers: dict[str, str]
    length: int

    @property
    def is_final(self) -> bool:
        """No other answer follows."""
        return self.status >= 200

    def is_to(self, asked: Options) -> bool:
        """It answers this question, and no other."""
        via = self.headers.get("via", "")
        branches = re.findall(r";\s*branch\s*=\s*([^;,\s]+)", via.partition(",")[0], re.IGNORECASE)
        number = self.headers.get("cseq", "").split()
        return (
            branches == [asked.branch]
            and self.headers.get("call-id", "") == asked.call
            and number == ["1", "OPTIONS"]
        )


def decode(data: bytes) -> Answer | None:
    """The answer at the begin of ``data``; None while its head is not complete.

    Empty lines before it are passed over (RFC 3261, 7.5).

    Raises:
        SipError: it is no answer.
    """
    start = len(data) - len(data.lstrip(b"\r\n"))
    data = data[start:]
    line, newline, _ = data.partition(b"\n")
    if not data.startswith(_BEGIN[: len(data)]):
        raise SipError(printable(line.decode("latin-1")))
    end = _END_OF_HEAD.search(data)
    if newline and (status := _STATUS.fullmatch(line.removesuffix(b"\r"))) is None:
        raise SipError(printable(line.decode("latin-1")))
    if not newline or end is None:
        return None
    assert status is not None, "a head that is complete has a first line"
    headers = _headers(data[len(line) : end.start()].decode("utf-8", "replace"))
    body = headers.get("content-length", "0")
    if not re.fullmatch(r"[0-9]{1,9}", body):
        raise SipError(f"Content-Length: {printable(body)}")
    reason = printable((status[2] or b"").decode("utf-8", "replace"))
    return Answer(int(status[1]), reason, headers, start + end.end() + int(body))


def _headers(text: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    name = ""
    for line in text.split("\n"):
        if line[:1] in (" ", "\t") and name:
            # A header goes on in the next line.
            headers[name] += " " + line.strip()
            continue
        key, colon, value = line.partition(":")
        key = key.strip().lower()
        name = _SHORT.get(key, key) if colon else ""
        if name and name not in headers:
            headers[name] = value.strip()
        elif name:
            name = ""
    return headers
