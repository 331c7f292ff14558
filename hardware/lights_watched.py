"""LEDs that go dark by themselves when nobody sets them any more.

A panel that goes on showing green after its agent has frozen would be a lie, and the driver's own blinking
threads would even make it look alive. So whoever shows something must come again, with the same or with
something else; otherwise a thread of the panel's own darkens everything. What even that thread cannot do,
because the whole process is stopped or dead, is left to ``hardware.restore``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from hardware.closing import Closing
from hardware.ports import LIGHTS_STALE_S, HardwareError, Lights, Pattern

RETRY_S = 0.5
"""Seconds between attempts to darken LEDs that do not obey."""


class WatchedLights(Closing):
    """The ``Lights`` port on other lights. All methods may be called from any thread.

    Attributes:
        lights: handed over; nobody else may use them.
        stale_s: seconds without ``show`` after which everything goes dark.
        clock: monotonic seconds.
        retry_s: seconds between attempts to darken LEDs that do not obey.
    """

    def __init__(
        self,
        lights: Lights,
        *,
        stale_s: float = LIGHTS_STALE_S,
        clock: Callable[[], float] = time.monotonic,
        retry_s: float = RETRY_S,
    ) -> None:
        self._lights = lights
        self._stale_s = stale_s
        self._clock = clock
        self._retry_s = retry_s
        self._changed = threading.Condition()
        self._shown_at: float | None = None
        """When something was shown last; None while all is dark."""
        self._closed = False
        self._guard = threading.Thread(target=self._guard_panel, name="lights-guard", daemon=True)
        self._guard.start()

    def show(self, patterns: Mapping[str, Pattern]) -> None:
        """Set the named LEDs, all others dark; to be repeated within ``stale_s``, also where nothing changes.

        Raises:
            HardwareError: an LED does not obey, or the panel is closed.
        """
        with self._changed:
            if self._closed:
                raise HardwareError("the lights are closed")
            asleep = self._shown_at is None
            self._shown_at = self._clock()
            if asleep:
                self._changed.notify_all()
            self._lights.show(patterns)

    def close(self) -> None:
        """All dark, hardware released. Does nothing the second time.

        Raises:
            HardwareError: an LED does not obey.
        """
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
            self._lights.close()

    def _guard_panel(self) -> None:
        """Darken the panel whenever it has been left alone for too long, until closed."""
        with self._changed:
            while not self._closed:
                if self._shown_at is None:
                    self._changed.wait()
                elif (left_s := self._shown_at + self._stale_s - self._clock()) > 0:
                    self._changed.wait(left_s)
                else:
                    # Any error at all: this thread must not die while a LED is lit.
                    with suppress(Exception):
                        self._lights.show({})
                        self._shown_at = None
                    if self._shown_at is not None:
                        self._changed.wait(self._retry_s)
