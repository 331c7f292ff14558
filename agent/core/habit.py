"""What one line's silences are like, and how long it pays to wait for the end of one.

A silence that ends by itself costs its own length; one that is acted upon costs the wait before and the
switch. With ``S(s)`` the share of this line's silences that last longer than ``s``, a rule that declares
after ``t`` seconds costs ``E[min(s, t)] + switch_cost * S(t)`` on average; the first term is the area under
``S`` up to ``t``. ``threshold_s`` is the ``t`` that makes this least: from there on, waiting for the end is
the dearer choice.

``S`` is learned as a hazard: of the silences that got as far as here, which share ended here? Each kind of
line brings a prior hazard, ``shape / (s + scale)`` a second, worth a few silences (a beta-Stacy process,
Walker and Muliere, 1997). So wherever a line has shown little, in its tail above all, the prior decides, and
the line's many short losses cannot argue it away.

Two rules keep it safe. A threshold never exceeds the switch cost, so an outage is never declared later than
by the ski-rental rule (Karlin et al., "Competitive snoopy caching", 1988). And what wrong early declarations
cost beyond twice foresight is kept as a debt: no threshold is shorter than the debt. A silence that outlasts
a threshold ``t`` adds at most ``switch_cost - t`` to it, so the debt never exceeds one switch cost: over any
stretch of time, whatever the line does, everything together costs at most twice what foresight would have
paid plus one switch (the cost of a switch staying the same).

Forgetting counts seconds of silence, each silence for at most ten: neither a thousand lost echoes nor an
outage of a week flush what was learned, and a line without silences forgets nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from agent.core.site import UplinkKind

SHORTEST_S = 0.1
"""Silences are counted in bins growing by ``GROWTH`` from here; shorter ones share the first bin."""
LONGEST_S = 120.0
"""All that is learned of a longer silence is that it was longer, so no outage can poison the habit."""
GROWTH = 1.15
SPREAD = 0.4
"""A silence speaks for similar lengths too: the standard deviation of its logarithm, a factor of 1.5."""
CUT = 2.0
"""It says nothing of lengths more than this many standard deviations away."""
MEMORY_S = 200.0
"""A silence counts 1/e after this many seconds of later silence."""
WEIGHT_S = 10.0
"""A silence counts for at most this long in forgetting."""
EARLIEST_S = 1.0
"""An echo is not known to be lost before: no silence is judged on less."""
FORMAT = "habit1"

_STEPS = math.ceil(math.log(LONGEST_S / SHORTEST_S) / math.log(GROWTH))
_EDGES = (0.0, *(SHORTEST_S * GROWTH**n for n in range(_STEPS)), LONGEST_S)
_FINITE = len(_EDGES) - 1
"""Bins between two edges; one more holds everything beyond ``LONGEST_S``."""
_LOG_MIDDLES = (
    math.log(SHORTEST_S),
    *(math.log(_EDGES[n] * _EDGES[n + 1]) / 2.0 for n in range(1, _FINITE)),
    math.log(LONGEST_S),
)


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of a kind of line before it has shown anything.

    The hazard of an end is ``shape / (s + scale_s)`` a second, worth ``silences`` silences of the line's own.
    Without history the threshold is ``shape * switch_cost_s - scale_s``.
    """

    shape: float
    scale_s: float
    silences: float


PRIORS = {
    # Fibre: a silence beyond the everyday loss is mostly a real outage, and that is known well.
    UplinkKind.FTTH: Prior(0.3, 0.5, 4.0),
    # Starlink: stalls of 5 to 30 s under obstruction and at satellite changes, else under 2 s.
    UplinkKind.STARLINK: Prior(0.5, 0.5, 0.3),
    # Cellular: handovers and radio wake-ups, mostly over within a few seconds.
    UplinkKind.CELLULAR: Prior(0.8, 0.5, 0.3),
    UplinkKind.OTHER: Prior(0.7, 0.5, 0.3),
}


