"""Everything heard of one site, and when it last lived, by our own clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from agent.fleet.reading import SiteState, UnreadableError, read_state
from agent.sinks.mqtt.topics import OFFLINE, ONLINE, REFRESH_METERED_S

CLOCK_WRONG_S = 60.0
"""A live ``state`` is on its way for a second or two; more than a minute is no way but a wrong clock."""
INTERVALS_KEPT = 5


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a site's topics stand: ``<root>/<slug>/``."""

    root: str
    slug: str


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, by this machine: monotonic seconds, and UNIX seconds by its clock."""

    mono: float
    wall: float


@dataclass(slots=True)
class Record:
    """One site. Times are monotonic seconds of this machine.

    Attributes:
        place: its topics.
        generation: the connection over which it was last heard of.
        stated: the connection over which its last state came.
        heard_at: when its last message came; None: it never was heard of.
        lived_at: when it certainly lived last. None while nobody knows: it was kept by the broker, and its
            clock does not tell when it was said.
        online: what ``availability`` says; None: nothing, or nothing that can be read.
        state: the last one that could be read.
        state_at: when that came, or when it was said if the broker had kept it and its clock can be trusted.
        fault: why the last one could not be read.
        clock_off_s: how far its clock is behind ours; known once a message came live.
        intervals_s: between its last states, the newest last.
        gone: its messages were taken back, or are not there any more.
        stopped: its last event said that the agent was stopped.
    """

    place: Place
    generation: int = 0
    stated: int = 0
    heard_at: float | None = None
    lived_at: float | None = None
    online: bool | None = None
    state: SiteState | None = None
    state_at: float = 0.0
    fault: str | None = None
    clock_off_s: float | None = None
    intervals_s: deque[float] = field(default_factory=lambda: deque(maxlen=INTERVALS_KEPT))
    gone: bool = False
    stopped: bool = False
    _live_at: float | None = None

    def take_availability(self, payload: bytes, now: Moment, *, kept: bool) -> None:
        """``online`` or ``offline``; ``kept``: the broker had it from before we asked.

        An empty one takes back what was said before. Anything else says nothing.
        """
        if not payload:
            self.online = None
            return
        self._hear(now)
        if self.state is not None:
            self.gone = False  # not taken back: it only came late
        self.online = {ONLINE: True, OFFLINE: False}.get(payload)
        if self.online is False:
            self.intervals_s.clear()
            self._live_at = None  # the time until it is back is no rhythm
        elif self.online and not kept:
            self.stopped = False
            self.lived_at = now.mono

    def take_state(self, payload: bytes, now: Moment, *, kept: bool) -> None:
        """The whole site, or its removal."""
        if not payload:
            self.gone = True
            self.state, self.fault, self._live_at = None, None, None
            return
        self._hear(now)
        self.gone = False
        try:
            state = read_state(payload)
        except UnreadableError as error:
            self.fault = str(error)
            if not kept:
                self.lived_at = now.mono
            return
        before, self.state, self.fault = self.state, state, None
        age_s = self._age_s(state, now, kept=kept)
        self.state_at = now.mono - (age_s or 0.0)
        if age_s is not None:
            self.lived_at = self.state_at if self.lived_at is None else max(self.lived_at, self.state_at)
        elif before is None or before.at != state.at:
            self.lived_at = None  # said while we were away, and nobody knows when
        if not kept:
            self._note_rhythm(now)

    def rejoin(self) -> None:
        """Our own connection was lost: what came meanwhile is not known, so it is no rhythm."""
        self._live_at = None

    def take_event(self, code: str | None) -> None:
        """A fact that came live; only the agent's end matters here."""
        if code in ("agent_stopped", "agent_started"):
            self.stopped = code == "agent_stopped"

    def _hear(self, now: Moment) -> None:
        self.heard_at = now.mono

    def _age_s(self, state: SiteState, now: Moment, *, kept: bool) -> float | None:
        """How old the state was when it came; None where its clock cannot tell.

        A live one is new, whatever its clock says: the difference is how wrong that clock is.
        """
        behind_s = now.wall - state.at
        if not kept:
            self.clock_off_s = behind_s if state.synchronised else None
            return 0.0
        if not state.synchronised:
            return None
        if self.clock_off_s is not None and abs(self.clock_off_s) > CLOCK_WRONG_S:
            behind_s -= self.clock_off_s
        elif behind_s < -CLOCK_WRONG_S:
            self.clock_off_s = behind_s  # it cannot have been said in the future
            return None
        return max(0.0, behind_s)

    def _note_rhythm(self, now: Moment) -> None:
        if self._live_at is not None:
            # The agent never leaves more than this between two; what is longer was a gap.
            self.intervals_s.append(min(now.mono - self._live_at, REFRESH_METERED_S))
        self._live_at = now.mono
