"""Which questions to ask a modem on its serial port, and how its answers make one reading. Pure.

Every question here only reads; none of them scans for networks, which takes minutes and the connection
with it (``AT+COPS=?``), and none carries a PIN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

from hardware import at_3gpp, at_huawei, at_quectel, at_sierra, at_simcom, radio
from hardware.at_lines import Answer, labelled, plain_text, rows
from hardware.ports import Network, Signal

IDENTITY = ("AT+CGMI", "AT+CGMM", "AT+CGMR")
"""Maker, model, firmware (TS 27.007, 5.1 to 5.3)."""
IDENTITY_AT_ONCE = "ATI"
"""The same from a modem that does not know these (ITU-T V.250, 6.1.3)."""

NAMES, CODES = "AT+COPS=3,0", "AT+COPS=3,2"
"""Set the form in which the operator is told; mode 3 touches nothing else (TS 27.007, 7.3)."""

COMMON = (
    "AT+CPIN?",
    "AT+CSQ",
    "AT+CESQ",
    "AT+C5GREG?",
    "AT+CEREG?",
    "AT+CGREG?",
    "AT+CREG?",
    NAMES,
    "AT+COPS?",
    CODES,
    "AT+COPS?",
    "AT+CGACT?",
    "AT+CGPADDR",
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """A maker's own commands.

    Attributes:
        name: for people.
        marks: what a maker's or model's name of this kind contains, in lower case.
        commands: questions beyond the common ones.
    """

    name: str
    marks: tuple[str, ...]
    commands: tuple[str, ...]

    @property
    def questions(self) -> tuple[str, ...]:
        """Everything to ask for one reading, in order."""
        return (*COMMON, *self.commands)


GENERIC = Dialect("3GPP", (), ())
DIALECTS = (
    Dialect("Quectel", ("quectel",), at_quectel.COMMANDS),
    Dialect("SIMCom", ("simcom", "sim7", "sim8", "a76"), at_simcom.COMMANDS),
    Dialect("Huawei", ("huawei",), at_huawei.COMMANDS),
    Dialect("Sierra", ("sierra", "dw58"), at_sierra.COMMANDS),
    GENERIC,
)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a modem says that it is; None where it does not."""

    maker: str | None = None
    model: str | None = None
    firmware: str | None = None

    @property
    def dialect(self) -> Dialect:
        """The first dialect that knows this maker or model, else the generic one."""
        name = f"{self.maker or ''} {self.model or ''}".lower()
        return next((dialect for dialect in DIALECTS if any(mark in name for mark in dialect.marks)), GENERIC)

    @property
    def label(self) -> str | None:
        """Maker and model in one, without naming the maker twice."""
        if self.model is None or self.maker is None:
            return self.model or self.maker
        first = self.maker.split()[0]
        return self.model if first.lower() in self.model.lower() else f"{first} {self.model}"


def identify(answers: Sequence[Answer]) -> Identity:
    """Who answered, from ``IDENTITY`` and, for what these leave open, ``IDENTITY_AT_ONCE``."""
    named: dict[str, str | None] = {}
    at_once: tuple[str, ...] = ()
    for answer in answers:
        if answer.ok and answer.command in IDENTITY:
            named[answer.command] = _bare(answer)
        elif answer.ok and answer.command == IDENTITY_AT_ONCE:
            at_once = answer.lines
    maker, model, firmware = (named.get(command) for command in IDENTITY)
    plain = [line for line in at_once if ":" not in line]
    return Identity(
        maker=maker or labelled(at_once, "Manufacturer") or plain_text(plain),
        model=model or labelled(at_once, "Model") or plain_text(plain[1:]),
        firmware=firmware or labelled(at_once, "Revision"),
    )


def _bare(answer: Answer) -> str | None:
    """The name in an answer like ``Quectel`` or ``+CGMM: "EC25"``."""
    for fields in rows(answer.lines, answer.command[2:]):
        if fields[0]:
            return fields[0]
    return plain_text(answer.lines)


def understand(answers: Sequence[Answer], identity: Identity | None = None) -> Signal:
    """One reading from all answers; where several tell the same, the more exact one counts.

    Lines explain themselves by their prefix, so reports between the answers are used as well, and it does
    not matter which question a line belongs to.
    """
    lines = [line for answer in answers for line in answer.lines]
    identity = identity or identify(answers)
    registered = at_3gpp.registration(lines)
    parts = (
        # The network's own word on registration goes before what a maker's summary makes of it.
        Signal(registration=registered.registration, model=identity.label, firmware=identity.firmware),
        at_quectel.qeng(lines),
        at_simcom.cpsi(lines),
        at_sierra.gstatus(lines),
        at_huawei.monsc(lines),
        at_huawei.hcsq(lines),
        at_quectel.qcsq(lines),
        at_quectel.qnwinfo(lines),
        at_3gpp.cesq(lines),
        at_3gpp.csq(lines),
        at_3gpp.sim(answers),
        at_huawei.sysinfoex(lines),
        at_3gpp.operator(lines),
        registered,
        at_3gpp.data_state(lines),
        at_3gpp.address(lines),
    )
    reading = reduce(radio.fill, parts)
    if reading.nr is not None and reading.network is Network.G4:
        return replace(reading, network=Network.G5_NSA)
    return reading
