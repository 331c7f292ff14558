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

The prior is itself a mixture: hiccups as the kind of line has them, and real outages, which no waiting
ends. How much weighs which depends on how often this line falls silent at all. One that has not blinked for
a day and then does is more likely to be broken than one that blinks every minute; the time it was watched
without a silence is counted as well.

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
from dataclasses import dataclass, replace

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
MEMORY_S = 100.0
"""A silence counts 1/e after this many seconds of later silence."""
WEIGHT_S = 10.0
"""A silence counts for at most this long in forgetting."""
ALIKE = 0.005
"""Where two waits cost the same within half a percent, the longer: a needless switch less."""
OUTAGES_A_DAY = 2.0
"""Before anything is known. A cable line of 2023 had four a day of a minute or more (926 outages in 156 days,
614 of them that long), good fibre has one in months; erring to this side costs a switch now and then."""
OUTAGE_SHAPE = 0.5
OUTAGE_SCALE_S = 60.0
"""Survival of real outages, ``(1 + s / scale) ** -shape``: half last longer than three minutes, as on that
line, whose median was 162 s."""
COUNTED_S = 2.0
"""Silences shorter than this are everyday losses, and how many there are says nothing about outages."""
FIRST_SILENCES = 1.0
FIRST_CALM_S = 600.0
"""A new line is taken to hiccup every ten minutes until it has shown what it does."""
EARLIEST_S = 1.0
"""An echo is not known to be lost before: no silence is judged on less."""
FORMAT = "habit1"

