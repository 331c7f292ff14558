"""What is said of a rule on a line of known truth."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from agent.replay.score import Turn
from measure.synthetic import OURS, Played, declared, judge, play, report
from measure.uplinks import LINES, Interruption, around

OUTAGES = [Interruption(100.0, 200.0, outage=True), Interruption(500.0, 560.0, outage=True)]


def turns(*stretches: tuple[float, float]) -> list[Turn]:
    return [Turn(at, down) for begin, end in stretches for at, down in ((begin, True), (end, False))]


def test_a_delay_counts_from_the_true_beginning() -> None:
    """What was never declared has an infinite one."""
    assert judge("x", turns((104.5, 206.0)), OUTAGES, 1.0).delays_s == (4.5, inf)


def test_a_line_that_was_down_already_is_not_late() -> None:
    """But that declaration was false."""
    judged = judge("x", turns((95.0, 206.0), (503.0, 570.0)), OUTAGES, 1.0)
    assert judged.delays_s == (0.0, 3.0)
    assert judged.false == 1


def test_a_declaration_outside_any_outage_is_false() -> None:
    """Not one that comes when the end of an outage is not known yet."""
    assert judge("x", turns((104.0, 206.0), (300.0, 310.0), (561.0, 570.0)), OUTAGES, 1.0).false == 1
    assert judge("x", turns((202.5, 206.0)), OUTAGES, 1.0).false == 1


def test_turns_that_change_nothing_do_not_count() -> None:
    """From suspect to up is no end of anything; the last stretch may have no end."""
    told = [Turn(1.0, False), Turn(2.0, True), Turn(3.0, True), Turn(4.0, False), Turn(9.0, True)]
    assert list(declared(told)) == [(2.0, 4.0), (9.0, inf)]


@pytest.fixture(scope="module")
def fibre() -> Played:
    line = replace(LINES[0], days=1.0, outages=4, outage_s=around(90.0, 0.2, 60.0, 120.0))
    return play(line, 10.0)


def test_every_rule_watches_the_same_line(fibre: Played) -> None:
    """The quick ones find every outage at once, the slow one none of two minutes; ours is never late."""
    judged = {one.rule: one for one in fibre.judged}
    assert next(iter(judged)) == OURS
    assert max(judged["keepalived"].delays_s) < 3.0
    assert max(judged["three in a row"].delays_s) < 5.0
    assert 13.0 < min(judged["pfSense"].delays_s) <= max(judged["pfSense"].delays_s) < 16.0
    assert set(judged["mwan3"].delays_s) == {inf}
    assert max(judged[OURS].delays_s) < 12.0
    assert judged["fixed 10 s"].delays_s == pytest.approx([10.2] * 4, abs=0.5)


def test_the_report_names_outages_and_rules(fibre: Played) -> None:
    """With as many rows as rules, each with its intervals."""
    first, heads, *rows = report(fibre)
    assert first.startswith("fibre: 1 days, ")
    assert "4 outages" in first
    assert heads.split()[0] == "rule"
    assert [row.split("  ")[1] for row in rows] == [one.rule for one in fibre.judged]
    assert "never" in next(row for row in rows if "mwan3" in row)


def test_the_same_seed_gives_the_same_report() -> None:
    """Whoever runs it."""
    line = replace(LINES[2], days=0.02, outages=1, outage_s=around(90.0, 0.2, 60.0, 120.0))
    assert list(report(play(line, 10.0))) == list(report(play(line, 10.0)))


def test_a_standby_that_is_asked_rarely_is_watched_by_us_alone() -> None:
    """No other system probes every ten seconds."""
    line = replace(LINES[4], days=0.05, outages=1, outage_s=around(90.0, 0.2, 60.0, 120.0))
    assert [one.rule for one in play(line, 10.0).judged] == [OURS, "fixed 10 s"]
