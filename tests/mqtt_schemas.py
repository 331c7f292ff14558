"""Holds every MQTT message to the schema of its topic, whoever sent it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

FOLDER = Path(__file__).parents[1] / "docs/schemas"
SCHEMAS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.iterdir()
}
_REGISTRY: Registry = Registry().with_resources(
    [(f"{name}.json", Resource.from_contents(body)) for name, body in SCHEMAS.items()]
)
PLAIN = ("availability",)
"""Topics whose payload is plain text, not JSON."""


def schema_of(topic: str) -> str:
    """The schema for a whole topic; KeyError if there is none.

    Whatever the site's topics begin with, they end in one or two levels of their own.
    """
    levels = topic.split("/")
    if levels[-1] == "config" and levels[-3:-2] == ["device"]:
        return "homeassistant"
    for name in ("_".join(levels[-2:]), levels[-2] if len(levels) > 1 else "", levels[-1]):
        if name in SCHEMAS:
            return name
    raise KeyError(f"no schema for {topic}")


@cache
def validator(name: str) -> Draft202012Validator:
    """What checks against one schema."""
    return Draft202012Validator(SCHEMAS[name], registry=_REGISTRY)


def check_message(topic: str, payload: bytes) -> None:
    """Raises if the message is not as its schema says; an empty one, which removes, is."""
    name = schema_of(topic)
    if payload:
        text = payload.decode("utf-8")
        validator(name).validate(text if name in PLAIN else json.loads(text))
