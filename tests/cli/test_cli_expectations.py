"""Judging a story: each kind of condition, kept and not kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.cli.expectations import Evidence, Outage, Seen, judge, unknown_words
from agent.core.codes import Code, Severity
from agent.core.site import UplinkKind
from agent.core.snapshot_types import FindingView, Health, Snapshot, UplinkView
from hardware.virtual.scenario import Aspect, Condition, Deed, Scenario

FTTH = UplinkView(
    "ftth",
    "Fibre 1",
    UplinkKind.FTTH,
    Health.UP,
    0.0,
    "answers",
    True,
    True,
    True,
    None,
    None,
    8.0,
    0.0,
    0.0,
    (),
)
CALM = Snapshot(
    1, 10.0, 0.0, True, "demo", "Demo", True, None, None, None, None, Code.ALL_WELL, (FTTH,), (), ()
)
HUNG = FindingView(Code.BOX_HUNG, "ftth", "Fibre 1", Severity.ALERT, 10.0, {})
BROKEN = replace(
    CALM,
    headline=Code.BOX_HUNG,
    uplinks=(replace(FTTH, health=Health.DOWN, why="silent 12 s"),),
    findings=(HUNG,),
)

EVIDENCE = Evidence(
    end_s=60.0,
    events=(
        Seen(20.0, "uplink_down", "ftth", {"why": "silent", "n": 3}),
        Seen(23.0, "box_cut", "ftth"),
        Seen(28.0, "box_restored", "ftth"),
        Seen(45.0, "uplink_up", "ftth"),
    ),
    pictures=((0.0, CALM), (20.0, BROKEN), (45.0, CALM)),
    deeds={"hang": 10.0},
    cuts={"ftth": 1},
    powered={"ftth": True},
    outages=(Outage("ftth", 23.0, 28.0),),
)


def story(*expects: Condition, nevers: tuple[Condition, ...] = (), deeds: tuple[Deed, ...] = ()) -> Scenario:
    return Scenario("s", {}, {}, 60.0, (), deeds, expects, nevers)


def event(code: str, **more: object) -> Condition:
    return replace(Condition(Aspect.EVENT, (code,)), **more)  # type: ignore[arg-type]


def picture(aspect: Aspect, code: str, **more: object) -> Condition:
    return replace(Condition(aspect, (code,), "ftth"), **more)  # type: ignore[arg-type]


KEPT = [
    event("uplink_down"),
    event("uplink_down", subject="ftth", args={"n": 3}),
    event("uplink_down", after="hang", from_s=10.0, by_s=10.0),
    event("box_cut", number=1),
    event("box_cut", number=0, by_s=22.0),
    picture(Aspect.FINDING, "box_hung", at_s=30.0),
    picture(Aspect.FINDING, "box_hung", after="hang", by_s=12.0),
    picture(Aspect.HEALTH, "up"),
    picture(Aspect.HEALTH, "down", at_s=44.0),
    Condition(Aspect.ORDER, ("uplink_down", "box_restored", "uplink_up")),
    Condition(Aspect.CUTS, subject="ftth", number=1),
    Condition(Aspect.CUTS, subject="cellular", number=0),
    Condition(Aspect.CUTS_AT_MOST, subject="ftth", number=1),
    Condition(Aspect.LONGEST_CUT_S, subject="ftth", most_s=5.0),
    Condition(Aspect.LONGEST_CUT_S, subject="cellular", most_s=0.0),
    Condition(Aspect.POWERED, subject="ftth"),
    picture(Aspect.FINDING, "box_hung", after="hang", at_s=20.0),
    picture(Aspect.FINDING, "box_hung", from_s=30.0, by_s=40.0),
    event("cycle_helped", codes=("cycle_helped", "uplink_up")),
    Condition(Aspect.HEADLINE, words={"fr": "Box bloquée", "en": "Box is stuck"}, at_s=30.0),
    Condition(Aspect.HEADLINE, words={"fr": "Box bloquée"}, after="hang", from_s=12.0, by_s=13.0),
    Condition(Aspect.HEADLINE, words={"fr": "Tout marche", "en": "All is well"}),
    Condition(Aspect.CUTS, number=1),
    Condition(Aspect.CUTS_AT_MOST, number=1),
    Condition(Aspect.LONGEST_CUT_S, most_s=5.0),
    Condition(Aspect.POWERED),
]


@pytest.mark.parametrize("condition", KEPT)
def test_a_condition_that_was_kept_brings_no_failure(condition: Condition) -> None:
    """Bounds of windows belong to them."""
    assert judge(story(condition), EVIDENCE) == []


MISSED = [
    (event("cycle_helped"), "event cycle_helped must be seen, was seen never"),
    (event("box_cut", subject="cellular"), "event box_cut of cellular must be seen, was seen never"),
    (event("uplink_down", args={"n": 4}), "event uplink_down with {'n': 4} must be seen, was seen never"),
    (
        event("uplink_down", after="hang", by_s=9.0),
        "event uplink_down must be seen between 10.0 s and 19.0 s, was seen at 20.0 s",
    ),
    (event("box_cut", number=2), "event box_cut must be seen 2 times, was seen 1 times"),
    (event("box_cut", after="bang"), "the deed 'bang' was not done, so what must follow it cannot be judged"),
    (
        picture(Aspect.FINDING, "box_hung"),
        "finding box_hung of ftth must stand at the end, but there stand: none",
    ),
    (
        picture(Aspect.FINDING, "box_hung", by_s=5.0),
        "finding box_hung of ftth must be seen between 0.0 s and 5.0 s, was not",
    ),
    (
        picture(Aspect.HEALTH, "up", at_s=30.0),
        "uplink ftth up must stand at 30 s, but it is down (silent 12 s)",
    ),
    (
        Condition(Aspect.ORDER, ("uplink_up", "box_cut")),
        "these events must come in order: uplink_up → box_cut; box_cut did not come after uplink_up",
    ),
    (Condition(Aspect.CUTS, subject="ftth", number=0), "box ftth must be cut 0 times, was cut 1 times"),
    (
        Condition(Aspect.CUTS_AT_MOST, subject="ftth", number=0),
        "box ftth must be cut at most 0 times, was cut 1 times",
    ),
    (
        Condition(Aspect.POWERED, subject="ftth", powered=False),
        "box ftth must be without power at the end, is with it",
    ),
    (
        Condition(Aspect.LONGEST_CUT_S, subject="ftth", most_s=4.5),
        "box ftth must be cut for at most 4.5 s at a time, was cut for 5.0 s",
    ),
    (Condition(Aspect.POWERED, subject="x"), "box x must be with power at the end, is unknown"),
    (Condition(Aspect.CUTS, number=0), "box ftth must be cut 0 times, was cut 1 times"),
    (Condition(Aspect.CUTS_AT_MOST, number=0), "box ftth must be cut at most 0 times, was cut 1 times"),
    (
        Condition(Aspect.LONGEST_CUT_S, most_s=4.5),
        "box ftth must be cut for at most 4.5 s at a time, was cut for 5.0 s",
    ),
    (Condition(Aspect.POWERED, powered=False), "box ftth must be without power at the end, is with it"),
    (
        picture(Aspect.FINDING, "box_hung", after="hang", at_s=5.0),
        "finding box_hung of ftth must stand at 15 s, but there stand: none",
    ),
    (
        Condition(Aspect.HEADLINE, words={"fr": "Tout marche", "en": "All is well"}, at_s=30.0),
        "headline “Tout marche” / “All is well” must stand at 30 s, but it is “Box bloquée” / “Box is stuck”",
    ),
    (
        Condition(Aspect.HEADLINE, words={"fr": "Box bloquée", "en": "Box hung"}, at_s=30.0),
        "headline “Box bloquée” / “Box hung” must stand at 30 s, but it is “Box bloquée” / “Box is stuck”",
    ),
]


@pytest.mark.parametrize(("condition", "words"), MISSED)
def test_a_condition_that_was_missed_is_told_with_what_was_seen_instead(
    condition: Condition, words: str
) -> None:
    """The reader must not have to search the log."""
    assert judge(story(condition), EVIDENCE) == [words]


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (event("box_cut"), "event box_cut must never be seen, was seen at 23.0 s"),
        (picture(Aspect.HEALTH, "down"), "uplink ftth down must never be seen, was seen at 20.0 s"),
        (
            picture(Aspect.FINDING, "box_hung"),
            "finding box_hung of ftth must never be seen, was seen at 20.0 s",
        ),
        (
            event("box_cut", after="bang"),
            "the deed 'bang' was not done, so what must follow it cannot be judged",
        ),
    ],
)
def test_what_must_never_be_seen_fails_when_it_was(condition: Condition, words: str) -> None:
    """With the first time at which it was."""
    assert judge(story(nevers=(condition,)), EVIDENCE) == [words]


def test_what_must_never_be_seen_is_only_looked_for_in_its_window() -> None:
    """A cut after the calm phase is no cut during it."""
    assert judge(story(nevers=(event("box_cut", by_s=22.9),)), EVIDENCE) == []


def test_a_headline_is_compared_with_ordinary_spaces() -> None:
    """French texts have unbreakable ones before high punctuation, which no one types into a file."""
    dark = replace(HUNG, code=Code.BAY_DARK)
    evidence = Evidence(60.0, pictures=((0.0, replace(CALM, headline=Code.BAY_DARK, findings=(dark,))),))
    wanted = Condition(Aspect.HEADLINE, words={"fr": "Baie éteinte ?"})
    assert judge(story(wanted), evidence) == []
    assert judge(story(nevers=(wanted,)), evidence) == [
        "headline “Baie éteinte ?” must never be seen, was seen at 0.0 s"
    ]


def test_two_boxes_without_power_together_are_noticed() -> None:
    """One cut that ends as the next begins is no overlap."""
    never = (Condition(Aspect.CUTS_OVERLAP),)
    one_by_one = replace(EVIDENCE, outages=(Outage("b", 28.0, 33.0), Outage("a", 23.0, 28.0)))
    together = replace(EVIDENCE, outages=(Outage("a", 23.0, 28.0), Outage("b", 27.9, 33.0)))
    inside = replace(
        EVIDENCE, outages=(Outage("a", 10.0, 60.0), Outage("a", 11.0, 12.0), Outage("b", 30.0, 31.0))
    )
    assert judge(story(nevers=never), one_by_one) == []
    assert judge(story(nevers=never), together) == ["boxes a and b were without power together at 27.9 s"]
    assert judge(story(nevers=never), inside) == ["boxes a and b were without power together at 30.0 s"]


def test_without_any_picture_nothing_stands() -> None:
    """An agent that said nothing has not passed."""
    assert len(judge(story(picture(Aspect.HEALTH, "up")), Evidence(60.0))) == 1


def test_words_that_no_agent_says_are_found_before_the_play() -> None:
    """With the nearest known one."""
    deed = Deed("hang", 1.0, after_event="box_cutt")
    scenario = story(event("box_ct"), nevers=(picture(Aspect.HEALTH, "dwon"),), deeds=(deed,))
    assert unknown_words(scenario) == [
        "event: 'box_ct' is unknown; did you mean 'box_cut'?",
        "health: 'dwon' is unknown; did you mean 'down'?",
        "after_event: 'box_cutt' is unknown; did you mean 'box_cut'?",
    ]
