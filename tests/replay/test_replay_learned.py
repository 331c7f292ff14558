"""The learned threshold on silences whose best answer is known."""

from __future__ import annotations

from agent.core.site import UplinkKind
from agent.replay.learned import turns
from agent.replay.score import Silence, score


def every(lasted_s: float, count: int, *, apart_s: float = 120.0) -> list[Silence]:
    return [Silence(n * apart_s, n * apart_s + lasted_s) for n in range(count)]


def test_a_line_that_always_comes_back_is_left_alone() -> None:
    """After some silences of six seconds, none of that length is declared any more."""
    declared = turns(every(6.0, 60), UplinkKind.FTTH, 10.0)
    assert all(turn.at < 30 * 120.0 for turn in declared)


def test_a_line_that_stays_silent_is_declared_soon() -> None:
    """When every silence lasts minutes, waiting is only lost time."""
    silences = every(300.0, 40, apart_s=600.0)
    declared = [turn.at for turn in turns(silences, UplinkKind.CELLULAR, 10.0) if turn.down]
    assert declared[-1] - silences[-1].begin <= 1.5


def test_nothing_known_is_never_later_than_a_switch_costs() -> None:
    """The very first silence is declared by the time a switch would have cost."""
    for kind in UplinkKind:
        (down, _) = turns([Silence(0.0, 1000.0)], kind, 10.0)
        assert down.at <= 10.0


def test_it_beats_waiting_as_long_as_a_switch_costs() -> None:
    """On a line with many short and few long silences, what was learned pays."""
    silences = sorted([*every(2.0, 50), *every(90.0, 20, apart_s=310.0)], key=lambda s: s.begin)
    silences = [s for n, s in enumerate(silences) if n == 0 or s.begin > silences[n - 1].end]
    ours = score(silences, turns(silences, UplinkKind.OTHER, 10.0), 10.0, 1e5)
    assert ours.ratio < 1.6


def test_a_silence_whose_end_nobody_saw_teaches_nothing() -> None:
    """Its length is not known."""
    cut = [Silence(n * 10.0, n * 10.0 + 1.0, cut_short=True) for n in range(500)]
    first = turns([Silence(9e5, 9e5 + 60.0)], UplinkKind.OTHER, 10.0)
    assert turns([*cut, Silence(9e5, 9e5 + 60.0)], UplinkKind.OTHER, 10.0) == first
