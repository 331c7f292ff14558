"""The timetable of one uplink's checks: regular, at once when asked, never too often."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.probes.turns import SPACING_S, Turns


def test_regular_turns_keep_their_place() -> None:
    """However long a run takes, the next is where the timetable has it."""
    turns = Turns(first_at=105.0, every_s=300.0)
    assert turns.due_at == 105.0
    for late_s, due_at in ((0.0, 405.0), (14.0, 705.0), (2.0, 1005.0)):
        turns.begin(turns.due_at + late_s)
        assert turns.due_at == due_at


def test_an_asked_turn_is_now() -> None:
    """And the regular one after it is left out if it would follow at once."""
    turns = Turns(105.0, 300.0)
    turns.begin(105.0)
    turns.ask(200.0)
    assert turns.due_at == 200.0
    turns.begin(200.0)
    assert turns.due_at == 405.0
    turns.ask(400.0)
    turns.begin(400.0)
    assert turns.due_at == 705.0


def test_asking_again_and_again_is_bounded() -> None:
    """One run in five seconds, whoever asks how often."""
    turns = Turns(105.0, 300.0)
    turns.begin(105.0)
    turns.ask(106.0)
    turns.ask(106.5)
    assert turns.due_at == 110.0
    turns.begin(110.0)
    assert turns.due_at == 405.0


def test_missed_turns_are_not_made_up_for() -> None:
    """After a suspended hour there is one run, not twelve."""
    turns = Turns(105.0, 300.0)
    turns.begin(105.0 + 3600.0)
    assert turns.due_at == 105.0 + 3900.0


@given(
    st.floats(0, 1e6),
    st.floats(30, 86400),
    st.lists(st.tuples(st.booleans(), st.floats(0, 4000)), max_size=30),
)
def test_two_runs_are_never_closer_than_allowed(
    first_at: float, every_s: float, story: list[tuple[bool, float]]
) -> None:
    """Whatever happens: five seconds apart at least, one and a half intervals at most."""
    turns, now, began_at = Turns(first_at, every_s), first_at, None
    for asked, wait_s in story:
        now += wait_s
        if asked:
            turns.ask(now)
            assert turns.due_at <= max(now, (began_at or 0.0) + SPACING_S) or began_at is None
        if turns.due_at <= now:
            assert began_at is None or now - began_at >= SPACING_S
            turns.begin(now)
            began_at = now
            assert SPACING_S * 0.999 <= turns.due_at - now <= 1.5 * every_s + 1.0


def test_regular_turns_may_get_rarer_and_more_frequent_again() -> None:
    """From the last run on; one that was asked for stays, and before the first run nothing changes."""
    turns = Turns(105.0, 300.0)
    turns.every(3600.0)
    assert turns.due_at == 105.0
    turns.begin(105.0)
    assert turns.due_at == 3705.0
    turns.every(600.0)
    assert turns.due_at == 705.0
    turns.ask(200.0)
    turns.every(7200.0)
    assert turns.due_at == 200.0
    turns.begin(200.0)
    assert turns.due_at > 3800.0
