"""Holds announcements to Home Assistant's own schemas and renders every template with what sites say.

Runs in an environment that has Home Assistant, and nothing of Vigie's; see ``check_home_assistant``.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

from homeassistant.components.mqtt.discovery import TOPIC_MATCHER
from homeassistant.components.mqtt.models import MqttCommandTemplate, MqttValueTemplate
from homeassistant.components.mqtt.schemas import DEVICE_DISCOVERY_SCHEMA, SHARED_OPTIONS
from homeassistant.components.sensor.const import (
    DEVICE_CLASS_STATE_CLASSES,
    DEVICE_CLASS_UNITS,
    SensorDeviceClass,
)
from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.helpers.template import Template
from homeassistant.util import dt as dt_util

from agent.sinks.mqtt.command_form import Form, command_of, opened

FORMS = {
    "cycle": Form(needs=("box",)),
    "hold": Form(may=("for_s",)),
    "release": Form(),
    "report": Form(),
}


class Warned(logging.Handler):
    """Keeps what Home Assistant warns of; a template that fails is a warning there."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line."""
        self.lines.append(record.getMessage())


class Check:
    """One run over all announcements."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.hass = hass
        self.counts = {"devices": 0, "entities": 0, "values": 0, "commands": 0}

    def device(self, topic: str, text: str, said: list[tuple[str, str]]) -> None:
        """One announced device, and what its entities make of what is said."""
        prefix = topic.split("/device/")[0]
        match = TOPIC_MATCHER.match(topic.removeprefix(f"{prefix}/"))
        assert match is not None, topic
        assert match["component"] == "device", topic
        payload = json.loads(text)
        DEVICE_DISCOVERY_SCHEMA(json.loads(text))
        self.counts["devices"] += 1
        names: set[str] = set()
        for key, component in payload["components"].items():
            platform = component["platform"]
            config = {name: value for name, value in component.items() if name != "platform"}
            module = importlib.import_module(f"homeassistant.components.mqtt.{platform}")
            shared = {
                name: payload[name] for name in SHARED_OPTIONS if name in payload and name not in config
            }
            module.DISCOVERY_SCHEMA({**config, **shared})
            taken = {**config, **({} if platform == "button" else {"state_topic": shared.get("state_topic")})}
            taken = {**taken, **({"state_topic": config["state_topic"]} if "state_topic" in config else {})}
            module.PLATFORM_SCHEMA_MODERN(taken)  # refuses keys that discovery would drop in silence
            assert config["name"] not in names, config["name"]
            names.add(config["name"])
            self._units(key, platform, config)
            self.counts["entities"] += 1
            if "command_template" in config:
                self._commands(platform, config)
            if "value_template" in config:
                self._values(key, platform, {**shared, **config}, said)

    def _units(self, key: str, platform: str, config: dict[str, Any]) -> None:
        """The unit and the kind of state are among those of the device class."""
        if platform != "sensor" or "device_class" not in config:
            return
        kind = SensorDeviceClass(config["device_class"])
        if kind in DEVICE_CLASS_UNITS:
            assert config["unit_of_measurement"] in DEVICE_CLASS_UNITS[kind], key
        if "state_class" in config:
            assert config["state_class"] in DEVICE_CLASS_STATE_CLASSES[kind], key

    def _values(self, key: str, platform: str, config: dict[str, Any], said: list[tuple[str, str]]) -> None:
        template = MqttValueTemplate(Template(config["value_template"], self.hass))
        seen = set()
        for topic, payload in said:
            if topic == config["state_topic"]:
                value = str(template.async_render_with_possible_json_value(payload))
                self._value(key, platform, config, value)
                seen.add(value)
                self.counts["values"] += 1
        assert seen, f"{key}: nothing is said on {config['state_topic']}"
        if "json_attributes_template" in config:
            attributes = MqttValueTemplate(Template(config["json_attributes_template"], self.hass))
            for topic, payload in said:
                if topic == config["json_attributes_topic"]:
                    assert isinstance(
                        json.loads(attributes.async_render_with_possible_json_value(payload)), dict
                    )

    def _value(self, key: str, platform: str, config: dict[str, Any], value: str) -> None:
        place = f"{key}: {value!r}"
        if platform in ("binary_sensor", "switch"):
            assert value in ("ON", "OFF", "None"), place
        elif platform == "event":
            if value:
                assert json.loads(value)["event_type"] in config["event_types"], place
        elif "options" in config:
            assert value in (*config["options"], "None"), place
        elif config.get("device_class") == "timestamp":
            assert value == "None" or dt_util.parse_datetime(value) is not None, place
        elif "unit_of_measurement" in config or "state_class" in config:
            assert value == "None" or float(value) == float(value), place
        else:
            assert value, place

    def _commands(self, platform: str, config: dict[str, Any]) -> None:
        """What a press sends is a command as the site takes it."""
        template = MqttCommandTemplate(Template(config["command_template"], self.hass))
        verb = config["command_topic"].rpartition("/")[2]
        names = set()
        for value in ("ON", "OFF") if platform == "switch" else ("PRESS",):
            rendered = template.async_render(value)
            assert isinstance(rendered, str)
            command = command_of(FORMS[verb], opened(rendered.encode()))
            left_s = command.expires - dt_util.utcnow().timestamp()
            assert 50 < left_s <= 61, left_s
            if platform == "switch":
                assert command.for_s == (3600 if value == "ON" else 0)
            names.add(command.name)
            self.counts["commands"] += 1
        assert len(names) == (2 if platform == "switch" else 1), "each press has a name of its own"


async def main(cases: list[dict[str, Any]]) -> None:
    """Check these announcements."""
    warned = Warned()
    logging.getLogger().addHandler(warned)
    with tempfile.TemporaryDirectory() as folder:
        hass = HomeAssistant(folder)
        check = Check(hass)
        for case in cases:
            assert case["discovery"], case["name"]
            for topic, text in case["discovery"].items():
                check.device(topic, text, case["said"])
        await hass.async_stop(force=True)
    assert not warned.lines, warned.lines
    told = ", ".join(f"{count} {what}" for what, count in check.counts.items())
    sys.stdout.write(f"Home Assistant {__version__}: {told}\n")


asyncio.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
