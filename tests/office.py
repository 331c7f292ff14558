"""The agent's inside without its probes and its panel: engine, store, actuator, control socket, all real.

Relays switch coils in memory, and a pulse tells the core what a bay with such relays would: an uplink whose
box has power answers, one whose box is cut or pulled has no carrier, one that boots is silent.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from world import TARGETS, example_site

from agent.cli.control_client import ask
from agent.core.model import Leave, Link, Observation, Probe, Role, Why
from agent.core.site import Site
from agent.core.snapshot_types import Phase
from agent.runtime.actuator import Actuator
from agent.runtime.board import Board
from agent.runtime.clock import SystemClock
from agent.runtime.control import ControlSocket
from agent.runtime.desk import Desk
from agent.runtime.engine import Engine
from agent.runtime.history import History
from agent.runtime.notes import Notes
from agent.runtime.store import Store
from agent.runtime.trial import Trials
from agent.sinks.lights import LightsSink
from agent.sinks.page_main import render_trial
from agent.sinks.payloads import event_payload
from agent.sinks.screen import ScreenSink
from hardware.relay_timed import TimedRelay
from hardware.virtual.panel import MemoryCoil, VirtualButtons, VirtualLights, VirtualScreen

BOX = "box-ftth"
PULSE_S = 0.05


def quick_site(boxes: tuple[str, ...] = ("ftth", "fibre2"), off_s: float = 0.4, boot_s: float = 0.6) -> Site:
    """The example site with cuts and boots of moments."""
    site = example_site(boxes=boxes)
    return replace(site, boxes=tuple(replace(box, off_s=off_s, boot_s=boot_s) for box in site.boxes))


class Office:
    """See the module. Made and used in one event loop.

    Attributes:
        coils: by the box's name.
        wiring: which uplink each relay really switches, by the box's name.
        pulled: uplinks whose cable is out.
        cures: a cycle of a box puts its pulled cable back, for want of a better fault.
        seen: every observation.
        more: what it says of itself besides its state folder.
    """

    def __init__(self, folder: Path, site: Site | None = None) -> None:
        self.path = folder / "control.sock"
        self.site = site or quick_site()
        self.clock = SystemClock()
        self.board = Board()
        self.coils = {box.name: MemoryCoil() for box in self.site.boxes if box.wired}
        self.wiring = {box.name: box.uplink for box in self.site.boxes}
        self.pulled: set[str] = set()
        self.cures = True
        self.seen: list[Observation] = []
        self.more: dict[str, Any] = {}
        self._loop = asyncio.get_running_loop()
        self._booted_at: dict[str, float] = {}
        self._links: dict[str, Link] = {}
        self._disk = ThreadPoolExecutor(max_workers=1)
        self._store = Store.open(folder / "state", self.clock.now())
        self._history = History(self._store, self._disk, self.board, self._post)
        self._notes = Notes(folder / "state", {box: f"a relay for {box}" for box in self.wiring})
        self.desk = Desk(self._post)
        self.actuator = Actuator(
            {name: TimedRelay(coil) for name, coil in self.coils.items()},
            self._store,
            self._disk,
            lambda _uplink, _interval_s, _box_s: None,
            lambda _uplink: None,
            self._post,
            answer=self.desk.answered,
            notes=self._notes,
        )
        self.engine = Engine(
            self.site,
            self._store.load(self.clock.now()),
            "run",
            self.clock,
            self.board,
            self.actuator.carry_out,
            lambda observation, _now: self.seen.append(observation),
            self._history.tell,
            lambda: None,
            asyncio.get_running_loop().call_later,
        )
        self.trials = Trials()
        self.lights = VirtualLights("site", *(uplink.name for uplink in self.site.uplinks))
        self.screen = VirtualScreen()
        self.buttons = VirtualButtons("page", "hold")
        self.control = ControlSocket(
            self.path,
            self.board,
            self.desk.ask,
            lambda: self.clock.now().mono,
            event_payload,
            self.about,
            self.trials,
        )

    async def about(self) -> dict[str, Any]:
        """What this office says of itself."""
        return self.more

    async def panel(self) -> None:
        """Show the site on lights and a screen in memory, until cancelled."""
        picture = render_trial("en")
        with (
            self.trials.offer_lights(self.lights) as lights,
            self.trials.offer_screen(self.screen, picture) as screen,
            self.trials.offer_buttons(self.buttons) as buttons,
        ):
            await asyncio.gather(
                LightsSink(lights).run(self.board.snapshots()),
                ScreenSink(screen, "en", panel=buttons, ask=self.desk.ask).run(self.board.snapshots()),
            )

    def tell(self, observation: Observation) -> None:
        """Post from another thread, and wait until it is taken in."""
        taken = threading.Event()

        def post() -> None:
            self._post(observation)
            taken.set()

        self._loop.call_soon_threadsafe(post)
        assert taken.wait(10)

    def _post(self, observation: Observation) -> None:
        self.engine.post(observation)

    async def pulse(self) -> None:
        """Be the bay, until cancelled."""
        while True:
            for uplink in self.site.uplinks:
                self._pulse(uplink.name)
            await asyncio.sleep(PULSE_S)

    def _pulse(self, name: str) -> None:
        now = self.clock.now().mono
        cut = any(coil.energised and self.wiring[box] == name for box, coil in self.coils.items())
        if cut:
            spec = next((box for box in self.site.boxes if box.uplink == name), None)
            self._booted_at[name] = now + (0.0 if spec is None else spec.boot_s / 2)
            if self.cures:
                self.pulled.discard(name)
        carrier = not cut and name not in self.pulled
        address = ("192.168.1.10", "192.168.1.1") if carrier else (None, None)
        link = Link(name, True, carrier, *address)
        if link != self._links.get(name):
            self._links[name] = link
            self._post(link)
        if carrier and now >= self._booted_at.get(name, now):
            self._post(Probe(name, TARGETS[0], Role.TARGET, now, rtt_ms=8.0))
        elif carrier:
            self._post(Probe(name, TARGETS[0], Role.TARGET, now - 1.0, why=Why.TIMEOUT))

    async def until(self, phase: Phase, box: str = BOX) -> None:
        """Wait until the box is in this phase."""
        async for shot in self.board.snapshots():
            if any(view.name == box and view.phase is phase for view in shot.boxes):
                return

    async def ask(self, **request: Any) -> dict[str, Any]:
        """Ask on the socket."""
        return await ask(self.path, request)

    @contextlib.asynccontextmanager
    async def open(self, *, pulse: bool = False) -> Any:
        """At work for the length of the block."""
        tasks = [asyncio.create_task(self.control.run()), asyncio.create_task(self.panel())]
        self.engine.start()
        if pulse:
            tasks.append(asyncio.create_task(self.pulse()))
        while not self.path.exists():
            await asyncio.sleep(0.005)
        try:
            yield self
        finally:
            self.engine.post(Leave())
            await self.actuator.close()
            self.engine.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._history.close()
            self._disk.shutdown()


def play(folder: Path, body: Callable[[Office], Awaitable[None]], site: Site | None = None) -> Office:
    """Run ``body`` in an office of its own, in which nothing probes."""

    async def run() -> Office:
        office = Office(folder, site)
        async with asyncio.timeout(30), office.open():
            await body(office)
        return office

    return asyncio.run(run())


@contextlib.contextmanager
def at_work(folder: Path, site: Site | None = None) -> Iterator[Office]:
    """An office with its bay, in a thread of its own as another process would be."""
    ready, leave = threading.Event(), threading.Event()
    offices: list[Office] = []

    async def work() -> None:
        office = Office(folder, site)
        async with office.open(pulse=True):
            settled_at = office.clock.now().mono + max(box.boot_s for box in office.site.boxes)
            async for shot in office.board.snapshots():
                if shot.mono > settled_at and all(uplink.health.works for uplink in shot.uplinks):
                    break
            offices.append(office)
            ready.set()
            await asyncio.to_thread(leave.wait)

    thread = threading.Thread(target=lambda: asyncio.run(work()))
    thread.start()
    try:
        assert ready.wait(20), "the office did not open"
        yield offices[0]
    finally:
        leave.set()
        thread.join(20)
