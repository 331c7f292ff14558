"""What people ask for through the broker, on its way to the inbox, and the answers on their way back."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from agent.sinks.mqtt.connection import Connection, Message
from agent.sinks.mqtt.ports import Inbox

COMMAND = "command/"
RESULT = "command/result"
AT_ONCE = 4
"""Orders that are carried out at the same time."""
MOST_WAITING = 32
"""Whoever may write there can write fast: what comes on top of these is dropped, and said in the log."""

_log = logging.getLogger("vigie.mqtt")


class Orders:
    """Takes orders for as long as it is kept; what is answered waits for the next connection if need be."""

    def __init__(self, inbox: Inbox, prefix: str, answered: Callable[[], None]) -> None:
        """Prepare.

        Args:
            inbox: does what is asked.
            prefix: of the site's topics.
            answered: called when there is an answer to ``send``.
        """
        self._inbox = inbox
        self._prefix = prefix
        self._answered = answered
        self._tasks: set[asyncio.Task[None]] = set()
        self._free = asyncio.Semaphore(AT_ONCE)
        self._answers: deque[bytes] = deque(maxlen=MOST_WAITING)

    @property
    def filter(self) -> str:
        """What is to be subscribed to."""
        return f"{self._prefix}{COMMAND}+"

    def receive(self, message: Message) -> None:
        """One message has come; returns at once."""
        verb = message.topic.removeprefix(self._prefix + COMMAND)
        if message.topic == self._prefix + RESULT or "/" in verb:
            return
        if len(self._tasks) >= MOST_WAITING:
            _log.warning("MQTT command dropped: %d are waiting", len(self._tasks))
            return
        task = asyncio.get_running_loop().create_task(self._take(verb, message))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def send(self, connection: Connection) -> None:
        """Hand over every answer there is."""
        while self._answers:
            answer = self._answers.popleft()
            connection.publish(Message(self._prefix + RESULT, answer), answer)

    def take_back(self, connection: Connection) -> None:
        """Keep what a connection has not delivered for the next one."""
        self._answers.extendleft(
            token for token in reversed(connection.waiting.values()) if isinstance(token, bytes)
        )

    def close(self) -> None:
        """Nobody waits for answers any more."""
        for task in self._tasks:
            task.cancel()

    async def _take(self, verb: str, message: Message) -> None:
        async with self._free:
            answer = await self._inbox.take(verb, message.payload, retained=message.retained)
        if answer is not None:
            self._answers.append(answer)
            self._answered()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("MQTT command failed", exc_info=error)
