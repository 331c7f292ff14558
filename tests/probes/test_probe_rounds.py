"""The timetable of one uplink."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.model import Role
from agent.probes.echoes import Host
from agent.probes.rounds import Rounds

HOSTS = [Host(f"1.1.1.{number}", Role.TARGET) for number in range(4)]


def run(rounds: Rounds, begin: float, end: float) -> list[tuple[float, Host]]:
    asked = []
    while begin <= rounds.next_at < end:
        now = rounds.next_at
        asked += [(now, host) for host in rounds.due(now)]
    return asked


def test_everybody_is_asked_at_the_start_then_evenly_spread() -> None:
    """After the first round, four hosts at one second are a quarter of a second apart."""
    rounds = Rounds(HOSTS, 1.0)
    assert rounds.next_at == math.inf
    rounds.start(100.0)
    assert rounds.due(100.0) == HOSTS
    times = [at for at, _host in run(rounds, 100.0, 110.0)]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert gaps == pytest.approx([0.25] * len(gaps))


def test_uplinks_do_not_ask_at_the_same_moment() -> None:
    """The places of two uplinks interleave."""
    ways = [Rounds(HOSTS, 1.0, shift) for shift in (0.0, 0.5)]
    for rounds in ways:
        rounds.start(100.0)
        rounds.due(100.0)
    assert ways[1].next_at - ways[0].next_at == pytest.approx(0.125)


def test_missed_rounds_are_skipped() -> None:
    """After a stall of ten seconds each host is asked once, not ten times."""
    rounds = Rounds(HOSTS, 1.0)
    rounds.start(100.0)
    rounds.due(100.0)
    assert sorted(rounds.due(110.3)) == HOSTS
    assert rounds.next_at > 110.3 + 0.4


def test_faster_pace_takes_effect_at_once() -> None:
    """Nobody waits for the end of the old interval."""
    rounds = Rounds(HOSTS, 60.0)
    rounds.start(100.0)
    rounds.due(100.0)
    rounds.pace(0.5, 110.0)
    asked = run(rounds, 110.0, 110.5 + 1e-9)
    assert {host for _at, host in asked} == set(HOSTS)


def test_slower_pace_delays_nobody_who_is_already_due() -> None:
    """The round that was planned takes place, then the slower one begins."""
    rounds = Rounds(HOSTS, 1.0)
    rounds.start(100.0)
    rounds.due(100.0)
    rounds.pace(10.0, 100.1)
    assert len(run(rounds, 100.1, 101.5)) == len(HOSTS)
    assert len(run(rounds, 101.5, 141.5)) in range(4 * len(HOSTS) - 4, 4 * len(HOSTS) + 1)


@given(st.lists(st.tuples(st.floats(0.0, 2.0), st.sampled_from([0.2, 0.5, 1.0, 5.0])), max_size=30))
def test_no_host_starves_however_the_pace_changes(changes: list[tuple[float, float]]) -> None:
    """Between two echoes to one host there is never more than one and a half of the longest interval."""
    rounds = Rounds(HOSTS, 1.0)
    rounds.start(100.0)
    last = dict.fromkeys(HOSTS, 100.0)
    now = 100.0
    for wait_s, interval_s in changes:
        for at, host in run(rounds, 100.0, now + wait_s):
            assert at - last[host] <= 7.5 + 1e-6
            last[host] = at
        now += wait_s
        rounds.pace(interval_s, now)
        assert rounds.next_at <= now + interval_s + 1e-6


def test_a_new_gateway_is_asked_at_once() -> None:
    """And a host that stays keeps its place."""
    rounds = Rounds(HOSTS, 10.0)
    rounds.start(100.0)
    rounds.due(100.0)
    planned = rounds.next_at
    box = Host("192.168.1.1", Role.BOX)
    rounds.replace_hosts([*HOSTS, box], 101.0)
    assert rounds.due(101.0) == [box]
    assert rounds.next_at == planned


def test_a_box_with_a_pace_of_its_own_leaves_the_targets_evenly_spread() -> None:
    """Four targets at a minute are a quarter of a minute apart, and the box is asked every ten seconds."""
    box = Host("192.168.1.1", Role.BOX)
    rounds = Rounds([*HOSTS, box], 1.0)
    rounds.start(100.0)
    rounds.due(100.0)
    rounds.pace(60.0, 100.0, 10.0)
    asked = run(rounds, 100.0, 460.0)
    targets = [at for at, host in asked if host != box and at > 200.0]
    assert {round(after - before, 6) for before, after in itertools.pairwise(targets)} == {15.0}
    boxes = [at for at, host in asked if host == box and at > 110.0]
    assert {round(after - before, 6) for before, after in itertools.pairwise(boxes)} == {10.0}
    rounds.pace(1.0, 460.0, 1.0)
    assert rounds.box_s is None
