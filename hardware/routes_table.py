"""The nftables table of route mode, as the objects that ``nft -j`` reads and lists. Pure.

Connections of the site stick to the way that they began on: the forward chain marks each by where it goes,
the prerouting chain gives the mark back to its packets, and a routing rule per mark leads them. So replies
and forwarded ports leave where they came in, and a call outlives the return to a better way.

The table also remembers the kernel settings from before: that memory is exactly as lasting as the settings.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Network
from typing import Any, Final

from hardware.routes_port import MOST_WAYS, Wanted, Way

FAMILY: Final = "inet"
NAME: Final = "vigie"
FIRST_MARK: Final = 0x7600_0000
"""Marks are whole values, given only to connections that have none: other programs keep theirs."""
DNS_PORT: Final = 53

_MEMORY: Final = "memory"
_CHAINS: Final[Mapping[str, Mapping[str, Any]]] = {
    _MEMORY: {},
    "sticky": {"type": "filter", "hook": "prerouting", "prio": -150, "policy": "accept"},
    "names": {"type": "nat", "hook": "prerouting", "prio": -100, "policy": "accept"},
    "passage": {"type": "filter", "hook": "forward", "prio": 0, "policy": "accept"},
    "translation": {"type": "nat", "hook": "postrouting", "prio": 100, "policy": "accept"},
}
_OURS: Final = {"family": FAMILY, "table": NAME}
Expression = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """The table's chains and rules in one canonical text, and the settings from before, by path."""

    content: str
    memory: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """Its name; the content is for programs."""
        return f"nftables {FAMILY} {NAME}"


def mark_of(way: Way) -> int:
    """The mark of the connections that hold to ``way``."""
    return FIRST_MARK + way.number


def content_of(wanted: Wanted) -> str:
    """Everything of the table but its memory."""
    return _canonical([*_chain_objects(), *_rule_objects(_rules(wanted))])


def orders(table: Table) -> str:
    """What ``nft -j -f -`` reads to put ``table`` in the place of another, in one transaction."""
    ours = {"table": {"family": FAMILY, "name": NAME}}
    memory = [
        {"rule": {**_OURS, "chain": _MEMORY, "expr": [{"return": None}], "comment": f"{path}={value}"}}
        for path, value in table.memory
    ]
    objects = [*json.loads(table.content), *memory]
    # Added before it is deleted, because deleting what is not there is an error.
    steps = [{"add": ours}, {"delete": ours}, {"add": ours}, *({"add": each} for each in objects)]
    return json.dumps({"nftables": steps})


def read_listing(text: str) -> Table:
    """The table that ``nft -j list table`` has told.

    Raises:
        ValueError: it makes no sense.
    """
    try:
        listed = json.loads(text)["nftables"]
        objects = [each for each in listed if "metainfo" not in each and "table" not in each]
        kept = [_without_handle(each) for each in objects if not _is_memory(each)]
        memory = [each["rule"].get("comment", "") for each in objects if _is_memory(each)]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"nft lists the table in a way that makes no sense: {text[:200]}") from error
    pairs = (comment.partition("=") for comment in memory)
    return Table(_canonical(kept), tuple((path, value) for path, _, value in pairs if value))


def _is_memory(listed: Mapping[str, Any]) -> bool:
    return "rule" in listed and listed["rule"]["chain"] == _MEMORY


def _without_handle(listed: Mapping[str, Any]) -> dict[str, Any]:
    return {
        kind: {key: value for key, value in body.items() if key != "handle"} for kind, body in listed.items()
    }


def _canonical(objects: Sequence[Mapping[str, Any]]) -> str:
    # Chains first; rules stay in the order of their chain, whatever order the chains are listed in.
    chains = sorted(
        (each for each in objects if "chain" in each), key=lambda each: str(each["chain"]["name"])
    )
    rules = sorted((each for each in objects if "rule" in each), key=lambda each: str(each["rule"]["chain"]))
    rest = [each for each in objects if "chain" not in each and "rule" not in each]
    return json.dumps([*chains, *rules, *rest], sort_keys=True)


