"""Carries out what the core ordered, and reports the outcome as an observation.

A cut happens only after its cycle is on disk. Every box has its own worker, so that a slow disk or a
frozen relay of one box never delays the restoring of another, and orders to one relay keep their order.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from agent.core.alerts import SaveAlerts, Told
from agent.core.codes import Code
from agent.core.instant import Stamp
from agent.core.letters import Fate, SendText, Texting, TextReport, masked
from agent.core.line import Line
from agent.core.model import (
    Action,
    AskMore,
    Cut,
    Cycle,
    Observation,
    OpenIncident,
    Outcome,
    Pace,
    Part,
    PowerReport,
    Reboot,
    Restore,
    SaveCycle,
    SaveIncident,
)
from agent.core.outside import AskAddress, Outer, SaveOuter
from agent.core.people import Answer, OpenHold
from agent.core.radio import Air
from agent.core.saves import SaveAir, SaveAnswering, SaveHold, SaveLine, SaveProof, SaveTexting
from agent.core.service_words import AskService
from agent.core.spending import CheckEvery, SaveSpending, Spending
from hardware.ports import HardwareError, Relay, UnconfirmedError

SAVED_WITHIN_S = 1.0
"""At the end a disk gets so much time; boxes have been restored by then."""

log = logging.getLogger("vigie.actuator")


class Memory(Protocol):
    """What must be remembered across restarts.

    Calls block; each may raise OSError or RuntimeError if its argument could not be written.
    """

    def save_cycle(self, cycle: Cycle) -> None:
        """Remember a cycle, in place of the one with the same order."""

    def save_incident(self, incident: OpenIncident | None) -> None:
        """Remember the open incident, or that none is."""

    def save_answering(self, uplink: str) -> None:
        """Remember that this uplink's box answers pings."""

    def save_line(self, uplink: str, line: Line) -> None:
        """Remember what was learned of this uplink's line."""


class Notebook(Protocol):
    """What is noted beside the memory. Calls block; each may raise OSError if it could not be written."""

    def save_proof(self, box: str, at: Stamp | None, by_silence: bool = False) -> None:
        """Remember when this box's relay was proven; None: it is not any more."""

    def save_air(self, uplink: str, air: Air) -> None:
        """Remember how the signal of this uplink's modem was in the last days."""

    def save_hold(self, hold: OpenHold | None) -> None:
        """Remember the hold, or that there is none."""

    def save_spending(self, uplink: str, spending: Spending) -> None:
        """Remember what this uplink has used of its data budget."""

    def save_outer(self, uplink: str, outer: Outer) -> None:
        """Remember how this uplink looks from outside."""

    def save_told(self, told: tuple[Told, ...]) -> None:
        """Remember which conditions were told as alerts."""

    def save_texting(self, memory: Texting) -> None:
        """Remember which text messages were sent."""


Send = Callable[[SendText], Awaitable[None]]
"""Puts a message into words and has its modem send it; raises ``HardwareError`` or ``ValueError``."""


