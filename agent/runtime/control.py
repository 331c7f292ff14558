"""The control socket: how ``vigie`` commands and a technician's script ask the running agent.

A UNIX socket with JSON lines, one request a connection. The file's permissions (0660, the agent's group)
decide who may ask, for everything alike: whoever may look may also cut.

``{"do": "status"}`` is answered by a ``snapshot``; ``{"do": "watch"}`` by snapshots and events until the
client goes, with the last events first unless ``"recent": false``. What a person asks for (``by`` names
them) goes to the core: ``cycle`` (with ``force``), ``prove`` and ``restore`` name a ``box``, ``hold`` may say
``for_s``, ``release`` needs nothing. The answer is ``ok`` with the ``order`` of the cycle, or not ``ok`` with
the ``reason``; ``for_s`` is how long the hold or the reason lasts, where known.

``{"do": "about"}`` is answered by what runs here and how it is configured. ``{"do": "try", "led": "...",
"colour": "red"}`` and ``{"do": "try", "screen": true}`` show something on the panel, each line something
new, until the client goes or says nothing for ``TRIAL_S``. ``{"do": "try", "button": "page"}`` asks whether
this button was pressed since the first of them; a press does nothing else meanwhile.

``{"do": "signal", "modem": "..."}`` is answered by ``ok`` with the ``modem`` and its ``label``, then by one
line with a ``says`` for each reading, about one a second, until the client goes; only meanwhile is the modem
asked so often. Without ``modem`` the only one is meant. Not ``ok`` is a ``reason`` (``no_modems``: none is
configured, ``no_modem``: none of that name, ``which``: there are several), with all ``modems`` by name.

What makes no sense is answered by an ``error``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec

from agent.core.model import Recorded
from agent.core.people import Answer, Verb
from agent.core.snapshot_types import Snapshot
from agent.runtime.board import Board
from agent.runtime.signals import ChoiceError, Signals
from agent.runtime.trial import TrialError, Trials
from hardware.ports import Colour

log = logging.getLogger("vigie.control")

CLIENTS = 16
LINE_BYTES = 4096
REQUEST_S = 5.0
WRITE_S = 5.0
WATCH_S = 0.2
TRIAL_S = 120.0
LONGEST_WORDS = 80
FOREVER_S = 1e9
VERBS = tuple(str(verb) for verb in Verb)


class RequestError(ValueError):
    """A request that cannot be served; the message goes back to the client."""


class Ask(Protocol):
    """Hands a request to the core; see ``desk.Desk.ask``."""

    async def __call__(
        self, verb: Verb, box: str | None, for_s: float | None, by: str, *, force: bool
    ) -> Answer:
        """The core's answer; raises ``TimeoutError`` if there is none."""


