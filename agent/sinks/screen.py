"""The small screen of the front panel: which picture stands on it when, and who asked for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Protocol

from PIL import Image

from agent.core.instant import DAY_S, is_within
from agent.core.model import Part
from agent.core.people import Answer, Verb
from agent.core.snapshot_types import Snapshot
from agent.sinks import buttons
from agent.sinks.arrivals import STALE_S, or_silence
from agent.sinks.buttons import Finger, Page, Wish
from agent.sinks.canvas import wandered
from agent.sinks.page_main import render_silence
from agent.sinks.pages import NOTHING, About, draw, draw_answer, draw_hint, is_held, usual_page
from hardware.buttons_port import Buttons, Press
from hardware.ports import HardwareError, Screen

DRAW_EVERY_S = 0.5
TICK_S = 0.2
"""While the button is pressed: so often the bar moves on."""
ANSWER_STAYS_S = 10.0
WELL_AFTER_S = 5.0
"""A display tells of its fault one picture late; after so long without one it is back."""
BY = "button"


class Ask(Protocol):
    """Hands a request to the core; see ``runtime.desk.Desk.ask``."""

    async def __call__(self, verb: Verb, box: str | None, for_s: float | None, by: str) -> Answer:
        """The core's answer; raises ``TimeoutError`` if there is none."""


def local_time_of_day_s(wall: float) -> float:
    """Seconds since local midnight at this UNIX time."""
    return (wall + time.localtime(wall).tm_gmtoff) % DAY_S


def is_dim(window: tuple[float, float] | None, snapshot: Snapshot, of_day_s: float) -> bool:
    """Whether the screen may be darker: in the configured hours, while nothing is the matter.

    Args:
        window: begin and end, seconds after local midnight; an end before its begin is on the next day.
        snapshot: the site; without a synchronised clock nobody knows the hour.
        of_day_s: local time of the snapshot, seconds after midnight.
    """
    if window is None or not snapshot.synced or snapshot.findings:
        return False
    if any(not uplink.health.answers for uplink in snapshot.uplinks):
        return False
    return is_within(window, of_day_s)


