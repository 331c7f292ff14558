"""What every buzzer does: on a mock pin and in memory."""

from __future__ import annotations

import time
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory

from hardware.buzzer_port import Beeps, Buzzer
from hardware.gpio import GpioBuzzer
from hardware.ports import HardwareError
from hardware.virtual.panel import VirtualBuzzer

BEEPS = Beeps(times=3, on_s=0.01, off_s=0.01)


class GpioRig:
    def __init__(self) -> None:
        self._factory = MockFactory()
        self._pin: Any = self._factory.pin(23)
        self.buzzer: Buzzer = GpioBuzzer(23, self._factory)

    def tones(self) -> int:
        """How many it has begun to sound."""
        states = [bool(state.state) for state in self._pin.states]
        return sum(after and not before for before, after in zip([False, *states], states, strict=False))

    def sounds(self) -> bool:
        return bool(self._pin.state)


class VirtualRig:
    def __init__(self) -> None:
        self.buzzer: Buzzer = VirtualBuzzer()

    def tones(self) -> int:
        assert isinstance(self.buzzer, VirtualBuzzer)
        return sum(beeps.times for beeps in self.buzzer.heard)

    def sounds(self) -> bool:
        return False


Rig = GpioRig | VirtualRig


@pytest.fixture(params=[GpioRig, VirtualRig], ids=["gpio", "virtual"])
def rig(request: pytest.FixtureRequest) -> Rig:
    built: Rig = request.param()
    return built


def wait_for(rig: Rig, tones: int) -> None:
    deadline = time.monotonic() + 20
    while rig.tones() < tones or rig.sounds():
        assert time.monotonic() < deadline, "it did not sound"
        time.sleep(0.002)


def test_silent_when_made(rig: Rig) -> None:
    """Nothing is heard before it is asked for."""
    assert rig.tones() == 0
    assert not rig.sounds()
    rig.buzzer.close()


def test_a_sound_is_so_many_tones_and_ends(rig: Rig) -> None:
    """Nobody has to end it, and it can be asked for again."""
    rig.buzzer.sound(BEEPS)
    wait_for(rig, 3)
    rig.buzzer.sound(BEEPS)
    wait_for(rig, 6)
    assert rig.tones() == 6
    rig.buzzer.close()


def test_closing_ends_a_sound(rig: Rig) -> None:
    """However long it was to last; afterwards it cannot sound."""
    rig.buzzer.sound(Beeps(times=1, on_s=1000.0, off_s=1.0))
    rig.buzzer.close()
    rig.buzzer.close()
    assert not rig.sounds()
    with pytest.raises(HardwareError):
        rig.buzzer.sound(BEEPS)


def test_a_pin_in_use_is_an_error() -> None:
    """And the message names it."""
    factory = MockFactory()
    buzzer = GpioBuzzer(23, factory)
    with pytest.raises(HardwareError, match="buzzer on GPIO 23"):
        GpioBuzzer(23, factory)
    buzzer.close()
