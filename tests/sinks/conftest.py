"""What tests of the broker share; and every message that they send is held to its schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from broker_ground import Broker
from mqtt_schemas import check_message


@pytest.fixture(autouse=True)
def every_message_holds_to_its_schema(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """What a site says in this process goes out as it is, and the test fails if it is not as published."""
    marked = request.node.get_closest_marker
    if marked("broker") is None or marked("own_words") is not None:
        yield
        return
    from agent.sinks.mqtt.connection import Connection, Message

    wrong: list[str] = []
    publish = Connection.publish

    def looked_at(self: Connection, message: Message, *args: Any, **options: Any) -> int:
        if message.topic.startswith("vigie/") or message.topic.endswith("/config"):
            try:
                check_message(message.topic, message.payload)
            except Exception as error:  # noqa: BLE001 (all are told together at the end)
                wrong.append(f"{message.topic}: {error}")
        return publish(self, message, *args, **options)

    monkeypatch.setattr(Connection, "publish", looked_at)
    yield
    assert wrong == []


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A mosquitto of the test's own, running."""
    broker = Broker(tmp_path)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost broker is tried again at once."""
    monkeypatch.setattr("agent.sinks.mqtt.connecting.BACKOFF_S", (0.1, 0.2))
