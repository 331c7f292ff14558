"""What is published, and when: shapes against the schemas, news against noise."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from agent.core.codes import EVENTS, FINDINGS, Code, Severity
from agent.core.model import Event, Recorded
from agent.core.site import UplinkKind
from agent.core.snapshot_types import BoxView, FindingView, Health, Phase, Snapshot, UplinkView
from agent.sinks.mqtt import OFFLINE, ONLINE, REFRESH_S, Publisher, event_message, messages, prefix
from agent.sinks.payloads import SCHEMA, event_payload, moment, state_payload

SCHEMAS = {
    path.name: json.loads(path.read_text()) for path in (Path(__file__).parents[2] / "docs/schemas").iterdir()
}
REGISTRY = Registry().with_resources([(name, Resource.from_contents(body)) for name, body in SCHEMAS.items()])

UPLINK = UplinkView(
    name="ftth",
    label="Fibre",
    kind=UplinkKind.FTTH,
    health=Health.UP,
    since=940.0,
    why="3 of 3 targets answer",
    preferred=True,
    present=True,
    carrier=True,
    address="192.168.1.20",
    gateway="192.168.1.1",
    rtt_ms=8.1234,
    loss_pct=0.0,
    usual_ms=11.0,
    jitter_ms=1.5,
    mos=4.4,
    silent_s=0.0,
    bad_targets=("9.9.9.9",),
)
BOX = BoxView("ont", "Boîtier fibre", "ftth", True, Phase.POWERED, 10.0, None, 0, None, None)
FINDING = FindingView(Code.BOX_HUNG, "ftth", "Fibre", Severity.ALERT, 990.0, {"label": "Fibre"})
SITE = Snapshot(
    seq=7,
    mono=1000.0,
    wall=1_800_000_000.4,
    synced=True,
    site="garage",
    label="Garage Été",
    armed=True,
    unarmed_why=None,
    hold_until=None,
    incident="i1",
    incident_since=990.0,
    headline=Code.BOX_HUNG,
    uplinks=(UPLINK, replace(UPLINK, name="4g", kind=UplinkKind.CELLULAR, rtt_ms=None, carrier=None)),
    boxes=(BOX,),
    findings=(FINDING,),
)


def check(name: str, payload: object) -> None:
    Draft202012Validator(SCHEMAS[name], registry=REGISTRY).validate(payload)


def recorded(code: Code, **args: object) -> Recorded:
    event = Event(code, "ftth", Severity.ALERT, "i1", {"label": "Fibre", **args})
    return Recorded("abc-12", 12, event, 1_800_000_000.0, synced=False)


def at(snapshot: Snapshot, seconds: float, **changes: object) -> Snapshot:
    """The same site some seconds later, with the numbers that always move."""
    uplinks = tuple(
        replace(u, rtt_ms=(u.rtt_ms or 5) + seconds / 10, silent_s=seconds % 3) for u in snapshot.uplinks
    )
    moved = replace(
        snapshot,
        seq=snapshot.seq + int(seconds),
        mono=snapshot.mono + seconds,
        wall=snapshot.wall + seconds,
        uplinks=uplinks,
    )
    return replace(moved, **changes)


# --- shapes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_valid(name):
    """Each schema is itself a valid one of draft 2020-12."""
    Draft202012Validator.check_schema(SCHEMAS[name])


def test_every_message_holds_to_its_schema():
    """One message for each uplink, each box and the site, each as its schema says."""
    found = messages(SITE)
    assert list(found) == ["uplink/ftth", "uplink/4g", "box/ont", "state"]
    for topic, payload in found.items():
        check(topic.partition("/")[0] + ".json", json.loads(payload))
    check("availability.json", ONLINE.decode())
    check("availability.json", OFFLINE.decode())


@pytest.mark.parametrize("health", Health)
@pytest.mark.parametrize("phase", Phase)
def test_every_health_and_phase_is_in_the_schema(health, phase):
    """No verdict and no phase is unknown to the readers."""
    box = replace(BOX, phase=phase, until=1060.0, refusal="spacing", refused_until=1300.0)
    site = replace(SITE, uplinks=(replace(UPLINK, health=health),), boxes=(box,), hold_until=2000.0)
    check("state.json", json.loads(messages(site)["state"]))


def test_schema_refuses_a_foreign_key():
    """The schemas would notice a key that they do not describe."""
    with pytest.raises(Exception, match="Additional properties"):
        check("state.json", {**state_payload(SITE), "surprise": 1})


@pytest.mark.parametrize("code", [*FINDINGS, *EVENTS])
def test_every_event_holds_to_its_schema(code):
    """Every code has both texts, and its message is as its schema says."""
    payload = json.loads(
        event_message(recorded(code, lasted_s=3.5, reason="hold", for_s=None, finding="box_hung"))
    )
    check("event.json", payload)
    assert payload["code"] == code


def test_examples_of_the_manual_hold_to_the_schemas():
    """What docs/mqtt.md shows is what is sent."""
    manual = (Path(__file__).parents[2] / "docs/mqtt.md").read_text()
    examples = [json.loads(block.partition("```")[0]) for block in manual.split("```json")[1:]]
    names = ["event.json", "uplink.json", "box.json", "state.json"]
    for name, example in zip(names, examples, strict=True):
        check(name, example)
    event = Event(Code(examples[0]["code"]), "ftth", Severity.ALERT, "run-1", examples[0]["args"])
    said = event_payload(Recorded("9f2c41d07be3-45", 45, event, 1_800_000_210.0, synced=True))
    assert {**examples[0], "text": {}} == {**said, "text": {}}


def test_event_says_everything():
    """Id, order, time, trust in the clock, arguments, French and English."""
    payload = event_payload(recorded(Code.UPLINK_DOWN, why="silence"))
    assert {key: payload[key] for key in ("id", "seq", "incident", "severity", "subject", "at", "clock")} == {
        "id": "abc-12",
        "seq": 12,
        "incident": "i1",
        "severity": "alert",
        "subject": "ftth",
        "at": "2027-01-15T08:00:00Z",
        "clock": "unsynchronised",
    }
    assert payload["args"] == {"label": "Fibre", "why": "silence"}
    assert all("Fibre" in payload["text"][language] for language in ("fr", "en"))
    assert payload["text"]["fr"] != payload["text"]["en"]


def test_instants_are_counted_from_the_monotonic_clock():
    """``since`` is the wall time of the picture minus the monotonic seconds that passed."""
    payload = state_payload(SITE)
    assert payload["schema"] == SCHEMA
    assert payload["at"] == moment(SITE.wall) == "2027-01-15T08:00:00Z"
    assert payload["uplinks"][0]["since"] == "2027-01-15T07:59:00Z"
    assert payload["boxes"][0]["until"] is None


def test_not_finite_numbers_become_null():
    """JSON has no infinity; the message is still valid."""
    site = replace(SITE, uplinks=(replace(UPLINK, silent_s=math.inf, rtt_ms=math.nan),), hold_until=math.inf)
    payload = json.loads(messages(site)["state"])
    check("state.json", payload)
    assert payload["uplinks"][0]["silent_s"] is None
    assert (
        json.loads(event_message(recorded(Code.UPLINK_DOWN, silent_s=math.inf)))["args"]["silent_s"] is None
    )


@pytest.mark.parametrize("wall", [math.inf, math.nan, -1e18, 1e18])
def test_impossible_clock_gives_the_epoch(wall):
    """A clock that shows nonsense stops no message."""
    assert moment(wall) == "1970-01-01T00:00:00Z"


def test_same_snapshot_same_bytes():
    """Rendering is a pure function, accents travel as UTF-8."""
    assert messages(SITE) == messages(SITE)
    assert "Garage Été".encode() in messages(SITE)["state"]


def test_topics_hold_nothing_that_mqtt_gives_a_meaning_to():
    """Wildcards and slashes in names cannot reach other topics."""
    site = replace(SITE, uplinks=(replace(UPLINK, name="a/#+ é"),), boxes=())
    assert list(messages(site)) == ["uplink/a-----", "state"]
    assert prefix("it/vigie/", "garage") == "it/vigie/garage/"
    assert prefix("", "garage") == "garage/"


# --- when ------------------------------------------------------------------------------------------------


def test_moving_numbers_are_published_every_half_minute():
    """Of an hour of calm seconds each topic with numbers is published once per 30 s, a box at rest once."""
    publisher = Publisher()
    counts: dict[str, int] = {}
    for second in range(3600):
        for topic in publisher.due(at(SITE, second)):
            counts[topic] = counts.get(topic, 0) + 1
    assert counts == {"uplink/ftth": 120, "uplink/4g": 120, "box/ont": 1, "state": 120}


@pytest.mark.parametrize(
    ("changes", "topics"),
    [
        ({"uplinks": (replace(UPLINK, health=Health.DOWN), SITE.uplinks[1])}, {"uplink/ftth", "state"}),
        ({"uplinks": (replace(UPLINK, address="10.0.0.2"), SITE.uplinks[1])}, {"uplink/ftth", "state"}),
        ({"boxes": (replace(BOX, phase=Phase.CUT, until=1011.0),)}, {"box/ont", "state"}),
        ({"findings": ()}, {"state"}),
        ({"armed": False, "unarmed_why": "not_armed"}, {"state"}),
        ({"hold_until": 4600.0}, {"state"}),
        ({"uplinks": (replace(UPLINK, rtt_ms=99.0, why="other numbers"), SITE.uplinks[1])}, set()),
        ({"findings": (replace(FINDING, args={"label": "Fibre", "silent_s": 12}),)}, set()),
    ],
)
def test_news_is_published_at_once(changes, topics):
    """What people would call news does not wait; numbers do."""
    publisher = Publisher()
    publisher.due(SITE)
    assert set(publisher.due(at(SITE, 1, **changes))) == topics


def test_busy_topics_wait_and_nothing_is_forgotten():
    """A topic whose last message is on its way is published later, with the newest content."""
    publisher = Publisher()
    publisher.due(SITE)
    down = replace(SITE, uplinks=(replace(UPLINK, health=Health.DOWN), SITE.uplinks[1]))
    assert publisher.due(down, busy={"uplink/ftth", "state"}) == {}
    assert set(publisher.due(down)) == {"uplink/ftth", "state"}
    assert publisher.due(down) == {}


def test_new_connection_gets_everything():
    """A fresh publisher owes the broker every topic."""
    assert Publisher().due(SITE) == messages(SITE)
    assert REFRESH_S == 30.0
