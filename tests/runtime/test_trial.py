"""Trying out the panel: it shows what is asked for as long as somebody asks, then the site again."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from office import Office, play

from agent.core.people import Request
from agent.runtime import control
from agent.sinks.page_main import render_trial
from hardware.ports import Colour, HardwareError, Pattern


class Hand:
    """One connection to the socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, **request: Any) -> dict[str, Any]:
        self.writer.write(json.dumps({"do": "try", **request}).encode() + b"\n")
        answer: dict[str, Any] = json.loads(await self.reader.readline())
        return answer


@contextlib.asynccontextmanager
async def hand(office: Office) -> AsyncIterator[Hand]:
    reader, writer = await asyncio.open_unix_connection(str(office.path))
    yield Hand(reader, writer)
    writer.close()
    await writer.wait_closed()


async def eventually(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not fact():
            await asyncio.sleep(0.01)


def lit(office: Office) -> dict[str, Colour]:
    """The LEDs that are on."""
    return {
        name: pattern.colour
        for name, pattern in office.lights.patterns.items()
        if pattern.colour is not Colour.DARK
    }


def test_each_line_shows_another_colour_and_the_end_shows_the_site(tmp_path: Path) -> None:
    """All other LEDs are dark meanwhile, whatever the site does."""

    async def body(office: Office) -> None:
        before = dict(office.lights.patterns)
        async with hand(office) as trial:
            for colour in ("green", "red", "orange"):
                assert await trial.ask(led="ftth", colour=colour) == {"ok": True}
                assert lit(office) == {"ftth": Colour(colour)}
            seq = office.board.latest.seq if office.board.latest else 0
            await eventually(lambda: office.board.latest is not None and office.board.latest.seq > seq + 1)
            assert lit(office) == {"ftth": Colour.ORANGE}, "the sink goes on without being seen"
        await eventually(lambda: lit(office) != {"ftth": Colour.ORANGE})
        assert set(office.lights.patterns) == set(before)

    play(tmp_path, body)


def test_the_screen_shows_its_trial_until_the_hand_goes(tmp_path: Path) -> None:
    """And then the site again."""

    async def body(office: Office) -> None:
        async with hand(office) as trial:
            assert await trial.ask(screen=True) == {"ok": True}
            assert office.screen.image is not None
            assert office.screen.image.tobytes() == render_trial("en").tobytes()
        await eventually(
            lambda: (
                office.screen.image is not None
                and office.screen.image.tobytes() != render_trial("en").tobytes()
            )
        )

    play(tmp_path, body)


def test_one_person_at_a_time(tmp_path: Path) -> None:
    """The second one hears who is there."""

    async def body(office: Office) -> None:
        async with hand(office) as first, hand(office) as second:
            await first.ask(led="ftth", colour="red")
            assert "somebody else" in (await second.ask(screen=True))["error"]
            assert lit(office) == {"ftth": Colour.RED}
        async with hand(office) as third:
            assert await third.ask(screen=True) == {"ok": True}

    play(tmp_path, body)


def test_a_hand_that_falls_asleep_lets_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The panel belongs to the site: a forgotten trial ends by itself."""
    monkeypatch.setattr(control, "TRIAL_S", 0.05)

    async def body(office: Office) -> None:
        async with hand(office) as trial:
            await trial.ask(led="ftth", colour="red")
            assert await trial.reader.read() == b""
            assert lit(office).get("ftth") is not Colour.RED

    play(tmp_path, body)


def test_a_mistake_in_the_middle_ends_the_trial(tmp_path: Path) -> None:
    """With an error that says what is allowed."""

    async def body(office: Office) -> None:
        async with hand(office) as trial:
            await trial.ask(led="ftth", colour="red")
            answer = await trial.ask(led="ftth", colour="blue")
            assert "dark, green, orange, red" in answer["error"]
            assert await trial.reader.read() == b""

    play(tmp_path, body)


def test_a_led_that_does_not_obey_is_told(tmp_path: Path) -> None:
    """In the words of its driver."""

    async def body(office: Office) -> None:
        def broken(_patterns: dict[str, Pattern]) -> None:
            raise HardwareError("pin 5 is busy")

        await eventually(lambda: office.board.latest is not None)
        office.lights.show = broken  # type: ignore[method-assign,assignment]
        async with hand(office) as trial:
            assert (await trial.ask(led="ftth", colour="red"))["error"] == "lights: pin 5 is busy"

    play(tmp_path, body)


def test_a_press_is_noted_in_a_trial_and_does_nothing_else(tmp_path: Path) -> None:
    """Neither then nor later; a press that had begun before is given up."""

    async def body(office: Office) -> None:
        while office.screen.image is None:
            await asyncio.sleep(0.01)
        office.buttons.press("hold")
        async with hand(office) as trial:
            assert await trial.ask(button="page") == {"ok": True, "pressed": False}
            office.buttons.let_go("hold")
            office.buttons.press("page")
            office.buttons.let_go("page")
            assert await trial.ask(button="page") == {"ok": True, "pressed": True}
            assert await trial.ask(button="hold") == {"ok": True, "pressed": False}
        # The end of the first trial is noticed a moment after its hand has gone.
        answers = []
        while {"ok": True, "pressed": False} not in answers:
            async with hand(office) as trial:
                answers.append(await trial.ask(button="page"))
        assert all("error" in answer for answer in answers[:-1])
        assert not any(isinstance(one, Request) for one in office.seen)

    play(tmp_path, body)
