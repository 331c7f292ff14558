"""LEDs and buzzer as parts of a running agent; each imports what it needs when it runs."""

from __future__ import annotations

import asyncio
from contextlib import closing

from agent.config.effective import quiet_hours
from agent.config.schema import Config
from agent.drivers import open_buzzer, open_lights
from agent.runtime.board import Board
from agent.runtime.trial import Trials


async def run_lights(config: Config, board: Board, trials: Trials) -> None:
    """Show the site on the LEDs, after a test of every lamp, until cancelled.

    Raises:
        HardwareError: a LED does not obey.
    """
    from agent.sinks.lights import LightsSink

    opened = await asyncio.to_thread(open_lights, config)
    with closing(opened) as lights, trials.offer_lights(lights) as shown:
        await LightsSink(shown, lamp_test=config.panel.leds).run(board.snapshots())


async def run_buzzer(config: Config, board: Board) -> None:
    """Sound when an alert begins, until cancelled.

    Raises:
        HardwareError: the buzzer does not obey.
    """
    from agent.sinks.buzzer import BuzzerSink

    with closing(await asyncio.to_thread(open_buzzer, config)) as buzzer:
        await BuzzerSink(buzzer, quiet_hours(config)).run(board.snapshots())
