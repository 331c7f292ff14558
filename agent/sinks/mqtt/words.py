"""What is said to others at the broker, in both languages: answers to commands, names of entities."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources


def say(key: str, language: str, /, **args: object) -> str:
    """One entry of ``words.toml``, its holes filled.

    Raises:
        KeyError: no such entry or language.
    """
    return table()[key][language].format(**args)


@cache
def table() -> Mapping[str, Mapping[str, str]]:
    """All entries: key, then language."""
    text = resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
