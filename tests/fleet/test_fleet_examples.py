"""The examples for Telegraf and Grafana fit what the agent publishes, and each other."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fleet_ground import BOX, ILL, WALL

from agent.core.codes import Code, Severity
from agent.core.devices import DeviceKind, Radio, Says, Strength
from agent.core.model import Event, Recorded
from agent.core.snapshot_types import DeviceView
from agent.sinks.mqtt.topics import AVAILABILITY, EVENT, OFFLINE, ONLINE, event_message, messages, prefix

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = DOCS / "examples"
CONFIG: dict[str, Any] = tomllib.loads((EXAMPLES / "telegraf" / "telegraf.conf").read_text())
INPUTS: list[dict[str, Any]] = CONFIG["inputs"]["mqtt_consumer"]
DASHBOARD: dict[str, Any] = json.loads((EXAMPLES / "grafana" / "vigie-fleet.json").read_text())
QUERIES = [panel["targets"][0]["query"] for panel in DASHBOARD["panels"]]

HEARD = Says("4g", heard=True, radio=Radio(network="4G", rsrp_dbm=-97.0))
MODEM = DeviceView("cle", "Clé", "4g", DeviceKind.MODEM, 990.0, True, 990.0, HEARD, Strength.GOOD)
DISH = DeviceView("box-ftth", "Box", "ftth", DeviceKind.BOX, 990.0, True, 990.0, Says("ftth", heard=True))
FULL = replace(ILL, boxes=(BOX, replace(BOX, name="mute")), devices=(MODEM, DISH))
OPENED = Recorded(
    "n-1", 1, Event(Code.INCIDENT_OPENED, "ftth", Severity.ALERT, "run-1", {}), WALL, synced=True
)


def published() -> dict[str, bytes]:
    """Everything that a site publishes, by its whole topic."""
    found = {**messages(FULL), AVAILABILITY: ONLINE, EVENT: event_message(OPENED)}
    return {prefix("vigie", "garage") + topic: payload for topic, payload in found.items()}


def fits(pattern: str, topic: str) -> bool:
    levels = pattern.split("/")
    return len(levels) == topic.count("/") + 1 and all(
        mine in ("+", its) for mine, its in zip(levels, topic.split("/"), strict=True)
    )


def paths(one: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for parsed in one.get("json_v2", []):
        yield from parsed["field"]
        yield from parsed.get("tag", [])
        if "timestamp_path" in parsed:
            yield {"path": parsed["timestamp_path"]}


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DOCS / "schemas" / f"{name}.json").read_text())
    return found


def step(found: dict[str, Any], key: str) -> tuple[dict[str, Any], bool]:
    """The schema of a key, and whether the key is always there with something below it to look into."""
    if "$ref" in found:
        found = schema(found["$ref"].removesuffix(".json"))
    for choice in found.get("anyOf", found.get("oneOf", [])):
        if "properties" in choice:
            return step(choice, key)[0], False
    if key == "#":
        return {"type": "integer"}, found["type"] == "array"
    if key not in found.get("properties", {}):
        return found["additionalProperties"], False
    is_open = "null" in found.get("type", ())
    return found["properties"][key], key in found["required"] and not is_open


@pytest.mark.parametrize("one", INPUTS, ids=lambda one: str(one["topics"][0]))
def test_every_topic_and_path_is_one_that_is_published(one: dict[str, Any]) -> None:
    """A path that may be missing is marked as optional: Telegraf refuses the whole message otherwise."""
    (topic,) = one["topics"]
    met = {whole: payload for whole, payload in published().items() if fits(topic, whole)}
    assert met
    name = topic.removesuffix("/+").rsplit("/", 1)[-1]
    for wanted in paths(one):
        found, is_sure = schema(name), True
        for key in wanted["path"].split("."):
            found, here = step(found, key)
            is_sure = is_sure and here
        assert is_sure or wanted.get("optional"), wanted
        kinds = found.get("type", ["boolean", "number", "string"])
        assert not {"object", "array"} & set([kinds] if isinstance(kinds, str) else kinds), wanted
        if wanted.get("type"):
            allowed = {
                "string": {"string"},
                "bool": {"boolean"},
                "int": {"integer"},
                "float": {"number", "integer"},
            }
            stated = {*([kinds] if isinstance(kinds, str) else kinds)} - {"null"}
            if "enum" in found or "const" in found:
                values = [one for one in [*found.get("enum", []), found.get("const")] if one is not None]
                stated = {"string" if isinstance(value, str) else "integer" for value in values}
            assert stated & allowed[wanted["type"]], (wanted, stated)


def test_every_input_is_a_client_of_its_own_that_loses_nothing() -> None:
    """A second client of the same id would throw the first one out."""
    ids = [one["client_id"] for one in INPUTS]
    assert len(set(ids)) == len(ids)
    assert all(one["qos"] == 1 and one["persistent_session"] for one in INPUTS)
    assert {one["topics"][0].removesuffix("/+").rsplit("/", 1)[-1] for one in INPUTS} == {
        topic.removeprefix("vigie/garage/").split("/")[0] for topic in published()
    }


def test_tags_are_taken_from_the_levels_of_their_topics() -> None:
    """As many levels as the topic has, the site always among them."""
    for one in INPUTS:
        (parsing,) = one["topic_parsing"]
        assert parsing["topic"] == one["topics"][0]
        tags = parsing["tags"].split("/")
        levels = parsing["topic"].split("/")
        assert [level == "+" for level in levels] == [tag != "_" for tag in tags]
        assert tags[1] == "site"


def test_words_of_the_agent_are_mapped_completely() -> None:
    """A new verdict would need a number."""
    maps = {
        one["mapping"][0]["dest"]: one["mapping"][0]["value_mappings"] for one in CONFIG["processors"]["enum"]
    }
    assert set(maps["online"]) == {ONLINE.decode(), OFFLINE.decode()}
    assert set(maps["health_level"]) == set(schema("uplink")["properties"]["health"]["enum"])
    shown = DASHBOARD["panels"][5]["fieldConfig"]["defaults"]["mappings"][0]["options"]
    assert {int(level) for level in shown} == set(maps["health_level"].values())


def produced() -> dict[str, tuple[set[str], set[str]]]:
    """By measurement, the fields and tags that Telegraf writes."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    for one in INPUTS:
        tags = {tag for tag in one["topic_parsing"][0]["tags"].split("/") if tag != "_"}
        fields = set() if "json_v2" in one else {"value"}
        name = one.get("name_override", "")
        for parsed in one.get("json_v2", []):
            name = parsed["measurement_name"]
            fields |= {field.get("rename", field["path"].rsplit(".", 1)[-1]) for field in parsed["field"]}
            tags |= {tag["path"] for tag in parsed.get("tag", [])}
        found[name] = (fields, tags)
    for enum in CONFIG["processors"]["enum"]:
        for name in enum["namepass"]:
            assert enum["mapping"][0]["field"] in found[name][0]
            found[name][0].add(enum["mapping"][0]["dest"])
    return found


