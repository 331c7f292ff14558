"""The part of the composition root that puts the screen and its buttons together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from agent import __version__
from agent.config.effective import window_s
from agent.config.schema import Config
from agent.core.model import Part
from agent.core.snapshot_types import Snapshot
from agent.drivers import open_buttons, open_screen
from agent.runtime.trial import Trials
from agent.sinks.page_main import render_trial
from agent.sinks.pages import About
from agent.sinks.screen import Ask, ScreenSink


async def run_screen(
    config: Config,
    snapshots: AsyncIterator[Snapshot],
    trials: Trials,
    ask: Ask,
    report: Callable[[Part], None],
) -> None:
    """Show snapshots until they end.

    Raises:
        HardwareMissingError: the library of the screen cannot be used on this machine.
    """
    panel, language = config.panel, config.site.language
    opened = await asyncio.to_thread(open_screen, config)
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.closing(opened))
        buttons, faults = await asyncio.to_thread(open_buttons, config)
        for fault in faults:
            report(fault)
        if buttons is not None:
            stack.enter_context(contextlib.closing(buttons))
            buttons = stack.enter_context(trials.offer_buttons(buttons))
        shown = stack.enter_context(trials.offer_screen(opened, render_trial(language, opened.size)))
        sink = ScreenSink(
            shown,
            language,
            about=About(__version__, broker=config.mqtt is not None),
            dim=None if panel.dim is None else window_s(panel.dim),
            report=report,
            panel=buttons,
            ask=ask,
        )
        await sink.run(snapshots)
