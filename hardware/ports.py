"""What a piece of hardware must be able to do, as small protocols, and the errors it may raise.

A driver lives in one file, wraps one library, and is loaded only when the configuration asks for it.
The same contract tests (``tests/contract``) run on the virtual driver and on the real one.
Drivers may block for milliseconds; callers run them in a thread of their own where it matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from PIL.Image import Image


class HardwareError(RuntimeError):
    """A device that was there does not obey (I/O error, connection lost)."""


class HardwareMissingError(HardwareError):
    """A device or its library is not on this machine; the message says what and how to get it."""


class Relay(Protocol):
    """Cuts and restores the power of one box.

    Wiring contract: the box hangs on the normally-closed contact and the coil is energised only during
    a cut, so that a dead agent, a floating pin or a Pi without power all mean "box powered".
    Constructing a driver restores; closing it restores; both are safe to repeat.
    """

    def cut(self, longest_s: float) -> None:
        """Take the box's power away; the driver itself gives it back after ``longest_s`` seconds.

        Args:
            longest_s: longest duration of the cut, seconds, above 0 and at most ``LONGEST_CUT_S``.

        Raises:
            ValueError: ``longest_s`` out of range; nothing was cut.
            HardwareError: the relay does not obey; the driver has tried to restore.
        """

    def restore(self) -> None:
        """Give the power back. Safe at any time, from any thread; does nothing if not cut."""

    @property
    def is_cut(self) -> bool:
        """True while this driver holds the box without power."""

    def close(self) -> None:
        """Restore, then release the hardware. The driver cannot be used afterwards."""


LONGEST_CUT_S = 120.0
"""No cut may last longer, whatever is asked: a box loses its state after 5 to 60 s (capacitors of an
idle board drain in about a minute, see docs/architecture.md), more only leaves the site without it."""


class Colour(StrEnum):
    """Colours that a two-colour LED can show; orange is green and red together."""

    DARK = "dark"
    GREEN = "green"
    ORANGE = "orange"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Pattern:
    """What one LED does, for ever, until another pattern is set.

    ``on_s`` and ``off_s`` are seconds; ``off_s`` 0 means steady. A wink is a long ``on_s`` with a short
    ``off_s``. The blinking is done by the driver, so that nothing wakes the agent for it.
    """

    colour: Colour
    on_s: float = 1.0
    off_s: float = 0.0


class Lights(Protocol):
    """The front panel's LEDs, by name (an uplink's name, or ``site``)."""

    def show(self, patterns: Mapping[str, Pattern]) -> None:
        """Set the named LEDs; LEDs not named go dark. Names without an LED are ignored.

        Raises:
            HardwareError: an LED does not obey.
        """

    def close(self) -> None:
        """All dark, hardware released."""


class Screen(Protocol):
    """A small one-bit display."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""

    def show(self, image: Image) -> None:
        """Show a picture of exactly ``size`` (mode "1"). Equal pictures are not sent twice.

        Raises:
            HardwareError: the display does not answer; the next ``show`` tries again from the start.
        """

    def close(self) -> None:
        """Blank the display and release the bus: a stale picture must not outlive the agent."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One reading of a modem's radio; None where the modem gives no number (never 0 for unknown)."""

    network: str | None = None
    """Radio technology in plain words: ``4G``, ``5G``, ``3G``."""
    operator: str | None = None
    band: str | None = None
    rsrp_dbm: float | None = None
    rsrq_db: float | None = None
    sinr_db: float | None = None
    rssi_dbm: float | None = None


class Modem(Protocol):
    """A cellular modem that can be asked about its radio and rebooted by software."""

    def read(self) -> Signal:
        """Ask the modem now, with the driver's own timeout.

        Raises:
            HardwareError: no answer, or an answer that makes no sense.
        """

    def reboot(self) -> None:
        """Reboot by software. Returns once the modem has accepted.

        Raises:
            HardwareError: refused or unreachable.
        """
