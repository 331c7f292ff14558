"""The small web server of a HiLink modem, and a modem that is nothing but that: on a loopback address."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from hardware.virtual.hilink_api import HiLinkApi, Reply, Request
from hardware.virtual.hilink_pages import HiLinkReadings

_LONGEST_BODY = 16_384


@dataclass(slots=True)
class WebFault:
    """How a web server fails; may be changed at any time.

    Attributes:
        silent: takes requests and never answers, as when only the modem's web server has frozen.
        cut_after: bytes of an answer after which the connection ends; None for none.
        stalls: then it does not end but stays open and silent.
        drips_s: seconds between two bytes of an answer; 0 for at once.
        flood: bytes of noise after the answer's head.
        garbage: sent instead of every body.
    """

    silent: bool = False
    cut_after: int | None = None
    stalls: bool = False
    drips_s: float = 0.0
    flood: int = 0
    garbage: bytes | None = None


class HiLinkServer:
    """Speaks HTTP for a ``HiLinkApi``.

    Attributes:
        api: who answers.
        fault: how it fails.
    """

    def __init__(self, api: HiLinkApi) -> None:
        self.api = api
        self.fault = WebFault()
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self, listener: socket.socket) -> None:
        """Listen on a bound socket, which is taken over."""
        self._server = await asyncio.start_server(self._serve, sock=listener)

    async def stop(self) -> None:
        """Stop listening. Safe to repeat."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        serving = list(self._connections)
        self.hang_up()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    def hang_up(self) -> None:
        """Every connection ends at once."""
        for writer in self._connections.values():
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        try:
            while (request := await _read(reader)) is not None:
                await self._send(self.api.answer(request), writer)
                if request.headers.get("connection", "").lower() == "close":
                    break
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client is gone or speaks no HTTP, or the modem dies: hang up in each case
        finally:
            del self._connections[task]
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _send(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        fault = self.fault
        if fault.silent:
            await asyncio.Event().wait()
        body = reply.body.encode() if fault.garbage is None else fault.garbage
        length = len(body) + fault.flood
        headers = [
            "HTTP/1.1 200 OK",
            "Server: webserver",
            *(f"{name}: {value}" for name, value in reply.headers),
        ]
        headers += [f"Content-Type: {reply.kind}", f"Content-Length: {length}", "", ""]
        data = "\r\n".join(headers).encode() + body
        if fault.cut_after is not None:
            data = data[: fault.cut_after]
        for piece in [bytes([byte]) for byte in data] if fault.drips_s else [data]:
            writer.write(piece)
            await writer.drain()
            if fault.drips_s:
                await asyncio.sleep(fault.drips_s)
        for _ in range(fault.flood // 4096):
            writer.write(b"<noise/>" * 512)
            await writer.drain()
        if fault.cut_after is not None and fault.stalls:
            await asyncio.Event().wait()
        if fault.cut_after is not None:
            raise ConnectionError("cut")


class VirtualHiLink:
    """A HiLink modem on 127.0.0.1, served by a thread of its own from ``start`` or ``with`` on.

    Attributes:
        readings: what it knows; may be replaced at any time.
        api: sessions, firmware, and what it has heard.
        reboots: how often it was told to; it is away until ``start``.
        clock: monotonic seconds, for the life of sessions.
    """

    def __init__(self, *, seed: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self.readings = HiLinkReadings()
        self.reboots = 0
        self.api = HiLinkApi(lambda: self.readings, self._reboot, random.Random(seed), clock)
        self._server = HiLinkServer(self.api)
        self._port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def fault(self) -> WebFault:
        """How its web server fails."""
        return self._server.fault

    @fault.setter
    def fault(self, fault: WebFault) -> None:
        self._server.fault = fault

    @property
    def url(self) -> str:
        """Its address, the same over reboots."""
        return f"http://127.0.0.1:{self._port}/"

    def start(self) -> None:
        """Switch it on. It answers when this returns."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        loop = asyncio.new_event_loop()
        self._loop = loop
        self._thread = threading.Thread(target=self._run, args=(loop,), name="hilink", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._server.start(listener), loop).result()

    def stop(self) -> None:
        """Switch it off: nothing listens any more, and it has forgotten every session. Safe to repeat."""
        loop, self._loop = self._loop, None
        if loop is not None:
            asyncio.run_coroutine_threadsafe(self._server.stop(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            assert self._thread is not None
            self._thread.join()
            self.api.forget()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _reboot(self) -> None:
        self.reboots += 1

    @staticmethod
    def _run(loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.run_forever()
        finally:
            loop.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """The next request; None at the end.

    Raises:
        ValueError, OSError, asyncio.IncompleteReadError: not a request that can be answered.
    """
    first = (await reader.readline()).decode("latin-1").split()
    if not first:
        return None
    method, path, _version = first
    headers: dict[str, str] = {}
    while line := (await reader.readline()).decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    length = int(headers.get("content-length", "0"))
    if not 0 <= length <= _LONGEST_BODY or method not in ("GET", "POST"):
        raise ValueError("a request this modem does not read")
    return Request(method, path, headers, (await reader.readexactly(length)).decode("utf-8", "replace"))
