"""Asks one modem, dish or box about itself: regularly, at once when asked for, ever so often while attended.

Drivers block, some for seconds; each device has a thread of its own, in which one call follows the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from agent.core.devices import Says
from agent.probes.readings import said, silent
from agent.probes.turns import Turns
from agent.probes.waiting import sleep_unless
from hardware.box_port import BoxReport
from hardware.ports import HardwareError, LoginRefusedError, Signal

FIRST_S: Final = 2.0
"""After the start; the first verdicts need it."""
EVERY_S: Final = 60.0
"""Within the core's ``causes.SAYS_FRESH_S``, with one answer missed."""
ATTENDED_S: Final = 1.0
"""Between two readings while somebody looks on: the antenna moves no faster."""
CLOSE_S: Final = 3.0
"""How long the end waits for a call that is under way."""


class Driver(Protocol):
    """What is common to ``hardware.ports.Modem`` and ``hardware.box_port.BoxStatus``."""

    def read(self) -> Signal | BoxReport:
        """Ask the device now; raises ``HardwareError``."""

    def reboot(self) -> None:
        """Reboot it by software; raises ``HardwareError``."""

    def close(self) -> None:
        """Let go of it."""


class DeviceWatcher:
    """Posts what one device says of itself. All methods belong to the event loop's thread."""

    def __init__(
        self,
        uplink: str,
        driver: Driver,
        post: Callable[[Says], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Prepare; nothing is asked before ``run``.

        Args:
            uplink: the uplink that the device stands on.
            driver: used in a thread of the watcher's own, and by nobody else.
            post: takes each answer, and each failure to get one.
            clock: monotonic seconds.
            sleep: waits so many seconds of that clock; may be cancelled.
        """
        self.uplink = uplink
        self._driver = driver
        self._post = post
        self._clock = clock
        self._sleep = sleep
        self._turns = Turns(clock() + FIRST_S, EVERY_S)
        self._news = asyncio.Event()
        self._attended: list[Callable[[Says], None]] = []
        self._began_at = float("-inf")
        self._closed = False
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"device-{uplink}")

    async def run(self) -> None:
        """Ask until cancelled; may be run again after it has ended.

        Raises:
            Exception: a defect of the driver; what the device does wrong is told as an answer.
        """
        while True:
            await self._until_due()
            self._began_at = self._clock()
            self._turns.begin(self._began_at)
            says = await self._read()
            self._post(says)
            for hear in tuple(self._attended):
                hear(says)

    def ask(self) -> None:
        """Ask now; if that was done a moment ago, a few seconds later."""
        self._turns.ask(self._clock())
        self._news.set()

    @contextlib.contextmanager
    def attended(self, hear: Callable[[Says], None]) -> Iterator[None]:
        """Ask every second while the context lasts; ``hear`` takes each answer, after ``post``."""
        self._attended.append(hear)
        self._news.set()
        try:
            yield
        finally:
            self._attended.remove(hear)

    async def call(self, work: Callable[[], None]) -> None:
        """Do something else with the driver, after what is under way; raises what ``work`` raises."""
        await asyncio.get_running_loop().run_in_executor(self._worker, work)

    async def reboot(self) -> None:
        """Reboot the device by software.

        Raises:
            HardwareError: refused or unreachable.
        """
        await self.call(self._driver.reboot)

    async def close(self) -> None:
        """Let go of the device; a call that hangs is left behind. Safe to repeat."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(HardwareError, TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self.call(self._driver.close)
        self._worker.shutdown(wait=False, cancel_futures=True)

    async def _read(self) -> Says:
        try:
            reading = await asyncio.get_running_loop().run_in_executor(self._worker, self._driver.read)
        except LoginRefusedError as error:
            return silent(self.uplink, str(error), locked=True)
        except HardwareError as error:
            return silent(self.uplink, str(error))
        return said(self.uplink, reading)

    async def _until_due(self) -> None:
        while (wait_s := self._due_at - self._clock()) > 0:
            await sleep_unless(self._news, self._sleep, wait_s)

    @property
    def _due_at(self) -> float:
        due_at = self._turns.due_at
        return min(due_at, self._began_at + ATTENDED_S) if self._attended else due_at
