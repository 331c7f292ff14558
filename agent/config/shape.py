"""Holds a parsed file against the schema: keys, types, ranges and forms, collecting every mistake.

msgspec would stop at the first mistake; here its description of the schema is walked instead. What is
well typed is returned even where it is wrong otherwise, so that the rules between keys can still be
checked in the same run. A misspelt key is reported, then read as the one it was meant to be, so that it
does not also count as missing.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import inspect

from agent.config.forms import RELAY_PINS
from agent.config.forms_outside import ALL_FORMS
from agent.config.keys import Key, Number, allowed, bounds, keys_of, plain, schema
from agent.config.lines import KeyPath
from agent.config.problems import looks_secret, quoted, shown
from agent.config.words import Words, say

SYNONYMS = {
    "fibre": "ftth",
    "fiber": "ftth",
    "satellite": "starlink",
    "4g": "cellular",
    "5g": "cellular",
    "lte": "cellular",
    "mobile": "cellular",
    "adsl": "other",
    "vdsl": "other",
    "dsl": "other",
    "sdsl": "other",
    "cable": "other",
    "oled": "ssd1306",
    "huawei": "hilink",
    "usb": "at",
    "serial": "at",
    "quectel": "at",
    "simcom": "at",
    "sierra": "at",
    "orange": "livebox",
    "free": "freebox",
    "bouygues": "bbox",
    "nf": "nc",
    "voip": "sip",
    "telephone": "sip",
    "ssl": "tls",
    "http": "https",
    "web": "https",
}
"""What people call it, and what is meant."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake at ``path``; ``shown`` is the value for the message, None if there is none."""

    path: KeyPath
    shown: str | None
    words: Words


