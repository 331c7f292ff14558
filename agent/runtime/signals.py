"""The modems whose signal somebody may follow, reading by reading, while an antenna is aimed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from agent.core.devices import Says


class Attended(Protocol):
    """Asks one modem; see ``probes.devices.DeviceWatcher``."""

    def attended(self, hear: Callable[[Says], None]) -> AbstractContextManager[None]:
        """Ask every second while the context lasts, and let ``hear`` have each answer."""


@dataclass(frozen=True, slots=True)
class Source:
    """One modem: its name for people, and who asks it."""

    label: str
    watcher: Attended


class ChoiceError(LookupError):
    """Which modem is meant is not clear.

    Attributes:
        reason: ``no_modems``, ``no_modem`` or ``which``.
        modems: the labels of those there are, by name.
    """

    def __init__(self, reason: str, modems: Mapping[str, str]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.modems = dict(modems)


def choose(modems: Mapping[str, str], wanted: str | None) -> str:
    """The name of the modem that is meant: the one of that name, or the only one.

    Args:
        modems: the labels of those there are, by name.
        wanted: a name; None for the only one.

    Raises:
        ChoiceError: there is none, none of that name, or more than one.
    """
    if not modems:
        raise ChoiceError("no_modems", modems)
    if wanted is None:
        if len(modems) > 1:
            raise ChoiceError("which", modems)
        return next(iter(modems))
    if wanted not in modems:
        raise ChoiceError("no_modem", modems)
    return wanted


class Signals:
    """The modems of a configuration, by name. Everything runs in the event loop's thread."""

    def __init__(self, modems: Mapping[str, Source]) -> None:
        self.modems = dict(modems)

    def choose(self, wanted: str | None) -> str:
        """As the function ``choose``, among these modems."""
        return choose({name: source.label for name, source in self.modems.items()}, wanted)

    async def readings(self, name: str) -> AsyncGenerator[Says, None]:
        """Every answer of the modem from now on; it is attended until the generator is closed.

        Nothing bounds what waits for a slow reader: there is one reading a second, and a client of the socket
        that takes none for seconds is sent away.
        """
        heard: asyncio.Queue[Says] = asyncio.Queue()
        with self.modems[name].watcher.attended(heard.put_nowait):
            while True:
                yield await heard.get()
