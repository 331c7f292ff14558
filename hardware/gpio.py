"""Relay coils, LEDs, buttons and a buzzer on the pins of a Raspberry Pi. The one file that imports gpiozero.

Only the lgpio backend is used: gpiozero's other backends are unmaintained, need root, or do not know the
Pi 5, and gpiozero falls back to them with nothing but a warning. The environment variable
``GPIOZERO_PIN_FACTORY`` overrides the choice (``mock`` on a machine without pins).

lgpio makes a named pipe ``.lgd-nfy*`` when it is imported, in the directory ``LG_WD`` (to which it also
changes the process's working directory) or else in the working directory, and leaves it behind. That
directory must be writable; under systemd it is the service's runtime directory.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gpiozero import Button, Device, DigitalOutputDevice, LEDBoard, OutputDevice

from hardware.buttons_port import Press
from hardware.buzzer_port import Beeps
from hardware.pins import check_relay_pin
from hardware.ports import Colour, HardwareError, HardwareMissingError, Pattern

DARK = Pattern(Colour.DARK)
BOUNCE_S = 0.02
"""Contacts of a push-button bounce for some milliseconds, worn ones for up to twenty."""


@contextmanager
def _obeying(what: str) -> Iterator[None]:
    """Turn whatever gpiozero and its backend raise, which share no base class, into ``HardwareError``."""
    try:
        yield
    except HardwareError:
        raise
    except Exception as error:
        raise HardwareError(f"{what}: {error}") from error


def default_factory() -> Any:
    """The pin factory of this machine, made once and shared by all devices of the process.

    Raises:
        HardwareMissingError: what is missing, and how to get it.
        HardwareError: the pins are there but cannot be opened.
    """
    if Device.pin_factory is None:
        if os.environ.get("GPIOZERO_PIN_FACTORY", "lgpio") == "lgpio":
            check_lgpio()
            Device.pin_factory = _lgpio_factory()
        else:
            with _obeying("cannot use GPIOZERO_PIN_FACTORY"):
                Device.ensure_pin_factory()
    return Device.pin_factory


def check_lgpio(devices: Path = Path("/dev")) -> None:
    """Check what lgpio needs and reports badly itself.

    Raises:
        HardwareMissingError: what is missing, and how to get it.
    """
    chips = sorted(devices.glob("gpiochip*"))
    if not chips:
        raise HardwareMissingError(
            f"this machine has no pins ({devices}/gpiochip* does not exist): "
            "run on a Raspberry Pi, or set GPIOZERO_PIN_FACTORY=mock to try without"
        )
    if not any(os.access(chip, os.R_OK | os.W_OK) for chip in chips):
        raise HardwareMissingError(
            f"this user may not use {chips[0]}: add it to the group gpio (sudo usermod -aG gpio USER) "
            "and log in again; in a systemd unit: SupplementaryGroups=gpio"
        )
    place = Path(os.environ.get("LG_WD") or Path.cwd())
    if not os.access(place, os.W_OK):
        raise HardwareMissingError(
            f"lgpio must create a pipe in {place}, not writable: start from another, or set LG_WD"
        )
    advice = "sudo apt install python3-lgpio, and a virtual environment with --system-site-packages"
    try:
        lgpio = importlib.import_module("lgpio")
    except (ImportError, OSError) as error:
        raise HardwareMissingError(f"the Python module lgpio cannot be loaded ({error}): {advice}") from error
    if not hasattr(lgpio, "gpiochip_open"):
        # Version 0.0.0.2 on PyPI, the only one with a wheel for some machines, is an empty file.
        raise HardwareMissingError(f"the Python module lgpio at {lgpio.__file__} is empty: {advice}")


def _lgpio_factory() -> Any:
    with _obeying("cannot open the pins"):
        from gpiozero.pins.lgpio import LGPIOFactory

        return LGPIOFactory()


class GpioCoil:
    """A relay board's input, active high, on one pin (BCM number).

    An active-low board must not be used: the library drives the pin low for an instant at every start,
    which would cut the box's power.

    Raises:
        ValueError: the pin may not switch a relay.
        HardwareMissingError: this machine has no usable pins.
        HardwareError: the pin is in use or does not obey.
    """

    def __init__(self, pin: int, pin_factory: Any = None) -> None:
        self._name = f"relay on GPIO {check_relay_pin(pin)}"
        factory = pin_factory or default_factory()
        with _obeying(self._name):
            self._device = OutputDevice(pin, active_high=True, initial_value=False, pin_factory=factory)

    def energise(self) -> None:
        """Take the power away."""
        with _obeying(self._name):
            self._device.on()

    def release(self) -> None:
        """Give the power back."""
        with _obeying(self._name):
            self._device.off()

    def close(self) -> None:
        """Let go of the pin: it floats, and the relay board's pull-down keeps the coil released."""
        with _obeying(self._name):
            self._device.close()


class GpioLights:
    """Two-colour LEDs, each on two pins; both colours together are orange.

    Attributes:
        pins: name of the LED to its (green, red) pins, BCM numbers.

    Raises:
        HardwareMissingError: this machine has no usable pins.
        HardwareError: a pin does not exist, is in use, or does not obey.
    """

    def __init__(self, pins: Mapping[str, tuple[int, int]], pin_factory: Any = None) -> None:
        factory = pin_factory or default_factory()
        self._lights: dict[str, _Light] = {}
        try:
            for name, (green, red) in pins.items():
                self._lights[name] = _Light(name, green, red, factory)
        except HardwareError:
            self.close()
            raise

    def show(self, patterns: Mapping[str, Pattern]) -> None:
        """Set the named LEDs, all others dark."""
        for name, light in self._lights.items():
            light.show(patterns.get(name, DARK))

    def close(self) -> None:
        """All dark, pins released."""
        while self._lights:
            self._lights.popitem()[1].close()


