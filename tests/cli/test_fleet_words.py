"""What `vigie fleet` says of a site, in both languages, and what a check makes of all of them."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import pytest
from fleet_ground import ILL, WELL, Ear, state

from agent.cli import fleet_link, fleet_live, fleet_options
from agent.cli.cells import columns, fitted
from agent.cli.fleet_check import CODES, LONGEST_BYTES, Once, exit_code, lines
from agent.cli.fleet_json import document, news
from agent.cli.fleet_rows import Picture, rows
from agent.cli.fleet_words import MARKS, counts_text, standing_text, uplink_marks, why_text
from agent.core.snapshot_types import Phase
from agent.fleet.judging import Site, Standing, Why


def drawn(
    ear: Ear, problem: str | None = None, width: int = 80, height: int = 24, language: str = "en"
) -> list[str]:
    off_s = ear.fleet.own_clock_off_s()
    picture = Picture(
        ear.sites(), "b:1883", ear.fleet.settled, problem, 40.0, off_s, "12:00:00", language, width, height
    )
    found = ["".join(text for text, _ in row) for row in rows(picture)]
    assert all(columns(line) <= width for line in found), found
    return found


def once(ear: Ear, problem: str | None = None) -> Once:
    off_s = ear.fleet.own_clock_off_s()
    return Once(ear.sites(), "b:1883", ear.fleet.filters, problem, ear.fleet.settled, off_s, 1.25)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_reason_and_standing_has_words(language: str) -> None:
    """And every standing a mark and an exit code."""
    for why in Why:
        site = Site(Ear().kept(state(ILL)).one().place, "Garage", Standing.WARNING, why, detail="x")
        assert why_text(site, language) or why in (Why.WELL, Why.FINDING)
    for standing in Standing:
        assert standing_text(standing, language)
        assert counts_text({standing: 2}, language)
        assert MARKS[standing]
        assert CODES[standing] in (0, 1, 2)


def test_a_row_says_what_is_the_matter() -> None:
    """Where, since when, which uplinks, why, when it was heard; the box that restarts."""
    box = replace(ILL.boxes[0], phase=Phase.CUT)
    ear = Ear().kept(state(replace(ILL, boxes=(box,)), age_s=15.0))
    row = drawn(ear, width=120)[-1]
    assert " ".join(row.split()) == "! incident Garage 1 min ftth✗ 4g✓ ⟳ Box Fibre · Fibre: Box is stuck 15 s"
    assert drawn(ear, width=40)[-1].startswith("! Garage        1 min   ⟳ Box Fibre")


def test_a_version_has_a_column_where_one_is_said() -> None:
    """Only there, and only where there is room."""
    assert "version" not in drawn(Ear().kept(state()), width=120)[-2]
    ear = Ear().kept(state(version="1.4.2"))
    assert drawn(ear, width=120)[-1].endswith("1.4.2")
    assert "1.4.2" not in drawn(ear, width=80)[-1]


def test_a_finding_of_a_newer_version_is_told_by_its_code() -> None:
    """A word that nobody knows is better than none."""
    findings = [
        {"code": "flood", "subject": "s", "label": "Baie", "severity": "alert", "since": None, "args": {}}
    ]
    site = Ear().kept(state(findings=findings)).one()
    assert why_text(site, "fr", whole=True) == "Baie\u00a0: flood"
    assert (
        document(once(Ear().kept(state(findings=findings))), 0.0)["sites"][0]["cause"]["text"]["fr"] is None
    )


def test_a_lost_connection_of_our_own_leaves_nothing_that_looks_well() -> None:
    """The whole table says so, and every row is dim."""
    ear = Ear().kept(state())
    picture = Picture(ear.sites(), "b:1883", True, "timed out", 40.0, None, "12:00:00", "en", 80, 24)
    found = rows(picture)
    told = "".join("".join(text for text, _ in row) for row in found)
    assert "NO CONNECTION to b:1883 for 40 s (timed out)" in told
    assert not [style for row in found for _, style in row if "green" in style]


def test_what_has_not_come_yet_and_what_our_own_clock_does_is_said() -> None:
    """Above the table."""
    ear = Ear()
    assert drawn(ear, problem="")[1].startswith("connecting to b:1883")
    ear.live(state(age_s=600.0), "a").live(state(age_s=600.0), "b").live(state(age_s=600.0), "c")
    found = drawn(ear)
    assert found[1].startswith("reading what the broker keeps")
    assert found[2] == "This machine's clock is 10 min ahead of the sites'."


def test_names_of_uplinks_are_shortened_together() -> None:
    """So that every health is seen."""
    site = Ear().kept(state()).one()
    assert uplink_marks(site, 12) == "ftth✓ 4g✓"
    assert uplink_marks(site, 8) == "ftt✓ 4g✓"
    assert columns(uplink_marks(site, 7)) <= 7
    assert uplink_marks(Ear().kept(state(age_s=999.0)).one(), 12) == "ftth· 4g·"


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abc", 5, "abc  "),
        ("abcdef", 5, "abcd…"),
        ("漢字漢", 4, "漢… "),
        ("e\u0301x", 2, "e\u0301x"),
        ("xyz", 1, "…"),
        ("a", 0, ""),
    ],
)
def test_a_text_is_fitted_to_columns(text: str, width: int, shown: str) -> None:
    """A wide letter takes two, a mark none."""
    assert fitted(text, width) == shown


def test_while_nothing_is_known_nothing_is_told() -> None:
    """Not before all has come, nor while the connection is lost; and the picture stays as it was."""
    parser = argparse.ArgumentParser()
    fleet_options.add_arguments(parser)
    view = fleet_live._View(
        fleet_options.understood(parser.parse_args(["--broker", "mqtt://nobody.invalid"]))
    )
    said = state(replace(WELL, wall=time.time()))
    view.link.problem = None
    view.fleet.joined()
    view.fleet.take("vigie/garage/state", said, fleet_link.present(), kept=True)
    assert not view.changes()
    view.fleet.settle()
    assert [site.standing for site in view.changes()] == [Standing.WELL]
    assert not view.changes()
    before = view.seen()
    view.link.problem = "lost"
    view.fleet.take("vigie/garage/availability", b"offline", fleet_link.present(), kept=False)
    assert not view.changes()
    assert view.seen() == before
    view.link.problem = None
    view.fleet.joined()
    assert view.seen() == before
    view.fleet.settle()
    assert view.seen() != before


# --- the check ----------------------------------------------------------------------------------------------


def test_all_well_is_ok() -> None:
    """In one line, with figures behind a bar."""
    found = once(Ear().kept(state()))
    assert exit_code(found) == 0
    (line,) = lines(found, "en")
    status, figures = line.split(" | ")
    assert status == "VIGIE OK - 1 site: all well"
    assert figures == (
        "sites=1 silent=0 unreadable=0 no_internet=0 alert=0 lost=0 warning=0 held=0 well=1 time=1.25s"
    )


def test_each_trouble_has_a_line_of_its_own() -> None:
    """The worst decides."""
    ear = Ear(expected=["dole"]).kept(state(ILL)).kept(state(age_s=600.0), "offline", site="beaune")
    found = once(ear)
    assert exit_code(found) == 2
    head, *told = lines(found, "en")
    assert head.startswith("VIGIE CRITICAL - 3 sites: 2 silent, 1 incident | sites=3 silent=2 ")
    assert told[0] == (
        "✗ Garage (beaune): silent (10 min): offline: cut off, without power or stopped (heard 10 min ago)"
    )
    assert told[1] == "✗ dole: silent: expected, never seen"
    assert told[2].startswith(
        "! Garage (garage): incident (1 min): Fibre: the box has power but no longer answers."
    )


def test_a_short_absence_is_a_warning_and_a_hold_is_ok() -> None:
    """Nobody is woken for a restart, nor for what a person wanted."""
    assert exit_code(once(Ear().kept(state(age_s=60.0), "offline"))) == 1
    held = replace(WELL, armed=False, unarmed_why="hold", hold_until=2000.0)
    assert exit_code(once(Ear().kept(state(held)))) == 0
    assert "1 withheld" in lines(once(Ear().kept(state(held))), "en")[0]


def test_what_nobody_knows_is_unknown() -> None:
    """No connection, nothing heard, a list that is not complete, a clock of our own that is wrong."""
    assert exit_code(once(Ear().kept(state()), problem="no answer")) == 3
    assert lines(once(Ear(), problem="no answer"), "fr")[0].startswith(
        "VIGIE UNKNOWN - pas de liaison avec b:1883 : no answer | sites=0"
    )
    assert exit_code(once(Ear())) == 3
    assert "nothing was heard below vigie/+/availability" in lines(once(Ear()), "en")[0]
    part = Ear().live(state())
    assert exit_code(once(part)) == 3
    assert "the list is not complete (--wait)" in lines(once(part), "en")[0]
    assert exit_code(once(part.live(state(ILL), "ill"))) == 2
    wrong = Ear().kept(state())
    wrong.live(state(age_s=600.0), "a").live(state(age_s=600.0), "b").live(state(age_s=600.0), "c")
    assert exit_code(once(wrong)) == 3


def test_a_whole_fleet_in_trouble_fits_what_nagios_reads() -> None:
    """8 KiB, and the bar stands once."""
    ear = Ear()
    for number in range(300):
        ear.kept(state(ILL, label="a|b" * 20), site=f"s{number:03d}")
    found = lines(once(ear), "fr")
    assert len("\n".join(found).encode()) < 8192
    assert LONGEST_BYTES < 8192
    assert found[-1].startswith(f"… et {300 - len(found) + 2} autres : ")
    assert "\n".join(found).count("|") == 1


def test_news_are_no_figures() -> None:
    """A site that only grows older is told once."""
    ear = Ear().kept(state(ILL))
    before = news(ear.one())
    assert news(ear.after(30.0).live(state(ILL, age_s=-30.0)).one()) == before
    assert news(ear.live(state(WELL)).one()) != before