def _chain_objects() -> Iterator[dict[str, Any]]:
    for name, hook in _CHAINS.items():
        yield {"chain": {**_OURS, "name": name, **hook}}


def _rule_objects(rules: Iterable[tuple[str, list[Expression]]]) -> Iterator[dict[str, Any]]:
    for chain, expressions in rules:
        yield {"rule": {**_OURS, "chain": chain, "expr": expressions}}


def _rules(wanted: Wanted) -> Iterator[tuple[str, list[Expression]]]:
    ours = {"range": [FIRST_MARK + 1, FIRST_MARK + MOST_WAYS]}
    give_back = {"mangle": {"key": {"meta": {"key": "mark"}}, "value": _CONNECTION_MARK}}
    for lan in wanted.lan:
        # Only what comes from the site: replies on their way to it are led by the main table.
        yield "sticky", [_came_by(lan), _match(_CONNECTION_MARK, ours), give_back]
        for protocol in ("udp", "tcp") if wanted.dns else ():
            yield "names", [*_asks_us_for_names(lan, protocol), _sent_to(wanted.dns)]
    for way in wanted.ways:
        yield from _passage(wanted, way)
        if wanted.masquerade:
            yield from _translation(way)


def _passage(wanted: Wanted, way: Way) -> Iterator[tuple[str, list[Expression]]]:
    unmarked = _match(_CONNECTION_MARK, 0)
    give_mark = {"mangle": {"key": _CONNECTION_MARK, "value": mark_of(way)}}
    for lan in wanted.lan:
        yield "passage", [_came_by(lan), _goes_by(way.interface), unmarked, give_mark]
    came = _came_by(way.interface)
    yield "passage", [came, unmarked, give_mark]
    known = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}
    yield "passage", [came, known, {"accept": None}]
    forwarded_port = {"match": {"op": "in", "left": {"ct": {"key": "status"}}, "right": "dnat"}}
    yield "passage", [came, forwarded_port, {"accept": None}]
    yield "passage", [came, {"drop": None}]


def _translation(way: Way) -> Iterator[tuple[str, list[Expression]]]:
    leaves = [_goes_by(way.interface), _match(_CONNECTION_MARK, mark_of(way))]
    if way.prefix6 is not None:
        source = {"payload": {"protocol": "ip6", "field": "saddr"}}
        own = _match(source, _prefix(IPv6Network(way.prefix6)))
        yield "translation", [*leaves, own, {"return": None}]
    yield "translation", [*leaves, {"masquerade": None}]


def _prefix(network: IPv6Network) -> object:
    address = str(network.network_address)
    alone = network.prefixlen == network.max_prefixlen
    return address if alone else {"prefix": {"addr": address, "len": network.prefixlen}}


def _asks_us_for_names(lan: str, protocol: str) -> list[Expression]:
    return [
        _came_by(lan),
        _match({"fib": {"result": "type", "flags": ["daddr"]}}, "local"),
        _match({"meta": {"key": "nfproto"}}, "ipv4"),
        _match({"payload": {"protocol": protocol, "field": "dport"}}, DNS_PORT),
    ]


def _sent_to(resolvers: Sequence[str]) -> Expression:
    if len(resolvers) == 1:
        return {"dnat": {"family": "ip", "addr": resolvers[0]}}
    turn = {"numgen": {"mode": "inc", "mod": len(resolvers), "offset": 0}}
    by_turn = [[number, resolver] for number, resolver in enumerate(resolvers)]
    return {"dnat": {"family": "ip", "addr": {"map": {"key": turn, "data": {"set": by_turn}}}}}


_CONNECTION_MARK: Final[Expression] = {"ct": {"key": "mark"}}


def _match(left: Expression, right: object) -> Expression:
    return {"match": {"op": "==", "left": left, "right": right}}


def _came_by(interface: str) -> Expression:
    return _match({"meta": {"key": "iifname"}}, interface)


def _goes_by(interface: str) -> Expression:
    return _match({"meta": {"key": "oifname"}}, interface)
