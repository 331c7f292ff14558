"""How the uplinks were, against a count of every second; opening hours against the agent's own rule."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.codes import Code, Severity
from agent.core.instant import Now
from agent.core.model import Event, Recorded, Scalar
from agent.core.opening import Hours, is_open
from agent.reports.month import SiteAbout, UplinkAbout, month
from agent.reports.month_states import How, histories
from agent.reports.month_time import (
    DAY,
    HOUR,
    SECOND,
    Span,
    common,
    length,
    of_days,
    of_month,
    offset,
    open_pieces,
    outside,
    united,
)

PARIS = ZoneInfo("Europe/Paris")
BEGIN = 1_774_738_800
"""29 March 2026, 00:00 in Paris: the clock is put forward at 2."""
UPLINKS = ("ftth", "4g")
TURNS = {
    Code.UPLINK_UP: How.UP,
    Code.UPLINK_DEGRADED: How.DEGRADED,
    Code.UPLINK_DOWN: How.DOWN,
    Code.UPLINK_UNKNOWN: How.UNKNOWN,
}


def recorded(
    seq: int, at: float, code: Code, subject: str, *, synced: bool = True, **args: Scalar
) -> Recorded:
    return Recorded(f"x-{seq}", seq, Event(code, subject, Severity.INFO, None, args), at, synced)


def journal(*lines: tuple[float, Code, str] | tuple[float, Code, str, dict[str, Scalar]]) -> list[Recorded]:
    return [
        recorded(seq, BEGIN + at, code, subject, **(rest[0] if rest else {}))
        for seq, (at, code, subject, *rest) in enumerate(lines, 1)
    ]


def shown(events: list[Recorded], end: float, uplink: str = "ftth") -> list[tuple[float, float, str]]:
    span = Span(BEGIN * SECOND, round((BEGIN + end) * SECOND))
    stretches = histories(events, UPLINKS, span).uplinks[uplink]
    return [
        ((one.begin - span.begin) / SECOND, (one.end - span.begin) / SECOND, one.how) for one in stretches
    ]


STEPS = st.lists(
    st.tuples(
        st.sampled_from([*TURNS, "stop", "kill", "undated"]),
        st.sampled_from(UPLINKS),
        st.integers(0, 40),
        st.integers(0, 40),
    ),
    max_size=25,
)


@settings(max_examples=300)
@given(STEPS, st.integers(1, 30))
def test_sums_are_those_of_every_single_second(
    steps: list[tuple[Code | str, str, int, int]], tail: int
) -> None:
    """Random runs, kills, stops, unset clocks: each second is painted as it was, and counted."""
    now, seq = 0, 1
    events = [recorded(1, BEGIN, Code.AGENT_STARTED, "site")]
    wall: dict[str, list[How]] = {name: [How.UNKNOWN] * 2200 for name in UPLINKS}
    held = dict.fromkeys(UPLINKS, How.UNKNOWN)
    since = dict.fromkeys(UPLINKS, 0)
    before = dict.fromkeys(UPLINKS, 0)
    told_at = 0

    def tell(code: Code, subject: str, *, synced: bool = True, **args: Scalar) -> None:
        nonlocal seq, told_at
        seq += 1
        told_at = now if synced else told_at
        at = BEGIN + now if synced else 12.0
        events.append(recorded(seq, at, code, subject, synced=synced, **args))

    def paint(name: str, begin: int, how: How, end: int | None = None) -> None:
        last = len(wall[name]) if end is None else end
        wall[name][begin:last] = [how] * (last - begin)

    def restarted(dark_from: int) -> None:
        tell(Code.AGENT_STARTED, "site")
        for name in UPLINKS:
            paint(name, dark_from, How.UNKNOWN)
            held[name], since[name] = How.UNKNOWN, now

    for kind, name, wait, silence in steps:
        last, now = told_at, now + wait
        if kind == "stop":
            tell(Code.AGENT_STOPPED, "site")
            dark, now = now, now + silence
            restarted(dark)
        elif kind == "kill":
            restarted(last)
        elif kind == "undated":
            tell(Code.UPLINK_UP, name, synced=False, down_s=0.0)
            now += silence
            held[name] = How.UP
            tell(Code.ADDRESS_CHANGED, name)
            for each in UPLINKS:
                paint(each, last, How.UNKNOWN, now)
                paint(each, now, held[each])
                before[each], since[each] = last, now
        elif TURNS[Code(kind)] is not held[name]:
            args: dict[str, Scalar] = {}
            if kind == Code.UPLINK_UP and held[name] is How.DOWN:
                # The silence began a little before the verdict, and after whatever was before it.
                begin = max(before[name], since[name] - silence)
                args["down_s"] = float(now - begin)
                paint(name, begin, How.DOWN, now)
            if kind == Code.UPLINK_DOWN:
                before[name] = since[name]
            held[name], since[name] = TURNS[Code(kind)], now
            paint(name, now, held[name])
            tell(Code(kind), name, **args)
    end = now + tail
    span = Span(BEGIN * SECOND, (BEGIN + end) * SECOND)
    alive = [(events[-1].at * SECOND, span.end)] if events[-1].synced else []
    hours = (Hours((6,), 5.0, 300.0),)
    site = SiteAbout("s", "S", tuple(UplinkAbout(name, name) for name in UPLINKS), opening=hours)
    made = month(events, site, span, PARIS, [(round(a), round(b)) for a, b in alive])
    for name in UPLINKS:
        counted = wall[name][:end]
        both = made.uplinks[name]
        assert {how: getattr(both.total, how) for how in How} == {
            how: counted.count(how) * SECOND for how in How
        }
        assert {how: getattr(both.opened, how) for how in How} == {
            how: counted[5:300].count(how) * SECOND for how in How
        }
        down = [one for one in made.outages if one.uplink == name]
        assert sum(one.length for one in down) == both.total.down
        assert sum(one.open_ms for one in down) == both.opened.down
    together = list(zip(wall["ftth"][:end], wall["4g"][:end], strict=True))
    assert made.whole.total.down == together.count((How.DOWN, How.DOWN)) * SECOND
    assert made.whole.total.known + made.whole.total.unknown == span.length
    works = (How.UP, How.DEGRADED)
    caught = sum(first is How.DOWN and other in works for first, other in together)
    assert made.caught[0] == caught * SECOND


def test_an_outage_begins_with_its_silence_and_a_lost_end_with_its_verdict() -> None:
    """``down_s`` of the recovery tells the first; nothing tells the second."""
    start = (0.0, Code.AGENT_STARTED, "site")
    up = (2.0, Code.UPLINK_UP, "ftth")
    down = (20.0, Code.UPLINK_DOWN, "ftth")
    back = (50.0, Code.UPLINK_UP, "ftth", {"down_s": 34.6})
    assert shown(journal(start, up, down, back, (60.0, Code.AGENT_STOPPED, "site")), 70.0) == [
        (0.0, 2.0, How.UNKNOWN),
        (2.0, 15.4, How.UP),
        (15.4, 50.0, How.DOWN),
        (50.0, 60.0, How.UP),
        (60.0, 70.0, How.UNKNOWN),
    ]
    assert shown(journal(start, up, down, (60.0, Code.AGENT_STOPPED, "site")), 60.0)[1:] == [
        (2.0, 20.0, How.UP),
        (20.0, 60.0, How.DOWN),
    ]


def test_a_portal_counts_as_down_for_as_long_as_its_finding_says() -> None:
    """Packets pass and no work can be done; the end of the finding tells when it began."""
    events = journal(
        (0.0, Code.AGENT_STARTED, "site"),
        (0.0, Code.UPLINK_UP, "ftth"),
        (40.0, Code.WALLED_GARDEN, "ftth"),
        (90.0, Code.FINDING_CLOSED, "ftth", {"finding": "walled_garden", "lasted_s": 58.0}),
        (100.0, Code.AGENT_STOPPED, "site"),
    )
    assert shown(events, 100.0) == [(0.0, 32.0, How.UP), (32.0, 90.0, How.DOWN), (90.0, 100.0, How.UP)]


def test_a_router_that_does_not_switch_leaves_the_site_without_internet() -> None:
    """100 s without fibre, a backup that works: 12 s until the switch, later 42 s behind a dead router."""
    events = journal(
        (0.0, Code.AGENT_STARTED, "site"),
        (0.0, Code.UPLINK_UP, "ftth"),
        (0.0, Code.UPLINK_UP, "4g"),
        (105.0, Code.UPLINK_DOWN, "ftth"),
        (113.0, Code.FAILOVER, "site", {"from": "ftth", "to": "4g", "silent_s": 12.0}),
        (200.0, Code.UPLINK_UP, "ftth", {"down_s": 100.0}),
        (220.0, Code.FAILBACK, "site", {"from": "4g", "to": "ftth", "silent_s": 0.0}),
        (315.0, Code.SITE_PATH_DOWN, "site"),
        (340.0, Code.FINDING_CLOSED, "site", {"finding": "site_path_down", "lasted_s": 40.0}),
        (342.0, Code.SITE_INTERRUPTED, "site", {"silent_s": 41.5}),
        (400.0, Code.AGENT_STOPPED, "site"),
    )
    site = SiteAbout("s", "S", tuple(UplinkAbout(name, name) for name in UPLINKS))
    made = month(events, site, Span(BEGIN * SECOND, (BEGIN + 400) * SECOND), PARIS)
    offline = [(begin // SECOND - BEGIN, end // SECOND - BEGIN) for begin, end in made.offline]
    assert offline == [(101, 113), (300, 342)]
    assert made.whole.total.down == (12 + 42) * SECOND
    assert made.uplinks["ftth"].total.down == 100 * SECOND
    assert made.caught[0] == (100 - 12) * SECOND
    assert made.watched


def test_what_is_lost_from_the_journal_is_unknown() -> None:
    """A hole in the numbers hides changes; until each uplink tells of itself again nothing is known."""
    events = journal(
        (0.0, Code.AGENT_STARTED, "site"),
        (0.0, Code.UPLINK_UP, "ftth"),
        (30.0, Code.ADDRESS_CHANGED, "4g"),
        (50.0, Code.UPLINK_DEGRADED, "ftth"),
        (60.0, Code.AGENT_STOPPED, "site"),
    )
    holed = [
        *events[:2],
        *(recorded(one.seq + 7, one.at, one.event.code, one.event.subject) for one in events[2:]),
    ]
    assert shown(holed, 60.0) == [(0.0, 50.0, How.UNKNOWN), (50.0, 60.0, How.DEGRADED)]


def test_a_sign_of_life_moves_the_end_of_a_killed_run() -> None:
    """What the recordings prove is not called unknown."""
    events = journal(
        (0.0, Code.AGENT_STARTED, "site"),
        (0.0, Code.UPLINK_UP, "ftth"),
        (100.0, Code.AGENT_STARTED, "site"),
        (110.0, Code.AGENT_STOPPED, "site"),
    )
    span = Span(BEGIN * SECOND, (BEGIN + 110) * SECOND)
    alive = [(BEGIN * SECOND, (BEGIN + 70) * SECOND), ((BEGIN + 99) * SECOND, (BEGIN + 110) * SECOND)]
    seen = histories(events, UPLINKS, span, alive)
    assert [(one.end - one.begin) // SECOND for one in seen.uplinks["ftth"]] == [70, 40]
    assert [gap.why for gap in seen.gaps] == ["killed"]


@pytest.mark.parametrize(
    ("month_number", "hours"), [(1, 31 * 24), (3, 31 * 24 - 1), (10, 31 * 24 + 1), (12, 31 * 24)]
)
def test_a_month_is_as_long_as_its_local_days(month_number: int, hours: int) -> None:
    """In March an hour is missing, in October there is one more; December is followed by a new year."""
    assert of_month(2026, month_number, PARIS).length == hours * HOUR


CLOCKS = st.integers(0, 24 * 60 - 1).map(lambda minute: minute * 60.0)
HOURS = st.builds(
    Hours,
    st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True).map(tuple),
    CLOCKS,
    st.integers(1, 24 * 60).map(lambda minute: minute * 60.0),
).filter(lambda hours: hours.begin_s != hours.end_s)


@settings(max_examples=40)
@given(st.lists(HOURS, max_size=3).map(tuple), st.sampled_from([date(2026, 3, 28), date(2026, 10, 24)]))
def test_the_site_is_open_when_the_agent_says_so(opening: tuple[Hours, ...], first: date) -> None:
    """Minute by minute through the nights on which the clock is changed."""
    span = of_days(first, date(first.year, first.month, first.day + 1), PARIS)
    pieces = open_pieces(opening, span, PARIS)
    expected = sum(
        is_open(opening, Now(0.0, at / SECOND, synced=True, zone_s=offset(at, PARIS) / SECOND))
        for at in range(span.begin, span.end, 60 * SECOND)
    )
    assert length(pieces) == expected * 60 * SECOND
    assert all(one[1] < other[0] for one, other in pairwise(pieces))


def test_pieces_are_united_and_cut_like_sets() -> None:
    """Overlapping and touching ones become one; what is common is in both."""
    assert united([(5, 7), (0, 2), (2, 3), (6, 9), (4, 4)]) == [(0, 3), (5, 9)]
    assert outside([(0, 3), (5, 9)], [(-2, 1), (6, 7), (8, 12)]) == [(1, 3), (5, 6), (7, 8)]
    assert outside([(0, 3)], []) == [(0, 3)]
    assert common([(0, 3), (5, 9)], [(1, 6), (8, DAY)]) == [(1, 3), (5, 6), (8, 9)]
