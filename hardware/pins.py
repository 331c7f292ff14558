"""Which pins of the Raspberry Pi may switch a relay, and which a display on SPI needs (BCM numbers)."""

from __future__ import annotations

RELAY_PINS = range(9, 28)
"""Pins whose power-on pull is down. GPIO 0 to 8 are pulled up from power-on until software runs, which
would energise an active-high relay input and leave the box without power while the Pi boots."""

SPI_DATA_PIN = 24
SPI_RESET_PIN = 25
"""The two wires that a display on the SPI bus needs besides: data or command, and reset."""


def check_relay_pin(pin: int) -> int:
    """Return ``pin`` if it may switch a relay.

    Raises:
        ValueError: it may not; the message says why and what is allowed.
    """
    if pin in RELAY_PINS:
        return pin
    allowed = f"allowed: GPIO {RELAY_PINS.start} to {RELAY_PINS.stop - 1} (BCM numbers)"
    if 0 <= pin < RELAY_PINS.start:
        raise ValueError(
            f"GPIO {pin} is pulled up when the Pi powers on, which would cut the box's power at every start; "
            + allowed
        )
    raise ValueError(f"GPIO {pin} is not on the Raspberry Pi's header; {allowed}")
