"""What the connection to the broker is told of commands and of Home Assistant."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from agent.config.effective import effective
from agent.config.notices import notices
from agent.config.problems import ConfigErrors
from agent.config.reader import parse

MINIMAL = resources.files("agent.config").joinpath("minimal.toml").read_text(encoding="utf-8")
MQTT = MINIMAL + '[mqtt]\nhost = "mqtt.example.net"\nusername = "garage"\n'


def test_nothing_is_taken_or_announced_unless_asked_for():
    """Commands are off, and Home Assistant is told nothing."""
    config = parse(MQTT)
    assert config.mqtt is not None
    assert (config.mqtt.commands, config.mqtt.home_assistant) == (False, None)
    lines = effective(config).splitlines()
    assert "commands = false  # default" in lines
    assert "# home_assistant is not set" in lines


def test_both_can_be_asked_for():
    """And are shown as they are."""
    config = parse(MQTT + 'commands = true\nhome_assistant = "homeassistant"\n')
    assert parse(effective(config)) == config
    assert notices(config) == notices(parse(MINIMAL))


@pytest.mark.parametrize(
    ("announced", "root"), [("vigie", None), ("vigie/ha", None), ("a/b", "a"), ("ha", "ha/vigie")]
)
def test_announcements_keep_out_of_the_topics_of_sites(announced, root):
    """Home Assistant would take every topic of the site for an announcement."""
    lines = f'home_assistant = "{announced}"\n' + (f'root = "{root}"\n' if root else "")
    with pytest.raises(ConfigErrors, match=r"mqtt\.home_assistant .*must not be within root") as caught:
        parse(MQTT + lines)
    assert len(caught.value.problems) == 1


def test_a_prefix_with_the_same_beginning_is_another_one():
    """``vigie-ha`` is not within ``vigie``."""
    assert parse(MQTT + 'home_assistant = "vigie-ha"\n').mqtt is not None


@pytest.mark.parametrize("value", ["true", "false", "1", '""', '"a/#"', '"/ha"'])
def test_what_is_no_topic_is_refused(value):
    """There is no switch besides the topic: leave the key out."""
    with pytest.raises(ConfigErrors, match="home_assistant"):
        parse(MQTT + f"home_assistant = {value}\n")


@pytest.mark.parametrize(
    ("lines", "advice"),
    [
        ('host = "mqtt.example.net"\n', "commands are taken from an anonymous connection"),
        ('host = "mqtt.example.net"\ntls = false\nusername = "a"\n', "commands come unencrypted"),
    ],
)
def test_commands_that_anybody_could_give_are_advised_on(lines, advice):
    """An open broker, or one that is reached in the clear."""
    config = parse(f"{MINIMAL}[mqtt]\n{lines}commands = true\n")
    assert any(advice in notice for notice in notices(config))
    off = parse(f"{MINIMAL}[mqtt]\n{lines}")
    assert not any("commands" in notice for notice in notices(off))


def test_the_table_of_the_manual_has_the_keys():
    """docs/configuration.md names both."""
    manual = (Path(__file__).parents[2] / "docs/configuration.md").read_text(encoding="utf-8")
    assert "| `commands` |" in manual
    assert "| `home_assistant` |" in manual
