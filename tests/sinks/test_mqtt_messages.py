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
from agent.core.devices import DeviceKind, Radio, Registration, Says, Sim, Strength
from agent.core.model import Event, Recorded
from agent.core.path_view import PathState, PathView
from agent.core.site import UplinkKind
from agent.core.snapshot_types import (
    BoxView,
    DeviceView,
    FindingView,
    Health,
    Phase,
    Snapshot,
    UplinkView,
)
from agent.core.steering import Choice, Wait, Why
from agent.sinks.mqtt.topics import (
    OFFLINE,
    ONLINE,
    REFRESH_METERED_S,
    REFRESH_S,
    Publisher,
    event_message,
    messages,
    prefix,
    refresh_s,
)
from agent.sinks.payloads import SCHEMA, event_payload, modem_payload, moment, state_payload

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
TOLD = Says(
    "4g",
    heard=True,
    wan_up=True,
    sim=Sim.READY,
    registration=Registration.HOME,
    refused=False,
    radio=Radio("5G NSA", "B20", 27447297, -107.6, -14.5, 2.4, -80.0, "n78", -101.2, 7.5),
    operator="Orange F",
    address="100.72.3.9",
    shared=True,
    month_bytes=12_400_000_000,
    model="E3372h-320",
    firmware="11.0.1.1",
    uptime_s=86_400.6,
)
MODEM = DeviceView(
    "stick", "Clé 4G", "4g", DeviceKind.MODEM, 970.0, True, 970.0, TOLD, Strength.POOR, -7.4, 50_000_000_000
)
LIT = Says(
    "ftth",
    heard=True,
    line_up=True,
    wan_up=True,
    cut_helps=True,
    address="198.51.100.7",
    rx_dbm=-21.34,
    model="Livebox 5",
    firmware="SG50",
    uptime_s=5.2,
    documented=True,
)
LIVEBOX = DeviceView("ont", "Boîtier fibre", "ftth", DeviceKind.BOX, 980.0, True, 980.0, LIT)
DISH = replace(LIVEBOX, kind=DeviceKind.DISH, says=replace(LIT, rx_dbm=None, obstructed_pct=3.46))
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
    devices=(LIVEBOX, MODEM),
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
    """One message for each uplink, each box, each modem and the site, each as its schema says."""
    found = messages(SITE)
    assert list(found) == ["uplink/ftth", "uplink/4g", "box/ont", "modem/stick", "state"]
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


CHOICE = Choice("4g", "4g", Why.WAITING, {}, Wait.CLEAN, 1500.0, "ftth")
PATH = PathView(PathState.WORKS, 900.0, "4g", 950.0, "address", False, "81.2.69.3", 42.04, 0.0, CHOICE)


def test_the_site_path_is_part_of_the_state_and_its_uplink_says_so():
    """Who carries the site, what it should use and until when that waits; each is news."""
    outside = replace(UPLINK, active=True, public_address="81.2.69.3", shared=True, proven_at=970.0)
    site = replace(SITE, site_path=PATH, uplinks=(outside,))
    sent = {topic: json.loads(payload) for topic, payload in messages(site).items()}
    check("state.json", sent["state"])
    path, uplink = sent["state"]["site_path"], sent["uplink/ftth"]
    assert (path["active"], path["wanted"], path["waits_for"]) == ("4g", "4g", "clean")
    assert path["until"] == "2027-01-15T08:08:20Z"
    assert (uplink["active"], uplink["shared"], uplink["proven_at"]) == (True, True, "2027-01-15T07:59:30Z")
    publisher = Publisher()
    publisher.due(site)
    assert publisher.due(at(site, 1, site_path=replace(PATH, rtt_ms=40.0))) == {}
    assert list(publisher.due(at(site, 2, site_path=replace(PATH, state=PathState.SILENT)))) == ["state"]


def test_every_reason_and_every_wait_is_in_the_schema():
    """No word of the policy is unknown to the readers."""
    reasons = [Choice("4g", None, why) for why in Why]
    waits = [Choice("4g", None, Why.WAITING, {}, wait) for wait in Wait]
    for choice in (None, *reasons, *waits):
        check("state.json", state_payload(replace(SITE, site_path=replace(PATH, choice=choice))))


def test_schema_refuses_a_foreign_key():
    """The schemas would notice a key that they do not describe."""
    with pytest.raises(Exception, match="Additional properties"):
        check("state.json", {**state_payload(SITE), "surprise": 1})


