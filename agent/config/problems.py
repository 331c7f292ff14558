"""What is wrong with a configuration, as data, and as the lines that people read."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from agent.config.lines import KeyPath
from agent.config.words import Words

SHOWN_CHARACTERS = 48
MASK = "***"
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SECRET = re.compile(
    r"pass|secret|token|psk|pwd|credential|apikey|api_key|private|mdp|mot_?de_?pass|^pin$|^puk$"
)
_SECRET_NAMES = ("password", "passphrase", "secret", "token", "credential")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake.

    Attributes:
        where: path of the value, entries counted from 0: ``uplink[1].interval_s``; empty for the whole file.
        value: what stands there, as TOML, shortened, secrets masked; None if nothing does.
        words: what is wrong and what is allowed.
        line: line of the file, from 1; None if unknown.
        name: which entry is meant, by its name: ``uplink "4g"``; empty if it has none.
    """

    where: str
    value: str | None
    words: Words
    line: int | None = None
    name: str = ""

    @property
    def message(self) -> str:
        """What is wrong and what is allowed, in English."""
        return self.words.text("en")

    def text(self, language: str = "en") -> str:
        """One line, without the file's name."""
        place = self.where + (f" ({self.name})" if self.name else "")
        if self.value is not None:
            place += f" = {self.value}"
        return f"{place}: {self.words.text(language)}" if place else self.words.text(language)


class ConfigErrors(Exception):  # noqa: N818  # several problems, told apart from the many errors of one line
    """A configuration that cannot be used, with everything that is wrong with it."""

    def __init__(self, path: Path, problems: Iterable[Problem]) -> None:
        self.path = path
        self.problems = tuple(problems)
        super().__init__(path, self.problems)

    def lines(self, language: str = "en") -> list[str]:
        """One line for each problem: file, line, path, value, what is allowed."""
        file = file_name(self.path)
        return [
            f"{file}:{'' if problem.line is None else f'{problem.line}:'} {problem.text(language)}"
            for problem in self.problems
        ]

    def __str__(self) -> str:
        return "\n".join(self.lines())


def file_name(path: Path) -> str:
    """``path`` on one line, whatever its name holds."""
    return _UNPRINTABLE.sub("?", os.fspath(path))


def where(path: KeyPath) -> str:
    """``uplink[1].interval_s``; keys that are not plain words are quoted as in TOML."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE.fullmatch(part) else quoted(part))
    return text


def quoted(text: str) -> str:
    """``text`` as a TOML string on one line, shortened."""
    short = text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 3] + "..."
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04X}", json.dumps(short, ensure_ascii=False))


def shown(value: object, *, secret: bool = False) -> str:
    """A value as TOML for a message. Lists and tables are not opened: they may hold secrets."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[...]"
    if isinstance(value, dict):
        return "{...}"
    if secret:
        return MASK
    if isinstance(value, str):
        # user:password@host, with or without a scheme
        before, at, after = value.rpartition("@")
        return quoted(MASK + at + after if at and before else value)
    if isinstance(value, int) and abs(value) >= 10**18:
        return f"{'-' if value < 0 else ''}0x{abs(value):x}"[:SHOWN_CHARACTERS]
    return quoted(str(value)).strip('"')


def looks_secret(key: str) -> bool:
    """True for names under which people keep secrets, misspelt ones included."""
    plain = key.lower().replace("-", "_")
    return bool(_SECRET.search(plain) or difflib.get_close_matches(plain, _SECRET_NAMES, n=1, cutoff=0.7))
