"""What is learned by asking more than an echo: of what is behind an uplink, and of a device about itself."""

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


class Sim(StrEnum):
    """What a modem says of its SIM card."""

    READY = "ready"
    MISSING = "missing"
    PIN = "pin"
    PUK = "puk"
    BLOCKED = "blocked"


class Registration(StrEnum):
    """Where a modem stands with the network."""

    HOME = "home"
    ROAMING = "roaming"
    SEARCHING = "searching"
    DENIED = "denied"
    NONE = "none"


class Strength(StrEnum):
    """A radio signal, judged as a whole."""

    EXCELLENT = "excellent"
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class Says:
    """What a box, a dish or a modem says of itself when it is asked; None is "does not say".

    Attributes:
        uplink: the uplink that it stands on.
        heard: it answered at all. A device that used to answer and does not any more may be frozen.
        line_up: light, DSL or radio is there.
        wan_up: it has a connection to the internet.
        sim: the SIM card.
        registration: with the mobile network.
        signal: the radio.
        cause: its own word for what is wrong, for people who know the device.
        cut_helps: False if a power cycle cannot cure what it names (obstructed, booting, no light).
    """

    uplink: str
    heard: bool
    line_up: bool | None = None
    wan_up: bool | None = None
    sim: Sim | None = None
    registration: Registration | None = None
    signal: Strength | None = None
    cause: str | None = None
    cut_helps: bool | None = None
