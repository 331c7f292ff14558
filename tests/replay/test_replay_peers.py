"""Other systems' rules take as long for a hard outage as their own numbers say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agent.replay.items import Away, Echo
from agent.replay.peers import InARow, LossWindow, Rounds, Rule, fixed, rules
from agent.replay.score import Silence, Turn

OUTAGE_S = 600.0


def line(
    *silent: tuple[float, float], end_s: float, pace_s: float = 1.0, targets: tuple[str, ...] = ("a",)
) -> Iterator[Echo]:
    """Echoes answered in 20 ms, but for those sent in one of the silences."""
    for count in range(int(end_s / pace_s)):
        at = round(count * pace_s, 6)
        dead = any(begin <= at < end for begin, end in silent)
        for target in targets:
            yield Echo("u", target, at, None if dead else 0.02)


def turns(rule: Rule, echoes: Iterator[Echo | Away]) -> list[Turn]:
    return [turn for echo in echoes for turn in rule.take(echo)]


def by_name(name: str, targets: tuple[str, ...] = ("a",)) -> Rule:
    return next(rule for rule in rules(targets) if rule.name == name)


def hard(
    name: str, begin: float, pace_s: float = 1.0, targets: tuple[str, ...] = ("a",)
) -> tuple[float, float]:
    """Delay of ``down`` and of ``up`` for an outage of ten minutes."""
    end = begin + OUTAGE_S
    echoes = line((begin, end), end_s=end + 300, pace_s=pace_s, targets=targets)
    fell, rose = turns(by_name(name, targets), echoes)
    assert (fell.down, rose.down) == (True, False)
    return fell.at - begin, rose.at - end


@pytest.mark.parametrize("begin", [1000.0, 1000.2, 1000.5])
def test_pfsense(begin: float) -> None:
    """Over 20 % of 60 s at two echoes a second, lost after 2 s: about 14.7 s; back after about 57 s."""
    delay_s, back_s = hard("pfSense", begin, pace_s=0.5)
    assert delay_s == pytest.approx(14.7, abs=0.4)
    assert back_s == pytest.approx(56.7, abs=0.4)


def test_pfsense_ends_an_alarm_at_the_tenth_clear_look() -> None:
    """Looks are a second apart, so that is nine seconds after the first one."""
    outage = ((1000.0, 1600.0),)
    first, tenth = (
        turns(LossWindow("x", interval_s=0.5, loss_s=2.0, clear_looks=looks), line(*outage, end_s=1900))[1]
        for looks in (1, 10)
    )
    assert tenth.at - first.at == pytest.approx(9.0)


@pytest.mark.parametrize("begin", [1000.0, 1000.2, 1000.5])
def test_opnsense(begin: float) -> None:
    """The same at one echo a second, lost after 4 s: about 16 s; back after about 48 s."""
    delay_s, back_s = hard("OPNsense", begin)
    assert delay_s == pytest.approx(16, abs=0.9)
    assert back_s == pytest.approx(47.5, abs=0.6)


def test_opnsense_rests_after_each_change() -> None:
    """Its watcher does not look for ten seconds, though old losses leave the window at once."""
    lost = {*range(60, 68), *range(110, 115)}
    echoes = [Echo("u", "a", float(at), None if at in lost else 0.02) for at in range(200)]
    quick, resting = (
        turns(LossWindow("x", interval_s=1.0, loss_s=4.0, rest_s=rest_s), iter(echoes))
        for rest_s in (1.0, 10.0)
    )
    assert [turn.down for turn in quick] == [turn.down for turn in resting] == [True, False]
    assert quick[1].at - quick[0].at < 10.0
    assert resting[1].at - resting[0].at == pytest.approx(10.0)


@pytest.mark.parametrize("begin", [1000.0, 1003.0, 1007.0])
@pytest.mark.parametrize("targets", [("a",), ("a", "b"), ("a", "b", "c", "d")])
def test_mwan3(begin: float, targets: tuple[str, ...]) -> None:
    """Five rounds of four targets of 4 s, 10 s between rounds: 120 to 130 s, wherever it begins."""
    delay_s, _ = hard("mwan3", begin, targets=targets)
    assert 119 <= delay_s <= 132


def test_three_in_a_row() -> None:
    """The third loss is known after three seconds; up at the first answer."""
    assert hard("three in a row", 1000.0) == (pytest.approx(3.0), pytest.approx(0.02))


def test_keepalived() -> None:
    """The first loss is enough."""
    assert hard("keepalived", 1000.0) == (pytest.approx(1.0), pytest.approx(0.02))


@pytest.mark.parametrize("name", ["three in a row", "keepalived"])
def test_a_rule_asks_at_its_own_pace(name: str) -> None:
    """Five echoes a second in the trace do not make it five times as quick."""
    assert hard(name, 1000.0, pace_s=0.2)[0] == hard(name, 1000.0)[0]


def test_two_losses_in_a_row_are_not_three() -> None:
    """Nor are four with an answer between."""
    blips = ((10.0, 12.0), (20.0, 22.0), (23.0, 25.0))
    assert turns(InARow("x", fall=3), line(*blips, end_s=60)) == []


def test_mwan3_sees_no_outage_between_its_rounds() -> None:
    """Nor one of a minute: one good round forgets."""
    assert turns(Rounds(targets=("a",)), line((100.0, 170.0), end_s=600)) == []


def test_mwan3_asks_two_answers_of_four() -> None:
    """A target that is dead alone does not matter, two of which one is dead do not either."""
    echoes = (
        Echo("u", target, float(at), None if target == "a" else 0.02) for at in range(900) for target in "ab"
    )
    assert turns(Rounds(targets=("a", "b")), echoes) == []


def test_mwan3_is_not_content_with_one_answer_of_four() -> None:
    """Three dead targets are an outage for it, though the line works."""
    echoes = (
        Echo("u", target, float(at), 0.02 if target == "d" else None)
        for at in range(900)
        for target in "abcd"
    )
    assert [turn.down for turn in turns(Rounds(targets=tuple("abcd")), echoes)] == [True]


def test_blips_that_heal_fill_a_loss_window() -> None:
    """Thirteen lost of sixty seconds are over 20 %, even if the line answers in between."""
    blips = tuple((100.0 + 10 * n, 103.0 + 10 * n) for n in range(6))
    found = turns(LossWindow("x", interval_s=1.0, loss_s=2.0), line(*blips, end_s=400))
    assert [turn.down for turn in found] == [True, False]


@pytest.mark.parametrize("rule", rules(("a",)), ids=lambda rule: rule.name)
def test_a_pause_clears_the_memory(rule: Rule) -> None:
    """Nothing is known of it, so a verdict before it does not stand after it."""

    def echoes() -> Iterator[Echo | Away]:
        yield from line((60.0, 400.0), end_s=400)
        yield Away(1000.0)

    found = turns(rule, echoes())
    assert [turn.down for turn in found] == [True, False]
    assert found[-1].at == 1000.0


@pytest.mark.parametrize("name", ["three in a row", "pfSense"])
def test_a_pause_does_not_change_the_target(name: str) -> None:
    """Whichever target answers first after it: the one that is watched is configuration."""

    def echoes() -> Iterator[Echo | Away]:
        yield from line(end_s=100, targets=("a", "b"))
        yield Away(1000.0)
        for at in range(1000, 1100):
            yield Echo("u", "b", float(at), None)
            yield Echo("u", "a", at + 0.5, 0.02)

    assert turns(by_name(name, ("a", "b")), echoes()) == []


@pytest.mark.parametrize("rule", rules(("a",)), ids=lambda rule: rule.name)
def test_a_calm_line_is_never_down(rule: Rule) -> None:
    """The least that can be asked."""
    assert turns(rule, line(end_s=600)) == []


def test_a_fixed_threshold() -> None:
    """Down exactly then, for silences that last longer."""
    silences = [Silence(10.0, 13.0), Silence(20.0, 24.0)]
    assert fixed(silences, 3.0) == [Turn(23.0, down=True), Turn(24.0, down=False)]