class Shape:
    """One walk over one file. ``faults`` grows as it goes."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._sections = keys_of(schema())

    def check(self, raw: dict[str, Any]) -> dict[str, Any]:
        """All that is well typed in ``raw``, under the right keys."""
        return self._table(schema(), raw, ())

    def _fault(self, path: KeyPath, value: object, words: Words) -> None:
        tables = isinstance(value, dict) or (
            isinstance(value, list) and any(isinstance(v, dict) for v in value)
        )
        secret = any(looks_secret(part) for part in path if isinstance(part, str))
        self.faults.append(Fault(path, None if tables else shown(value, secret=secret), words))

    # --- tables -----------------------------------------------------------------------------------------

    def _table(self, struct: inspect.StructType, raw: dict[str, Any], path: KeyPath) -> dict[str, Any]:
        keys = keys_of(struct)
        given = {name: name for name in raw if name in keys}
        """The key that is meant, and how it is spelt."""
        for name in raw:
            if name not in keys:
                meant = self._unknown(name, raw[name], keys, path)
                if meant is not None:
                    given.setdefault(meant, name)
        clean = {}
        for key in keys.values():
            if key.name in given:
                spelt = given[key.name]
                value = self._value(key, raw[spelt], (*path, spelt))
                if value is not None:
                    clean[key.name] = value
            elif key.needed:
                self._missing(key, (*path, key.name))
        return clean

    def _unknown(self, name: str, value: object, keys: Mapping[str, Key], path: KeyPath) -> str | None:
        """Report an unknown key; return the one that was certainly meant, if any."""
        hint = _near(name.lower().replace("-", "_"), keys)
        if looks_secret(name) and not (hint and looks_secret(hint)):
            hint = None
        if (
            "password_file" in keys
            and looks_secret(name)
            and not name.lower().endswith(("file", "fil", "path"))
        ):
            self._fault((*path, name), value, say("password_in_file"))
            return None
        allowed_here = ", ".join(keys if path else (key.section for key in keys.values()))
        section = "_section" if not path else ""
        homes = self._sections_with(name)
        if homes and (path or hint is None):
            hint = None
            words = say("unknown_here", sections=" / ".join(homes), allowed=allowed_here)
        elif hint is None:
            words = say(f"unknown{section}", allowed=allowed_here)
        else:
            meant = hint if path else keys[hint].section
            words = say(f"unknown{section}_hint", hint=meant, allowed=allowed_here)
        self._fault((*path, name), value, words)
        return hint

    def _sections_with(self, name: str) -> list[str]:
        """Sections that have a key of this name."""
        homes = []
        for section in self._sections.values():
            node = section.type
            if isinstance(node, inspect.VarTupleType):
                node, _ = plain(node.item_type)
            if isinstance(node, inspect.StructType) and name in keys_of(node):
                homes.append(section.section)
        return homes

    def _missing(self, key: Key, path: KeyPath) -> None:
        if len(path) == 1:
            self.faults.append(Fault(path, None, say("missing_section", section=key.section)))
        else:
            self.faults.append(Fault(path, None, say("missing", allowed=allowed(key))))

    # --- values -----------------------------------------------------------------------------------------

    def _value(self, key: Key, raw: object, path: KeyPath) -> Any:
        """The value if its type is right (even if it is wrong otherwise), else None."""
        match key.type:
            case inspect.StructType():
                return self._section(key, key.type, raw, path)
            case inspect.VarTupleType():
                return self._list(key, key.type, raw, path)
            case inspect.DictType():
                return self._named_tables(key, key.type, raw, path)
            case inspect.BoolType():
                if isinstance(raw, bool):
                    return raw
            case inspect.IntType() | inspect.FloatType():
                return self._number(key, key.type, raw, path)
            case inspect.LiteralType():
                return self._choice(key, key.type, raw, path)
            case _:
                return self._text(key, raw, path)
        self._mistyped(key, raw, path)
        return None

    def _mistyped(self, key: Key, raw: object, path: KeyPath) -> None:
        unquoted = isinstance(raw, str) and isinstance(key.type, inspect.BoolType | Number)
        self._fault(path, raw, say("must_be_unquoted" if unquoted else "must_be", allowed=allowed(key)))

    def _section(
        self, key: Key, struct: inspect.StructType, raw: object, path: KeyPath
    ) -> dict[str, Any] | None:
        if isinstance(raw, list) and raw and all(isinstance(entry, dict) for entry in raw):
            self._fault(path, raw, say("two_brackets", key=key.name))
            return self._table(struct, raw[0], (*path, 0))
        if isinstance(raw, dict):
            return self._table(struct, raw, path)
        self._mistyped(key, raw, path)
        return None

    def _list(self, key: Key, node: inspect.VarTupleType, raw: object, path: KeyPath) -> list[Any] | None:
        inner, extra = plain(node.item_type)
        item = Key(key.name, inner, extra, needed=False)
        if key.is_list_of_tables and isinstance(raw, dict):
            self._fault(path, raw, say("one_bracket", key=key.name))
            return [self._value(item, raw, path)]
        if not isinstance(raw, list):
            self._mistyped(key, raw, path)
            return None
        low, high = node.min_length or 0, node.max_length
        if len(raw) < low or (high is not None and len(raw) > high):
            self._fault(path, raw, say("list_length", length=len(raw), allowed=allowed(key)))
        return [self._value(item, entry, (*path, index)) for index, entry in enumerate(raw)]

    def _named_tables(
        self, key: Key, node: inspect.DictType, raw: object, path: KeyPath
    ) -> dict[str, Any] | None:
        if not isinstance(raw, dict):
            self._mistyped(key, raw, path)
            return None
        inner, extra = plain(node.value_type)
        item = Key(key.name, inner, extra, needed=False)
        clean = {}
        for name, value in raw.items():
            # A key of the section above, written below the header of this one.
            homes = [] if isinstance(value, dict) else self._sections_with(name)
            if homes:
                words = say("unknown_here", sections=" / ".join(homes), allowed="green, red")
                self._fault((*path, name), value, words)
            else:
                clean[name] = self._value(item, value, (*path, name))
        return clean

    def _number(self, key: Key, node: Number, raw: object, path: KeyPath) -> int | float | None:
        whole = isinstance(node, inspect.IntType)
        if isinstance(raw, bool) or not isinstance(raw, int if whole else (int, float)):
            self._mistyped(key, raw, path)
            return None
        assert isinstance(raw, int | float)
        low, high = bounds(node)
        if not low <= raw <= high:
            hexadecimal = key.extra.get("base") == 16 and isinstance(raw, int) and 0 <= raw < 256
            value = f"0x{raw:X}" if hexadecimal else shown(raw)
            self.faults.append(Fault(path, value, say("must_be", allowed=allowed(key))))
            return raw
        return raw

    def _choice(self, key: Key, node: inspect.LiteralType, raw: object, path: KeyPath) -> object:
        if not isinstance(raw, str):
            self._mistyped(key, raw, path)
            return None
        if raw not in node.values:
            choices = [str(value) for value in node.values]
            hint = _near(raw.lower(), choices) or SYNONYMS.get(raw.lower())
            if hint in choices:
                words = say("must_be_hint", allowed=allowed(key), hint=quoted(hint))
            else:
                words = say("must_be", allowed=allowed(key))
            self._fault(path, raw, words)
        return raw

    def _text(self, key: Key, raw: object, path: KeyPath) -> str | None:
        form = key.extra["form"]
        if isinstance(raw, str):
            words = ALL_FORMS[form](raw)
            if words is not None:
                self._fault(path, raw, words)
            return raw
        number = isinstance(raw, int | float) and not isinstance(raw, bool)
        if form == "relay" and number and raw in RELAY_PINS:
            self._fault(path, raw, say("relay_hint", hint=f"gpio{raw:.0f}"))
        elif number and not looks_secret(key.name):
            hint = quoted(shown(raw))
            self._fault(path, raw, say("must_be_quoted", allowed=allowed(key), hint=hint))
        else:
            self._mistyped(key, raw, path)
        return None


def _near(name: str, names: Iterable[str]) -> str | None:
    found = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    return found[0] if found else None
