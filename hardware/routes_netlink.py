"""Rules, routes and tracked connections of the kernel, by netlink (pyroute2).

pyroute2 keeps an event loop for each thread that uses one of its sockets, so they are opened for one task and
closed after it: less than a millisecond, and nothing is left of a thread that ends.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from pyroute2 import IPRoute, NFCTSocket
from pyroute2.netlink.exceptions import NetlinkDumpInterrupted, NetlinkError

from hardware.routes_port import Deed
from hardware.routes_state import IPV4, IPV6, OUR_TABLES, Route, Rule

_AF: Final = {IPV4: socket.AF_INET, IPV6: socket.AF_INET6}
_FAMILY: Final = {int(number): family for family, number in _AF.items()}
_UP: Final = 0x1  # IFF_UP of <linux/if.h>
_ONLINK: Final = 4  # RTNH_F_ONLINK of <linux/rtnetlink.h>
_TO_TABLE: Final = 1  # FR_ACT_TO_TBL of <linux/fib_rules.h>
_DETACHED: Final = 0x8 | 0x10  # FIB_RULE_IIF_DETACHED, FIB_RULE_OIF_DETACHED: the interface is not there now
_UNICAST, _UNREACHABLE = 1, 7  # RTN_* of <linux/rtnetlink.h>
_SCOPE_LINK, _ANY_SCOPE = 253, 255  # RT_SCOPE_LINK, RT_SCOPE_NOWHERE of <linux/rtnetlink.h>
_WHOLE_MARK: Final = 0xFFFF_FFFF
_NO_SUPPRESSION: Final = 0xFFFF_FFFF
_BITS: Final = {IPV4: 32, IPV6: 128}
_MOST_READS: Final = 5
_RULE_KNOWN: Final = {
    "FRA_TABLE",
    "FRA_PRIORITY",
    "FRA_PROTOCOL",
    "FRA_SRC",
    "FRA_OIFNAME",
    "FRA_FWMARK",
    "FRA_FWMASK",
    "FRA_SUPPRESS_PREFIXLEN",
}
_UNSENDABLE: Final = "~"
"""Before the name of an attribute that this library, older than the kernel, can tell but not say."""
_ROUTE_KNOWN: Final = {
    "RTA_TABLE",
    "RTA_PRIORITY",
    "RTA_GATEWAY",
    "RTA_OIF",
    "RTA_DST",
    # What the kernel adds of itself.
    "RTA_CACHEINFO",
    "RTA_PREF",
}


class Netlink:
    """One short talk with the kernel, in the network namespace of the thread that opens it."""

    def __init__(self, made: IPRoute) -> None:
        self._kernel = made
        self._names: dict[int, str] = {}

    @classmethod
    @contextmanager
    def opened(cls) -> Iterator[Netlink]:
        """Open, and close after the block.

        Raises:
            OSError: no netlink here.
        """
        # Strict: the kernel itself leaves out the tables that were not asked for.
        with IPRoute(strict_check=True) as made:
            yield cls(made)

    def interfaces(self) -> frozenset[str]:
        """Names of the interfaces that are up. To be asked before routes are read or written."""
        links = self._read("get_links")
        self._names = {link["index"]: link.get_attr("IFLA_IFNAME") for link in links}
        return frozenset(link.get_attr("IFLA_IFNAME") for link in links if link["flags"] & _UP)

    def rules(self, families: tuple[int, ...]) -> tuple[Rule, ...]:
        """All rules of these families, in the kernel's order."""
        return tuple(
            _rule(family, told)
            for family in families
            for told in self._read("get_rules", family=int(_AF[family]))
        )

    def routes(self, families: tuple[int, ...], table: int | None = None) -> tuple[Route, ...]:
        """The routes of our tables, or of one of them, in the kernel's order."""
        only = {} if table is None else {"table": table}
        asked = [{"family": int(_AF[family]), **only} for family in families]
        told = [each for words in asked for each in self._read("get_routes", **words)]
        return tuple(self._route(each) for each in told if each.get_attr("RTA_TABLE") in OUR_TABLES)

    def do(self, deed: Deed, thing: Rule | Route) -> None:
        """Carry out one step.

        Raises:
            OSError: the kernel refuses, with its number.
        """
        with _errors():
            if isinstance(thing, Rule):
                self._kernel.rule("add" if deed is Deed.ADD else "del", **_rule_words(thing))
            else:
                command = {Deed.ADD: "add", Deed.REPLACE: "replace", Deed.REMOVE: "del"}[deed]
                self._kernel.route(command, **self._route_words(deed, thing))

    def _read(self, what: str, **words: Any) -> list[Any]:
        """All that the kernel lists, whole: a list that changed while it was told is asked for again."""
        for _ in range(_MOST_READS - 1):
            try:
                with _errors():
                    return list(getattr(self._kernel, what)(**words))
            except NetlinkDumpInterrupted:
                continue
        with _errors():
            return list(getattr(self._kernel, what)(**words))

    def _route(self, told: Any) -> Route:
        family = _FAMILY[told["family"]]
        gateway, index = told.get_attr("RTA_GATEWAY"), told.get_attr("RTA_OIF")
        other = [(name, str(value)) for name, value, *_ in told["attrs"] if name not in _ROUTE_KNOWN]
        unreachable = told["type"] == _UNREACHABLE
        if told["type"] not in (_UNICAST, _UNREACHABLE):
            other.append(("type", told["type"]))
        if gateway is not None and not told["flags"] & _ONLINK:
            other.append(("flags", told["flags"]))
        destination = told.get_attr("RTA_DST")
        return Route(
            family,
            told.get_attr("RTA_TABLE"),
            gateway,
            # The kernel tells the loopback interface where an IPv6 route leads nowhere.
            None if unreachable or index is None else self._names.get(index, f"#{index}"),
            told.get_attr("RTA_PRIORITY") or 0,
            "default" if destination is None else f"{destination}/{told['dst_len']}",
            told["proto"],
            tuple(other),
        )

    def _route_words(self, deed: Deed, route: Route) -> dict[str, Any]:
        other = dict(route.other)
        leads_nowhere = route.interface is None and "RTA_MULTIPATH" not in other
        words: dict[str, Any] = {
            "family": int(_AF[route.family]),
            "table": route.table,
            "dst": route.destination,
            "priority": route.metric,
            "proto": route.protocol,
            "type": other.get("type", _UNREACHABLE if leads_nowhere else _UNICAST),
        }
        if route.interface is not None:
            words["oif"] = self._index(route.interface)
        if route.via is not None:
            # Also where the operator's gateway is outside of the address's own network, or that is not there.
            words |= {"gateway": route.via, "flags": _ONLINK}
        if route.family == IPV4 and deed is Deed.REMOVE:
            words["scope"] = _ANY_SCOPE
        elif route.family == IPV4 and route.via is None and not leads_nowhere:
            words["scope"] = _SCOPE_LINK
        return words

    def _index(self, interface: str) -> int:
        known = [index for index, name in self._names.items() if name == interface]
        # An index that no interface has: the kernel's answer is the one for an interface that has gone.
        return known[0] if known else int(interface[1:]) if interface.startswith("#") else -1 & 0x7FFF_FFFF


