"""A small OLED on the I2C bus. The one file that imports luma.

Sending a picture takes 25 to 100 ms, so a thread of the screen's own does it and keeps only the newest.
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

from hardware.ports import HardwareError, HardwareMissingError

if TYPE_CHECKING:
    from PIL.Image import Image

SIZE = (128, 64)
REOPEN_S = 30.0
"""Seconds between attempts to reach a display that went away."""
CONTRAST = 60
"""0 to 255. An OLED at full contrast all day is burnt in within months; some flicker there."""
REFRESH_S = 600.0
"""Seconds after which the display is set up again: one that was unplugged and replugged between two
pictures takes them all and stays dark."""
CLOSE_S = 2.0
"""A bus that hangs must not hold up the end of the process."""
BUS_ERRORS = (OSError, luma.core.error.Error)
"""luma translates only some of the errors of the bus."""

Driver = Literal["ssd1306", "sh1106", "ssd1309"]


class LumaScreen:
    """The ``Screen`` port on an OLED module of 128 by 64 pixels.

    The display is opened by the first ``show``. Errors are met by the thread that draws, so ``show``
    tells of them one call late: it raises while the display is known to be away, and keeps its picture
    for the moment when it is back.

    Attributes:
        driver: controller chip; a wrong one shows a shifted picture or columns of noise.
        i2c_port: 1 on every current Raspberry Pi.
        i2c_address: 0x3C, or 0x3D on modules so bridged.
        open_device: what returns an open luma device, instead of the three above.
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
        open_device: Callable[[], Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if driver not in ("ssd1306", "sh1106", "ssd1309"):
            raise ValueError(f"{driver!r} is not a display driver; allowed: ssd1306, sh1106, ssd1309")
        self._open_device = open_device or (lambda: _open_oled(driver, i2c_port, i2c_address))
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
        return SIZE

    def show(self, image: Image) -> None:
        """Show a picture of ``size`` in mode "1", as soon as the bus allows; never waits for it.

        Raises:
            ValueError: a picture of another size or mode.
            HardwareError: the display did not answer the last time and is not due to be tried again, or
                the screen is closed.
        """
        if image.size != SIZE or image.mode != "1":
            raise ValueError(f'a picture of {SIZE} in mode "1" is wanted, not {image.size} in "{image.mode}"')
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


def _open_oled(driver: Driver, port: int, address: int) -> Any:
    """Open the bus and set up the display.

    Raises:
        HardwareMissingError: there is no such bus, or this user may not use it.
        HardwareError: nothing answers at the address.
    """
    try:
        bus = luma.core.interface.serial.i2c(port=port, address=address)
    except luma.core.error.DevicePermissionError as error:
        raise HardwareMissingError(
            f"this user may not use /dev/i2c-{port}: add it to the group i2c (sudo usermod -aG i2c USER)"
        ) from error
    except BUS_ERRORS as error:
        raise HardwareMissingError(
            f"there is no I2C bus {port} ({error}): switch it on with 'sudo raspi-config nonint do_i2c 0'"
        ) from error
    try:
        return getattr(luma.oled.device, driver)(bus)
    except BUS_ERRORS as error:
        bus.cleanup()
        raise HardwareError(f"no display answers at 0x{address:02X} on I2C bus {port}: {error}") from error
    finally:
        hooks: Any = _LumaHook()
        atexit.unregister(hooks)


class _LumaHook:
    """Equal to each exit hook that luma registers for a device, even one that failed to open.

    They can be neither prevented nor named, and would pile up while a display is away; ``LumaScreen``
    blanks at exit itself.
    """

    def __eq__(self, other: object) -> bool:
        name = f"{getattr(other, '__module__', '')}.{getattr(other, '__qualname__', '')}"
        return name == "luma.core.device.device.__init__.<locals>.shutdown_hook"

    __hash__ = None  # type: ignore[assignment]