class ControlSocket:
    """Serves the socket until cancelled."""

    def __init__(
        self,
        path: Path,
        board: Board,
        ask: Ask,
        mono: Callable[[], float],
        event_payload: Callable[[Recorded], dict[str, Any]],
        about: Callable[[], Awaitable[dict[str, Any]]],
        trials: Trials,
        signals: Signals | None = None,
    ) -> None:
        self._path = path
        self._board = board
        self._ask = ask
        self._mono = mono
        self._event_payload = event_payload
        self._about = about
        self._trials = trials
        self._signals = signals or Signals({})
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
                await self._watch(reader, writer, recent=_flag(request, "recent", usual=True))
            case "about":
                await _send(writer, {"about": await self._about()})
            case "try":
                await self._try(request, reader, writer)
            case "signal":
                await self._signal(request, reader, writer)
            case str(verb) if verb in VERBS:
                await _send(writer, await self._asked(Verb(verb), request))
            case other:
                allowed = ", ".join(("status", "watch", "about", "try", "signal", *VERBS))
                raise RequestError(f"do: {other!r} is unknown; allowed: {allowed}")

    async def _asked(self, verb: Verb, request: dict[str, Any]) -> dict[str, Any]:
        """Pass a person's request to the core, and its answer back."""
        about_box = verb not in (Verb.HOLD, Verb.RELEASE)
        box = _text(request, "box", None) if about_box else None
        for_s = None
        if verb is Verb.HOLD and request.get("for_s") is not None:
            for_s = _number(request, "for_s", above=0.0, up_to=FOREVER_S)
        by = _text(request, "by", "someone on the machine")
        try:
            answer = await self._ask(verb, box, for_s, by, force=_flag(request, "force", usual=False))
        except TimeoutError as error:
            raise RequestError("the agent does not decide any more") from error
        left_s = None if answer.until is None else round(max(0.0, answer.until - self._mono()), 1)
        return {"ok": answer.ok, "reason": answer.reason, "for_s": left_s, "order": answer.order}

    async def _try(
        self, request: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Let a person try out the panel."""
        try:
            with self._trials.taken():
                while True:
                    answer: dict[str, Any] = {"ok": True}
                    if "button" in request:
                        answer["pressed"] = self._trials.was_pressed(_text(request, "button", None))
                    elif "led" in request:
                        self._trials.light(_text(request, "led", None), _colour(request))
                    else:
                        self._trials.picture()
                    await _send(writer, answer)
                    async with asyncio.timeout(TRIAL_S):
                        line = await reader.readline()
                    if not line:
                        return
                    request = _request(line)
        except TrialError as error:
            raise RequestError(str(error)) from error

    async def _watch(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, recent: bool
    ) -> None:
        """Stream until the client goes."""
        await _until_first(
            self._stream_snapshots(writer), self._stream_events(writer, recent=recent), _until_gone(reader)
        )

    async def _signal(
        self, request: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Stream what one modem says of itself until the client goes."""
        wanted = None if request.get("modem") is None else _text(request, "modem", None)
        try:
            name = self._signals.choose(wanted)
        except ChoiceError as error:
            await _send(writer, {"ok": False, "reason": error.reason, "modems": error.modems})
            return
        await _send(writer, {"ok": True, "modem": name, "label": self._signals.modems[name].label})
        await _until_first(self._stream_signal(name, writer), _until_gone(reader))

    async def _stream_signal(self, name: str, writer: asyncio.StreamWriter) -> None:
        async with contextlib.aclosing(self._signals.readings(name)) as readings:
            async for says in readings:
                await _send(writer, {"says": msgspec.to_builtins(says)})

    async def _stream_snapshots(self, writer: asyncio.StreamWriter) -> None:
        async for snapshot in self._board.snapshots():
            await _send(writer, _snapshot(snapshot))
            await asyncio.sleep(WATCH_S)

    async def _stream_events(self, writer: asyncio.StreamWriter, *, recent: bool) -> None:
        async for recorded in self._board.events(recent=recent):
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


def _text(request: dict[str, Any], key: str, usual: str | None) -> str:
    value = request.get(key, usual)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_WORDS or not value.isprintable():
        raise RequestError(f"{key}: allowed: a text of 1 to {LONGEST_WORDS} printable characters")
    return value


def _colour(request: dict[str, Any]) -> Colour:
    value = request.get("colour")
    if value not in list(Colour):
        raise RequestError(f"colour: {value!r}; allowed: {', '.join(Colour)}")
    return Colour(value)


def _flag(request: dict[str, Any], key: str, *, usual: bool) -> bool:
    value = request.get(key, usual)
    if not isinstance(value, bool):
        raise RequestError(f"{key}: {value!r}; allowed: true or false")
    return value


async def _send(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
    writer.write(msgspec.json.encode(answer) + b"\n")
    async with asyncio.timeout(WRITE_S):
        await writer.drain()


async def _until_first(*streams: Awaitable[None]) -> None:
    """Run all until one has ended; then none runs any more."""
    tasks = [asyncio.ensure_future(stream) for stream in streams]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _until_gone(reader: asyncio.StreamReader) -> None:
    while await reader.read(LINE_BYTES):
        pass
