"""Rules between the keys of the front panel, and for the pins that it shares with the relays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent.config.forms import RELAY, RELAY_PINS
from agent.config.lines import KeyPath
from agent.config.problems import shown, where
from agent.config.rules import Entries, entries, no_uplink
from agent.config.shape import Fault
from agent.config.words import Words, say

BUTTONS = ("button", "button_hold")
SINGLE_PINS = (*BUTTONS, "buzzer")
I2C_PINS = {0: (0, 1), 1: (2, 3)}
"""The pins of the buses that are on the header by default (BCM numbers)."""
SPI_PINS = {0: (7, 8, 9, 10, 11), 1: (16, 17, 18, 19, 20, 21)}
SPI_WIRES = (24, 25)
"""Data or command, and reset."""
SPI_DEVICES = {0: 2, 1: 3}
"""How many chip-select lines each bus has on the header."""


def broken_panel_rules(clean: Mapping[str, Any]) -> Iterator[Fault]:
    """Every broken rule, in no particular order."""
    uplinks, panel = entries(clean, "uplink"), clean.get("panel", {})
    yield from _led_names(panel, uplinks)
    yield from _pins(entries(clean, "box"), panel)
    yield from _screen(panel)


def _led_names(panel: Mapping[str, Any], uplinks: Entries) -> Iterator[Fault]:
    names = ["site", *(uplink["name"] for _, uplink in uplinks if "name" in uplink)]
    if len(names) - 1 < len(uplinks) or not uplinks:
        return
    for name in panel.get("leds", {}):
        if name not in names:
            yield Fault(("panel", "leds", name), None, no_uplink(name, names))


def _screen(panel: Mapping[str, Any]) -> Iterator[Fault]:
    screen, port = panel.get("screen", "none"), panel.get("spi_port")
    if screen == "ssd1322" and "spi_port" not in panel:
        yield _fault(("panel", "screen"), screen, say("screen_spi_only"))
    device = panel.get("spi_device", 0)
    if port in SPI_DEVICES and device is not None and device == SPI_DEVICES[port]:
        words = say("spi_device", port=port, highest=SPI_DEVICES[port] - 1)
        yield _fault(("panel", "spi_device"), device, words)
    for key in BUTTONS:
        # A press does only what the screen has said before.
        if key in panel and screen == "none":
            yield _fault(("panel", key), panel[key], say("button_no_screen"))
    if "button_hold" in panel and "button" not in panel:
        yield _fault(("panel", "button_hold"), panel["button_hold"], say("button_second"))


def _pins(boxes: Entries, panel: Mapping[str, Any]) -> Iterator[Fault]:
    """A pin that is given twice would switch two things at once."""
    used: list[tuple[int, KeyPath, object]] = []
    for index, box in boxes:
        match = RELAY.fullmatch(box.get("relay", ""))
        if match and match["pin"] is not None and int(match["pin"]) in RELAY_PINS:
            used.append((int(match["pin"]), ("box", index, "relay"), box["relay"]))
    for name, led in panel.get("leds", {}).items():
        used += [(pin, ("panel", "leds", name, half), pin) for half, pin in (led or {}).items()]
    used += [(panel[key], ("panel", key), panel[key]) for key in SINGLE_PINS if panel.get(key) is not None]
    taken, bus = _taken(panel)
    first: dict[int, KeyPath] = {}
    for pin, path, value in used:
        if pin in first:
            yield _fault(path, value, say("pin_twice", pin=pin, first=where(first[pin])))
        elif pin in taken:
            yield _fault(path, value, say("pin_screen", pin=pin, bus=bus))
        first.setdefault(pin, path)


def _taken(panel: Mapping[str, Any]) -> tuple[tuple[int, ...], str]:
    """The wires of the screen's bus, and how the file names it."""
    if panel.get("screen", "none") == "none":
        return (), ""
    port = panel.get("spi_port")
    if port is None:
        port = panel.get("i2c_port", 1)
        return I2C_PINS.get(port, ()), f"i2c_port {port}"
    return (*SPI_PINS.get(port, ()), *SPI_WIRES), f"spi_port {port}"


def _fault(path: KeyPath, value: object, words: Words) -> Fault:
    return Fault(path, shown(value), words)
