"""Route mode: what a switch costs, whether many of them leave a trace, and what kill -9 leaves.

All of it with real packets in network namespaces, on this machine's kernel.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import NoReturn

from hardware.ports import HardwareMissingError
from hardware.routes import KernelRoutes
from hardware.routes_port import Change, Wanted, Way
from hardware.routes_state import Step
from hardware.virtual.netns import NamespaceError
from hardware.virtual.route_bay import CELL, FTTH, ON_CELL, ON_FTTH, SERVER, RouteBay
from measure.console import UnmeasurableError, say

MOVED = replace(ON_CELL, ways=(replace(FTTH, address="192.168.11.77"), CELL), dns=())
"""Another address, another active way and another filter: every kind of step in one call."""
LONGEST_KILL_S = 0.08
"""Reading, deciding and carrying out take some 20 to 50 ms."""
SEND_EVERY_S = 0.02
"""A voice call sends a packet every 20 ms (RFC 3551, 4.5)."""
VOICES = 20
ALLOWED_MS = 100.0
"""What a switch may cost beyond the detection of the failure."""


def apply(
    bay: RouteBay, wanted: Wanted, routes: KernelRoutes | None = None, dead: Collection[Way] = ()
) -> tuple[Change, ...]:
    """Make it so in the bay's gateway; by a driver of its own, as after a restart, unless one is given."""
    return bay.gateway.call(lambda: (routes or KernelRoutes()).apply(wanted, dead))


def dies(bay: RouteBay, deed: Callable[[], object]) -> bool:
    """Let a child do ``deed`` in the gateway; True if it was killed over it, False if it has done it.

    Raises:
        UnmeasurableError: it failed; its own words are on standard error.
    """
    child = os.fork()
    if child == 0:
        _do_and_end(bay, deed)
    _, status = os.waitpid(child, 0)
    if status not in (0, signal.SIGKILL):
        raise UnmeasurableError(f"a child ended with status {status}")
    return status == signal.SIGKILL


def _do_and_end(bay: RouteBay, deed: Callable[[], object]) -> NoReturn:
    """In a child, which must never come back into its parent's program; it leads a group of its own."""
    try:
        os.setsid()
        bay.gateway.enter()
        deed()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(1)


