"""Where the readings of a modem come from: the running agent, or, where none runs, the modem itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from agent.cli.control_client import NoAgentError, UnreachableError, follow
from agent.core.devices import Says
from agent.runtime.signals import ChoiceError, choose

if TYPE_CHECKING:
    from agent.config.schema import Config


@dataclass(frozen=True, slots=True)
class Said:
    """One reading, and whose; None before the first one."""

    modem: str
    label: str
    says: Says | None = None


class GoneError(RuntimeError):
    """The agent has gone."""


class BesideError(RuntimeError):
    """An agent seems to run but does not answer: its modem must not be opened beside it."""


async def readings(socket: Path, modem: str | None, config: Config | None) -> AsyncGenerator[Said, None]:
    """What the modem says, about once a second, for ever; first at once whose readings will follow.

    Args:
        socket: the agent's; it is asked whenever one runs.
        modem: its name; None for the only one.
        config: where the modem is found without an agent; None: only an agent is asked.

    Raises:
        ChoiceError: which modem is meant is not clear.
        NoAgentError: no agent runs, and there is no configuration.
        BesideError: an agent may be running but does not answer.
        UnreachableError: the same without a configuration.
        RefusedError: the agent says no.
        GoneError: the agent went away meanwhile.
    """
    try:
        async with contextlib.aclosing(_from_agent(socket, modem)) as said:
            async for one in said:
                yield one
    except NoAgentError:
        if config is None:
            raise
    except UnreachableError as fault:
        if config is None:
            raise
        raise BesideError(str(fault)) from fault
    else:
        raise GoneError
    async with contextlib.aclosing(_from_modem(config, modem)) as said:
        async for one in said:
            yield one


async def _from_agent(socket: Path, modem: str | None) -> AsyncGenerator[Said, None]:
    request = {"do": "signal"} if modem is None else {"do": "signal", "modem": modem}
    async with contextlib.aclosing(follow(socket, request)) as lines:
        whose: Said | None = None
        async for line in lines:
            try:
                if whose is None and not line["ok"]:
                    raise ChoiceError(str(line["reason"]), dict(line["modems"]))
                if whose is None:
                    whose = Said(str(line["modem"]), str(line["label"]))
                    yield whose
                else:
                    yield Said(whose.modem, whose.label, msgspec.convert(line["says"], Says))
            except (KeyError, TypeError, ValueError, msgspec.ValidationError) as fault:
                raise UnreachableError(
                    f"the agent's answer makes no sense to this version: {fault}"
                ) from fault
        if whose is None:
            raise UnreachableError(f"{socket}: the agent hung up without an answer")


async def _from_modem(config: Config, wanted: str | None) -> AsyncGenerator[Said, None]:
    """Through the driver, which holds a serial port alone: an agent that starts meanwhile must wait."""
    from agent.drivers import open_modem
    from agent.probes.devices import DeviceWatcher

    name = choose({modem.name: modem.label for modem in config.modem}, wanted)
    section = next(modem for modem in config.modem if modem.name == name)
    watcher = DeviceWatcher(section.uplink, open_modem(config, name), lambda _says: None)
    heard: asyncio.Queue[Says | None] = asyncio.Queue()
    asking = asyncio.create_task(watcher.run())
    asking.add_done_callback(lambda _: heard.put_nowait(None))
    try:
        yield Said(name, section.label)
        with watcher.attended(heard.put_nowait):
            while (says := await heard.get()) is not None:
                yield Said(name, section.label, says)
        asking.result()  # it never ends but by a defect of the driver, which is raised here
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await watcher.close()
