"""What a buzzer must be able to do, as a small protocol; its errors are those of ``hardware.ports``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Beeps:
    """A sound that ends: so many tones of ``on_s`` seconds with ``off_s`` seconds of silence between."""

    times: int
    on_s: float
    off_s: float


class Buzzer(Protocol):
    """A buzzer that sounds while its pin is high. Silent when made, and when closed."""

    def sound(self, beeps: Beeps) -> None:
        """Begin this sound and return; the driver ends it. A sound that is still going on is cut short.

        Raises:
            HardwareError: the buzzer does not obey, or is closed.
        """

    def close(self) -> None:
        """Silence, hardware released."""
