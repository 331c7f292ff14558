"""What is learned by asking more than an echo of what is behind an uplink."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Asked(StrEnum):
    """What a check beyond echoes asked."""

    NAME = "name"
    """A name server for the address of a name that must exist."""
    WEB = "web"
    """A web server for a page whose answer is known."""
    HOP = "hop"
    """The operator's first hop beyond the box whether it is there."""


class Said(StrEnum):
    """What came of a check."""

    WELL = "well"
    """The expected answer."""
    SILENT = "silent"
    """No answer in time."""
    REFUSED = "refused"
    """An active refusal: an ICMP error, a TCP reset, a name server that says that it cannot or will not."""
    WRONG = "wrong"
    """An answer that cannot be that of the party that was asked: somebody else answers in its place."""
    UNSENT = "unsent"
    """Nothing left the machine: says nothing about the uplink."""


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one question beyond echoes.

    Attributes:
        uplink: the uplink that it went through.
        asked: what kind of question.
        subject: which one: ``name@server``, the page's URL, or the hop's number counted from this machine.
        sent_at: when it was asked, monotonic seconds.
        said: what came of it.
        took_ms: from the question to the answer; None without an answer.
        by: address of whoever answered or refused; None if nobody did.
        detail: for the log and the case file; printable, one line, bounded.
    """

    uplink: str
    asked: Asked
    subject: str
    sent_at: float
    said: Said
    took_ms: float | None = None
    by: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """The newest outcome of one question beyond echoes, and how often in a row it has been the same."""

    check: Check
    times: int = 1