_STEPS = math.ceil(math.log(LONGEST_S / SHORTEST_S) / math.log(GROWTH))
_EDGES = (0.0, *(SHORTEST_S * GROWTH**n for n in range(_STEPS)), LONGEST_S)
_COUNTED = next(n for n, edge in enumerate(_EDGES) if edge >= COUNTED_S)
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

    The hazard of a hiccup's end is ``shape / (s + scale_s)`` a second, worth ``silences`` silences of the
    line's own. Without history the threshold is about ``shape * switch_cost_s - scale_s``.
    """

    shape: float
    scale_s: float
    silences: float


PRIORS = {
    # Fibre: a silence beyond the everyday loss is mostly a real outage, and that is known well.
    UplinkKind.FTTH: Prior(0.25, 0.5, 4.0),
    # Starlink: stalls of 5 to 30 s under obstruction and at satellite changes, else under 2 s.
    UplinkKind.STARLINK: Prior(0.5, 0.5, 1.0),
    # Cellular: handovers and radio wake-ups, mostly over within a few seconds.
    UplinkKind.CELLULAR: Prior(0.8, 0.5, 1.0),
    UplinkKind.OTHER: Prior(0.7, 0.5, 1.0),
}


@dataclass(frozen=True, slots=True)
class Habit:
    """The silences of one line, bounded however long it lives.

    ``weights`` are decayed counts per bin, ``debt_s`` what wrong early declarations still cost, ``calm_s``
    the time watched between the silences, decayed with them.
    """

    kind: UplinkKind
    weights: tuple[float, ...]
    debt_s: float = 0.0
    calm_s: float = 0.0

    def __post_init__(self) -> None:
        """Check what may come from a file.

        Raises:
            ValueError: not a possible habit.
        """
        if len(self.weights) != len(_LOG_MIDDLES):
            raise ValueError(f"a habit has {len(_LOG_MIDDLES)} weights, not {len(self.weights)}")
        if not all(
            math.isfinite(value) and value >= 0 for value in (*self.weights, self.debt_s, self.calm_s)
        ):
            raise ValueError("the numbers of a habit are finite and not negative")


def prior(kind: UplinkKind) -> Habit:
    """The habit of a line of which only the kind is known."""
    return Habit(kind, (0.0,) * len(_LOG_MIDDLES))


def _lomax(shape: float, scale_s: float) -> tuple[float, ...]:
    return tuple((scale_s / (edge + scale_s)) ** shape for edge in _EDGES)


_HICCUPS = {kind: _lomax(belief.shape, belief.scale_s) for kind, belief in PRIORS.items()}
_OUTAGES = _lomax(OUTAGE_SHAPE, OUTAGE_SCALE_S)


def outage_share(habit: Habit, calm_s: float) -> float:
    """Which share of this line's silences are real outages, by how often it falls silent at all, 0 to 1.

    Args:
        habit: what is known of the line.
        calm_s: seconds watched since the last silence, not yet in the habit.
    """
    hiccups_a_s = (sum(habit.weights[_COUNTED:]) + FIRST_SILENCES) / (habit.calm_s + calm_s + FIRST_CALM_S)
    outages_a_s = OUTAGES_A_DAY / 86400.0
    return outages_a_s / (outages_a_s + hiccups_a_s)


def _surviving(habit: Habit, calm_s: float) -> tuple[float, ...]:
    """The share of silences that last beyond each edge; it starts at 1 and never rises."""
    belief, outages = PRIORS[habit.kind].silences, outage_share(habit, calm_s)
    expected = [
        (1.0 - outages) * hiccup + outages * outage
        for hiccup, outage in zip(_HICCUPS[habit.kind], _OUTAGES, strict=True)
    ]
    at_risk = sum(habit.weights)
    share, shares, before = 1.0, [1.0], 1.0
    for ended, after in zip(habit.weights[:-1], expected[1:], strict=True):
        hazard = 1.0 - after / before
        share *= max(0.0, 1.0 - (ended + belief * hazard) / (at_risk + belief))
        shares.append(share)
        at_risk, before = max(0.0, at_risk - ended), after
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


def threshold_s(habit: Habit, switch_cost_s: float, resolution_s: float, calm_s: float = 0.0) -> float:
    """The length from which a silence of this line is better acted upon than waited out.

    Compute it once for each silence, not for every echo.

    Args:
        habit: what is known of the line.
        switch_cost_s: what acting costs, seconds, above 0.
        resolution_s: how exactly a silence is known: the spacing of echoes during one, seconds.
        calm_s: seconds watched since the last silence.

    Returns:
        Seconds, at least ``EARLIEST_S`` and the resolution, but never above the switch cost.

    Raises:
        ValueError: a cost or resolution that is not a positive finite number.
    """
    _check(switch_cost_s, resolution_s)
    first = min(switch_cost_s, max(EARLIEST_S, resolution_s))
    shares = _surviving(habit, calm_s)
    waited = _area(shares, 0.0, first)
    costs = [(first, waited + switch_cost_s * _share_beyond(shares, first))]
    before = first
    for candidate in (*(edge for edge in _EDGES if first < edge < switch_cost_s), switch_cost_s):
        waited += _area(shares, before, candidate)
        before = candidate
        costs.append((candidate, waited + switch_cost_s * _share_beyond(shares, candidate)))
    enough = min(cost for _, cost in costs) * (1.0 + ALIKE)
    best_s = max(candidate for candidate, cost in costs if cost <= enough)
    return max(best_s, min(habit.debt_s, switch_cost_s))


def expected_more_s(habit: Habit, silent_s: float, calm_s: float = 0.0) -> float:
    """How much longer such a silence lasts on average, seconds, once it has lasted ``silent_s``.

    Counted up to ``LONGEST_S`` in all, beyond which nothing is distinguished; 0 from there on.
    """
    if not silent_s < LONGEST_S:
        return 0.0
    silent_s = max(0.0, silent_s)
    shares = _surviving(habit, calm_s)
    reached = _share_beyond(shares, silent_s)
    if reached <= 0.0:
        return 0.0
    return _area(shares, silent_s, LONGEST_S) / reached


def learned(
    habit: Habit, silence_s: float, resolution_s: float, switch_cost_s: float, calm_s: float = 0.0
) -> Habit:
    """The habit after one more silence.

    Never teach it a time in which nobody asked: that was our silence, not the line's.

    Args:
        habit: what was known before.
        silence_s: from the first unanswered echo to the next answer, seconds. What is not a positive number
            is ignored.
        resolution_s: how exactly that is known, seconds.
        switch_cost_s: what acting cost at the time, seconds.
        calm_s: seconds watched between the silence before and this one.

    Raises:
        ValueError: a cost or resolution that is not a positive finite number.
    """
    _check(switch_cost_s, resolution_s)
    if not silence_s > 0.0:
        return habit
    threshold = threshold_s(habit, switch_cost_s, resolution_s, calm_s)
    paid_s = silence_s if silence_s <= threshold else threshold + switch_cost_s
    debt_s = max(0.0, habit.debt_s + paid_s - 2.0 * min(silence_s, switch_cost_s))
    silence_s = max(SHORTEST_S, silence_s)
    kept = math.exp(-min(silence_s, WEIGHT_S) / MEMORY_S)
    weights = tuple(
        old * kept + new for old, new in zip(habit.weights, _spread(silence_s, resolution_s), strict=True)
    )
    return Habit(habit.kind, weights, debt_s, (habit.calm_s + max(0.0, calm_s)) * kept)


def watched(habit: Habit, calm_s: float) -> Habit:
    """The habit after ``calm_s`` more seconds of watching without a silence."""
    return replace(habit, calm_s=habit.calm_s + max(0.0, calm_s))


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
    """Refuse what is no length of time."""
    for name, value in (("switch_cost_s", switch_cost_s), ("resolution_s", resolution_s)):
        if not (math.isfinite(value) and value > 0.0):
            raise ValueError(f"{name} must be a positive number of seconds, not {value!r}")


def encode(habit: Habit) -> str:
    """The habit as one line of text, about 1 KiB; ``decode`` gives back exactly the same."""
    return " ".join((FORMAT, habit.kind.value, *map(repr, (habit.debt_s, habit.calm_s, *habit.weights))))


def decode(text: str) -> Habit:
    """The habit that ``encode`` wrote.

    Raises:
        ValueError: the text is something else; the message says what.
    """
    words = text.split()
    if len(words) < 4 or words[0] != FORMAT:
        raise ValueError(f"not a habit: it does not begin with {FORMAT!r} and a kind of uplink")
    if words[1] not in tuple(UplinkKind):
        raise ValueError(f"not a habit: no kind of uplink is called {words[1][:20]!r}")
    try:
        debt_s, calm_s, *weights = map(float, words[2:])
    except ValueError as error:
        raise ValueError(f"not a habit: {error}") from None
    return Habit(UplinkKind(words[1]), tuple(weights), debt_s, calm_s)
