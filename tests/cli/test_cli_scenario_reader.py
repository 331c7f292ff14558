"""Scenario files: good ones are read whole, bad ones are answered with every fault."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cli.expectations import unknown_words
from hardware.virtual import scenario_reader
from hardware.virtual.scenario import Aspect, Player, ScenarioPower, ScenarioUplink
from hardware.virtual.scenario_deeds import FORMS
from hardware.virtual.scenario_reader import ScenarioError, parse
from hardware.virtual.strict_table import parse_duration

GOOD = """
duration_s = 30
title = { fr = "Titre", en = "Title" }
text = { fr = "Texte", en = "Text" }

[[uplink]]
name = "ftth"
label = "Fibre 1"

[[uplink]]
name = "cellular"
kind = "cellular"
delay_ms = 40

[[do]]
at_s = 5
what = "hang"
on = "ftth"
args = { mode = "frozen" }
name = "hang"

[[expect]]
event = "box_cut"
subject = "ftth"
after = "hang"
from_s = 1
by_s = 20
count = 1

[[expect]]
box = "ftth"
cuts_at_most = 2

[[never]]
cuts_overlap = true
"""


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(ScenarioError) as caught:
        parse(text, "bad")
    return caught.value.problems


def test_a_good_file_is_read_with_its_defaults() -> None:
    """What the file leaves out gets the defaults of a short show; interfaces are numbered."""
    scenario = parse(GOOD, "good")
    ftth, cellular = scenario.uplinks
    assert (ftth.kind, ftth.interface, ftth.boot_s, ftth.off_s, ftth.confirm_s) == (
        "ftth",
        "wan0",
        12.0,
        5.0,
        3.0,
    )
    assert (cellular.label, cellular.interface, cellular.delay_ms) == ("cellular", "wan1", 40.0)
    assert dict(scenario.deeds[0].args) == {"mode": "frozen"}
    expected = scenario.expects[0]
    assert (expected.aspect, expected.codes, expected.number) == (Aspect.EVENT, ("box_cut",), 1)
    assert (expected.after, expected.from_s, expected.by_s) == ("hang", 1.0, 20.0)
    assert scenario.expects[1].number == 2
    assert scenario.nevers[0].aspect is Aspect.CUTS_OVERLAP


@pytest.mark.parametrize("name", scenario_reader.names())
def test_every_shipped_scenario_is_readable_and_uses_known_codes(name: str) -> None:
    """A misspelt code in a ``never`` would be kept for ever without anybody noticing."""
    scenario = scenario_reader.find(name)
    assert unknown_words(scenario) == []
    assert scenario.expects
    assert all(deed.say for deed in scenario.deeds)


def test_the_default_scenario_comes_first_in_the_list() -> None:
    """``vigie demo --list`` begins with what ``vigie demo`` plays."""
    assert scenario_reader.names()[0] == scenario_reader.DEFAULT


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("duration_s = 30", "duratoin_s = 30", "duratoin_s: unknown key; allowed:"),
        ("duration_s = 30", "duratoin_s = 30", "did you mean 'duration_s'?"),
        ("duration_s = 30", "duration = 30", "a number of seconds is written duration_s"),
        ("duration_s = 30", 'duration = "30"', "duration: '30' is not allowed; allowed: a text such as"),
        ("duration_s = 30", 'duration = "2 h"', "duration: '2 h' is not allowed; allowed: 1 s to 3600 s"),
        (
            "duration_s = 30",
            'duration_s = 30\nduration = "30 s"',
            "duration: given twice, also as duration_s",
        ),
        (
            "duration_s = 30",
            'duration_s = 30\nplays = "coer"',
            "plays: 'coer' is not allowed; allowed: bay, core",
        ),
        ("duration_s = 30", 'duration_s = 30\nstarts = "02:00"', 'starts: only where plays = "core"'),
        ("[[uplink]]", "[power]\narmed = false\n[[uplink]]", 'power: only where plays = "core"'),
        ('label = "Fibre 1"', "first_hop = true", 'uplink[1].first_hop: only where plays = "core"'),
        (
            'label = "Fibre 1"',
            'speaks = "orange"',
            "uplink[1].speaks: 'orange' is not allowed; allowed: hilink, at, starlink, livebox, freebox",
        ),
        (
            'label = "Fibre 1"',
            'speaks = "hilink"',
            "uplink[1].speaks: 'hilink' is not found on ftth, but on cellular",
        ),
        ('label = "Fibre 1"', "soft = true", "uplink[1].soft: true is not allowed without one of these"),
        (
            'label = "Fibre 1"',
            'speaks = "livebox"\ndata_gb = 5',
            "uplink[1].data_gb: only with one of these to speak: hilink, at",
        ),
        ('label = "Fibre 1"', "bands = []", "uplink[1].bands: [] is not allowed; allowed: a list of texts"),
        ('what = "hang"', 'what = "mute"', "do[1].on: mute needs one of these to speak for ftth: hilink"),
        (
            'label = "Fibre 1"',
            'relay_cuts = "x"',
            "uplink[1].relay_cuts: 'x': allowed: ftth, cellular, nobody",
        ),
        (
            'mode = "frozen"',
            'mode = "frozen", outlives = 1',
            "do[1].args.outlives: unknown key; allowed: mode",
        ),
        (
            "at_s = 5",
            "at_s = 5\nevery_s = 2",
            "do[1].every: every and times are given together or not at all",
        ),
        ("at_s = 5", "at_s = 5\ntimes = 2", "do[1].every: every and times are given together or not at all"),
        ('event = "box_cut"', "event = 7", "expect[1].event: 7 is not allowed; allowed: a text"),
        ('event = "box_cut"', 'event = ["box_cut"]', "expect[1].event: ['box_cut'] is not allowed"),
        ("duration_s = 30", 'duration_s = "30"', "duration_s: '30' is not allowed; allowed: a number from 1"),
        ('kind = "cellular"', 'kind = "celular"', "uplink[2].kind: 'celular' is not allowed"),
        ('what = "hang"', 'what = "hangg"', "do[1].what: 'hangg' is not allowed; allowed: hang"),
        ('on = "ftth"', 'on = "fftth"', "do[1].on: 'fftth' is not allowed; allowed: ftth, cellular"),
        (
            '"frozen"',
            '"frosen"',
            "do[1].args.mode: 'frosen' is not allowed; allowed: forwarding, lan, frozen",
        ),
        ('args = { mode = "frozen" }', "", "do[1].args.mode: missing"),
        ('mode = "frozen"', 'mode = "lan", x = 1', "do[1].args.x: unknown key"),
        ('after = "hang"', 'after = "bang"', "expect[1].after: 'bang' is not allowed; allowed: hang"),
        ('event = "box_cut"', "", "expect[1]: exactly one of these keys is needed: event, finding"),
        ("cuts_overlap = true", "cuts = 1", "never[1]: exactly one of these keys is needed"),
        ("count = 1", "cuont = 1", "expect[1].cuont: unknown key"),
        (', en = "Title"', "", "title: {'fr': 'Titre'} is not allowed; allowed: a text for each of fr, en"),
        ("at_s = 5", "at_s = 31", "do[1].at_s: 31 is not allowed; allowed: a number from 0 to 30"),
        ('name = "cellular"', 'name = "ftth"', "uplink: at least one is needed, each with a name of its own"),
    ],
)
def test_a_fault_is_named_with_its_path_and_what_is_allowed(old: str, new: str, words: str) -> None:
    """Whoever wrote the file learns where and what."""
    assert old in GOOD
    assert any(words in fault for fault in faults(GOOD.replace(old, new, 1)))


def test_all_faults_are_told_at_once() -> None:
    """Nobody repairs a file one run at a time."""
    bad = GOOD.replace('"frozen"', '"x"').replace("from_s = 1", "from_s = -1").replace("duration_s", "dur")
    assert len(faults(bad)) >= 4


def test_a_file_that_is_no_toml_is_a_fault_with_its_place() -> None:
    """The parser's own words say the line."""
    assert "line 2" in faults("a = 1\nb = \n")[0]


