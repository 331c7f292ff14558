"""Route mode on this machine: the kernel is read, compared with what is wanted, and brought there."""

from __future__ import annotations

import errno
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hardware.ports import HardwareError, HardwareMissingError
from hardware.routes_nft import Nft, read_settings, write_setting
from hardware.routes_plan import difference, relevant_settings, switch
from hardware.routes_port import Change, Deed, RoutesError, Wanted, Way, check_dead
from hardware.routes_state import FORWARD6, IPV4, IPV6, SITE_TABLE, KernelState, Setting, Step
from hardware.routes_table import Table, mark_of

if TYPE_CHECKING:
    from hardware.routes_netlink import Netlink

ROUNDS: Final = 4
"""How often the kernel is read again and mended before a difference is told: others change it, too."""
_UNMARKED: Final = 0


class KernelRoutes:
    """The driver of the port ``Routes`` for Linux; needs CAP_NET_ADMIN.

    Raises:
        HardwareMissingError: pyroute2 is not installed.
    """

    def __init__(self) -> None:
        """Load the library; nothing is touched."""
        try:
            from hardware import routes_netlink
        except ImportError as error:
            raise HardwareMissingError(
                f"the Python module pyroute2 cannot be loaded ({error}): pip install 'vigie[route]'"
            ) from error
        self._netlink = routes_netlink
        self._nft = Nft()
        self._applied: Wanted | None = None
        self._memory: tuple[tuple[str, str], ...] = ()
        self._closed = False

    def apply(self, wanted: Wanted, dead: Collection[Way] = ()) -> tuple[Change, ...]:
        """See the port."""
        check_dead(wanted, dead)
        before, self._applied = self._applied, None
        only_switched = before is not None and replace(before, active=None) == replace(wanted, active=None)
        switched = self._switch(wanted, dead) if only_switched else ()
        done = self._reconcile(wanted)
        if done or not only_switched:
            self._forget_all(dead)
        self._applied = wanted
        return tuple(dict.fromkeys((*switched, *done)))

    def differences(self, wanted: Wanted) -> tuple[Change, ...]:
        """See the port."""
        self._check_open()
        with self._opened() as kernel:
            return tuple(step.told() for step in difference(self._read(kernel, wanted), wanted))

    def forget(self, way: Way) -> None:
        """See the port."""
        self._check_open()
        self._forget(mark_of(way))

    def remove(self) -> tuple[Change, ...]:
        """See the port."""
        self._applied = None
        removed = self._reconcile(None)
        self._memory = ()
        return removed

    def close(self) -> None:
        """See the port."""
        self._closed = True

    def _switch(self, wanted: Wanted, dead: Collection[Way]) -> tuple[Change, ...]:
        """Before all else is read: each millisecond counts while packets go where nobody is."""
        self._check_open()
        with self._opened() as kernel:
            steps = switch(self._read_site(kernel), wanted)
            self._carry_out(kernel, steps)
        self._forget_all(dead)
        return tuple(step.told() for step in steps)

    def _reconcile(self, wanted: Wanted | None) -> tuple[Change, ...]:
        self._check_open()
        done: dict[Change, None] = {}
        refusals: list[str] = []
        with self._opened() as kernel:
            for _ in range(ROUNDS):
                steps = difference(self._read(kernel, wanted), wanted)
                if not steps:
                    return tuple(done)
                done.update(dict.fromkeys(step.told() for step in steps))
                refusals = self._carry_out(kernel, steps)
            steps = difference(self._read(kernel, wanted), wanted)
        if steps:
            raise _still_wrong(steps, refusals)
        return tuple(done)

    def _read_site(self, kernel: Netlink) -> KernelState:
        families = _families()
        interfaces = kernel.interfaces()
        routes = kernel.routes(families, SITE_TABLE)
        return KernelState(routes=routes, interfaces=interfaces, has_ipv6=IPV6 in families)

    def _read(self, kernel: Netlink, wanted: Wanted | None) -> KernelState:
        families = _families()
        interfaces = kernel.interfaces()
        table = self._nft.read()
        if table is not None:
            self._memory = table.memory
        return KernelState(
            kernel.rules(families),
            kernel.routes(families),
            interfaces,
            table,
            read_settings(relevant_settings(wanted, self._memory)),
            IPV6 in families,
            self._memory,
        )

    def _carry_out(self, kernel: Netlink, steps: Sequence[Step]) -> list[str]:
        """Do each step; one that is refused does not keep the others back. Returns the refusals in words.

        What somebody else has done meanwhile is refused, too, and shows as done in the next reading.
        """
        refusals: list[str] = []
        for step in steps:
            try:
                self._do(kernel, step)
            except OSError as error:
                _raise_if_forbidden(error, step)
                advice = " (set it in /etc/sysctl.d)" if isinstance(step.thing, Setting) else ""
                refusals.append(f"{step.deed} {step.thing}: {error.strerror or error}{advice}")
        return refusals

    def _do(self, kernel: Netlink, step: Step) -> None:
        thing = step.thing
        if isinstance(thing, Table):
            self._do_table(step.deed, thing)
        elif isinstance(thing, Setting):
            write_setting(thing.path, thing.value)
        else:
            kernel.do(step.deed, thing)

    def _do_table(self, deed: Deed, table: Table) -> None:
        if deed is Deed.REMOVE:
            self._nft.remove()
            return
        self._nft.load(table)
        if deed is Deed.ADD:
            # What was let through before has neither mark nor translation, and would keep both lacks.
            self._forget(_UNMARKED)

    def _forget_all(self, dead: Collection[Way]) -> None:
        for way in dead:
            self._forget(mark_of(way))

    def _forget(self, mark: int) -> None:
        try:
            self._netlink.forget(mark)
        except OSError as error:
            if error.errno == errno.EPERM:
                raise HardwareError("connections cannot be forgotten: CAP_NET_ADMIN is needed") from error
            raise HardwareMissingError(
                f"connections cannot be forgotten, this kernel has no ctnetlink ({error})"
            ) from error

    @contextmanager
    def _opened(self) -> Iterator[Netlink]:
        try:
            with self._netlink.Netlink.opened() as kernel:
                yield kernel
        except OSError as error:
            raise HardwareError(f"the kernel's routes cannot be read: {error}") from error

    def _check_open(self) -> None:
        if self._closed:
            raise HardwareError("route mode was closed")


def _families() -> tuple[int, ...]:
    """What this kernel speaks: its settings show it, whatever addresses there are."""
    return (IPV4, IPV6) if read_settings([FORWARD6]) else (IPV4,)


def _raise_if_forbidden(error: OSError, step: Step) -> None:
    """Without the right nothing else would go, either."""
    if error.errno == errno.EPERM:
        raise HardwareError(f"{step.deed} {step.thing}: CAP_NET_ADMIN is needed") from error


def _still_wrong(steps: Sequence[Step], refusals: Sequence[str]) -> RoutesError:
    what = "; ".join(refusals) or "; ".join(f"{step.deed} {step.thing}" for step in steps)
    count = f"{len(steps)} thing{'s' if len(steps) > 1 else ''} not as wanted"
    return RoutesError(f"{count}, tried {ROUNDS} times: {what[:500]}")
