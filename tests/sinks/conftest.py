"""Every message that a test of the broker sends is held to its schema, whatever the test is about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
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