def test_an_unknown_name_is_answered_with_the_names_there_are() -> None:
    """And with the nearest."""
    with pytest.raises(ScenarioError, match="did you mean 'box_hung'"):
        scenario_reader.find("box_hugn")


def test_a_path_is_read_as_a_file_of_ones_own(tmp_path: Path) -> None:
    """So that an installer can write down an own story."""
    path = tmp_path / "mine.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert scenario_reader.find(str(path)).name == "mine"
    with pytest.raises(ScenarioError, match="cannot be read"):
        scenario_reader.find(str(tmp_path / "absent.toml"))


# --- scenarios for the core ---------------------------------------------------------------------------------

CORE = """
plays = "core"
duration = "8 h 30 min"
starts = "02:10"
known = "carrier"
title = { fr = "Titre", en = "Title" }
text = { fr = "Texte", en = "Text" }

[power]
spacing_s = [300, 1800]
after_power = "10 min"
per_day = 2
maintenance = "23:30-06:00"

[[uplink]]
name = "ftth"
operator = "A"
boots_in = "3 min"
relay_cuts = "nobody"
speaks = "livebox"

[[uplink]]
name = "ftth2"
operator = "A"

[[uplink]]
name = "cellular"
kind = "cellular"

[[do]]
at = "1 h"
every_s = 40
times = 3
what = "line_cut"
on = "ftth"
name = "flap"
say = { fr = "a", en = "b" }

[[do]]
at = "2 h"
what = "operator_out"
on = "A"
name = "out"

[[do]]
at = "3 h"
what = "hold"
args = { for = "1 h" }

[[expect]]
finding = ["line_down", "operator_outage"]
after = "out"
by = "2 min"

[[expect]]
headline = { fr = "Tout marche", en = "All is well" }
after = "out"
at = "3 min"

[[expect]]
cuts = 0
"""


