"""A front panel and a relay coil that exist in memory only, for tests and for the panel in a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from hardware.buttons_port import Press
from hardware.buzzer_port import Beeps
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


class VirtualBuzzer:
    """The ``Buzzer`` port in memory.

    Attributes:
        heard: every sound, oldest first.
        closed: it cannot sound any more.
    """

    def __init__(self) -> None:
        self.heard: list[Beeps] = []
        self.closed = False

    def sound(self, beeps: Beeps) -> None:
        """Keep it.

        Raises:
            HardwareError: the buzzer is closed.
        """
        if self.closed:
            raise HardwareError("the buzzer is closed")
        self.heard.append(beeps)

    def close(self) -> None:
        """Silence."""
        self.closed = True


class VirtualScreen:
    """The ``Screen`` port in memory.

    Attributes:
        image: the picture shown now; None while blank.
        drawn: how many pictures were really drawn.
        dimmed: it is darker than usual.
        away: while true, it answers nobody.
    """

    def __init__(self, size: tuple[int, int] = (128, 64)) -> None:
        self._size = size
        self.image: Image | None = None
        self.drawn = 0
        self.dimmed = False
        self.away = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return self._size

    def show(self, image: Image) -> None:
        """Keep the picture.

        Raises:
            ValueError: a picture of another size or mode.
            HardwareError: it is away.
        """
        if self.away:
            self.image = None
            raise HardwareError("the display does not answer")
        if image.size != self._size or image.mode != "1":
            raise ValueError(
                f'a picture of {self._size} in mode "1" is wanted, not {image.size} {image.mode}'
            )
        if self.image is None or self.image.tobytes() != image.tobytes():
            self.image = image.copy()
            self.drawn += 1

    def dim(self, *, dimmed: bool) -> None:
        """Remember it."""
        self.dimmed = dimmed

    def close(self) -> None:
        """Blank."""
        self.image = None


class VirtualButtons:
    """The ``Buttons`` port in memory, for fingers in tests.

    Attributes:
        down: the buttons that are pressed now.
    """

    def __init__(self, *names: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._names = names
        self._clock = clock
        self._heard: Callable[[Press], None] | None = None
        self.down: set[str] = set()

    def listen(self, heard: Callable[[Press], None]) -> None:
        """Tell each change, and first what is down already."""
        self._heard = heard
        for name in self._names:
            if name in self.down:
                heard(Press(name, True, self._clock()))

    def press(self, name: str) -> None:
        """A finger presses it; nothing if it is down."""
        self._move(name, down=True)

    def let_go(self, name: str) -> None:
        """The finger goes; nothing if it is up."""
        self._move(name, down=False)

    def _move(self, name: str, *, down: bool) -> None:
        if name not in self._names or (name in self.down) is down:
            return
        self.down ^= {name}
        if self._heard is not None:
            self._heard(Press(name, down, self._clock()))

    def close(self) -> None:
        """Tell nothing any more."""
        self._heard = None


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
