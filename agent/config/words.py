"""What the configuration's reader says to people, in both languages.

Messages travel as ``Words`` (a key with its arguments) and become text where they are shown, so that the
journal can be English and the installer's terminal French.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

LANGUAGES = ("fr", "en")


@dataclass(frozen=True, slots=True)
class Words:
    """One message: a key of ``words.toml`` and what fills its holes; an argument may be a message too."""

    key: str
    args: Mapping[str, object] = field(default_factory=dict)

    def text(self, language: str = "en") -> str:
        """The message in one of ``LANGUAGES``, on one line."""
        filled = {
            name: value.text(language) if isinstance(value, Words) else value
            for name, value in self.args.items()
        }
        return table()[self.key][language].format(**filled)


def say(key: str, /, **args: object) -> Words:
    """``Words``, shorter to write."""
    return Words(key, args)


@cache
def table() -> Mapping[str, Mapping[str, str]]:
    """All messages: key, then language."""
    text = resources.files("agent.config").joinpath("words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
