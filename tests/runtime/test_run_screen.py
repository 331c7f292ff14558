"""The screen as the agent runs it: what is missing becomes a finding, and the part goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from importlib import resources
from typing import Any

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from agent.config.reader import parse
from agent.core.model import Part
from agent.core.people import Answer, Verb
from agent.core.snapshot_types import Snapshot
from agent.panel import run_screen
from agent.runtime.trial import Trials
from hardware.gpio import GpioLights

MINIMAL = resources.files("agent.config").joinpath("minimal.toml").read_text(encoding="utf-8")
PANEL = """
[panel]
screen = "ssd1306"
i2c_port = 20
button = 22
dim = "20:00-07:00"
"""


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    factory = MockFactory()
    Device.pin_factory = factory
    yield factory
    factory.reset()
    Device.pin_factory = None


async def nobody(verb: Verb, box: str | None, for_s: float | None, by: str) -> Answer:
    raise AssertionError((verb, box, for_s, by))


def run(shot: Callable[..., Snapshot], wanted: int) -> list[Part]:
    """Run it until so many parts were reported."""
    parts: list[Part] = []

    async def stream() -> AsyncIterator[Snapshot]:
        seq = 0
        async with asyncio.timeout(20):
            while len(parts) < wanted:
                seq += 1
                yield shot(seq=seq, mono=960.0 + seq)
                await asyncio.sleep(0.01)

    text = MINIMAL[: MINIMAL.index("[panel")] if "[panel" in MINIMAL else MINIMAL
    asyncio.run(run_screen(parse(text + PANEL), stream(), Trials(), nobody, parts.append))
    return parts


def test_a_display_that_is_not_there_is_a_finding_that_says_what_to_do(
    pins: MockFactory, example_snapshot: Any
) -> None:
    """The part goes on, and its button's pin is free again at the end."""
    (part,) = run(example_snapshot, 1)
    assert (part.name, part.ok) == ("screen", False)
    assert "there is no I2C bus 20" in part.detail
    GpioLights({"site": (22, 23)}, pins).close()


def test_a_button_that_cannot_be_used_does_not_take_the_screen_away(
    pins: MockFactory, example_snapshot: Any
) -> None:
    """It is a finding of its own, which names the pin."""
    lights = GpioLights({"site": (22, 23)}, pins)
    button, screen = run(example_snapshot, 2)
    assert (button.name, button.ok, screen.name) == ("button", False, "screen")
    assert "GPIO 22" in button.detail
    lights.close()