@pytest.mark.parametrize("strength", [*Strength, None])
@pytest.mark.parametrize("sim", [*Sim, None])
@pytest.mark.parametrize("registration", [*Registration, None])
def test_every_word_of_a_modem_is_in_the_schema(strength, sim, registration):
    """No strength, no state of the card and none of the registration is unknown to the readers."""
    says = replace(TOLD, sim=sim, registration=registration)
    check("modem.json", modem_payload(replace(MODEM, says=says, strength=strength), SITE))


@pytest.mark.parametrize("network", ["2G", "3G", "4G", "5G NSA", "5G SA", None])
def test_every_network_is_in_the_schema(network):
    """The readers know every generation that a modem can name."""
    says = replace(TOLD, radio=Radio(network=network))
    payload = modem_payload(replace(MODEM, says=says), SITE)
    check("modem.json", payload)
    assert payload["network"] == network


def test_a_modem_is_told_in_whole_decibels():
    """Figures to the dB, the rest as the modem says it."""
    payload = json.loads(messages(SITE)["modem/stick"])
    figures = ("rsrp_dbm", "rsrq_db", "sinr_db", "rssi_dbm", "nr_rsrp_dbm", "nr_sinr_db", "trend_db")
    assert [payload[key] for key in figures] == [-108, -14, 2, -80, -101, 8, -7]
    assert payload["at"] == payload["heard_at"] == "2027-01-15T07:59:30Z"
    assert (payload["network"], payload["band"], payload["nr_band"]) == ("5G NSA", "B20", "n78")
    assert (payload["strength"], payload["sim"], payload["registration"]) == ("poor", "ready", "home")
    assert (payload["shared"], payload["refused"], payload["locked"]) == (True, False, False)
    assert (payload["month_bytes"], payload["limit_bytes"]) == (12_400_000_000, 50_000_000_000)
    assert payload["uptime_s"] == 86_401


@pytest.mark.parametrize("device", [LIVEBOX, DISH])
def test_a_box_says_what_it_says(device):
    """What a box or a dish says of itself is part of its object, in the whole state too."""
    site = replace(SITE, devices=(device,))
    payload = json.loads(messages(site)["box/ont"])
    check("box.json", payload)
    says = payload["says"]
    assert (says["rx_dbm"], says["obstructed_pct"]) in [(-21.3, None), (None, 3.5)]
    assert (says["heard"], says["documented"], says["address"]) == (True, True, "198.51.100.7")
    state = json.loads(messages(site)["state"])
    assert (state["boxes"], state["modems"]) == ([payload], [])


def test_a_box_that_cannot_be_asked_says_nothing():
    """Null is another thing than an answer that stayed away."""
    assert json.loads(messages(replace(SITE, devices=(MODEM,)))["box/ont"])["says"] is None


def test_the_whole_state_has_the_modems():
    """The same object as below ``modem``."""
    found = messages(SITE)
    assert json.loads(found["state"])["modems"] == [json.loads(found["modem/stick"])]


def test_a_modem_that_is_also_a_box_speaks_for_itself():
    """One that is rebooted by software stands among the boxes, and what it says below ``modem`` only."""
    site = replace(SITE, boxes=(replace(BOX, name="stick", uplink="4g"),))
    assert json.loads(messages(site)["box/stick"])["says"] is None


SILENT = {"at": 990.0, "heard": False, "strength": None, "trend_db": None}


@pytest.mark.parametrize(
    ("changes", "heard_at", "why", "locked"),
    [
        ({"at": None, "heard": False, "heard_at": None, "says": None}, None, None, False),
        ({"says": None}, "2027-01-15T07:59:30Z", None, False),
        ({"says": Says("4g", heard=False, why="no route")}, "2027-01-15T07:59:30Z", "no route", False),
        (
            {"heard": True, "says": Says("4g", heard=True, why="refused", locked=True)},
            "2027-01-15T07:59:30Z",
            "refused",
            True,
        ),
    ],
    ids=["never asked", "long ago", "silent", "locked"],
)
@pytest.mark.parametrize("device", [MODEM, LIVEBOX], ids=["modem", "box"])
def test_a_device_that_is_not_heard_has_no_figures(device, changes, heard_at, why, locked):
    """Whether it was asked, since when it is silent and why; everything else is null."""
    view = replace(device, **{**SILENT, "limit_bytes": None, "heard_at": 970.0, **changes})
    site = replace(SITE, devices=(view,))
    found = messages(site)
    check("state.json", json.loads(found["state"]))
    if device is MODEM:
        payload = json.loads(found["modem/stick"])
        assert [payload.pop(key) for key in ("name", "label", "uplink")] == ["stick", "Clé 4G", "4g"]
    else:
        payload = json.loads(found["box/ont"])["says"]
    assert payload.pop("at") == (None if view.at is None else "2027-01-15T07:59:50Z")
    assert payload.pop("heard") is view.heard
    assert (payload.pop("heard_at"), payload.pop("why"), payload.pop("locked")) == (heard_at, why, locked)
    assert set(payload.values()) == {None}


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
    names = [
        "event.json",
        "uplink.json",
        "box.json",
        "modem.json",
        "service.json",
        "state.json",
        "command_result.json",
    ]
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
    site = replace(
        SITE, uplinks=(replace(UPLINK, name="a/#+ é"),), boxes=(), devices=(replace(MODEM, name="#"),)
    )
    assert list(messages(site)) == ["uplink/a-----", "modem/-", "state"]
    assert prefix("it/vigie/", "garage") == "it/vigie/garage/"
    assert prefix("", "garage") == "garage/"