class GpioBuzzer:
    """A buzzer that sounds by itself while its pin (BCM number) is high.

    Raises:
        HardwareMissingError: this machine has no usable pins.
        HardwareError: the pin is in use or does not obey.
    """

    def __init__(self, pin: int, pin_factory: Any = None) -> None:
        self._name = f"buzzer on GPIO {pin}"
        factory = pin_factory or default_factory()
        with _obeying(self._name):
            self._device = DigitalOutputDevice(pin, initial_value=False, pin_factory=factory)

    def sound(self, beeps: Beeps) -> None:
        """Sound by a thread of the driver's own, which ends it."""
        if self._device.closed:  # gpiozero would find out in its own thread, where nobody hears of it
            raise HardwareError(f"{self._name} is closed")
        with _obeying(self._name):
            self._device.blink(on_time=beeps.on_s, off_time=beeps.off_s, n=beeps.times)

    def close(self) -> None:
        """Silence, pin released. Does nothing the second time."""
        with _obeying(self._name):
            if not self._device.closed:
                self._device.off()
            self._device.close()


def darken(pin: int, pin_factory: Any = None) -> None:
    """Drive one output low (BCM number), then let go of it.

    Raises:
        HardwareMissingError: this machine has no usable pins.
        HardwareError: the pin does not exist, is in use, or does not obey.
    """
    factory = pin_factory or default_factory()
    with _obeying(f"GPIO {pin}"):
        OutputDevice(pin, initial_value=False, pin_factory=factory).close()


class _Light:
    """One LED with its own background rhythm."""

    def __init__(self, name: str, green: int, red: int, factory: Any) -> None:
        self._name = f"LED {name} on GPIO {green} and {red}"
        self._shown: Pattern | None = DARK
        with _obeying(self._name):
            # One board for the pair, so that one thread blinks both: two threads would drift apart.
            self._pair = LEDBoard(green=green, red=red, pin_factory=factory)

    def show(self, pattern: Pattern) -> None:
        if pattern == self._shown:
            return
        self._shown = None
        with _obeying(self._name):
            self._pair.off()
            self._start(pattern)
        self._shown = pattern

    def _start(self, pattern: Pattern) -> None:
        lit = {
            Colour.DARK: None,
            Colour.GREEN: self._pair.green,
            Colour.RED: self._pair.red,
            Colour.ORANGE: self._pair,
        }[pattern.colour]
        if lit is None:
            return
        if pattern.off_s > 0:
            lit.blink(on_time=pattern.on_s, off_time=pattern.off_s)
        else:
            lit.on()

    def close(self) -> None:
        with _obeying(self._name):
            self._pair.off()
            self._pair.close()


class GpioButtons:
    """Push-buttons, each between its pin and ground; the Pi's own pull-up holds the pin up.

    Attributes:
        pins: name of the button to its pin, BCM numbers.
        clock: monotonic seconds.

    Raises:
        HardwareMissingError: this machine has no usable pins.
        HardwareError: a pin does not exist, is in use, or does not obey.
    """

    def __init__(
        self,
        pins: Mapping[str, int],
        pin_factory: Any = None,
        *,
        bounce_s: float | None = BOUNCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        factory = pin_factory or default_factory()
        self._clock = clock
        self._buttons: dict[str, Button] = {}
        try:
            for name, pin in pins.items():
                with _obeying(f"button {name} on GPIO {pin}"):
                    self._buttons[name] = Button(pin, bounce_time=bounce_s, pin_factory=factory)
        except HardwareError:
            self.close()
            raise

    def listen(self, heard: Callable[[Press], None]) -> None:
        """Tell each change, and first what is down already."""
        for name, button in self._buttons.items():
            self._listen(name, button, heard)

    def _listen(self, name: str, button: Button, heard: Callable[[Press], None]) -> None:
        def tell(*, down: bool) -> None:
            heard(Press(name, down, self._clock()))

        button.when_pressed = lambda: tell(down=True)
        button.when_released = lambda: tell(down=False)
        if button.is_pressed:
            # A change between these lines is told twice; the second says nothing new.
            tell(down=True)

    def close(self) -> None:
        """Tell nothing any more, pins released."""
        while self._buttons:
            name, button = self._buttons.popitem()
            with _obeying(f"button {name}"):
                if button.when_pressed is not None:
                    # The library keeps handlers by the id of the button, which a later one may get.
                    button.when_pressed = button.when_released = None
                button.close()


class GpioOutputs:
    """Plain outputs in the words of RPi.GPIO, as luma speaks to the two extra wires of a display on SPI."""

    OUT = LOW = 0
    HIGH = 1

    def __init__(self, pin_factory: Any = None) -> None:
        self._factory = pin_factory
        self._outputs: dict[int, OutputDevice] = {}

    def setup(self, pin: int, mode: int) -> None:
        """Make the pin an output; there is no other mode."""
        del mode
        with _obeying(f"display on GPIO {pin}"):
            self._outputs[pin] = OutputDevice(pin, pin_factory=self._factory or default_factory())

    def output(self, pin: int, value: int) -> None:
        """Drive the pin high or low."""
        with _obeying(f"display on GPIO {pin}"):
            self._outputs[pin].value = value

    def cleanup(self, pin: int | None = None) -> None:
        """Let go of this pin, or of all."""
        for one in list(self._outputs) if pin is None else [pin]:
            output = self._outputs.pop(one, None)
            if output is not None:
                output.close()
