"""What verdicts cost, on silences whose cost can be counted by hand."""

from __future__ import annotations

from math import inf

import pytest

from agent.core.instant import Now
from agent.core.model import Probe, Role, Why
from agent.replay.items import Away, Item
from agent.replay.peers import fixed
from agent.replay.score import Listener, Silence, Turn, score
from agent.runtime.trace import Start

DAY_S = 86400.0


def down(at: float) -> Turn:
    return Turn(at, down=True)


def up(at: float) -> Turn:
    return Turn(at, down=False)


@pytest.mark.parametrize(
    ("lasted_s", "turns", "cost_s", "best_s"),
    [
        (4.0, [], 4.0, 4.0),
        (40.0, [], 40.0, 10.0),
        (40.0, [down(103.0)], 13.0, 10.0),
        (40.0, [down(110.0)], 20.0, 10.0),
        (4.0, [down(103.0)], 13.0, 4.0),
        (4.0, [down(104.0)], 4.0, 4.0),  # it was over by then
        (40.0, [down(90.0), up(95.0)], 40.0, 10.0),
        (40.0, [down(90.0), up(105.0)], 10.0, 10.0),  # still away: nobody was on the line
        (4.0, [down(90.0), up(105.0)], 4.0, 4.0),
        (40.0, [down(103.0), up(104.0), down(105.0)], 13.0, 10.0),  # the first one counts
    ],
)
def test_one_silence(lasted_s: float, turns: list[Turn], cost_s: float, best_s: float) -> None:
    """A switch costs ten seconds; the silence begins at 100."""
    result = score([Silence(100.0, 100.0 + lasted_s)], turns, 10.0, DAY_S)
    assert (result.cost_s, result.clairvoyant_s) == (cost_s, best_s)
    assert result.ratio == pytest.approx(cost_s / best_s)


def test_sums_before_ratios() -> None:
    """Long and short silences weigh by what is at stake."""
    silences = [Silence(0.0, 2.0), Silence(100.0, 160.0), Silence(200.0, 208.0)]
    result = score(silences, fixed(silences, 5.0), 10.0, DAY_S)
    assert result.cost_s == 2 + 15 + 15
    assert result.clairvoyant_s == 2 + 10 + 8


def test_ski_rental_is_never_worse_than_twice_the_best() -> None:
    """Whatever the silences: that is what makes it the first rule."""
    for lasted_s in (0.1, 1.0, 9.9, 10.0, 10.1, 50.0, 1e5):
        silences = [Silence(0.0, lasted_s)]
        assert score(silences, fixed(silences, 10.0), 10.0, DAY_S).ratio <= 2.0


def test_a_declaration_is_regretted_if_the_silence_ends_soon() -> None:
    """Within ten seconds, or if there was none to begin with."""
    silences = [Silence(100.0, 112.0), Silence(200.0, 213.0), Silence(300.0, 302.0, cut_short=True)]
    turns = [down(103.0), up(113), down(203.0), up(214), down(301), up(310), down(400), up(401)]
    result = score(silences, turns, 10.0, 2 * DAY_S)
    assert result.declarations == 4
    assert (result.regretted, result.astray) == (2, 1)
    assert result.regretted_per_day == 1.0


def test_a_declaration_astray_is_charged_beside_the_score() -> None:
    """The score is about silences; the other figure is about every switch."""
    result = score([Silence(0.0, 20.0)], [down(5.0), up(21.0), down(50.0), up(51.0)], 10.0, DAY_S)
    assert (result.ratio, result.charged) == (1.5, 2.5)


def test_delays_are_told_for_long_silences_only() -> None:
    """One that was never declared has no end of delay."""
    silences = [Silence(0.0, 29.0), Silence(100.0, 130.0), Silence(200.0, 300.0), Silence(400.0, 500.0)]
    result = score(silences, [down(2.0), up(50.0), down(103.0), up(131.0), down(205.0), up(301)], 10.0, DAY_S)
    assert result.delays_s == (3.0, 5.0, None)
    assert (result.median_s, result.p90_s) == (5.0, inf)
    assert score([Silence(0.0, 5.0)], [], 10.0, DAY_S).median_s is None


def test_nothing_happened() -> None:
    """A perfect line is judged perfectly."""
    result = score([], [], 10.0, 0.0)
    assert (result.ratio, result.charged, result.regretted_per_day) == (1.0, 1.0, 0.0)


# --- silences ----------------------------------------------------------------------------------------------


def heard(*seen: tuple[float, Item]) -> Listener:
    listener = Listener("u")
    for at, item in seen:
        listener.take(at, item)
    listener.end()
    return listener


def answer(sent_at: float, at: float, target: str = "a") -> tuple[float, Item]:
    return at, Probe("u", target, Role.TARGET, sent_at, rtt_ms=(at - sent_at) * 1000)


def loss(sent_at: float, target: str = "a", uplink: str = "u") -> tuple[float, Item]:
    return sent_at + 1, Probe(uplink, target, Role.TARGET, sent_at, why=Why.TIMEOUT)


def test_a_silence_lasts_from_the_first_lost_echo_to_the_next_answer() -> None:
    """Though it is known a second later."""
    listener = heard(answer(0, 0.1), loss(1), loss(2), answer(4, 4.1))
    assert listener.silences == [Silence(1.0, 4.1)]
    assert listener.watched_s == pytest.approx(4.0)


def test_a_target_that_loses_alone_makes_no_silence() -> None:
    """Another answered an echo sent later."""
    assert heard(answer(0, 0.1), answer(1.5, 1.6, "b"), loss(1)).silences == []


def test_a_late_answer_ends_a_silence_when_it_arrives() -> None:
    """Not when it was sent for."""
    assert heard(loss(1), loss(2), answer(1, 3.5), answer(4, 4.1)).silences == [Silence(1.0, 3.5)]


def test_what_was_not_watched_is_no_silence() -> None:
    """A pause and the end of the trace cut it short, a start of the daemon too."""
    assert heard(loss(1), (2.0, Away(600.0)), loss(600), answer(602, 602.5)).silences == [
        Silence(1.0, 2.0, cut_short=True),
        Silence(600.0, 602.5),
    ]
    assert heard(loss(1), loss(2)).silences == [Silence(1.0, 3.0, cut_short=True)]
    start = Start("r", "s", Now(0.5))
    assert heard(loss(1), loss(2), (0.5, start), answer(1, 1.1)).silences == [Silence(1, 3, cut_short=True)]


def test_a_pause_is_not_watched_even_if_a_late_answer_comes() -> None:
    """The prober had gone, its socket had not."""
    listener = heard(
        answer(0, 0.1), (1.0, Away(100.0)), answer(0, 5.0), answer(100, 100.5), answer(101, 101.5)
    )
    assert listener.watched_s == pytest.approx(0.9 + 1.0)


def test_others_and_own_trouble_make_no_silence() -> None:
    """Another uplink, the box, and echoes that never left."""
    assert (
        heard(
            loss(1, uplink="other"),
            (2.0, Probe("u", "box", Role.BOX, 1.0, why=Why.TIMEOUT)),
            (2.0, Probe("u", "a", Role.TARGET, 1.0, why=Why.NO_ROUTE)),
            answer(3, 3.1),
        ).silences
        == []
    )
