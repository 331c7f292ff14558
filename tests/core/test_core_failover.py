"""The policy: over at once, back slowly, never to and fro, and always with what it waits for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.failover import (
    DWELL_S,
    LONGEST_WAIT_S,
    Candidate,
    Conditions,
    decide,
    switched,
    wait_s,
)
from agent.core.snapshot_types import Health
from agent.core.steering import Choice, Past, Wait, Why
from agent.text.steering import choice_text

FTTH = Candidate("ftth", 0, Health.UP, clean_since=0.0)
DISH = Candidate("dish", 1, Health.UP, clean_since=0.0)
LTE = Candidate("4g", 2, Health.UP, clean_since=0.0)
LONG_AGO = Past("ftth", switched_at=-1e6)
NOW = Conditions(now_at=100_000.0)
DOWN, POOR = {"health": Health.DOWN, "clean_since": None}, {"health": Health.DEGRADED, "clean_since": None}
BAD_CALL = {**POOR, "loss": 0.3, "mos": 2.0}
LABELS = {"ftth": "Fibre", "dish": "Starlink", "4g": "4G"}


def chosen(
    *candidates: Candidate, past: Past = LONG_AGO, now: Conditions = NOW
) -> tuple[str | None, Why, Wait | None, float | None]:
    choice = decide(candidates, past, now)
    return choice.wanted, choice.why, choice.waits_for, choice.until


def ftth(**what: object) -> Candidate:
    return replace(FTTH, **what)  # type: ignore[arg-type]


def dish(**what: object) -> Candidate:
    return replace(DISH, **what)  # type: ignore[arg-type]


def test_the_most_wanted_that_works_is_used() -> None:
    """The configured order decides among those that serve well."""
    assert chosen(FTTH, DISH, LTE) == ("ftth", Why.BEST, None, None)
    assert chosen(FTTH, DISH, LTE, past=Past()) == ("ftth", Why.FIRST, None, None)


@pytest.mark.parametrize(
    ("others", "wanted"),
    [
        ((DISH, LTE), "dish"),
        ((replace(DISH, **DOWN), LTE), "4g"),
        ((replace(DISH, barred=True), LTE), "4g"),
        ((replace(DISH, health=Health.SUSPECT), LTE), "4g"),
        ((replace(DISH, **BAD_CALL), LTE), "4g"),
        ((replace(DISH, **POOR), LTE), "4g"),
        ((replace(DISH, spent=True), LTE), "4g"),
        ((replace(DISH, **POOR), replace(LTE, spent=True)), "dish"),
        ((replace(DISH, **DOWN), replace(LTE, health=Health.SUSPECT)), "4g"),
        ((replace(DISH, **DOWN), replace(LTE, health=Health.UNKNOWN)), "4g"),
    ],
)
def test_an_outage_is_left_at_once(others: tuple[Candidate, ...], wanted: str) -> None:
    """For whoever serves best: health, data left, no blemish, and then the order; nothing is waited for."""
    just_now = replace(LONG_AGO, switched_at=NOW.now_at)
    held = replace(NOW, held_until=NOW.now_at + 600, drilling=True, open_until=NOW.now_at + 600)
    for bad in (ftth(**DOWN), ftth(barred=True)):
        assert chosen(bad, *others, past=just_now, now=held) == (wanted, Why.DOWN, None, None)


def test_where_nothing_works_nothing_changes() -> None:
    """Until something comes back, which is said."""
    assert chosen(ftth(**DOWN), dish(**DOWN)) == ("ftth", Why.NOTHING, Wait.ANY, None)
    assert chosen(ftth(**DOWN), dish(**DOWN), past=Past()) == (None, Why.NOTHING, Wait.ANY, None)


def test_a_doubt_is_waited_out() -> None:
    """It is decided by the line's own habit, within seconds."""
    doubted = ftth(health=Health.SUSPECT, verdict_at=NOW.now_at + 2)
    assert chosen(doubted, DISH) == ("ftth", Why.UNSURE, Wait.VERDICT, NOW.now_at + 2)
    assert chosen(ftth(health=Health.UNKNOWN), DISH) == ("ftth", Why.UNSURE, Wait.VERDICT, None)


def test_a_call_at_30_percent_loss_is_an_outage() -> None:
    """With a clean uplink beside it that is a switch, and the numbers are said."""
    choice = decide([ftth(**BAD_CALL), DISH], LONG_AGO, NOW)
    assert (choice.wanted, choice.why) == ("dish", Why.POOR)
    assert choice.args == {"loss_pct": 30, "mos": 2.0}
    said = choice_text(choice, LABELS, NOW.now_at, "en")
    assert said == "Fibre is too bad for a call (30 % lost), quality 2 of 4.4: change to Starlink."


