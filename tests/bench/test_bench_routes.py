"""What kill -9 leaves of route mode, and what many switches leave; small versions of the measurement."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from routes_ground import ground

from hardware.virtual.route_bay import ON_CELL, RouteBay
from measure.console import ROOT
from measure.routes import apply, switches

pytestmark = pytest.mark.bay

PROGRAM = """
from hardware.virtual.route_bay import ON_FTTH
from measure.routes import *
with route_bay() as bay:
    print(({what}))
"""


@pytest.fixture
def bay() -> Iterator[RouteBay]:
    with ground() as made:
        yield made


def alone(what: str) -> object:
    """What an expression about a new ``bay`` gives in a process without threads, which alone may fork."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(what=what)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "scripts"), *sys.path])},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: object = ast.literal_eval(done.stdout)
    return told


def test_killed_between_any_two_steps_the_next_start_mends_it(bay: RouteBay) -> None:
    """Of a set-up, a switch and a removal; and what was there before is still remembered."""
    told = alone("killed_between_steps(bay, every=5)")
    assert isinstance(told, tuple)
    points, faults = told
    assert faults == []
    assert points > 10


def test_killed_at_random_moments_the_next_start_mends_it(bay: RouteBay) -> None:
    """Wherever in reading, deciding or doing it was."""
    assert alone("killed_at_random(bay, 4, seed=1)") == []


def test_a_kill_is_told_from_an_end(bay: RouteBay) -> None:
    """The measurement would notice if its children were not killed."""
    assert alone("dies(bay, partial(KilledBefore(0).apply, ON_FTTH)), dies(bay, KernelRoutes().remove)") == (
        True,
        False,
    )


def test_switches_leave_no_trace(bay: RouteBay) -> None:
    """Neither in rules and routes nor in the tracking of connections."""
    times_ms, faults = switches(bay, 10)
    assert len(times_ms) == 10
    assert faults == []


def test_a_trace_would_be_seen(bay: RouteBay) -> None:
    """A rule that stays behind is a difference."""
    apply(bay, ON_CELL)
    first = bay.shown()
    bay.gateway.ip("rule add from 10.9.9.9 lookup 7601 priority 7699")
    assert bay.shown() != first
