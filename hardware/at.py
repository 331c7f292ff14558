"""A cellular modem on a serial port, by AT commands: the ``Modem`` port for Quectel, SIMCom, Huawei, Sierra.

Others are read by what 3GPP TS 27.007 makes common. Only the commands in ``ALLOWED`` can be sent, and a
short message; so no programming error here can enter a PIN, scan for networks or change a setting that
outlives a reboot.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from hardware import at_dialects
from hardware.at_dialects import DIALECTS, Identity, identify, understand
from hardware.at_lines import Answer
from hardware.at_port import AtPort, PortGoneError
from hardware.closing import Closing
from hardware.ports import HardwareError, Signal, UnconfirmedError
from hardware.sms import submit_pdu, text_message

ATTENTION, NO_ECHO, ERRORS_AS_NUMBERS = "AT", "ATE0", "AT+CMEE=1"
REBOOT = "AT+CFUN=1,1"
"""Full function after a reset (TS 27.007, 8.2); the port disappears, often before the ``OK``."""
PDU_MODE = "AT+CMGF=0"
ALLOWED = frozenset(
    {ATTENTION, NO_ECHO, ERRORS_AS_NUMBERS, REBOOT, PDU_MODE, at_dialects.IDENTITY_AT_ONCE}
    | set(at_dialects.IDENTITY)
    | {question for dialect in DIALECTS for question in dialect.questions}
)
_ALLOWED_SUBMIT = re.compile(r"AT\+CMGS=[0-9]{1,3}", re.ASCII)

ANSWER_S = 5.0
"""Modules state 0.3 s for most questions and 5 s for some (+CPIN?)."""
READ_S = 25.0
"""One whole reading; normally it takes well under a second."""
SEND_S = 60.0
"""Until the network has taken a short message (TS 27.005 leaves it open; modules state up to 120 s)."""
QUIET_S = 0.2
"""How long a port must be silent after it was opened: the rest of an old answer could pass for a new one."""
_NOBODY_ANSWERED = "+CMS ERROR: 332"
"""Network timeout (TS 27.005, 3.2.5): the message left the modem, and the network has not answered."""
_GREETINGS = 3


class AtModem(Closing):
    """The ``Modem`` port on a serial device.

    The port is opened by the first call and again after every failure, so a modem that was replugged or
    rebooted is found again. Who it is and how it talks is asked after each opening.

    Attributes:
        path: the device, best by its stable name below ``/dev/serial/by-id``.
        answer_s: longest wait for one answer.
        read_s: longest duration of one reading.
        send_s: how long the network may take with a short message.
        quiet_s: how long the port must be silent after it was opened.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        path: str,
        *,
        answer_s: float = ANSWER_S,
        read_s: float = READ_S,
        send_s: float = SEND_S,
        quiet_s: float = QUIET_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self._answer_s = answer_s
        self._read_s = read_s
        self._send_s = send_s
        self._quiet_s = quiet_s
        self._clock = clock
        self._one_call = threading.Lock()
        self._port: AtPort | None = None
        self._identity = Identity()
        self._closed = False

    def read(self) -> Signal:
        """Ask everything that this kind of modem knows.

        Raises:
            HardwareMissingError: the device is not there, or this user may not use it.
            HardwareError: no answer, or none of a modem.
        """
        with self._talk() as port:
            ends_at = self._clock() + self._read_s
            answers: list[Answer] = []
            for question in self._identity.dialect.questions:
                if self._clock() >= ends_at:
                    raise HardwareError(
                        f"the modem at {self.path} needs more than {self._read_s:g} s for one reading: it is "
                        "overloaded or hangs"
                    )
                answers.append(port.ask(_checked(question)))
            if not any(answer.ok for answer in answers):
                raise HardwareError(
                    f"the modem at {self.path} answers every question with an error: it is starting, or this "
                    "is not its AT port"
                )
            return understand(answers, self._identity)

    def reboot(self) -> None:
        """Reset the module.

        Raises:
            HardwareMissingError: the device is not there, or this user may not use it.
            HardwareError: refused, or no answer although the device is still there.
        """
        with self._talk() as port:
            # Still there before the order, gone after it: faster than its own OK. Gone before it is an error.
            port.ask(_checked(ATTENTION))
            with suppress(PortGoneError):
                _accepted(port.ask(_checked(REBOOT)), f"the modem at {self.path} refuses to reboot")
            self._drop()

    def send_text(self, number: str, text: str) -> None:
        """Send one SMS in PDU mode.

        Raises:
            ValueError: a number or text that cannot be sent; nothing was sent.
            HardwareMissingError: the device is not there, or this user may not use it.
            UnconfirmedError: not confirmed in time; it may have been sent.
            HardwareError: refused.
        """
        pdu, octets = submit_pdu(text_message(number, text))
        with self._talk() as port:
            _accepted(port.ask(_checked(PDU_MODE)), f"the modem at {self.path} sends no text messages")
            command = f"AT+CMGS={octets}"
            assert _ALLOWED_SUBMIT.fullmatch(command)
            answer = port.submit(command, pdu, self._send_s)
            if answer.final == _NOBODY_ANSWERED:
                raise UnconfirmedError(f"the network did not confirm the text message of {self.path}")
            _accepted(answer, f"the network did not take the text message of the modem at {self.path}")

    def close(self) -> None:
        """Give the port back. Does nothing the second time."""
        with self._one_call:
            self._closed = True
            self._drop()

    @contextmanager
    def _talk(self) -> Iterator[AtPort]:
        """The open port for one call; after a failure it is closed, so that the next call starts clean."""
        with self._one_call:
            if self._closed:
                raise HardwareError(f"the modem at {self.path} is closed")
            try:
                yield self._open()
            except BaseException:
                self._drop()
                raise

    def _open(self) -> AtPort:
        """The open port of a modem that is attentive and known."""
        if self._port is None:
            port = AtPort(self.path, answer_s=self._answer_s, clock=self._clock)
            try:
                port.drain(self._quiet_s)
                self._greet(port)
                questions = (*at_dialects.IDENTITY, at_dialects.IDENTITY_AT_ONCE)
                self._identity = identify([port.ask(_checked(question)) for question in questions])
            except BaseException:
                port.close()
                raise
            self._port = port
        return self._port

    def _greet(self, port: AtPort) -> None:
        """Get the modem's attention; it may be in the middle of something that another program left."""
        for attempt in range(1, _GREETINGS + 1):
            if attempt > 1:
                port.abort()
            last = attempt == _GREETINGS
            try:
                if port.ask(_checked(ATTENTION), self._answer_s / (1 if last else _GREETINGS)).ok:
                    break
            except HardwareError:
                if last:
                    raise
        for setting in (NO_ECHO, ERRORS_AS_NUMBERS):
            port.ask(_checked(setting))

    def _drop(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            with suppress(HardwareError):
                port.close()


def _checked(command: str) -> str:
    if command not in ALLOWED:
        raise ValueError(f"{command!r} is not one of the commands that this driver may send")
    return command


def _accepted(answer: Answer, complaint: str) -> None:
    if not answer.ok:
        raise HardwareError(f"{complaint}: {answer.final}")
