"""The signal in words: edges, steadiness, and the comparison with the days before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core import radio
from agent.core.devices import Radio, Strength
from agent.core.radio import Air, Day

POWER = st.floats(-150.0, -40.0)
CLEAN = st.floats(-24.0, 40.0)


@pytest.mark.parametrize(
    ("reading", "word"),
    [
        (Radio(rsrp_dbm=-80.0), Strength.EXCELLENT),
        (Radio(rsrp_dbm=-80.1), Strength.GOOD),
        (Radio(rsrp_dbm=-90.1), Strength.FAIR),
        (Radio(rsrp_dbm=-100.1), Strength.POOR),
        (Radio(rsrp_dbm=-120.0), Strength.POOR),
        (Radio(rsrp_dbm=-120.1), Strength.UNUSABLE),
        (Radio(rsrp_dbm=-75.0, sinr_db=12.0), Strength.FAIR),
        (Radio(rsrp_dbm=-75.0, sinr_db=-0.1), Strength.POOR),
        (Radio(rsrp_dbm=-75.0, sinr_db=-6.1), Strength.UNUSABLE),
        (Radio(rsrp_dbm=-75.0, rsrq_db=-21.0), Strength.POOR),
        (Radio(rsrp_dbm=-75.0, rsrq_db=-21.0, sinr_db=25.0), Strength.EXCELLENT),
        (Radio(network="2G", rssi_dbm=-86.0), Strength.FAIR),
        (Radio(network="3G", rssi_dbm=-111.0), Strength.UNUSABLE),
        (Radio(network="4G", band="B20"), None),
        (Radio(), None),
    ],
)
def test_a_signal_is_as_good_as_the_worse_of_power_and_cleanness(reading: Radio, word: Strength) -> None:
    """Without SINR the RSRQ speaks, without RSRP the RSSI; without figures there is no word."""
    assert radio.strength(reading) is word


@given(power=POWER, clean=CLEAN)
def test_more_signal_is_never_a_worse_word(power: float, clean: float) -> None:
    """Each figure alone, raised, leaves the word or betters it."""
    order = list(Strength)
    here = radio.strength(Radio(rsrp_dbm=power, sinr_db=clean))
    for better in (Radio(rsrp_dbm=power + 7, sinr_db=clean), Radio(rsrp_dbm=power, sinr_db=clean + 7)):
        there = radio.strength(better)
        assert here is not None
        assert there is not None
        assert order.index(there) <= order.index(here)


@given(edge=st.sampled_from(radio.RSRP_DBM), swing=st.floats(0.0, radio.HYSTERESIS_DB - 0.01))
def test_a_figure_that_swings_around_an_edge_keeps_its_word(edge: float, swing: float) -> None:
    """Whichever word it had when it came there."""
    for begin in (edge + 5.0, edge - 5.0):
        word = radio.strength(Radio(rsrp_dbm=begin))
        for figure in (edge + swing, edge - swing) * 3:
            assert radio.strength(Radio(rsrp_dbm=figure), word) is word


@given(before=st.sampled_from(Strength), power=POWER, clean=CLEAN)
def test_the_word_follows_in_the_end(before: Strength, power: float, clean: float) -> None:
    """With hysteresis it is never further than one edge from the plain word, and settles."""
    reading = Radio(rsrp_dbm=power, sinr_db=clean)
    held = radio.strength(reading, before)
    assert radio.strength(reading, held) is held
    plain = radio.strength(reading)
    order = list(Strength)
    assert held is not None
    assert plain is not None
    assert min(order.index(before), order.index(plain)) <= order.index(held)
    assert order.index(held) <= max(order.index(before), order.index(plain))


def test_one_bad_reading_is_no_word() -> None:
    """A lorry before the window for one reading; half an hour of it is one."""
    air = Air()
    for minute in range(30):
        air = radio.heard(air, Radio(rsrp_dbm=-85.0, sinr_db=15.0), 60.0 * minute, None)
    assert air.strength is Strength.GOOD
    once = radio.heard(air, Radio(rsrp_dbm=-103.0, sinr_db=15.0), 1800.0, None)
    assert once.strength in (Strength.GOOD, Strength.FAIR)
    assert once.rsrp_dbm is not None
    assert once.rsrp_dbm > -100
    for minute in range(31, 61):
        once = radio.heard(once, Radio(rsrp_dbm=-108.0, sinr_db=15.0), 60.0 * minute, None)
    assert once.strength is Strength.POOR


def test_a_reading_without_figures_takes_none_away() -> None:
    """A modem that answers nothing of use for once has not lost its signal."""
    air = radio.heard(Air(), Radio(rsrp_dbm=-85.0, sinr_db=15.0), 0.0, 5)
    assert radio.heard(air, Radio(network="4G"), 60.0, 5).strength is Strength.GOOD
    assert radio.heard(air, Radio(network="4G"), 60.0, 5).days == air.days


def test_today_is_compared_with_the_middle_day_of_the_week() -> None:
    """One day of storm in between changes nothing; before four days are known nothing is said."""
    days = [-90.0, -91.0, -110.0, -90.0, -89.0]
    air = Air()
    for number, power in enumerate(days):
        assert radio.trend_db(air) is None or number > radio.LEAST_DAYS
        for minute in range(radio.LEAST_READINGS):
            air = radio.heard(air, Radio(rsrp_dbm=power), 86400.0 * number + 60 * minute, number)
    assert radio.trend_db(air) == pytest.approx(1.0, abs=0.6)
    for minute in range(radio.LEAST_READINGS):
        assert radio.trend_db(air) != pytest.approx(-8.0, abs=0.5)
        air = radio.heard(air, Radio(rsrp_dbm=-98.0), 86400.0 * 5 + 60 * minute, 5)
    assert radio.trend_db(air) == pytest.approx(-8.0, abs=0.5)


@given(st.lists(st.tuples(st.integers(0, 40), POWER), max_size=80))
def test_days_stay_few_and_in_order_whatever_the_clock_does(readings: list[tuple[int, float]]) -> None:
    """At most ``KEPT_DAYS``, strictly rising, each mean within what was read."""
    air = Air()
    for at, (day, power) in enumerate(readings):
        air = radio.heard(air, Radio(rsrp_dbm=power), 60.0 * at, day)
    numbers = [day.number for day in air.days]
    assert len(numbers) <= radio.KEPT_DAYS
    assert numbers == sorted(set(numbers))
    assert all(-150.0 <= day.rsrp_dbm <= -40.0 and day.readings > 0 for day in air.days)


def test_aiming_does_not_outweigh_the_day() -> None:
    """Sixty readings a minute, in a bad place, count as one a minute."""
    air = Air()
    for minute in range(60):
        air = radio.heard(air, Radio(rsrp_dbm=-90.0), 60.0 * minute, 5)
    for second in range(300):
        air = radio.heard(air, Radio(rsrp_dbm=-115.0), 3600.0 + second, 5)
    (day,) = air.days
    assert day.readings <= 66
    assert day.rsrp_dbm > -93.0


def test_a_clock_that_goes_back_forgets_the_future() -> None:
    """A day that has not come yet cannot have been measured."""
    air = Air(days=(Day(10, -90.0, 50), Day(12, -80.0, 50)))
    back = radio.heard(air, Radio(rsrp_dbm=-90.0), 1.0, 11)
    assert [day.number for day in back.days] == [10, 11]
