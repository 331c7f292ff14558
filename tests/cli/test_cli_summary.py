"""What a demo says at the end, and its stream."""

from __future__ import annotations

from agent.cli.expectations import Evidence, Seen
from agent.cli.summary import summary
from hardware.virtual.scenario import Scenario, ScenarioUplink

FTTH = ScenarioUplink("ftth", "Fibre 1", "ftth", "wan0", "op")
CELLULAR = ScenarioUplink("cellular", "4G", "cellular", "wan1", "op2")
STORY = Scenario("s", {"fr": "T", "en": "T"}, {"fr": "x", "en": "x"}, 60.0, (FTTH, CELLULAR), (), (), ())
EVENTS = (
    Seen(0.3, "uplink_up", "ftth", {"down_s": 0}),
    Seen(13.0, "uplink_suspect", "ftth", {"silent_s": 0.8}),
    Seen(22.3, "uplink_down", "ftth"),
    Seen(22.9, "uplink_down", "ftth"),
    Seen(25.6, "box_cut", "ftth"),
    Seen(30.7, "box_restored", "ftth"),
    Seen(48.2, "uplink_up", "ftth", {"down_s": 26}),
    Seen(48.2, "cycle_helped", "ftth", {"took_s": 22.6}),
)


def test_the_summary_tells_each_step_of_an_outage_with_its_time() -> None:
    """From the first lost packet to the return, and whether the cycle helped."""
    assert summary(STORY, Evidence(60.0, EVENTS, cuts={"ftth": 1}), [], "en") == [
        "Fibre 1 (power cuts: 1)",
        (
            "  first packet lost 12.2 s → in doubt 13.0 s → declared down 22.3 s → power cut 25.6 s"
            " → power restored 30.7 s → back 48.2 s"
        ),
        "  no internet by this uplink for 36.0 s",
        "  the cycle helped (22.6 s from cut to return)",
        "4G (power cuts: 0)",
        "  nothing of note",
        "Passed: everything that had to be seen was seen.",
    ]


def test_an_outage_that_lasts_is_told_without_its_end() -> None:
    """And the verdict with each failure."""
    lines = summary(STORY, Evidence(60.0, EVENTS[:4]), ["something else"], "fr")
    assert lines[1] == "  premier paquet perdu 12.2 s → doute 13.0 s → panne déclarée 22.3 s"
    assert lines[-2:] == ["Scénario manqué :", "  - something else"]


def test_a_short_doubt_is_no_outage() -> None:
    """It is told, but no time without internet is claimed."""
    events = (Seen(13.0, "uplink_suspect", "ftth", {"silent_s": 0.8}), Seen(14.0, "uplink_up", "ftth"))
    lines = summary(STORY, Evidence(60.0, events), [], "en")
    assert lines[1] == "  first packet lost 12.2 s → in doubt 13.0 s → back 14.0 s"
    assert lines[2] == "4G (power cuts: 0)"
