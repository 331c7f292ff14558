"""What was announced to others at the broker, in a small file of the state folder.

A file that is damaged says nothing: what was announced before and is gone then stays at the receiver as
unavailable, and can be removed there by hand.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from agent.runtime.notes import read_note
from agent.runtime.store_codec import TroubleError, sealed, told_apart, write_text

FILE = "announced.json"

_log = logging.getLogger("vigie.mqtt")


class AnnouncedFile:
    """Belongs to the event loop's thread; its file to the disk's worker."""

    def __init__(
        self,
        folder: Path,
        call: Callable[..., Awaitable[Any]],
        known: Mapping[str, Mapping[str, str]],
    ) -> None:
        """``call`` runs a blocking call in the disk's worker, one after the other; ``known`` as loaded."""
        self._folder = folder
        self._call = call
        self.known: Mapping[str, Mapping[str, str]] = known
        """By topic, the platform of each component."""
        self._writing: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, folder: Path, call: Callable[..., Awaitable[Any]]) -> AnnouncedFile:
        """What earlier runs have announced; never raises for what is found."""
        return cls(folder, call, await call(load, folder))

    def keep(self, known: Mapping[str, Mapping[str, str]]) -> None:
        """Remember this from now on; written soon, in the order of the calls."""
        self.known = known
        task = asyncio.get_running_loop().create_task(self._write(sealed("content", known)))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, text: str) -> None:
        try:
            await self._call(write_text, self._folder, FILE, text)
        except TroubleError as trouble:
            _log.warning("%s cannot be written: %s", FILE, trouble)


def load(folder: Path) -> dict[str, dict[str, str]]:
    """What the file holds; nothing if there is none, or none that can be understood."""
    try:
        with told_apart():
            content = read_note(folder, FILE) or {}
            return {
                str(topic): {str(key): str(platform) for key, platform in components.items()}
                for topic, components in content.items()
            }
    except TroubleError as trouble:
        _log.warning("%s cannot be read and says nothing: %s", FILE, trouble)
        return {}
