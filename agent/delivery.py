"""MQTT as a part of a running agent; it imports what it needs when it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from agent.config.schema import Config
from agent.core.model import Observation
from agent.core.snapshot_types import Snapshot
from agent.probes.meter import Meter
from agent.runtime.history import History
from agent.runtime.store import Store


async def run_mqtt(
    config: Config,
    snapshots: AsyncIterator[Snapshot],
    store: Store,
    history: History,
    post: Callable[[Observation], None],
    meter: Meter,
) -> None:
    """Send snapshots and events to the broker, until cancelled.

    Raises:
        OSError: the password cannot be read.
        ValueError: it is none; the message does not quote it.
    """
    from agent.config.secrets import mqtt_password
    from agent.sinks.mqtt.settings import MqttSettings
    from agent.sinks.mqtt.sink import MqttSink

    mqtt = config.mqtt
    assert mqtt is not None
    settings = MqttSettings(
        host=mqtt.host,
        port=mqtt.port,
        tls=mqtt.tls,
        ca_file=mqtt.ca_file,
        username=mqtt.username,
        password=mqtt_password(mqtt),
        client_id=mqtt.client_id,
        keepalive_s=mqtt.keepalive_s,
        root=mqtt.root,
        site=config.site.name,
    )
    outbox = store.outbox("mqtt")
    await MqttSink(settings, outbox, history.call, post, meter).run(snapshots, history.filled)
