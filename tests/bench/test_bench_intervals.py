"""Confidence intervals on samples whose answer stands in a book or can be counted."""

from __future__ import annotations

from math import inf, log
from random import Random

import pytest

from measure.intervals import median_interval, poisson_interval, quantile


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [
        (0, 0.0, 3.6889),
        (1, 0.0253, 5.5716),
        (3, 0.6187, 8.7673),
        (10, 4.7954, 18.3904),
        (100, 81.3639, 121.6275),
    ],
)
def test_a_poisson_count(count: int, low: float, high: float) -> None:
    """The exact interval of Garwood's table."""
    assert poisson_interval(count) == (pytest.approx(low, abs=1e-3), pytest.approx(high, abs=1e-3))


def test_a_surer_interval_is_wider() -> None:
    """Ninety-nine per cent holds ninety-five."""
    (low, high), (lower, higher) = poisson_interval(7), poisson_interval(7, level=0.99)
    assert lower < low < 7 < high < higher


def test_a_count_is_not_negative() -> None:
    """Said, not guessed."""
    with pytest.raises(ValueError, match="-1"):
        poisson_interval(-1)


def test_a_median_without_spread_is_sure() -> None:
    """All values the same."""
    assert median_interval([4.0] * 9, seed=1) == (4.0, 4.0)


def test_a_median_is_within_its_own_interval_and_the_same_seed_gives_the_same() -> None:
    """One hundred values from 0 to 99: by the order statistics of a book, 40 to 60."""
    values = [float(n) for n in range(100)]
    low, high = median_interval(values, seed=3)
    assert 37 <= low <= 43
    assert 56 <= high <= 62
    assert median_interval(values, seed=3) == (low, high) != median_interval(values, seed=4)


def test_the_interval_holds_the_true_median_as_often_as_it_says() -> None:
    """Of two hundred samples of thirty, about ten may miss it."""
    chance = Random(11)
    held = 0
    for sample in range(200):
        low, high = median_interval([-log(1 - chance.random()) for _ in range(30)], sample, resamples=200)
        held += low <= log(2) <= high
    assert 180 <= held <= 199


def test_what_never_happened_took_longest() -> None:
    """Three of five outages were declared: the median is sure to be neither."""
    low, high = median_interval([1.0, 2.0, 3.0, inf, inf], seed=1)
    assert low <= 3.0
    assert high == inf


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (0.1, 1.0), (0.5, 5.0), (0.9, 9.0), (1.0, 10.0)])
def test_a_quantile_is_one_of_the_values(share: float, value: float) -> None:
    """The ninth of ten is the one that nine of ten do not exceed."""
    assert quantile([float(n) for n in range(10, 0, -1)], share) == value


def test_nothing_has_no_median() -> None:
    """Nor any quantile."""
    with pytest.raises(ValueError, match="nothing"):
        median_interval([], seed=1)
    with pytest.raises(ValueError, match="needs values"):
        quantile([], 0.5)
