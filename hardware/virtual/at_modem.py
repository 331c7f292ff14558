"""A cellular modem on a pseudo-terminal: to a driver it is a serial device like any other.

It has a stable name (a link, as below ``/dev/serial/by-id``) that disappears while it reboots or is
unplugged, it echoes until told not to, it puts reports between its answers, and it can be made to fail.
"""

from __future__ import annotations

import os
import select
import threading
import tty
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from hardware.virtual.at_scripts import Script
from hardware.virtual.at_state import AtState, always, operator

LONGEST_LINE = 4096
_PROMPT = "\r\n> "
_SUBMIT, _ABORT = 0x1A, 0x1B


@dataclass(slots=True)
class Fault:
    """How a modem fails. Each may be set at any time; the next answer shows it.

    Attributes:
        cut_after: bytes of an answer after which nothing more comes; None for none.
        leaves: the device disappears instead of answering, or after the bytes of ``cut_after``.
        only: the command whose answer is meant; None for all.
        garbage: sent instead of every answer.
        flood: bytes of noise sent instead of an answer.
        refuses: every command is answered with ERROR.
    """

    cut_after: int | None = None
    only: str | None = None
    garbage: bytes | None = None
    flood: int = 0
    leaves: bool = False
    refuses: bool = False


class VirtualAtModem:
    """The modem, served by a thread of its own from ``start`` or ``with`` on.

    Attributes:
        path: its stable name.
        script: what kind it is.
        state: its radio and card; may be replaced at any time.
        fault: how it fails; may be replaced at any time.
        heard: every command that it was given.
        texts: short messages that were handed to it: octets stated, hexadecimal digits.
        reboots: how often it was told to.
        refresh: called before each answer, in the modem's thread, to bring ``state`` up to date.
        on_reboot: called at each order to reboot, in the modem's thread.
        reports: puts its unasked lines before and in the middle of answers.
    """

    def __init__(self, path: Path, script: Script, *, echo: bool = True, reports: bool = False) -> None:
        self.path = path
        self.script = script
        self.state = AtState()
        self.fault = Fault()
        self.heard: list[str] = []
        self.texts: list[tuple[int, str]] = []
        self.reboots = 0
        self.refresh: Callable[[], None] = lambda: None
        self.on_reboot: Callable[[], None] = lambda: None
        self.reports = reports
        self._echo_at_boot = echo
        self._echo = echo
        self._octets: int | None = None
        self._operator_form = 0
        self._typed = bytearray()
        self._master = self._slave = -1
        self._wake_read = self._wake_write = -1
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Plug it in. Its name exists when this returns."""
        self._echo, self._octets = self._echo_at_boot, None
        self._typed.clear()
        self._master, self._slave = os.openpty()
        # Its own end of the slave stays open: without it the line would hang up whenever a driver closes.
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._wake_read, self._wake_write = os.pipe()
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._slave))
        self._thread = threading.Thread(target=self._serve, name="at-modem", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Unplug it: its name disappears and whoever has it open loses it. Safe to repeat."""
        thread, self._thread = self._thread, None
        if thread is not None:
            with suppress(OSError):
                os.write(self._wake_write, b"x")
            thread.join()
            os.close(self._wake_write)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _serve(self) -> None:
        try:
            while self._wait(for_writing=False):
                try:
                    data = os.read(self._master, 4096)
                except BlockingIOError:
                    continue
                for byte in data:
                    if not self._take(byte):
                        return
        except OSError:
            pass  # the other end is in an impossible state: like a modem that fell off the bus
        finally:
            self.path.unlink(missing_ok=True)
            for end in (self._slave, self._master, self._wake_read):
                os.close(end)

    def _wait(self, *, for_writing: bool) -> bool:
        """Until the line is ready; False once the modem is being unplugged."""
        reading, writing = ([], [self._master]) if for_writing else ([self._master], [])
        ready, _, _ = select.select([*reading, self._wake_read], writing, [])
        return self._wake_read not in ready

    def _take(self, byte: int) -> bool:
        """One byte from the driver; False if the device disappears."""
        if self._octets is not None:
            return self._take_data(byte)
        if byte in (0x0D, 0x0A):
            line = self._typed.decode("ascii", "replace").strip()
            echo = bytes(self._typed) + b"\r" if self._echo else b""
            self._typed.clear()
            return self._obey(line, echo) if line else True
        if byte != _ABORT and len(self._typed) < LONGEST_LINE:
            self._typed.append(byte)
        return True

    def _take_data(self, byte: int) -> bool:
        if byte not in (_SUBMIT, _ABORT):
            self._typed.append(byte)
            return True
        octets, self._octets = self._octets, None
        data = self._typed.decode("ascii", "replace")
        self._typed.clear()
        if byte == _ABORT or octets is None:
            return True
        if not self.state.has_service:
            return self._say("\r\n+CMS ERROR: 331\r\n", "AT+CMGS")
        self.texts.append((octets, data))
        return self._say(f"\r\n+CMGS: {len(self.texts)}\r\n\r\nOK\r\n", "AT+CMGS")

    def _obey(self, line: str, echo: bytes) -> bool:
        self.heard.append(line)
        self.refresh()
        command = line.upper() if '"' not in line else line
        if echo and not self._send(echo):
            return False
        if command == "AT+CFUN=1,1" and not self.fault.refuses:
            self.reboots += 1
            self._say("\r\nOK\r\n", command)
            self.on_reboot()
            return False
        if command.startswith("AT+CMGS=") and not self.fault.refuses:
            self._octets = int(command.partition("=")[2])
            return self._say(_PROMPT, command)
        if command in ("ATE0", "ATE1"):
            self._echo = command == "ATE1"
            return self._say("\r\nOK\r\n", command)
        return self._say(self._answer(command), command)

    def _answer(self, command: str) -> str:
        make = None if self.fault.refuses else self.script.answers.get(command)
        if command in ("AT+COPS=3,0", "AT+COPS=3,2") and not self.fault.refuses:
            self._operator_form = int(command[-1])
            make = always("")
        body = None if make is None else make(self.state)
        if command == "AT+COPS?" and not self.fault.refuses:
            body = operator(self.state, self._operator_form)
        report = "".join(f"\r\n{line}\r\n" for line in self.script.reports) if self.reports else ""
        if body is None:
            return f"{report}\r\nERROR\r\n"
        if body.startswith("+CME ERROR"):
            return f"{report}\r\n{body}\r\n"
        return f"{report}\r\n{body}\r\n{report}\r\nOK\r\n" if body else f"{report}\r\nOK\r\n"

    def _say(self, text: str, command: str) -> bool:
        """Send an answer, or what the fault makes of it."""
        fault = self.fault
        data = text.encode()
        if fault.only in (None, command):
            if fault.leaves:
                self._send(data[: fault.cut_after or 0])
                return False
            if fault.flood:
                return self._noise(fault.flood)
            if fault.garbage is not None:
                data = fault.garbage
            elif fault.cut_after is not None:
                data = data[: fault.cut_after]
        return self._send(data)

    def _noise(self, size: int) -> bool:
        while size > 0:
            if not self._send(b"+NOISE: 1,2,3\r\n" * 64):
                return False
            size -= 64 * 15
        return True

    def _send(self, data: bytes) -> bool:
        while data:
            if not self._wait(for_writing=True):
                return False
            with suppress(BlockingIOError):
                data = data[os.write(self._master, data) :]
        return True
