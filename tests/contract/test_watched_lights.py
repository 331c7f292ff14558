"""LEDs that nobody sets any more: dark by themselves, and dark after the agent has been killed."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory
from lasting_pins import level

from agent.core.snapshot_types import Snapshot
from agent.runtime.trial import TrialLights
from agent.sinks.lights import LightsSink
from hardware.gpio import GpioLights
from hardware.lights_watched import WatchedLights
from hardware.ports import Colour, HardwareError, Pattern
from hardware.virtual.panel import VirtualLights

LASTING_PINS = Path(__file__).parents[1] / "lasting_pins.py"
GREEN = Pattern(Colour.GREEN)
Build = Callable[..., Any]


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for another thread or process, without giving way to this one's event loop."""
    deadline = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.002)


def test_a_frozen_loop_shows_no_green(example_snapshot: Build, example_uplink: Build) -> None:
    """The agent's loop stops in the middle of a steady green and of a blinking; the panel goes dark alone."""
    factory = MockFactory()
    lights = WatchedLights(GpioLights({"ftth": (5, 6), "site": (12, 13)}, factory), stale_s=0.3)
    seen: list[bool] = []

    def lit() -> bool:
        return bool(factory.pin(5).state)

    async def stream() -> AsyncIterator[Snapshot]:
        yield example_snapshot(uplinks=(example_uplink("ftth"),))
        seen.append(lit())
        wait_until(lambda: not lit())  # the loop does nothing else meanwhile
        seen.append(any(factory.pin(pin).state for pin in (5, 6, 12, 13)))
        yield example_snapshot(seq=2, mono=1010.0, uplinks=(example_uplink("ftth"),))
        seen.append(lit())

    with lights:
        asyncio.run(LightsSink(lights).run(stream()))
    assert seen == [True, False, True], "green, dark while frozen, green when the loop goes on"


def test_who_keeps_showing_keeps_the_light() -> None:
    """The same pattern again and again, for many times the allowed silence, is never interrupted."""
    panel = VirtualLights("ftth")
    now = [0.0]
    with WatchedLights(panel, stale_s=5.0, clock=lambda: now[0]) as lights:
        for _ in range(50):
            now[0] += 4.0
            lights.show({"ftth": GREEN})
        assert panel.changes == [("ftth", GREEN)]


def test_a_trial_is_not_taken_for_silence() -> None:
    """While a person tries out the panel, the sink's snapshots keep lit what the person asked for."""
    panel = VirtualLights("ftth", "site")
    now = [0.0]
    with WatchedLights(panel, stale_s=5.0, clock=lambda: now[0]) as watched:
        lights = TrialLights(watched)
        lights.begin("ftth", Colour.RED)
        for _ in range(5):
            now[0] += 4.0
            lights.show({"ftth": GREEN, "site": GREEN})
        assert watched._shown_at == now[0], "each counts as a sign of life"
        assert panel.changes == [("ftth", Pattern(Colour.RED))]


class Stubborn(VirtualLights):
    """Does not obey for the first so many times that it is to go dark."""

    def __init__(self, refusals: int) -> None:
        super().__init__("ftth")
        self.refusals = refusals

    def show(self, patterns: Mapping[str, Pattern]) -> None:
        if not patterns and self.refusals:
            self.refusals -= 1
            raise HardwareError("the LED does not obey")
        super().show(patterns)


def test_it_tries_until_the_led_obeys() -> None:
    """A LED that does not go dark at once is told again."""
    panel = Stubborn(3)
    with WatchedLights(panel, stale_s=0.01, retry_s=0.001) as lights:
        lights.show({"ftth": GREEN})
        wait_until(lambda: panel.patterns["ftth"].colour is Colour.DARK)
    assert panel.refusals == 0


def test_after_closing_nothing_is_lit_and_nothing_can_be() -> None:
    """Closing darkens, may be repeated, and ends the thread."""
    panel = VirtualLights("ftth")
    lights = WatchedLights(panel)
    lights.show({"ftth": GREEN})
    lights.close()
    lights.close()
    assert panel.patterns["ftth"].colour is Colour.DARK
    with pytest.raises(HardwareError, match="closed"):
        lights.show({"ftth": GREEN})
    lights._guard.join(10)
    assert not lights._guard.is_alive()


def pins_program(levels: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(LASTING_PINS), str(levels), *arguments]


def test_a_killed_agent_leaves_its_leds_lit_until_they_are_darkened(tmp_path: Path) -> None:
    """Kill -9 in a steady green: the pins stay as they were, as on a Pi, and ExecStopPost darkens them.

    The pins are mock pins whose levels are in a file, so that they outlive the process. That a Pi's kernel
    keeps a level, and that lgpio can take over a pin of a dead process, is not shown here.
    """
    levels, relays, pins = tmp_path / "levels", tmp_path / "relays", tmp_path / "pins"
    pins.write_text("5\n6\n")
    with subprocess.Popen(pins_program(levels, "show")) as agent:
        try:
            wait_until(lambda: level(levels, 5))
        finally:
            agent.kill()
    assert agent.returncode == -signal.SIGKILL
    assert level(levels, 5)
    done = subprocess.run(
        pins_program(levels, "restore", str(relays), str(pins)), check=False, timeout=60, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert not level(levels, 5)
