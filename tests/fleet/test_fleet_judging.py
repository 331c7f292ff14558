"""Each site stands where its own words put it, the worst first, and no site's garbage touches another."""

from __future__ import annotations

import ast
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fleet_ground import BOX, CELLULAR, FIBRE, ILL, WELL, Ear, finding, state, without
from hypothesis import example, given
from hypothesis import strategies as st

from agent.cli.cells import columns
from agent.cli.fleet_check import Once, exit_code, lines
from agent.cli.fleet_json import document
from agent.cli.fleet_rows import Picture, rows
from agent.core.codes import Code
from agent.core.snapshot_types import Health, Phase
from agent.fleet.judging import Standing, Why
from agent.fleet.printable import LONGEST, printable
from agent.fleet.ranking import counts, ranked
from agent.fleet.reading import LONGEST_BYTES, UnreadableError, read_event_code, read_state

CUT_OFF = replace(ILL, uplinks=tuple(replace(one, health=Health.DOWN) for one in ILL.uplinks))
DEGRADED = replace(WELL, findings=(finding(Code.DEGRADED),), incident="run-1", incident_since=940.0)
RELAY = replace(WELL, findings=(replace(finding(), code=Code.RELAY_FAILED),))
HELD = replace(WELL, armed=False, unarmed_why="hold", hold_until=1600.0)
UNARMED = replace(WELL, armed=False, unarmed_why="not_armed")
HIDDEN = replace(WELL, uplinks=(FIBRE, replace(CELLULAR, health=Health.DOWN)))
BY_HAND = replace(HIDDEN, findings=(finding(Code.BY_HAND),))


@pytest.mark.parametrize(
    ("said", "standing", "why"),
    [
        (state(WELL), Standing.WELL, Why.WELL),
        (state(ILL), Standing.ALERT, Why.FINDING),
        (state(ILL, incident_severity="warning"), Standing.ALERT, Why.FINDING),
        (state(WELL, incident="i", incident_severity="alert"), Standing.ALERT, Why.NO_UPLINK),
        (state(WELL, incident="i"), Standing.WARNING, Why.UPLINK_DOWN),
        (state(CUT_OFF), Standing.NO_INTERNET, Why.FINDING),
        (state(replace(WELL, headline=Code.BAY_DARK)), Standing.NO_INTERNET, Why.NO_UPLINK),
        (state(DEGRADED), Standing.WARNING, Why.FINDING),
        (state(RELAY), Standing.ALERT, Why.FINDING),
        (state(HIDDEN), Standing.WARNING, Why.UPLINK_DOWN),
        (state(BY_HAND), Standing.WARNING, Why.FINDING),
        (state(HELD), Standing.HELD, Why.HELD),
        (state(UNARMED), Standing.HELD, Why.UNARMED),
        (state(WELL, schema=2), Standing.WARNING, Why.SCHEMA_NEWER),
        (b"{", Standing.UNREADABLE, Why.UNREADABLE),
        (without("armed"), Standing.UNREADABLE, Why.UNREADABLE),
    ],
)
def test_where_a_site_stands(said: bytes, standing: Standing, why: Why) -> None:
    """By its own account."""
    site = Ear().kept(said).one()
    assert (site.standing, site.why) == (standing, why)


def test_since_when_is_counted_on_one_clock_each() -> None:
    """The site's instants among themselves, then our own time: a wrong clock of the site does no harm."""
    ear = Ear().kept(state(ILL, age_s=7200.0)).live(state(ILL, age_s=7200.0)).after(30.0)
    assert ear.one().since_s == 60.0 + 30.0
    held = Ear().kept(state(HELD)).after(100.0)
    assert held.one().hold_left_s == 500.0
    assert held.live(state(HELD)).after(601.0).live(state(UNARMED)).one().hold_left_s is None


def test_a_hold_that_is_over_is_no_hold() -> None:
    """Its end is an instant, whatever the last message says."""
    held = replace(HELD, armed=True)
    assert Ear().kept(state(held)).after(170.0).one().standing is Standing.HELD
    assert Ear(patience_s=9e9).kept(state(held)).after(700.0).one().standing is Standing.WELL


