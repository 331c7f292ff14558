"""What every screen does: luma's own dummy device, an OLED whose bus fails, and in memory."""

from __future__ import annotations

import atexit
import gc
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory
from luma.core.device import dummy
from luma.oled.device import ssd1306
from PIL import Image

from hardware.gpio import GpioOutputs
from hardware.ports import HardwareError, HardwareMissingError
from hardware.screen import (
    CONTRAST,
    DIMMED,
    REFRESH_S,
    REOPEN_S,
    SIZES,
    Driver,
    LumaScreen,
    _LumaHook,
    open_oled,
)
from hardware.virtual.panel import VirtualScreen

SIZE = (128, 64)
PATIENCE_S = 10.0


def picture(column: int) -> Image.Image:
    """A picture with one lit column."""
    image = Image.new("1", SIZE)
    image.paste(1, (column, 0, column + 1, SIZE[1]))
    return image


class CountingDummy(dummy):  # type: ignore[misc]
    """luma's dummy, counting what is drawn."""

    drawn = 0

    def display(self, image: Image.Image) -> None:
        super().display(image)
        self.drawn += 1


class LumaRig:
    def __init__(self) -> None:
        self.device = CountingDummy(*SIZE, mode="1")
        self.luma = LumaScreen(open_device=lambda: self.device)
        self.screen: Any = self.luma

    def settle(self) -> None:
        assert self.luma.settle(PATIENCE_S)

    @property
    def shown(self) -> bytes:
        image = self.device.image
        return bytes(image.tobytes())

    @property
    def drawn(self) -> int:
        return self.device.drawn


class VirtualRig:
    def __init__(self) -> None:
        self.virtual = VirtualScreen(SIZE)
        self.screen: Any = self.virtual

    def settle(self) -> None:
        pass

    @property
    def shown(self) -> bytes:
        return (self.virtual.image or Image.new("1", SIZE)).tobytes()

    @property
    def drawn(self) -> int:
        return self.virtual.drawn


@pytest.fixture(params=[LumaRig, VirtualRig], ids=["luma", "virtual"])
def rig(request: pytest.FixtureRequest) -> Iterator[LumaRig | VirtualRig]:
    built = request.param()
    yield built
    built.screen.close()


def test_a_picture_is_shown(rig: LumaRig | VirtualRig) -> None:
    """The display holds the pixels that were given."""
    rig.screen.show(picture(3))
    rig.settle()
    assert rig.shown == picture(3).tobytes()


def test_equal_pictures_are_sent_once(rig: LumaRig | VirtualRig) -> None:
    """The bus is spared: only a change is drawn."""
    for column in (3, 3, 3, 4, 4):
        rig.screen.show(picture(column))
        rig.settle()
    assert rig.drawn == 2


def test_the_callers_picture_stays_its_own(rig: LumaRig | VirtualRig) -> None:
    """Drawing on a picture after it was shown does not change the display."""
    image = picture(3)
    rig.screen.show(image)
    image.paste(1, (0, 0, 128, 64))
    rig.settle()
    assert rig.shown == picture(3).tobytes()


@pytest.mark.parametrize("image", [Image.new("1", (64, 128)), Image.new("RGB", SIZE)], ids=["size", "mode"])
def test_a_picture_of_another_form_is_refused(rig: LumaRig | VirtualRig, image: Image.Image) -> None:
    """Size and mode must be the display's."""
    with pytest.raises(ValueError, match="128, 64"):
        rig.screen.show(image)


def test_dimming_keeps_the_picture(rig: LumaRig | VirtualRig) -> None:
    """Darker is not another picture, and never fails."""
    rig.screen.dim(dimmed=True)
    rig.screen.show(picture(3))
    rig.screen.dim(dimmed=False)
    rig.settle()
    assert rig.shown == picture(3).tobytes()
    assert rig.drawn == 1


def test_closing_blanks_and_may_be_repeated(rig: LumaRig | VirtualRig) -> None:
    """No picture outlives the agent."""
    rig.screen.show(picture(3))
    rig.settle()
    rig.screen.close()
    rig.screen.close()
    assert rig.shown == Image.new("1", SIZE).tobytes()


