"""Strict reading of one TOML table: unknown keys and wrong values are faults, and all are told at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from math import inf
from typing import TypeGuard, TypeVar

from hardware.virtual.scenario import Plain, Words

LANGUAGES = ("fr", "en")
T = TypeVar("T")

_UNITS = {"d": 86400.0, "h": 3600.0, "min": 60.0, "s": 1.0}
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


def parse_duration(text: str) -> float | None:
    """Seconds of a text such as ``8 h 30 min``: each unit once, the largest first; None if it is none."""
    words = text.split()
    if not words or len(words) % 2:
        return None
    seconds, before = 0.0, inf
    for number, unit in zip(words[::2], words[1::2], strict=True):
        length = _UNITS.get(unit, inf)
        if length >= before or _NUMBER.fullmatch(number) is None:
            return None
        seconds, before = seconds + float(number) * length, length
    return seconds


def timed(*keys: str) -> tuple[str, ...]:
    """Both ways to write each of these lengths of time; see ``Table.seconds``."""
    return tuple(name for key in keys for name in (key, f"{key}_s"))


class Table:
    """One table of the file; faults are collected, so that all are told at once."""

    def __init__(self, table: Mapping[str, object], path: str, problems: list[str]) -> None:
        self._table, self.path, self.problems = table, path, problems

    def __contains__(self, key: str) -> bool:
        return key in self._table

    def fault(self, key: str, words: str) -> None:
        """Note a fault of ``key``, or of the whole table if it is empty."""
        place = ".".join(part for part in (self.path, key) if part)
        self.problems.append(f"{place}: {words}")

    def only(self, allowed: Collection[str]) -> None:
        """Note every key that is not ``allowed``, with the nearest that is."""
        for key in self._table:
            if key not in allowed:
                near = difflib.get_close_matches(key, allowed, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                self.fault(key, f"unknown key; allowed: {', '.join(sorted(allowed))}{hint}")

    def _get(self, key: str, default: T | None, well: Callable[[object], bool], what: str) -> object:
        if key not in self._table:
            if default is None:
                self.fault(key, f"missing; allowed: {what}")
            return default
        value = self._table[key]
        if well(value):
            return value
        self.fault(key, f"{value!r} is not allowed; allowed: {what}")
        return default

    def text(self, key: str, default: str | None = None, allowed: Collection[str] | None = None) -> str:
        """A text; no ``default`` means that it must be there."""
        what = "a text" if allowed is None else ", ".join(allowed)

        def well(value: object) -> bool:
            return isinstance(value, str) and value != "" and (allowed is None or value in allowed)

        if allowed is not None and isinstance(wrong := self._table.get(key), str):
            near = difflib.get_close_matches(wrong, allowed, n=1)
            what += f"; did you mean {near[0]!r}?" if near else ""
        return str(self._get(key, default, well, what) or "")

    def number(self, key: str, default: float | None, low: float, high: float) -> float:
        """A number from ``low`` to ``high``; no ``default`` means that it must be there."""

        def well(value: object) -> bool:
            return _is_number(value) and low <= value <= high

        value = self._get(key, default, well, f"a number from {low:g} to {high:g}")
        return float(value) if isinstance(value, int | float) else low

    def maybe_number(self, key: str, low: float, high: float) -> float | None:
        """A number from ``low`` to ``high``, None if not given."""
        return self.number(key, low, low, high) if key in self else None

    def seconds(self, key: str, default: float | None, low: float, high: float) -> float:
        """A length of time: ``key_s`` as a number of seconds, or ``key`` as a text with its units."""
        if key not in self:
            return self.number(f"{key}_s", default, low, high)
        value = self._table[key]
        given = parse_duration(value) if isinstance(value, str) else None
        if f"{key}_s" in self:
            self.fault(key, f"given twice, also as {key}_s")
        elif given is None:
            said = f'a text such as "90 s" or "8 h 30 min"; a number of seconds is written {key}_s'
            self.fault(key, f"{value!r} is not allowed; allowed: {said}")
        elif not low <= given <= high:
            self.fault(key, f"{value!r} is not allowed; allowed: {low:g} s to {high:g} s")
        else:
            return given
        return low if default is None else default

    def maybe_seconds(self, key: str, low: float, high: float) -> float | None:
        """A length of time, None if not given."""
        return self.seconds(key, low, low, high) if key in self or f"{key}_s" in self else None

    def maybe_text(self, key: str, allowed: Collection[str] | None = None) -> str | None:
        """A text, None if not given."""
        return self.text(key, allowed=allowed) or None if key in self else None

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        return self._get(key, default, lambda value: isinstance(value, bool), "true or false") is True

    def words(self, key: str, *, required: bool) -> Words:
        """A text in each language; empty if not given."""
        value = self._table.get(key)
        if value is None and not required:
            return {}
        well = isinstance(value, dict) and set(value) == set(LANGUAGES) and all(value.values())
        if not well:
            self.fault(key, f"{value!r} is not allowed; allowed: a text for each of {', '.join(LANGUAGES)}")
            return {}
        assert isinstance(value, dict)
        return {language: str(text).strip() for language, text in value.items()}

    def plain(self, key: str) -> Mapping[str, Plain]:
        """A table of plain values; empty if not given."""
        value = self._table.get(key, {})
        if isinstance(value, dict) and all(isinstance(one, str | int | float) for one in value.values()):
            return value
        self.fault(key, f"{value!r} is not allowed; allowed: a table of texts, numbers and true or false")
        return {}

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of at least two texts."""
        value = self._table.get(key)
        if isinstance(value, list) and len(value) > 1 and all(isinstance(one, str) for one in value):
            return tuple(value)
        self.fault(key, f"{value!r} is not allowed; allowed: a list of two or more codes")
        return ()

    def list_of_texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, at least one; empty if not given."""
        if key not in self:
            return ()
        value = self._table[key]
        if isinstance(value, list) and value and all(isinstance(one, str) and one for one in value):
            return tuple(value)
        self.fault(key, f"{value!r} is not allowed; allowed: a list of texts")
        return ()

    def one_or_more(self, key: str) -> tuple[str, ...]:
        """A text, or a list of at least two."""
        return self.texts(key) if isinstance(self._table.get(key), list) else (self.text(key),)

    def numbers(self, key: str, low: float, high: float) -> tuple[float, ...]:
        """A list of numbers from ``low`` to ``high``, at least one; empty if not given."""
        if key not in self:
            return ()
        value = self._table[key]
        if isinstance(value, list) and value and all(_is_number(one) and low <= one <= high for one in value):
            return tuple(map(float, value))
        self.fault(key, f"{value!r} is not allowed; allowed: a list of numbers from {low:g} to {high:g}")
        return ()

    def table(self, key: str) -> Table:
        """The table written as ``[key]``; an empty one if not given."""
        value = self._table.get(key, {})
        if not isinstance(value, dict):
            self.fault(key, f"must be written as [{key}]")
            value = {}
        return Table(value, f"{self.path}.{key}" if self.path else key, self.problems)

    def tables(self, key: str) -> list[Table]:
        """The tables written as ``[[key]]``, numbered from 1 in their paths."""
        value = self._table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.fault(key, f"must be written as [[{key}]]")
            return []
        return [Table(one, f"{key}[{number}]", self.problems) for number, one in enumerate(value, start=1)]


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
