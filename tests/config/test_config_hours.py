"""Opening hours: what people write, and what the core makes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.config.effective import effective, to_site
from agent.config.hours import DAYS, hours_of, opening
from agent.config.reader import parse
from agent.core.instant import Now
from agent.core.opening import Hours, is_open, opens_in_s

HOUR_S = 3600.0
MONDAY = 1_768_172_400.0
"""Midnight of Monday 12 January 2026 in France, UNIX seconds."""
FILE = """
[site]
name = "garage"
opening = ["mon-fri 08:00-18:30", "sat 09:00-12:00"]
[[uplink]]
name = "ftth"
interface = "eth0"
"""


def at(day: int, hour: float, *, synced: bool = True) -> Now:
    """Local time of the week, in winter."""
    return Now(1000.0, MONDAY + day * 86_400.0 + hour * HOUR_S, synced, "boot", zone_s=HOUR_S)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon 08:00-12:00", (0,)),
        ("mon-fri 08:00-12:00", (0, 1, 2, 3, 4)),
        ("fri-mon 08:00-12:00", (0, 4, 5, 6)),
        ("mon,wed,fri-sat 08:00-12:00", (0, 2, 4, 5)),
    ],
)
def test_days_are_single_listed_or_from_to(text: str, days: tuple[int, ...]) -> None:
    """A range may go over the weekend."""
    assert hours_of(text) == Hours(days, 8 * HOUR_S, 12 * HOUR_S)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Mon-Fri 8:00-18:30", "mon-fri 08:00-18:30"),
        ("monday - friday 08h00 - 18h", "mon-fri 08:00-18:00"),
        ("lun,mar 9h-12h", "mon,tue 09:00-12:00"),
        ("dimanche 10:00–12:00", "sun 10:00-12:00"),
    ],
)
def test_what_people_write_instead_is_understood_and_refused(written: str, meant: str) -> None:
    """The message names what the file must say."""
    said = opening(written)
    assert said is not None
    assert meant in said.text()
    assert opening(meant) is None


@given(
    st.one_of(
        st.text(max_size=40),
        st.from_regex(r"[a-z]{3}([-,][a-z]{3})* [0-9h]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}", fullmatch=True),
    )
)
def test_a_text_is_hours_or_has_a_message(text: str) -> None:
    """No text is both, none breaks the reader, and no hint is wrong itself."""
    said = opening(text)
    if said is None:
        assert hours_of(text).days
    else:
        with pytest.raises(ValueError, match="no opening hours"):
            hours_of(text)


def test_a_site_is_open_in_its_hours_of_local_time() -> None:
    """From the first minute to the last, on its days; always without a clock, or without hours."""
    hours = to_site(parse(FILE)).opening
    assert not is_open(hours, at(0, 7.99))
    assert is_open(hours, at(0, 8.0))
    assert is_open(hours, at(4, 18.49))
    assert not is_open(hours, at(4, 18.5))
    assert is_open(hours, at(5, 11.0))
    assert not is_open(hours, at(6, 11.0))
    assert opens_in_s(hours, at(5, 12.0)) == 44 * HOUR_S
    assert is_open(hours, at(6, 11.0, synced=False))
    assert is_open((), at(6, 11.0))


def test_hours_may_go_over_midnight_and_to_its_end() -> None:
    """A night belongs to the day on which it begins, also from Sunday to Monday."""
    night = (hours_of("sun 22:00-06:00"),)
    assert is_open(night, at(6, 23.0))
    assert is_open(night, at(0, 5.9))
    assert not is_open(night, at(1, 5.9))
    whole = (hours_of("sat 00:00-24:00"),)
    assert [is_open(whole, at(day, 0.0)) for day in range(7)] == [False] * 5 + [True, False]
    assert [is_open(whole, at(day, 23.99)) for day in range(7)] == [False] * 5 + [True, False]


@given(
    st.sets(st.sampled_from(DAYS), min_size=1), st.integers(0, 1439), st.integers(0, 1439), st.floats(0, 7)
)
def test_the_wait_for_the_opening_ends_at_the_opening(
    days: set[str], begin: int, end: int, day: float
) -> None:
    """Just before its end the site is closed, at its end it is open."""
    clock = (f"{minute // 60:02}:{minute % 60:02}" for minute in (begin, end))
    text = f"{','.join(sorted(days))} {'-'.join(clock)}"
    if begin == end:
        return
    hours = (hours_of(text),)
    now = at(0, round(day * 24 * 3600) / HOUR_S)
    wait_s = opens_in_s(hours, now)
    assert 0.0 <= wait_s <= 7 * 86_400.0
    later = Now(now.mono, now.wall + wait_s, True, "boot", zone_s=HOUR_S)
    assert is_open(hours, later)
    if wait_s > 1.0:
        assert not is_open(hours, Now(now.mono, later.wall - 1.0, True, "boot", zone_s=HOUR_S))


def test_check_shows_the_hours() -> None:
    """As they stand in the file, and as reading them again gives them."""
    config = parse(FILE)
    shown = effective(config)
    assert 'opening = ["mon-fri 08:00-18:30", "sat 09:00-12:00"]\n' in shown
    assert parse(shown) == config
