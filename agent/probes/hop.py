"""Finds the operator's first hop of an uplink, and asks it again and again.

An echo whose time to live ends on the way is answered by the router where it ends. The first hop is the
box; the first one beyond it that answers is the operator's, whatever its address: behind many operators it
is a private one. If it answers and the internet does not, the line is well and the operator is not. Many
hops never answer; then there is nothing to say.

A known hop costs one echo to it and one to each target, with their answers; finding it costs four echoes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from agent.core.budget import ECHO_BYTES
from agent.core.inquiries import Asked, Check, Said
from agent.probes.echoes import EXPIRED_BYTES
from agent.probes.icmp_socket import USUAL_TTL, EchoSocket, Refusal, Reply
from agent.probes.way import Way, unsent

FURTHEST: Final = 4
"""Hops that are looked at; the operator's first is the second or third behind one box."""
TRIES: Final = 2
"""Routers answer such echoes at a limited rate, and a line may lose one."""


@dataclass(frozen=True, slots=True)
class Hop:
    """A router on the way: how many hops from this machine, and the address by which it answers."""

    ttl: int
    address: str


@dataclass(frozen=True, slots=True)
class Shot:
    """An echo to ``target`` that may take ``ttl`` hops."""

    target: str
    ttl: int = USUAL_TTL


@dataclass(frozen=True, slots=True)
class Echoed:
    """Who answered a shot: the target, or a router where it ``expired``, or one that refused it."""

    by: str
    expired: bool
    reached: bool
    took_ms: float


async def volley(
    way: Way, shots: Sequence[Shot], clock: Callable[[], float], wait_s: float
) -> list[Echoed | None]:
    """Send all shots together; what came back for each of them within ``wait_s``.

    Raises:
        OSError: nothing could be sent.
    """
    loop = asyncio.get_running_loop()
    echo = EchoSocket(way.interface, way.source)
    try:
        answers: list[Echoed | None] = [None] * len(shots)
        whole = loop.create_future()
        sent_at = clock()

        def read() -> None:
            for found in echo.read():
                way.spend(0, ECHO_BYTES if isinstance(found, Reply) else EXPIRED_BYTES)
                _note(found, shots, answers, (clock() - sent_at) * 1000)
            if None not in answers and not whole.done():
                whole.set_result(None)

        for number, shot in enumerate(shots):
            try:
                echo.send(shot.target, number, shot.ttl)
            except OSError:
                # The error may be the answer to an earlier echo; reading takes it away.
                read()
                echo.send(shot.target, number, shot.ttl)
            way.spend(ECHO_BYTES, 0)
        loop.add_reader(echo.fileno(), read)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await whole
        finally:
            loop.remove_reader(echo.fileno())
        return answers
    finally:
        echo.close()


def _note(
    found: Reply | Refusal, shots: Sequence[Shot], answers: list[Echoed | None], took_ms: float
) -> None:
    if found.sequence >= len(shots) or answers[found.sequence] is not None:
        return
    reached = isinstance(found, Reply)
    if reached and found.sender != shots[found.sequence].target:
        return
    expired = isinstance(found, Refusal) and found.expired
    answers[found.sequence] = Echoed(found.sender, expired, reached, round(took_ms, 2))


def first_beyond(box: str | None, answers: Sequence[Echoed | None]) -> Hop | None:
    """The operator's first hop among the answers to shots with 1, 2, 3... hops; None if none can be told."""
    nearest = answers[0]
    boxes = {box, nearest.by if nearest is not None else None}
    for ttl, answer in enumerate(answers[1:], start=2):
        if answer is not None and answer.expired and answer.by not in boxes:
            return Hop(ttl, answer.by)
    return None


class FirstHop:
    """The operator's first hop of one uplink: learned, asked, and learned anew when the way has changed."""

    def __init__(self, targets: Sequence[str], clock: Callable[[], float], wait_s: float) -> None:
        """Know nothing yet.

        Args:
            targets: public addresses; the hop is looked for on the way to the first.
            clock: monotonic seconds.
            wait_s: how long to wait for the answers to echoes that were sent together.
        """
        self._targets = tuple(targets)
        self._clock = clock
        self._wait_s = wait_s
        self.known: Hop | None = None

    def forget(self) -> None:
        """The uplink has another box or another address: what is known counts no more."""
        self.known = None

    async def ask(self, way: Way, box: str | None) -> Check | None:
        """Ask the hop, or find it; None if there is nothing to say about it.

        Args:
            way: the uplink.
            box: the box's address on the LAN, as far as it is known.
        """
        sent_at = round(self._clock(), 4)
        hop = self.known
        try:
            if hop is None:
                return await self._learn(way, box, sent_at)
            return await self._ask_known(way, box, hop, sent_at)
        except OSError as error:
            if hop is None:
                return None
            return _check(way, hop, sent_at, Said.UNSENT, detail=unsent(error).detail)

    async def _ask_known(self, way: Way, box: str | None, hop: Hop, sent_at: float) -> Check | None:
        towards = Shot(self._targets[0], hop.ttl)
        through = [Shot(target) for target in self._targets]
        for _ in range(TRIES):
            answer, *reached = await volley(way, [towards, *through], self._clock, self._wait_s)
            if answer is not None:
                break
            # A hop that has fallen silent while others answer has gone, or does not want to be asked.
            if any(echoed is not None and echoed.reached for echoed in reached):
                return await self._learn(way, box, sent_at)
        if answer is None:
            return _check(way, hop, sent_at, Said.SILENT, detail=f"answered as {hop.address} before")
        if answer.expired and answer.by == hop.address:
            return _check(way, hop, sent_at, Said.WELL, answer)
        if not answer.expired and not answer.reached:
            if answer.by == way.address_towards(self._targets[0]):
                detail = "nobody answers ARP for the next hop"
                return _check(way, hop, sent_at, Said.SILENT, detail=detail)
            return _check(way, hop, sent_at, Said.REFUSED, answer, "ICMP error: unreachable")
        return await self._learn(way, box, sent_at)

    async def _learn(self, way: Way, box: str | None, sent_at: float) -> Check | None:
        shots = [Shot(self._targets[0], ttl) for ttl in range(1, FURTHEST + 1)]
        answers = await volley(way, shots, self._clock, self._wait_s)
        self.known = first_beyond(box, answers)
        if self.known is None:
            return None
        return _check(way, self.known, sent_at, Said.WELL, answers[self.known.ttl - 1])


def _check(
    way: Way, hop: Hop, sent_at: float, said: Said, answer: Echoed | None = None, detail: str = ""
) -> Check:
    took_ms, by = (None, None) if answer is None else (answer.took_ms, answer.by)
    return Check(way.uplink, Asked.HOP, str(hop.ttl), sent_at, said, took_ms, by, detail)
