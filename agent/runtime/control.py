"""The control socket: how ``vigie status``, ``watch`` and a technician's script ask the running agent.

A UNIX socket with JSON lines. The file's permissions (0660, the agent's group) decide who may ask.
Requests: ``{"do": "status"}``, ``{"do": "watch"}``, ``{"do": "hold", "for_s": 3600, "by": "..."}``,
``{"do": "release", "by": "..."}``. Answers are objects with ``snapshot``, ``event``, ``ok`` or ``error``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from agent.core.model import Hold, Observation, Recorded
from agent.core.snapshot_types import Snapshot
from agent.runtime.board import Board

log = logging.getLogger("vigie.control")

CLIENTS = 16
LINE_BYTES = 4096
REQUEST_S = 5.0
WRITE_S = 5.0
WATCH_S = 0.2
LONGEST_HOLD_S = 8 * 3600.0
"""A hold always ends by itself: a forgotten one must not disarm a site for ever."""


class RequestError(ValueError):
    """A request that cannot be served; the message goes back to the client."""


class ControlSocket:
    """Serves the socket until cancelled."""

    def __init__(
        self,
        path: Path,
        board: Board,
        post: Callable[[Observation], None],
        mono: Callable[[], float],
        event_payload: Callable[[Recorded], dict[str, Any]],
    ) -> None:
        self._path = path
        self._board = board
        self._post = post
        self._mono = mono
        self._event_payload = event_payload
        self._clients: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until cancelled; removes a stale socket file first and its own at the end.

        Raises:
            OSError: the socket cannot be made.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._accept, str(self._path), limit=LINE_BYTES)
        self._path.chmod(0o660)
        try:
            await asyncio.Event().wait()
        finally:
            server.close()
            for client in list(self._clients):
                client.cancel()
            self._path.unlink(missing_ok=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            if len(self._clients) > CLIENTS:
                raise RequestError(f"more than {CLIENTS} clients")
            async with asyncio.timeout(REQUEST_S):
                line = await reader.readline()
            await self._serve(_request(line), reader, writer)
        except RequestError as error:
            with contextlib.suppress(OSError, TimeoutError):
                await _send(writer, {"error": str(error)})
        except (OSError, TimeoutError, ValueError) as error:
            log.debug("control client left: %s", error)
        except asyncio.CancelledError:
            # The server is closing; the client sees the end of the stream.
            return
        finally:
            self._clients.discard(task)
            writer.close()

    async def _serve(
        self, request: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        match request.get("do"):
            case "status":
                async for snapshot in self._board.snapshots():
                    await _send(writer, _snapshot(snapshot))
                    return
            case "watch":
                await self._watch(reader, writer)
            case "hold":
                for_s = _number(request, "for_s", above=0.0, up_to=LONGEST_HOLD_S)
                self._post(Hold(self._mono() + for_s, _by(request)))
                await _send(writer, {"ok": True})
            case "release":
                self._post(Hold(None, _by(request)))
                await _send(writer, {"ok": True})
            case other:
                raise RequestError(f"do: {other!r} is unknown; allowed: status, watch, hold, release")

    async def _watch(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Stream until the client goes."""
        streams: list[Awaitable[None]] = [self._stream_snapshots(writer), self._stream_events(writer)]
        tasks = [asyncio.ensure_future(stream) for stream in (*streams, _until_gone(reader))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _stream_snapshots(self, writer: asyncio.StreamWriter) -> None:
        async for snapshot in self._board.snapshots():
            await _send(writer, _snapshot(snapshot))
            await asyncio.sleep(WATCH_S)

    async def _stream_events(self, writer: asyncio.StreamWriter) -> None:
        async for recorded in self._board.events(recent=True):
            await _send(writer, {"event": self._event_payload(recorded)})


def _snapshot(snapshot: Snapshot) -> dict[str, Any]:
    return {"snapshot": msgspec.to_builtins(snapshot)}


def _request(line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
    except ValueError as error:
        raise RequestError(f"not a JSON line: {error}") from error
    if not isinstance(request, dict):
        raise RequestError("not a JSON object")
    return request


def _number(request: dict[str, Any], key: str, above: float, up_to: float) -> float:
    value = request.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not above < value <= up_to:
        raise RequestError(f"{key}: {value!r}; allowed: a number above {above:g}, at most {up_to:g}")
    return float(value)


def _by(request: dict[str, Any]) -> str:
    value = request.get("by", "someone on the machine")
    if not isinstance(value, str) or not 0 < len(value) <= 80:
        raise RequestError("by: allowed: a text of at most 80 characters")
    return value


async def _send(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
    writer.write(msgspec.json.encode(answer) + b"\n")
    async with asyncio.timeout(WRITE_S):
        await writer.drain()


async def _until_gone(reader: asyncio.StreamReader) -> None:
    while await reader.read(LINE_BYTES):
        pass