def test_a_line_that_is_merely_slow_is_not_left() -> None:
    """A switch costs the users more than it gives them; nor is a bad one left for another bad one."""
    assert chosen(ftth(**POOR, mos=3.2, loss=0.05), DISH)[:2] == ("ftth", Why.BEST)
    assert chosen(ftth(**BAD_CALL), dish(**POOR)) == ("ftth", Why.POOR, Wait.BETTER, None)


def test_bad_quality_does_not_make_it_change_to_and_fro() -> None:
    """Not within a minute of the last change; one that has fallen twice must be clean for four minutes."""
    lately = replace(LONG_AGO, switched_at=NOW.now_at - 10)
    assert chosen(ftth(**BAD_CALL), DISH, past=lately) == ("ftth", Why.POOR, Wait.CLEAN, NOW.now_at + 50)
    fallen = replace(LONG_AGO, falls={"dish": 2})
    fresh = dish(clean_since=NOW.now_at - 100)
    assert chosen(ftth(**BAD_CALL), fresh, past=fallen) == ("ftth", Why.POOR, Wait.CLEAN, NOW.now_at + 140)


ON_LTE = Past("4g", switched_at=0.0)


def test_the_return_waits_for_fifteen_clean_minutes() -> None:
    """Until when is said, to the second, and then it happens."""
    back = ftth(clean_since=NOW.now_at - 300)
    choice = decide([back, LTE], ON_LTE, NOW)
    assert (choice.wanted, choice.why, choice.waits_for, choice.next) == (
        "4g",
        Why.WAITING,
        Wait.CLEAN,
        "ftth",
    )
    assert choice.until == NOW.now_at + 600
    assert choice_text(choice, LABELS, NOW.now_at, "en") == (
        "Back to Fibre later (Fibre must stay without fault, 10 min more)."
    )
    later = replace(NOW, now_at=NOW.now_at + 600)
    assert chosen(back, LTE, past=ON_LTE, now=later) == ("ftth", Why.BACK, None, None)
    assert chosen(ftth(**POOR), LTE, past=ON_LTE, now=later)[0] == "4g", "not to one that is not clean"
    lately = Past("4g", switched_at=NOW.now_at - 100)
    assert chosen(FTTH, LTE, past=lately) == ("4g", Why.WAITING, Wait.CLEAN, NOW.now_at + 800)


@pytest.mark.parametrize(
    ("condition", "wait", "until"),
    [
        ({"held_until": NOW.now_at + 60}, Wait.HOLD, NOW.now_at + 60),
        ({"drilling": True}, Wait.DRILL, None),
        ({"troubled": frozenset({"ftth"})}, Wait.INCIDENT, None),
        ({"open_until": NOW.now_at + 3600}, Wait.CLOSING, NOW.now_at + 3600),
    ],
)
def test_what_holds_the_return_up_is_said(
    condition: dict[str, object], wait: Wait, until: float | None
) -> None:
    """A person, a drill, the better uplink's own incident, the opening hours; not another's incident."""
    now = replace(NOW, **condition)  # type: ignore[arg-type]
    assert chosen(FTTH, LTE, past=ON_LTE, now=now) == ("4g", Why.WAITING, wait, until)
    others = replace(NOW, troubled=frozenset({"4g"}))
    assert chosen(FTTH, LTE, past=ON_LTE, now=others)[:2] == ("ftth", Why.BACK)


def test_an_uplink_without_data_is_left_for_one_that_has_some() -> None:
    """It may stop at any moment; where all are used up, the order decides as ever."""
    assert chosen(FTTH, replace(LTE, spent=True), past=ON_LTE)[:2] == ("ftth", Why.SPENT)
    fresh = ftth(clean_since=NOW.now_at)
    assert chosen(fresh, replace(LTE, spent=True), past=ON_LTE)[:2] == ("ftth", Why.SPENT)
    spent = ftth(spent=True, clean_since=NOW.now_at)
    assert chosen(spent, replace(LTE, spent=True), past=ON_LTE)[1:3] == (Why.WAITING, Wait.CLEAN)


def test_each_fall_doubles_the_wait_up_to_four_hours() -> None:
    """One that stays for four hours after the return begins anew."""
    past = Past("ftth", switched_at=0.0)
    waits = []
    for fall in range(8):
        at = 10_000.0 * fall
        past = switched(past, "4g", ["ftth", "4g"], at)
        waits.append(wait_s("ftth", past, 900.0))
        past = switched(past, "ftth", ["ftth", "4g"], at + 100)
    assert waits == [900.0, 1800.0, 3600.0, 7200.0, 14400.0, 14400.0, 14400.0, 14400.0]
    past = switched(past, "4g", ["ftth", "4g"], 200_000.0)
    assert wait_s("ftth", past, 900.0) == 900.0


# --- random sites that obey -------------------------------------------------------------------------------

