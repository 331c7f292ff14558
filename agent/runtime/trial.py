"""Panel parts that a person tries out: for a while they show what is asked for instead of the site.

The sinks go on as ever; what they show in the meantime is kept, and shown again when the trial ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from hardware.buttons_port import Buttons, Press
from hardware.ports import Colour, HardwareError, Lights, Pattern, Screen

if TYPE_CHECKING:
    from PIL.Image import Image

NOT_WORKING = "does not work or is not configured"


class TrialError(RuntimeError):
    """What was asked for cannot be shown; the message says why."""


class TrialLights:
    """The ``Lights`` port of the real ones, except during a trial."""

    def __init__(self, lights: Lights) -> None:
        self._lights = lights
        self._usual: Mapping[str, Pattern] = {}
        self._trial: Mapping[str, Pattern] | None = None

    def show(self, patterns: Mapping[str, Pattern]) -> None:
        """Show, or keep for when the trial ends."""
        self._usual = patterns
        # A trial is shown again, because LEDs that nobody sets go dark.
        self._lights.show(patterns if self._trial is None else self._trial)

    def begin(self, name: str, colour: Colour) -> None:
        """Show this colour on this LED, all others dark."""
        self._trial = {name: Pattern(colour)}
        self._lights.show(self._trial)

    def end(self) -> None:
        """Show what the sink wants shown."""
        self._trial = None
        self._lights.show(self._usual)

    def close(self) -> None:
        """Whoever made the lights closes them."""


class TrialScreen:
    """The ``Screen`` port of the real one, except during a trial."""

    def __init__(self, screen: Screen, picture: Image) -> None:
        """``picture`` is what a trial shows."""
        self._screen = screen
        self._picture = picture
        self._usual: Image | None = None
        self._dimmed = False
        self._trial = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return self._screen.size

    def show(self, image: Image) -> None:
        """Show, or keep for when the trial ends."""
        self._usual = image
        if not self._trial:
            self._screen.show(image)

    def dim(self, *, dimmed: bool) -> None:
        """As the sink wishes, except that a trial is bright."""
        self._dimmed = dimmed
        if not self._trial:
            self._screen.dim(dimmed=dimmed)

    def begin(self) -> None:
        """Show the trial's picture."""
        self._trial = True
        self._screen.dim(dimmed=False)
        self._screen.show(self._picture)

    def end(self) -> None:
        """Show what the sink wants shown."""
        self._trial = False
        self._screen.dim(dimmed=self._dimmed)
        if self._usual is not None:
            self._screen.show(self._usual)

    def close(self) -> None:
        """Whoever made the screen closes it."""


class TrialButtons:
    """The ``Buttons`` port of the real ones, except during a trial: then a press is only noted.

    What the screen cannot say meanwhile must not happen either.
    """

    def __init__(self, buttons: Buttons) -> None:
        self._buttons = buttons
        self._heard: Callable[[Press], None] | None = None
        self._down: set[str] = set()
        self._trial = False
        self.pressed: set[str] = set()
        """The buttons that were pressed since the trial began."""

    def listen(self, heard: Callable[[Press], None]) -> None:
        """Tell each change, or note it; that a button was let go is told in any case."""
        self._heard = heard
        self._buttons.listen(self._change)

    def _change(self, press: Press) -> None:
        (self._down.add if press.down else self._down.discard)(press.name)
        if self._trial and press.down:
            self.pressed.add(press.name)
        elif self._heard is not None:
            self._heard(press)

    def begin(self, now: float) -> None:
        """Only note presses; one that lasts already does nothing any more, as if a second had joined it."""
        self._trial = True
        self.pressed.clear()
        if self._down and self._heard is not None:
            self._heard(Press("trial", True, now))

    def end(self) -> None:
        """Tell presses again."""
        self._trial = False

    def close(self) -> None:
        """Whoever made the buttons closes them."""


class Trials:
    """The parts that can be tried out now. One person at a time."""

    def __init__(self) -> None:
        self._lights: TrialLights | None = None
        self._screen: TrialScreen | None = None
        self._buttons: TrialButtons | None = None
        self._taken = False

    @contextmanager
    def offer_lights(self, lights: Lights) -> Iterator[TrialLights]:
        """The lights to give to their sink, which can be tried out until the block ends."""
        self._lights = TrialLights(lights)
        try:
            yield self._lights
        finally:
            self._lights = None

    @contextmanager
    def offer_screen(self, screen: Screen, picture: Image) -> Iterator[TrialScreen]:
        """The screen to give to its sink, which can be tried out until the block ends."""
        self._screen = TrialScreen(screen, picture)
        try:
            yield self._screen
        finally:
            self._screen = None

    @contextmanager
    def offer_buttons(self, buttons: Buttons) -> Iterator[TrialButtons]:
        """The buttons to give to their sink, which can be tried out until the block ends."""
        self._buttons = TrialButtons(buttons)
        try:
            yield self._buttons
        finally:
            self._buttons = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Have the panel for the block; afterwards it shows the site again.

        Raises:
            TrialError: somebody else has it.
        """
        if self._taken:
            raise TrialError("somebody else is trying out the panel")
        self._taken = True
        if self._buttons is not None:
            self._buttons.begin(time.monotonic())
        try:
            yield
        finally:
            self._taken = False
            for part in (self._lights, self._screen, self._buttons):
                if part is not None:
                    with suppress(HardwareError):  # its sink will notice, and say so
                        part.end()

    def light(self, name: str, colour: Colour) -> None:
        """Show a colour on one LED; only for whoever has taken the panel.

        Raises:
            TrialError: there are no lights, or they do not obey.
        """
        if self._lights is None:
            raise TrialError(f"lights: {NOT_WORKING}")
        try:
            self._lights.begin(name, colour)
        except HardwareError as error:
            raise TrialError(f"lights: {error}") from error

    def was_pressed(self, name: str) -> bool:
        """Whether this button was pressed; only for whoever has taken the panel, and since then.

        Raises:
            TrialError: there are no buttons.
        """
        if self._buttons is None:
            raise TrialError(f"button: {NOT_WORKING}")
        return name in self._buttons.pressed

    def picture(self) -> None:
        """Show the trial's picture on the screen; only for whoever has taken the panel.

        Raises:
            TrialError: there is no screen, or it does not obey.
        """
        if self._screen is None:
            raise TrialError(f"screen: {NOT_WORKING}")
        try:
            self._screen.begin()
        except HardwareError as error:
            raise TrialError(f"screen: {error}") from error
