"""What every panel of LEDs does: on mock pins and in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory, MockPin

from hardware.gpio import GpioLights
from hardware.lights_watched import WatchedLights
from hardware.ports import Colour, HardwareError, Lights, Pattern
from hardware.virtual.panel import VirtualLights, colour_at

PINS = {"ftth": (5, 6), "site": (12, 13)}
LIT = [Colour.GREEN, Colour.ORANGE, Colour.RED]


class StubbornPin(MockPin):
    """A pin that can stop obeying."""

    stuck = False

    def _set_state(self, value: Any) -> None:
        if self.stuck:
            raise OSError("the pin is stuck")
        super()._set_state(value)


class GpioPanel:
    def __init__(self) -> None:
        self.factory = MockFactory(pin_class=StubbornPin)
        self.lights: Any = GpioLights(PINS, self.factory)

    def colour(self, name: str) -> Colour:
        lit = tuple(bool(self.factory.pin(pin).state) for pin in PINS[name])
        return {
            (False, False): Colour.DARK,
            (True, False): Colour.GREEN,
            (False, True): Colour.RED,
            (True, True): Colour.ORANGE,
        }[lit]


class VirtualPanel:
    def __init__(self) -> None:
        self.lights: Any = VirtualLights(*PINS)

    def colour(self, name: str) -> Colour:
        return colour_at(self.lights.patterns[name], 0.0)


class WatchedPanel(GpioPanel):
    """As the agent opens them."""

    def __init__(self) -> None:
        super().__init__()
        self.lights = WatchedLights(self.lights)


Panel = GpioPanel | VirtualPanel


@pytest.fixture(params=[GpioPanel, WatchedPanel, VirtualPanel], ids=["gpio", "watched", "virtual"])
def panel(request: pytest.FixtureRequest) -> Iterator[Panel]:
    built = request.param()
    yield built
    built.lights.close()


@pytest.fixture
def gpio() -> Iterator[GpioPanel]:
    built = GpioPanel()
    yield built
    built.lights.close()


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for another thread to have done its work."""
    deadline = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.001)


def test_dark_at_the_start(panel: Panel) -> None:
    """A new panel shows nothing."""
    assert panel.colour("ftth") is Colour.DARK
    assert panel.colour("site") is Colour.DARK


@pytest.mark.parametrize("colour", list(Colour))
def test_each_colour(panel: Panel, colour: Colour) -> None:
    """A steady pattern shows its colour; orange is both."""
    panel.lights.show({"ftth": Pattern(colour)})
    assert panel.colour("ftth") is colour


def test_leds_not_named_go_dark(panel: Panel) -> None:
    """What is not said to be lit is dark, also if it was lit before."""
    panel.lights.show({"ftth": Pattern(Colour.GREEN), "site": Pattern(Colour.RED)})
    panel.lights.show({"site": Pattern(Colour.RED)})
    assert panel.colour("ftth") is Colour.DARK
    assert panel.colour("site") is Colour.RED


def test_names_without_a_led_are_ignored(panel: Panel) -> None:
    """An uplink that has no LED disturbs nobody."""
    panel.lights.show({"ftth": Pattern(Colour.GREEN), "cellular": Pattern(Colour.RED)})
    assert panel.colour("ftth") is Colour.GREEN


def test_from_one_colour_to_another(panel: Panel) -> None:
    """No rest of the old colour stays lit."""
    for colour in (Colour.ORANGE, Colour.RED, Colour.GREEN, Colour.ORANGE, Colour.GREEN, Colour.RED):
        panel.lights.show({"ftth": Pattern(colour)})
        assert panel.colour("ftth") is colour


def test_steady_after_blinking(panel: Panel) -> None:
    """A steady pattern ends the blinking."""
    for colour in LIT:
        panel.lights.show({"ftth": Pattern(colour, 0.01, 0.01)})
        panel.lights.show({"ftth": Pattern(Colour.GREEN)})
        assert panel.colour("ftth") is Colour.GREEN


def test_closing_goes_dark_and_may_be_repeated(panel: Panel) -> None:
    """Nothing is lit after closing."""
    panel.lights.show({"ftth": Pattern(Colour.GREEN), "site": Pattern(Colour.ORANGE, 0.01, 0.01)})
    panel.lights.close()
    panel.lights.close()
    assert panel.colour("ftth") is Colour.DARK
    assert panel.colour("site") is Colour.DARK


@pytest.mark.parametrize("colour", LIT)
def test_pins_blink(gpio: GpioPanel, colour: Colour) -> None:
    """A blinking LED goes lit and dark again and again by itself."""
    gpio.lights.show({"ftth": Pattern(colour, 0.01, 0.01)})
    lit_pins = [pin for pin, is_lit in zip(PINS["ftth"], _lit(colour), strict=True) if is_lit]
    wait_until(lambda: all(len(gpio.factory.pin(pin).states) > 6 for pin in lit_pins))


def _lit(colour: Colour) -> tuple[bool, bool]:
    return colour in (Colour.GREEN, Colour.ORANGE), colour in (Colour.RED, Colour.ORANGE)


def test_orange_blinks_in_step(gpio: GpioPanel) -> None:
    """Green and red of an orange LED change together, by one thread."""
    gpio.lights.show({"ftth": Pattern(Colour.ORANGE, 0.005, 0.005)})
    green, red = (gpio.factory.pin(pin) for pin in PINS["ftth"])
    wait_until(lambda: len(red.states) > 40)
    gpio.lights.show({})
    assert [state.state for state in green.states] == [state.state for state in red.states]


def test_the_same_pattern_does_not_start_again(gpio: GpioPanel) -> None:
    """Showing a pattern that is already shown leaves its rhythm alone."""
    patterns = {"ftth": Pattern(Colour.RED, 0.5, 0.5)}
    gpio.lights.show(patterns)
    thread = gpio.lights._lights["ftth"]._pair.red._blink_thread
    gpio.lights.show(patterns)
    assert gpio.lights._lights["ftth"]._pair.red._blink_thread is thread


def test_a_led_that_does_not_obey_is_an_error_and_is_set_again(gpio: GpioPanel) -> None:
    """An error names the LED; the same pattern is really written once it obeys again."""
    green = gpio.factory.pin(PINS["ftth"][0])
    green.stuck = True
    with pytest.raises(HardwareError, match="LED ftth on GPIO 5 and 6"):
        gpio.lights.show({"ftth": Pattern(Colour.GREEN)})
    green.stuck = False
    gpio.lights.show({"ftth": Pattern(Colour.GREEN)})
    assert gpio.colour("ftth") is Colour.GREEN


def test_two_leds_on_one_pin_are_refused() -> None:
    """A pin that is used twice is an error, and the other pins are free again."""
    factory = MockFactory()
    with pytest.raises(HardwareError, match="LED b"):
        GpioLights({"a": (5, 6), "b": (6, 12)}, factory)
    lights: Lights = GpioLights({"a": (5, 6)}, factory)
    lights.close()


def test_the_virtual_led_blinks_with_the_clock() -> None:
    """A pattern is lit first, dark after, and starts over."""
    pattern = Pattern(Colour.RED, on_s=0.5, off_s=0.25)
    seen = [colour_at(pattern, elapsed_s) for elapsed_s in (0.0, 0.49, 0.5, 0.74, 0.75)]
    assert seen == [Colour.RED, Colour.RED, Colour.DARK, Colour.DARK, Colour.RED]
