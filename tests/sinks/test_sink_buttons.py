"""What a press of the panel's button means, and that no press does what the screen has not said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.people import Verb
from agent.sinks.buttons import (
    CYCLE_S,
    HEARD_S,
    HOLD,
    HOLD_FROM_S,
    HOLD_UNTIL_S,
    MAIN,
    PAGE,
    SHORT_S,
    STAYS_S,
    STUCK_S,
    Doing,
    Finger,
    Kind,
    Page,
    Wish,
    hint,
    pages,
    pressed,
    ticked,
)
from hardware.buttons_port import Press

BOX = Page(Kind.BOX, "box")
ORDER = (MAIN, Page(Kind.INCIDENT), Page(Kind.INSTALLER), BOX, Page(Kind.BOX, "dish"))
TICK_S = 0.2
Build = Callable[..., Any]


class Person:
    """Presses, and lets time pass as the screen's sink does."""

    def __init__(self, page: Page = MAIN, *, held: bool = False, visible: bool = True) -> None:
        self.now = 100.0
        self.finger = Finger(page, self.now)
        self.held = held
        self.visible = visible
        self.wishes: list[Wish] = []

    def _took(self, result: tuple[Finger, Wish | None]) -> None:
        self.finger, wish = result
        if wish is not None:
            self.wishes.append(wish)

    def move(self, name: str, *, down: bool) -> None:
        press = Press(name, down, self.now)
        self._took(pressed(self.finger, press, self.finger.page, ORDER, held=self.held))

    def wait(self, for_s: float) -> None:
        end = self.now + for_s
        while self.now + TICK_S < end:
            self.now += TICK_S
            self._took(ticked(self.finger, self.now, visible=self.visible))
        self.now = end

    def press(self, for_s: float, name: str = PAGE) -> list[Wish]:
        self.move(name, down=True)
        self.wait(for_s)
        self.move(name, down=False)
        return self.wishes


def test_short_presses_show_all_pages_and_begin_again() -> None:
    """The last pages are those of the boxes."""
    person = Person()
    seen = []
    for _ in range(len(ORDER) + 1):
        person.press(0.3)
        seen.append(person.finger.page)
    assert seen == [*ORDER[1:], MAIN, ORDER[1]]
    assert person.wishes == []


def test_only_a_box_with_a_relay_has_a_page(example_snapshot: Build, example_box: Build) -> None:
    """What nobody can restart is not offered."""
    boxes = (example_box("box"), example_box("ont", wired=False), example_box("dish", "starlink"))
    assert pages(example_snapshot(boxes=boxes)) == ORDER


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("page", ORDER[:3])
def test_a_long_press_holds_and_another_releases(page: Page, held: bool) -> None:
    """On every page that is not about a box."""
    person = Person(page, held=held)
    assert person.press(3.0) == [Wish(Verb.RELEASE if held else Verb.HOLD)]
    assert person.finger.page == page


@pytest.mark.parametrize("for_s", [SHORT_S, 1.9, HOLD_UNTIL_S, 7.0, 12.0, STUCK_S + 1])
@pytest.mark.parametrize("page", ORDER[:3])
def test_a_press_of_another_length_does_nothing(page: Page, for_s: float) -> None:
    """Neither a slow short press nor one that is too long holds."""
    assert Person(page).press(for_s) == []


@pytest.mark.parametrize("for_s", [1.0, 3.0, 4.9, 7.0, 7.99])
def test_letting_go_before_the_end_undoes_a_restart(for_s: float) -> None:
    """Up to the last moment, and nothing else happens in its place: no hold, no other page."""
    person = Person(BOX)
    assert person.press(for_s) == []
    assert person.finger.page == BOX


def test_eight_seconds_on_the_page_of_a_box_restart_it_once() -> None:
    """However long the button stays down after that."""
    assert Person(BOX).press(8.5) == [Wish(Verb.CYCLE, "box")]
    assert Person(BOX).press(25.0) == [Wish(Verb.CYCLE, "box")]
    assert Person(BOX).press(200.0) == [Wish(Verb.CYCLE, "box")]


@pytest.mark.parametrize("page", [MAIN, BOX])
@pytest.mark.parametrize("for_s", [3.0, 9.0])
def test_nothing_happens_that_the_screen_could_not_say(page: Page, for_s: float) -> None:
    """While the display is away, a press does nothing."""
    assert Person(page, visible=False).press(for_s) == []


def test_a_restart_is_announced_for_seconds_even_if_the_agent_was_late() -> None:
    """After a pause of the agent the bar is shown first; a press that is over by then does nothing."""
    person = Person(BOX)
    person.move(PAGE, down=True)
    person.now += 10.0
    person.wait(3.0)
    assert person.wishes == []
    person.wait(5.0)
    assert person.wishes == [Wish(Verb.CYCLE, "box")]


