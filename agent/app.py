"""The composition root: from a configuration to a running agent."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from agent.about import about
from agent.config.effective import data_limits, reboots, to_site, wiring
from agent.config.schema import Config
from agent.core.codes import Severity
from agent.core.durable import Durable
from agent.core.instant import Now
from agent.core.model import Event, Leave, Link, Observation, Part
from agent.core.outside import SITE
from agent.core.site import Site
from agent.delivery import Where, brokers, deliveries
from agent.drivers import list_pins, open_boxes, open_modems, open_relays
from agent.indicators import run_buzzer, run_lights
from agent.lan_page import LanPage
from agent.plans import check_plans, exits, probe_plans, questions, service_plans
from agent.probes.checker import Checker
from agent.probes.checks import check_kernel
from agent.probes.devices import DeviceWatcher, Driver
from agent.probes.icmp import IcmpProber
from agent.probes.links import LinkWatcher
from agent.probes.meter import Meter
from agent.probes.services.asker import ServiceAsker
from agent.runtime.actuator import Actuator
from agent.runtime.board import Board
from agent.runtime.clock import SystemClock
from agent.runtime.control import ControlSocket
from agent.runtime.desk import Desk
from agent.runtime.engine import Engine
from agent.runtime.history import History
from agent.runtime.lock import lock
from agent.runtime.notes import Notes
from agent.runtime.sdnotify import Notifier
from agent.runtime.signals import Signals, Source
from agent.runtime.store import Store
from agent.runtime.supervise import keep_running
from agent.runtime.trace import FLUSH_S, Recorder, encode, encode_start, started_with
from agent.runtime.trial import Trials
from agent.sinks.journal import JournalSink, is_journal
from agent.sinks.payloads import event_payload
from agent.site_watch import SiteWatch
from agent.texts import sender
from hardware.ports import Relay

log = logging.getLogger("vigie")

CALM_S = 600.0


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the agent may write: ``state`` survives reboots, ``runtime`` need not."""

    state: Path
    runtime: Path


