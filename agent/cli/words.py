"""What the commands for people say, in both languages; the agent's own words are in ``agent.text``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources


@cache
def table() -> Mapping[str, Mapping[str, str]]:
    """All sentences: key, then language."""
    return tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))


def say(key: str, language: str, **holes: object) -> str:
    """The sentence ``key`` in ``language``, its holes filled.

    Raises:
        KeyError: no such key, language or hole.
    """
    return table()[key][language].format(**holes)