def test_the_second_button_holds_from_every_page_and_never_restarts() -> None:
    """It knows no pages."""
    assert Person(BOX).press(3.0, HOLD) == [Wish(Verb.HOLD)]
    assert Person(BOX).press(9.0, HOLD) == []
    person = Person(BOX)
    person.press(0.3, HOLD)
    assert person.finger.page == MAIN


def test_two_buttons_at_once_mean_neither() -> None:
    """Whoever leans on the panel asks for nothing."""
    person = Person(BOX)
    person.move(PAGE, down=True)
    person.wait(1.0)
    person.move(HOLD, down=True)
    person.wait(10.0)
    person.move(HOLD, down=False)
    person.move(PAGE, down=False)
    assert person.wishes == []


def test_a_stuck_button_does_nothing_and_is_known() -> None:
    """After half a minute; the main page is back, and letting go ends it without a deed."""
    person = Person(BOX, visible=False)
    person.move(PAGE, down=True)
    person.wait(STUCK_S - 1.0)
    assert not person.finger.is_stuck(person.now)
    person.visible = True
    person.wait(40.0)
    assert person.finger.is_stuck(person.now)
    assert not person.finger.asks_for_page(person.now)
    assert person.finger.page == MAIN
    person.move(PAGE, down=False)
    assert not person.finger.is_stuck(person.now)
    assert person.wishes == []


def test_a_page_that_was_asked_for_gives_way_after_half_a_minute() -> None:
    """Whoever comes next sees the state of the site."""
    person = Person()
    person.press(0.3)
    person.wait(STAYS_S - 1)
    assert person.finger.asks_for_page(person.now)
    person.wait(2.0)
    assert not person.finger.asks_for_page(person.now)


@pytest.mark.parametrize(
    ("page", "after_s", "doing"),
    [
        (MAIN, 0.3, None),
        (MAIN, 1.0, Doing.HOLD_SOON),
        (MAIN, 2.1, Doing.HOLD_NOW),
        (MAIN, 5.1, Doing.NOTHING),
        (BOX, 0.3, None),
        (BOX, 1.0, Doing.CYCLE_SOON),
        (BOX, 7.9, Doing.CYCLE_SOON),
        (BOX, 8.5, None),
    ],
)
def test_the_screen_says_what_a_press_is_going_to_do(page: Page, after_s: float, doing: Doing | None) -> None:
    """From soon after its begin to its end."""
    person = Person(page)
    person.move(PAGE, down=True)
    person.wait(after_s)
    said = hint(person.finger, person.now)
    assert (None if said is None else said.doing) is doing


def test_the_bar_of_a_restart_runs_from_end_to_end() -> None:
    """It grows with each step, and is full when it happens."""
    person = Person(BOX)
    person.move(PAGE, down=True)
    shares = []
    while not person.wishes:
        person.wait(0.25)
        said = hint(person.finger, person.now)
        shares += [said.share] if said is not None else []
    assert shares == sorted(shares)
    assert shares[0] < 0.2
    assert shares[-1] == 1.0


MOVES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([PAGE, HOLD]), st.booleans()),
        st.floats(0.0, 40.0),
    ),
    max_size=40,
)


@given(MOVES, st.booleans(), st.sampled_from(ORDER))
def test_whatever_is_pressed_no_rule_is_broken(
    moves: list[tuple[str, bool] | float], held: bool, first: Page
) -> None:
    """One deed a press at most, each after a press of its own length, on its own page, and announced."""
    person = Person(first, held=held)
    since: float | None = None
    deeds = 0
    for move in moves:
        before = person.finger
        if isinstance(move, float):
            person.wait(move)
        else:
            person.move(move[0], down=move[1])
        assert person.finger.page in ORDER
        if person.finger.button is not None and person.finger.button != before.button:
            since, deeds = person.now, 0
        new = person.wishes
        person.wishes = []
        deeds += len(new)
        assert deeds <= 1
        for wish in new:
            assert since is not None
            if wish.verb is Verb.CYCLE:
                assert before.page == Page(Kind.BOX, wish.box)
                assert person.now - since >= CYCLE_S + HEARD_S
                assert person.finger.button == PAGE
            else:
                assert wish == Wish(Verb.RELEASE if held else Verb.HOLD)
                assert HOLD_FROM_S <= person.now - since < HOLD_UNTIL_S
                assert before.page.kind is not Kind.BOX or before.button == HOLD


def test_a_press_that_is_told_twice_is_one_press() -> None:
    """A driver may tell the first press twice."""
    person = Person(BOX)
    person.move(PAGE, down=True)
    person.move(PAGE, down=True)
    person.wait(8.5)
    assert person.wishes == [Wish(Verb.CYCLE, "box")]


def test_a_release_without_a_press_is_nothing() -> None:
    """As after a restart of the agent while somebody presses."""
    person = Person()
    before = person.finger
    person.move(PAGE, down=False)
    assert person.finger == before == replace(before)
