"""What a press of the front panel's button means: a pure function of presses and of time.

A short press shows the next page. A long one, let go after 2 to 5 s, holds automatic restarts for an hour,
or ends the hold. On the page of a box, 8 s restart it, and letting go before undoes it. Nothing happens that
the screen has not said for a second at least, and each press does one thing at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from agent.core.people import Verb
from agent.core.snapshot_types import Snapshot
from hardware.buttons_port import Press

PAGE = "page"
HOLD = "hold"
"""The names of the two buttons; the second only holds, and one is enough."""
SHORT_S = 1.0
HINT_S = 0.6
"""From then on the screen says what going on would do."""
HOLD_FROM_S = 2.0
HOLD_UNTIL_S = 5.0
CYCLE_S = 8.0
HEARD_S = 0.2
"""A release is heard this much later: so long is waited before it is believed that there was none."""
SAID_S = 1.0
"""The screen must have said for so long what is going to happen."""
STUCK_S = 30.0
"""Nobody presses so long: the button is stuck, or something leans on it."""
STAYS_S = 30.0
"""A page that was asked for stays so long after the last press."""


class Kind(StrEnum):
    """What a page is about."""

    MAIN = "main"
    INCIDENT = "incident"
    INSTALLER = "installer"
    BOX = "box"
    SERVICES = "services"


@dataclass(frozen=True, slots=True)
class Page:
    """One page; ``box`` names the one that a page of kind ``BOX`` is about."""

    kind: Kind
    box: str | None = None


MAIN = Page(Kind.MAIN)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person at the panel asks the core for; never by force."""

    verb: Verb
    box: str | None = None


class Doing(StrEnum):
    """What a press that goes on would do."""

    HOLD_SOON = "hold_soon"
    """Go on, and letting go then sets or ends a hold."""
    HOLD_NOW = "hold_now"
    """Letting go now sets or ends it."""
    CYCLE_SOON = "cycle_soon"
    NOTHING = "nothing"
    """It lasted too long for anything."""


@dataclass(frozen=True, slots=True)
class Hint:
    """What the screen says while the button is pressed.

    Attributes:
        doing: what would happen.
        share: how far it is, 0 to 1.
        left_s: seconds until it happens, or until letting go makes it happen.
    """

    doing: Doing
    share: float
    left_s: float


@dataclass(frozen=True, slots=True)
class Finger:
    """Where the person at the panel stands.

    Attributes:
        page: the page asked for, shown until ``STAYS_S`` after ``used_at``.
        used_at: when a button was last pressed or let go.
        button: the one that is pressed, and since when.
        said_at: since when the screen has been saying what the press will do.
        spent: this press does nothing any more.
    """

    page: Page = MAIN
    used_at: float = float("-inf")
    button: str | None = None
    since: float = 0.0
    said_at: float | None = None
    spent: bool = False

    def is_stuck(self, now: float) -> bool:
        """The button has been down for longer than anybody presses."""
        return self.button is not None and now - self.since > STUCK_S

    def asks_for_page(self, now: float) -> bool:
        """A page was asked for, and not so long ago that it gives way to the usual ones."""
        return (self.button is not None and not self.is_stuck(now)) or now - self.used_at < STAYS_S


def pages(snapshot: Snapshot) -> tuple[Page, ...]:
    """All pages in the order in which short presses show them: the boxes that can be restarted last."""
    boxes = (Page(Kind.BOX, box.name) for box in snapshot.boxes if box.wired)
    services = (Page(Kind.SERVICES),) if snapshot.services else ()
    return (MAIN, *services, Page(Kind.INCIDENT), Page(Kind.INSTALLER), *boxes)


def pressed(
    finger: Finger, press: Press, shown: Page, order: Sequence[Page], *, held: bool
) -> tuple[Finger, Wish | None]:
    """A button went down or up.

    Args:
        finger: the state before.
        press: which, and when.
        shown: the page that stands on the screen.
        order: all pages; ``shown`` need not be one of them any more.
        held: automatic restarts are on hold.
    """
    if press.down:
        if finger.button == press.name:
            return finger, None
        if finger.button is not None:
            # Two at once mean neither.
            return replace(finger, spent=True), None
        page = shown if shown in order else MAIN
        return Finger(page, press.at, press.name, press.at), None
    if press.name != finger.button:
        return finger, None
    lasted_s = press.at - finger.since
    released = replace(finger, button=None, used_at=press.at, said_at=None, spent=False)
    if finger.is_stuck(press.at):
        return replace(released, page=MAIN), None
    if finger.spent:
        return released, None
    if lasted_s < SHORT_S:
        return replace(released, page=_next(finger, order)), None
    if _holds(finger) and HOLD_FROM_S <= lasted_s < HOLD_UNTIL_S and _said(finger, press.at, SAID_S):
        return released, Wish(Verb.RELEASE if held else Verb.HOLD)
    return released, None


def ticked(finger: Finger, now: float, *, visible: bool) -> tuple[Finger, Wish | None]:
    """Time has passed; ``visible``: the screen works and shows what a press will do."""
    if finger.button is None or finger.spent:
        return finger, None
    if finger.is_stuck(now):
        return replace(finger, spent=True, page=MAIN), None
    if not visible:
        return replace(finger, said_at=None), None
    if finger.said_at is None:
        return replace(finger, said_at=now), None
    lasted_s = now - finger.since
    if not _holds(finger) and lasted_s >= CYCLE_S + HEARD_S and _said(finger, now, CYCLE_S - SAID_S):
        return replace(finger, spent=True), Wish(Verb.CYCLE, finger.page.box)
    return finger, None


def hint(finger: Finger, now: float) -> Hint | None:
    """What the screen says of a press that lasts; None while there is nothing to say."""
    lasted_s = now - finger.since
    if finger.button is None or finger.spent or lasted_s < HINT_S or finger.is_stuck(now):
        return None
    if not _holds(finger):
        return Hint(Doing.CYCLE_SOON, min(1.0, lasted_s / CYCLE_S), max(0.0, CYCLE_S - lasted_s))
    if lasted_s < HOLD_FROM_S:
        return Hint(Doing.HOLD_SOON, lasted_s / HOLD_FROM_S, HOLD_FROM_S - lasted_s)
    if lasted_s < HOLD_UNTIL_S:
        return Hint(Doing.HOLD_NOW, 1.0, HOLD_UNTIL_S - lasted_s)
    return Hint(Doing.NOTHING, 0.0, 0.0)


def _next(finger: Finger, order: Sequence[Page]) -> Page:
    if finger.button != PAGE or finger.page not in order:
        return MAIN
    return order[(order.index(finger.page) + 1) % len(order)]


def _holds(finger: Finger) -> bool:
    """Whether this press is about a hold: on a box's page letting go early must undo, and do nothing else."""
    return finger.button == HOLD or finger.page.kind is not Kind.BOX


def _said(finger: Finger, now: float, for_s: float) -> bool:
    return finger.said_at is not None and now - finger.said_at >= for_s
