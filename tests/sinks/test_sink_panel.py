"""The screen with its buttons: who sees what, who is asked, and what survives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from conftest import make_service

from agent.core.codes import Code
from agent.core.model import Part
from agent.core.people import Answer, Verb
from agent.core.snapshot_types import Health, LastIncident, Phase, Snapshot
from agent.sinks.buttons import Doing, Hint, Kind, Page
from agent.sinks.canvas import wandered
from agent.sinks.page_main import render
from agent.sinks.pages import About, draw, draw_answer, draw_hint, usual_page
from agent.sinks.screen import ANSWER_STAYS_S, WELL_AFTER_S, ScreenSink, is_dim
from hardware.virtual.panel import VirtualButtons, VirtualScreen

Build = Callable[..., Any]
BOX = Page(Kind.BOX, "box")
EVENING = (20 * 3600.0, 7 * 3600.0)
PATIENCE_S = 10.0


class Front:
    """A panel in memory: a screen, a button, a clock, and a desk where questions arrive."""

    def __init__(self, snapshot: Snapshot, **options: Any) -> None:
        self.now = snapshot.mono
        self.snapshot = snapshot
        self.screen = VirtualScreen()
        self.buttons = VirtualButtons("page", "hold", clock=lambda: self.now)
        self.asked: list[tuple[Verb, str | None, float | None, str]] = []
        self.answer: Answer | None = Answer("1", ok=True)
        self.parts: list[Part] = []
        self._looked = 0
        self.sink = ScreenSink(
            self.screen,
            "fr",
            report=self.parts.append,
            panel=self.buttons,
            ask=self._ask,
            stale_s=PATIENCE_S,
            mono=self._mono,
            tick_s=0.001,
            **options,
        )
        self._coming: asyncio.Queue[Snapshot | None] = asyncio.Queue()

    async def _ask(self, verb: Verb, box: str | None, for_s: float | None, by: str) -> Answer:
        self.asked.append((verb, box, for_s, by))
        if self.answer is None:
            raise TimeoutError
        return self.answer

    async def _stream(self) -> AsyncIterator[Snapshot]:
        while (snapshot := await self._coming.get()) is not None:
            yield snapshot

    def play(self, story: Callable[[Front], Awaitable[None]]) -> None:
        """Run the sink, and let the story happen to it."""

        async def both() -> None:
            running = asyncio.create_task(self.sink.run(self._stream()))
            self._coming.put_nowait(self.snapshot)
            await self.shows(self.page(Page(Kind.MAIN)))
            await story(self)
            self._coming.put_nowait(None)
            await running

        asyncio.run(both())

    def page(self, page: Page) -> bytes:
        """How a page looks now."""
        return self.standing(draw(page, self.snapshot, "fr"))

    def standing(self, picture: Any) -> bytes:
        """A picture where it stands in this minute."""
        return wandered(picture, int(self.now // 60)).tobytes()

    async def shows(self, picture: bytes) -> None:
        """Wait until exactly this stands on the screen."""
        async with asyncio.timeout(PATIENCE_S):
            while self.screen.image is None or self.screen.image.tobytes() != picture:
                await asyncio.sleep(0.001)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for the sink."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0.001)

    async def click(self, page: Page) -> None:
        """A short press, after which this page is there."""
        self.buttons.press("page")
        self.now += 0.3
        self.buttons.let_go("page")
        await self.shows(self.page(page))

    async def arrive(self, **changes: Any) -> None:
        """The next snapshot, at this instant."""
        self.snapshot = replace(self.snapshot, seq=self.snapshot.seq + 1, mono=self.now, **changes)
        self._coming.put_nowait(self.snapshot)
        for _ in range(50):  # rounds of the loop, not time: nothing here waits for a timer
            await asyncio.sleep(0)

    def told(self, name: str) -> list[bool]:
        """What was reported of this part: whether it works."""
        return [part.ok for part in self.parts if part.name == name]

    async def steps(self) -> None:
        """Wait until the sink has taken a whole step at the present instant."""
        seen = self._looked + 4
        await self.until(lambda: self._looked >= seen)

    def _mono(self) -> float:
        self._looked += 1
        return self.now


@pytest.fixture
def front(example_snapshot: Build) -> Front:
    return Front(example_snapshot(mono=960.0))


async def to_box(front: Front) -> None:
    """Three short presses."""
    for page in (Page(Kind.INCIDENT), Page(Kind.INSTALLER), BOX):
        await front.click(page)


async def hold_down(front: Front, for_s: float) -> None:
    """Press and let time pass so that the sink sees each step of it."""
    front.buttons.press("page")
    begin = front.now
    await front.steps()
    for step in range(1, round(for_s * 4) + 1):
        front.now = begin + step / 4
        await front.steps()


def test_a_press_shows_the_next_page_at_once(front: Front) -> None:
    """Without waiting for the next snapshot; the last one turns back to the main page."""

    async def story(front: Front) -> None:
        await to_box(front)
        await front.click(Page(Kind.MAIN))

    front.play(story)
    assert front.asked == []


def test_a_box_is_restarted_through_the_desk_and_the_answer_is_shown(front: Front) -> None:
    """What will happen is said first; asked as the button, without force; a refusal in its own words."""
    front.answer = Answer("1", ok=False, reason="works")

    async def story(front: Front) -> None:
        await to_box(front)
        await hold_down(front, 4.0)
        said = draw_hint(Hint(Doing.CYCLE_SOON, 0.5, 4.0), BOX, front.snapshot, "fr")
        await front.shows(front.standing(said))
        assert front.asked == []
        front.now += 4.25
        await front.until(lambda: front.asked != [])
        await front.shows(front.standing(draw_answer(Verb.CYCLE, front.answer, front.now, "fr")))
        front.buttons.let_go("page")
        front.now += ANSWER_STAYS_S
        await front.arrive()
        await front.shows(front.page(BOX))

    front.play(story)
    assert front.asked == [(Verb.CYCLE, "box", None, "button")]


def test_letting_go_asks_nothing_and_shows_the_page_again(front: Front) -> None:
    """A bar that was not full has done nothing."""

    async def story(front: Front) -> None:
        await to_box(front)
        await hold_down(front, 7.5)
        front.buttons.let_go("page")
        await front.shows(front.page(BOX))

    front.play(story)
    assert front.asked == []


@pytest.mark.parametrize("answer", [Answer("1", ok=True, until=4600.0), None], ids=["held", "nobody"])
def test_a_long_press_holds(front: Front, answer: Answer | None) -> None:
    """And says so, or that nobody answered."""
    front.answer = answer

    async def story(front: Front) -> None:
        await hold_down(front, 3.0)
        front.buttons.let_go("page")
        await front.shows(front.standing(draw_answer(Verb.HOLD, answer, front.now, "fr")))

    front.play(story)
    assert front.asked == [(Verb.HOLD, None, None, "button")]


def test_a_stuck_button_is_a_finding_until_it_is_let_go(front: Front) -> None:
    """It is told once, and so is its end."""

    async def story(front: Front) -> None:
        front.buttons.press("page")
        front.now += 31.0
        await front.until(lambda: front.told("button") != [])
        await front.steps()
        front.buttons.let_go("page")
        await front.until(lambda: len(front.told("button")) == 2)

    front.play(story)
    assert front.told("button") == [False, True]
    assert front.asked == []


def test_a_display_that_is_away_is_a_finding_and_comes_back_by_itself(front: Front) -> None:
    """The part goes on; with the display the picture is back, and a while later the finding ends."""

    async def story(front: Front) -> None:
        front.screen.away = True
        for _ in range(5):
            front.now += 1.0
            await front.arrive(hold_until=5000.0)
        assert front.told("screen") == [False]
        front.screen.away = False
        front.now += 1.0
        await front.arrive()
        await front.shows(front.page(Page(Kind.MAIN)))
        assert front.told("screen") == [False]
        front.now += WELL_AFTER_S
        await front.arrive()
        assert front.told("screen") == [False, True]

    front.play(story)


def test_no_press_does_anything_while_the_display_is_away(front: Front) -> None:
    """Nobody could see what it does."""

    async def story(front: Front) -> None:
        await to_box(front)
        front.screen.away = True
        await hold_down(front, 12.0)
        front.buttons.let_go("page")
        await front.arrive()

    front.play(story)
    assert front.asked == []


# --- which page stands when nobody presses, and how bright -------------------------------------------------


def shares(snapshot: Snapshot) -> dict[Kind, float]:
    """How much of ten minutes each page stands there."""
    seen = [usual_page(replace(snapshot, mono=second / 2)).kind for second in range(1200)]
    return {kind: seen.count(kind) / len(seen) for kind in Kind}


def test_the_main_page_stands_most_of_the_time(example_snapshot: Build) -> None:
    """Others come in turn, that of the last incident only if there was one."""
    assert shares(example_snapshot()) == {
        Kind.MAIN: 0.9,
        Kind.INSTALLER: 0.1,
        Kind.INCIDENT: 0.0,
        Kind.BOX: 0.0,
        Kind.SERVICES: 0.0,
    }
    after = example_snapshot(last_incident=LastIncident(Code.BOX_HUNG, "Fibre", 60.0, 100.0))
    shown = {Kind.MAIN: 0.8, Kind.INSTALLER: 0.1, Kind.INCIDENT: 0.1, Kind.BOX: 0.0, Kind.SERVICES: 0.0}
    assert shares(after) == shown
    needed = shares(replace(after, services=(make_service(),)))
    assert needed[Kind.SERVICES] == pytest.approx(6 / 66, abs=0.02)


def test_in_trouble_only_the_main_page_stands(
    example_snapshot: Build, example_box: Build, example_finding: Build
) -> None:
    """A finding, a hold, a site that is not armed, a box being restarted."""
    last = LastIncident(Code.BOX_HUNG, "Fibre", 60.0, 100.0)
    for changes in (
        {"findings": (example_finding(Code.BOX_HUNG),)},
        {"hold_until": 5000.0},
        {"armed": False, "unarmed_why": "not_armed"},
        {"boxes": (example_box(phase=Phase.BOOTING, until=2000.0),)},
    ):
        assert shares(example_snapshot(last_incident=last, **changes))[Kind.MAIN] == 1.0


@pytest.mark.parametrize(
    ("hour", "dim"), [(19.99, False), (20.0, True), (23.9, True), (0.0, True), (6.99, True), (7.0, False)]
)
def test_the_hours_go_over_midnight(example_snapshot: Build, hour: float, dim: bool) -> None:
    """From the begin to the end, the end excluded."""
    assert is_dim(EVENING, example_snapshot(), hour * 3600.0) is dim


def test_trouble_is_bright(example_snapshot: Build, example_uplink: Build, example_finding: Build) -> None:
    """So is a doubt, a clock that may be wrong, and a screen without hours."""
    midnight = 0.0
    assert is_dim(EVENING, example_snapshot(), midnight)
    assert not is_dim(EVENING, example_snapshot(findings=(example_finding(Code.BOX_HUNG),)), midnight)
    suspect = (example_uplink(health=Health.SUSPECT),)
    assert not is_dim(EVENING, example_snapshot(uplinks=suspect), midnight)
    assert not is_dim(EVENING, example_snapshot(synced=False), midnight)
    assert not is_dim(None, example_snapshot(), midnight)


def test_a_press_makes_the_screen_bright(example_snapshot: Build) -> None:
    """Whoever is there wants to read it."""
    front = Front(example_snapshot(mono=960.0), dim=EVENING, of_day_s=lambda _: 0.0)

    async def story(front: Front) -> None:
        assert front.screen.dimmed
        await front.click(Page(Kind.INCIDENT))
        assert not front.screen.dimmed
        front.now += 31.0
        await front.arrive()
        await front.until(lambda: front.screen.dimmed)

    front.play(story)


def test_a_page_of_a_box_that_is_gone_is_the_main_one(example_snapshot: Build) -> None:
    """A configuration that has changed breaks nothing."""
    shot = example_snapshot(boxes=())
    assert draw(BOX, shot, "fr", about=About()).tobytes() == render(shot, "fr").tobytes()