@dataclass(frozen=True, slots=True)
class Habit:
    """The silences of one line, bounded however long it lives.

    ``weights`` are decayed counts per bin, ``debt_s`` what wrong early declarations still cost.
    """

    kind: UplinkKind
    weights: tuple[float, ...]
    debt_s: float = 0.0

    def __post_init__(self) -> None:
        """Check what may come from a file.

        Raises:
            ValueError: not a possible habit.
        """
        if len(self.weights) != len(_LOG_MIDDLES):
            raise ValueError(f"a habit has {len(_LOG_MIDDLES)} weights, not {len(self.weights)}")
        if not all(math.isfinite(value) and value >= 0 for value in (*self.weights, self.debt_s)):
            raise ValueError("the numbers of a habit are finite and not negative")


def prior(kind: UplinkKind) -> Habit:
    """The habit of a line of which only the kind is known."""
    return Habit(kind, (0.0,) * len(_LOG_MIDDLES))


def _prior_hazards(kind: UplinkKind) -> tuple[float, ...]:
    belief = PRIORS[kind]
    reach = [edge + belief.scale_s for edge in _EDGES]
    return tuple(1.0 - (reach[n] / reach[n + 1]) ** belief.shape for n in range(_FINITE))


_HAZARDS = {kind: _prior_hazards(kind) for kind in UplinkKind}


def _surviving(habit: Habit) -> tuple[float, ...]:
    """The share of silences that last beyond each edge; it starts at 1 and never rises."""
    belief = PRIORS[habit.kind].silences
    at_risk = sum(habit.weights)
    share, shares = 1.0, [1.0]
    for ended, hazard in zip(habit.weights[:-1], _HAZARDS[habit.kind], strict=True):
        share *= max(0.0, 1.0 - (ended + belief * hazard) / (at_risk + belief))
        shares.append(share)
        at_risk = max(0.0, at_risk - ended)
    return tuple(shares)


def _bin(at_s: float) -> int:
    """The finite bin that holds a length, the last one for anything longer."""
    if at_s < SHORTEST_S:
        return 0
    return min(_FINITE - 1, 1 + int(math.log(at_s / SHORTEST_S) / math.log(GROWTH)))


def _share_beyond(shares: tuple[float, ...], at_s: float) -> float:
    n = _bin(at_s)
    part = (at_s - _EDGES[n]) / (_EDGES[n + 1] - _EDGES[n])
    return shares[n] + min(1.0, max(0.0, part)) * (shares[n + 1] - shares[n])


def _area(shares: tuple[float, ...], from_s: float, to_s: float) -> float:
    """The area under the surviving share between two lengths: the mean silence that falls between them."""
    area, at_s, share = 0.0, from_s, _share_beyond(shares, from_s)
    for n in range(_bin(from_s) + 1, _FINITE + 1):
        next_s = min(_EDGES[n], to_s)
        next_share = _share_beyond(shares, next_s)
        area += (next_s - at_s) * (share + next_share) / 2.0
        at_s, share = next_s, next_share
        if at_s >= to_s:
            break
    return area


def threshold_s(habit: Habit, switch_cost_s: float, resolution_s: float) -> float:
    """The length from which a silence of this line is better acted upon than waited out.

    Compute it once after something was learned, not for every echo.

    Args:
        habit: what is known of the line.
        switch_cost_s: what acting costs, seconds, above 0.
        resolution_s: how exactly a silence is known: the spacing of echoes during one, seconds.

    Returns:
        Seconds, at least ``EARLIEST_S`` and the resolution, but never above the switch cost.

    Raises:
        ValueError: a cost or resolution that is not a positive finite number.
    """
    _check(switch_cost_s, resolution_s)
    first = min(switch_cost_s, max(EARLIEST_S, resolution_s))
    shares = _surviving(habit)
    best_s, waited = first, _area(shares, 0.0, first)
    least = waited + switch_cost_s * _share_beyond(shares, first)
    later = [edge for edge in _EDGES if first < edge < switch_cost_s]
    before = first
    for candidate in (*later, switch_cost_s):
        waited += _area(shares, before, candidate)
        before = candidate
        cost = waited + switch_cost_s * _share_beyond(shares, candidate)
        if cost < least:
            best_s, least = candidate, cost
    return max(best_s, min(habit.debt_s, switch_cost_s))


