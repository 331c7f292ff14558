"""When a device is asked about itself, in which thread, and what is told of it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modem_ground import AtRig, HiLinkRig
from standing_clock import StandingClock

from agent.core.devices import Radio, Registration, Says, Sim
from agent.probes.devices import ATTENDED_S, EVERY_S, FIRST_S, DeviceWatcher
from agent.probes.readings import LONGEST, said, silent
from agent.probes.turns import SPACING_S
from hardware.box_port import BoxReport, LineCause, Source
from hardware.ports import Cell, DataState, DataUse, HardwareError, LoginRefusedError, Network, Signal
from hardware.ports import Registration as Registered
from hardware.ports import Sim as Card


def in_a_loop(test: Callable[..., Coroutine[None, None, None]]) -> Callable[..., None]:
    """A test that runs in an event loop of its own."""

    @functools.wraps(test)
    def run(**arguments: object) -> None:
        asyncio.run(test(**arguments))

    return run


class Time(StandingClock):
    """A clock that goes on to the moment that the watcher waits for."""

    async def next(self) -> float:
        """Go on to the moment that the watcher waits for; returns it, in seconds from the start."""
        for _ in range(20):
            await asyncio.sleep(0)  # what was told before this is taken in first
        while not (waiting := [one for one in self.sleepers if not one[1].done()]):
            self.news.clear()
            await self.news.wait()
        at, waked = min(waiting, key=lambda one: one[0])
        self.now = at
        waked.set_result(None)
        return at - 1000.0


class Scripted:
    """A device that answers as it is told, and remembers who asked."""

    def __init__(self) -> None:
        self.answer: Signal | BoxReport | Exception = Signal()
        self.threads: set[int] = set()
        self.calls: list[str] = []
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def read(self) -> Signal | BoxReport:
        self._note("read")
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def reboot(self) -> None:
        self._note("reboot")

    def close(self) -> None:
        self._note("close")

    def _note(self, what: str) -> None:
        self.threads.add(threading.get_ident())
        self.entered.set()
        assert self.gate.wait(30.0)
        self.calls.append(what)


@dataclass
class Run:
    """A watcher that runs inside the block, its device and clock, and what it has posted."""

    watcher: DeviceWatcher
    device: Scripted
    time: Time
    posted: asyncio.Queue[Says]


@contextlib.asynccontextmanager
async def watching() -> AsyncIterator[Run]:
    device, time, posted = Scripted(), Time(), asyncio.Queue[Says]()
    watcher = DeviceWatcher("4g", device, posted.put_nowait, time, time.sleep)
    task = asyncio.ensure_future(watcher.run())
    try:
        yield Run(watcher, device, time, posted)
    finally:
        task.cancel()
        await asyncio.wait((task,))
        device.gate.set()
        await watcher.close()


@in_a_loop
async def test_a_device_is_asked_soon_after_the_start_and_then_every_minute() -> None:
    """Regularly, whatever it answers."""
    async with watching() as run:
        asked = []
        for _ in range(4):
            asked.append(await run.time.next())
            await run.posted.get()
        assert asked == [FIRST_S, *(FIRST_S + EVERY_S * n for n in (1, 2, 3))]


@in_a_loop
async def test_it_is_asked_at_once_when_somebody_wants_to_know() -> None:
    """Twice within a moment is once, a few seconds later."""
    async with watching() as run:
        await run.time.next()
        await run.posted.get()
        run.time.now += 10.0
        run.watcher.ask()
        await run.posted.get()
        run.watcher.ask()
        assert await run.time.next() == FIRST_S + 10.0 + SPACING_S
        await run.posted.get()


@in_a_loop
async def test_while_somebody_looks_on_it_is_asked_every_second() -> None:
    """And no longer than that: an antenna is aimed for minutes, a modem is watched for years."""
    async with watching() as run:
        await run.time.next()
        await run.posted.get()
        heard: list[Says] = []
        with run.watcher.attended(heard.append), run.watcher.attended(heard.append):
            for n in (1, 2, 3):
                while await run.time.next() < FIRST_S + ATTENDED_S * n:
                    pass
                await run.posted.get()
        assert await run.time.next() <= FIRST_S + 4 * ATTENDED_S
        while run.posted.empty() and run.time.now < 1000.0 + FIRST_S + EVERY_S:
            await run.time.next()
        await run.posted.get()
        assert run.time.now - 1000.0 >= FIRST_S + EVERY_S / 2


@in_a_loop
async def test_all_calls_are_made_in_one_thread_one_after_the_other() -> None:
    """A reboot waits for the reading that is under way; a driver is never in two threads."""
    async with watching() as run:
        run.device.gate.clear()
        await run.time.next()
        await asyncio.to_thread(run.device.entered.wait, 30.0)
        reboot = asyncio.ensure_future(run.watcher.reboot())
        await asyncio.sleep(0)
        assert not reboot.done()
        run.device.gate.set()
        await reboot
        assert run.device.calls == ["read", "reboot"]
        assert len(run.device.threads) == 1
        assert threading.get_ident() not in run.device.threads


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (HardwareError("no answer\nat all"), Says("4g", heard=False, why="no answer at all")),
        (LoginRefusedError("wrong"), Says("4g", heard=True, why="wrong", locked=True)),
    ],
)
@in_a_loop
async def test_what_goes_wrong_is_an_answer_too(error: Exception, expected: Says) -> None:
    """It goes on asking; a refused password is a device that lives."""
    async with watching() as run:
        run.device.answer = error
        await run.time.next()
        assert await run.posted.get() == expected
        run.device.answer = Signal(network=Network.G4)
        await run.time.next()
        assert (await run.posted.get()).radio == Radio(network="4G")


@in_a_loop
async def test_closing_lets_go_of_the_device() -> None:
    """The driver is closed in its own thread."""
    async with watching() as run:
        await run.watcher.close()
        assert run.device.calls[-1] == "close"


@pytest.mark.parametrize("rig", [AtRig, HiLinkRig], ids=["at", "hilink"])
@in_a_loop
async def test_a_real_driver_is_heard_and_rebooted(rig: type[AtRig | HiLinkRig]) -> None:
    """Both kinds of modem, on their virtual devices, through the watcher."""
    made = rig("quectel") if rig is AtRig else rig()  # type: ignore[arg-type]
    posted = asyncio.Queue[Says]()
    watcher = DeviceWatcher("4g", made.modem, posted.put_nowait)
    try:
        watcher.ask()
        task = asyncio.ensure_future(watcher.run())
        says = await posted.get()
        task.cancel()
        assert says.heard
        assert (says.sim, says.registration) == (Sim.READY, Registration.HOME)
        assert says.radio is not None
        assert says.radio.rsrp_dbm is not None
        await watcher.reboot()
        assert made.reboots == 1
    finally:
        await watcher.close()
        made.close()


def test_a_modem_in_the_cores_words() -> None:
    """Every field of a reading has its place."""
    signal = Signal(
        network=Network.G5_NSA,
        operator="Bouygues\tTelecom",
        registration=Registered.ROAMING,
        sim=Card.READY,
        data=DataState.REFUSED,
        cell=Cell("B20", 6300, 12, 0x1234567, -101.0, -12.0, 3.0, -70.0),
        nr=Cell("n78", rsrp_dbm=-99.0, sinr_db=9.0),
        wan_address="100.70.1.2",
        month=DataUse(5, 10),
        model="E3372",
        firmware="22.1",
        uptime_s=77.0,
    )
    assert said("4g", signal) == Says(
        "4g",
        heard=True,
        wan_up=False,
        sim=Sim.READY,
        registration=Registration.ROAMING,
        refused=True,
        radio=Radio("5G NSA", "B20", 0x1234567, -101.0, -12.0, 3.0, -70.0, "n78", -99.0, 9.0),
        operator="Bouygues Telecom",
        address="100.70.1.2",
        shared=True,
        month_bytes=5,
        limit_bytes=10,
        model="E3372",
        firmware="22.1",
        uptime_s=77.0,
    )


def test_a_box_in_the_cores_words() -> None:
    """With its own cause, and whether a cut could help."""
    report = BoxReport(
        Source.DOCUMENTED, line_up=False, wan_up=False, optical_rx_dbm=-40.0, cause=LineCause.NO_LIGHT
    )
    assert said("ftth", report) == Says(
        "ftth",
        heard=True,
        line_up=False,
        wan_up=False,
        cause="no_light",
        cut_helps=False,
        rx_dbm=-40.0,
        documented=True,
    )


@given(st.builds(Signal, operator=st.text(), model=st.text(), firmware=st.text(), wan_address=st.text()))
def test_a_modems_own_texts_are_one_bounded_line(signal: Signal) -> None:
    """Whatever it calls itself."""
    says = said("4g", signal)
    for text in (says.operator, says.model, says.firmware, silent("4g", signal.model or "?").why):
        assert text is None or (text.isprintable() and 0 < len(text) <= LONGEST)


def test_an_unknown_modem_says_nothing() -> None:
    """No field is filled in, and nothing becomes 0 or false."""
    assert said("4g", Signal()) == Says("4g", heard=True)
