"""A cellular box's own small web server, which answers as a Huawei HiLink modem does.

A client first opens a session; every page then wants the session's cookie, and every order a token that
serves once (the next one comes with the answer). The server needs no switching off: a box that is frozen
or without power has no address, so nothing reaches it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import socket
from dataclasses import dataclass
from pathlib import Path

from hardware.virtual import hilink_pages
from hardware.virtual.box import VirtualBox
from hardware.virtual.emulator import Line
from hardware.virtual.hilink_pages import BAD_TOKEN, NO_SESSION, NO_SUPPORT, HiLinkReadings, HiLinkSignal

PORT = 80
REBOOT_AFTER_S = 0.2
"""From the answer to the reboot it promises."""
_LONGEST_BODY = 16_384
_FREEBIND = 15  # <linux/in.h>: the address may come later
_SESSIONS = 8
_RUNNING_BEFORE_S = 86_400.0
"""How long a box that was there from the start says it has been running."""


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    headers: dict[str, str]
    body: str


class HiLink:
    """The modem of one box.

    Attributes:
        box: whose it is.
        line: its radio link; while that is cut, the modem says that it is not connected.
        signal: what its radio reports; may be replaced at any time.
    """

    def __init__(self, box: VirtualBox, line: Line, rng: random.Random) -> None:
        self.box = box
        self.line = line
        self.signal = HiLinkSignal()
        self._rng = rng
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._sessions: dict[str, str] = {}
        """Cookie to the token that its next order must carry."""
        self._counted_before = (0, 0)
        self._reboot: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Listen in the box's namespace on its LAN address."""
        listener = self.box.namespace.call(lambda: _listener(self.box.plan.box))
        self._server = await asyncio.start_server(self._serve, sock=listener)

    async def stop(self) -> None:
        """Stop listening. Safe to repeat."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        serving = list(self._connections)
        self.forget()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    def forget(self) -> None:
        """The box has lost its power or reboots: no session, no connection and no count survives."""
        self._sessions.clear()
        self._counted_before = self._counters()
        if self._reboot is not None:
            self._reboot.cancel()
            self._reboot = None
        for writer in self._connections.values():
            writer.transport.abort()

    # --- HTTP -----------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        try:
            while (request := await _read(reader)) is not None:
                writer.write(self._answer(request))
                await writer.drain()
                if request.headers.get("connection", "").lower() == "close":
                    break
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client is gone or speaks no HTTP, or the modem dies: hang up in each case
        finally:
            del self._connections[task]
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    def _answer(self, request: _Request) -> bytes:
        path = request.path.partition("?")[0]
        headers = ["HTTP/1.1 200 OK", "Server: webserver"]
        kind = "text/xml"
        if path == "/" and request.method == "GET":
            text, kind = "<html><head><title>HiLink</title></head><body></body></html>", "text/html"
        elif path == "/api/webserver/SesTokInfo":
            cookie, token = self._open_session()
            headers.append(f"Set-Cookie: SessionID={cookie};path=/;HttpOnly;")
            text = hilink_pages.session(cookie, token)
        else:
            cookie = _cookie(request.headers.get("cookie", ""))
            text = self._api(request, path.removeprefix("/api/"), cookie)
            if request.method == "POST" and cookie in self._sessions:
                headers.append(f"__RequestVerificationToken: {self._sessions[cookie]}")
        body = text.encode()
        headers += [f"Content-Type: {kind}", f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(headers).encode() + body

    def _api(self, request: _Request, path: str, cookie: str) -> str:
        if request.method == "GET":
            text = hilink_pages.page(path, self.readings())
            if text is None:
                return hilink_pages.error(NO_SUPPORT)
            return text if cookie in self._sessions else hilink_pages.error(NO_SESSION)
        if cookie not in self._sessions:
            return hilink_pages.error(NO_SESSION)
        token, self._sessions[cookie] = self._sessions[cookie], self._secret(32)
        if request.headers.get("__requestverificationtoken") != token:
            return hilink_pages.error(BAD_TOKEN)
        if path == "device/control" and re.search(r"<Control>\s*1\s*</Control>", request.body):
            if self._reboot is None:
                self._reboot = asyncio.get_running_loop().call_later(REBOOT_AFTER_S, self.box.reboot)
            return hilink_pages.done()
        return hilink_pages.error(NO_SUPPORT)

    def _open_session(self) -> tuple[str, str]:
        while len(self._sessions) >= _SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        cookie = self._secret(118)
        self._sessions[cookie] = self._secret(32)
        return cookie, self._sessions[cookie]

    def _secret(self, length: int) -> str:
        return "".join(
            self._rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", k=length)
        )

    # --- readings -------------------------------------------------------------------------------------------

    def readings(self) -> HiLinkReadings:
        """What the modem knows now."""
        received, sent = self._counters()
        return HiLinkReadings(
            signal=self.signal,
            operator=self.box.plan.operator,
            online=self.signal.sim_present and not self.line.is_cut,
            wan_address=self.box.plan.box_wan,
            uptime_s=min(self.box.uptime_s, _RUNNING_BEFORE_S),
            received_bytes=received - self._counted_before[0],
            sent_bytes=sent - self._counted_before[1],
        )

    def _counters(self) -> tuple[int, int]:
        """Bytes received and sent on the box's line, as its kernel counts them."""
        with self.box.namespace.entered():
            table = Path("/proc/thread-self/net/dev").read_text()
        for line in table.splitlines():
            name, _, numbers = line.partition(":")
            if name.strip() == "wan":
                fields = numbers.split()
                return int(fields[0]), int(fields[8])
        return 0, 0


def _listener(address: str) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_IP, _FREEBIND, 1)
        listener.bind((address, PORT))
    except BaseException:
        listener.close()
        raise
    return listener


async def _read(reader: asyncio.StreamReader) -> _Request | None:
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
    return _Request(method, path, headers, (await reader.readexactly(length)).decode("utf-8", "replace"))


def _cookie(header: str) -> str:
    """The session's id out of a Cookie header; clients repeat it with or without the name in the value."""
    values = [part.strip().removeprefix("SessionID=") for part in header.split(";") if "SessionID=" in part]
    return values[0].removeprefix("SessionID=") if values else ""
