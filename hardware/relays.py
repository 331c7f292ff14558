"""From the name of a relay in a configuration to its driver, loading only the driver that is named."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from hardware.pins import RELAY_PINS, check_relay_pin
from hardware.ports import Relay
from hardware.relay_timed import Coil, TimedRelay

RELAY_SPEC = re.compile(r"gpio(?P<pin>[0-9]{1,3})|virtual:(?P<path>/[^#\n]+)#(?P<box>[A-Za-z0-9_-]+)")
"""``gpio17`` (BCM number) or ``virtual:/path/relay.sock#box``."""

ALLOWED = (
    f"gpio{RELAY_PINS.start} to gpio{RELAY_PINS.stop - 1} (BCM numbers), "
    "or virtual:/absolute/path/relay.sock#box for the virtual bay"
)


@dataclass(frozen=True, slots=True)
class GpioRelay:
    """A relay board's input on a pin of the Raspberry Pi (BCM number)."""

    pin: int


@dataclass(frozen=True, slots=True)
class VirtualRelay:
    """The power of ``box`` in a virtual bay that listens on the unix socket ``path``."""

    path: Path
    box: str


def parse_relay(spec: str) -> GpioRelay | VirtualRelay:
    """Read one relay's name, without loading any driver.

    Raises:
        ValueError: not a relay's name; the message says what is allowed.
    """
    match = RELAY_SPEC.fullmatch(spec)
    if match is None:
        raise ValueError(f"{spec!r} is not a relay; allowed: {ALLOWED}")
    if match["pin"] is not None:
        return GpioRelay(check_relay_pin(int(match["pin"])))
    return VirtualRelay(Path(match["path"]), match["box"])


def open_relay(spec: str) -> Relay:
    """Open the driver of the relay named ``spec``; its box has power then.

    Raises:
        ValueError: not a relay's name.
        HardwareMissingError: the relay's library or device is not on this machine.
        HardwareError: the relay does not obey.
    """
    return TimedRelay(_open_coil(parse_relay(spec)))


def _open_coil(relay: GpioRelay | VirtualRelay) -> Coil:
    if isinstance(relay, GpioRelay):
        from hardware.gpio import GpioCoil

        return GpioCoil(relay.pin)
    from hardware.virtual.coil import VirtualCoil

    return VirtualCoil(relay.path, relay.box)
