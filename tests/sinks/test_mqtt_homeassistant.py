"""What Home Assistant is told: entities that it takes, on topics that exist, and none that is gone."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from home_sites import FULL, Remembered, announcement, cases
from mqtt_schemas import check_message

from agent.core.codes import FINDINGS
from agent.runtime.announced import FILE, AnnouncedFile, load
from agent.sinks.mqtt.home_entities import EVENT_TYPES
from agent.sinks.mqtt.homeassistant import SETTLED_S, HomeAssistant
from agent.sinks.mqtt.topics import messages

TOPIC = "homeassistant/device/vigie_dijon/config"
CASES = {case.name: case for case in cases()}


def announced(remembered: Any = None, snapshot: Any = FULL, **changes: Any) -> dict[str, Any]:
    """All that is announced at the first look, by topic; None for what is removed."""
    home = HomeAssistant(announcement(**changes), remembered or Remembered())
    return {topic: json.loads(body) if body else None for topic, body in home.due(snapshot).items()}


def components(**changes: Any) -> dict[str, Any]:
    (payload,) = announced(**changes).values()
    return payload["components"]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_announcement_holds_to_its_schema(case):
    """Keys, platforms, classes and units as Home Assistant documents them."""
    for topic, payload in case.discovery.items():
        check_message(topic, payload)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_entity_reads_a_topic_that_exists(case):
    """And no two have the same name or the same id."""
    (payload,) = (json.loads(body) for body in case.discovery.values())
    said = {topic for topic, _ in case.said}
    entities = payload["components"]
    for key, entity in entities.items():
        if "value_template" in entity:
            assert entity.get("state_topic", payload["state_topic"]) in said, key
    ids = [entity["unique_id"] for entity in entities.values()]
    assert len(set(ids)) == len(ids) == len({entity["name"] for entity in entities.values()})
    (device,) = payload["device"]["identifiers"]
    assert set(ids) == {f"{device}_{key}" for key in entities}


def test_all_values_are_read_from_the_whole_state():
    """Where data cost money it is the one topic that is said again; events have their own."""
    other = {key for key, entity in components().items() if "state_topic" in entity}
    assert other == {"event"}
    assert '"starlink"' in components()["uplink_starlink_latency"]["value_template"]


def test_everything_of_a_site_is_there():
    """Uplinks, boxes with what they say, modems, the site; services have none yet."""
    parts = {key.partition("_")[0] for key in components()}
    assert parts == {
        "uplink", "box", "modem", "problem", "headline", "armed", "hold", "seen", "event", "release", "report"
    }  # fmt: skip
    assert {key for key in components() if "dish" in key or key.startswith("box_box")} == {
        "box_box_phase", "box_box_cycles", "box_box_line", "box_box_light", "box_box_cycle",
        "box_dish_phase", "box_dish_cycles", "box_dish_line", "box_dish_obstructed", "box_dish_cycle",
    }  # fmt: skip
    assert "uplink_cellular_data" in components()
    assert "uplink_ftth_data" not in components()


def test_nothing_can_be_pressed_where_no_commands_are_taken():
    """No switch and no button; the hold is shown all the same."""
    entities = components(commands=False)
    assert {entity["platform"] for entity in entities.values()} == {"sensor", "binary_sensor", "event"}
    assert not any("command_topic" in entity for entity in entities.values())
    assert entities["hold"]["platform"] == "binary_sensor"
    assert "hold" not in components()


def test_what_is_pressed_is_shown_only_once_it_is_so():
    """The switch follows the state that the site publishes."""
    switch = components()["hold_switch"]
    assert switch["optimistic"] is False
    assert "hold_until" in switch["value_template"]


def test_a_key_of_a_component_never_changes_its_platform():
    """Its removal names both."""
    seen: dict[str, str] = {}
    for case in CASES.values():
        for body in case.discovery.values():
            for key, entity in json.loads(body)["components"].items():
                assert seen.setdefault(key, entity["platform"]) == entity["platform"]


def test_names_are_in_the_language_of_the_site():
    """What people read; ids and options do not change with it."""
    french, english = components(), components(language="en")
    assert french.keys() == english.keys()
    assert french["uplink_ftth_latency"]["name"] == "Fibre latence"
    assert english["uplink_ftth_latency"]["name"] == "Fibre latency"
    assert french["uplink_ftth_health"]["options"] == english["uplink_ftth_health"]["options"]
    assert "Box bloquée" in french["headline"]["value_template"]
    assert all(f'"{code}": ' in english["headline"]["value_template"] for code in FINDINGS)
    assert french["event"]["event_types"] == list(EVENT_TYPES)


def test_the_id_of_the_device_is_one_that_home_assistant_takes():
    """Letters, digits, hyphens, underscores, whatever the root; another site is another device."""
    told = announcement(root="north/vigie.2", topic="ha/here")
    assert told.whole_topic == "ha/here/device/north_vigie_2_dijon/config"
    assert announcement(site="garage-martin").device == "vigie_garage-martin"


# --- when --------------------------------------------------------------------------------------------------


def test_it_is_said_once_for_each_connection_and_when_it_changed():
    """Numbers that move, phases and incidents change nothing of it; a label does."""
    home = HomeAssistant(announcement(), Remembered())
    assert list(home.due(FULL)) == [TOPIC]
    moved = tuple(replace(view, rtt_ms=99.0) for view in FULL.uplinks)
    assert home.due(replace(FULL, mono=FULL.mono + 500, uplinks=moved, hold_until=5e3)) == {}
    home.begin()
    assert list(home.due(FULL)) == [TOPIC]
    named = tuple(replace(view, label="Renamed") for view in FULL.uplinks)
    assert b"Renamed" in home.due(replace(FULL, uplinks=named))[TOPIC]


def test_an_entity_that_is_gone_is_removed_once():
    """By its platform alone, also after a restart, until that has certainly arrived."""
    remembered = Remembered()
    announced(remembered)
    fewer = replace(FULL, uplinks=FULL.uplinks[:2], devices=FULL.devices[:2])
    home = HomeAssistant(announcement(), remembered)
    first = json.loads(home.due(fewer)[TOPIC])["components"]
    gone = {key: entity for key, entity in first.items() if "unique_id" not in entity}
    assert set(gone) == {key for key in components() if "cellular" in key or key.startswith("modem_")}
    assert gone["uplink_cellular_works"] == {"platform": "binary_sensor"}
    check_message(TOPIC, home._sent[TOPIC])
    home.begin()  # the connection was lost: perhaps nothing arrived
    assert "uplink_cellular_works" in json.loads(home.due(fewer)[TOPIC])["components"]
    assert home.due(replace(fewer, mono=fewer.mono + SETTLED_S - 1)) == {}
    later = replace(fewer, mono=fewer.mono + SETTLED_S)
    assert json.loads(home.due(later)[TOPIC])["components"].keys() == components(snapshot=fewer).keys()
    assert home.due(replace(later, mono=later.mono + 1)) == {}
    assert announced(remembered, fewer)[TOPIC]["components"].keys() == components(snapshot=fewer).keys()


def test_a_site_of_another_name_or_none_takes_its_announcement_back():
    """An empty message on the former topic, until that has certainly arrived."""
    remembered = Remembered()
    announced(remembered)
    said = announced(remembered, site="lyon")
    assert said[TOPIC] is None
    assert said["homeassistant/device/vigie_lyon/config"]["device"]["identifiers"] == ["vigie_lyon"]
    assert set(remembered.known) == {TOPIC, "homeassistant/device/vigie_lyon/config"}
    home = HomeAssistant(announcement(topic=None), remembered)
    assert set(home.due(FULL).values()) == {b""}
    assert home.due(replace(FULL, mono=FULL.mono + 1)) == {}
    assert home.due(replace(FULL, mono=FULL.mono + SETTLED_S)) == {}
    assert remembered.known == {}
    assert announced(remembered, topic=None) == {}


def test_what_was_announced_survives_a_restart(tmp_path: Path):
    """In a file; a damaged one says nothing, and nothing is lost but the removal of what went before."""

    async def call(function: Any, *args: object) -> Any:
        return function(*args)

    async def story() -> None:
        file = await AnnouncedFile.open(tmp_path, call)
        HomeAssistant(announcement(), file).due(FULL)
        await asyncio.sleep(0)
        again = await AnnouncedFile.open(tmp_path, call)
        assert again.known == file.known
        assert again.known[TOPIC]["uplink_ftth_works"] == "binary_sensor"

    asyncio.run(story())
    for damage in ("[]", "{", '{"crc": 0, "content": {}}'):
        (tmp_path / FILE).write_text(damage)
        assert load(tmp_path) == {}


def test_the_announcement_is_small_enough_for_a_metered_line():
    """Two uplinks with a box and a modem: less than four refreshes of the whole state."""
    plain = replace(FULL, uplinks=FULL.uplinks[::2], boxes=FULL.boxes[:1], devices=FULL.devices[::2])
    (body,) = HomeAssistant(announcement(), Remembered()).due(plain).values()
    assert len(body) < 4 * sum(len(payload) for payload in messages(plain).values())
