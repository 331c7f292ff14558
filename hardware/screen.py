"""A small OLED on the I2C or SPI bus. The one file that imports luma.

Sending a picture takes 5 to 200 ms, so a thread of the screen's own does it and keeps only the newest.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

import luma.core.error
import luma.core.interface.serial
import luma.oled.device

from hardware.pins import SPI_DATA_PIN, SPI_RESET_PIN
from hardware.ports import HardwareError, HardwareMissingError

if TYPE_CHECKING:
    from PIL.Image import Image

SIZES = {
    "ssd1306": (128, 64),
    "sh1106": (128, 64),
    "ssd1309": (128, 64),
    "sh1107": (128, 128),
    "ssd1327": (128, 128),
    "ssd1322": (256, 64),
}
"""By controller, the pixels of the modules that are sold with it."""
GREY = ("ssd1327", "ssd1322")
"""Controllers with shades of grey, of which only black and white are used."""
REOPEN_S = 30.0
"""Seconds between attempts to reach a display that went away."""
CONTRAST = 60
"""0 to 255. An OLED at full contrast all day is burnt in within months; some flicker there."""
DIMMED = 4
"""Read from nearby only, which is enough while nothing is the matter and nobody is there."""
RESET_S = 0.1
"""Some controllers take so long to wake up after their reset line was let go."""
REFRESH_S = 600.0
"""Seconds after which the display is set up again: one that was unplugged and replugged between two
pictures takes them all and stays dark."""
CLOSE_S = 2.0
"""A bus that hangs must not hold up the end of the process."""
BUS_ERRORS = (OSError, luma.core.error.Error)
"""luma translates only some of the errors of the bus."""

Driver = Literal["ssd1306", "sh1106", "ssd1309", "sh1107", "ssd1327", "ssd1322"]


class LumaScreen:
    """The ``Screen`` port on an OLED module.

    The display is opened by the first ``show``. Errors are met by the thread that draws, so ``show``
    tells of them one call late: it raises while the display is known to be away, and keeps its picture
    for the moment when it is back.

    Attributes:
        driver: controller chip; a wrong one shows a shifted picture or columns of noise.
        i2c_port: 1 on every current Raspberry Pi.
        i2c_address: 0x3C, or 0x3D on modules so bridged.
        spi: bus and chip-select line, where the display is not on the I2C bus.
        upside_down: turn the picture by half a circle.
        open_device: what returns an open luma device, instead of the five above.
        clock: monotonic seconds.

    Raises:
        ValueError: no such driver.
    """

    def __init__(
        self,
        driver: Driver = "ssd1306",
        i2c_port: int = 1,
        i2c_address: int = 0x3C,
        *,
        spi: tuple[int, int] | None = None,
        upside_down: bool = False,
        open_device: Callable[[], Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if driver not in SIZES:
            raise ValueError(f"{driver!r} is not a display driver; allowed: {', '.join(SIZES)}")
        self._size = SIZES[driver]
        self._open_device = open_device or (
            lambda: open_oled(driver, i2c_port, i2c_address, spi=spi, upside_down=upside_down)
        )
        self._clock = clock
        self._changed = threading.Condition()
        self._wanted: Image | None = None
        self._contrast = CONTRAST
        self._asked = self._done = 0
        """How often something was asked for, and up to which of these the worker has come."""
        self._error: HardwareError | None = None
        self._reopen_at = 0.0
        self._closed = False
        # What follows is touched by the worker only, and by close() after the worker's end.
        self._device: Any = None
        self._opened_at = 0.0
        self._drawn: bytes | None = None
        self._lit: int | None = None
        self._worker = threading.Thread(target=self._work, name="screen", daemon=True)
        self._worker.start()
        atexit.register(self.close)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return self._size

    def show(self, image: Image) -> None:
        """Show a picture of ``size`` in mode "1", as soon as the bus allows; never waits for it.

        Raises:
            ValueError: a picture of another size or mode.
            HardwareError: the display did not answer the last time and is not due to be tried again, or
                the screen is closed.
        """
        if image.size != self._size or image.mode != "1":
            wanted = f'a picture of {self._size} in mode "1"'
            raise ValueError(f'{wanted} is wanted, not {image.size} in "{image.mode}"')
        picture = image.copy()
        with self._changed:
            if self._closed:
                raise HardwareError("the screen is closed")
            self._wanted = picture
            if self._error is not None and self._clock() < self._reopen_at:
                raise self._error.with_traceback(None)
            self._ask()

    def contrast(self, level: int) -> None:
        """Set the brightness from the next drawing on; also kept for a display that comes back.

        Args:
            level: 0 to 255; 1 to 60 spares the display. Not linear, and 0 is not dark.

        Raises:
            ValueError: out of range.
        """
        if not 0 <= level <= 255:
            raise ValueError(f"contrast is 0 to 255, not {level}")
        with self._changed:
            self._contrast = level
            if self._error is None:
                self._ask()

    def dim(self, *, dimmed: bool) -> None:
        """Darker, or as bright as usual; kept for a display that comes back."""
        self.contrast(DIMMED if dimmed else CONTRAST)

    def settle(self, timeout_s: float) -> bool:
        """Wait until what was asked for has been drawn or has failed; false if not within ``timeout_s``."""
        with self._changed:
            return self._changed.wait_for(lambda: self._done == self._asked, timeout_s)

    def close(self) -> None:
        """Blank the display and release the bus. Does nothing the second time."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._ask()
        atexit.unregister(self.close)
        self._worker.join(CLOSE_S)
        if not self._worker.is_alive():
            self._drop_device()

    def _ask(self) -> None:
        self._asked += 1
        self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._done != self._asked)
                asked, picture, contrast = self._asked, self._wanted, self._contrast
                if self._closed:
                    self._done = asked
                    return
            error = self._try_to_draw(picture, contrast) if picture is not None else None
            with self._changed:
                self._done, self._error = asked, error
                self._changed.notify_all()

    def _try_to_draw(self, picture: Image, contrast: int) -> HardwareError | None:
        try:
            self._draw(picture, contrast)
        except Exception as error:  # noqa: BLE001 - whatever it is, show() tells it; the thread must live on
            self._drop_device()
            self._reopen_at = self._clock() + REOPEN_S
            if isinstance(error, HardwareError):
                return error
            return HardwareError(f"the display does not answer: {error}")
        return None

    def _draw(self, picture: Image, contrast: int) -> None:
        now = self._clock()
        if self._device is not None and now - self._opened_at >= REFRESH_S:
            self._drop_device()
        if self._device is None:
            self._device = self._open_device()
            self._opened_at = now
            self._lit = None
        if self._lit != contrast:
            self._device.contrast(contrast)
            self._lit = contrast
        pixels = picture.tobytes()
        if self._drawn != pixels:
            self._device.display(picture)
            self._drawn = pixels

    def _drop_device(self) -> None:
        """Blank the display if it still listens, and close the bus in any case."""
        device, self._device, self._drawn = self._device, None, None
        if device is None:
            return
        try:
            device.cleanup()
        except BUS_ERRORS:
            # luma gives up before it closes the bus; told to keep the picture, it only closes.
            device.persist = True
            with suppress(*BUS_ERRORS):
                device.cleanup()


