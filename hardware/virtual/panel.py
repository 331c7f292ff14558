"""A front panel and a relay coil that exist in memory only, for tests and for the panel in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hardware.ports import Colour, HardwareError, Pattern

if TYPE_CHECKING:
    from PIL.Image import Image

DARK = Pattern(Colour.DARK)


def colour_at(pattern: Pattern, elapsed_s: float) -> Colour:
    """The colour a LED shows ``elapsed_s`` seconds after it was set to ``pattern``."""
    if pattern.off_s <= 0:
        return pattern.colour
    return pattern.colour if elapsed_s % (pattern.on_s + pattern.off_s) < pattern.on_s else Colour.DARK


class VirtualLights:
    """The ``Lights`` port in memory.

    Attributes:
        names: the LEDs there are.
        patterns: what each shows now.
        changes: every (name, pattern) that was new to its LED, oldest first.
    """

    def __init__(self, *names: str) -> None:
        self.names = names
        self.patterns: dict[str, Pattern] = dict.fromkeys(names, DARK)
        self.changes: list[tuple[str, Pattern]] = []

    def show(self, patterns: Mapping[str, Pattern]) -> None:
        """Set the named LEDs, all others dark."""
        for name in self.names:
            pattern = patterns.get(name, DARK)
            if pattern != self.patterns[name]:
                self.patterns[name] = pattern
                self.changes.append((name, pattern))

    def close(self) -> None:
        """All dark."""
        self.show({})


class VirtualScreen:
    """The ``Screen`` port in memory.

    Attributes:
        image: the picture shown now; None while blank.
        drawn: how many pictures were really drawn.
    """

    def __init__(self, size: tuple[int, int] = (128, 64)) -> None:
        self._size = size
        self.image: Image | None = None
        self.drawn = 0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return self._size

    def show(self, image: Image) -> None:
        """Keep the picture.

        Raises:
            ValueError: a picture of another size or mode.
        """
        if image.size != self._size or image.mode != "1":
            raise ValueError(
                f'a picture of {self._size} in mode "1" is wanted, not {image.size} {image.mode}'
            )
        if self.image is None or self.image.tobytes() != image.tobytes():
            self.image = image.copy()
            self.drawn += 1

    def close(self) -> None:
        """Blank."""
        self.image = None


class MemoryCoil:
    """A relay coil in memory.

    Attributes:
        energised: the box is without power now.
        history: each change of ``energised``, oldest first.
        broken: while true, the coil obeys nobody and keeps its state.
    """

    def __init__(self) -> None:
        self.energised = False
        self.history: list[bool] = []
        self.broken = False

    def energise(self) -> None:
        """Take the power away."""
        self._set(energised=True)

    def release(self) -> None:
        """Give the power back."""
        self._set(energised=False)

    def close(self) -> None:
        """Released, as a coil without a driver is by its wiring."""
        if self.energised:
            self.energised = False
            self.history.append(False)

    def _set(self, *, energised: bool) -> None:
        if self.broken:
            raise HardwareError("the coil does not obey")
        if self.energised != energised:
            self.energised = energised
            self.history.append(energised)