def test_the_last_good_state_survives_a_bad_one() -> None:
    """Its name and uplinks are still known; it is unreadable until a good one comes."""
    ear = Ear().kept(state()).live("[1, 2")
    site = ear.one()
    assert (site.standing, site.label, len(site.uplinks)) == (Standing.UNREADABLE, "Garage", 2)
    assert "not JSON" in site.detail
    assert ear.live(state()).one().standing is Standing.WELL


def test_boxes_that_restart_are_named_only_while_it_is_the_present() -> None:
    """What a silent site said last says nothing of now."""
    ear = Ear().kept(state(replace(ILL, boxes=(replace(BOX, phase=Phase.BOOTING),))))
    assert [box.name for box in ear.one().restarting] == ["box-ftth"]
    assert not ear.after(999.0).one().restarting


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"x" * (LONGEST_BYTES + 1), "bytes; at most"),
        (b"[]", "state: a table is wanted"),
        (b'{"schema":true}', "state.schema"),
        (b"[" * 5000, "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (state(at=5), "state.at"),
        (state(at="2027-02-31T00:00:00Z"), "state.at"),
        (state(uplinks=[{"name": "a"}]), "state.uplinks[0].label"),
        (state(findings=[*json.loads(state(ILL))["findings"], 7]), "state.findings[1]: a table"),
        (state(boxes=None), "state.boxes: a list"),
        (state(incident_severity="dire"), "allowed: debug, info, warning, alert"),
        (state(schema=3, uplinks={}), "schema 3 is newer than 1"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_place(said: bytes, told: str) -> None:
    """So that somebody can correct it."""
    with pytest.raises(UnreadableError) as caught:
        read_state(said)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "topic", ["vigie/state", "state", "a/b/state", "vigie/x/uplink", "vigie/x/y/state", ""]
)
def test_topics_of_others_make_no_site(topic: str) -> None:
    """Neither do removals and events of what nobody has seen."""
    ear = Ear()
    ear.hear(topic, state())
    ear.hear("vigie/x/state", "")
    ear.hear("vigie/x/event", "{}")
    assert not ear.sites()


def test_of_what_a_finding_carries_only_what_can_be_said_is_kept() -> None:
    """No figure that is none, nothing nested, nothing that breaks a line."""
    said = json.loads(state(ILL))["findings"]
    said[0]["args"] = {"a": 10**400, "b": [1], "c": True, "d": "x\ny", "e": 1e300, "f": 12.5, "g": -(10**400)}
    kept = read_state(state(ILL, findings=said)).findings[0].args
    assert kept == {"a": None, "b": None, "c": True, "d": "x y", "e": None, "f": 12.5, "g": None}


def test_a_plus_in_a_root_stands_for_any_one_level() -> None:
    """Groups of sites are told apart by it."""
    ear = Ear(roots=("+/vigie",))
    ear.hear("nord/vigie/garage/state", state())
    ear.hear("sud/vigie/garage/state", state())
    assert {site.place.root for site in ear.sites()} == {"nord/vigie", "sud/vigie"}
    assert ear.fleet.filters[0] == "+/vigie/+/availability"


def test_judging_a_fleet_is_pure() -> None:
    """No clock, no connection, no chance: the moment is an argument."""
    allowed = ("agent.core", "agent.fleet", "agent.sinks.payloads", "agent.sinks.mqtt.topics", "msgspec")
    pure = {"__future__", "collections", "contextlib", "dataclasses", "datetime", "enum", "fnmatch", "math"}
    pure |= {"re", "statistics", "typing"}
    wrong = [
        (path.name, name)
        for path in (Path(__file__).parents[2] / "agent" / "fleet").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
        )
        if name.split(".")[0] not in pure and not name.startswith(allowed)
    ]
    assert wrong == []


# --- whatever comes -----------------------------------------------------------------------------------------

