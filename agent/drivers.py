"""The drivers that a configuration asks for; with ``app`` the composition root, and alone in knowing them.

Each is imported where it is made, so that the daemon loads what its configuration uses and nothing else, and
a laptop without GPIO runs everything but the relay.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from agent.config.schema import Box as BoxSection
from agent.config.schema import Config
from agent.config.schema import Modem as ModemSection
from agent.config.secrets import read_secret
from agent.core.model import Part
from hardware.box_port import BoxStatus
from hardware.buttons_port import Buttons
from hardware.buzzer_port import Buzzer
from hardware.ports import HardwareError, Lights, Modem, Relay, Screen

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


def open_modems(config: Config) -> dict[str, Modem]:
    """By name, the driver of each modem; none touches its modem yet."""
    interfaces = {uplink.name: uplink.interface for uplink in config.uplink}
    return {modem.name: _modem(modem, interfaces[modem.uplink]) for modem in config.modem}


def open_boxes(config: Config) -> dict[str, BoxStatus]:
    """By name, the driver of each box and dish that can be asked about itself; none touches it yet."""
    interfaces = {uplink.name: uplink.interface for uplink in config.uplink}
    return {box.name: _box(box, interfaces[box.uplink]) for box in config.box if box.api is not None}


def open_modem(config: Config, name: str) -> Modem:
    """The driver of one modem, which must be in the configuration, and of nothing else."""
    modem = next(modem for modem in config.modem if modem.name == name)
    return _modem(modem, next(uplink.interface for uplink in config.uplink if uplink.name == modem.uplink))


def _modem(modem: ModemSection, interface: str) -> Modem:
    if modem.driver == "at":
        from hardware.at import AtModem

        assert modem.device is not None, "rules let no AT modem through without its port"
        return AtModem(modem.device)
    from hardware.huawei import HuaweiModem

    return HuaweiModem(
        f"http://{modem.address}/",
        username=modem.username,
        password=_secret(modem.password_file),
        interface=interface,
    )


def _box(box: BoxSection, interface: str) -> BoxStatus:
    from hardware.lan_http import Endpoint

    assert box.address is not None, "every language has a usual address"
    endpoint = Endpoint(box.address, device=interface)
    secret = _secret(box.password_file)
    match box.api:
        case "livebox":
            from hardware.livebox import Livebox

            return Livebox(endpoint, secret)
        case "freebox":
            from hardware.freebox import Freebox

            return Freebox(endpoint, secret or "")
        case "sfr":
            from hardware.sfr import SfrBox

            return SfrBox(endpoint)
        case "bbox":
            from hardware import bbox

            return bbox.Bbox(replace(bbox.ENDPOINT, host=box.address, device=interface), secret)
        case _:
            from hardware import starlink

            return starlink.Starlink(replace(starlink.DISH, host=box.address, device=interface))


def _secret(file: str | None) -> str | None:
    """A device's password; None if there is none, or if it cannot be read, which is logged."""
    if file is None:
        return None
    try:
        return read_secret(file)
    except (OSError, ValueError) as error:
        log.warning("a device is asked without its password: %s", error)
        return None


def list_pins(config: Config, runtime: Path) -> None:
    """Write into the folder ``runtime`` which pins must be low when no agent runs, however it ended."""
    pins = [pin for led in config.panel.leds.values() for pin in (led.green, led.red)]
    if config.panel.buzzer is not None:
        pins.append(config.panel.buzzer)
    runtime.mkdir(parents=True, exist_ok=True)
    (runtime / "pins").write_text("".join(f"{pin}\n" for pin in pins))


def open_lights(config: Config) -> Lights:
    """Open the front panel's LEDs, which go dark when nobody sets them any more."""
    from hardware.gpio import GpioLights
    from hardware.lights_watched import WatchedLights

    return WatchedLights(GpioLights({name: (led.green, led.red) for name, led in config.panel.leds.items()}))


def open_buzzer(config: Config) -> Buzzer:
    """Open the front panel's buzzer."""
    from hardware.gpio import GpioBuzzer

    assert config.panel.buzzer is not None, "no buzzer is configured"
    return GpioBuzzer(config.panel.buzzer)


def open_screen(config: Config) -> Screen:
    """Open the front panel's screen."""
    from hardware.screen import LumaScreen

    panel = config.panel
    assert panel.screen != "none", "no screen is configured"
    spi = None if panel.spi_port is None else (panel.spi_port, panel.spi_device)
    return LumaScreen(panel.screen, panel.i2c_port, panel.i2c_address, spi=spi, upside_down=panel.upside_down)


def open_buttons(config: Config) -> tuple[Buttons | None, list[Part]]:
    """Open the front panel's buttons; ones that cannot be used become a finding, the screen works without."""
    from hardware.gpio import GpioButtons

    pins = {"page": config.panel.button, "hold": config.panel.button_hold}
    given = {name: pin for name, pin in pins.items() if pin is not None}
    if not given:
        return None, []
    try:
        return GpioButtons(given), []
    except HardwareError as error:
        log.warning("the button cannot be used: %s", error)
        return None, [Part("button", ok=False, detail=str(error))]