@pytest.mark.parametrize("query", QUERIES, ids=[panel["title"] for panel in DASHBOARD["panels"]])
def test_every_field_that_is_queried_is_one_that_is_written(query: str) -> None:
    """And every column that is filtered, kept or sorted."""
    (measurement,) = re.findall(r'_measurement == "(\w+)"', query)
    fields, tags = produced()[measurement]
    asked = re.findall(r'_field == "(\w+)"', query)
    assert asked
    assert set(asked) <= fields
    columns = set(re.findall(r"\br\.(\w+)", query))
    for listed in re.findall(r"(?:columns|rowKey|columnKey): \[([^\]]*)\]", query):
        columns |= set(re.findall(r'"(\w+)"', listed))
    assert columns <= {"_time", "_value", "_field", "_measurement", *tags, *asked}


def test_the_dashboard_finds_its_data_source() -> None:
    """By the identifier of the provisioned one."""
    source = (EXAMPLES / "grafana/provisioning/datasources/influxdb.yaml").read_text()
    (uid,) = re.findall(r"uid: (\S+)", source)
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} == {uid}
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_what_is_to_be_filled_in_is_listed() -> None:
    """And no password stands in a file."""
    telegraf = (EXAMPLES / "telegraf" / "telegraf.conf").read_text()
    readme = (EXAMPLES / "README.md").read_text()
    for name in re.findall(r"\$\{(\w+)\}", telegraf):
        assert f"`{name}`" in readme
    assert re.findall(r'(?:password|token) = "([^"]*)"', telegraf)
    assert all(value.startswith("${") for value in re.findall(r'(?:password|token) = "([^"]*)"', telegraf))
