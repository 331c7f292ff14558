"""What every relay does: on a Pi's pins (gpiozero's mock pins), in memory, in the virtual bay."""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory, MockPin

from hardware.gpio import GpioCoil
from hardware.ports import LONGEST_CUT_S, HardwareError, Relay
from hardware.relay_timed import Coil, TimedRelay
from hardware.virtual.bay import Bay, BayUplink
from hardware.virtual.coil import VirtualCoil
from hardware.virtual.panel import MemoryCoil

PIN = 17
PATIENCE_S = 10.0


class StubbornPin(MockPin):
    """A pin that can stop obeying."""

    stuck = False

    def _set_state(self, value: Any) -> None:
        if self.stuck:
            raise OSError("the pin is stuck")
        super()._set_state(value)


class GpioRig:
    """A relay coil on a mock pin, with what the tests must see and break."""

    def __init__(self) -> None:
        self.factory = MockFactory(pin_class=StubbornPin)
        self.pin = self.factory.pin(PIN)

    def coil(self) -> Coil:
        return GpioCoil(PIN, self.factory)

    @property
    def history(self) -> list[bool]:
        return [bool(state.state) for state in self.pin.states[1:]]

    def stick(self, stuck: bool) -> None:
        self.pin.stuck = stuck

    def close(self) -> None:
        self.factory.reset()


class MemoryRig:
    """A relay coil in memory."""

    def __init__(self) -> None:
        self._coil = MemoryCoil()

    def coil(self) -> Coil:
        return self._coil

    @property
    def history(self) -> list[bool]:
        return self._coil.history

    def stick(self, stuck: bool) -> None:
        self._coil.broken = stuck

    def close(self) -> None:
        pass


class BayRig:
    """A relay of a virtual bay, which runs in a thread of its own; its history is what the box felt."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._bay = Bay(Path(self._folder.name), [BayUplink("box", "eth1", boot_s=0.2)])
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._do(self._bay.start())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def coil(self) -> Coil:
        return VirtualCoil(Path(self._folder.name) / "relay.sock", "box")

    @property
    def history(self) -> list[bool]:
        states: list[bool] = []
        for _, end in self._bay.facts()["box"]["cut_times"]:
            states += [True] if end is None else [True, False]
        return states

    def stick(self, stuck: bool) -> None:
        self._bay._relays._wired = {} if stuck else dict(self._bay.boxes)

    def close(self) -> None:
        self._do(self._bay.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._folder.cleanup()


Rig = GpioRig | MemoryRig | BayRig


@pytest.fixture(
    params=[
        pytest.param(GpioRig, id="gpio"),
        pytest.param(MemoryRig, id="memory"),
        pytest.param(BayRig, id="bay", marks=pytest.mark.bay),
    ]
)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    built = request.param()
    yield built
    built.close()


@pytest.fixture
def relay(rig: Rig) -> Iterator[TimedRelay]:
    built = TimedRelay(rig.coil(), retry_s=0.01)
    yield built
    rig.stick(False)
    built.close()


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for another thread to have done its work."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.002)


def test_constructing_never_energises(rig: Rig, relay: Relay) -> None:
    """A new relay has not touched the box's power, not even for an instant."""
    assert rig.history == []
    assert not relay.is_cut


def test_cut_and_restore(rig: Rig, relay: Relay) -> None:
    """A cut energises the coil, a restore releases it."""
    relay.cut(60.0)
    assert relay.is_cut
    assert rig.history == [True]
    relay.restore()
    assert not relay.is_cut
    assert rig.history == [True, False]


def test_restore_without_a_cut_does_nothing(rig: Rig, relay: Relay) -> None:
    """Restoring a box that has power changes nothing."""
    relay.restore()
    assert rig.history == []


def test_a_cut_ends_by_itself(rig: Rig, relay: Relay) -> None:
    """The relay gives the power back after the longest time, and not before."""
    begun = time.monotonic()
    relay.cut(0.1)
    wait_until(lambda: not relay.is_cut)
    assert time.monotonic() - begun >= 0.1
    assert rig.history == [True, False]


def test_each_cut_ends_by_itself(rig: Rig, relay: Relay) -> None:
    """Later cuts of a relay end by themselves like the first, also when its guard was long at rest."""
    for _ in range(3):
        relay.cut(0.02)
        wait_until(lambda: not relay.is_cut)
    assert rig.history == [True, False] * 3


def test_a_cut_after_a_restore_ends_by_itself(rig: Rig, relay: Relay) -> None:
    """A short cut is not mistaken for the long one that a person ended before."""
    relay.cut(60.0)
    relay.restore()
    relay.cut(0.05)
    wait_until(lambda: not relay.is_cut)
    assert rig.history == [True, False, True, False]


def test_the_relays_own_clock_decides(rig: Rig) -> None:
    """A cut ends when the monotonic clock says so, however often its thread wakes."""
    now = [1000.0]
    with TimedRelay(rig.coil(), clock=lambda: now[0]) as relay:
        relay.cut(0.01)
        time.sleep(0.05)
        assert relay.is_cut
        now[0] += 0.02
        wait_until(lambda: not relay.is_cut)


def test_a_second_cut_cannot_lengthen_the_first(rig: Rig, relay: Relay) -> None:
    """Cut again for longer: the power still comes back at the first cut's end."""
    relay.cut(0.1)
    relay.cut(100.0)
    wait_until(lambda: not relay.is_cut)
    assert rig.history == [True, False]


def test_a_second_cut_can_shorten_the_first(rig: Rig, relay: Relay) -> None:
    """Cut again for less: the power comes back at the second cut's end."""
    relay.cut(100.0)
    relay.cut(0.05)
    wait_until(lambda: not relay.is_cut)
    assert rig.history == [True, False]


