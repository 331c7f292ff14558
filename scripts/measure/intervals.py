"""How sure a measured figure is: confidence intervals in plain Python.

Chance comes from ``Random.random`` alone, the one generator whose values Python promises to keep, so the
same seed gives the same interval on any version.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp, inf, lgamma, log
from random import Random
from statistics import median

LEVEL = 0.95
RESAMPLES = 2000


def quantile(values: Sequence[float], share: float) -> float:
    """The least value that at least this share of them does not exceed.

    Raises:
        ValueError: no values, or a share outside 0 to 1.
    """
    if not values or not 0.0 <= share <= 1.0:
        raise ValueError("a quantile needs values and a share from 0 to 1")
    ranked = sorted(values)
    # A share such as 0.9 is not exact in binary: 0.9 * 10 must still be the ninth of ten.
    rank = -int(-(share * len(ranked) - 1e-9) // 1)
    return ranked[max(0, rank - 1)]


def median_interval(
    values: Sequence[float], seed: int, level: float = LEVEL, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """Between which bounds the median lies: the percentile bootstrap (Efron, 1979).

    Infinite values are allowed: what never happened took longer than everything that did.

    Raises:
        ValueError: no values.
    """
    if not values:
        raise ValueError("the median of nothing has no interval")
    chance, count = Random(seed), len(values)
    medians = sorted(
        median([values[int(chance.random() * count)] for _ in range(count)]) for _ in range(resamples)
    )
    tail = (1.0 - level) / 2.0
    return quantile(medians, tail), quantile(medians, 1.0 - tail)


def poisson_interval(count: int, level: float = LEVEL) -> tuple[float, float]:
    """Between which bounds the mean of a Poisson count lies, given that ``count`` were counted.

    The exact interval (Garwood, 1936): below the lower bound so many would be a rarity, above the upper one
    so few.

    Raises:
        ValueError: a negative count.
    """
    if count < 0:
        raise ValueError(f"a count is not negative: {count}")
    tail = (1.0 - level) / 2.0
    highest = count + 10.0 * (count + 10.0) ** 0.5
    lower = 0.0 if count == 0 else _falls_to(1.0 - tail, lambda mean: _at_most(count - 1, mean), highest)
    return lower, _falls_to(tail, lambda mean: _at_most(count, mean), highest)


def _at_most(count: int, mean: float) -> float:
    """The probability that a Poisson count of this mean is at most ``count``."""
    if mean <= 0.0:
        return 1.0
    return sum(exp(n * log(mean) - mean - lgamma(n + 1.0)) for n in range(count + 1))


def _falls_to(level: float, falling: Callable[[float], float], highest: float) -> float:
    """Where a falling function of 0 to ``highest`` reaches this level, by halving."""
    low, high = 0.0, highest
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if falling(middle) > level else (low, middle)
    return (low + high) / 2.0


def shown(seconds: float) -> str:
    """Seconds as they stand in a table."""
    return "never" if seconds == inf else f"{seconds:.1f}"
