"""Stories on the core: how they are played, told line by line, and put into the table of faults."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent.cli.core_story import CoreStory, play
from agent.cli.expectations import judge
from agent.cli.fault_table import cuts_allowed, document, first_cut_s, first_finding_s, row
from agent.cli.timeline import clock, timeline
from agent.core.instant import Now
from hardware.virtual.scenario import Aspect, Condition, Scenario
from hardware.virtual.scenario_reader import parse

STORY = """
plays = "core"
duration = "10 min"
starts = "23:58"
known = "one | two"
title = { fr = "Titre", en = "Title" }
text = { fr = "Texte", en = "Text" }
[[uplink]]
name = "ftth"
label = "Fibre 1"
[[uplink]]
name = "cellular"
label = "4G"
kind = "cellular"
[[do]]
at = "2 min"
what = "hang"
on = "ftth"
args = { mode = "frozen" }
name = "hang"
say = { fr = "La box se fige", en = "The box hangs" }
[[do]]
at_s = 4
after_event = "box_cut"
what = "dns_back"
on = "cellular"
name = "after_cut"
[[expect]]
finding = "box_hung"
subject = "ftth"
after = "hang"
by_s = 12
[[expect]]
headline = { fr = "Box bloquée", en = "Box is stuck" }
after = "hang"
at_s = 30
[[expect]]
headline = { fr = "Tout marche", en = "All is well" }
[[expect]]
box = "ftth"
cuts = 1
[[expect]]
box = "cellular"
cuts = 0
[[expect]]
longest_cut_s = 11
"""


def story(text: str = STORY) -> Scenario:
    return parse(text, "story")


def test_deeds_are_done_at_their_times_and_after_their_events() -> None:
    """An event of which a deed waits counts once, from its first time."""
    evidence = play(story())
    cut = next(event.t for event in evidence.events if event.code == "box_cut")
    assert evidence.deeds == {"hang": 120.0, "after_cut": pytest.approx(cut + 4.0)}
    assert [deed.what for _, deed in evidence.done] == ["hang", "dns_back"]
    assert judge(story(), evidence) == []


def test_a_deed_at_nought_is_done_before_the_agent_starts() -> None:
    """So that it may find the fault there."""
    evidence = play(story(STORY.replace('at = "2 min"', "at_s = 0")))
    ups = {event.subject for event in evidence.events if event.code == "uplink_up" and event.t < 60}
    assert ups == {"cellular"}


def test_the_story_begins_at_its_time_of_the_day() -> None:
    """In winter, in France: an hour ahead of UTC."""
    seen: list[Now] = []
    told = CoreStory(story())
    told.world.at(told.world.t, lambda: seen.append(told.world.now()))
    told.play()
    assert seen[0].wall % 86_400 == 22 * 3600 + 58 * 60
    assert seen[0].synced


def test_the_timeline_tells_deeds_events_power_and_the_screen_in_their_order() -> None:
    """In the language that is asked for."""
    scenario = story()
    lines = timeline(scenario, play(scenario), "fr")
    texts = [line.strip().split("  ")[1] for line in lines]
    order = [
        "▶ La box se fige",
        "box_hung (ftth)",
        "◼ Box bloquée",
        "box_cut (ftth)",
        "⏻ box ftth",
        "◼ Tout marche",
    ]
    places = [next(n for n, text in enumerate(texts) if text.startswith(begin)) for begin in order[:-1]]
    assert places == sorted(places)
    assert texts[-1] == "◼ Tout marche"
    assert lines[places[0]].split() == ["0:02:00.0", "▶", "La", "box", "se", "fige"]
    assert any(text.startswith("⏻ box ftth without power for 10.0 s") for text in texts)


@pytest.mark.parametrize(
    ("t", "text"), [(0.0, "0:00:00.0"), (59.96, "0:01:00.0"), (3661.24, "1:01:01.2"), (-1.0, "0:00:00.0")]
)
def test_the_clock_of_the_timeline_carries_over(t: float, text: str) -> None:
    """Rounding never makes a sixtieth second."""
    assert clock(t).strip() == text


# --- the table ----------------------------------------------------------------------------------------------


def test_a_row_holds_what_the_file_says_and_what_was_measured() -> None:
    """A bar within a cell would begin another one."""
    scenario = story()
    assert row(scenario, play(scenario)).cells == (
        "Title (`story`)",
        "one \\| two",
        "`box_hung`",
        "ftth: 1 (≤ 11 s)",
        "« Box bloquée » → « Tout marche »",
        "8 s",
        "2.0 min",
        "core",
    )


def test_what_went_otherwise_than_it_must_measures_nothing() -> None:
    """As does what was not played."""
    scenario = replace(story(), expects=(*story().expects, Condition(Aspect.EVENT, ("agent_stopped",))))
    assert row(scenario, play(scenario)).cells[5:7] == ("–", "–")
    assert row(scenario, None).cells[5:7] == ("–", "–")


def test_times_count_from_the_deed_of_their_condition() -> None:
    """And of the finding that is asked for."""
    scenario, evidence = story(), play(story())
    cut = next(event.t for event in evidence.events if event.code == "box_cut")
    assert first_cut_s(scenario, evidence) == cut - 120.0
    assert first_finding_s(scenario, evidence, "hang") == first_finding_s(scenario, evidence)
    assert first_finding_s(scenario, evidence, "after_cut") is None


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ((), "–"),
        ((Condition(Aspect.CUTS, number=0),), "none"),
        ((Condition(Aspect.CUTS_AT_MOST, number=2),), "ftth: at most 2, cellular: at most 2"),
        (
            (Condition(Aspect.CUTS, subject="ftth", number=1), Condition(Aspect.LONGEST_CUT_S, most_s=11.0)),
            "ftth: 1 (≤ 11 s)",
        ),
    ],
)
def test_the_cuts_allowed_are_said_for_each_box(conditions: tuple[Condition, ...], words: str) -> None:
    """Boxes that may not be cut are not named; a file that says nothing gets a dash."""
    assert cuts_allowed(replace(story(), expects=conditions)) == words


def test_faults_of_a_kind_stand_together() -> None:
    """In the order in which findings matter, whatever the files are called."""
    hung = row(replace(story(), name="z"), None)
    dark = row(replace(story(STORY.replace('finding = "box_hung"', 'finding = "bay_dark"')), name="y"), None)
    none = row(replace(story(), name="a", expects=()), None)
    lines = document([none, hung, dark]).splitlines()
    assert [line.split("`")[1] for line in lines if line.startswith("| Title")] == ["y", "z", "a"]


def test_the_page_names_its_maker() -> None:
    """Nobody changes it by hand twice."""
    assert "scripts/faults" in document([])
    assert (Path(__file__).parents[2] / "docs" / "scenarios.md").exists()
