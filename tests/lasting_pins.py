"""Mock pins whose levels are in a file, so that they outlive their process as a Raspberry Pi's do.

As a program: ``lasting_pins.py LEVELS show`` lights a LED and waits to be killed;
``lasting_pins.py LEVELS restore FILE...`` is ``hardware.restore`` on these pins.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPin


def level(levels: Path, pin: int) -> bool:
    """The level of a pin, also after its process has died."""
    return levels.exists() and (levels.read_bytes().ljust(28, b"0"))[pin : pin + 1] == b"1"


def lasting_factory(levels: Path) -> Any:
    """Mock pins that keep their levels in this file."""

    class LastingPin(MockPin):
        def _set_state(self, value: Any) -> None:
            super()._set_state(value)
            pins = bytearray(levels.read_bytes() if levels.exists() else b"0" * 28)
            pins[int(self.info.name.removeprefix("GPIO"))] = ord("1" if value else "0")
            levels.write_bytes(pins)

    return MockFactory(pin_class=LastingPin)


def main(levels: str, what: str, *files: str) -> int:
    Device.pin_factory = lasting_factory(Path(levels))
    from hardware import restore
    from hardware.gpio import GpioLights
    from hardware.lights_watched import WatchedLights
    from hardware.ports import Colour, Pattern

    if what == "restore":
        return restore.main(list(files))
    lights = WatchedLights(GpioLights({"ftth": (5, 6)}))
    while True:
        lights.show({"ftth": Pattern(Colour.GREEN)})
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
