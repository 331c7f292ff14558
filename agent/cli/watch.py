"""``vigie watch``: panel, uplinks and events of the running agent, live."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from agent.cli.control_client import DEFAULT_SOCKET, EventLine, RefusedError, UnreachableError, watch
from agent.cli.devices import device_text
from agent.cli.labels import LANGUAGES, SYMBOLS, label, language_of
from agent.cli.view import Gathered, Line, line_text
from agent.core.codes import Severity
from agent.core.snapshot_types import Snapshot
from agent.sinks.mqtt.topics import device_news

RETRY_S = 1.0
NO_AGENT = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``vigie watch``."""
    parser.epilog = "Ends with Ctrl-C. Into a pipe it writes one line per event."
    parser.add_argument("--socket", type=Path, default=DEFAULT_SOCKET, help="default: %(default)s")
    parser.add_argument("--lang", choices=LANGUAGES, default=language_of(), help="default: %(default)s")


def run(args: argparse.Namespace) -> int:
    """Follow the agent until told to stop."""
    try:
        if sys.stdout.isatty():
            asyncio.run(_live(args.socket, args.lang))
        else:
            asyncio.run(_plain(args.socket, args.lang))
    except (UnreachableError, RefusedError) as fault:
        sys.stderr.write(f"vigie watch: {fault}\n")
        return NO_AGENT
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 0
    return 0


def event_line(event: EventLine, language: str, t_s: float | None = None) -> Line:
    """An event for the timeline, stamped with the time at which it came."""
    return Line(time.time(), t_s, event.text(language), Severity(event.severity))


async def _follow(
    socket: Path, seen: Callable[[Snapshot | EventLine], None], gone: Callable[[], None]
) -> None:
    """Hand on whatever comes, for ever; only the first connection may fail."""
    reached = False
    while True:
        try:
            async with contextlib.aclosing(watch(socket)) as stream:
                async for message in stream:
                    reached = True
                    seen(message)
        except UnreachableError:
            if not reached:
                raise
        gone()
        await asyncio.sleep(RETRY_S)


async def _live(socket: Path, language: str) -> None:
    from agent.cli.terminal import FRAMES_PER_S, LiveTerminal

    gathered = Gathered(language, time.monotonic())

    def seen(message: Snapshot | EventLine) -> None:
        if isinstance(message, EventLine):
            gathered.line(event_line(message, language))
        else:
            gathered.picture(message, time.monotonic())

    watching = asyncio.current_task()
    assert watching is not None
    # Whoever ends it politely gets the terminal back as it was.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, watching.cancel)
    following = asyncio.create_task(_follow(socket, seen, gathered.gone))
    # An agent that cannot be reached at all is told in plain words, not on a screen that vanishes.
    await asyncio.wait({following}, timeout=0.5)
    try:
        if following.done():
            return
        with LiveTerminal() as terminal:
            while not following.done():
                terminal.show(gathered.view(time.monotonic(), *terminal.size))
                await asyncio.wait({following}, timeout=1 / FRAMES_PER_S)
    finally:
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following


async def _plain(socket: Path, language: str) -> None:
    """A line for every event, and one for each uplink and device at the beginning and on news of it."""
    health: dict[str, str] = {}
    said: dict[str, object] = {}

    def tell(text: str) -> None:
        sys.stdout.write(f"{line_text(Line(time.time(), None, text))}\n")
        sys.stdout.flush()

    def seen(message: Snapshot | EventLine) -> None:
        if isinstance(message, EventLine):
            tell(message.text(language))
            return
        for uplink in message.uplinks:
            if health.get(uplink.name) != uplink.health:
                health[uplink.name] = uplink.health
                state = label(f"health.{uplink.health}", language)
                tell(f"{SYMBOLS[uplink.health]} {uplink.label}: {state} ({uplink.why})")
        for device in message.devices:
            if said.get(device.name) != (news := device_news(device)):
                said[device.name] = news
                tell(f"  {device_text(message, device, language)}")

    def gone() -> None:
        if health:
            health.clear()
            said.clear()
            tell(label("no_agent", language))

    await _follow(socket, seen, gone)
