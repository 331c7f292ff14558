"""One uplink's echoes: its socket through good and bad times, and the outcome of every echo."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from agent.core.budget import ECHO_BYTES
from agent.core.model import Link, Probe, Role, Why
from agent.core.outside import NO_NEXT_HOP
from agent.probes.echoes import CLOCKS_AGREE_S, EXPIRED_BYTES, Echo, Flight, Host, Moment
from agent.probes.icmp_socket import EchoSocket, Refusal, Reply
from agent.probes.meter import uncounted
from agent.probes.rounds import Rounds
from agent.probes.way import is_lan, reason_of

FIRST_RETRY_S: Final = 0.5
LONGEST_RETRY_S: Final = 5.0
FORBIDDEN_RETRY_S: Final = 3.0

_PASSING: Final = (errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN)
"""The machine is short of something; a new socket would not help."""


@dataclass(frozen=True, slots=True)
class ProbePlan:
    """How to watch one uplink.

    ``source`` binds to an address as well, ``gateway`` overrides what the system's routes say. Without
    them both are followed as they change. An echo unanswered for ``timeout_s`` counts as lost.
    """

    uplink: str
    interface: str
    targets: tuple[str, ...]
    source: str | None = None
    gateway: str | None = None
    interval_s: float = 1.0
    timeout_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a lane needs of the prober: the clocks, the event loop, and somebody to tell."""

    clock: Callable[[], float]
    wall: Callable[[], float]
    post: Callable[[Probe], None]
    watch: Callable[[int, Callable[[], None]], None]
    unwatch: Callable[[int], None]
    permitted: Callable[[OSError | None], None]
    """Told after every attempt to open a socket: None, or the refusal."""
    count: Callable[[str, int, int], None] = uncounted
    """Told the bytes sent and received through an uplink."""


