"""Requests from afar: the same message is never taken twice, whatever clocks do, and memory stays small."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.core.afar import AHEAD_S, PER_HOUR, PER_MINUTE, Seen, noted, refusal, settled
from agent.core.instant import Now

WALL = 1_800_000_000.0
STEP = st.one_of(
    st.floats(0, 120).map(lambda by: ("pass", by)),
    st.sampled_from([-7200.0, -3599.0, -60.0, 60.0, 3599.0, 3601.0, 90_000.0]).map(lambda by: ("step", by)),
    st.just(("lose", 0.0)),
    st.tuples(st.sampled_from("abc"), st.integers(-60, 3700).map(float)),
)


@settings(max_examples=300)
@given(st.lists(STEP, max_size=60))
@example([("a", 60.0), ("step", 3601.0), ("b", 60.0), ("step", -3599.0), ("pass", 1.0), ("a", 60.0)])
def test_the_same_message_is_never_taken_twice(steps):
    """While time passes, clocks are set forward and back, and the memory is damaged and begins anew."""
    seen, mono, wall = Seen(), 1000.0, WALL
    messages: set[tuple[str, float]] = set()
    taken: set[tuple[str, float]] = set()
    latest = 0.0
    for what, value in steps:
        if what == "pass":
            mono, wall = mono + value, wall + value
        elif what == "step":
            wall += value
        elif what == "lose":
            # Only while the clock is right can the hour after a loss be counted.
            wall = max(wall, latest)
            seen = settled(Seen(lost=True), Now(mono, wall, synced=True))
        else:
            messages.add((what, WALL + value))
            messages.add((what, wall + value))
        for message in sorted(messages):
            now = Now(mono, wall, synced=True)
            if refusal(seen, *message, now) is None:
                assert message not in taken
                taken.add(message)
                seen = noted(seen, *message, now)
                latest = max(latest, wall)
        assert len(seen.taken) <= PER_HOUR


@given(st.lists(st.floats(0, 400), min_size=1, max_size=200))
def test_no_more_than_the_rate_is_ever_taken(pauses):
    """Within any minute and any hour, however the requests come."""
    seen, at, taken = Seen(), WALL, []
    for number, pause in enumerate(pauses):
        at += pause
        now = Now(at - WALL, at, synced=True)
        if refusal(seen, f"{number}", at + AHEAD_S / 2, now) is None:
            seen = noted(seen, f"{number}", at + AHEAD_S / 2, now)
            taken.append(at)
    for begin in taken:
        assert sum(begin <= one < begin + 60 for one in taken) <= PER_MINUTE
        assert sum(begin <= one < begin + 3600 for one in taken) <= PER_HOUR


def test_the_end_of_a_refusal_for_the_rate_is_when_there_is_room():
    """One second before it is still refused, at that instant it is taken."""
    seen = Seen()
    for number in range(PER_MINUTE):
        seen = noted(seen, f"{number}", WALL + 600, Now(100.0 + number, WALL + number, synced=True))
    no = refusal(seen, "x", WALL + 600, Now(110.0, WALL + 10, synced=True))
    assert no is not None
    assert (no.reason, no.until) == ("rate", 160.0)
    assert refusal(seen, "x", WALL + 600, Now(159.9, WALL + 59.9, synced=True)) is not None
    assert refusal(seen, "x", WALL + 600, Now(160.0, WALL + 60.0, synced=True)) is None