def test_a_scenario_for_the_core_has_the_waits_of_a_real_site() -> None:
    """Lengths of time may be written with their units, and what is left out is not that of a show."""
    scenario = parse(CORE, "core")
    ftth, _, cellular = scenario.uplinks
    assert (scenario.plays, scenario.duration_s, scenario.starts_s) == (Player.CORE, 30_600.0, 7800.0)
    assert (ftth.boot_s, ftth.confirm_s, ftth.off_s, ftth.interval_s) == (120.0, 120.0, 10.0, 1.0)
    assert (ftth.boots_in_s, ftth.relay_cuts, ftth.speaks) == (180.0, "nobody", "livebox")
    assert cellular.interval_s == 10.0
    assert scenario.power.spacing_s == (300.0, 1800.0)
    assert (scenario.power.after_power_s, scenario.power.per_day) == (600.0, 2)
    assert scenario.power.maintenance == ((84_600.0, 21_600.0),)
    finding, headline, cuts = scenario.expects
    assert (finding.codes, finding.by_s) == (("line_down", "operator_outage"), 120.0)
    assert (headline.aspect, headline.at_s, headline.words["fr"]) == (Aspect.HEADLINE, 180.0, "Tout marche")
    assert cuts.subject is None


def test_a_deed_is_repeated_and_only_the_first_bears_its_name() -> None:
    """What follows a flap counts from its begin."""
    flaps = [deed for deed in parse(CORE, "core").deeds if deed.what == "line_cut"]
    assert [deed.at_s for deed in flaps] == [3600.0, 3640.0, 3680.0]
    assert [deed.name for deed in flaps] == ["flap", None, None]
    assert [bool(deed.say) for deed in flaps] == [True, False, False]


def test_an_operator_fails_with_all_its_uplinks() -> None:
    """At the same instant; the name stands once."""
    out = [deed for deed in parse(CORE, "core").deeds if deed.what == "operator_out"]
    assert [(deed.on, deed.at_s, deed.name) for deed in out] == [
        ("ftth", 7200.0, "out"),
        ("ftth2", 7200.0, None),
    ]