NAMES = ("ftth", "dish", "4g")


@dataclass
class Obeyed:
    """A site that does at once what the policy wants, looked at every ``step_s`` seconds."""

    step_s: float = 5.0

    healths: dict[str, Health] = field(default_factory=lambda: dict.fromkeys(NAMES, Health.UP))
    bad: set[str] = field(default_factory=set)
    clean_since: dict[str, float | None] = field(default_factory=lambda: dict.fromkeys(NAMES, 0.0))
    past: Past = field(default_factory=lambda: Past("ftth"))
    t: float = 0.0
    switches: list[tuple[float, str, str, Choice]] = field(default_factory=list)
    said: object = None

    def change(self, name: str, health: Health, *, bad: bool) -> None:
        self.healths[name] = health
        (self.bad.add if bad else self.bad.discard)(name)
        self.clean_since[name] = None if health is not Health.UP else self.clean_since[name] or self.t

    def candidates(self) -> list[Candidate]:
        return [
            Candidate(
                name,
                rank,
                self.healths[name],
                mos=2.0 if name in self.bad else 3.3,
                clean_since=self.clean_since[name],
            )
            for rank, name in enumerate(NAMES)
        ]

    def play(self, seconds: float) -> None:
        end = self.t + seconds
        while self.t < end:
            self.t += self.step_s
            now = Conditions(self.t)
            choice = decide(self.candidates(), self.past, now)
            self.check(choice)
            if choice.wanted is not None and choice.wanted != self.past.active:
                assert self.past.active is not None
                self.switches.append((self.t, self.past.active, choice.wanted, choice))
                self.past = switched(self.past, choice.wanted, NAMES, self.t)

    def check(self, choice: Choice) -> None:
        """Rules that hold at every instant."""
        works = {name for name in NAMES if self.healths[name] in (Health.UP, Health.DEGRADED)}
        assert choice.wanted is not None
        if works:
            down = self.healths[choice.wanted] is Health.DOWN
            assert not down, "a down uplink is wanted while another works"
        stays = choice.wanted == choice.active
        unhappy = stays and choice.why is not Why.BEST
        assert (choice.waits_for is not None) is unhappy, "it stays without saying what it waits for"
        if choice.waits_for in (Wait.CLEAN, Wait.HOLD, Wait.CLOSING):
            assert choice.until is not None
            assert self.t < choice.until <= self.t + LONGEST_WAIT_S + DWELL_S, "no end, or a distant one"
        if (choice.wanted, choice.why, choice.waits_for) == self.said:
            return
        self.said = (choice.wanted, choice.why, choice.waits_for)
        for language in ("fr", "en"):
            said = choice_text(choice, LABELS, self.t, language)
            assert said.endswith(".")
            assert not set("{}[]?") & set(said)


def gaps(times: Iterable[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(times)]


HAPPENINGS = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from([Health.UP, Health.UP, Health.DOWN, Health.DEGRADED, Health.SUSPECT]),
        st.booleans(),
        st.sampled_from([5.0, 30.0, 120.0, 1000.0, 3000.0]),
    ),
    max_size=25,
)


@settings(max_examples=50, deadline=None)
@given(HAPPENINGS)
def test_no_random_site_makes_the_policy_break_its_rules(
    story: list[tuple[str, Health, bool, float]],
) -> None:
    """Outages are left at once; all other changes keep their distance, and each return waits."""
    site = Obeyed()
    for name, health, bad, pause_s in story:
        site.change(name, health, bad=bad)
        site.play(pause_s)
    calm = [at for at, _, _, choice in site.switches if choice.why is not Why.DOWN]
    assert all(gap >= DWELL_S for gap in gaps(calm)), "to and fro without an outage"
    for place, (at, _, _, choice) in enumerate(site.switches):
        if choice.why is Why.BACK and place:
            assert at - site.switches[place - 1][0] >= 900.0, (
                "a return sooner than 15 minutes after the last change"
            )
    for name in NAMES:
        returns = [at for at, _, to, choice in site.switches if to == name and choice.why is Why.BACK]
        assert all(gap >= 900.0 for gap in gaps(returns))


@pytest.mark.parametrize("period_s", [30.0, 600.0, 2000.0])
def test_a_flapping_uplink_is_returned_to_ever_more_seldom(period_s: float) -> None:
    """Over two days of a fibre that comes and goes the site is moved a bounded number of times."""
    site = Obeyed(step_s=30.0)
    for number in range(round(2 * 86_400 / period_s)):
        site.change("ftth", Health.DOWN if number % 2 else Health.UP, bad=False)
        site.play(period_s)
    returns = [at for at, _, to, _ in site.switches if to == "ftth"]
    assert len(returns) <= 2, "its clean stretches are shorter than the wait has become"
