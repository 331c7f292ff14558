"""The configuration that a demo gives to the agent is one that the agent accepts."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.cli.bay_config import BROKER_HOST, configuration
from agent.config.reader import read
from hardware.virtual import scenario_reader


@pytest.mark.parametrize("name", scenario_reader.names())
def test_every_scenario_makes_a_configuration_without_faults(name: str, tmp_path: Path) -> None:
    """Strictly read, as the daemon does."""
    scenario = scenario_reader.find(name)
    path = tmp_path / "vigie.toml"
    path.write_text(configuration(scenario, tmp_path, "fr", broker=True), encoding="utf-8")
    config = read(path)
    assert [uplink.name for uplink in config.uplink] == [uplink.name for uplink in scenario.uplinks]
    assert [box.relay for box in config.box] == [
        f"virtual:{tmp_path}/relay.sock#{uplink.name}" for uplink in scenario.uplinks if uplink.wired
    ]
    assert config.mqtt is not None
    assert (config.mqtt.host, config.mqtt.tls, config.mqtt.port) == (BROKER_HOST, False, 1883)


def test_without_a_broker_nothing_is_sent(tmp_path: Path) -> None:
    """A missing mosquitto is no reason not to play."""
    scenario = scenario_reader.find(scenario_reader.DEFAULT)
    path = tmp_path / "vigie.toml"
    path.write_text(configuration(scenario, tmp_path, "en", broker=False), encoding="utf-8")
    assert read(path).mqtt is None
