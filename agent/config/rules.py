"""Rules between keys: references, duplicates, pins. Each yields the mistakes it finds.

They run on what ``shape`` let through, which may be incomplete; a rule says nothing of what is not there,
so that one mistake is not told twice. What is asked about itself has its own in ``rules_devices``.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from agent.config.lines import KeyPath
from agent.config.problems import quoted, shown, where
from agent.config.rules_discovery import discovery_rules
from agent.config.shape import Fault
from agent.config.words import Words, say

Entries = list[tuple[int, Mapping[str, Any]]]


def broken_rules(clean: Mapping[str, Any]) -> Iterator[Fault]:
    """Every broken rule, in no particular order."""
    uplinks, boxes = entries(clean, "uplink"), entries(clean, "box")
    yield from discovery_rules(clean.get("mqtt") or {})
    yield from _names("uplink", uplinks)
    yield from _names("box", boxes)
    yield from _targets(uplinks)
    yield from _interfaces(uplinks)
    yield from _box_uplinks(boxes, uplinks)
    yield from _relays(boxes)
    yield from _checks(clean.get("checks", {}))
    yield from _phones(entries(clean, "modem"))
    yield from _failover(clean.get("failover", {}), uplinks)
    waits = clean.get("failover", {}).get("fail_back_when") == "closed"
    if waits and not clean.get("site", {}).get("opening"):
        yield _fault(("failover", "fail_back_when"), "closed", say("needs_opening"))


def entries(clean: Mapping[str, Any], section: str) -> Entries:
    """The entries of a list of sections that are tables, each with its place in the file."""
    return [(index, entry) for index, entry in enumerate(clean.get(section, [])) if entry is not None]


def _fault(path: KeyPath, value: object, words: Words) -> Fault:
    return Fault(path, shown(value), words)


def _names(section: str, entries: Entries) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for index, entry in entries:
        name = entry.get("name")
        if name is None:
            continue
        path = (section, index, "name")
        if section == "uplink" and name == "site":
            yield _fault(path, name, say("name_site"))
        elif name in first:
            yield _fault(path, name, say("name_twice", first=where((section, first[name]))))
        first.setdefault(name, index)


def _targets(uplinks: Entries) -> Iterator[Fault]:
    for index, uplink in uplinks:
        seen = set()
        for position, target in enumerate(uplink.get("targets", [])):
            if target is not None and target in seen:
                yield _fault(("uplink", index, "targets", position), target, say("target_twice"))
            seen.add(target)


def _phones(modems: Entries) -> Iterator[Fault]:
    for index, modem in modems:
        numbers = modem.get("sms_to", [])
        for position, number in enumerate(numbers):
            if number is not None and number in numbers[:position]:
                yield _fault(("modem", index, "sms_to", position), number, say("target_twice"))


def _checks(checks: Mapping[str, Any]) -> Iterator[Fault]:
    for key in ("names", "name_servers", "web"):
        seen = set()
        for position, entry in enumerate(checks.get(key, [])):
            plain = None if entry is None else entry.lower().removesuffix(".")
            if plain is not None and plain in seen:
                yield _fault(("checks", key, position), entry, say("target_twice"))
            seen.add(plain)


def _interfaces(uplinks: Entries) -> Iterator[Fault]:
    shared = defaultdict(list)
    for index, uplink in uplinks:
        if "gateway" in uplink and uplink["gateway"] == uplink.get("source"):
            yield _fault(("uplink", index, "gateway"), uplink["gateway"], say("gateway_is_source"))
        if "interface" in uplink:
            shared[uplink["interface"]].append((index, uplink))
    for interface, group in shared.items():
        ways: dict[tuple[str | None, str | None], int] = {}
        for index, uplink in group:
            way = (uplink.get("gateway"), uplink.get("source"))
            path: KeyPath = ("uplink", index, "interface")
            if len(group) > 1 and way == (None, None):
                others = ", ".join(where(("uplink", other)) for other, _ in group if other != index)
                yield _fault(path, interface, say("shared_interface", others=others))
            elif way in ways:
                yield _fault(path, interface, say("same_way", first=where(("uplink", ways[way]))))
            ways.setdefault(way, index)


def _failover(failover: Mapping[str, Any], uplinks: Entries) -> Iterator[Fault]:
    names = [uplink["name"] for _, uplink in uplinks if "name" in uplink]
    wanted = failover.get("priority", [])
    for position, name in enumerate(wanted):
        if name is not None and name in wanted[:position]:
            yield _fault(("failover", "priority", position), name, say("target_twice"))
        elif name is not None and name not in names and len(names) == len(uplinks) and names:
            yield _fault(("failover", "priority", position), name, no_uplink(name, names))
    servers = failover.get("public_from", [])
    for position, server in enumerate(servers):
        if server is not None and server in servers[:position]:
            yield _fault(("failover", "public_from", position), server, say("target_twice"))
    interface = failover.get("site_interface")
    for index, uplink in uplinks:
        if interface is not None and interface == uplink.get("interface"):
            words = say("site_is_uplink", uplink=where(("uplink", index)))
            yield _fault(("failover", "site_interface"), interface, words)


RELAYS_OF_A_LINE = 2
"""A terminal on the line and a router behind it."""


def _box_uplinks(boxes: Entries, uplinks: Entries) -> Iterator[Fault]:
    names = [uplink["name"] for _, uplink in uplinks if "name" in uplink]
    wired: defaultdict[str, list[int]] = defaultdict(list)
    for index, box in boxes:
        uplink = box.get("uplink")
        if uplink is None:
            continue
        # While an uplink has no name, it is the one that may be meant.
        if uplink not in names and len(names) == len(uplinks) and names:
            yield _fault(("box", index, "uplink"), uplink, no_uplink(uplink, names))
        if "relay" in box:
            if len(wired[uplink]) >= RELAYS_OF_A_LINE:
                words = say("third_relay", first=where(("box", wired[uplink][0])))
                yield _fault(("box", index, "relay"), box["relay"], words)
            wired[uplink].append(index)


def no_uplink(given: str, names: list[str]) -> Words:
    """What is said of a reference to no uplink, with the one that is probably meant."""
    listed = ", ".join(quoted(name) for name in names)
    near = difflib.get_close_matches(given.lower(), names, n=1, cutoff=0.6)
    return (
        say("no_uplink_hint", hint=quoted(near[0]), names=listed) if near else say("no_uplink", names=listed)
    )


def _relays(boxes: Entries) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for index, box in boxes:
        relay = box.get("relay", "")
        if relay.startswith("virtual:") and relay in first:
            yield _fault(
                ("box", index, "relay"), relay, say("relay_twice", first=where(("box", first[relay])))
            )
        first.setdefault(relay, index)
