"""What every panel of buttons does: on mock pins and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory

from hardware.buttons_port import Press
from hardware.gpio import GpioButtons, GpioLights, GpioOutputs
from hardware.ports import HardwareError
from hardware.virtual.panel import VirtualButtons

PINS = {"page": 22, "hold": 23}


class GpioPanel:
    def __init__(self) -> None:
        self.now = 0.0
        self.factory = MockFactory()
        self.buttons: Any = GpioButtons(PINS, self.factory, bounce_s=None, clock=lambda: self.now)

    def press(self, name: str) -> None:
        self.factory.pin(PINS[name]).drive_low()

    def let_go(self, name: str) -> None:
        self.factory.pin(PINS[name]).drive_high()


class VirtualPanel:
    def __init__(self) -> None:
        self.now = 0.0
        self.virtual = VirtualButtons(*PINS, clock=lambda: self.now)
        self.buttons: Any = self.virtual

    def press(self, name: str) -> None:
        self.virtual.press(name)

    def let_go(self, name: str) -> None:
        self.virtual.let_go(name)


Panel = GpioPanel | VirtualPanel


@pytest.fixture(params=[GpioPanel, VirtualPanel], ids=["gpio", "virtual"])
def panel(request: pytest.FixtureRequest) -> Iterator[Panel]:
    built = request.param()
    yield built
    built.buttons.close()


def test_each_change_is_told_with_its_time(panel: Panel) -> None:
    """Down and up, by name, in order."""
    heard: list[Press] = []
    panel.buttons.listen(heard.append)
    for now, name in ((1.0, "page"), (5.0, "hold")):
        panel.now = now
        panel.press(name)
        panel.now = now + 2.0
        panel.let_go(name)
    assert heard == [
        Press("page", True, 1.0),
        Press("page", False, 3.0),
        Press("hold", True, 5.0),
        Press("hold", False, 7.0),
    ]


def test_a_press_that_goes_on_is_told_once(panel: Panel) -> None:
    """Only changes are news."""
    heard: list[Press] = []
    panel.buttons.listen(heard.append)
    for _ in range(3):
        panel.press("page")
    assert heard == [Press("page", True, 0.0)]


def test_what_is_down_already_is_told_first(panel: Panel) -> None:
    """A button that is stuck from the start is known."""
    panel.press("page")
    heard: list[Press] = []
    panel.buttons.listen(heard.append)
    assert heard == [Press("page", True, 0.0)]


def test_nothing_is_told_after_closing(panel: Panel) -> None:
    """Closing may be repeated."""
    heard: list[Press] = []
    panel.buttons.listen(heard.append)
    panel.buttons.close()
    panel.buttons.close()
    panel.press("page")
    assert heard == []


def test_a_pin_that_is_used_already_is_an_error_and_the_others_are_free_again() -> None:
    """The message names the button and its pin."""
    factory = MockFactory()
    lights = GpioLights({"site": (22, 24)}, factory)
    with pytest.raises(HardwareError, match="button page on GPIO 22"):
        GpioButtons({"hold": 23, "page": 22}, factory)
    lights.close()
    GpioButtons(PINS, factory).close()


def test_a_pin_is_pulled_up_and_its_bouncing_is_filtered() -> None:
    """A button needs nothing but a wire to ground."""
    factory = MockFactory()
    buttons = GpioButtons(PINS, factory)
    for pin in PINS.values():
        assert factory.pin(pin).pull == "up"
        assert factory.pin(pin).bounce == 0.02
    buttons.close()


def test_outputs_follow_and_are_let_go() -> None:
    """The two wires of a display on SPI."""
    factory = MockFactory()
    outputs = GpioOutputs(factory)
    outputs.setup(24, outputs.OUT)
    outputs.setup(25, outputs.OUT)
    outputs.output(24, outputs.HIGH)
    outputs.output(25, outputs.LOW)
    assert [bool(factory.pin(pin).state) for pin in (24, 25)] == [True, False]
    outputs.cleanup(24)
    outputs.cleanup()
    outputs.cleanup()
    GpioButtons({"page": 24, "hold": 25}, factory).close()
