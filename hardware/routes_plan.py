"""From what is wanted and what the kernel has to the steps between them. Pure.

For each address family, in the order of their priority:

1. the main table, without its default routes: the site's own networks, the boxes, tunnels
2. the mark of a connection that holds to a way, to that way's table
3. a socket bound to a way's interface, to that way's table
4. a way's own address as the source, to that way's table
5. everything else to the site's table: one default route, by the active way

A way's table ends in "unreachable", so that nothing bound to a way leaves by another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from hardware.routes_port import Deed, Wanted, Way
from hardware.routes_state import (
    FORWARD,
    FORWARD6,
    IPV4,
    IPV6,
    LAST_METRIC,
    LOOSEST,
    MAIN_TABLE,
    PRIORITY_ADDRESS,
    PRIORITY_INTERFACE,
    PRIORITY_MAIN,
    PRIORITY_MARK,
    PRIORITY_SITE,
    SITE_TABLE,
    KernelState,
    Route,
    Rule,
    Setting,
    Step,
)
from hardware.routes_table import Table, content_of, mark_of

_STRICT: Final = "1"
_LOOSE: Final = "2"
_ACCEPT_UNLESS_FORWARDING: Final = "1"
_ACCEPT: Final = "2"


def relevant_settings(wanted: Wanted | None, before: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Paths of the settings that ``difference`` looks at; ``before`` as in ``KernelState``."""
    paths = [path for path, _ in before]
    if wanted is not None:
        paths += [FORWARD, FORWARD6, LOOSEST]
        ways = [way.interface for way in wanted.ways]
        paths += [_reverse_path(interface) for interface in (*wanted.lan, *ways)]
        paths += [_router_adverts(interface) for interface in ways]
    return tuple(dict.fromkeys(paths))


def difference(state: KernelState, wanted: Wanted | None) -> tuple[Step, ...]:
    """The steps from ``state`` to ``wanted``; None wants nothing of us to be left.

    In an order that is safe at every point: tables are filled before rules lead to them and emptied after,
    the site's default route is replaced in one step, and nothing is forwarded before it is translated.
    """
    if wanted is None:
        return _removal(state)
    table, settings = _table_and_settings(state, wanted)
    # Advertisements first: a kernel that begins to forward drops the routes it has learned from them.
    early = [each for each in settings if each.path not in (FORWARD, FORWARD6)]
    late = [each for each in settings if each.path in (FORWARD, FORWARD6)]
    put, routes_away = _route_steps(state.routes, wanted_routes(state, wanted))
    missing, rules_away = _rule_steps(state.rules, wanted_rules(state, wanted))
    return (
        *table,
        *(Step(Deed.REPLACE, setting) for setting in early),
        *put,
        *missing,
        *rules_away,
        *routes_away,
        *(Step(Deed.REPLACE, setting) for setting in late),
    )


def switch(state: KernelState, wanted: Wanted) -> tuple[Step, ...]:
    """The steps that lead new connections by another way, and nothing else: the site's default routes.

    For a ``wanted`` that was in place but for its active way; ``state`` needs interfaces and routes only.
    """
    put, _ = _route_steps(state.routes, wanted_routes(state, wanted))
    return tuple(
        step
        for step in put
        if step.deed is Deed.REPLACE and isinstance(step.thing, Route) and step.thing.table == SITE_TABLE
    )


def wanted_rules(state: KernelState, wanted: Wanted) -> Iterator[Rule]:
    """The rules in the order of their priority."""
    for family in _families(state):
        ways = [way for way in wanted.ways if family == IPV4 or way.has_ipv6]
        yield Rule(family, PRIORITY_MAIN, MAIN_TABLE, without_default=True)
        for way in ways:
            yield Rule(family, PRIORITY_MARK + way.number, table_of(way), mark=mark_of(way))
        for way in ways:
            yield Rule(family, PRIORITY_INTERFACE + way.number, table_of(way), interface=way.interface)
        for way in ways:
            source = way.address if family == IPV4 else way.address6
            if source is not None:
                yield Rule(family, PRIORITY_ADDRESS + way.number, table_of(way), source=source)
        yield Rule(family, PRIORITY_SITE, SITE_TABLE)


