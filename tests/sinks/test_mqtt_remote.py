"""Commands and the announcement as they are made from a configuration."""

from __future__ import annotations

import asyncio
import json
from importlib import resources
from pathlib import Path
from typing import Any

from conftest import make_snapshot
from mqtt_schemas import check_message

from agent.config.reader import parse
from agent.core.instant import Now
from agent.core.people import Answer, Verb
from agent.remote import open_announcer, open_commands
from agent.sinks.mqtt.commands import Commands
from agent.sinks.mqtt.topics import Publisher, messages

MINIMAL = resources.files("agent.config").joinpath("minimal.toml").read_text(encoding="utf-8")
BROKER = '[mqtt]\nhost = "127.0.0.1"\nusername = "a"\n'
COMMAND = b'{"id": "a", "expires": "2027-01-15T08:05:00Z"}'
NOW = Now(100.0, 1_800_000_000.0, synced=True, boot="a")


async def call(function: Any, *args: object) -> Any:
    return function(*args)


async def ask(verb: Verb, _box: str | None, _for_s: float | None, by: str) -> Answer:
    assert (verb, by) == (Verb.HOLD, "mqtt")
    return Answer("r", ok=True, until=NOW.mono + 3600)


async def commands(folder: Path, lines: str, afresh: Any = lambda: None) -> Commands | None:
    config = parse(MINIMAL + lines)
    return await open_commands(config, folder, call, ask, lambda: NOW, make_snapshot, afresh)


def test_commands_are_off_unless_switched_on(tmp_path):
    """No broker, or a broker without the key: nothing is there that could take one."""
    assert asyncio.run(commands(tmp_path, "")) is None
    assert asyncio.run(commands(tmp_path, BROKER)) is None
    assert list(tmp_path.iterdir()) == []


def test_commands_of_a_configuration_are_taken_and_remembered(tmp_path):
    """By the state folder's memory, which the next run reads."""

    async def story() -> list[bytes | None]:
        answers = []
        for _run in range(2):
            taker = await commands(tmp_path, BROKER + "commands = true\n")
            assert taker is not None
            answers.append(await taker.take("hold", COMMAND, retained=False))
        return answers

    first, second = (json.loads(answer or b"") for answer in asyncio.run(story()))
    assert (first["ok"], first["until"]) == (True, "2027-01-15T09:00:00Z")
    assert second["reason"] == "replayed"


def test_a_report_makes_everything_due_again(tmp_path):
    """What the publisher forgets is all published once more, and only then."""
    publisher, site = Publisher(), make_snapshot()
    assert publisher.due(site) == messages(site)
    assert publisher.due(site) == {}

    async def story() -> bytes | None:
        taker = await commands(tmp_path, BROKER + "commands = true\n", publisher.forget)
        assert taker is not None
        return await taker.take("report", COMMAND, retained=False)

    assert json.loads(asyncio.run(story()) or b"")["ok"]
    assert publisher.due(site) == messages(site)


def test_the_announcement_of_a_configuration(tmp_path):
    """In the language of the site, with buttons where commands are taken; taken back once it is off."""

    async def due(lines: str) -> dict[str, bytes] | None:
        announcer = await open_announcer(parse(MINIMAL + lines), tmp_path, call)
        found = None if announcer is None else announcer.due(make_snapshot())
        await asyncio.sleep(0)  # what was announced is written beside
        return found

    assert asyncio.run(due("")) is None
    assert asyncio.run(due(BROKER)) is None
    on = asyncio.run(due(BROKER + 'home_assistant = "ha"\ncommands = true\n'))
    assert on is not None
    ((topic, payload),) = on.items()
    assert topic == "ha/device/vigie_garage-martin/config"
    check_message(topic, payload)
    assert "hold_switch" in json.loads(payload)["components"]
    assert asyncio.run(due(BROKER)) == {topic: b""}
