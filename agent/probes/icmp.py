"""Echoes through every uplink: one timer, one socket per uplink, no thread.

Probes say only what is certain: answered, sent and unanswered, or not sent and why. What that means for
an uplink is for others to judge.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from agent.core.codes import Code
from agent.core.model import Link, Part, Probe
from agent.probes.lane import Lane, ProbePlan, Surroundings, system_wall
from agent.probes.meter import uncounted

__all__ = ["PART", "IcmpProber", "ProbePlan"]

log = logging.getLogger(__name__)

PART: Final = "icmp"

GROUPS_ADVICE: Final = (
    "unprivileged ICMP is forbidden to this process: set net.ipv4.ping_group_range = 0 2147483647 "
    "in /etc/sysctl.d/90-vigie.conf, then run: sysctl --system"
)
DEVICE_ADVICE: Final = (
    "the kernel forbids binding an ICMP socket to an interface: Linux 5.7 or newer is needed, "
    "or AmbientCapabilities=CAP_NET_RAW in the service"
)


class IcmpProber:
    """Asks every target and every gateway, in turn, and posts one outcome per echo (a late reply: two)."""

    def __init__(
        self,
        plans: Sequence[ProbePlan],
        post: Callable[[Probe], None],
        report: Callable[[Part], None],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = system_wall,
        count: Callable[[str, int, int], None] = uncounted,
    ) -> None:
        """Prepare; nothing is opened or sent before ``run``.

        Args:
            plans: one per uplink; names must differ.
            post: takes each outcome, in the event loop's thread.
            report: takes the news whether the system allows ICMP at all.
            clock: monotonic seconds.
            wall: UNIX seconds, only ever compared with the kernel's receive stamps.
            count: takes uplink and bytes sent and received beyond the LAN.
        """
        self._clock = clock
        self._report = report
        around = Surroundings(clock, wall, post, self._watch, self._unwatch, self._permitted, count)
        self._lanes = {
            plan.uplink: Lane(plan, place / len(plans), around) for place, plan in enumerate(plans)
        }
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._allowed: bool | None = None

    @property
    def strays(self) -> int:
        """Replies that came from another address than the one asked; they count for nothing."""
        return sum(lane.flight.strays for lane in self._lanes.values())

    async def run(self) -> None:
        """Probe until cancelled, then close every socket.

        Raises:
            Exception: whatever ``post`` or ``report`` raised; probing has ended.
        """
        self._loop = asyncio.get_running_loop()
        self._failure = self._loop.create_future()
        try:
            now = self._clock()
            for lane in self._lanes.values():
                lane.rounds.start(now)
            self._guarded(self._turn)
            await self._failure
        finally:
            self._stop()

    def pace(self, uplink: str, interval_s: float, box_s: float | None = None) -> None:
        """Ask this uplink's hosts every ``interval_s`` seconds; the next time is within that interval.

        The box is asked every ``box_s`` seconds where that costs nothing.
        """
        lane = self._lanes.get(uplink)
        if lane is not None:
            lane.pace(interval_s, box_s, self._clock())
            self._set_timer()

    def link_changed(self, link: Link) -> None:
        """Follow what the system says of an uplink's interface."""
        lane = self._lanes.get(link.uplink)
        if lane is not None:
            lane.link_changed(link, self._clock())
            self._set_timer()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for lane in self._lanes.values():
            lane.close()
        self._loop = None

    def _turn(self) -> None:
        for lane in self._lanes.values():
            now = self._clock()
            if lane.wake_at <= now:
                lane.turn(now)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._loop is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        delay_s = min((lane.wake_at for lane in self._lanes.values()), default=3600.0) - self._clock()
        self._timer = self._loop.call_later(max(0.0, delay_s), self._guarded, self._turn)

    def _guarded(self, work: Callable[[], None]) -> None:
        """Run a callback of the event loop; its failure becomes that of ``run``."""
        assert self._failure is not None
        try:
            work()
        except Exception as error:  # noqa: BLE001 - handed to whoever awaits run
            if not self._failure.done():
                self._failure.set_exception(error)

    def _watch(self, descriptor: int, read: Callable[[], None]) -> None:
        assert self._loop is not None
        self._loop.add_reader(descriptor, self._guarded, read)

    def _unwatch(self, descriptor: int) -> None:
        assert self._loop is not None
        self._loop.remove_reader(descriptor)

    def _permitted(self, refusal: OSError | None) -> None:
        """Report on each change only; the first success clears what the start-up check said."""
        allowed = refusal is None
        if allowed is self._allowed:
            return
        self._allowed = allowed
        if refusal is None:
            self._report(Part(PART, ok=True, code=Code.PING_FORBIDDEN))
            return
        detail = DEVICE_ADVICE if refusal.errno == errno.EPERM else GROUPS_ADVICE
        log.error("%s (%s)", detail, refusal)
        self._report(Part(PART, ok=False, code=Code.PING_FORBIDDEN, detail=detail))
