"""Playing a scenario: the bay, the real agent in it, the deeds at their times, and everything that was seen.

The agent runs as its own process in the bay's site namespace and is watched through its control socket,
as any technician would. Nothing is told to it but its configuration file.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from pathlib import Path
from typing import Protocol

from agent.cli.bay_agent import BayAgent
from agent.cli.bay_config import bay_uplinks, configuration, write_secret
from agent.cli.control_client import EventLine, UnreachableError, watch
from agent.cli.expectations import Evidence, Outage, Seen
from agent.core.snapshot_types import Snapshot
from hardware.virtual.bay import Bay
from hardware.virtual.scenario import Deed, Scenario

START_S = 20.0
STEP_S = 0.02
RETRY_S = 0.05


class StoryError(RuntimeError):
    """The story could not be played to its end; the message says why."""


class Audience(Protocol):
    """Who looks on. ``t`` is seconds since the start of the story, negative before it."""

    def picture(self, t: float, shot: Snapshot) -> None:
        """A snapshot has come."""

    def event(self, t: float, event: EventLine) -> None:
        """The agent tells an event."""

    def deed(self, t: float, deed: Deed) -> None:
        """The scenario does something."""

    def agent_gone(self) -> None:
        """The control socket has closed."""


class Story:
    """One play of a scenario in ``folder``, which must exist. Whoever made the folder removes it."""

    def __init__(self, scenario: Scenario, folder: Path, language: str, audience: Audience) -> None:
        self._scenario = scenario
        self._folder = folder
        self._language = language
        self._audience = audience
        self._bay = Bay(
            folder,
            bay_uplinks(scenario),
            seed=scenario.seed,
            services=[service.name for service in scenario.services],
            routed=scenario.router is not None,
        )
        self._agent = BayAgent(self._bay)
        self._began_at: float | None = None
        self._events: list[Seen] = []
        self._pictures: list[tuple[float, Snapshot]] = []
        self._deeds: dict[str, float] = {}
        self._done: list[tuple[float, Deed]] = []
        self._first: dict[str, float] = {}
        self._unreachable = ""

    @property
    def elapsed_s(self) -> float:
        """Seconds since the story's start, 0 before it."""
        return 0.0 if self._began_at is None else time.monotonic() - self._began_at

    async def play(self) -> Evidence:
        """Build everything, play, and take everything down again, whatever happens.

        Raises:
            StoryError: the agent did not start or died by itself.
        """
        following: asyncio.Task[None] | None = None
        try:
            await self._bay.start()
            broker = await self._bay.start_broker()
            text = configuration(self._scenario, self._folder, self._language, broker=broker)
            self._agent.config.write_text(text, encoding="utf-8")
            for uplink in self._scenario.uplinks:
                write_secret(uplink.speaks, uplink.name, self._folder)
            self._agent.prove()
            await self._agent.start()
            following = asyncio.create_task(self._follow())
            await self._first_picture(following)
            await self._act(following)
            return self._evidence()
        finally:
            if following is not None:
                following.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await following
            await self._agent.stop()
            await self._bay.stop()

    # --- the story ------------------------------------------------------------------------------------------

    async def _first_picture(self, following: asyncio.Task[None]) -> None:
        """Time zero is the agent's first word."""
        deadline = time.monotonic() + START_S
        while self._began_at is None:
            self._check(following)
            if time.monotonic() > deadline:
                why = f"the agent said nothing for {START_S:g} s: {self._unreachable}"
                raise StoryError(f"{why}\n{self._agent.log_tail()}")
            await asyncio.sleep(STEP_S)

    async def _act(self, following: asyncio.Task[None]) -> None:
        waiting = sorted(self._scenario.deeds, key=lambda deed: deed.at_s)
        while self.elapsed_s < self._scenario.duration_s:
            self._check(following)
            for deed in [deed for deed in waiting if self._is_due(deed)]:
                waiting.remove(deed)
                t = self.elapsed_s
                self._audience.deed(t, deed)
                self._done.append((t, deed))
                if deed.name is not None:
                    self._deeds[deed.name] = t
                await self._do(deed)
            await asyncio.sleep(STEP_S)

    def _is_due(self, deed: Deed) -> bool:
        zero = 0.0 if deed.after_event is None else self._first.get(deed.after_event, float("inf"))
        return self.elapsed_s >= zero + deed.at_s

    async def _do(self, deed: Deed) -> None:
        match deed.what:
            case "agent_kill":
                await self._agent.stop(signal.SIGKILL)
            case "agent_term":
                await self._agent.stop()
            case "agent_start":
                await self._agent.start()
            case what:
                await self._bay.do(what, on=deed.on, **deed.args)

    def _check(self, following: asyncio.Task[None]) -> None:
        """Nothing but the scenario may end the agent or the watching."""
        if self._agent.died is not None:
            raise StoryError(f"the agent died (exit code {self._agent.died})\n{self._agent.log_tail()}")
        if following.done():
            raise StoryError(f"watching the agent failed: {following.exception()}") from following.exception()

    def _evidence(self) -> Evidence:
        """Everything that was seen, and what really became of the boxes."""
        assert self._began_at is not None
        facts = self._bay.facts()
        end_s = self.elapsed_s
        outages = [
            Outage(box, began_at - self._began_at, end_s if ended_at is None else ended_at - self._began_at)
            for box, fact in facts.items()
            for began_at, ended_at in fact["cut_times"]
        ]
        return Evidence(
            end_s=end_s,
            events=tuple(self._events),
            pictures=tuple(self._pictures),
            deeds=dict(self._deeds),
            cuts={box: fact["cuts"] for box, fact in facts.items()},
            powered={box: fact["powered"] for box, fact in facts.items()},
            outages=tuple(outages),
            done=tuple(self._done),
        )

    # --- the agent ------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        """Take in what the agent says, over its restarts."""
        while True:
            try:
                async with contextlib.aclosing(watch(self._agent.socket)) as stream:
                    async for message in stream:
                        self._seen(message)
                self._audience.agent_gone()
            except UnreachableError as fault:
                self._unreachable = str(fault)
            await asyncio.sleep(RETRY_S)

    def _seen(self, message: Snapshot | EventLine) -> None:
        if self._began_at is None and isinstance(message, Snapshot):
            self._began_at = time.monotonic()
        t = self.elapsed_s
        if isinstance(message, Snapshot):
            self._pictures.append((t, message))
            self._audience.picture(t, message)
            return
        self._events.append(Seen(t, message.code, message.subject, message.args, message.alert))
        self._first.setdefault(message.code, t)
        self._audience.event(t, message)
