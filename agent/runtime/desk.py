"""Where requests of people go in and the core's answers come out, each to whoever asked."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

from agent.core.model import Observation
from agent.core.people import Answer, Request, Verb

ANSWER_S = 5.0


class Desk:
    """Gives each request its id and keeps whoever asked until the answer is there."""

    def __init__(self, post: Callable[[Observation], None]) -> None:
        self._post = post
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Answer]] = {}

    async def ask(
        self,
        verb: Verb,
        box: str | None = None,
        for_s: float | None = None,
        by: str = "",
        *,
        force: bool = False,
    ) -> Answer:
        """Hand a request to the core.

        Args:
            verb: what is asked for.
            box: which box, where the verb is about one.
            for_s: seconds, where the verb has a duration.
            by: who asks.
            force: as in ``Request``.

        Raises:
            TimeoutError: no answer came.
        """
        name = f"request-{next(self._numbers)}"
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[name] = answer
        try:
            self._post(Request(name, verb, box, for_s, by, force))
            async with asyncio.timeout(ANSWER_S):
                return await answer
        finally:
            del self._waiting[name]

    def answered(self, answer: Answer) -> None:
        """Pass an answer on; nobody waits for that of a replayed or abandoned request."""
        waiting = self._waiting.get(answer.id)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)
