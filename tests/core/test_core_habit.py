"""What a line's silences teach, and what is decided from it."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.habit import (
    EARLIEST_S,
    LONGEST_S,
    PRIORS,
    Habit,
    decode,
    encode,
    expected_more_s,
    learned,
    outage_share,
    prior,
    threshold_s,
    watched,
)
from agent.core.site import UplinkKind

COST_S = 10.0
STEP_S = 0.2

kinds = st.sampled_from(UplinkKind)
lengths = st.floats(0.01, 1000.0)
silences = st.lists(lengths, max_size=40)


def taught(kind: UplinkKind, lengths_s: Iterable[float], cost_s: float = COST_S) -> Habit:
    habit = prior(kind)
    for silence_s in lengths_s:
        habit = learned(habit, silence_s, STEP_S, cost_s)
    return habit


def waits(habit: Habit) -> float:
    return threshold_s(habit, COST_S, STEP_S)


def paid(silence_s: float, threshold: float, cost_s: float = COST_S) -> float:
    return silence_s if silence_s <= threshold else threshold + cost_s


# --- stories ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", UplinkKind)
def test_without_history_the_kind_decides(kind: UplinkKind) -> None:
    """The threshold is where the prior hazard falls below one end per switch cost."""
    belief = PRIORS[kind]
    assert waits(prior(kind)) == pytest.approx(belief.shape * COST_S - belief.scale_s, rel=0.3)


def test_new_fibre_is_judged_within_three_seconds_and_a_new_4g_is_waited_for() -> None:
    """On fibre a silence is mostly an outage; on 4G it is mostly a handover."""
    assert waits(prior(UplinkKind.FTTH)) <= 3.0
    assert waits(prior(UplinkKind.CELLULAR)) >= 6.0


def test_line_that_hiccups_briefly_is_waited_for() -> None:
    """A line whose silences always end within 5 s is not declared down before they would have ended."""
    assert waits(taught(UplinkKind.OTHER, [3.0, 4.0, 2.0, 4.5, 3.5] * 6)) > 5.0


def test_line_that_comes_back_just_before_a_switch_would_pay_is_waited_for_that_long() -> None:
    """Waiting may go up to the cost of a switch, and no further."""
    habit = taught(UplinkKind.OTHER, [6.0, 7.0] * 15)
    assert threshold_s(habit, 9.77, STEP_S) == 9.77


def test_line_whose_silences_are_long_is_declared_down_at_once() -> None:
    """Waiting never paid on a line that falls silent for 15 s or more."""
    assert waits(taught(UplinkKind.OTHER, [15.0, 30.0, 20.0, 60.0] * 3)) <= 1.5


def test_everyday_losses_do_not_make_a_fibre_slow() -> None:
    """A thousand losses of a second say nothing about a silence that has already lasted three."""
    assert waits(taught(UplinkKind.FTTH, [1.0] * 1000)) <= 3.0


def test_fibre_after_its_first_outage_still_waits_out_a_lost_second() -> None:
    """One real outage must not turn every lost echo of a well-known kind of line into one."""
    assert 1.2 < waits(taught(UplinkKind.FTTH, [7200.0])) < 3.0


def test_line_that_never_blinks_is_believed_broken_when_it_does() -> None:
    """A day without a silence makes even a 4G line one that is declared down within two seconds."""
    calm = [threshold_s(prior(UplinkKind.CELLULAR), COST_S, STEP_S, hours * 3600) for hours in (0, 1, 3, 24)]
    assert calm == sorted(calm, reverse=True)
    assert calm[0] > 6.0
    assert calm[-1] < 2.0


def test_calm_time_is_kept_with_the_silences_it_lay_between() -> None:
    """Watched before a silence or without one, it counts; a line that hiccups often is waited for anyway."""
    fresh = prior(UplinkKind.OTHER)
    rested = learned(fresh, 3.0, STEP_S, COST_S, 86400.0)
    assert outage_share(rested, 0.0) > outage_share(learned(fresh, 3.0, STEP_S, COST_S), 0.0)
    assert outage_share(watched(fresh, 7200.0), 0.0) == outage_share(fresh, 7200.0)
    busy = fresh
    for _ in range(40):
        busy = learned(busy, 4.0, STEP_S, COST_S, 300.0)
    assert waits(busy) > 4.0


def test_outage_of_a_week_teaches_no_more_than_one_of_two_minutes() -> None:
    """A long outage is one silence among others, however long it was."""
    habit = taught(UplinkKind.STARLINK, [3.0, 14.0, 5.0])
    assert learned(habit, 7 * 86400.0, STEP_S, COST_S) == learned(habit, LONGEST_S, STEP_S, COST_S)
    assert learned(habit, math.inf, STEP_S, COST_S) == learned(habit, LONGEST_S, STEP_S, COST_S)


def test_one_outage_does_not_flush_a_habit() -> None:
    """A line that always came back within 5 s is still waited for after one long outage."""
    habit = taught(UplinkKind.OTHER, [3.0, 4.0, 2.0, 4.5, 3.5] * 6)
    assert waits(learned(habit, 86400.0, STEP_S, COST_S)) > 4.0


def test_line_that_changes_is_learned_anew() -> None:
    """After forty long silences the hundred short ones before them no longer decide."""
    changed = taught(UplinkKind.OTHER, [4.0] * 100 + [30.0] * 40)
    assert waits(taught(UplinkKind.OTHER, [4.0] * 100)) > 4.5
    assert waits(changed) < 1.5


def test_wrong_early_declaration_is_paid_back_with_patience() -> None:
    """After a needless switch at 2.5 s the line gets the benefit of the doubt until the debt is repaid."""
    fibre = prior(UplinkKind.FTTH)
    regretted = learned(fibre, 2.6, STEP_S, COST_S)
    assert regretted.debt_s == pytest.approx(waits(fibre) + COST_S - 5.2)
    assert waits(regretted) >= regretted.debt_s > 2 * waits(fibre)
    repaid = learned(learned(regretted, 300.0, STEP_S, COST_S), 300.0, STEP_S, COST_S)
    assert repaid.debt_s == 0.0


def test_slow_probing_is_never_judged_on_less_than_its_step() -> None:
    """On a standby asked every 5 s a silence of less than 5 s is not known to be one."""
    habit = taught(UplinkKind.OTHER, [60.0] * 5)
    assert threshold_s(habit, COST_S, 5.0) >= 5.0
    assert threshold_s(habit, COST_S, 60.0) == COST_S


def test_roughly_known_length_teaches_less_sharply() -> None:
    """Two seconds known to within ten leave more doubt about five than two seconds known exactly."""
    rough = learned(prior(UplinkKind.OTHER), 2.0, 10.0, COST_S)
    exact = learned(prior(UplinkKind.OTHER), 2.0, 0.01, COST_S)
    assert expected_more_s(rough, 1.0) > expected_more_s(exact, 1.0)


def test_the_words_follow_the_line() -> None:
    """What is still to be expected after 6 s is seconds on one line and far more than a switch on another."""
    hiccups = taught(UplinkKind.OTHER, [7.0, 8.0, 7.5] * 10)
    outages = taught(UplinkKind.OTHER, [50.0, 90.0, 70.0] * 10)
    assert expected_more_s(hiccups, 6.0) < COST_S
    assert 40.0 < expected_more_s(outages, 6.0) < 90.0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "does not begin"),
        ("habit9 ftth 0", "does not begin"),
        ("habit1 pigeon 0 0", "no kind of uplink is called 'pigeon'"),
        ("habit1 ftth zero 0", "could not convert"),
        ("habit1 ftth 0.0 0.0 1.0 2.0", "weights, not 2"),
        (encode(prior(UplinkKind.FTTH)) + " 1.0", "weights, not"),
        (encode(prior(UplinkKind.FTTH)).replace("ftth 0.0", "ftth nan"), "finite"),
        (encode(prior(UplinkKind.FTTH)).replace("ftth 0.0", "ftth -1.0"), "not negative"),
        (encode(prior(UplinkKind.FTTH)).replace("ftth 0.0", "ftth inf"), "finite"),
    ],
)
def test_damaged_text_is_refused_with_a_reason(text: str, says: str) -> None:
    """Whatever a file may hold instead of a habit, the error says what is wrong with it."""
    with pytest.raises(ValueError, match=says):
        decode(text)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_impossible_costs_and_steps_are_refused(bad: float) -> None:
    """A cost or a step that is no positive length of time is a fault of the caller."""
    habit = prior(UplinkKind.FTTH)
    with pytest.raises(ValueError, match="switch_cost_s"):
        threshold_s(habit, bad, STEP_S)
    with pytest.raises(ValueError, match="resolution_s"):
        threshold_s(habit, COST_S, bad)
    with pytest.raises(ValueError, match="resolution_s"):
        learned(habit, 1.0, bad, COST_S)


@pytest.mark.parametrize("nonsense", [0.0, -3.0, math.nan, -math.inf])
def test_silences_that_cannot_be_teach_nothing(nonsense: float) -> None:
    """A length that is not a positive number leaves the habit as it was."""
    habit = taught(UplinkKind.OTHER, [3.0])
    assert learned(habit, nonsense, STEP_S, COST_S) == habit


# --- whatever the line does ------------------------------------------------------------------------------


@given(kinds, silences)
def test_text_gives_back_the_same_habit(kind: UplinkKind, lengths_s: list[float]) -> None:
    """Nothing is lost between two runs of the agent."""
    habit = taught(kind, lengths_s)
    assert decode(encode(habit)) == habit


@settings(deadline=None, max_examples=30)
@given(kinds, st.floats(1e-300, 1e300), st.integers(1, 600))
def test_state_stays_bounded(kind: UplinkKind, silence_s: float, times: int) -> None:
    """However often and whatever a line fails, its habit stays small."""
    habit = taught(kind, [silence_s] * times)
    assert sum(habit.weights) <= min(times, 2001) + 1e-6
    assert habit.debt_s <= COST_S
    assert len(encode(habit)) < 2048


@given(kinds, silences, st.floats(0.1, 500.0), st.floats(0.05, 300.0))
def test_threshold_is_never_later_than_ski_rental(
    kind: UplinkKind, lengths_s: list[float], cost_s: float, step_s: float
) -> None:
    """Not before the silence can be known, not after a switch has been paid for in waiting."""
    found = threshold_s(taught(kind, lengths_s, cost_s), cost_s, step_s)
    assert min(cost_s, max(EARLIEST_S, step_s)) <= found <= cost_s


@settings(deadline=None)
@given(kinds, silences, st.floats(1.0, 60.0), st.data())
def test_never_worse_than_twice_foresight_and_one_switch(
    kind: UplinkKind, before: list[float], cost_s: float, data: st.DataObject
) -> None:
    """The guarantee, against an adversary that knows each threshold and ends the silence just after it."""
    habit = taught(kind, before, cost_s)
    total, foresight = 0.0, 0.0
    for wicked in data.draw(st.lists(st.one_of(lengths, st.none()), max_size=30)):
        threshold = threshold_s(habit, cost_s, STEP_S)
        silence_s = math.nextafter(threshold, math.inf) if wicked is None else wicked
        total += paid(silence_s, threshold, cost_s)
        foresight += min(silence_s, cost_s)
        habit = learned(habit, silence_s, STEP_S, cost_s)
        assert total <= 2.0 * foresight + cost_s + 1e-6


@given(kinds, silences, st.floats(0.0, 119.0), st.floats(0.1, 50.0))
def test_one_more_outage_leaves_more_to_expect(
    kind: UplinkKind, lengths_s: list[float], silent_s: float, weight: float
) -> None:
    """A line that has also failed for longer than is distinguished is never expected back sooner."""
    habit = taught(kind, lengths_s)
    worse = Habit(kind, (*habit.weights[:-1], habit.weights[-1] + weight))
    assert expected_more_s(worse, silent_s) >= expected_more_s(habit, silent_s) - 1e-9


@given(kinds, silences, st.floats(1.0, 119.0), st.floats(0.1, 1000.0))
def test_short_losses_say_nothing_about_a_long_silence(
    kind: UplinkKind, lengths_s: list[float], silent_s: float, weight: float
) -> None:
    """What is expected after a long silence does not depend on how often a tenth of a second was lost."""
    habit = taught(kind, lengths_s)
    lossy = Habit(kind, (habit.weights[0] + weight, *habit.weights[1:]))
    assert expected_more_s(lossy, silent_s) == pytest.approx(expected_more_s(habit, silent_s), rel=1e-6)


@given(kinds, silences, st.floats(-10.0, 1e6))
def test_expectation_is_a_time(kind: UplinkKind, lengths_s: list[float], silent_s: float) -> None:
    """What is still to be expected is never negative and never reaches beyond what is distinguished."""
    more_s = expected_more_s(taught(kind, lengths_s), silent_s)
    assert 0.0 <= more_s <= LONGEST_S - min(LONGEST_S, max(0.0, silent_s)) + 1e-9


@given(kinds, st.floats(0.2, 60.0), st.integers(1, 30))
def test_dearer_switch_is_never_made_sooner(kind: UplinkKind, silence_s: float, times: int) -> None:
    """With nothing owed, waiting is worth more where acting costs more."""
    habit = Habit(kind, taught(kind, [silence_s] * times).weights)
    cheap, dear = threshold_s(habit, 5.0, STEP_S), threshold_s(habit, 20.0, STEP_S)
    assert cheap <= dear


@given(kinds, st.lists(st.floats(0.5, 9.0), min_size=25, max_size=40))
def test_learned_rule_pays_hardly_more_than_the_best_fixed_one(
    kind: UplinkKind, lengths_s: list[float]
) -> None:
    """On a line of one habit, after learning it, one more round costs less than the two of a fixed rule."""
    habit = taught(kind, lengths_s)
    threshold = threshold_s(Habit(kind, habit.weights), COST_S, STEP_S)
    ours = sum(paid(s, threshold) for s in lengths_s)
    best = min(sum(paid(s, t / 10) for s in lengths_s) for t in range(10, 101))
    assert ours <= 1.8 * best
