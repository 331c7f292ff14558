"""One connection to a broker: the one file that imports paho.

Every attempt to connect gets a client of its own, so nothing of an earlier connection is left in the
library's memory. paho works in a thread of its own; its callbacks only hand over to the event loop, and
nothing here blocks it.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from agent.sinks.mqtt.dial import BindError, dial
from agent.sinks.mqtt.ports import Meter
from agent.sinks.mqtt.settings import Broker
from agent.sinks.mqtt.tls import SetupError, Tls, reason, refusal
from agent.sinks.mqtt.way import Route

OPEN_WITHIN_S = 20.0
FAREWELL_S = 1.0
JOIN_S = 0.7
DRAIN_S = 0.3

Token = str | int | bytes | None
"""What the caller calls a message that it has handed over."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message; ``retained`` as received: the broker had kept it, as sent: the broker is to keep it."""

    topic: str
    payload: bytes
    retained: bool = False


class _Client(paho.Client):
    """paho's client with sockets of our own making.

    paho can choose a source address and no interface, and a source address alone does not choose the uplink.
    The method is private; a test holds that it is called.
    """

    route: Route = Route()
    given_up = False
    """Nobody waits for this connection any more: it must not take the place of the one that does count."""

    def _create_socket_connection(self) -> socket.socket:
        return dial(self.host, self.port, self.route)


def _drain(ended: Any) -> None:
    """Read until the other side has closed, for a moment; in paho's thread.

    A socket that is closed with something unread in it is reset, and the broker then takes the goodbye that
    it has not read yet for a loss, and says the will.
    """
    end = time.monotonic() + DRAIN_S
    with suppress(OSError, ValueError):
        ended.shutdown(socket.SHUT_WR)
        while (left_s := end - time.monotonic()) > 0:
            ended.settimeout(left_s)
            if not ended.recv(4096):
                return