class Lane:
    """Asks the hosts of one uplink through one socket, which is made anew whenever it is spent."""

    def __init__(self, plan: ProbePlan, shift: float, around: Surroundings) -> None:
        self._plan = plan
        self._around = around
        self._gateway = plan.gateway
        self._link: Link | None = None
        self._socket: EchoSocket | None = None
        self._closed_why = Why.NO_INTERFACE
        self._retry_at = float("-inf")
        self._retry_s = FIRST_RETRY_S
        self._box_is_near = True
        """The box stands on the LAN, and asking it costs nothing."""
        self._paces: tuple[float, float | None] = plan.interval_s, None
        self.flight = Flight(plan.uplink, plan.timeout_s)
        self.rounds = Rounds(self._hosts(), plan.interval_s, shift)

    @property
    def wake_at(self) -> float:
        """When there is something to do, monotonic seconds."""
        return min(self.rounds.next_at, self.flight.deadline)

    def pace(self, interval_s: float, box_s: float | None, now: float) -> None:
        """Ask targets every ``interval_s`` seconds, and the box every ``box_s`` if that costs nothing."""
        self._paces = interval_s, box_s
        self.rounds.pace(interval_s, now, box_s if self._box_is_near else None)

    def turn(self, now: float) -> None:
        """Give up what is overdue and send what is due."""
        if self.flight.deadline <= now:
            # After a stall the answers may already lie in the socket: they are not lost, only unread.
            self.read()
            self._post_all(self.flight.overdue(now))
        for host in self.rounds.due(now):
            why = self._obstacle(host) or self._send(host)
            if why is not None:
                self._around.post(Probe(self._plan.uplink, host.address, host.role, now, why=why))

    def read(self) -> None:
        """Post the outcomes of whatever has arrived."""
        if self._socket is None:
            return
        for found in self._socket.read():
            match found:
                case Reply(sequence, sender, stamp):
                    self._count(sender, received=ECHO_BYTES)
                    probe = self.flight.answered(sequence, sender, self._moment(), stamp)
                case Refusal(sequence=sequence, target=target, sender=sender):
                    if self._link is None or sender != self._link.address:
                        self._count(sender, received=EXPIRED_BYTES)
                    probe = self.flight.refused(sequence, target, sender)
            if probe is not None:
                self._around.post(probe)

    def close(self) -> None:
        """Close the socket without a word."""
        if self._socket is not None:
            self._around.unwatch(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def link_changed(self, link: Link, now: float) -> None:
        """Follow the interface: its gateway, its address, its disappearance and return."""
        before, self._link = self._link, link
        if self._plan.gateway is None and link.gateway != self._gateway:
            self._gateway = link.gateway
            self.rounds.replace_hosts(self._hosts(), now)
        if not link.present:
            self._give_up(Why.NO_INTERFACE, now)
        elif before is not None and (not before.present or before.address != link.address):
            self._give_up(Why.NO_ADDRESS, now)
            self._retry_at, self._retry_s = now, FIRST_RETRY_S
            if self.rounds.started and link.address is not None:
                self.rounds.start(now)

    def _hosts(self) -> list[Host]:
        hosts = [Host(target, Role.TARGET) for target in self._plan.targets]
        if self._gateway is not None and self._gateway != NO_NEXT_HOP:
            hosts.append(Host(self._gateway, Role.BOX))
        return hosts

    def _moment(self) -> Moment:
        """Both clocks, read again if something else ran between the two readings."""
        for _ in range(3):
            moment = Moment(self._around.clock(), self._around.wall())
            if self._around.clock() - moment.mono < CLOCKS_AGREE_S / 4:
                break
        return moment

    def _post_all(self, probes: list[Probe]) -> None:
        for probe in probes:
            self._around.post(probe)

    def _obstacle(self, host: Host) -> Why | None:
        """Why sending would be a lie: without address or route the kernel takes an echo and drops it."""
        link = self._link
        if link is None or not link.present:
            return None
        if link.address is None:
            return Why.NO_ADDRESS
        return Why.NO_ROUTE if self._gateway is None and host.role is Role.TARGET else None

    def _send(self, host: Host) -> Why | None:
        """Send one echo; the reason if nothing was sent."""
        self._open(self._around.clock())
        if self._socket is None:
            return self._closed_why
        sequence = self.flight.next_sequence()
        sent = self._moment()
        try:
            self._socket.send(host.address, sequence)
        except OSError:
            # The error may be the answer to an earlier echo; reading takes it away.
            self.read()
            sent = self._moment()
            try:
                self._socket.send(host.address, sequence)
            except OSError as error:
                return self._not_sent(error, sent.mono)
        self.flight.add(Echo(sequence, host, sent))
        self._count(host.address, sent=ECHO_BYTES)
        self._retry_s = FIRST_RETRY_S
        return None

    def _count(self, address: str, sent: int = 0, received: int = 0) -> None:
        """Count what has passed between here and this address."""
        if not self._box_is_near or address != self._gateway:
            self._around.count(self._plan.uplink, sent, received)

    def _not_sent(self, error: OSError, now: float) -> Why:
        why = reason_of(error)
        spent = why in (Why.NO_INTERFACE, Why.NO_ADDRESS)
        broken = why is Why.SOCKET_ERROR and error.errno not in _PASSING
        # A socket whose source address has gone says "no route"; only a new one can say "no address".
        if spent or broken or (why is Why.NO_ROUTE and self._plan.source is not None):
            self._give_up(why, now)
        return why

    def _open(self, now: float) -> None:
        if self._socket is not None or now < self._retry_at:
            return
        try:
            self._socket = EchoSocket(self._plan.interface, self._plan.source)
        except OSError as error:
            self._give_up(reason_of(error), now)
            if isinstance(error, PermissionError):
                self._retry_at = now + FORBIDDEN_RETRY_S
                self._around.permitted(error)
            return
        self._box_is_near = is_lan(self._plan.interface)
        self.pace(*self._paces, now)
        self._around.watch(self._socket.fileno(), self.read)
        self._around.permitted(None)

    def _give_up(self, why: Why, now: float) -> None:
        """Close the socket until the next attempt; its echoes can no longer be heard, so are not lost."""
        self.close()
        self._closed_why = why
        self._retry_at = now + self._retry_s
        self._retry_s = min(self._retry_s * 2, LONGEST_RETRY_S)
        self._post_all(self.flight.abandon(why))


def system_wall() -> float:
    """UNIX seconds by the clock that the kernel's receive stamps use."""
    return time.clock_gettime(time.CLOCK_REALTIME)
