"""An audit in words, from ``fr.toml`` (the reference) and ``en.toml``."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from agent.audit.advice import Reason
from agent.audit.points import WeakPoint

LANGUAGES = ("fr", "en")
_APART = re.compile(r" (?=[?:;!»€%])|(?<=«) ")


@cache
def table(language: str) -> Mapping[str, Any]:
    """All texts of one language."""
    file = resources.files(__package__).joinpath(f"{language}.toml")
    text = file.read_text(encoding="utf-8")
    # No line may begin with a mark that French sets apart from its word.
    return tomllib.loads(_APART.sub("\N{NO-BREAK SPACE}", text) if language == "fr" else text)


def word(key: str, language: str, /, **holes: object) -> str:
    """A word or sentence of the audit's own."""
    return str(table(language)["word"][key]).format(**holes)


def reason(told: Reason, language: str) -> str:
    """A reason of the advice."""
    return str(table(language)["advice"][told.key]).format_map(_Filled(told.holes))


class Told:
    """One weak point, or several that differ in their subject alone, in words."""

    def __init__(self, points: Iterable[WeakPoint], language: str) -> None:
        points = tuple(points)
        self.point = points[0]
        self._texts: Mapping[str, Any] = table(language)["point"][self.point.code]
        label = ", ".join(dict.fromkeys(point.found.label for point in points))
        self._holes = _Filled({"label": label, **self.point.found.evidence})

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        return self._text("title")

    @property
    def found(self) -> str:
        """What was seen, or the question that is open."""
        case = self.point.found.case
        return self._text("ask") if case == "ask" else str(self._texts["found"][case]).format_map(self._holes)

    @property
    def means(self) -> str:
        """The consequence for the business."""
        return self._text("means")

    @property
    def remedy(self) -> str:
        """What to do."""
        return self._text("do")

    def _text(self, key: str) -> str:
        return str(self._texts[key]).format_map(self._holes)


def title_of(code: str, subject: str, language: str) -> str:
    """The title of a weak point of which only code and subject are known; the code of an unknown one."""
    texts = table(language)["point"].get(code)
    return code if texts is None else str(texts["title"]).format_map(_Filled({"label": subject}))


def in_groups(points: Iterable[WeakPoint]) -> list[list[WeakPoint]]:
    """What differs in its subject alone together, in the order of the first of each."""
    groups: defaultdict[tuple[object, ...], list[WeakPoint]] = defaultdict(list)
    for point in points:
        found = point.found
        alike = (point.code, found.grade, found.known, found.key, found.case, tuple(found.evidence.items()))
        groups[alike].append(point)
    return list(groups.values())


class _Filled(dict[str, object]):
    """Holes of a text; one without content is shown as "?": a text with a hole is better than none."""

    def __init__(self, holes: Mapping[str, object]) -> None:
        super().__init__({key: "?" if value is None else value for key, value in holes.items()})

    def __missing__(self, key: str) -> str:
        return "?"