@pytest.mark.parametrize("longest_s", [0, -1.0, LONGEST_CUT_S + 0.1, math.inf, math.nan])
def test_an_unreasonable_duration_cuts_nothing(rig: Rig, relay: Relay, longest_s: float) -> None:
    """Zero, negative, too long and not-a-number are refused before anything is cut."""
    with pytest.raises(ValueError, match="120"):
        relay.cut(longest_s)
    assert rig.history == []


def test_closing_restores_and_may_be_repeated(rig: Rig, relay: Relay) -> None:
    """Closing ends a cut; a closed relay cannot cut."""
    relay.cut(60.0)
    relay.close()
    relay.close()
    assert not relay.is_cut
    assert rig.history == [True, False]
    with pytest.raises(HardwareError, match="closed"):
        relay.cut(1.0)
    assert rig.history == [True, False]


def test_leaving_by_an_exception_restores(rig: Rig) -> None:
    """The power is back when a block that holds the relay fails."""
    relay = TimedRelay(rig.coil())
    relay.cut(60.0)
    with pytest.raises(ZeroDivisionError), relay:
        raise ZeroDivisionError
    assert rig.history == [True, False]


def test_a_coil_that_does_not_cut_is_an_error(rig: Rig, relay: Relay) -> None:
    """A coil that does not obey raises, and the relay is at rest once it obeys again."""
    rig.stick(True)
    with pytest.raises(HardwareError, match="does not cut"):
        relay.cut(60.0)
    rig.stick(False)
    wait_until(lambda: not relay.is_cut)
    assert rig.history == []


def test_a_stuck_release_is_tried_again(rig: Rig, relay: Relay) -> None:
    """A cut whose end fails is not forgotten: the power comes back when the coil obeys again."""
    relay.cut(0.05)
    rig.stick(True)
    time.sleep(0.1)
    assert relay.is_cut
    rig.stick(False)
    wait_until(lambda: not relay.is_cut)
    assert rig.history == [True, False]


def test_a_failed_restore_is_an_error_and_is_tried_again(rig: Rig, relay: Relay) -> None:
    """A restore that fails says so; the relay goes on trying long before the cut's own end."""
    relay.cut(100.0)
    rig.stick(True)
    with pytest.raises(HardwareError):
        relay.restore()
    assert relay.is_cut
    rig.stick(False)
    wait_until(lambda: not relay.is_cut)


def test_a_coil_that_is_stuck_at_the_start_is_an_error(rig: Rig) -> None:
    """A relay that cannot be brought to rest is not handed out."""
    rig.stick(True)
    with pytest.raises(HardwareError):
        TimedRelay(rig.coil())


def test_many_threads_may_cut_and_restore(rig: Rig, relay: Relay) -> None:
    """Orders from several threads never leave the box cut after the last restore."""

    def order() -> None:
        for _ in range(50):
            relay.cut(60.0)
            relay.restore()

    threads = [threading.Thread(target=order) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not relay.is_cut
    assert rig.history == [True, False] * (len(rig.history) // 2)


class WatchfulCoil(MemoryCoil):
    """Notes which threads there were when it was energised."""

    threads: tuple[str, ...] = ()

    def energise(self) -> None:
        self.threads = tuple(thread.name for thread in threading.enumerate())
        super().energise()


def test_the_guard_stands_ready_before_the_cut() -> None:
    """The thread that ends the cut runs before the coil is energised."""
    coil = WatchfulCoil()
    with TimedRelay(coil) as relay:
        relay.cut(60.0)
    assert "relay-guard" in coil.threads


class HalfDeadCoil(MemoryCoil):
    """Energises, then reports a failure; the first releases fail in a way no driver should."""

    releases_to_fail = 0

    def energise(self) -> None:
        super().energise()
        raise HardwareError("no answer")

    def release(self) -> None:
        if self.releases_to_fail:
            self.releases_to_fail -= 1
            raise KeyError("a fault of the driver")
        super().release()


def test_a_cut_that_failed_half_way_is_undone() -> None:
    """An energised coil that reports an error is released, whatever the driver raises meanwhile."""
    coil = HalfDeadCoil()
    with TimedRelay(coil, retry_s=0.01) as relay:
        coil.releases_to_fail = 3
        with pytest.raises(HardwareError, match="no answer"):
            relay.cut(60.0)
        wait_until(lambda: not relay.is_cut)
        assert coil.history == [True, False]


def test_the_end_of_the_process_restores() -> None:
    """A program that ends in the middle of a cut gives the power back."""
    program = """
from hardware.relay_timed import TimedRelay
from hardware.virtual.bay import Bay, BayUplink
from hardware.virtual.coil import VirtualCoil
from hardware.virtual.panel import MemoryCoil

class LoudCoil(MemoryCoil):
    def _set(self, *, energised):
        super()._set(energised=energised)
        print(energised, flush=True)

TimedRelay(LoudCoil()).cut(60.0)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.split() == ["False", "True", "False"]


@pytest.mark.parametrize("pin", [0, 2, 8, 28, -1])
def test_pins_that_would_cut_while_the_pi_starts_are_refused(pin: int) -> None:
    """Pins pulled up at power-on, and pins that do not exist, cannot switch a relay."""
    with pytest.raises(ValueError, match="allowed: GPIO 9 to 27"):
        GpioCoil(pin, MockFactory())


def test_a_pin_in_use_is_a_hardware_error() -> None:
    """Two relays on one pin are refused with the pin's number."""
    factory = MockFactory()
    first = GpioCoil(PIN, factory)
    with pytest.raises(HardwareError, match="17"):
        GpioCoil(PIN, factory)
    first.close()