class Wire:
    """The bus to an OLED that can be unplugged: what luma's own serial interface would do."""

    def __init__(self) -> None:
        self.plugged = True
        self.closed = False
        self.contrast: int | None = None
        self.frames: list[bytes] = []

    def command(self, *command: int) -> None:
        self._need_plug()
        if command[0] == 0x81:
            self.contrast = command[1]

    def data(self, data: Any) -> None:
        self._need_plug()
        self.frames.append(bytes(data))

    def cleanup(self) -> None:
        self.closed = True

    def _need_plug(self) -> None:
        if not self.plugged:
            raise OSError(121, "Remote I/O error")


class Bench:
    """A LumaScreen on a real luma driver whose bus can fail, with its own clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.plugged = True
        self.wires: list[Wire] = []
        self.screen = LumaScreen(open_device=self._open, clock=lambda: self.now)

    def _open(self) -> Any:
        wire = Wire()
        wire.plugged = self.plugged
        self.wires.append(wire)
        return ssd1306(wire)

    def plug(self, plugged: bool) -> None:
        self.plugged = plugged
        for wire in self.wires:
            wire.plugged = plugged

    def show(self, column: int) -> None:
        try:
            self.screen.show(picture(column))
        finally:
            assert self.screen.settle(PATIENCE_S)


@pytest.fixture
def bench() -> Iterator[Bench]:
    built = Bench()
    yield built
    built.screen.close()
    atexit.unregister(_LumaHook())


def test_an_unplugged_display_is_an_error_until_it_is_back(bench: Bench) -> None:
    """Unplugging is told from the next picture on; the display is tried again every 30 s, not more."""
    bench.show(1)
    bench.plug(False)
    bench.show(2)
    for column in (3, 4):
        with pytest.raises(HardwareError, match="does not answer"):
            bench.show(column)
    assert len(bench.wires) == 1

    bench.now += REOPEN_S
    bench.show(5)
    with pytest.raises(HardwareError):
        bench.show(6)
    assert len(bench.wires) == 2

    bench.plug(True)
    with pytest.raises(HardwareError):
        bench.show(7)
    bench.now += REOPEN_S
    bench.show(8)
    bench.show(9)
    assert len(bench.wires) == 3


def test_the_bus_of_a_lost_display_is_closed(bench: Bench) -> None:
    """No open bus is left behind by a display that went away."""
    bench.show(1)
    bench.plug(False)
    bench.show(2)
    assert bench.wires[0].closed


def test_a_display_replugged_unseen_is_set_up_again(bench: Bench) -> None:
    """A display that lost its settings between two pictures does not stay dark for ever."""
    bench.show(1)
    bench.now += REFRESH_S
    bench.show(2)
    assert len(bench.wires) == 2
    assert bench.wires[0].closed


def test_contrast_is_kept_for_a_display_that_comes_back(bench: Bench) -> None:
    """The brightness that was asked for is set again after a replug."""
    bench.show(1)
    bench.screen.contrast(7)
    assert bench.screen.settle(PATIENCE_S)
    assert bench.wires[0].contrast == 7
    bench.now += REFRESH_S
    bench.show(2)
    assert bench.wires[1].contrast == 7
    with pytest.raises(ValueError, match="0 to 255"):
        bench.screen.contrast(256)


def test_a_dimmed_display_is_dimmed_after_a_replug_too(bench: Bench) -> None:
    """It is darker, keeps its picture, and is bright again when asked."""
    bench.show(1)
    for dimmed, level in ((True, DIMMED), (False, CONTRAST), (True, DIMMED)):
        bench.screen.dim(dimmed=dimmed)
        assert bench.screen.settle(PATIENCE_S)
        assert bench.wires[0].contrast == level
    bench.now += REFRESH_S
    bench.show(1)
    assert bench.wires[1].contrast == DIMMED


class Recorder:
    """A bus that keeps what a luma driver sends: commands, and bytes of pictures."""

    def __init__(self) -> None:
        self.commands: list[int] = []
        self.sent: list[int] = []

    def command(self, *command: int) -> None:
        self.commands += command

    def data(self, data: Any) -> None:
        # One controller gets the arguments of its commands as data.
        if len(data) <= 2:
            self.commands += data
        else:
            self.sent += data

    def cleanup(self) -> None:
        pass


def lit_pixels(driver: str, sent: list[int]) -> int:
    """How many pixels a frame of this controller lights: a bit each, or half a byte each."""
    if driver in ("ssd1327", "ssd1322"):
        return sum((byte >> 4 == 15) + (byte & 15 == 15) for byte in sent)
    return sum(byte.bit_count() for byte in sent)


@pytest.mark.parametrize("upside_down", [False, True])
@pytest.mark.parametrize("driver", SIZES)
def test_every_controller_gets_every_pixel(driver: Driver, upside_down: bool) -> None:
    """The luma driver takes a one-bit picture of its size, and sends as many lit pixels as it has."""
    bus = Recorder()
    screen = LumaScreen(
        driver, open_device=lambda: open_oled(driver, 1, 0x3C, upside_down=upside_down, bus=bus)
    )
    wide, high = screen.size
    assert (wide, high) == SIZES[driver]
    image = Image.new("1", (wide, high))
    image.paste(1, (0, 0, 8, 3))
    screen.show(Image.new("1", (wide, high)))
    assert screen.settle(PATIENCE_S)
    bus.sent.clear()
    screen.show(image)
    assert screen.settle(PATIENCE_S)
    assert lit_pixels(driver, bus.sent) == 24
    first_lit = next(place for place, byte in enumerate(bus.sent) if byte)
    if driver not in ("ssd1327", "ssd1322"):
        assert (first_lit < len(bus.sent) // 2) is not upside_down
    bus.commands.clear()
    screen.dim(dimmed=True)
    assert screen.settle(PATIENCE_S)
    assert DIMMED in bus.commands
    screen.close()


def test_a_missing_spi_bus_says_how_to_get_it() -> None:
    """Or, where Python cannot speak to it at all, which package to install; the pins are free again."""
    Device.pin_factory = MockFactory()
    try:
        for _ in range(2):
            with pytest.raises(HardwareMissingError, match=r"do_spi|python3-spidev"):
                open_oled("ssd1322", 1, 0x3C, spi=(0, 1))
        GpioOutputs().setup(24, GpioOutputs.OUT)
    finally:
        Device.pin_factory.reset()
        Device.pin_factory = None


class SlowDummy(CountingDummy):
    """A display whose bus hangs until it is told otherwise."""

    def __init__(self) -> None:
        super().__init__(*SIZE, mode="1")
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def display(self, image: Image.Image) -> None:
        self.begun.set()
        assert self.go_on.wait(PATIENCE_S)
        super().display(image)


def test_showing_never_waits_for_the_bus_and_only_the_newest_is_drawn() -> None:
    """While one picture is on its way, later ones replace each other."""
    device = SlowDummy()
    screen = LumaScreen(open_device=lambda: device)
    screen.show(picture(1))
    assert device.begun.wait(PATIENCE_S)
    for column in (2, 3, 4):
        screen.show(picture(column))
    device.go_on.set()
    assert screen.settle(PATIENCE_S)
    assert device.drawn == 2
    assert device.image.tobytes() == picture(4).tobytes()
    screen.close()


def test_a_closed_screen_shows_nothing(bench: Bench) -> None:
    """Showing after closing is an error."""
    bench.screen.close()
    with pytest.raises(HardwareError, match="closed"):
        bench.screen.show(picture(1))


def test_luma_exit_hooks_do_not_pile_up() -> None:
    """The library keeps every device for the end of the process; its hook can be found and removed."""
    kept = weakref.ref(ssd1306(Wire()))
    gc.collect()
    assert kept() is not None
    hooks: Any = _LumaHook()
    atexit.unregister(hooks)
    gc.collect()
    assert kept() is None


def test_a_missing_bus_says_how_to_get_it() -> None:
    """Without the bus the message tells how to switch it on."""
    with pytest.raises(HardwareMissingError, match="raspi-config"):
        open_oled("ssd1306", 250, 0x3C)


def test_an_unknown_driver_is_refused() -> None:
    """The message lists the drivers there are."""
    with pytest.raises(ValueError, match="ssd1306, sh1106, ssd1309, sh1107, ssd1327, ssd1322"):
        LumaScreen("ssd1307")  # type: ignore[arg-type]
