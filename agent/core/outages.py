"""How long outages of a line last, and how long it pays to wait before a power cycle.

A power cycle costs the time in which the box cannot work: off and booting. An outage that ends by itself
costs its own length; one that is cycled after a wait costs the wait and the cycle, if the cycle cures it.
Whoever knew the future would pay the lesser of the two at once. Waiting exactly as long as a cycle costs is
never worse than twice that, whatever the outages (ski rental; Karlin et al., "Competitive snoopy caching",
1988); with known lengths one can do better.

The lengths are described by a Lomax tail: the share ``(1 + s / scale) ** -shape`` lasts longer than ``s``,
so the hazard of the end is ``shape / (s + scale)`` a second: the longer an outage has lasted, the longer it
still lasts. A tail this heavy may have no mean; costs stay finite, because a wait ends.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

SHAPES = (0.02, 50.0)
SCALES_S = (0.01, 1e7)
"""A fit looks between these; a tail at a bound is not a Lomax tail."""
FEWEST = 10
"""Of fewer outages nothing is said."""
TOLERANCE = 1e-5
SMOOTH = 0.02
"""Below this share of the tail's own scale, a step is short enough for the first terms of a series."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The lengths of a line's outages. ``shape`` has no unit; both are above 0."""

    shape: float
    scale_s: float

    def share_beyond(self, length_s: float) -> float:
        """The share of outages that last longer, 0 to 1."""
        return float((1.0 + length_s / self.scale_s) ** -self.shape)

    def hazard(self, length_s: float) -> float:
        """How likely an outage that has lasted so long ends now, per second."""
        return self.shape / (length_s + self.scale_s)

    def share_ended(self, after_s: float, within_s: float) -> float:
        """Of the outages that last longer than ``after_s``, the share over within the next ``within_s``."""
        reach = self.scale_s + after_s
        return float(1.0 - (reach / (reach + within_s)) ** self.shape)

    def mean_up_to(self, longest_s: float) -> float:
        """The mean length if everything is counted for ``longest_s`` at most, seconds."""
        return self.scale_s * _mean_power(1.0 + longest_s / self.scale_s, 1.0 - self.shape)

    def cost_s(self, wait_s: float, cycle_s: float) -> float:
        """The mean cost of an outage if one waits so long and then cycles, seconds."""
        return self.mean_up_to(wait_s) + cycle_s * self.share_beyond(wait_s)

    def best_wait_s(self, cycle_s: float) -> float:
        """The wait of the least mean cost: from there on the hazard is below one end per cycle."""
        return max(0.0, self.shape * cycle_s - self.scale_s)


def _mean_power(up_to: float, power: float) -> float:
    """The integral of ``x ** (power - 1)`` from 1, exact also where the power is nearly nothing."""
    logarithm = math.log(up_to)
    if abs(power * logarithm) < 1e-12:
        return logarithm
    return math.expm1(power * logarithm) / power


def cost_s(lengths_s: Sequence[float], wait_s: float, cycle_s: float) -> float:
    """The mean cost of these outages if one waits so long and then cycles, seconds; ``inf``: never.

    Raises:
        ValueError: no outages.
    """
    _check(lengths_s)
    total_s = sum(one if one <= wait_s else wait_s + cycle_s for one in lengths_s)
    return total_s / len(lengths_s)


def foresight_s(lengths_s: Sequence[float], cycle_s: float) -> float:
    """The mean cost for somebody who knows how long each will last, seconds.

    Raises:
        ValueError: no outages.
    """
    _check(lengths_s)
    return sum(min(one, cycle_s) for one in lengths_s) / len(lengths_s)


def best_wait_s(lengths_s: Sequence[float], cycle_s: float) -> float:
    """The wait that would have cost these outages least, seconds; the shortest if several do.

    Between two lengths a longer wait only costs, so none but a length itself, or no wait, can be the best.

    Raises:
        ValueError: no outages.
    """
    _check(lengths_s)
    ranked = sorted(lengths_s)
    best, least = 0.0, cycle_s * len(ranked)
    waited_s = 0.0
    for place, wait_s in enumerate(ranked, start=1):
        waited_s += wait_s
        total_s = waited_s + (len(ranked) - place) * (wait_s + cycle_s)
        if total_s < least:
            best, least = wait_s, total_s
    return best


def needless_share(lengths_s: Sequence[float], wait_s: float, cycle_s: float) -> float:
    """Of the cycles ordered after this wait, the share whose outage would have ended before the cycle did.

    0 if none would be ordered.
    """
    cycled = [one for one in lengths_s if one > wait_s]
    return sum(1 for one in cycled if one <= wait_s + cycle_s) / len(cycled) if cycled else 0.0


def _check(lengths_s: Sequence[float]) -> None:
    if not lengths_s:
        raise ValueError("nothing can be said of no outages")


# --- the fit --------------------------------------------------------------------------------------------


def fit(lengths_s: Iterable[float], step_s: float) -> Tail:
    """The Lomax tail under which these lengths are the likeliest.

    They are taken as seen by asking every ``step_s``: an outage counts from the first unanswered question to
    the next answered one. So a length is known to within a step either way, and of the outages shorter than
    a step only that share was seen which a question happened to hit. Both are part of the likelihood: an
    outage of length ``D`` is seen as ``d`` with the probability ``1 - |D - d| / step_s``.

    Args:
        lengths_s: at least ``FEWEST`` lengths, each at least one step.
        step_s: seconds between two questions, above 0.

    Raises:
        ValueError: too few lengths, one below a step, or one that is no finite number.
    """
    counts = Counter(lengths_s)
    if not (math.isfinite(step_s) and step_s > 0.0):
        raise ValueError(f"step_s must be a positive number of seconds, not {step_s!r}")
    if counts.total() < FEWEST:
        raise ValueError(f"{counts.total()} outages; a fit needs {FEWEST}")
    for length_s in counts:
        if not (math.isfinite(length_s) and length_s >= step_s):
            raise ValueError(f"an outage of {length_s!r} s cannot be seen by asking every {step_s:g} s")

    def best_shape(log_scale: float) -> float:
        def surprise(log_shape: float) -> float:
            return -_log_likelihood(Tail(math.exp(log_shape), math.exp(log_scale)), counts, step_s)

        return _least(surprise, *map(math.log, SHAPES))

    def surprise(log_scale: float) -> float:
        tail = Tail(math.exp(best_shape(log_scale)), math.exp(log_scale))
        return -_log_likelihood(tail, counts, step_s)

    log_scale = _least(surprise, *map(math.log, SCALES_S))
    return Tail(math.exp(best_shape(log_scale)), math.exp(log_scale))


def _log_likelihood(tail: Tail, counts: Counter[float], step_s: float) -> float:
    seen = math.log(tail.mean_up_to(step_s))
    return sum(times * (_log_seen_as(tail, length_s, step_s) - seen) for length_s, times in counts.items())


def _log_seen_as(tail: Tail, length_s: float, step_s: float) -> float:
    """The logarithm of the chance to see an outage as this long, up to a factor common to all lengths.

    The chance is the second difference of ``mean_up_to``. Far out in the tail that is the density, smoothed;
    the difference itself would be lost in rounding there.
    """
    reach = tail.scale_s + length_s
    part = step_s / reach
    if part < SMOOTH:
        density = math.log(tail.shape / reach) + tail.shape * math.log(tail.scale_s / reach)
        bend = part * part * (tail.shape + 1.0) * (tail.shape + 2.0) / 12.0
        return density + 2.0 * math.log(step_s) + math.log1p(bend)
    before, here, after = (tail.mean_up_to(length_s + shift) for shift in (-step_s, 0.0, step_s))
    chance = (here - before) - (after - here)
    return math.log(chance) if chance > 0.0 else -1e9


def _least(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one valley is least, by golden section."""
    golden = (math.sqrt(5.0) - 1.0) / 2.0
    left, right = high - golden * (high - low), low + golden * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > TOLERANCE:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - golden * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + golden * (high - low)
            at_right = function(right)
    return (low + high) / 2.0
