"""The keys of the configuration as data, taken from the schema's types."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from msgspec import inspect

from agent.config.problems import quoted
from agent.config.schema import Config
from agent.config.words import Words, say

Number = inspect.IntType | inspect.FloatType


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a section, as the schema describes it."""

    name: str
    type: inspect.Type
    extra: Mapping[str, Any]
    needed: bool

    @property
    def is_list_of_tables(self) -> bool:
        """True for what is written with two brackets."""
        return isinstance(self.type, inspect.VarTupleType) and isinstance(
            plain(self.type.item_type)[0], inspect.StructType
        )

    @property
    def section(self) -> str:
        """How its section is opened."""
        return f"[[{self.name}]]" if self.is_list_of_tables else f"[{self.name}]"


def plain(node: inspect.Type) -> tuple[inspect.Type, dict[str, Any]]:
    """A type without its ``Meta`` and without "or nothing", which TOML does not have; and the ``Meta``."""
    extra: dict[str, Any] = {}
    while True:
        if isinstance(node, inspect.Metadata):
            extra |= node.extra or {}
            node = node.type
        elif isinstance(node, inspect.UnionType):
            node = next(kind for kind in node.types if not isinstance(kind, inspect.NoneType))
        else:
            return node, extra


def keys_of(struct: inspect.StructType) -> dict[str, Key]:
    """The keys of a section, in the schema's order."""
    keys = {}
    for field in struct.fields:
        node, extra = plain(field.type)
        keys[field.encode_name] = Key(
            field.encode_name, node, extra, field.required and not extra.get("derived", False)
        )
    return keys


@cache
def schema() -> inspect.StructType:
    """The description of the whole file."""
    node = inspect.type_info(Config)
    assert isinstance(node, inspect.StructType)
    return node


def allowed(key: Key) -> Words:
    """What may stand at ``key``, as the end of a sentence."""
    match key.type:
        case inspect.StructType():
            return say("a_table", allowed=", ".join(keys_of(key.type)))
        case inspect.VarTupleType(min_length=low, max_length=high):
            return say("a_list") if high is None else say("a_list_of", low=low, high=high)
        case inspect.DictType():
            return say("a_led_table")
        case inspect.BoolType():
            return say("a_bool")
        case inspect.IntType() | inspect.FloatType():
            least, most = (_digits(bound, key) for bound in bounds(key.type))
            seconds = "a_number_s" if key.name.endswith("_s") else "a_number"
            kind = "a_whole_number" if isinstance(key.type, inspect.IntType) else seconds
            return say(kind, low=least, high=most)
        case inspect.LiteralType():
            return say("a_choice", choices=", ".join(quoted(str(value)) for value in key.type.values))
        case _:
            return say("a_text")


def bounds(node: Number) -> tuple[float, float]:
    """The least and the greatest number that is allowed."""
    return (
        -math.inf if node.ge is None else node.ge,
        math.inf if node.le is None else node.le,
    )


def _digits(bound: float, key: Key) -> str:
    return f"0x{bound:X}" if key.extra.get("base") == 16 and isinstance(bound, int) else f"{bound:g}"
