"""The drivers that a configuration asks for; with ``app`` the composition root, and alone in knowing them.

Each is imported where it is made, so that the daemon loads what its configuration uses and nothing else, and
a laptop without GPIO runs everything but the relay.
"""

from __future__ import annotations

import logging
from pathlib import Path

from agent.config.schema import Config
from agent.core.model import Part
from hardware.ports import HardwareError, Lights, Relay, Screen

log = logging.getLogger("vigie")


def open_relays(config: Config, runtime: Path) -> tuple[dict[str, Relay], list[Part]]:
    """Open every relay, which restores its box; what cannot be opened becomes a finding.

    The list of relays is written into the folder ``runtime`` first, so that they can be restored without the
    daemon and without its configuration, whatever happens next.
    """
    from hardware.relays import open_relay

    specs = {box.name: box.relay for box in config.box if box.relay is not None}
    runtime.mkdir(parents=True, exist_ok=True)
    (runtime / "relays").write_text("".join(f"{spec}\n" for spec in specs.values()))
    relays: dict[str, Relay] = {}
    parts: list[Part] = []
    for name, spec in specs.items():
        try:
            relays[name] = open_relay(spec)
        except (HardwareError, ValueError) as error:
            log.warning("relay of %s (%s) cannot be used, this box is not armed: %s", name, spec, error)
            parts.append(Part(f"relay:{name}", ok=False, detail=str(error)))
    return relays, parts


def open_lights(config: Config) -> Lights:
    """Open the front panel's LEDs."""
    from hardware.gpio import GpioLights

    return GpioLights({name: (led.green, led.red) for name, led in config.panel.leds.items()})


def open_screen(config: Config) -> Screen:
    """Open the front panel's screen."""
    from hardware.screen import LumaScreen

    panel = config.panel
    assert panel.screen != "none", "no screen is configured"
    return LumaScreen(panel.screen, panel.i2c_port, panel.i2c_address)
