"""On which line of the file a value stands.

``tomllib`` does not tell. The file is known to be valid TOML here, so a few tokens suffice: texts and
comments are blanked, and only lines outside brackets open a section or give a key.
"""

from __future__ import annotations

import re

KeyPath = tuple[str | int, ...]
"""Where a value stands: ``("uplink", 1, "interval_s")``."""

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*",
    re.DOTALL,
)
_PART = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
_KEY = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")
_HEADER = re.compile(rf"\s*\[(\[?)\s*({_PART}(?:\s*\.\s*{_PART})*)\s*\]\]?\s*$")


def lines_of(text: str) -> dict[KeyPath, int]:
    """Line, from 1, of every section, entry and key that starts a line of ``text``, which is valid TOML."""
    found: dict[KeyPath, int] = {(): 1}
    counts: dict[KeyPath, int] = {}
    section: KeyPath = ()
    depth = 0
    for number, (plain, blank) in enumerate(
        zip(_blanked(text, keep_short=True), _blanked(text, keep_short=False), strict=True), start=1
    ):
        if depth == 0:
            if header := _HEADER.match(plain):
                section = _open(header, counts)
                _note(found, (), section, number)
            elif key := _KEY.match(plain):
                _note(found, section, _parts(key[1]), number)
        depth += sum(blank.count(c) for c in "[{") - sum(blank.count(c) for c in "]}")
    return found


def line_of(found: dict[KeyPath, int], path: KeyPath) -> int | None:
    """The line of ``path``, else of the nearest thing around it; None if only the whole file is."""
    for length in range(len(path), 0, -1):
        if path[:length] in found:
            return found[path[:length]]
    return None


def _blanked(text: str, *, keep_short: bool) -> list[str]:
    """The file's lines without comments and long texts; also without short ones unless ``keep_short``."""

    def blank(match: re.Match[str]) -> str:
        token = match[0]
        if token.startswith(('"""', "'''")):
            return "\n" * token.count("\n")
        return token if keep_short and token[0] != "#" else ""

    return _TOKEN.sub(blank, text).split("\n")


def _parts(dotted: str) -> KeyPath:
    return tuple(part[1:-1] if part[0] in "\"'" else part for part in re.findall(_PART, dotted))


def _open(header: re.Match[str], counts: dict[KeyPath, int]) -> KeyPath:
    """The full path of a section: names of lists are followed by the index of their latest entry."""
    names = _parts(header[2])
    path: KeyPath = ()
    for position, name in enumerate(names):
        path = (*path, name)
        if header[1] and position == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _note(found: dict[KeyPath, int], section: KeyPath, names: KeyPath, number: int) -> None:
    for length in range(1, len(names) + 1):
        found.setdefault((*section, *names[:length]), number)
