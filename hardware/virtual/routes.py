"""A kernel in memory that route mode can be tried on, with everything that happens to a real one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from hardware.ports import HardwareError
from hardware.routes_plan import difference
from hardware.routes_port import Change, Deed, RoutesError, Wanted, Way, check_dead
from hardware.routes_state import FORWARD, FORWARD6, LOOSEST, KernelState, Route, Rule, Setting, Step
from hardware.routes_table import Table

USUAL_SETTINGS: Mapping[str, str] = {FORWARD: "0", FORWARD6: "0", LOOSEST: "0"}
_LOCAL, _MAIN, _DEFAULT = 255, 254, 253
_BY_KERNEL = 2  # RTPROT_KERNEL


@dataclass(frozen=True, slots=True)
class Flow:
    """One connection of the site, and the name of the way that it holds to."""

    name: str
    way: str


class VirtualRoutes:
    """The port ``Routes`` on a kernel of its own, with the real plan between them.

    Attributes:
        kernel: what it has; tests may change it as others would.
        flows: connections that are open now.
        refusal: raised by every call while set.
    """

    def __init__(self, interfaces: Iterable[str] = ()) -> None:
        """A kernel as it is after its start, with these interfaces up."""
        self.kernel = KernelState(
            rules=tuple(
                Rule(family, priority, table, protocol=_BY_KERNEL)
                for family in (4, 6)
                for priority, table in ((0, _LOCAL), (32766, _MAIN), (32767, _DEFAULT))
            ),
            interfaces=frozenset(interfaces),
            settings=dict(USUAL_SETTINGS),
        )
        self.flows: tuple[Flow, ...] = ()
        self.refusal: HardwareError | None = None
        self._wanted: Wanted | None = None
        self._closed = False

    def apply(self, wanted: Wanted, dead: Collection[Way] = ()) -> tuple[Change, ...]:
        """See the port."""
        check_dead(wanted, dead)
        done = self._reconcile(wanted)
        self._wanted = wanted
        for way in dead:
            self.forget(way)
        return done

    def differences(self, wanted: Wanted) -> tuple[Change, ...]:
        """See the port."""
        self._check()
        return tuple(step.told() for step in difference(self.kernel, wanted))

    def forget(self, way: Way) -> None:
        """See the port; open connections come again at once, by the way that is the active one."""
        self._check()
        active = None if self._wanted is None else self._wanted.active
        kept = [flow for flow in self.flows if flow.way != way.name]
        anew = [
            replace(flow, way=active) for flow in self.flows if flow.way == way.name and active is not None
        ]
        self.flows = (*kept, *anew)

    def remove(self) -> tuple[Change, ...]:
        """See the port."""
        self._wanted = None
        return self._reconcile(None)

    def close(self) -> None:
        """See the port."""
        self._closed = True

    def open_flow(self, name: str) -> None:
        """The site begins a connection by the active way."""
        if self._wanted is not None and self._wanted.active is not None:
            self.flows = (*self.flows, Flow(name, self._wanted.active))

    def lose_interface(self, interface: str) -> None:
        """It goes down or away, and its routes with it."""
        kept = tuple(route for route in self.kernel.routes if route.interface != interface)
        self.kernel = replace(self.kernel, interfaces=self.kernel.interfaces - {interface}, routes=kept)

    def return_interface(self, interface: str) -> None:
        """It is up again, without any route."""
        self.kernel = replace(self.kernel, interfaces=self.kernel.interfaces | {interface})

    def _reconcile(self, wanted: Wanted | None) -> tuple[Change, ...]:
        self._check()
        done: dict[Change, None] = {}
        for _ in range(2):
            steps = difference(self.kernel, wanted)
            done.update(dict.fromkeys(step.told() for step in steps))
            for step in steps:
                self.kernel = carry_out(self.kernel, step)
        if difference(self.kernel, wanted):
            raise RoutesError("the kernel in memory is not as wanted")
        return tuple(done)

    def _check(self) -> None:
        if self._closed:
            raise HardwareError("route mode was closed")
        if self.refusal is not None:
            raise self.refusal


def carry_out(kernel: KernelState, step: Step) -> KernelState:
    """What a kernel has after ``step``. Pure.

    Raises:
        RoutesError: a real kernel would refuse.
    """
    thing = step.thing
    if isinstance(thing, Table):
        gone = step.deed is Deed.REMOVE
        return replace(kernel, table=None if gone else thing, memory=() if gone else thing.memory)
    if isinstance(thing, Setting):
        if thing.path not in kernel.settings:
            raise RoutesError(f"{thing.path}: no such setting")
        return replace(kernel, settings={**kernel.settings, thing.path: thing.value})
    if isinstance(thing, Rule):
        return replace(kernel, rules=_with_rule(kernel.rules, step.deed, thing))
    if step.deed is not Deed.REMOVE and thing.interface is not None:
        _check_interface(kernel, thing.interface)
    return replace(kernel, routes=_with_route(kernel.routes, step.deed, thing))


def _check_interface(kernel: KernelState, interface: str) -> None:
    if interface not in kernel.interfaces:
        raise RoutesError(f"{interface}: no such interface, or down")


def _with_rule(rules: tuple[Rule, ...], deed: Deed, rule: Rule) -> tuple[Rule, ...]:
    if deed is Deed.REMOVE:
        place = rules.index(rule)
        return (*rules[:place], *rules[place + 1 :])
    # Python sorts stably: among equals the new one comes last, as in the kernel.
    return tuple(sorted((*rules, rule), key=lambda each: (each.family, each.priority)))


def _with_route(routes: tuple[Route, ...], deed: Deed, route: Route) -> tuple[Route, ...]:
    if deed is Deed.REMOVE:
        return tuple(each for each in routes if each != route)
    first = next((place for place, each in enumerate(routes) if each.key == route.key), None)
    if first is None:
        return tuple(sorted((*routes, route), key=lambda each: each.key))
    if deed is Deed.ADD:
        raise RoutesError(f"{route}: there is one already")
    return (*routes[:first], route, *routes[first + 1 :])
