"""The form of a command: what must stand in it, what may, and how what is wrong is named.

Whoever may write to the topic decides what arrives here; nothing of it is believed before it was checked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

LONGEST_BYTES = 4096
LONGEST_ID = 64
LONGEST_NAME = 64
FOREVER_S = 1e9

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|\+00:00)", re.ASCII)
_BASE = ("id", "expires")
_BY = "by"


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the right form; ``expires`` is UNIX seconds, ``by`` empty if nobody is named."""

    name: str
    expires: float
    by: str = ""
    box: str | None = None
    for_s: float | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """What a verb takes besides ``id``, ``expires`` and ``by``."""

    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """All that may stand in a command of this verb."""
        return (*_BASE, *self.needs, _BY, *self.may)


class FormError(ValueError):
    """A command that makes no sense: a key of ``words.toml`` and what fills its holes."""

    def __init__(self, key: str, /, **args: object) -> None:
        super().__init__(key)
        self.key = key
        self.args_of_words = args


def opened(payload: bytes) -> dict[str, Any]:
    """The object in a payload; raises ``FormError``."""
    if len(payload) > LONGEST_BYTES:
        raise FormError("too_big", bytes=len(payload), most=LONGEST_BYTES)
    try:
        content = json.loads(
            payload.decode("utf-8"), object_pairs_hook=_distinct, parse_constant=_no_constant
        )
    except FormError:
        raise
    except (ValueError, RecursionError) as error:
        raise FormError("not_json") from error
    if not isinstance(content, dict):
        raise FormError("not_object")
    return content


def name_in(content: Mapping[str, Any]) -> str | None:
    """The command's own name, if it has a good one."""
    name = content.get("id")
    return name if _is_line(name, LONGEST_ID) else None


def command_of(form: Form, content: Mapping[str, Any]) -> Command:
    """What is asked for; raises ``FormError`` for the first thing that is wrong."""
    allowed = form.keys
    for key in content:
        if key == "force":
            raise FormError("no_force")
        if key not in allowed:
            raise FormError("unknown_key", key=shortened(key), allowed=", ".join(allowed))
    for key in (*_BASE, *form.needs):
        if key not in content:
            raise FormError("missing_key", key=key, allowed=", ".join(allowed))
    name = _line(content, "id", LONGEST_ID)
    return Command(
        name=name,
        expires=_instant(content),
        by=_line(content, _BY, LONGEST_NAME) if _BY in content else "",
        box=_line(content, "box", LONGEST_NAME) if "box" in content else None,
        for_s=_seconds(content) if "for_s" in content else None,
    )


def shortened(text: str) -> str:
    """A text of a stranger as it may be repeated: printable, not long."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:40]) or "?"


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; one that says a thing twice could be read in two ways."""
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        raise FormError("key_twice", key=shortened(next(key for key in keys if keys.count(key) > 1)))
    return content


def _no_constant(constant: str) -> None:
    raise ValueError(constant)


def _is_line(value: object, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest and value.isprintable()


def _line(content: Mapping[str, Any], key: str, longest: int) -> str:
    value = content[key]
    if not _is_line(value, longest):
        raise FormError("not_line", key=key, most=longest)
    return str(value)


def _instant(content: Mapping[str, Any]) -> float:
    value = content["expires"]
    if not isinstance(value, str) or len(value) > LONGEST_ID or not _INSTANT.fullmatch(value):
        raise FormError("not_instant", key="expires")
    try:
        return datetime.fromisoformat(re.sub(r"(\.\d{1,6})\d*", r"\1", value.upper())).timestamp()
    except (ValueError, OverflowError) as error:
        raise FormError("not_instant", key="expires") from error


def _seconds(content: Mapping[str, Any]) -> float:
    value = content["for_s"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= FOREVER_S:
        raise FormError("not_seconds", key="for_s")
    return float(value)
