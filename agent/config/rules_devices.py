"""Rules for what is asked about itself, modems and boxes with an ``api``. Each yields the mistakes it finds.

As in ``rules``, nothing is said of what is not there or is wrong already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import fields

from agent.config.lines import KeyPath
from agent.config.problems import looks_secret, quoted, shown, where
from agent.config.rules import Entries, entries, no_uplink
from agent.config.schema import Box, Modem
from agent.config.shape import Fault
from agent.config.words import Words, say
from agent.core.site import UplinkKind

KINDS = {kind.value for kind in UplinkKind}
KEYS_OF_DRIVERS = {
    "device": "at",
    "address": "hilink",
    "username": "hilink",
    "password_file": "hilink",
}
"""By key of a modem, the only driver that takes it."""
KEYS_OF_ASKED_BOXES = ("address", "password_file", "reboot")
TELL_EVERYBODY = ("sfr", "starlink")
"""What is read of these needs no password."""


def broken_device_rules(clean: Mapping[str, Any]) -> Iterator[Fault]:
    """Every broken rule, in no particular order."""
    uplinks, boxes, modems = (entries(clean, section) for section in ("uplink", "box", "modem"))
    yield from _names(modems, boxes)
    yield from _modem_uplinks(modems, uplinks)
    yield from _speakers(modems, boxes)
    yield from _ports(modems)
    for index, modem in modems:
        yield from _modem(index, modem)
    for index, box in boxes:
        yield from _box(index, box, uplinks)


def _fault(path: KeyPath, value: object, words: Words) -> Fault:
    secret = looks_secret(str(path[-1]))
    return Fault(path, None if value is None else shown(value, secret=secret), words)


def _names(modems: Entries, boxes: Entries) -> Iterator[Fault]:
    first: dict[str, KeyPath] = {}
    for index, box in boxes:
        if "name" in box:
            first.setdefault(box["name"], ("box", index))
    for index, modem in modems:
        name = modem.get("name")
        if name in first:
            yield _fault(("modem", index, "name"), name, say("name_twice", first=where(first[name])))
        elif name is not None:
            first[name] = ("modem", index)


def _modem_uplinks(modems: Entries, uplinks: Entries) -> Iterator[Fault]:
    names = [uplink["name"] for _, uplink in uplinks if "name" in uplink]
    for index, modem in modems:
        name = modem.get("uplink")
        if name is None:
            continue
        kind = _kind(name, uplinks)
        # While an uplink has no name, it is the one that may be meant.
        if name not in names and len(names) == len(uplinks) and names:
            yield _fault(("modem", index, "uplink"), name, no_uplink(name, names))
        elif kind is not None and kind != UplinkKind.CELLULAR:
            yield _fault(("modem", index, "uplink"), name, say("modem_uplink", kind=quoted(kind)))


def _kind(name: str | None, uplinks: Entries) -> str | None:
    """Kind of the uplink of this name; None if there is none, or no such kind."""
    kind = next((uplink.get("kind", "other") for _, uplink in uplinks if uplink.get("name") == name), None)
    return kind if kind in KINDS else None


def _speakers(modems: Entries, boxes: Entries) -> Iterator[Fault]:
    """One device speaks for an uplink: two could contradict each other."""
    speakers: list[tuple[str | None, KeyPath, str | None]] = [
        (modem.get("uplink"), ("modem", index, "uplink"), modem.get("uplink")) for index, modem in modems
    ]
    speakers += [
        (box.get("uplink"), ("box", index, "api"), box["api"]) for index, box in boxes if "api" in box
    ]
    first: dict[str, KeyPath] = {}
    for uplink, path, value in speakers:
        if uplink in first:
            yield _fault(path, value, say("asked_twice", uplink=uplink, first=where(first[uplink])))
        elif uplink is not None:
            first[uplink] = path[:2]


def _ports(modems: Entries) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for index, modem in modems:
        device = modem.get("device")
        if device in first:
            words = say("device_twice", first=where(("modem", first[device])))
            yield _fault(("modem", index, "device"), device, words)
        elif device is not None:
            first[device] = index


def _modem(index: int, modem: Mapping[str, Any]) -> Iterator[Fault]:
    driver = modem.get("driver")
    if driver in KEYS_OF_DRIVERS.values():
        for key, only in KEYS_OF_DRIVERS.items():
            if only != driver and _says(Modem, modem, key):
                yield _fault(("modem", index, key), modem[key], say("not_with_driver", only=quoted(only)))
    if driver == "at" and "device" not in modem:
        yield _fault(("modem", index, "device"), None, say("device_missing"))
    seen = set()
    for position, band in enumerate(modem.get("bands", [])):
        if band is not None and band in seen:
            yield _fault(("modem", index, "bands", position), band, say("target_twice"))
        seen.add(band)


def _box(index: int, box: Mapping[str, Any], uplinks: Entries) -> Iterator[Fault]:
    api = box.get("api")
    if api is None:
        for key in KEYS_OF_ASKED_BOXES:
            if _says(Box, box, key):
                yield _fault(("box", index, key), box[key], say("only_with_api"))
    if api == "freebox" and "password_file" not in box:
        yield _fault(("box", index, "password_file"), None, say("token_missing"))
    if api in TELL_EVERYBODY and "password_file" in box:
        path = ("box", index, "password_file")
        yield _fault(path, box["password_file"], say("no_password", api=quoted(api)))
    kind = _kind(box.get("uplink"), uplinks)
    if api == "starlink" and kind is not None and kind != UplinkKind.STARLINK:
        yield _fault(("box", index, "api"), api, say("dish_uplink", kind=quoted(kind)))


def _says(section: type[Box | Modem], entry: Mapping[str, Any], key: str) -> bool:
    """The entry says something else than what holds anyway, which it may repeat."""
    default = next(field.default for field in fields(section) if field.name == key)
    return key in entry and entry[key] != default
