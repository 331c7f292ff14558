"""The keys of the front panel, in the manner of ``schema``."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Window = Annotated[str, Meta(extra={"form": "window"})]
Pin = Annotated[int, Meta(ge=0, le=27)]
BuzzerPin = Annotated[int, Meta(ge=9, le=27)]
"""Not GPIO 0 to 8, which are pulled up while the Pi starts: it would sound until the agent runs."""
HostName = Annotated[str, Meta(extra={"form": "host_name"})]
Quiet = Annotated[str, Meta(extra={"form": "quiet"})]


class Led(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The two pins of one two-colour LED."""

    green: Pin
    """BCM number of the pin of the green half, 0 to 27. Required."""

    red: Pin
    """BCM number of the pin of the red half, 0 to 27. Required."""


class Panel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[panel]``: the front panel."""

    screen: Literal["none", "ssd1306", "sh1106", "ssd1309", "sh1107", "ssd1327", "ssd1322"] = "none"
    """Controller of the display: the first three have 128x64 pixels, ``sh1107`` and ``ssd1327`` 128x128,
    ``ssd1322`` 256x64."""

    i2c_port: Annotated[int, Meta(ge=0, le=20)] = 1
    """I2C bus of the display, 0 to 20; 1 on the header of every current Pi."""

    i2c_address: Annotated[int, Meta(ge=0x3C, le=0x3D, extra={"base": 16})] = 0x3C
    """I2C address of the display, 0x3C or 0x3D."""

    spi_port: Annotated[int, Meta(ge=0, le=1)] | None = None
    """SPI bus of the display, 0 or 1; its data line is then GPIO 24, its reset GPIO 25. Default: I2C."""

    spi_device: Annotated[int, Meta(ge=0, le=2)] = 0
    """Chip-select line of the display on the SPI bus, 0 to 2."""

    upside_down: bool = False
    """True: the picture is turned by half a circle."""

    dim: Window | None = None
    """When the screen is darker while nothing is the matter, local time, like ``"20:00-07:00"``. Default:
    never."""

    button: Pin | None = None
    """BCM number of the pin of the button, which is between it and ground, 0 to 27. Default: none."""

    button_hold: Pin | None = None
    """The same for a second button, which only holds automatic restarts. Default: none."""

    buzzer: BuzzerPin | None = None
    """BCM number of the pin of a buzzer that sounds while it is high, 9 to 27. Default: no sound is made."""

    buzzer_quiet: Quiet = "19:00-07:00"
    """When the buzzer is silent, local time; ``"never"`` for always to be heard."""

    web: Annotated[str, Meta(extra={"form": "web_address"})] | None = None
    """Where the panel is served as a page on the site's network: address of this machine and port, or a port
    alone for all its addresses; ports 1024 to 65535. Default: no page."""

    web_names: Annotated[tuple[HostName, ...], Meta(min_length=0, max_length=4)] = ()
    """Host names by which the page is called, beside this machine's own and its addresses, 0 to 4."""

    leds: Annotated[dict[str, Led], Meta(extra={"keys": "led"})] = field(default_factory=dict)
    """``[panel.leds]``: LED of ``site`` and of each uplink, by name."""
