"""The connections to the brokers as parts of a running agent; what they need is imported when they run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.config.forms import is_private
from agent.config.schema import Config, Uplink
from agent.config.schema_mqtt import MqttBroker
from agent.config.secrets import MQTT_CREDENTIAL, SECOND_CREDENTIAL, mqtt_password, secret_path
from agent.core.instant import Now
from agent.core.model import Observation
from agent.probes.meter import Meter
from agent.probes.names import ask_name
from agent.probes.way import Way
from agent.remote import open_announcer, open_commands
from agent.runtime.board import Board
from agent.runtime.history import History
from agent.runtime.outbox import Outbox
from agent.runtime.store import Store

if TYPE_CHECKING:
    from agent.sinks.mqtt.commands import Ask
    from agent.sinks.mqtt.settings import MqttSettings
    from agent.sinks.mqtt.way import Exit

FIRST, SECOND = "mqtt", "mqtt2"
"""The parts, and the names under which the outbox keeps what each broker has."""
NAMES_S = 2.0
"""For the answer of a public name server: its question goes twice."""


@dataclass(frozen=True, slots=True)
class Where:
    """What every connection has in common with the rest of the agent."""

    state: Path
    board: Board
    history: History
    meter: Meter
    post: Callable[[Observation], None]
    ask: Ask
    clock: Callable[[], Now]


def deliveries(
    config: Config, store: Store, where: Where
) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
    """What keeps each broker informed until it is cancelled, by part.

    Each raises OSError if the password or the key cannot be read, and ValueError if it is none; the message
    does not quote it.
    """
    return {part: partial(_deliver, config, part, store.outbox(part), where) for part in brokers(config)}


async def _deliver(config: Config, part: str, outbox: Outbox, where: Where) -> None:
    from agent.sinks.mqtt.sink import MqttSink

    call = where.history.call
    inbox = announcer = None
    if part == FIRST:

        def publish_afresh() -> None:
            sink.publish_afresh()

        inbox = await open_commands(
            config, where.state, call, where.ask, where.clock, lambda: where.board.latest, publish_afresh
        )
        announcer = await open_announcer(config, where.state, call)
    sink = MqttSink(
        settings_of(config, part),
        outbox,
        where.history.call,
        where.post,
        where.meter,
        inbox=inbox,
        announcer=announcer,
        resolve=PublicNames(config.uplink, config.checks.name_servers, where.meter.count),
        remembered=where.state / f"{part}-addresses.json",
    )
    await sink.run(where.board.snapshots(), where.history.listen())


def brokers(config: Config) -> dict[str, MqttBroker]:
    """The brokers of a configuration, by part."""
    if config.mqtt is None:
        return {}
    second = config.mqtt.second
    return {FIRST: config.mqtt} if second is None else {FIRST: config.mqtt, SECOND: second}


def settings_of(config: Config, part: str) -> MqttSettings:
    """What the connection to one broker is told, its password included.

    Raises:
        OSError: the password or the key cannot be read.
        ValueError: it is none; the message does not quote it.
    """
    from agent.sinks.mqtt.settings import MqttSettings

    broker = brokers(config)[part]
    assert config.mqtt is not None
    return MqttSettings(
        part=part,
        host=broker.host,
        port=broker.port,
        tls=broker.tls,
        ca_file=broker.ca_file,
        cert_file=broker.cert_file,
        key_file=None if broker.key_file is None else secret_path(broker.key_file),
        username=broker.username,
        password=mqtt_password(broker, credential=MQTT_CREDENTIAL if part == FIRST else SECOND_CREDENTIAL),
        client_id=broker.client_id,
        keepalive_s=broker.keepalive_s,
        root=config.mqtt.root,
        site=config.site.name,
        commands=part == FIRST and config.mqtt.commands,
        via=broker.via,
        exits=_exits(config.uplink),
    )


def _exits(uplinks: Sequence[Uplink]) -> tuple[Exit, ...]:
    from agent.sinks.mqtt.way import Exit

    interfaces = [uplink.interface for uplink in uplinks]
    return tuple(
        Exit(uplink.name, uplink.interface, uplink.source, shared=interfaces.count(uplink.interface) > 1)
        for uplink in uplinks
    )


class PublicNames:
    """Asks the public name servers of the configuration through one uplink, all at once."""

    def __init__(
        self, uplinks: Sequence[Uplink], servers: Sequence[str], count: Callable[[str, int, int], None]
    ) -> None:
        self._ways = {
            uplink.name: Way(uplink.name, uplink.interface, uplink.source, count) for uplink in uplinks
        }
        self._servers = servers

    async def __call__(self, host: str, uplink: str) -> list[str]:
        """What the first of them says that knows an address; empty if none does in time."""
        way = self._ways.get(uplink)
        # A name of the house is nobody else's business.
        if way is None or is_private(host) or "." not in host.rstrip("."):
            return []
        asking = [asyncio.ensure_future(self._ask(way, server, host)) for server in self._servers]
        try:
            for answer in asyncio.as_completed(asking):
                if found := await answer:
                    return found
        finally:
            for one in asking:
                one.cancel()
        return []

    @staticmethod
    async def _ask(way: Way, server: str, host: str) -> list[str]:
        try:
            return list((await ask_name(way, server, host, time.monotonic, NAMES_S)).addresses)
        except ValueError:  # a name that DNS cannot be asked for
            return []
