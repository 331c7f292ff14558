"""What goes on at the broker besides telling: commands from afar, and the announcement to Home Assistant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent import __version__
from agent.config.schema import Config
from agent.core.instant import Now
from agent.core.snapshot_types import Snapshot
from agent.runtime.announced import AnnouncedFile
from agent.runtime.seen import SeenCommands

if TYPE_CHECKING:
    from agent.sinks.mqtt.commands import Ask, Commands
    from agent.sinks.mqtt.homeassistant import HomeAssistant

Call = Callable[..., Awaitable[Any]]


async def open_commands(
    config: Config,
    state: Path,
    call: Call,
    ask: Ask,
    clock: Callable[[], Now],
    latest: Callable[[], Snapshot | None],
    publish_afresh: Callable[[], None],
) -> Commands | None:
    """What takes commands; None where none are allowed. Make it once: its memory is one file.

    Args:
        config: says whether.
        state: the state folder.
        call: runs a blocking call in the disk's worker.
        ask: hands a request to the core.
        clock: gives the present instant.
        latest: the newest snapshot.
        publish_afresh: has every retained topic published once more.
    """
    from agent.sinks.mqtt.commands import Commands

    if config.mqtt is None or not config.mqtt.commands:
        return None
    return Commands(ask, await SeenCommands.open(state, call), clock, latest, publish_afresh)


async def open_announcer(config: Config, state: Path, call: Call) -> HomeAssistant | None:
    """What announces the site, or takes back what was announced; None where there is neither."""
    from agent.sinks.mqtt.homeassistant import Announcement, HomeAssistant

    mqtt = config.mqtt
    if mqtt is None:
        return None
    announced = await AnnouncedFile.open(state, call)
    if mqtt.home_assistant is None and not announced.known:
        return None
    announcement = Announcement(
        topic=mqtt.home_assistant,
        root=mqtt.root,
        site=config.site.name,
        language=config.site.language,
        commands=mqtt.commands,
        version=__version__,
    )
    return HomeAssistant(announcement, announced)
