"""Strict reading of one TOML table: unknown keys and wrong values are faults, and all are told at once."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from hardware.virtual.scenario import Plain, Words

LANGUAGES = ("fr", "en")
T = TypeVar("T")


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
            return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high

        value = self._get(key, default, well, f"a number from {low:g} to {high:g}")
        return float(value) if isinstance(value, int | float) else low

    def maybe_number(self, key: str, low: float, high: float) -> float | None:
        """A number from ``low`` to ``high``, None if not given."""
        return self.number(key, low, low, high) if key in self else None

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

    def tables(self, key: str) -> list[Table]:
        """The tables written as ``[[key]]``, numbered from 1 in their paths."""
        value = self._table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.fault(key, f"must be written as [[{key}]]")
            return []
        return [Table(one, f"{key}[{number}]", self.problems) for number, one in enumerate(value, start=1)]