class Connection:
    """One client, used for one connection. All its state belongs to the event loop's thread."""

    def __init__(
        self,
        broker: Broker,
        changed: asyncio.Event,
        meter: Meter | None = None,
        *,
        will: Message | None = None,
        receive: Callable[[Message], None] | None = None,
        route: Route | None = None,
    ) -> None:
        """Prepare a connection; ``open`` makes it.

        Args:
            broker: where, and as whom.
            changed: set whenever there is something new to look at: acknowledgements, the loss.
            meter: counts what the connection costs.
            will: what the broker says when this client is gone; also said at an orderly ``close``.
            receive: called in the event loop with what was subscribed to.
            route: how to get there; None: as the system resolves and routes.
        """
        self._broker = broker
        self._changed = changed
        self._meter = meter
        self._will = will
        self._receive = receive
        self._route = route or Route()
        self._loop = asyncio.get_running_loop()
        self._client: _Client | None = None
        self._opened: asyncio.Future[str | None] = self._loop.create_future()
        self._farewell: int | None = None
        self._said = asyncio.Event()
        self._tls: Tls | None = None
        self.address: str | None = None
        """This machine's own, of the connection; None while there is none."""
        self.peer: str | None = None
        """The broker's, of the connection."""
        self.unbindable = False
        """It failed because this process may not choose the interface."""
        self.refused = False
        """It failed because the broker, which was reached, does not want us."""
        self.lost: str | None = None
        self.waiting: dict[int, Token] = {}
        """What the broker has not acknowledged, by message id."""
        self.acknowledged: deque[Token] = deque()
        self._handed_at: dict[int, float] = {}

    @property
    def oldest_at(self) -> float | None:
        """Since when the broker owes an acknowledgement, seconds of the event loop; None: it owes none."""
        return next(iter(self._handed_at.values()), None)

    async def open(self) -> str | None:
        """Connect; None, or why it did not work."""
        try:
            self._client = self._new_client()
        except SetupError as error:
            self.refused = True  # by no way would it be different
            return str(error)
        self._client.connect_async(self._broker.host, self._broker.port, self._broker.keepalive_s)
        self._client.loop_start()
        await asyncio.wait([self._opened], timeout=OPEN_WITHIN_S)
        return self._opened.result() if self._opened.done() else f"no answer within {OPEN_WITHIN_S:.0f} s"

    def publish(self, message: Message, token: Token = None) -> int:
        """Hand one message to the network thread and return its id; only after ``open``."""
        assert self._client is not None
        sent = self._client.publish(message.topic, message.payload, qos=1, retain=message.retained)
        self.waiting[sent.mid] = token
        self._handed_at[sent.mid] = self._loop.time()
        return sent.mid

    def subscribe(self, *filters: str, qos: int = 1) -> None:
        """Ask for messages; only after ``open``."""
        assert self._client is not None
        self._client.subscribe([(wanted, qos) for wanted in filters])

    async def close(self, *, farewell: bool = True) -> None:
        """Say goodbye if there is somebody to hear it, and end the network thread.

        Args:
            farewell: say the will and wait for its way; False if another connection follows at once.
        """
        client, self._client = self._client, None
        if client is None:
            return
        client.given_up = True
        is_open = self._opened.done() and self._opened.result() is None and self.lost is None
        if farewell and is_open and self._will is not None:
            self._client = client
            self._farewell = self.publish(self._will)
            with suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_S):
                    await self._said.wait()
            self._client = None
        client.disconnect()
        # Nothing can interrupt a name lookup or a handshake: the thread gets a moment, then is left alone.
        done = asyncio.Event()
        threading.Thread(target=self._join, args=(client, done), daemon=True).start()
        if not farewell:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(JOIN_S):
                await done.wait()

    def _join(self, client: _Client, done: asyncio.Event) -> None:
        client.loop_stop()
        self._hand_over(done.set)

    def _new_client(self) -> _Client:
        broker = self._broker
        client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id,
            clean_session=not broker.keeps,
            protocol=paho.MQTTv311,
            reconnect_on_failure=False,
        )
        if broker.username is not None:
            client.username_pw_set(broker.username, broker.password)
        if broker.tls:
            self._tls = Tls.believing(broker.ca_file, broker.cert_file, broker.key_file)
            client.tls_set_context(self._tls)
        if self._will is not None:
            client.will_set(self._will.topic, self._will.payload, qos=1, retain=self._will.retained)
        client.route = self._route
        client.max_inflight_messages_set(0)  # bounded by whoever publishes
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_socket_open = self._on_socket_open
        client.on_socket_close = self._on_socket_close
        return client

    # --- called by paho, in its thread -----------------------------------------------------------------

    def _hand_over(self, call: Callable[..., None], *args: object) -> None:
        with suppress(RuntimeError):  # the loop has ended meanwhile
            self._loop.call_soon_threadsafe(call, *args)

    def _on_connect(
        self, _client: object, _data: object, _flags: object, answer: Any, _props: object
    ) -> None:
        refused = refusal(str(answer)) if answer.is_failure else None
        self._hand_over(self._set_answered, refused)

    def _on_socket_open(self, client: paho.Client, _data: object, opened: Any) -> None:
        if isinstance(client, _Client) and client.given_up:
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            self.address, self.peer = opened.getsockname()[0], opened.getpeername()[0]
        if self._meter is not None:
            self._meter.opened(opened)

    def _on_socket_close(self, client: paho.Client, _data: object, ended: Any) -> None:
        if isinstance(client, _Client) and client.given_up:
            _drain(ended)
        if self._meter is not None:
            self._meter.closed(ended)

    def _on_connect_fail(self, _client: object, _data: object) -> None:
        # paho calls this while it handles the exception, and does not pass it on.
        error = sys.exc_info()[1]
        self._hand_over(self._set_failed, reason(error), isinstance(error, BindError))
        if self._tls is not None:
            self._tls.close_last()

    def _on_disconnect(
        self, _client: object, _data: object, _flags: object, why: object, _props: object
    ) -> None:
        said = None if self._tls is None else self._tls.said
        self._hand_over(self._set_lost, str(why) if said is None else reason(said))

    def _on_publish(self, _client: object, _data: object, mid: int, _reason: object, _props: object) -> None:
        self._hand_over(self._set_published, mid)

    def _on_message(self, _client: object, _data: object, received: paho.MQTTMessage) -> None:
        if self._receive is not None:
            message = Message(received.topic, bytes(received.payload), bool(received.retain))
            self._hand_over(self._receive, message)

    # --- the same, in the event loop -------------------------------------------------------------------

    def _set_opened(self, problem: str | None) -> None:
        if not self._opened.done():
            self._opened.set_result(problem)

    def _set_answered(self, refused: str | None) -> None:
        self.refused = refused is not None
        self._set_opened(refused)

    def _set_failed(self, problem: str, unbindable: bool) -> None:
        self.unbindable = unbindable
        self._set_opened(problem)

    def _set_lost(self, why: str) -> None:
        if not self._opened.done():
            said = self._tls is not None and self._tls.said is not None
            self._set_opened(why if said else self._unanswered())
        self.lost = why
        self._said.set()
        self._changed.set()

    def _set_published(self, mid: int) -> None:
        token = self.waiting.pop(mid, None)
        self._handed_at.pop(mid, None)
        if token is not None:
            self.acknowledged.append(token)
        if mid == self._farewell:
            self._said.set()
        self._changed.set()

    def _unanswered(self) -> str:
        hint = "" if self._broker.tls else "; is it the port for encrypted connections?"
        return f"closed before it answered the greeting{hint}"