def open_oled(
    driver: Driver,
    port: int,
    address: int,
    *,
    spi: tuple[int, int] | None = None,
    upside_down: bool = False,
    bus: Any = None,
) -> Any:
    """Open the bus, unless there is a ``bus`` already, and set up the display.

    Raises:
        HardwareMissingError: there is no such bus, or this user may not use it.
        HardwareError: nothing answers at the address.
    """
    if bus is None:
        bus = _open_i2c(port, address) if spi is None else _open_spi(*spi)
    wide, high = SIZES[driver]
    grey = {"mode": "1"} if driver in GREY else {}
    try:
        make = getattr(luma.oled.device, driver)
        return make(bus, width=wide, height=high, rotate=2 if upside_down else 0, **grey)
    except BUS_ERRORS as error:
        bus.cleanup()
        place = f"at 0x{address:02X} on I2C bus {port}" if spi is None else f"on SPI bus {spi[0]}.{spi[1]}"
        raise HardwareError(f"no display answers {place}: {error}") from error
    finally:
        hooks: Any = _LumaHook()
        atexit.unregister(hooks)


def _open_i2c(port: int, address: int) -> Any:
    try:
        return luma.core.interface.serial.i2c(port=port, address=address)
    except luma.core.error.DevicePermissionError as error:
        raise HardwareMissingError(
            f"this user may not use /dev/i2c-{port}: add it to the group i2c (sudo usermod -aG i2c USER)"
        ) from error
    except BUS_ERRORS as error:
        raise HardwareMissingError(
            f"there is no I2C bus {port} ({error}): switch it on with 'sudo raspi-config nonint do_i2c 0'"
        ) from error


def _open_spi(port: int, device: int) -> Any:
    from hardware.gpio import GpioOutputs

    outputs = GpioOutputs()
    try:
        return luma.core.interface.serial.spi(
            gpio=outputs,
            port=port,
            device=device,
            gpio_DC=SPI_DATA_PIN,
            gpio_RST=SPI_RESET_PIN,
            reset_hold_time=RESET_S,
            reset_release_time=RESET_S,
        )
    except ImportError as error:
        outputs.cleanup()
        raise HardwareMissingError(
            "the Python module spidev is not installed: sudo apt install python3-spidev"
        ) from error
    except PermissionError as error:
        outputs.cleanup()
        raise HardwareMissingError(
            f"this user may not use /dev/spidev{port}.{device}: add it to the group spi "
            "(sudo usermod -aG spi USER)"
        ) from error
    except BUS_ERRORS as error:
        outputs.cleanup()
        raise HardwareMissingError(
            f"there is no SPI bus {port}.{device} ({error}): switch it on with "
            "'sudo raspi-config nonint do_spi 0'"
        ) from error
    except BaseException:
        outputs.cleanup()
        raise


class _LumaHook:
    """Equal to each exit hook that luma registers for a device, even one that failed to open.

    They can be neither prevented nor named, and would pile up while a display is away; ``LumaScreen``
    blanks at exit itself.
    """

    def __eq__(self, other: object) -> bool:
        name = f"{getattr(other, '__module__', '')}.{getattr(other, '__qualname__', '')}"
        return name == "luma.core.device.device.__init__.<locals>.shutdown_hook"

    __hash__ = None  # type: ignore[assignment]