class KilledBefore(KernelRoutes):
    """Kills its own process before its ``step``-th step, counted from 0."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self._left = step

    def _do(self, kernel: object, step: Step) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1
        super()._do(kernel, step)  # type: ignore[arg-type]


def killed_between_steps(bay: RouteBay, every: int = 1) -> tuple[int, list[str]]:
    """Every point, or one of ``every``, between two steps of a switch, a removal and a set-up.

    Returns how many points there were, and what was not as it should be after the next start.
    """
    untouched = bay.shown()
    apply(bay, ON_FTTH)
    first = bay.shown()
    stories: tuple[tuple[str, Callable[[KernelRoutes], object]], ...] = (
        ("switch", lambda routes: routes.apply(MOVED)),
        ("removal", lambda routes: routes.remove()),
        ("set-up", lambda routes: (KernelRoutes().remove(), routes.apply(ON_FTTH))),
    )
    count, faults = 0, []
    for name, story in stories:
        point = 0
        while dies(bay, partial(story, KilledBefore(point * every))):
            apply(bay, ON_FTTH)
            faults += [] if bay.shown() == first else [f"{name}, killed before step {point}: not as wanted"]
            point += 1
        apply(bay, ON_FTTH)
        count += point
    bay.gateway.call(KernelRoutes().remove)
    faults += [] if bay.shown() == untouched else ["the removal at the end left something"]
    return count, faults


def killed_at_random(bay: RouteBay, count: int, seed: int) -> list[str]:
    """Kill -9 at random moments of switches back and forth; what is not as wanted after the next start."""
    chance = random.Random(seed)
    apply(bay, ON_FTTH)
    first = bay.shown()
    faults: list[str] = []
    for number in range(count):
        after_s = chance.uniform(0.0, LONGEST_KILL_S)
        child = os.fork()
        if child == 0:
            _do_and_end(bay, _switch_for_ever)
        time.sleep(after_s)
        _kill_all(child)
        apply(bay, ON_FTTH)
        faults += (
            [] if bay.shown() == first else [f"kill {number}, after {after_s * 1000:.1f} ms: not as wanted"]
        )
    return faults


def _kill_all(child: int) -> None:
    """Also a program that it has just started, as systemd kills all of a service before starting it again."""
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _switch_for_ever() -> NoReturn:
    while True:
        KernelRoutes().apply(MOVED)
        KernelRoutes().apply(ON_FTTH)


def switches(bay: RouteBay, count: int) -> tuple[list[float], list[str]]:
    """So many switches of a site that talks: milliseconds of each, and what is different at the end."""
    from hardware.routes_netlink import marks

    routes = KernelRoutes()
    apply(bay, ON_FTTH, routes)
    times_ms: list[float] = []
    with bay.stream() as stream:
        stream.exchange()
        first = bay.shown(), bay.gateway.call(marks)
        for number in range(count):
            wanted, dead = (ON_FTTH, CELL) if number % 2 else (ON_CELL, FTTH)
            began_at = time.perf_counter()
            apply(bay, wanted, routes, [dead])
            times_ms.append((time.perf_counter() - began_at) * 1000)
            stream.exchange()
        last = bay.shown(), bay.gateway.call(marks)
    if count % 2:
        return times_ms, []
    names = ("rules, routes, filter and settings", "connection tracking")
    return times_ms, [
        f"{name} differ" for name, was, now in zip(names, first, last, strict=True) if was != now
    ]


@dataclass(frozen=True, slots=True)
class Gap:
    """What one voice stream saw of a switch.

    Attributes:
        last_lost_ms: when the last packet that never arrived was sent, counted from the order to switch.
        after_ms: when the first packet by the new way arrived, counted likewise.
    """

    last_lost_ms: float
    after_ms: float


def gap(bay: RouteBay, routes: KernelRoutes) -> Gap:
    """A stream at 50 packets a second; its way dies, and a tenth of a second later the switch is ordered."""
    apply(bay, ON_FTTH, routes)
    sent: dict[int, float] = {}
    arrived: dict[int, float] = {}
    stop = threading.Event()
    with bay.stream() as stream:
        stream.server.settimeout(0.5)
        threads = [
            threading.Thread(target=_send, args=(stream.site, stream.to, sent, stop)),
            threading.Thread(target=_receive, args=(stream.server, arrived, stop)),
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        bay.kill_way("ftth")
        time.sleep(0.1)
        ordered_at = time.perf_counter()
        apply(bay, ON_CELL, routes, [FTTH])
        time.sleep(0.2)
        stop.set()
        for thread in threads:
            thread.join()
    bay.revive()
    last_lost = max(at for number, at in sent.items() if number not in arrived)
    anew = min(at for at in arrived.values() if at > ordered_at)
    return Gap((last_lost - ordered_at) * 1000, (anew - ordered_at) * 1000)


def _send(site: socket.socket, to: tuple[str, int], sent: dict[int, float], stop: threading.Event) -> None:
    number, due_at = 0, time.perf_counter()
    while not stop.is_set():
        sent[number] = time.perf_counter()
        site.sendto(number.to_bytes(4, "big"), to)
        number, due_at = number + 1, due_at + SEND_EVERY_S
        time.sleep(max(0.0, due_at - time.perf_counter()))


def _receive(server: socket.socket, arrived: dict[int, float], stop: threading.Event) -> None:
    while True:
        try:
            data = server.recv(16)
        except TimeoutError:
            if stop.is_set():
                return
            continue
        arrived[int.from_bytes(data, "big")] = time.perf_counter()


def routes(count: int, kills: int, seed: int) -> bool:
    """Measure all of it, and say whether it was as it must be.

    Raises:
        UnmeasurableError: this machine lacks something.
    """
    say(f"one host of a site talks to {SERVER} through the gateway; {count} switches")
    with route_bay() as bay:
        times_ms, faults = switches(bay, count)
    say(f"  route, tracking, and all looked at again, per switch: {_spread(times_ms)} ms")
    _say_faults(f"after {count} switches the first state", faults)
    with route_bay() as bay:
        slow = _gaps(bay)
    with route_bay() as bay:
        points, between = killed_between_steps(bay)
    _say_faults(f"killed at each of {points} points between steps, started again: as wanted", between)
    with route_bay() as bay:
        at_random = killed_at_random(bay, kills, seed)
    _say_faults(f"killed at {kills} random moments, started again: as wanted", at_random)
    return not (faults or slow or between or at_random)


def _gaps(bay: RouteBay) -> list[str]:
    driver = KernelRoutes()
    gaps = [gap(bay, driver) for _ in range(VOICES)]
    say(f"a voice stream, a packet each {SEND_EVERY_S * 1000:.0f} ms, {VOICES} times over a switch")
    say(f"  from the order to the first packet by the new way: {_spread([g.after_ms for g in gaps])} ms")
    say(f"  the last packet lost was sent after the order: {_spread([g.last_lost_ms for g in gaps])} ms")
    slow = [f"{seen.last_lost_ms:.0f} ms" for seen in gaps if seen.last_lost_ms > ALLOWED_MS]
    _say_faults(f"no packet lost that was sent {ALLOWED_MS:.0f} ms after the order or later", slow)
    return slow


@contextmanager
def route_bay() -> Iterator[RouteBay]:
    """A bay for a measurement.

    Raises:
        UnmeasurableError: this machine lacks something.
    """
    try:
        KernelRoutes()
        bay = RouteBay()
    except HardwareMissingError as error:
        raise UnmeasurableError(str(error)) from error
    except NamespaceError as error:
        raise UnmeasurableError(f"no network namespaces here: {error}") from error
    try:
        if (missing := bay.missing()) is not None:
            raise UnmeasurableError(missing)
        yield bay
    finally:
        bay.close()


def _spread(values: Sequence[float]) -> str:
    ordered = sorted(values)
    place = len(ordered) - 1
    return (
        f"median {ordered[place // 2]:.1f}, 95 % {ordered[round(place * 0.95)]:.1f}, most {ordered[-1]:.1f}"
    )


def _say_faults(what: str, faults: Sequence[str]) -> None:
    say(f"{what}: {'yes' if not faults else 'NO'}")
    for fault in faults:
        say(f"  {fault}")
