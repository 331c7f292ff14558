"""Scenario files: good ones are read whole, bad ones are answered with every fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.cli.expectations import unknown_words
from hardware.virtual import scenario_reader
from hardware.virtual.scenario import Aspect
from hardware.virtual.scenario_reader import ScenarioError, parse

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
        ("duration_s = 30", "duration = 30", "duration: unknown key; allowed:"),
        ("duration_s = 30", "duration = 30", "did you mean 'duration_s'?"),
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