def wanted_routes(state: KernelState, wanted: Wanted) -> Iterator[Route]:
    """The routes of the ways' tables, then those of the site's."""
    for family in _families(state):
        for way in wanted.ways:
            if family == IPV4 or way.has_ipv6:
                yield from _default(state, way, family, table_of(way))
                yield Route(family, table_of(way), metric=LAST_METRIC)
    if (active := wanted.active_way) is None:
        return
    yield from _default(state, active, IPV4, SITE_TABLE)
    if state.has_ipv6 and not active.has_ipv6:
        # Told at once that there is no IPv6, programs turn to IPv4; silence would cost them seconds.
        yield Route(IPV6, SITE_TABLE)
    elif state.has_ipv6:
        yield from _default(state, active, IPV6, SITE_TABLE)


def table_of(way: Way) -> int:
    """The routing table of ``way``."""
    return SITE_TABLE + way.number


def _families(state: KernelState) -> tuple[int, ...]:
    return (IPV4, IPV6) if state.has_ipv6 else (IPV4,)


def _default(state: KernelState, way: Way, family: int, table: int) -> Iterator[Route]:
    """Nothing by an interface that is down or gone: the kernel would refuse it."""
    if way.interface in state.interfaces and (way.has_ipv4 if family == IPV4 else way.has_ipv6):
        yield Route(family, table, way.gateway if family == IPV4 else way.gateway6, way.interface)


def _route_steps(have: Iterable[Route], want: Iterable[Route]) -> tuple[list[Step], list[Step]]:
    present = list(have)
    wanted = list(want)
    surplus = [route for route in present if route not in wanted]
    put: list[Step] = []
    for route in wanted:
        if route in present:
            continue
        other = next((each for each in surplus if each.key == route.key), None)
        if other is None:
            put.append(Step(Deed.ADD, route))
        else:
            surplus.remove(other)
            put.append(Step(Deed.REPLACE, route))
    return put, [Step(Deed.REMOVE, route) for route in surplus]


def _rule_steps(have: Iterable[Rule], want: Iterable[Rule]) -> tuple[list[Step], list[Step]]:
    surplus = Counter(rule for rule in have if rule.is_ours)
    missing: list[Step] = []
    for rule in want:
        if surplus[rule]:
            surplus[rule] -= 1
        else:
            missing.append(Step(Deed.ADD, rule))
    # The last first, so that the rule for the site's own networks stands as long as one that needs it.
    away = sorted(surplus.elements(), key=lambda rule: -rule.priority)
    return missing, [Step(Deed.REMOVE, rule) for rule in away]


def _table_and_settings(state: KernelState, wanted: Wanted) -> tuple[list[Step], list[Setting]]:
    settings = [each for each in _wanted_settings(state, wanted) if state.settings[each.path] != each.value]
    memory = dict(state.before)
    for setting in settings:
        memory.setdefault(setting.path, state.settings[setting.path])
    table = Table(content_of(wanted), tuple(memory.items()))
    if table == state.table:
        return [], settings
    return [Step(Deed.ADD if state.table is None else Deed.REPLACE, table)], settings


def _wanted_settings(state: KernelState, wanted: Wanted) -> Iterator[Setting]:
    """Only what this kernel has, and what would be in the way."""
    known = state.settings
    interfaces = [*wanted.lan, *(way.interface for way in wanted.ways)]
    checks = [known.get(LOOSEST), *(known.get(_reverse_path(interface)) for interface in interfaces)]
    # The kernel takes the larger of the value for all and that of the interface: 2 for all loosens each.
    if LOOSEST in known and known[LOOSEST] != _LOOSE and _STRICT in checks:
        yield Setting(LOOSEST, _LOOSE)
    six = [way for way in wanted.ways if way.has_ipv6] if state.has_ipv6 else []
    for way in six:
        path = _router_adverts(way.interface)
        if known.get(path) == _ACCEPT_UNLESS_FORWARDING:
            yield Setting(path, _ACCEPT)
    if six and FORWARD6 in known:
        yield Setting(FORWARD6, "1")
    if FORWARD in known:
        yield Setting(FORWARD, "1")


def _removal(state: KernelState) -> tuple[Step, ...]:
    """Settings go back before their memory goes."""
    back = [Setting(path, value) for path, value in state.before if state.settings.get(path, value) != value]
    _, rules = _rule_steps(state.rules, ())
    _, routes = _route_steps(state.routes, ())
    return (
        *rules,
        *routes,
        *(Step(Deed.REPLACE, setting) for setting in back),
        *([] if state.table is None else [Step(Deed.REMOVE, state.table)]),
    )


def _reverse_path(interface: str) -> str:
    return f"net/ipv4/conf/{interface}/rp_filter"


def _router_adverts(interface: str) -> str:
    return f"net/ipv6/conf/{interface}/accept_ra"