class Actuator:
    """One table from action to deed."""

    def __init__(
        self,
        relays: Mapping[str, Relay],
        memory: Memory,
        memory_worker: ThreadPoolExecutor,
        pace: Callable[[str, float, float | None], None],
        ask_more: Callable[[str], None],
        post: Callable[[Observation], None],
        reboots: Mapping[str, Callable[[], Awaitable[None]]] | None = None,
        answer: Callable[[Answer], None] = lambda _answer: None,
        notes: Notebook | None = None,
        send_text: Send | None = None,
        check_every: Callable[[str, float], None] = lambda _uplink, _every_s: None,
        ask_service: Callable[[str, str], None] = lambda _service, _way: None,
        ask_address: Callable[[str], None] = lambda _way: None,
    ) -> None:
        self._relays = relays
        self._reboots = dict(reboots or {})
        self._memory = memory
        self._memory_worker = memory_worker
        self._pace = pace
        self._ask_more = ask_more
        self._post = post
        self._answer = answer
        self._notes = notes
        self._send_text = send_text
        self._check_every = check_every
        self._ask_service = ask_service
        self._ask_address = ask_address
        self._workers = {
            name: ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"relay-{name}") for name in relays
        }
        self._void: set[str] = set()
        """Orders that were restored before they were carried out: they must not cut any more."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._saves: set[asyncio.Task[Any]] = set()
        """Of the tasks those that write, and nothing else."""

    def carry_out(self, action: Action) -> None:
        """Begin an action; returns at once."""
        match action:
            case Pace():
                self._pace(action.uplink, action.interval_s, action.box_s)
            case AskMore():
                self._ask_more(action.uplink)
            case AskService():
                self._ask_service(action.service, action.way)
            case AskAddress():
                self._ask_address(action.way)
            case CheckEvery():
                self._check_every(action.uplink, action.every_s)
            case Answer():
                self._answer(action)
            case Cut():
                self._start(self._cut(action))
            case Reboot():
                self._start(self._reboot(action))
            case Restore():
                self._void.add(action.order)
                self._start(self._restore(action))
            case SaveCycle():
                self._save(self._remember(self._memory.save_cycle, action.cycle))
            case SaveIncident():
                self._save(self._remember(self._memory.save_incident, action.incident))
            case SaveAnswering():
                self._save(self._remember(self._memory.save_answering, action.uplink))
            case SaveLine():
                self._save(self._remember(self._memory.save_line, action.uplink, action.line))
            case SaveProof() if self._notes is not None:
                self._save(
                    self._note("proofs", self._notes.save_proof, action.box, action.at, action.by_silence)
                )
            case SaveAir() if self._notes is not None:
                self._save(self._note("signals", self._notes.save_air, action.uplink, action.air))
            case SaveOuter() if self._notes is not None:
                self._save(self._note("public", self._notes.save_outer, action.uplink, action.outer))
            case SaveTexting() if self._notes is not None:
                self._save(self._note("texts", self._notes.save_texting, action.memory))
            case SendText():
                self._start(self._text(action))
            case SaveHold() if self._notes is not None:
                self._save(self._note("hold", self._notes.save_hold, action.hold))
            case SaveSpending() if self._notes is not None:
                self._save(self._note("spending", self._notes.save_spending, action.uplink, action.spending))
            case SaveAlerts() if self._notes is not None:
                self._save(self._note("alerts", self._notes.save_told, action.told))

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _save(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._saves.add(task)
        task.add_done_callback(self._saves.discard)

    async def _cut(self, action: Cut) -> None:
        relay = self._relays.get(action.box)
        if relay is None:
            self._post(PowerReport(action.box, action.order, Outcome.REFUSED, "no relay"))
            return
        if not await self._written(action) or action.order in self._void:
            return
        try:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._workers[action.box], relay.cut, action.longest_s)
        except (HardwareError, ValueError) as error:
            log.warning("relay of %s does not cut: %s", action.box, error)
            self._relay_part(action.box, ok=False, detail=str(error))
            self._post(PowerReport(action.box, action.order, Outcome.REFUSED, str(error)))
            return
        self._post(PowerReport(action.box, action.order, Outcome.CUT))

    async def _reboot(self, action: Reboot) -> None:
        """Have a driver reboot its device, once the cycle is on disk."""
        reboot = self._reboots.get(action.box)
        if reboot is None:
            self._post(PowerReport(action.box, action.order, Outcome.REFUSED, "no driver can reboot it"))
            return
        if not await self._written(action):
            return
        try:
            await reboot()
        except HardwareError as error:
            log.warning("%s does not reboot: %s", action.box, error)
            self._post(PowerReport(action.box, action.order, Outcome.REFUSED, str(error)))
            return
        self._post(PowerReport(action.box, action.order, Outcome.REBOOTING))

    async def _written(self, action: Cut | Reboot) -> bool:
        """Write the cycle to disk before anything is done to the box; say so if that fails."""
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._memory_worker, self._memory.save_cycle, action.cycle)
        except (OSError, RuntimeError) as error:
            self._post(PowerReport(action.box, action.order, Outcome.UNWRITTEN, str(error)))
            return False
        return True

    async def _restore(self, action: Restore) -> None:
        relay = self._relays.get(action.box)
        if relay is None:
            return
        try:
            await asyncio.get_running_loop().run_in_executor(self._workers[action.box], relay.restore)
        except HardwareError as error:
            log.warning("relay of %s does not restore: %s", action.box, error)
            self._relay_part(action.box, ok=False, detail=str(error))
            return
        self._relay_part(action.box, ok=True)
        self._post(PowerReport(action.box, action.order, Outcome.RESTORED))

    async def _text(self, action: SendText) -> None:
        """Have a message sent, once it is noted; what cannot be noted could be sent again and again."""
        fate, detail = Fate.SENT, ""
        if self._send_text is None or self._notes is None:
            fate, detail = Fate.REFUSED, "no modem"
        elif not await self._note("texts", self._notes.save_texting, action.memory):
            fate, detail = Fate.REFUSED, "it cannot be noted that it was sent"
        else:
            try:
                await self._send_text(action)
            except UnconfirmedError as error:
                fate, detail = Fate.UNKNOWN, str(error)
            except (HardwareError, ValueError) as error:
                fate, detail = Fate.REFUSED, str(error)
        if fate is not Fate.SENT:
            log.warning("text message to %s: %s", masked(action.number), _without(action.number, detail))
        self._post(TextReport(action.order, fate, _without(action.number, detail)))

    def _relay_part(self, box: str, *, ok: bool, detail: str = "") -> None:
        self._post(Part(f"relay:{box}", ok, Code.RELAY_FAILED, detail))

    async def _remember(self, save: Callable[..., None], *what: object) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._memory_worker, save, *what)
        except (OSError, RuntimeError) as error:
            self._post(Part("store", ok=False, detail=str(error)))

    async def _note(self, name: str, save: Callable[..., None], *what: object) -> bool:
        try:
            await asyncio.get_running_loop().run_in_executor(self._memory_worker, save, *what)
        except OSError as error:
            self._post(Part(name, ok=False, detail=str(error)))
            return False
        self._post(Part(name, ok=True))
        return True

    async def close(self) -> None:
        """Restore every box, let what is being written be written, and let the workers end."""
        for task in list(self._tasks):
            task.cancel()
        loop = asyncio.get_running_loop()
        for name, relay in self._relays.items():
            try:
                await loop.run_in_executor(self._workers[name], relay.close)
            except HardwareError as error:
                log.warning("relay of %s does not restore at the end: %s", name, error)
        if self._saves:
            await asyncio.wait(self._saves, timeout=SAVED_WITHIN_S)
        for task in list(self._saves):
            task.cancel()
        for worker in self._workers.values():
            worker.shutdown(wait=False)


def _without(number: str, detail: str) -> str:
    """A driver's words without whom they are about."""
    return detail.replace(number, masked(number))
