"""Which answer belongs to which echo, and how long it took."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.model import Role, Why
from agent.probes.echoes import LATE_S, SEQUENCES, Echo, Flight, Host, Moment, arrived_at

HOST = Host("1.1.1.1", Role.TARGET)
WALL = 1.8e9


def sent(flight: Flight, at: float = 100.0, wall: float = WALL) -> Echo:
    echo = Echo(flight.next_sequence(), HOST, Moment(at, wall))
    flight.add(echo)
    return echo


def test_stamp_gives_the_true_arrival_of_an_answer_that_was_read_late() -> None:
    """Read 1.5 s after sending, stamped 20 ms after sending: it took 20 ms."""
    arrived = arrived_at(Moment(100.0, WALL), Moment(101.5, WALL + 1.5), WALL + 0.02)
    assert arrived == pytest.approx(100.02, abs=1e-6)


@pytest.mark.parametrize("step_s", [3600.0, -3600.0, 0.5, -0.5, 0.01, -0.01, 1.8e9])
@pytest.mark.parametrize("stamped_after_step", [True, False])
def test_setting_the_wall_clock_never_changes_a_round_trip(step_s: float, stamped_after_step: bool) -> None:
    """A clock set between sending and reading makes the stamp worthless, so the moment of reading counts."""
    stamp = WALL + 0.02 + (step_s if stamped_after_step else 0.0)
    arrived = arrived_at(Moment(100.0, WALL), Moment(100.03, WALL + 0.03 + step_s), stamp)
    assert arrived == 100.03


def test_an_answer_from_next_door_is_not_late_because_two_clocks_were_read() -> None:
    """The wall clock was read 0.1 ms after the other one, longer than the answer took; it was read late."""
    read = Moment(101.5, WALL + 1.5001)
    assert arrived_at(Moment(100.0, WALL), read, WALL + 0.00002) == 100.0
    assert arrived_at(Moment(100.0, WALL), read, WALL - 0.01) == 101.5


def test_without_a_stamp_the_moment_of_reading_counts() -> None:
    """A kernel that gives no stamp costs precision only."""
    assert arrived_at(Moment(100.0, WALL), Moment(100.03, WALL + 0.03), None) == 100.03


@given(
    st.floats(0, 30), st.floats(-1e10, 1e10), st.one_of(st.none(), st.floats(-1e10, 1e10, allow_nan=False))
)
def test_arrival_lies_between_sending_and_reading(took_s: float, step_s: float, stamp: float | None) -> None:
    """Whatever the clocks and the stamp say."""
    arrived = arrived_at(Moment(100.0, WALL), Moment(100.0 + took_s, WALL + step_s), stamp)
    assert 100.0 <= arrived <= 100.0 + took_s


def test_answer_is_matched_and_timed() -> None:
    """A reply from the host asked is the outcome, in milliseconds."""
    flight = Flight("ftth", 1.0)
    echo = sent(flight)
    probe = flight.answered(echo.sequence, "1.1.1.1", Moment(100.25, WALL + 0.25), None)
    assert probe is not None
    assert (probe.uplink, probe.target, probe.role, probe.sent_at) == ("ftth", "1.1.1.1", Role.TARGET, 100.0)
    assert probe.rtt_ms == pytest.approx(250.0)
    assert probe.why is None


def test_reply_from_another_address_is_counted_and_changes_nothing() -> None:
    """The echo can still be answered by the right host."""
    flight = Flight("ftth", 1.0)
    echo = sent(flight)
    assert flight.answered(echo.sequence, "6.6.6.6", Moment(100.1, WALL), None) is None
    assert flight.strays == 1
    assert flight.answered(echo.sequence, "1.1.1.1", Moment(100.2, WALL), None) is not None


def test_duplicate_replies_are_ignored() -> None:
    """One echo has one answer."""
    flight = Flight("ftth", 1.0)
    echo = sent(flight)
    read = Moment(100.1, WALL)
    assert flight.answered(echo.sequence, "1.1.1.1", read, None) is not None
    assert flight.answered(echo.sequence, "1.1.1.1", read, None) is None
    assert flight.strays == 0


def test_silence_becomes_a_timeout_once() -> None:
    """At the deadline, not before, and never twice."""
    flight = Flight("ftth", 1.0)
    sent(flight)
    assert flight.deadline == 101.0
    assert flight.overdue(100.999) == []
    assert [probe.why for probe in flight.overdue(101.0)] == [Why.TIMEOUT]
    assert flight.overdue(105.0) == []


def test_late_reply_is_a_second_outcome_for_a_minute() -> None:
    """After its timeout an answer still proves the uplink alive; after a minute it is forgotten."""
    flight = Flight("ftth", 1.0)
    early, forgotten = sent(flight), sent(flight)
    flight.overdue(101.0)
    late = flight.answered(early.sequence, "1.1.1.1", Moment(140.0, WALL + 40), None)
    assert late is not None
    assert late.sent_at == 100.0
    assert late.rtt_ms == pytest.approx(40_000.0)
    flight.overdue(101.0 + LATE_S)
    assert flight.answered(forgotten.sequence, "1.1.1.1", Moment(162.0, WALL + 62), None) is None


def test_icmp_error_names_its_sender_once() -> None:
    """A second error about the same echo, or one after its timeout, is no news; a reply still is."""
    flight = Flight("ftth", 1.0)
    echo = sent(flight)
    probe = flight.refused(echo.sequence, "1.1.1.1", "10.0.0.1")
    assert probe is not None
    assert (probe.why, probe.by) == (Why.UNREACHABLE, "10.0.0.1")
    assert flight.refused(echo.sequence, "1.1.1.1", "10.0.0.1") is None
    assert flight.overdue(102.0) == []
    assert flight.answered(echo.sequence, "1.1.1.1", Moment(102.0, WALL + 2), None) is not None


def test_icmp_error_about_another_host_is_ignored() -> None:
    """Its sequence number alone is no proof."""
    flight = Flight("ftth", 1.0)
    echo = sent(flight)
    assert flight.refused(echo.sequence, "9.9.9.9", "10.0.0.1") is None
    assert flight.deadline == 101.0


def test_sequence_numbers_wrap_around_open_echoes() -> None:
    """The number of an echo that still waits is not given to another."""
    flight = Flight("ftth", 1.0)
    first = sent(flight)
    numbers = {flight.next_sequence() for _ in range(SEQUENCES - 1)}
    assert len(numbers) == SEQUENCES - 1
    assert first.sequence not in numbers
    assert flight.next_sequence() != first.sequence
    assert max(numbers) < 1 << 16


def test_echoes_of_a_closed_socket_are_not_lost() -> None:
    """Nobody could hear the answer: the outcome is the local reason, which blames no uplink."""
    flight = Flight("ftth", 1.0)
    sent(flight)
    outcomes = flight.abandon(Why.NO_INTERFACE)
    assert [probe.why for probe in outcomes] == [Why.NO_INTERFACE]
    assert flight.deadline == float("inf")
