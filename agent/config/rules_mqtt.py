"""Rules between the keys of the brokers, in the manner of ``rules``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent.config.lines import KeyPath
from agent.config.problems import shown
from agent.config.rules import entries, no_uplink
from agent.config.schema_mqtt import VIA_ANY, VIA_SYSTEM
from agent.config.shape import Fault
from agent.config.words import say


def broken_mqtt_rules(clean: Mapping[str, Any]) -> Iterator[Fault]:
    """Every broken rule of ``[mqtt]`` and ``[mqtt.second]``."""
    mqtt = clean.get("mqtt") or {}
    uplinks = entries(clean, "uplink")
    names = [uplink["name"] for _, uplink in uplinks if "name" in uplink]
    for path, broker in ((("mqtt",), mqtt), (("mqtt", "second"), mqtt.get("second") or {})):
        yield from _broker(path, broker, names if len(names) == len(uplinks) else [])
    first, second = ({key: _plain(one, key) for key in ("host", "port", "client_id")} for one in _both(mqtt))
    if second["host"] is not None and first == second:
        yield Fault(("mqtt", "second", "host"), shown(mqtt["second"]["host"]), say("broker_twice"))


def _broker(path: KeyPath, broker: Mapping[str, Any], names: list[str]) -> Iterator[Fault]:
    if "password_file" in broker and "username" not in broker:
        yield Fault((*path, "password_file"), shown("", secret=True), say("password_alone"))
    if "key_file" in broker and "cert_file" not in broker:
        yield Fault((*path, "key_file"), shown(broker["key_file"]), say("key_alone"))
    via = broker.get("via", VIA_ANY)
    if via not in (VIA_ANY, VIA_SYSTEM) and names and via not in names:
        yield Fault((*path, "via"), shown(via), no_uplink(via, [VIA_ANY, VIA_SYSTEM, *names]))


def _both(mqtt: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    return mqtt, mqtt.get("second") or {}


def _plain(broker: Mapping[str, Any], key: str) -> object:
    value = broker.get(key)
    if key == "port" and value is None:
        return 8883 if broker.get("tls", True) else 1883
    return value.lower().removesuffix(".") if key == "host" and isinstance(value, str) else value
