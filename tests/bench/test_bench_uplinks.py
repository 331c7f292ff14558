"""Lines that were made up have the truth they say, the same every time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from agent.replay.score import Listener
from measure.uplinks import (
    APART_S,
    DAY_S,
    KEPT_S,
    LINES,
    SHORTENED_BY_S,
    TARGETS,
    Line,
    around,
    course,
    echoes,
    heavy_tailed,
    items,
)

BRIEF = [
    replace(line, days=line.days / 100, outages=3, outage_s=around(90.0, 0.3, 60.0, 200.0)) for line in LINES
]
each_line = pytest.mark.parametrize("line", BRIEF, ids=lambda line: line.name)


@each_line
def test_the_same_seed_gives_the_same_echoes(line: Line) -> None:
    """And another seed gives others."""
    first, again, other = (list(echoes(course(line, seed), seed)) for seed in (5, 5, 6))
    assert first == again != other
    assert course(line, 5) == course(line, 5) != course(line, 6)


def test_the_course_of_a_seed_is_the_same_on_every_version() -> None:
    """A figure that was published can be made again."""
    drawn = course(LINES[1], 1)
    told = [(round(one.begin, 3), round(one.end, 3)) for one in drawn.interruptions[:3]]
    assert told == [(900.0, 903.835), (1020.0, 1042.412), (1950.0, 1964.532)]
    (_, _, rtt_s), *_ = echoes(drawn, 1)
    assert rtt_s == pytest.approx(0.045183, abs=1e-6)


@each_line
def test_as_many_outages_as_said_each_with_calm_around_it(line: Line) -> None:
    """None overlaps another interruption, all end before the line does."""
    drawn = course(line, 2)
    assert len(drawn.outages) == 3
    assert all(60.0 <= one.end - one.begin <= 200.0 for one in drawn.outages)
    for earlier, later in pairwise(drawn.interruptions):
        assert later.begin - earlier.end >= APART_S - 1e-6
    assert drawn.played_s >= drawn.interruptions[-1].end


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_calm_is_shortened_by_whole_steps_and_never_below_what_a_rule_remembers(line: Line) -> None:
    """So a prober's phase, and a slot's, is what it would have been."""
    drawn = course(line, 2)
    assert drawn.lived_s >= line.days * DAY_S
    steps = (drawn.lived_s - drawn.played_s) / SHORTENED_BY_S
    assert steps == pytest.approx(round(steps), abs=1e-6)
    calm = [later.begin - earlier.end for earlier, later in pairwise(drawn.interruptions)]
    assert max(calm) < KEPT_S + SHORTENED_BY_S
    assert (steps > 0) is any(one >= KEPT_S for one in calm)


@each_line
def test_no_echo_is_answered_in_an_outage_and_most_are_outside(line: Line) -> None:
    """What was sent into a stall comes late or never; the rest is lost rarely."""
    drawn = course(line, 2)
    calm = lost = 0
    for sent_at, _, rtt_s in echoes(drawn, 2):
        inside = next((one for one in drawn.interruptions if one.begin <= sent_at < one.end), None)
        if inside is None:
            calm, lost = calm + 1, lost + (rtt_s is None)
        elif inside.outage:
            assert rtt_s is None
        else:
            assert rtt_s is None or sent_at + rtt_s > inside.end
    assert calm > 100
    assert lost / calm < 0.02


@each_line
def test_three_targets_each_at_its_own_offset(line: Line) -> None:
    """Never two at once, each as often as the line says."""
    sent = [(at, target) for at, target, _ in echoes(course(line, 2), 2)][:300]
    assert {target for _, target in sent} == set(TARGETS)
    assert all(later > earlier for (earlier, _), (later, _) in pairwise(sent))
    first = [at for at, target in sent if target == TARGETS[0]]
    assert [later - earlier for earlier, later in pairwise(first)] == pytest.approx([line.interval_s] * 99)


@each_line
def test_every_outage_is_a_silence_of_its_length(line: Line) -> None:
    """As long as it is, to within the spacing of echoes at both ends, whoever listens."""
    drawn = course(line, 2)
    listener = Listener(line.name)
    for at, item in items(drawn, 2):
        listener.take(at, item)
    listener.end()
    gap_s = line.interval_s / len(TARGETS)
    for one in drawn.outages:
        silence = next(s for s in listener.silences if s.begin < one.end and s.end > one.begin)
        # An echo that was lost alone just before, or just after, makes the silence one spacing longer.
        assert one.begin - gap_s <= silence.begin <= one.begin + gap_s + 1e-6
        assert one.end <= silence.end <= one.end + 2 * gap_s + 4.0
    assert not any(silence.cut_short for silence in listener.silences)


def test_starlink_stalls_when_a_slot_begins() -> None:
    """Every fifteen seconds the dish may be given another satellite."""
    drawn = course(BRIEF[1], 2)
    begins = [one.begin for one in drawn.interruptions if not one.outage]
    assert begins
    assert all(min(at % 15.0, 15.0 - at % 15.0) < 1e-6 for at in begins)


def test_lengths_keep_their_bounds_and_their_median() -> None:
    """The share is that of the interruptions that are no longer."""
    stall_s = heavy_tailed(0.5, 2.0, 30.0)
    assert (stall_s(0.0), stall_s(1.0)) == (pytest.approx(2.0), pytest.approx(30.0))
    assert stall_s(0.5) < 16.0  # most are short, some are long
    outage_s = around(240.0, 0.8, 60.0, 1800.0)
    assert (outage_s(0.0), outage_s(0.5), outage_s(1.0)) == (60.0, pytest.approx(240.0), 1800.0)
