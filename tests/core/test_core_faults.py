"""The fault matrix: every scenario file for the core, played in virtual time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from agent.cli.core_story import CoreStory, play
from agent.cli.expectations import Evidence, judge, unknown_words
from agent.cli.fault_table import document, expected_findings, row
from agent.cli.timeline import clock, timeline
from agent.config.reader import parse as parse_config
from agent.core.codes import STANDING, TURNS, Code
from agent.core.snapshot_types import Health
from agent.simulation.deeds import DEEDS
from hardware.virtual import scenario_reader
from hardware.virtual.scenario import Aspect, Player, Scenario
from hardware.virtual.scenario_deeds import FORMS

pytestmark = pytest.mark.scenario
PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
NAMES = scenario_reader.names(Player.CORE)
SHOWS = scenario_reader.names(Player.BAY)
MOST_CALLS = 6
LONG_S = 5400.0
"""What lasts longer is not played twice to see whether it goes the same way."""


@cache
def story(name: str) -> tuple[CoreStory, Evidence]:
    told = CoreStory(scenario_reader.find(name))
    return told, told.play()


def played(name: str) -> tuple[Scenario, Evidence]:
    told, evidence = story(name)
    return told.scenario, evidence


def told(name: str, failures: list[str]) -> str:
    """What was not as it must be, and below it what happened when."""
    scenario, evidence = played(name)
    lines = [f"{name}: {scenario.title['en']}", *(f"  - {failure}" for failure in failures)]
    return "\n".join([*lines, *(f"  {line}" for line in timeline(scenario, evidence, "en"))])


@pytest.mark.parametrize("name", NAMES)
def test_fault(name: str) -> None:
    """The finding, the power actions and the words are those that the file asks for, and no others."""
    failures = judge(*played(name))
    assert not failures, told(name, failures)


def turned_green(evidence: Evidence) -> Iterator[str]:
    """Instants at which "all is well" took the place of something else while an uplink was down."""
    before = None
    for t, shot in evidence.pictures:
        down = [uplink.name for uplink in shot.uplinks if uplink.health is Health.DOWN]
        if shot.headline is Code.ALL_WELL and before not in (None, Code.ALL_WELL) and down:
            yield f"at {clock(t).strip()} the screen went from {before} to all_well, {', '.join(down)} down"
        before = shot.headline


@pytest.mark.parametrize("name", NAMES)
def test_the_screen_never_turns_green_while_an_uplink_is_down(name: str) -> None:
    """If what was said before is over and something is still down, that is said, not "all is well"."""
    failures = list(turned_green(played(name)[1]))
    assert not failures, told(name, failures)


@pytest.mark.parametrize("name", NAMES)
def test_nobody_is_called_more_often_than_six_times_an_hour(name: str) -> None:
    """Not for a line that flaps either; and all are turns of an incident, or name what stands beside it."""
    _, evidence = played(name)
    called = [seen for seen in evidence.events if seen.alert]
    for one in called:
        assert sum(one.t <= other.t < one.t + 3600.0 for other in called) <= MOST_CALLS, told(name, [])
        about = one.args["finding"] if one.code == Code.FINDING_CLOSED else one.code
        assert about in TURNS | STANDING, told(name, [f"{one.code} is an alert"])
    turns = Counter(seen.code for seen in called)
    assert 0 <= turns[Code.INCIDENT_OPENED] - turns[Code.INCIDENT_CLOSED] <= 1, told(name, [])


@pytest.mark.parametrize("name", NAMES)
def test_questions_are_not_asked_without_end(name: str) -> None:
    """Everything beyond echoes costs data: often in the first minutes of a doubt, then ever more seldom."""
    told, evidence = story(name)
    for uplink, rounds in told.world.asking.rounds.items():
        assert rounds <= 40 + evidence.end_s / 120.0, (
            f"{uplink} was asked {rounds} times in {evidence.end_s} s"
        )


@pytest.mark.parametrize("name", [name for name in NAMES if scenario_reader.find(name).duration_s <= LONG_S])
def test_a_scenario_played_twice_goes_the_same_way(name: str) -> None:
    """Same file, same events, same pictures, to the microsecond: what a test has seen can be seen again."""
    scenario, evidence = played(name)
    again = play(scenario)
    assert again.events == evidence.events
    assert again.pictures == evidence.pictures
    assert again.outages == evidence.outages


@pytest.mark.parametrize("name", SHOWS)
def test_a_show_of_the_bay_holds_on_the_core_as_well(name: str) -> None:
    """The world in virtual time tells the core what the bay with its real packets tells it."""
    failures = judge(*played(name))
    assert not failures, told(name, failures)


# --- the files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*NAMES, *SHOWS])
def test_a_file_states_all_that_matters(name: str) -> None:
    """A finding and by when, what must not appear, the cuts of every box, the longest cut, and the screen."""
    scenario = scenario_reader.find(name)
    assert scenario.known
    limits = [one.by_s if one.at_s is None else one.at_s for one in expected_findings(scenario)]
    assert any(limit is not None for limit in limits), "no finding has a time"
    assert any(one.aspect in (Aspect.FINDING, Aspect.EVENT) for one in scenario.nevers)
    assert any(one.aspect is Aspect.HEADLINE for one in scenario.expects)
    counts = [one for one in scenario.expects if one.aspect in (Aspect.CUTS, Aspect.CUTS_AT_MOST)]
    everywhere = any(one.subject is None for one in counts)
    named = {one.subject for one in counts}
    assert everywhere or named == {box for uplink in scenario.uplinks for box in uplink.boxes}
    if any(one.number for one in counts):
        assert any(one.aspect is Aspect.LONGEST_CUT_S for one in scenario.expects)


def test_the_matrix_is_large_enough() -> None:
    """At least three dozen faults, and the one with which everything began."""
    assert len(NAMES) + len(SHOWS) >= 36
    assert "hung_box" in NAMES
    assert scenario_reader.DEFAULT in SHOWS


@pytest.mark.parametrize("name", NAMES)
def test_a_file_speaks_of_codes_that_exist(name: str) -> None:
    """A misspelt code in a ``never`` would be kept for ever without anybody noticing."""
    wrong = unknown_words(scenario_reader.find(name))
    assert wrong == []


def test_the_table_is_what_the_files_and_their_plays_make() -> None:
    """docs/faults.md is written by scripts/faults; whoever changes a file or the core writes it anew."""
    rows = [row(scenario_reader.find(name), None) for name in SHOWS]
    rows += [row(*played(name)) for name in NAMES]
    assert PAGE.read_text(encoding="utf-8") == document(rows), "run scripts/faults"


def test_files_and_world_know_the_same_deeds() -> None:
    """Every deed that a scenario for the core may name can be done to the world, and none else."""
    assert FORMS[Player.CORE].keys() == DEEDS.keys()


def test_what_a_file_leaves_out_is_what_a_configuration_leaves_out() -> None:
    """The waits of a scenario for the core are those of a real site that says nothing of them."""
    config = parse_config(
        """
        [site]
        name = "a"
        [[uplink]]
        name = "ftth"
        kind = "ftth"
        interface = "eth1"
        [[uplink]]
        name = "cellular"
        kind = "cellular"
        interface = "wwan0"
        [[box]]
        name = "ftth"
        uplink = "ftth"
        """,
        Path("a.toml"),
    )
    ftth, cellular = scenario_reader.find("hung_box").uplinks
    box = config.box[0]
    assert (ftth.boot_s, ftth.off_s, ftth.confirm_s) == (box.boot_s, box.off_s, box.confirm_s)
    assert [ftth.interval_s, cellular.interval_s] == [uplink.interval_s for uplink in config.uplink]