def test_args_may_be_written_with_units_too() -> None:
    """The deed gets seconds."""
    (hold,) = [deed for deed in parse(CORE, "core").deeds if deed.what == "hold"]
    assert dict(hold.args) == {"for_s": 3600.0}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"02:10"', '"25:10"', "starts: '25:10' is not allowed; allowed: a time of the day such as 02:30"),
        ('"23:30-06:00"', '"23:30"', "power.maintenance: '23:30' is not allowed; allowed: two times such as"),
        ('"23:30-06:00"', '"23:30-6"', "power.maintenance: '6' is not allowed; allowed: a time of the day"),
        ("[300, 1800]", "[0]", "power.spacing_s: [0] is not allowed; allowed: a list of numbers from 1"),
        ("[300, 1800]", "300", "power.spacing_s: 300 is not allowed; allowed: a list of numbers from 1"),
        ("per_day = 2", "per_daj = 2", "power.per_daj: unknown key; allowed: after_power"),
        ("[power]", "[[power]]", "power: must be written as [power]"),
        (
            'on = "A"',
            'on = "B"',
            "do[2].on: 'B' is not allowed; allowed: ftth, ftth2, cellular, A, op-cellular",
        ),
        ('on = "ftth"', 'on = "A"', "do[1].on: 'A' is not allowed; allowed: ftth, ftth2, cellular"),
        ('for = "1 h"', 'for = "8 d"', "do[3].args.for_s: 691200.0 is not allowed; allowed: a number from 1"),
        ('for = "1 h"', "fro = 1", "do[3].args.for_s: missing"),
        ('at = "3 min"', 'at = "3 min"\nby_s = 5', "expect[2].by_s: an instant (at) and a window"),
        (', en = "All is well"', "", "expect[2].headline: {'fr': 'Tout marche'} is not allowed"),
        ("cuts = 0", 'cuts = 0\nbox = "x"', "expect[3].box: 'x' is not allowed; allowed: ftth, ftth2"),
        ("times = 3", "times = 1", "do[1].times: 1 is not allowed; allowed: a number from 2 to 10000"),
        ('"8 h 30 min"', '"8 d"', "duration: '8 d' is not allowed; allowed: 1 s to 604800 s"),
    ],
)
def test_a_fault_of_a_file_for_the_core_is_named_as_well(old: str, new: str, words: str) -> None:
    """Path, value, and what is allowed."""
    assert old in CORE
    assert any(words in fault for fault in faults(CORE.replace(old, new, 1))), faults(
        CORE.replace(old, new, 1)
    )


@pytest.mark.parametrize("name", scenario_reader.names(Player.CORE))
def test_every_file_for_the_core_is_readable_and_in_its_place(name: str) -> None:
    """What plays the core stands with its like, and is found by its name."""
    scenario = scenario_reader.find(name)
    assert scenario.plays is Player.CORE
    assert scenario.name not in scenario_reader.names()


def test_the_format_is_written_down() -> None:
    """Every deed, every condition and every key of an uplink or of power stands in docs/scenarios.md."""
    page = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8")
    deeds = {name for forms in FORMS.values() for name in forms}
    args = {arg for forms in FORMS.values() for form in forms.values() for arg in form.args}
    uplink = set(ScenarioUplink.__dataclass_fields__) - {"interface"}
    power = set(ScenarioPower.__dataclass_fields__)
    words = {*deeds, *map(str, Aspect), *(name.removesuffix("_s") for name in (*args, *uplink, *power))}
    assert [word for word in sorted(words) if word not in page] == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90 s", 90.0),
        ("8 h", 28_800.0),
        ("8 h 30 min", 30_600.0),
        ("1 d 1 s", 86_401.0),
        ("1.5 min", 90.0),
        ("", None),
        ("8", None),
        ("h", None),
        ("8h", None),
        ("8 hours", None),
        ("30 min 8 h", None),
        ("1 h 1 h", None),
        ("-1 s", None),
        ("1e3 s", None),
        ("nan s", None),
        ("1 h 30", None),
    ],
)
def test_a_duration_has_each_unit_once_the_largest_first(text: str, seconds: float | None) -> None:
    """Anything else is none, rather than something that was not meant."""
    assert parse_duration(text) == seconds


@given(st.integers(0, 6), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_every_duration_is_read_as_it_was_written(days: int, hours: int, minutes: int, seconds: int) -> None:
    """Units that are nought may be left out, if one stays."""
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    text = " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
    assert parse_duration(text) == days * 86_400 + hours * 3600 + minutes * 60 + seconds


@given(st.text(max_size=20))
def test_no_text_makes_the_reading_of_a_duration_fail(text: str) -> None:
    """It is a duration or None."""
    seconds = parse_duration(text)
    assert seconds is None or seconds >= 0.0