LABELS = st.sampled_from(
    ["\x1b[2J\x1b]0;x\x07", "a\r\nVIGIE OK - |x=1", "\u202eevil", "漢字" * 30, "é" * 300, "\u0301" * 50, ""]
) | st.text(max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | LABELS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from([*sorted(json.loads(state(ILL))), "incident_severity", "version"])


@st.composite
def hostile(draw: st.DrawFn) -> bytes:
    """A state with a place or two in which anything may stand, or no state at all."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=30))
    said: dict[str, Any] = json.loads(state(ILL))
    for _ in range(draw(st.integers(1, 2))):
        said[draw(KEYS)] = draw(VALUES)
    for part in ("findings", "uplinks", "boxes"):
        found = said.get(part)
        if (
            isinstance(found, list)
            and found
            and isinstance(found[0], dict)
            and found[0]
            and draw(st.booleans())
        ):
            name = draw(st.sampled_from(sorted(found[0])))
            found[0][name] = draw(LABELS | VALUES)
    return json.dumps(said).encode("utf-8", "surrogatepass")


@given(st.lists(hostile(), min_size=1, max_size=3), st.sampled_from(["garage", "ev\x1bil", "漢"]))
@example([state(ILL, label="\ud800")], "garage")
def test_nothing_that_a_site_says_harms_another_or_reaches_the_terminal_raw(
    said: list[bytes], slug: str
) -> None:
    """The neighbour stands as if it were alone, and every line that is written can be read."""
    ear = Ear().kept(state(age_s=5.0), site="neighbour")
    alone = ear.one("neighbour")
    for payload in said:
        ear.hear(f"vigie/{slug}/state", payload)
        ear.hear(f"vigie/{slug}/event", payload)
        ear.hear(f"vigie/{slug}/availability", payload)
    assert ear.one("neighbour") == alone
    sites = ear.sites()
    once = Once(sites, "broker:1883", ear.fleet.filters, None, True, None, 1.0)
    for language in ("fr", "en"):
        written = lines(once, language)
        assert all(line.isprintable() or line.replace("\u00a0", " ").isprintable() for line in written)
        assert sum(line.count("|") for line in written) == 1
        for width, height in ((80, 24), (120, 40), (40, 20)):
            picture = Picture(sites, "b", True, None, 0.0, None, "12:00:00", language, width, height)
            drawn = ["".join(text for text, _ in row) for row in rows(picture)]
            assert len(drawn) <= height
            assert max(map(columns, drawn)) <= width
            assert all(line.replace("\u00a0", " ").isprintable() for line in drawn), drawn
    assert exit_code(once) in (0, 1, 2)
    json.dumps(document(once, 0.0), allow_nan=False).encode()


@given(st.text())
def test_printable_is_printable(text: str) -> None:
    """And leaves alone what was."""
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown) <= LONGEST
    assert printable(shown) == shown
    if text.isprintable() and len(text) <= LONGEST:
        assert shown == text


@given(st.binary(max_size=200))
def test_any_event_is_read_or_not(payload: bytes) -> None:
    """It never fails."""
    code = read_event_code(payload)
    assert code is None or code.isprintable()


SAID = {
    "silent": (state(age_s=999.0), "online"),
    "gone": (state(age_s=300.0), "offline"),
    "unreadable": (b"{", "online"),
    "cut-off": (state(CUT_OFF), "online"),
    "ill": (state(ILL), "online"),
    "lost": (state(age_s=20.0), "offline"),
    "degraded": (state(DEGRADED), "online"),
    "held": (state(HELD), "online"),
    "well": (state(replace(WELL, findings=(finding(Code.TARGET_PROBLEM),))), "online"),
    "also-well": (state(replace(WELL, label="Avallon")), "online"),
}
ORDER = ["gone", "silent", "unreadable", "cut-off", "ill", "lost", "degraded", "held", "also-well", "well"]


@given(st.permutations(sorted(SAID)))
def test_the_worst_comes_first_in_whatever_order_they_were_heard(heard: list[str]) -> None:
    """Of equal ones the newest trouble; nothing is lost or counted twice."""
    ear = Ear()
    for name in heard:
        ear.kept(*SAID[name], site=name)
    sites = ear.sites()
    assert [site.place.slug for site in sites] == ORDER
    assert sum(counts(sites).values()) == len(ORDER)
    random.Random(1).shuffle(sites)
    assert [site.place.slug for site in ranked(sites)] == ORDER


def test_a_picture_of_a_thousand_sites_is_one_screenful() -> None:
    """The trouble, some that are well, and how many more there are."""
    ear = Ear()
    for number in range(1000):
        ear.kept(state(ILL if number == 500 else WELL), site=f"site-{number:04d}")
    picture = Picture(ear.sites(), "b", True, None, 0.0, None, "12:00:00", "en", 80, 24)
    drawn = ["".join(text for text, _ in row) for row in rows(picture)]
    assert len(drawn) == 24
    assert drawn[3].startswith("! incident")
    assert drawn[-1] == "… and 980 more: 980 well"
    assert max(len(line) for line in drawn) <= 80