class App:
    """One run of the agent: made, run until asked to stop, closed."""

    def __init__(self, config: Config, folders: Folders) -> None:
        self._config = config
        self._folders = folders
        self._clock = SystemClock()
        self._board = Board()
        self._notifier = Notifier()
        self._recorder = Recorder(folders.state / "trace")
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="disk")
        self._trace_wanted = asyncio.Event()
        self._trials = Trials()
        self._fed_at = float("-inf")
        self._lock: IO[str] | None = None

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT.

        Raises:
            AlreadyRunningError: another agent uses the same state folder.
            ExceptionGroup: a vital part failed; all boxes have been restored.
        """
        self._lock = lock(self._folders.state)
        loop = asyncio.get_running_loop()
        list_pins(self._config, self._folders.runtime)
        relays, parts = open_relays(self._config, self._folders.runtime)
        now = self._clock.now()
        open_store = partial(Store.open, self._folders.state, now, tuple(brokers(self._config)))
        self._store = await loop.run_in_executor(self._disk, open_store)
        self._history = History(self._store, self._disk, self._board, self._post)
        limits, wired = data_limits(self._config), wiring(self._config)
        notes = await loop.run_in_executor(self._disk, Notes, self._folders.state, wired, limits)
        durable = await self._history.call(self._store.load, now)
        durable = notes.added_to(durable)
        await self._history.call(self._store.note_start, now)
        run = uuid.uuid4().hex[:8]
        site = to_site(self._config)
        self._recorder.add(encode_start(started_with(run, site, durable, now)))
        self._make_hands(site, relays, notes)
        self._engine = self._make_engine(site, durable, run)
        interfaces = [uplink.interface for uplink in self._config.uplink]
        self._engine.start(
            [*parts, *notes.faults, *(part for part in check_kernel(interfaces) if not part.ok)]
        )
        self._history.report_faults()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        try:
            await self._run_parts(stop)
        finally:
            await self._close()

    def _watch_devices(self, site: Site, drivers: Mapping[str, Driver]) -> dict[str, DeviceWatcher]:
        uplinks = {uplink.device.name: uplink.name for uplink in site.uplinks if uplink.device is not None}
        return {name: DeviceWatcher(uplinks[name], driver, self._post) for name, driver in drivers.items()}

    def _make_hands(self, site: Site, relays: Mapping[str, Relay], notes: Notes) -> None:
        """What asks, counts what asking costs, and acts."""
        self._meter = Meter([*data_limits(self._config), SITE], self._post)
        self._prober = IcmpProber(probe_plans(self._config), self._post, self._post, count=self._meter.count)
        self._checker = Checker(
            check_plans(self._config), questions(self._config), self._post, count=self._meter.count
        )
        plans, ways = service_plans(self._config), exits(self._config)
        servers, count = self._config.checks.name_servers, self._meter.count
        self._services = ServiceAsker(plans, ways, servers, self._post, count=count)
        self._site_watch = SiteWatch(self._config, self._post, self._meter)
        self._desk = Desk(self._post)
        modems = open_modems(self._config)
        self._devices = self._watch_devices(site, {**modems, **open_boxes(self._config)})
        self._actuator = Actuator(
            relays,
            self._store,
            self._disk,
            self._site_watch.paces(self._prober.pace),
            self._ask_more,
            self._post,
            reboots={box: self._devices[device].reboot for box, device in reboots(self._config).items()},
            answer=self._desk.answered,
            notes=notes,
            send_text=sender(modems, self._devices, self._config.site.language),
            ask_service=self._services.ask,
            check_every=self._site_watch.checks(self._checker.check_every),
            ask_address=self._site_watch.ask_address,
        )

    def _make_engine(self, site: Site, durable: Durable, run: str) -> Engine:
        return Engine(
            site,
            durable,
            run,
            self._clock,
            self._board,
            self._actuator.carry_out,
            self._record,
            self._tell,
            self._feed,
            asyncio.get_running_loop().call_later,
        )

    async def _run_parts(self, stop: asyncio.Event) -> None:
        """Run everything; a vital part that ends takes all down, an ornamental one is restarted."""
        uplinks = self._config.uplink
        links = LinkWatcher(
            {uplink.name: uplink.interface for uplink in uplinks},
            self._link_seen,
            {uplink.name: uplink.gateway for uplink in uplinks if uplink.gateway is not None},
        )
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._engine.run(), name="engine"),
                group.create_task(self._prober.run(), name="prober"),
                group.create_task(links.run(), name="links"),
                group.create_task(self._meter.run(), name="meter"),
                group.create_task(self._keep_trace(), name="trace"),
                group.create_task(self._history.run(CALM_S, self._clock.now), name="history"),
            ]
            speakers = {"screen", *brokers(self._config)}
            for name, work in self._ornaments().items():
                tasks.append(
                    group.create_task(
                        keep_running(name, work, self._post, says_itself=name in speakers),
                        name=name,
                    )
                )
            self._notifier.ready()
            self._notifier.status(f"watching {len(uplinks)} uplinks")
            log.info("watching %s", ", ".join(f"{u.name} on {u.interface}" for u in uplinks))
            await stop.wait()
            self._notifier.stopping()
            self._meter.settle()
            self._post(Leave())
            for task in tasks:
                task.cancel()

    def _ornaments(self) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
        parts: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "control": self._control,
            "journal": self._journal,
            # Whether an uplink works is known without it, and strangers' bytes must not end the watch.
            "checks": self._checker.run,
        }
        if self._config.service:
            parts["services"] = self._services.run
        parts |= self._site_watch.parts()
        for name, watcher in self._devices.items():
            parts[f"device:{name}"] = watcher.run
        if self._config.panel.leds:
            parts["lights"] = partial(run_lights, self._config, self._board, self._trials)
        if self._config.panel.buzzer is not None:
            parts["buzzer"] = partial(run_buzzer, self._config, self._board)
        if self._config.panel.screen != "none":
            parts["screen"] = self._screen
        if self._config.panel.web is not None:
            parts["web"] = LanPage(self._config, self._folders.state, self._history, self._board).run
        state, desk, now = self._folders.state, self._desk.ask, self._clock.now
        where = Where(state, self._board, self._history, self._meter, self._post, desk, now)
        parts |= deliveries(self._config, self._store, where)
        return parts

    # --- ornamental parts, each imports what it needs when it runs ---------------------------------------

    async def _control(self) -> None:
        path = self._folders.runtime / "control.sock"
        mono, payload, desk = time.monotonic, event_payload, self._desk.ask
        modems = Signals({m.name: Source(m.label, self._devices[m.name]) for m in self._config.modem})
        control = ControlSocket(
            path, self._board, desk, mono, payload, self._tell_about, self._trials, modems
        )
        await control.run()

    async def _journal(self) -> None:
        await JournalSink(self._config.site.language, prefixed=is_journal(2, os.environ)).run(
            self._board.events()
        )

    async def _screen(self) -> None:
        from agent.panel import run_screen

        await run_screen(self._config, self._board.snapshots(), self._trials, self._desk.ask, self._post)

    async def _tell_about(self) -> dict[str, Any]:
        return await about(self._config, self._folders.state, self._store, self._history)

    # --- what the engine is given --------------------------------------------------------------------------

    def _post(self, observation: Observation) -> None:
        self._engine.post(observation)

    def _ask_more(self, uplink: str) -> None:
        self._checker.ask_more(uplink)
        for watcher in self._devices.values():
            if watcher.uplink == uplink:
                watcher.ask()

    def _link_seen(self, link: Link) -> None:
        self._meter.link_changed(link)
        self._prober.link_changed(link)
        self._checker.link_changed(link)
        self._services.link_changed(link)
        self._site_watch.link_changed(link)
        self._post(link)

    def _record(self, observation: Observation, now: Now) -> None:
        self._recorder.add(encode(observation, now))

    def _tell(self, events: Sequence[tuple[Event, Now]]) -> None:
        if any(event.severity in (Severity.WARNING, Severity.ALERT) for event, _ in events):
            self._trace_wanted.set()
        self._history.tell(events)

    def _feed(self) -> None:
        now_at = time.monotonic()
        watchdog_s = self._notifier.watchdog_s
        if watchdog_s is not None and now_at - self._fed_at >= watchdog_s / 4:
            self._fed_at = now_at
            self._notifier.alive()

    async def _keep_trace(self) -> None:
        """Write the trace once a minute, and soon after something that matters."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_S):
                    await self._trace_wanted.wait()
                    # What follows in the next seconds belongs to the same story: one write for all of it.
                    await asyncio.sleep(2.0)
            self._trace_wanted.clear()
            await self._flush_trace()

    async def _flush_trace(self) -> None:
        lines = self._recorder.take()
        if not await self._history.call(self._recorder.write, lines):
            self._recorder.give_back(lines)
        self._post(Part("trace", self._recorder.detail is None, detail=self._recorder.detail or ""))

    async def _close(self) -> None:
        """Restore all boxes first; then write what is still to be written."""
        await self._actuator.close()
        await asyncio.gather(*(watcher.close() for watcher in self._devices.values()))
        self._engine.stop()
        await self._history.call(self._recorder.write, self._recorder.take())
        await self._history.close()
        self._disk.shutdown(wait=True)
        self._notifier.close()
        if self._lock is not None:
            self._lock.close()
