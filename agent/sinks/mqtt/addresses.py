"""Where the broker's name leads, also while the system's name servers are behind a dead line.

Asked are, at once, public name servers through the uplink that the connection is to leave by, and the system.
A box whose line is dead likes to give every name its own address, so public addresses go before local ones;
what worked last is remembered over restarts, and comes last. That the right one answers is for TLS to verify.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from agent.sinks.mqtt.dial import is_address, is_local
from agent.sinks.mqtt.ports import Resolve, RunBlocking

LOOKUP_S: Final = 3.0
FRESH_S: Final = 3600.0
"""An address that has worked is used without asking again for so long; a failure ends that."""
KEPT: Final = 8

LookUp = Callable[[str], list[str]]


class Addresses:
    """What is known of one name. All of it belongs to the event loop's thread."""

    def __init__(
        self,
        host: str,
        run_blocking: RunBlocking,
        resolve: Resolve | None = None,
        file: Path | None = None,
        look_up: LookUp | None = None,
    ) -> None:
        """Nothing is asked or read yet.

        Args:
            host: a name, or an address, which is its own answer.
            run_blocking: reads and writes ``file``.
            resolve: asks public name servers through an uplink.
            file: remembers over restarts; None: nothing does.
            look_up: asks the system, and may block for long.
        """
        self._host = host
        self._run_blocking = run_blocking
        self._resolve = resolve
        self._file = file
        self._look_up = look_up or ask_system
        self._asking: asyncio.Future[list[str]] | None = None
        self._heard: list[str] = []
        """What the system said last, perhaps too late for whoever had asked."""
        self._known: tuple[str, ...] | None = None
        """What worked last is first; None: not read yet."""
        self._good_until = float("-inf")

    async def find(self, uplink: str | None) -> tuple[str, ...]:
        """Addresses to try, best first, within ``LOOKUP_S``; empty if nobody knows any.

        Args:
            uplink: the one that the connection is to leave by; None: as the system routes.
        """
        if is_address(self._host):
            return (self._host,)
        if self._known is None:
            self._known = tuple(await self._run_blocking(_read, self._file, self._host))
        if asyncio.get_running_loop().time() < self._good_until:
            return self._known
        said = await self._ask(uplink)
        return _sorted([*said, *self._known])

    async def worked(self, address: str | None) -> None:
        """The broker was reached at this address."""
        if address is None or is_address(self._host):
            return
        self._good_until = asyncio.get_running_loop().time() + FRESH_S
        known = tuple(dict.fromkeys([address, *(self._known or ())]))[:KEPT]
        if known != self._known:
            self._known = known
            await self._run_blocking(_write, self._file, self._host, known)

    def doubt(self) -> None:
        """It was not reached: the name may lead elsewhere by now."""
        self._good_until = float("-inf")

    async def _ask(self, uplink: str | None) -> Sequence[str]:
        system = self._ask_system()
        try:
            async with asyncio.timeout(LOOKUP_S):
                if self._resolve is not None and uplink is not None:
                    found = [one for one in await self._resolve(self._host, uplink) if not is_local(one)]
                    if found:
                        return found
                return await asyncio.shield(system)
        except TimeoutError:
            return self._heard

    def _ask_system(self) -> asyncio.Future[list[str]]:
        """The system's answer, in a thread that nobody waits for: it may take half a minute, and be late."""
        if self._asking is not None and not self._asking.done():
            return self._asking
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[str]] = loop.create_future()

        def settle(found: list[str]) -> None:
            self._heard = found or self._heard
            if not answer.done():
                answer.set_result(found)

        def ask() -> None:
            found = self._look_up(self._host)
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, found)

        threading.Thread(target=ask, daemon=True, name="lookup").start()
        self._asking = answer
        return answer


def ask_system(host: str) -> list[str]:
    """What the system knows, IPv4 first; empty if it knows nothing."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [str(one[4][0]) for one in sorted(found, key=lambda one: one[0] != socket.AF_INET)]


def _sorted(addresses: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sorted(addresses, key=is_local)))


def _read(file: Path | None, host: str) -> list[str]:
    """What was remembered of this name; nothing if the file is missing, damaged, or of another name."""
    if file is None:
        return []
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        if kept["host"] == host:
            return [one for one in kept["addresses"] if isinstance(one, str) and is_address(one)][:KEPT]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        pass
    return []


def _write(file: Path | None, host: str, addresses: Sequence[str]) -> None:
    """Remember; a disk that does not take it costs a lookup, no more."""
    if file is None:
        return
    fresh = file.with_suffix(".new")
    with suppress(OSError):
        fresh.write_text(json.dumps({"host": host, "addresses": list(addresses)}) + "\n", encoding="utf-8")
        fresh.replace(file)
