"""Asking the running agent over its control socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from agent.core.snapshot_types import Snapshot

DEFAULT_SOCKET = Path("/run/vigie/control.sock")
ANSWER_S = 5.0
LINE_BYTES = 1 << 20
"""A snapshot is one line; a bay has a handful of uplinks, a megabyte is far above any."""


class UnreachableError(RuntimeError):
    """No agent answers on the socket; the message says why and what to look at."""


class NoAgentError(UnreachableError):
    """Nobody has the socket open: no agent runs there."""


class RefusedError(RuntimeError):
    """The agent answered that it cannot serve the request."""


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event as the agent tells it, unchanged.

    ``text`` holds its sentence in each language; ``at`` is UNIX seconds, or the ISO text that the agent
    writes on the wire.
    """

    raw: dict[str, Any]

    @property
    def code(self) -> str:
        """The stable code."""
        return str(self.raw["code"])

    @property
    def subject(self) -> str:
        """What the event is about."""
        return str(self.raw["subject"])

    @property
    def severity(self) -> str:
        """A ``Severity`` as text."""
        return str(self.raw["severity"])

    @property
    def alert(self) -> bool:
        """Somebody is called for it."""
        return self.raw.get("alert") is True

    @property
    def args(self) -> dict[str, Any]:
        """What fills the texts."""
        return dict(self.raw.get("args") or {})

    def text(self, language: str) -> str:
        """The sentence in ``language``, or the code if the agent has sent none."""
        return str((self.raw.get("text") or {}).get(language) or self.code)


async def _open(socket: Path, request: dict[str, Any]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        reader, writer = await asyncio.open_unix_connection(str(socket), limit=LINE_BYTES)
    except FileNotFoundError as fault:
        raise NoAgentError(f"no agent: {socket} does not exist (systemctl status vigie)") from fault
    except ConnectionRefusedError as fault:
        raise NoAgentError(f"no agent answers on {socket}: {fault.strerror}") from fault
    except PermissionError as fault:
        raise UnreachableError(f"{socket}: permission denied (try sudo, or join the group vigie)") from fault
    except OSError as fault:
        raise UnreachableError(f"no agent answers on {socket}: {fault.strerror or fault}") from fault
    try:
        writer.write(json.dumps(request).encode() + b"\n")
        await writer.drain()
    except OSError as fault:
        writer.close()
        raise UnreachableError(f"the agent on {socket} hung up: {fault}") from fault
    return reader, writer


def _parsed(line: bytes, socket: Path) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except ValueError as fault:
        raise UnreachableError(f"{socket}: not the agent's language: {line[:60]!r}") from fault
    if not isinstance(answer, dict):
        raise UnreachableError(f"{socket}: not the agent's language: {line[:60]!r}")
    if "error" in answer:
        raise RefusedError(str(answer["error"]))
    return answer


def as_snapshot(answer: dict[str, Any]) -> Snapshot:
    """The picture in an answer.

    Raises:
        UnreachableError: it is not one, as when agent and command are of different versions.
    """
    try:
        return msgspec.convert(answer["snapshot"], Snapshot)
    except (KeyError, msgspec.ValidationError) as fault:
        raise UnreachableError(f"the agent's answer makes no sense to this version: {fault}") from fault


async def ask(socket: Path, request: dict[str, Any]) -> dict[str, Any]:
    """One request, one answer.

    Raises:
        UnreachableError: nobody answers within ``ANSWER_S`` seconds, or not in the agent's language.
        RefusedError: the agent says no.
    """
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await _open(socket, request)
            try:
                line = await reader.readline()
            finally:
                writer.close()
    except TimeoutError as fault:
        raise UnreachableError(
            f"{socket}: no answer for {ANSWER_S:g} s; the agent is stuck or starting"
        ) from fault
    except (OSError, ValueError) as fault:
        raise UnreachableError(f"{socket}: {fault}") from fault
    if not line:
        raise UnreachableError(f"{socket}: the agent hung up without an answer")
    return _parsed(line, socket)


async def watch(socket: Path, *, recent: bool = True) -> AsyncGenerator[Snapshot | EventLine, None]:
    """Pictures and events from now on, until the agent goes; before them the last events if ``recent``.

    Raises:
        UnreachableError: it cannot be reached at all; a later end of the stream just ends the iteration.
        RefusedError: the agent says no.
    """
    request: dict[str, Any] = {"do": "watch"} if recent else {"do": "watch", "recent": False}
    reader, writer = await _open(socket, request)
    try:
        while line := await _line(reader):
            answer = _parsed(line, socket)
            if "event" in answer:
                yield EventLine(answer["event"])
            else:
                yield as_snapshot(answer)
    finally:
        writer.close()


async def follow(socket: Path, request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
    """One request, and every line of the answer until the agent goes.

    Raises:
        NoAgentError: there is no agent.
        UnreachableError: the first line does not come within ``ANSWER_S`` seconds, or a line is not in the
            agent's language.
        RefusedError: the agent says no.
    """
    reader, writer = await _open(socket, request)
    try:
        try:
            async with asyncio.timeout(ANSWER_S):
                line = await _line(reader)
        except TimeoutError as fault:
            raise UnreachableError(
                f"{socket}: no answer for {ANSWER_S:g} s; the agent is stuck or starting"
            ) from fault
        while line:
            yield _parsed(line, socket)
            line = await _line(reader)
    finally:
        writer.close()


async def _line(reader: asyncio.StreamReader) -> bytes:
    """The next whole line; empty at the end, also when the agent died in the middle of one."""
    with contextlib.suppress(OSError, ValueError):
        line = await reader.readline()
        return line if line.endswith(b"\n") else b""
    return b""
