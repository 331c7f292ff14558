"""The tail of outages is found again from what a prober saw, and no wait is cheaper than the best one."""

from __future__ import annotations

from math import floor, inf
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.outages import (
    Tail,
    best_wait_s,
    cost_s,
    fit,
    foresight_s,
    needless_share,
)

LENGTHS = st.lists(st.floats(min_value=0.1, max_value=1e6), min_size=1, max_size=40)
CYCLES_S = st.floats(min_value=1.0, max_value=1000.0)


def seen(tail: Tail, count: int, step_s: float, seed: int = 1) -> list[float]:
    """Outages of this tail as somebody sees them who asks every ``step_s``; some he misses."""
    chance = Random(seed)
    found: list[float] = []
    while len(found) < count:
        length_s = tail.scale_s * ((1.0 - chance.random()) ** (-1.0 / tail.shape) - 1.0)
        first_s = chance.random() * step_s
        if first_s < length_s:
            found.append((floor((length_s - first_s) / step_s) + 1) * step_s)
    return found


@pytest.mark.parametrize(
    "tail", [Tail(0.6, 80.0), Tail(1.0, 40.0), Tail(1.5, 300.0), Tail(2.5, 60.0)], ids=str
)
@pytest.mark.parametrize("step_s", [5.0, 25.0])
def test_a_fit_finds_the_tail_again(tail: Tail, step_s: float) -> None:
    """Though lengths are known to a step only and most outages below one were never seen."""
    found = fit(seen(tail, 3000, step_s), step_s)
    assert found.shape == pytest.approx(tail.shape, rel=0.15)
    assert found.scale_s == pytest.approx(tail.scale_s, rel=0.25)
    # What is decided by is known better than either of the two numbers.
    for after_s in (60.0, 600.0):
        assert found.share_ended(after_s, 120.0) == pytest.approx(tail.share_ended(after_s, 120.0), abs=0.02)


def test_leaving_out_the_step_would_be_wrong() -> None:
    """The same lengths, taken as exact, look like another tail: those that were missed are missing."""
    tail = Tail(1.0, 10.0)
    lengths = seen(tail, 3000, 25.0)
    assert abs(fit(lengths, 25.0).scale_s - 10.0) < 3.0
    assert abs(fit(lengths, 0.01).scale_s - 10.0) > 3.0


@pytest.mark.parametrize(
    ("lengths_s", "step_s", "wrong"),
    [
        ([30.0] * 9, 25.0, "9 outages; a fit needs 10"),
        ([30.0] * 10 + [20.0], 25.0, "20.0 s cannot be seen by asking every 25 s"),
        ([30.0] * 10 + [inf], 25.0, "inf s cannot be seen"),
        ([30.0] * 10, 0.0, "step_s must be a positive number"),
    ],
)
def test_what_cannot_be_fitted_is_said(lengths_s: list[float], step_s: float, wrong: str) -> None:
    """With the number that is wrong."""
    with pytest.raises(ValueError, match=wrong):
        fit(lengths_s, step_s)


@pytest.mark.parametrize("shape", [0.3, 1.0, 1.0 + 1e-13, 2.5])
def test_a_tail_agrees_with_itself(shape: float) -> None:
    """The mean up to a length is the area under the share beyond; the hazard is that share's decline."""
    tail, width_s = Tail(shape, 50.0), 0.01
    area = sum(tail.share_beyond((n + 0.5) * width_s) * width_s for n in range(20_000))
    assert tail.mean_up_to(200.0) == pytest.approx(area, rel=1e-6)
    assert tail.share_ended(70.0, 1e-4) / 1e-4 == pytest.approx(tail.hazard(70.0), rel=1e-4)
    assert tail.share_ended(70.0, 30.0) == pytest.approx(
        1 - tail.share_beyond(100.0) / tail.share_beyond(70.0)
    )


@pytest.mark.parametrize("cycle_s", [20.0, 130.0, 1000.0])
def test_no_wait_is_cheaper_than_the_best_by_the_tail(cycle_s: float) -> None:
    """It is where the hazard has fallen to one end per cycle, or at once."""
    tail = Tail(0.6, 40.0)
    best_s = tail.best_wait_s(cycle_s)
    assert best_s == pytest.approx(max(0.0, 0.6 * cycle_s - 40.0))
    assert all(
        tail.cost_s(best_s, cycle_s) <= tail.cost_s(best_s * n / 20 + n, cycle_s) + 1e-9 for n in range(60)
    )


@given(LENGTHS, CYCLES_S)
def test_no_wait_is_cheaper_than_the_best_by_the_record(lengths: list[float], cycle_s: float) -> None:
    """Tried at, just before and just after each length, at once and never."""
    best = cost_s(lengths, best_wait_s(lengths, cycle_s), cycle_s)
    tried = {0.0, inf, *(wait_s * part for wait_s in lengths for part in (0.5, 0.999, 1.0, 1.001))}
    assert all(best <= cost_s(lengths, wait_s, cycle_s) * (1 + 1e-9) for wait_s in tried)


@given(LENGTHS, CYCLES_S)
def test_waiting_as_long_as_a_cycle_costs_is_never_worse_than_twice_foresight(
    lengths: list[float], cycle_s: float
) -> None:
    """Whatever the outages."""
    ratio = cost_s(lengths, cycle_s, cycle_s) / foresight_s(lengths, cycle_s)
    assert 1.0 - 1e-9 <= ratio <= 2.0 + 1e-9


def test_costs_by_hand() -> None:
    """Three outages, a cycle of 100 s ordered after 60 s."""
    lengths = [30.0, 70.0, 900.0]
    assert cost_s(lengths, 60.0, 100.0) == (30 + 160 + 160) / 3
    assert cost_s(lengths, inf, 100.0) == (30 + 70 + 900) / 3
    assert foresight_s(lengths, 100.0) == (30 + 70 + 100) / 3
    assert best_wait_s(lengths, 100.0) == 70.0
    assert best_wait_s([30.0, 80.0, 900.0], 100.0) == 30.0  # 80 costs the same and takes longer
    assert needless_share(lengths, 60.0, 100.0) == 0.5
    assert needless_share(lengths, 1000.0, 100.0) == 0.0


def test_of_no_outages_nothing_is_said() -> None:
    """Not even that they cost nothing."""
    for function in (
        lambda: cost_s([], 1.0, 1.0),
        lambda: foresight_s([], 1.0),
        lambda: best_wait_s([], 1.0),
    ):
        with pytest.raises(ValueError, match="no outages"):
            function()
