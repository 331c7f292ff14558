"""The ends of the line in ``scripts/bench outbox``: a broker that can fail, and a tap on the way to it.

The tap relays every byte and reads along: what it counts as arrived is an event whose PUBACK the broker has
sent. That is what the sender answers for. What a broker without persistence loses afterwards is the
broker's, and a subscriber behind it could not tell the two apart.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hardware.virtual.processes import find_program
from measure.console import UnmeasurableError

PUBLISH, PUBACK = 3, 4
EVENT_TOPIC = b"/event"
START_S = 10.0


class NoBrokerError(UnmeasurableError):
    """There is no mosquitto on this machine, or it does not start."""


def packets(data: bytearray) -> Iterator[tuple[int, bytes]]:
    """Take whole packets out of ``data``: first byte, and what follows the length (MQTT 3.1.1, 2.2)."""
    while True:
        length, shift, at = 0, 0, 1
        while at < len(data) and data[at] & 0x80:
            length |= (data[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
        if at >= len(data):
            return
        length |= (data[at] & 0x7F) << shift
        end = at + 1 + length
        if end > len(data):
            return
        yield data[0], bytes(data[at + 1 : end])
        del data[:end]


@dataclass
class Tap:
    """What went over the line; ``arrived`` are payloads in the order in which the broker acknowledged."""

    upstream: int
    """Port of the broker."""
    on_arrival: Callable[[], None] = lambda: None
    port: int = 0
    sent: int = 0
    """Publications of events that the sender made, repeats included."""
    connections: int = 0
    arrived: list[bytes] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _ways: set[asyncio.Task[None]] = field(default_factory=set)

    async def open(self) -> None:
        """Listen on a port of the loopback."""
        self._server = await asyncio.start_server(self._line, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cut every line."""
        assert self._server is not None
        self._server.close()
        for way in self._ways:
            way.cancel()
        await asyncio.gather(*self._ways, return_exceptions=True)

    async def _line(self, sender: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        try:
            broker, on = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            back.close()
            return
        self.connections += 1
        waiting: dict[bytes, bytes] = {}
        there = asyncio.create_task(self._relay(sender, on, lambda *p: self._published(waiting, *p)))
        here = asyncio.create_task(self._relay(broker, back, lambda *p: self._acknowledged(waiting, *p)))
        self._ways |= {there, here}
        await asyncio.wait([there, here], return_when=asyncio.FIRST_COMPLETED)
        if not here.done():  # the site is gone: what the broker still takes of it counts
            with contextlib.suppress(OSError):
                on.write_eof()
            await asyncio.wait([here])
        for way, writer in ((there, on), (here, back)):
            way.cancel()
            writer.close()
        await asyncio.gather(there, here, return_exceptions=True)
        self._ways -= {there, here}

    async def _relay(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, see: Callable[[int, bytes], None]
    ) -> None:
        data = bytearray()
        with contextlib.suppress(OSError):
            while chunk := await reader.read(65_536):
                data += chunk
                for head, body in packets(data):
                    see(head, body)
                with contextlib.suppress(OSError):
                    writer.write(chunk)
                    await writer.drain()

    def _published(self, waiting: dict[bytes, bytes], head: int, body: bytes) -> None:
        if head >> 4 != PUBLISH:
            return
        length = int.from_bytes(body[:2])
        if body[2 : 2 + length].endswith(EVENT_TOPIC):
            self.sent += 1
            waiting[body[2 + length : 4 + length]] = body[4 + length :]

    def _acknowledged(self, waiting: dict[bytes, bytes], head: int, body: bytes) -> None:
        if head >> 4 == PUBACK and (payload := waiting.pop(body[:2], None)) is not None:
            self.arrived.append(payload)
            self.on_arrival()


class FailingBroker:
    """A mosquitto on the loopback."""

    def __init__(self, folder: Path) -> None:
        program = find_program("mosquitto")
        if program is None:
            raise NoBrokerError("mosquitto is not installed")
        self._program = program
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._memory = folder / "mosquitto.db"
        self._config = folder / "mosquitto.conf"
        user = "user root\n" if os.geteuid() == 0 else ""
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder}/\nmax_queued_messages 0\nlog_dest none\n{user}"
        )
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Run until it listens; with what it remembers.

        Raises:
            NoBrokerError: it does not.
        """
        quiet = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(
            self._program, "-c", str(self._config), stdout=quiet, stderr=quiet, start_new_session=True
        )
        end_at = time.monotonic() + START_S
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return
            if self._process.returncode is not None or time.monotonic() > end_at:
                raise NoBrokerError("mosquitto does not start")
            await asyncio.sleep(0.01)

    async def stop(self, number: signal.Signals, *, forget: bool = False) -> None:
        """End it with this signal; it writes down what it has if that is SIGTERM."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(number)
            await self._process.wait()
        if forget:
            self._memory.unlink(missing_ok=True)

    def signal(self, number: signal.Signals) -> None:
        """Freeze or thaw it."""
        assert self._process is not None
        self._process.send_signal(number)
