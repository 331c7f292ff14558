"""The conversation with a modem on a serial port. The one file that imports pyserial.

A command is a line; the answer is lines up to a final one. Whatever the device does, an exchange ends in
bounded time and holds a bounded number of bytes.
"""

from __future__ import annotations

import errno
import fcntl
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import serial

from hardware.at_lines import Answer, is_final
from hardware.ports import HardwareError, HardwareMissingError, UnconfirmedError

BAUD = 115_200
"""USB modems ignore it; modules on a real serial line come with it."""
BY_ID = Path("/dev/serial/by-id")
"""Names that stay the same when a modem is replugged or reboots, unlike ``/dev/ttyUSB2``."""
LONGEST_ANSWER = 16_384
"""Bytes. The longest answer that is asked for, a status page, has about 2000."""
DRAIN_BYTES = 65_536
"""A port that has more than this to say before it is asked anything talks without end."""
DRAIN_S = 3.0
"""Longest wait for it to become quiet."""
WRITE_S = 2.0
_TICK_S = 0.05
"""How long one read of the port may block: the deadline is looked at in between."""
_PROMPT = b"> "
_SUBMIT, _ABORT = b"\x1a", b"\x1b"


class PortGoneError(HardwareError):
    """The device has left while its port was open, as it does when it reboots."""