def expected_more_s(habit: Habit, silent_s: float) -> float:
    """How much longer such a silence lasts on average, seconds, once it has lasted ``silent_s``.

    Counted up to ``LONGEST_S`` in all, beyond which nothing is distinguished; 0 from there on.
    """
    if not silent_s < LONGEST_S:
        return 0.0
    silent_s = max(0.0, silent_s)
    shares = _surviving(habit)
    reached = _share_beyond(shares, silent_s)
    if reached <= 0.0:
        return 0.0
    return _area(shares, silent_s, LONGEST_S) / reached


def learned(habit: Habit, silence_s: float, resolution_s: float, switch_cost_s: float) -> Habit:
    """The habit after one more silence.

    Never teach it a time in which nobody asked: that was our silence, not the line's.

    Args:
        habit: what was known before.
        silence_s: from the first unanswered echo to the next answer, seconds. What is not a positive number
            is ignored.
        resolution_s: how exactly that is known, seconds.
        switch_cost_s: what acting cost at the time, seconds.

    Raises:
        ValueError: a cost or resolution that is not a positive finite number.
    """
    _check(switch_cost_s, resolution_s)
    if not silence_s > 0.0:
        return habit
    threshold = threshold_s(habit, switch_cost_s, resolution_s)
    paid_s = silence_s if silence_s <= threshold else threshold + switch_cost_s
    debt_s = max(0.0, habit.debt_s + paid_s - 2.0 * min(silence_s, switch_cost_s))
    silence_s = max(SHORTEST_S, silence_s)
    kept = math.exp(-min(silence_s, WEIGHT_S) / MEMORY_S)
    weights = tuple(
        old * kept + new for old, new in zip(habit.weights, _spread(silence_s, resolution_s), strict=True)
    )
    return Habit(habit.kind, weights, debt_s)


def _spread(silence_s: float, resolution_s: float) -> tuple[float, ...]:
    """One silence as shares of the bins: around its length, wider where it is known less exactly."""
    if silence_s >= LONGEST_S:
        return (*(0.0,) * _FINITE, 1.0)
    # A length known to within a step is off by the step over the root of twelve.
    width = math.hypot(SPREAD, min(1.0, resolution_s / silence_s / math.sqrt(12.0)))
    at = math.log(silence_s)
    apart = [abs(middle - at) / width for middle in _LOG_MIDDLES]
    heights = [math.exp(-0.5 * x * x) if x <= CUT else 0.0 for x in apart]
    total = sum(heights)
    return tuple(height / total for height in heights)


def _check(switch_cost_s: float, resolution_s: float) -> None:
    for name, value in (("switch_cost_s", switch_cost_s), ("resolution_s", resolution_s)):
        if not (math.isfinite(value) and value > 0.0):
            raise ValueError(f"{name} must be a positive number of seconds, not {value!r}")


def encode(habit: Habit) -> str:
    """The habit as one line of text, about 1 KiB; ``decode`` gives back exactly the same."""
    return " ".join((FORMAT, habit.kind.value, *map(repr, (habit.debt_s, *habit.weights))))


def decode(text: str) -> Habit:
    """The habit that ``encode`` wrote.

    Raises:
        ValueError: the text is something else; the message says what.
    """
    words = text.split()
    if len(words) < 3 or words[0] != FORMAT:
        raise ValueError(f"not a habit: it does not begin with {FORMAT!r} and a kind of uplink")
    if words[1] not in tuple(UplinkKind):
        raise ValueError(f"not a habit: no kind of uplink is called {words[1][:20]!r}")
    try:
        debt_s, *weights = map(float, words[2:])
    except ValueError as error:
        raise ValueError(f"not a habit: {error}") from None
    return Habit(UplinkKind(words[1]), tuple(weights), debt_s)
