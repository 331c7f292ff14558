"""Rules for services, each yielding the mistakes it finds; nothing is said of what is not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import fields

from agent.config.lines import KeyPath
from agent.config.problems import quoted, shown, where
from agent.config.rules import entries
from agent.config.schema_service import Service
from agent.config.shape import Fault
from agent.config.words import say

ONLY_FOR: Mapping[str, tuple[str, ...]] = {
    "transport": ("sip",),
    "path": ("https",),
    "status": ("https",),
    "question": ("dns",),
    "ca_file": ("tls", "https"),
}
"""By key, the kinds of service that have it."""
_KINDS = ("tcp", "tls", "https", "dns", "sip")
_NEEDED = {"tcp": "port", "dns": "question"}
_DEFAULTS = {field.name: field.default for field in fields(Service)}


def broken_service_rules(clean: Mapping[str, Any]) -> Iterator[Fault]:
    """Every broken rule, in no particular order."""
    first: dict[str, KeyPath] = {}
    for section in ("uplink", "box", "modem"):
        for index, entry in entries(clean, section):
            if "name" in entry:
                first.setdefault(entry["name"], (section, index))
    for index, service in entries(clean, "service"):
        yield from _name(index, service, first)
        yield from _keys(index, service)


def _name(index: int, service: Mapping[str, Any], first: dict[str, KeyPath]) -> Iterator[Fault]:
    name, path = service.get("name"), ("service", index, "name")
    if name is None:
        return
    if name == "site":
        yield Fault(path, shown(name), say("name_site_path"))
    elif name in first:
        yield Fault(path, shown(name), say("name_twice", first=where(first[name])))
    first.setdefault(name, ("service", index))


def _keys(index: int, service: Mapping[str, Any]) -> Iterator[Fault]:
    kind = service.get("kind")
    if kind not in _KINDS:
        return
    for key, kinds in ONLY_FOR.items():
        if key in service and kind not in kinds and service[key] != _DEFAULTS[key]:
            words = say("only_for_kinds", kinds=", ".join(quoted(one) for one in kinds))
            yield Fault(("service", index, key), shown(service[key]), words)
    needed = _NEEDED.get(kind)
    if needed is not None and needed not in service:
        yield Fault(("service", index, "kind"), shown(kind), say(f"service_needs_{needed}"))