class AtPort:
    """An open serial port, held exclusively.

    Attributes:
        path: the device's name.

    Raises:
        HardwareMissingError: there is no such device, or this user may not open it.
        HardwareError: another program holds it, or it fails.
    """

    def __init__(
        self, path: str, *, answer_s: float = 5.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.path = path
        self._answer_s = answer_s
        self._clock = clock
        with self._obeying():
            self._port = serial.Serial(
                path, BAUD, timeout=_TICK_S, write_timeout=WRITE_S, exclusive=True, dsrdtr=False
            )
        # The lock above binds programs that ask for it; this one keeps everybody else from opening the port.
        with suppress(OSError):
            fcntl.ioctl(self._port.fileno(), termios.TIOCEXCL)

    def ask(self, command: str, answer_s: float | None = None) -> Answer:
        """Send a command and wait for the whole answer.

        Raises:
            HardwareError: no whole answer in time, one without end, or the port is gone. The port should be
                closed then: the rest of the answer may still come.
        """
        with self._obeying():
            self._port.reset_input_buffer()
            self._port.write(command.encode("ascii") + b"\r")
            return self._collect(command, answer_s or self._answer_s)

    def submit(self, command: str, data: str, answer_s: float) -> Answer:
        """Send a command that asks for data with a prompt (``> ``), then the data.

        Raises:
            UnconfirmedError: the data was sent, and no whole answer came in time.
            HardwareError: as ``ask``; a command that gets no prompt is taken back.
        """
        with self._obeying():
            self._port.reset_input_buffer()
            self._port.write(command.encode("ascii") + b"\r")
            refused = self._await_prompt(command)
            if refused is not None:
                return refused
            self._port.reset_input_buffer()
        try:
            with self._obeying():
                self._port.write(data.encode("ascii") + _SUBMIT)
                return self._collect(data, answer_s)
        except HardwareError as error:
            raise UnconfirmedError(str(error)) from error

    def abort(self) -> None:
        """Take the device out of a prompt for data that somebody left open; harmless otherwise.

        Raises:
            HardwareError: the port is gone.
        """
        with self._obeying():
            self._port.write(_ABORT)

    def drain(self, quiet_s: float) -> None:
        """Read away what the device still has to say, until it was silent for ``quiet_s``.

        Raises:
            HardwareError: it does not stop talking, or the port is gone.
        """
        with self._obeying():
            seen = 0
            begun = quiet_since = self._clock()
            while self._clock() - quiet_since < quiet_s:
                if chunk := self._read():
                    seen += len(chunk)
                    quiet_since = self._clock()
                if seen > DRAIN_BYTES or quiet_since - begun > DRAIN_S:
                    raise HardwareError(
                        f"{self.path} talks without being asked: probably not the modem's AT port but one "
                        "for positioning or diagnosis; try another of its ports"
                    )

    def close(self) -> None:
        """Give the port back. Safe to repeat."""
        if self._port.is_open:
            with suppress(OSError):
                fcntl.ioctl(self._port.fileno(), termios.TIOCNXCL)
            with suppress(OSError):
                self._port.close()

    def _read(self) -> bytes:
        """What has come, or what comes within a tick."""
        return bytes(self._port.read(max(1, min(self._port.in_waiting, 4096))))

    def _chunks(self, sent: str, answer_s: float) -> Iterator[bytes]:
        """Everything received so far, each time there is more.

        Raises:
            HardwareError: too late or too long.
        """
        ends_at = self._clock() + answer_s
        received = b""
        while self._clock() < ends_at:
            chunk = self._read()
            received += chunk
            if len(received) > LONGEST_ANSWER:
                raise HardwareError(
                    f"{self.path} answers without end: it is not the modem's AT port, or the modem hangs"
                )
            if chunk:
                yield received
        if received.replace(sent.encode("ascii"), b"").strip():
            raise HardwareError(f"the modem at {self.path} stopped in the middle of an answer: it hangs")
        raise HardwareError(
            f"the modem at {self.path} does not answer: it hangs, this is another of its ports, or "
            "ModemManager talks to it as well (docs/modems.md, ModemManager)"
        )

    def _collect(self, sent: str, answer_s: float) -> Answer:
        for received in self._chunks(sent, answer_s):
            # What follows the last line end is not a whole line yet.
            whole = received[: max(received.rfind(b"\r"), received.rfind(b"\n")) + 1]
            lines = [line.strip() for line in whole.decode("utf-8", "replace").splitlines()]
            lines = [line for line in lines if line and line != sent]
            for index, line in enumerate(lines):
                if is_final(line):
                    return Answer(sent, tuple(lines[:index]), line)
        raise AssertionError("not reached: the chunks end with an error")

    def _await_prompt(self, command: str) -> Answer | None:
        """None once the device waits for data; its answer if it refuses."""
        try:
            for received in self._chunks(command, self._answer_s):
                if received.endswith(_PROMPT):
                    return None
                lines = [line.strip() for line in received.decode("utf-8", "replace").splitlines()]
                for line in lines:
                    if is_final(line) and received.endswith(b"\n"):
                        return Answer(command, (), line)
        except HardwareError:
            self._port.write(_ABORT)
            raise
        raise AssertionError("not reached: the chunks end with an error")

    @contextmanager
    def _obeying(self) -> Iterator[None]:
        """Turn the errors of pyserial and the kernel into ours, each with what to do."""
        try:
            yield
        except HardwareError:
            raise
        except serial.SerialTimeoutException as error:
            raise HardwareError(f"the modem at {self.path} takes no commands: it hangs") from error
        except (OSError, termios.error, ValueError, TypeError) as error:
            # TypeError: pyserial, when its port is closed by another thread in the middle of a call.
            raise self._explained(error) from error

    def _explained(self, error: Exception) -> HardwareError:
        code = error.errno if isinstance(error, OSError) else None
        if code == errno.ENOENT:
            return HardwareMissingError(
                f"{self.path} does not exist: the modem is unplugged, without power or rebooting; "
                f"serial ports here: {present_ports()}"
            )
        if code in (errno.EACCES, errno.EPERM):
            return HardwareMissingError(
                f"this user may not open {self.path}: add it to the group dialout "
                "(sudo usermod -aG dialout USER) and log in again"
            )
        if code in (errno.EBUSY, errno.EAGAIN):
            return HardwareError(
                f"another program holds {self.path}, most likely ModemManager: make it leave this modem "
                "alone (docs/modems.md, ModemManager)"
            )
        return PortGoneError(f"the modem at {self.path} is gone or fails: {error}")


def present_ports(folder: Path = BY_ID) -> str:
    """The serial ports of this machine by their stable names, for a message."""
    names = sorted(str(path) for path in folder.glob("*")) if folder.is_dir() else []
    return ", ".join(names) or "none"