class ScreenSink:
    """Draws at most twice a second, five times while the button is pressed, and sends only what differs.

    A display that is away is a finding, not the end: it is tried again with every picture.

    Attributes:
        screen: where to.
        language: one of ``agent.text.LANGUAGES``.
        about: for the installer's page.
        dim: when the screen may be darker; see ``is_dim``.
        report: is told when the display or the button stops working, and when it works again.
        panel: the buttons, if there are any, and ``ask`` for what they ask for.
        stale_s: seconds without a snapshot after which the screen says that it is out of date.
        mono: monotonic seconds, on the clock of snapshots and presses.
        of_day_s: local time of day of a UNIX time.
    """

    def __init__(
        self,
        screen: Screen,
        language: str,
        *,
        about: About = NOTHING,
        dim: tuple[float, float] | None = None,
        report: Callable[[Part], None] = lambda _: None,
        panel: Buttons | None = None,
        ask: Ask | None = None,
        stale_s: float = STALE_S,
        mono: Callable[[], float] = time.monotonic,
        tick_s: float = TICK_S,
        of_day_s: Callable[[float], float] = local_time_of_day_s,
    ) -> None:
        self._screen, self._language, self._about = screen, language, about
        self._dim, self._report, self._of_day_s = dim, report, of_day_s
        self._panel, self._ask = panel, ask
        self._stale_s, self._mono, self._tick_s = stale_s, mono, tick_s
        self._drawn_at = float("-inf")
        self._shown: Image.Image | None = None
        self._dimmed: bool | None = None
        self._well: bool | None = None
        """Whether the display answers, as it was told last."""
        self._answers_since: float | None = None
        self._snapshot: Snapshot | None = None
        self._finger = Finger()
        self._stuck = False
        self._answer: tuple[Verb, Answer | None] | None = None
        self._answered_at = float("-inf")
        self._presses: asyncio.Queue[Press] = asyncio.Queue()

    async def run(self, snapshots: AsyncIterator[Snapshot]) -> None:
        """Show snapshots until they end, and that they are missing when they stay away."""
        async with asyncio.TaskGroup() as group:
            listening = None
            if self._panel is not None:
                loop = asyncio.get_running_loop()

                def heard(press: Press) -> None:
                    loop.call_soon_threadsafe(self._presses.put_nowait, press)

                self._panel.listen(heard)
                listening = group.create_task(self._listen(group))
            async with aclosing(or_silence(snapshots, self._stale_s)) as arrivals:
                async for snapshot in arrivals:
                    self._arrived(snapshot)
            if listening is not None:
                listening.cancel()

    def _arrived(self, snapshot: Snapshot | None) -> None:
        self._snapshot = snapshot
        if snapshot is None:
            self._send(render_silence(self._language, self._screen.size), dimmed=False)
        elif snapshot.mono - self._drawn_at >= DRAW_EVERY_S:
            self._drawn_at = snapshot.mono
            self._draw(snapshot, snapshot.mono)

    # --- what is shown -----------------------------------------------------------------------------------

    def _page(self, snapshot: Snapshot, now: float) -> Page:
        return self._finger.page if self._finger.asks_for_page(now) else usual_page(snapshot)

    def _draw(self, snapshot: Snapshot, now: float) -> None:
        size, language = self._screen.size, self._language
        page, hint = self._page(snapshot, now), buttons.hint(self._finger, now)
        if hint is not None:
            picture = draw_hint(hint, page, snapshot, language, size)
        elif self._answer is not None and now - self._answered_at < ANSWER_STAYS_S:
            # Counted from the answer: a refusal's end does not move while it is read.
            picture = draw_answer(*self._answer, self._answered_at, language, size)
        else:
            picture = draw(page, snapshot, language, size, self._about)
        used = self._finger.asks_for_page(now)
        dimmed = not used and is_dim(self._dim, snapshot, self._of_day_s(snapshot.wall))
        self._send(wandered(picture, int(now // 60)), dimmed=dimmed)

    def _send(self, picture: Image.Image, *, dimmed: bool) -> None:
        if dimmed != self._dimmed:
            self._dimmed = dimmed
            self._screen.dim(dimmed=dimmed)
        if self._shown is not None and self._shown.tobytes() == picture.tobytes():
            return
        self._shown = None
        now = self._mono()
        try:
            self._screen.show(picture)
        except HardwareError as error:
            self._answers_since = None
            if self._well is not False:
                self._well = False
                self._report(Part("screen", ok=False, detail=str(error)))
            return
        if self._answers_since is None:
            self._answers_since = now
        if not self._well and now - self._answers_since >= WELL_AFTER_S:
            self._well = True
            self._report(Part("screen", ok=True))
        # Until it is known to answer it gets every picture: only by that is it tried, and its fault told.
        self._shown = picture if self._well else None

    # --- what is pressed ---------------------------------------------------------------------------------

    async def _listen(self, group: asyncio.TaskGroup) -> None:
        """Take presses one by one, and while one lasts let time pass in small steps."""
        while True:
            press = None
            try:
                async with asyncio.timeout(self._tick_s if self._finger.button is not None else None):
                    press = await self._presses.get()
            except TimeoutError:
                pass
            wish = self._moved(press, self._mono() if press is None else press.at)
            if wish is not None:
                group.create_task(self._wished(wish))

    def _moved(self, press: Press | None, now: float) -> Wish | None:
        """Go on to ``now``, with this press or with none; draw, and return what is asked for."""
        snapshot = self._snapshot
        if press is None:
            visible = snapshot is not None and self._well is not False
            self._finger, wish = buttons.ticked(self._finger, now, visible=visible)
        elif snapshot is None:
            # An agent that is stuck shows nothing of what a press does.
            self._finger, wish = Finger(), None
        else:
            if press.down:
                self._answer = None
            shown, order = self._page(snapshot, now), buttons.pages(snapshot)
            self._finger, wish = buttons.pressed(self._finger, press, shown, order, held=is_held(snapshot))
        if self._finger.is_stuck(now) is not self._stuck:
            self._stuck = not self._stuck
            detail = f"pressed for more than {buttons.STUCK_S:.0f} s" if self._stuck else ""
            self._report(Part("button", ok=not self._stuck, detail=detail))
        if snapshot is not None:
            self._draw(snapshot, now)
        return wish

    async def _wished(self, wish: Wish) -> None:
        """Ask, and show the answer."""
        assert self._ask is not None, "buttons come with somebody to ask"
        try:
            answer: Answer | None = await self._ask(wish.verb, wish.box, None, BY)
        except TimeoutError:
            answer = None
        self._answer, self._answered_at = (wish.verb, answer), self._mono()
        if self._snapshot is not None:
            self._draw(self._snapshot, self._answered_at)
