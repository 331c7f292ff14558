"""Rules of other systems, told in a few lines each, to be judged on the same echoes as ours.

Each is an online rule: shown one echo after the other in the order of sending, it says when its verdict
would have turned, using nothing that its own prober could not have known by then. A rule probes at its own
pace; from a trace it takes the first echo that is due, so it never asks more often than the trace did.
Numbers are the defaults of the versions named. A hole in the trace clears a rule's memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Protocol

from agent.replay.items import Away, Echo
from agent.replay.score import Silence, Turn

EARLY = 0.1
"""An echo this share of an interval early is still the one that is due: trace clocks jitter."""


class Rule(Protocol):
    """One rule on one uplink."""

    name: str
    """As it stands in tables."""

    def take(self, seen: Echo | Away) -> Iterator[Turn]:
        """One more echo, in the order of sending, or a time in which nobody watched."""


def fixed(silences: Sequence[Silence], threshold_s: float) -> list[Turn]:
    """The simplest rule: down once no target has answered for ``threshold_s``, up at the first answer.

    It needs no more than the silences: one that lasts longer is known to be one by then, as long as the
    threshold is not below the timeout of an echo.
    """
    turns: list[Turn] = []
    for silence in silences:
        if silence.lasted_s > threshold_s:
            turns += (Turn(silence.begin + threshold_s, down=True), Turn(silence.end, down=False))
    return turns


class _Sampler:
    """Takes from the first target of the trace the echoes that a prober of this pace would have sent.

    That target is configuration, not memory: a pause does not change it.
    """

    def __init__(self, interval_s: float) -> None:
        self._spacing_s = interval_s * (1 - EARLY)
        self._target: str | None = None
        self.forget()

    def forget(self) -> None:
        """The next echo is the first one again."""
        self._last_at = float("-inf")

    def takes(self, echo: Echo) -> bool:
        """True if this echo is one of ours."""
        if self._target is None:
            self._target = echo.target
        if echo.target != self._target or echo.sent_at - self._last_at < self._spacing_s:
            return False
        self._last_at = echo.sent_at
        return True


class InARow:
    """Down after ``fall`` unanswered echoes in a row to one target, up after ``rise`` answered ones.

    Three in a row at 1 Hz, back at the first answer, is what most scripts do. ASUS Merlin WAN Failover 2.2.1
    falls so too (ping count 3, timeout 1 s, ``RECURSIVEPINGCHECK`` 1, its read-me), but wants three answers
    in a row before it goes back. keepalived (``vrrp_script``, its manual page): interval 1 s, timeout the
    interval, fall 1, rise 1.
    """

    def __init__(self, name: str, fall: int, rise: int = 1) -> None:
        self.name = name
        self._fall, self._rise = fall, rise
        self._timeout_s = 1.0
        self._sampler = _Sampler(interval_s=1.0)
        self._begin()

    def _begin(self) -> None:
        self._sampler.forget()
        self._run, self._down = 0, False

    def take(self, seen: Echo | Away) -> Iterator[Turn]:
        """See ``Rule``."""
        if isinstance(seen, Away):
            if self._down:
                yield Turn(seen.until, down=False)
            self._begin()
            return
        if not self._sampler.takes(seen):
            return
        answered = seen.answered_within(self._timeout_s)
        self._run = self._run + 1 if answered == self._down else 0
        if self._run >= (self._rise if self._down else self._fall):
            self._run, self._down = 0, not self._down
            yield Turn(seen.sent_at + (seen.rtt_s or 0.0 if answered else self._timeout_s), self._down)


class LossWindow:
    """dpinger 3.5 as pfSense and OPNsense start it: down while more than 20 % of the last 60 s are lost.

    dpinger (``dpinger.c``): it keeps the echoes sent in the last 60 s and leaves out those still awaited; one
    counts as lost when unanswered after ``loss_s``; the share is a whole number, rounded down; it is looked
    at every second; an alarm ends at the tenth look in a row that finds less. pfSense (``gwlb.inc``): echoes
    every 0.5 s, lost after 2 s. OPNsense (``dpinger.inc``, ``gateway_watcher.php``): every 1 s, lost after
    4 s; its own watcher reads the share, believes the first look that finds less, and after each change of
    the verdict rests for ten seconds before it looks again.
    The rule on latency (a mean above 500 ms) is left out. Nothing is said on fewer than ten echoes.
    """

    WINDOW_S = 60.0
    LIMIT_PCT = 20
    LOOK_S = 1.0
    FEWEST = 10

    def __init__(
        self, name: str, *, interval_s: float, loss_s: float, clear_looks: int = 1, rest_s: float = LOOK_S
    ) -> None:
        self.name = name
        self._loss_s = loss_s
        self._clear_looks, self._rest_s = clear_looks, rest_s
        self._sampler = _Sampler(interval_s)
        self._begin()

    def _begin(self) -> None:
        self._sampler.forget()
        self._echoes: deque[Echo] = deque()
        self._look_at: float | None = None
        self._clear = 0
        self._down = False

    def take(self, seen: Echo | Away) -> Iterator[Turn]:
        """See ``Rule``."""
        if isinstance(seen, Away):
            if self._down:
                yield Turn(seen.until, down=False)
            self._begin()
            return
        if not self._sampler.takes(seen):
            return
        if self._look_at is None:
            self._look_at = seen.sent_at + self.LOOK_S
        while self._look_at < seen.sent_at:
            at = self._look_at
            self._look_at += self.LOOK_S
            if self._turns(at):
                self._down, self._clear = not self._down, 0
                self._look_at = at + self._rest_s
                yield Turn(at, self._down)
        self._echoes.append(seen)

    def _turns(self, at: float) -> bool:
        """True if a look at this instant changes the verdict."""
        alarm = self._alarm(at)
        if not self._down:
            return alarm
        self._clear = 0 if alarm else self._clear + 1
        return self._clear >= self._clear_looks

    def _alarm(self, at: float) -> bool:
        while self._echoes and self._echoes[0].sent_at <= at - self.WINDOW_S:
            self._echoes.popleft()
        lost = received = 0
        for echo in self._echoes:
            if echo.rtt_s is not None and echo.sent_at + echo.rtt_s <= at:
                received += 1
            elif at - echo.sent_at > self._loss_s:
                lost += 1
        seen = lost + received
        return seen >= self.FEWEST and lost * 100 // seen > self.LIMIT_PCT


class Rounds:
    """mwan3 2.12.2 (``mwan3track``, ``/etc/config/mwan3``) with its defaults for ``wan``.

    A round asks up to four targets one after the other, one echo each, 4 s timeout, and is good as soon as
    two have answered; 10 s of rest; down after 5 bad rounds in a row, up after 5 good ones. Where the trace
    has fewer targets, they are asked again.
    """

    SLOTS, RELIABILITY = 4, 2
    TIMEOUT_S, REST_S = 4.0, 10.0
    DOWN = UP = 5

    def __init__(self, name: str = "mwan3", targets: Sequence[str] = ()) -> None:
        self.name = name
        self._targets = tuple(targets)
        self._begin()

    def _begin(self) -> None:
        self._at = float("-inf")
        self._slot = self._answers = self._run = 0
        self._down = False

    def take(self, seen: Echo | Away) -> Iterator[Turn]:
        """See ``Rule``."""
        if isinstance(seen, Away):
            if self._down:
                yield Turn(seen.until, down=False)
            self._begin()
            return
        wanted = self._targets[self._slot % len(self._targets)] if self._targets else seen.target
        if seen.target != wanted or seen.sent_at < self._at:
            return
        answered = seen.answered_within(self.TIMEOUT_S)
        self._answers += answered
        self._at = seen.sent_at + (seen.rtt_s or 0.0 if answered else self.TIMEOUT_S)
        self._slot += 1
        if self._answers < self.RELIABILITY and self._slot < self.SLOTS:
            return
        good, ended_at = self._answers >= self.RELIABILITY, self._at
        self._slot = self._answers = 0
        self._at = ended_at + self.REST_S
        self._run = self._run + 1 if good == self._down else 0
        if self._run >= (self.UP if self._down else self.DOWN):
            self._run, self._down = 0, not self._down
            yield Turn(ended_at, self._down)


def rules(targets: Sequence[str]) -> list[Rule]:
    """Every peer, fresh, for an uplink with these targets."""
    return [
        InARow("keepalived", fall=1),
        InARow("three in a row", fall=3),
        LossWindow("pfSense", interval_s=0.5, loss_s=2.0, clear_looks=10),
        LossWindow("OPNsense", interval_s=1.0, loss_s=4.0, rest_s=10.0),
        Rounds("mwan3", targets),
    ]
