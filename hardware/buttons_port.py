"""What the front panel's buttons must be able to do: the port of those drivers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Press:
    """A button went down or up, ``at`` monotonic seconds."""

    name: str
    down: bool
    at: float


class Buttons(Protocol):
    """The front panel's buttons, by name."""

    def listen(self, heard: Callable[[Press], None]) -> None:
        """Tell each change from now on, but no bouncing, and first which are down already; once only.

        ``heard`` is called from any thread, and must neither block nor raise.
        """

    def close(self) -> None:
        """Tell nothing any more, and release the pins. Safe to repeat."""
