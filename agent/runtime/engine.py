"""The heart of the shell: takes one observation at a time through the core and acts on what comes out.

Everything here runs in the event loop's thread. ``post`` steps at once; observations that arise during a
step (an action that fails at once) wait for its end. A fault in the core ends the process: a watchdog
that has lost its mind must be restarted, with all boxes powered, not carry on.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from agent.core.durable import Durable
from agent.core.instant import Now
from agent.core.model import Action, Event, Observation, Probe, Tick
from agent.core.site import Site
from agent.core.snapshot import snapshot
from agent.core.state import State, initial
from agent.core.step import step
from agent.runtime.board import Board
from agent.runtime.clock import Clock

log = logging.getLogger("vigie.engine")

SNAPSHOT_S = 1.0
TICK_S = 1.0
"""The core is called this often even if it does not ask for it: somebody may be looking at the panel."""
FRESH_PROBE_S = 15.0
PROBES_MISSED = 3.0
"""The watchdog is fed only while outcomes of probes keep coming: within this time, or within so many of the
shortest calm interval of any uplink, whichever is longer."""


class Timer(Protocol):
    """What ``call_later`` of an event loop returns."""

    def cancel(self) -> None:
        """Do not call."""


class Engine:
    """Owns the state. Give it to nobody; publish snapshots instead."""

    def __init__(
        self,
        site: Site,
        durable: Durable,
        run: str,
        clock: Clock,
        board: Board,
        act: Callable[[Action], None],
        record: Callable[[Observation, Now], None],
        tell: Callable[[Sequence[tuple[Event, Now]]], None],
        alive: Callable[[], None],
        call_later: Callable[[float, Callable[[], None]], Timer],
    ) -> None:
        """Take what it needs; ``start`` sets it going.

        Args:
            site: the configuration, as the core wants it.
            durable: what survived the last run.
            run: a name of this run, new each time.
            clock: the machine's clocks.
            board: where snapshots go.
            act: begins an action; returns at once.
            record: writes an observation to the trace, before the step.
            tell: takes the events of a step, in order; returns at once.
            alive: feeds the watchdog.
            call_later: the event loop's, or a test's.
        """
        self._clock = clock
        self._board = board
        self._act = act
        self._record = record
        self._tell = tell
        self._alive = alive
        self._call_later = call_later
        now = clock.now()
        self._state: State = initial(site, durable, now, run)
        self._waiting: deque[Observation] = deque()
        self._stepping = False
        self._timer: Timer | None = None
        self._wake_at = float("inf")
        self._seq = 0
        self._shown_at = float("-inf")
        self._probed_at = now.mono
        self.failure: asyncio.Future[None] | None = None

    def start(self, known: Sequence[Observation] = ()) -> None:
        """Take the first steps: what is known already, then the first tick."""
        self.failure = asyncio.get_running_loop().create_future()
        for observation in (*known, Tick()):
            self.post(observation)

    async def run(self) -> None:
        """Wait for ever; raise what went wrong in a step."""
        assert self.failure is not None, "start first"
        await self.failure

    def post(self, observation: Observation) -> None:
        """Take one observation into account now, or right after the step in progress."""
        self._waiting.append(observation)
        if self._stepping:
            return
        self._stepping = True
        try:
            while self._waiting:
                self._step(self._waiting.popleft())
        except Exception as error:
            log.critical("a step failed", exc_info=True)
            if self.failure is None:
                raise
            if not self.failure.done():
                self.failure.set_exception(error)
        finally:
            self._stepping = False

    def _step(self, observation: Observation) -> None:
        now = self._clock.now()
        self._record(observation, now)
        if isinstance(observation, Probe):
            self._probed_at = now.mono
        result = step(self._state, observation, now)
        self._state = result.state
        for action in result.actions:
            self._act(action)
        if result.events:
            self._tell([(event, now) for event in result.events])
        if result.changed or now.mono - self._shown_at >= SNAPSHOT_S:
            self._seq += 1
            self._shown_at = now.mono
            self._board.publish(snapshot(self._state, now, self._seq))
        calm_s = min((uplink.interval_s for uplink in self._state.uplinks.values()), default=0.0)
        if now.mono - self._probed_at < max(FRESH_PROBE_S, PROBES_MISSED * calm_s):
            self._alive()
        self._wake(result.wake_at, now)

    def _wake(self, wake_at: float, now: Now) -> None:
        wake_at = min(wake_at, now.mono + TICK_S)
        # The present timer stays if it fires no later: one wake-up too many costs less than re-arming
        # a timer for every echo.
        if self._timer is not None and now.mono < self._wake_at <= wake_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._wake_at = wake_at
        self._timer = self._call_later(max(0.0, wake_at - now.mono), self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.post(Tick())

    def stop(self) -> None:
        """No more ticks."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