def forget(mark: int) -> None:
    """Delete every tracked connection with this mark, IPv4 and IPv6, in one request.

    Raises:
        OSError: no permission, or a kernel without ctnetlink.
    """
    with _errors(), NFCTSocket(nfgen_family=int(socket.AF_UNSPEC)) as kernel:
        kernel.flush(mark=mark, mark_mask=_WHOLE_MARK)


def marks() -> list[int]:
    """The mark of every tracked connection: for tests and measurements, for there may be very many.

    Raises:
        OSError: as for ``forget``.
    """
    with _errors(), NFCTSocket(nfgen_family=int(socket.AF_UNSPEC)) as kernel:
        return [told.get_attr("CTA_MARK") or 0 for told in kernel.dump()]


@contextmanager
def _errors() -> Iterator[None]:
    """The kernel's numbers as Python's own errors."""
    try:
        yield
    except NetlinkDumpInterrupted:
        raise
    except NetlinkError as error:
        raise OSError(error.code, str(error)) from error


def _rule(family: int, told: Any) -> Rule:
    mask = told.get_attr("FRA_FWMASK")
    suppressed = told.get_attr("FRA_SUPPRESS_PREFIXLEN")
    source, length = told.get_attr("FRA_SRC"), told["src_len"]
    other = [_other(name, value) for name, value, *_ in told["attrs"] if name not in _RULE_KNOWN]
    other += [("FRA_FWMASK", mask)] if mask not in (None, _WHOLE_MARK) else []
    other += [("FRA_SUPPRESS_PREFIXLEN", suppressed)] if suppressed not in (None, 0, _NO_SUPPRESSION) else []
    other += [(name, told[name]) for name in ("dst_len", "tos") if told[name]]
    other += [("action", told["action"])] if told["action"] != _TO_TABLE else []
    other += [("flags", told["flags"])] if told["flags"] & ~_DETACHED else []
    return Rule(
        family,
        told.get_attr("FRA_PRIORITY") or 0,
        told.get_attr("FRA_TABLE") or told["table"],
        told.get_attr("FRA_FWMARK"),
        told.get_attr("FRA_OIFNAME"),
        source if source is None or length == _BITS[family] else f"{source}/{length}",
        suppressed == 0,
        told.get_attr("FRA_PROTOCOL") or 0,
        tuple(other),
    )


def _other(name: str, value: object) -> tuple[str, object]:
    return (name, value) if isinstance(value, int | str) else (_UNSENDABLE + name, str(value))


def _rule_words(rule: Rule) -> dict[str, Any]:
    words: dict[str, Any] = {
        "family": int(_AF[rule.family]),
        "priority": rule.priority,
        "table": rule.table,
        "FRA_PROTOCOL": rule.protocol,
    }
    if rule.mark is not None:
        words |= {"FRA_FWMARK": rule.mark, "FRA_FWMASK": _WHOLE_MARK}
    if rule.interface is not None:
        words["FRA_OIFNAME"] = rule.interface
    if rule.source is not None:
        address, _, length = rule.source.partition("/")
        words |= {"FRA_SRC": address, "src_len": int(length or _BITS[rule.family])}
    if rule.without_default:
        words["FRA_SUPPRESS_PREFIXLEN"] = 0
    # What is left out here leaves other rules in doubt, which the next reading shows and mends.
    return words | {name: value for name, value in rule.other if not name.startswith(_UNSENDABLE)}
