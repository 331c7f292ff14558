"""The memory of commands from afar, in a small file of the state folder.

A command is on the disk before it is done, so that no kill in between has it done twice. A file that is not
there says that none was ever taken: it is synced, with its folder, before the first one is done, and what
would take it away without a trace (a new card) takes the memory of power cycles with it. A file that is there
and cannot be understood or read is another matter: then every command is refused that could have stood in it,
that is, until one hour after the loss was noticed. One that ends later was not given before, and is taken.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agent.core.afar import Seen, Taken, forgotten, noted, refusal, settled
from agent.core.instant import Now
from agent.core.people import Answer
from agent.runtime.notes import read_note
from agent.runtime.store_codec import TroubleError, sealed, told_apart, write_text

FILE = "commands.json"

_log = logging.getLogger("vigie.commands")


class SeenCommands:
    """Remembers what was taken. Belongs to the event loop's thread; its file to the disk's worker."""

    def __init__(self, folder: Path, call: Callable[..., Awaitable[Any]], seen: Seen | None = None) -> None:
        """``call`` runs a blocking call in the disk's worker, one after the other; ``seen`` as loaded."""
        self._folder = folder
        self._call = call
        self._seen = seen or Seen()

    @classmethod
    async def open(cls, folder: Path, call: Callable[..., Awaitable[Any]]) -> SeenCommands:
        """What earlier runs have taken; never raises for what is found."""
        return cls(folder, call, await call(load, folder))

    async def take(self, name: str, expires: float, now: Now) -> Answer | None:
        """Take the command of this name, or say why not; on the disk when this returns None.

        Args:
            name: its own, whoever gave it.
            expires: UNIX seconds.
            now: the instant.
        """
        known = settled(self._seen, now)
        if known is not self._seen:
            # Written at once, or every further start would begin the hour anew.
            self._seen = known
            await self._save()
        no = refusal(self._seen, name, expires, now)
        if no is not None:
            return no
        self._seen = noted(self._seen, name, expires, now)
        if await self._save():
            return None
        self._seen = forgotten(self._seen, name)
        return Answer(name, ok=False, reason="unwritten")

    async def _save(self) -> bool:
        try:
            await self._call(write_text, self._folder, FILE, sealed("content", asdict(self._seen)))
        except TroubleError as trouble:
            _log.warning("%s cannot be written: %s", FILE, trouble)
            return False
        return True


def load(folder: Path) -> Seen:
    """What the file holds; ``lost`` if it is there and cannot be understood."""
    try:
        content = read_note(folder, FILE)
        return Seen() if content is None else decode(content)
    except TroubleError as trouble:
        _log.warning("%s cannot be read, commands are refused for an hour: %s", FILE, trouble)
        return Seen(lost=True)


def decode(content: Mapping[str, Any]) -> Seen:
    """The inverse of ``asdict``; raises ``DamagedError``."""
    with told_apart():
        return Seen(
            taken=tuple(
                Taken(str(one["name"]), float(one["at"]), float(one["expires"])) for one in content["taken"]
            ),
            latest=float(content["latest"]),
            closed_until=float(content["closed_until"]),
            lost=content["lost"] is True,
        )
