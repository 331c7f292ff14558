"""When to ask each host of one uplink: once per interval, spread evenly, never in bursts. No I/O."""

from __future__ import annotations

import math
from collections.abc import Sequence

from agent.core.model import Role
from agent.probes.echoes import Host


class Rounds:
    """The timetable of one uplink.

    Every host has its own place in the interval. The box may have an interval of its own; then the targets
    are spread evenly among themselves. After a stall the missed rounds are skipped: a burst of echoes would
    measure the burst.
    """

    def __init__(self, hosts: Sequence[Host], interval_s: float, shift: float = 0.0) -> None:
        """Plan nothing yet; ``shift`` (0 to 1) is this uplink's place among the uplinks."""
        self.interval_s = interval_s
        self.box_s: float | None = None
        self._hosts = tuple(hosts)
        self._shift = shift
        self._epoch = 0.0
        self._next: dict[Host, float] = {}

    @property
    def next_at(self) -> float:
        """Monotonic seconds of the next echo; infinity before the start."""
        return min(self._next.values(), default=math.inf)

    @property
    def started(self) -> bool:
        """Whether there is a timetable yet."""
        return bool(self._next)

    def start(self, now: float) -> None:
        """Ask everybody at ``now``, then take up the timetable."""
        self._epoch = now
        self._next = dict.fromkeys(self._hosts, now)

    def pace(self, interval_s: float, now: float, box_s: float | None = None) -> None:
        """Change the interval: every host is asked within the new one, none later than already planned.

        ``box_s`` is the box's own interval, the same as all others' if not given.
        """
        box_s = None if box_s == interval_s else box_s
        if (interval_s, box_s) == (self.interval_s, self.box_s):
            return
        self.interval_s, self.box_s = interval_s, box_s
        self._next = {host: min(at, self._slot(host, now)) for host, at in self._next.items()}

    def replace_hosts(self, hosts: Sequence[Host], now: float) -> None:
        """Ask these hosts from now on; new ones at once."""
        self._hosts = tuple(hosts)
        if self._next:
            self._next = {host: self._next.get(host, now) for host in self._hosts}

    def due(self, now: float) -> list[Host]:
        """The hosts to ask now; each is moved to its next place in the timetable."""
        hosts = [host for host, at in self._next.items() if at <= now]
        for host in hosts:
            self._next[host] = self._slot(host, now + self._interval_s(host) / 2)
        return hosts

    def _slot(self, host: Host, earliest: float) -> float:
        """The first place of ``host`` in the timetable that is not before ``earliest``."""
        alike = [one for one in self._hosts if self.box_s is None or one.role is host.role]
        phase, interval_s = (alike.index(host) + self._shift) / len(alike), self._interval_s(host)
        rounds = math.ceil((earliest - self._epoch) / interval_s - phase)
        return self._epoch + (rounds + phase) * interval_s

    def _interval_s(self, host: Host) -> float:
        return self.interval_s if self.box_s is None or host.role is not Role.BOX else self.box_s
