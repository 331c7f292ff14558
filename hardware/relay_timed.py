"""A relay that ends every cut by itself, whatever becomes of whoever ordered it.

The rule of the wiring (see ``hardware.ports.Relay``) is enforced here once, for any coil: released when
constructed, released when closed, released at exit, and released by a thread of the relay's own when a
cut has lasted its longest time.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from hardware.closing import Closing
from hardware.ports import LONGEST_CUT_S, HardwareError

RETRY_S = 0.5
"""Seconds between attempts to release a coil that does not obey."""


class Coil(Protocol):
    """The bare switch of one relay. Energised means: the box is without power.

    The methods are never called by two threads at once. Each returns within seconds, by its own timeout
    if need be, because the end of a cut waits for it.
    """

    def energise(self) -> None:
        """Take the power away.

        Raises:
            HardwareError: the coil does not obey.
        """

    def release(self) -> None:
        """Give the power back; does nothing if it is not energised.

        Raises:
            HardwareError: the coil does not obey.
        """

    def close(self) -> None:
        """Let go of the hardware, which leaves the coil released.

        Raises:
            HardwareError: the coil does not obey.
        """


class TimedRelay(Closing):
    """The ``Relay`` port on any ``Coil``. All methods may be called from any thread.

    Attributes:
        coil: handed over; nobody else may use it.
        clock: monotonic seconds.
        retry_s: seconds between attempts to release a coil that does not obey.

    Raises:
        HardwareError: the coil could not be released at the start; it is closed again.
    """

    def __init__(
        self, coil: Coil, *, clock: Callable[[], float] = time.monotonic, retry_s: float = RETRY_S
    ) -> None:
        self._coil = coil
        self._clock = clock
        self._retry_s = retry_s
        self._changed = threading.Condition()
        self._ends_at: float | None = None
        """Clock reading at which the running cut ends; None while the box has power."""
        self._guard: threading.Thread | None = None
        self._closed = False
        try:
            coil.release()
        except HardwareError:
            with suppress(HardwareError):
                coil.close()
            raise
        atexit.register(self.close)

    def cut(self, longest_s: float) -> None:
        """Take the power away; it comes back after ``longest_s`` seconds whatever happens.

        A cut during a cut can shorten it but never lengthen it, so that no sequence of orders keeps a box
        without power for longer than one longest cut.

        Args:
            longest_s: seconds, above 0 and at most ``LONGEST_CUT_S``.

        Raises:
            ValueError: ``longest_s`` out of range; nothing was cut.
            HardwareError: the coil does not obey, or the relay is closed; the box has power, or the relay
                keeps trying to give it back.
        """
        if not 0 < longest_s <= LONGEST_CUT_S:
            raise ValueError(
                f"a cut lasts more than 0 and at most {LONGEST_CUT_S:g} seconds, not {longest_s!r}"
            )
        with self._changed:
            if self._closed:
                raise HardwareError("the relay is closed")
            ends_at = self._clock() + longest_s
            if self._ends_at is not None:
                self._ends_at = min(self._ends_at, ends_at)
                self._changed.notify_all()
                return
            self._ends_at = ends_at
            try:
                self._wake_guard()
                self._coil.energise()
            except BaseException as error:
                self._give_up(error)
                if not isinstance(error, Exception):
                    raise
                raise HardwareError(f"the relay does not cut: {error}") from error

    def restore(self) -> None:
        """Give the power back; does nothing if it is not cut.

        Raises:
            HardwareError: the coil does not obey; the relay keeps trying and ``is_cut`` stays true.
        """
        with self._changed:
            if self._ends_at is not None:
                self._end_now()

    @property
    def is_cut(self) -> bool:
        """True while this driver holds the box without power, or cannot tell that it does not."""
        return self._ends_at is not None

    def close(self) -> None:
        """Restore and release the hardware. Does nothing the second time.

        Raises:
            HardwareError: the coil does not obey; the relay is closed nevertheless.
        """
        with self._changed:
            if self._closed:
                return
            self._closed = True
            atexit.unregister(self.close)
            try:
                self._coil.release()
            finally:
                self._ends_at = None
                self._changed.notify_all()
                self._coil.close()

    def _wake_guard(self) -> None:
        """Have a thread ready that knows of the cut and ends it, before there is anything to end."""
        if self._guard is None or not self._guard.is_alive():
            self._guard = threading.Thread(target=self._guard_cuts, name="relay-guard", daemon=True)
            self._guard.start()
        self._changed.notify_all()

    def _guard_cuts(self) -> None:
        """End the running cut when its time has come, then wait for the next one, until closed."""
        with self._changed:
            while not self._closed:
                if self._ends_at is None:
                    self._changed.wait()
                elif (left_s := self._ends_at - self._clock()) > 0:
                    self._changed.wait(left_s)
                else:
                    # Any error at all: this thread must not die while a box is without power.
                    with suppress(Exception):
                        self._release()
                    if self._ends_at is not None:
                        self._changed.wait(self._retry_s)

    def _release(self) -> None:
        self._coil.release()
        self._ends_at = None
        self._changed.notify_all()

    def _end_now(self) -> None:
        """Release; if that fails, the guard takes over at once."""
        self._ends_at = self._clock()
        self._changed.notify_all()
        self._release()

    def _give_up(self, error: BaseException) -> None:
        """Undo a cut that failed half-way; ``error`` tells if that failed too."""
        try:
            self._end_now()
        except Exception as second:  # noqa: BLE001 - the first error is the one to tell
            error.add_note(f"and the power could not be given back yet: {second}")