# --- when ------------------------------------------------------------------------------------------------


def test_moving_numbers_are_published_every_half_minute():
    """Of an hour of calm seconds each topic whose numbers move is published once per 30 s, others once."""
    publisher = Publisher()
    counts: dict[str, int] = {}
    for second in range(3600):
        for topic in publisher.due(at(SITE, second)):
            counts[topic] = counts.get(topic, 0) + 1
    assert counts == {"uplink/ftth": 120, "uplink/4g": 120, "box/ont": 1, "modem/stick": 1, "state": 120}


def modem_says(**changes: object) -> dict[str, object]:
    """The site's devices where the modem says something else; not heard as a whole if it says so."""
    says = replace(TOLD, **changes)
    return {"devices": (LIVEBOX, replace(MODEM, says=says, heard=says.heard))}


def box_says(**changes: object) -> dict[str, object]:
    """The same of the box."""
    says = replace(LIT, **changes)
    return {"devices": (replace(LIVEBOX, says=says, heard=says.heard), MODEM)}


MODEM_NEWS = (
    {"sim": Sim.MISSING},
    {"registration": Registration.ROAMING},
    {"refused": True},
    {"heard": False},
    {"locked": True},
    {"address": "100.72.3.10"},
)
BOX_NEWS = (
    {"heard": False},
    {"cause": "no_light"},
    {"line_up": False},
    {"address": "198.51.100.8"},
    {"locked": True},
)


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
        *((modem_says(**changes), {"modem/stick", "state"}) for changes in MODEM_NEWS),
        *((box_says(**changes), {"box/ont", "state"}) for changes in BOX_NEWS),
        ({"devices": (LIVEBOX, replace(MODEM, strength=Strength.FAIR))}, {"modem/stick", "state"}),
        ({"devices": (LIVEBOX, replace(MODEM, says=None))}, {"modem/stick", "state"}),
        (modem_says(radio=Radio("4G", "B3", 5, -99.0), month_bytes=12_500_000_000, uptime_s=9.0), set()),
        ({"devices": (LIVEBOX, replace(MODEM, at=1000.0, heard_at=1000.0, trend_db=-8.0))}, set()),
        (box_says(rx_dbm=-22.0, obstructed_pct=1.0, uptime_s=9.0), set()),
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


def test_numbers_are_published_seldom_where_data_costs_money():
    """Only while the connection leaves by an uplink with a data budget; what is news goes out at once."""
    metered = replace(SITE.uplinks[-1], address="192.168.12.10", data_limit_bytes=50_000_000)
    site = replace(SITE, uplinks=(*SITE.uplinks[:-1], metered))
    assert refresh_s(site, "192.168.12.10") == REFRESH_METERED_S
    assert refresh_s(site, "192.0.2.1") == refresh_s(site, None) == REFRESH_S
    unknown = replace(site, uplinks=tuple(replace(view, address=None) for view in site.uplinks))
    assert refresh_s(unknown, None) == REFRESH_S
    publisher = Publisher()
    publisher.due(site)
    later = replace(site, mono=site.mono + REFRESH_METERED_S - 1.0, wall=site.wall + 100.0)
    assert publisher.due(later, every_s=REFRESH_METERED_S) == {}
    assert set(publisher.due(replace(later, armed=not later.armed), every_s=REFRESH_METERED_S)) == {"state"}
    assert publisher.due(replace(later, mono=site.mono + 2 * REFRESH_METERED_S), every_s=REFRESH_METERED_S)
