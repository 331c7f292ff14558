"""The record of a commissioning: what was tried out, by whom, when, with what result, and what was measured.

One JSON file, ``commissioning.json`` in the state folder; its shape is in ``docs/schemas``. A later walk
renews what it tries out again and leaves the rest, so that one relay can be repeated without the others.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

FILE = "commissioning.json"
SCHEMA = 1
"""Version of the shape; grows when a key changes its meaning or goes, not when one is added."""

Measure = str | int | float | bool | None


class Verdict(StrEnum):
    """What came of trying one thing out."""

    PASSED = "passed"
    FAILED = "failed"
    DECLINED = "declined"
    """The person said no before it was tried."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was tried out.

    Attributes:
        verdict: what came of it.
        at: when, ISO 8601 in UTC.
        by: who tried it.
        why: what was wrong, a sentence for people; empty if nothing was.
        measured: values with their unit in the name.
    """

    verdict: Verdict
    at: str
    by: str
    why: str = ""
    measured: Mapping[str, Measure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """A commissioning. ``items`` are named ``kind:name``: ``uplink:ftth``, ``relay:livebox``, ``screen``.

    Attributes:
        site: the site's name.
        versions: what ran at the newest walk.
        clock: whether the clock was synchronised then.
        items: what was tried out, the newest result of each.
        stopped_at: the item at which the newest walk was interrupted; None if it went to its end.
        signed_by: who signed after the newest walk; None if nobody did.
        signed_at: when, ISO 8601 in UTC.
    """

    site: str
    versions: Mapping[str, str] = field(default_factory=dict)
    clock: str = "unsynchronised"
    items: Mapping[str, Item] = field(default_factory=dict)
    stopped_at: str | None = None
    signed_by: str | None = None
    signed_at: str | None = None

    def with_item(self, name: str, item: Item) -> Record:
        """The record with this result; a signature on the former results no longer holds."""
        return replace(self, items={**self.items, name: item}, signed_by=None, signed_at=None)


class RecordError(ValueError):
    """A record that cannot be understood; the message says why."""


def encode(record: Record) -> str:
    """The record as JSON for people and programs."""
    return json.dumps({"schema": SCHEMA, **asdict(record)}, ensure_ascii=False, indent=2) + "\n"


def decode(text: str) -> Record:
    """The inverse of ``encode``; keys of a newer version are left out.

    Raises:
        RecordError: not such a text.
    """
    try:
        raw: dict[str, Any] = json.loads(text)
        if raw["schema"] > SCHEMA:
            raise RecordError(f"schema {raw['schema']} is newer than this version understands ({SCHEMA})")
        return Record(
            site=str(raw["site"]),
            versions={str(key): str(value) for key, value in raw["versions"].items()},
            clock=str(raw["clock"]),
            items={str(name): _item(item) for name, item in raw["items"].items()},
            stopped_at=_text(raw["stopped_at"]),
            signed_by=_text(raw["signed_by"]),
            signed_at=_text(raw["signed_at"]),
        )
    except RecordError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RecordError(f"not a record of a commissioning ({type(error).__name__}: {error})") from error


def _item(raw: Mapping[str, Any]) -> Item:
    measured = raw["measured"]
    for value in measured.values():
        if not isinstance(value, str | int | float | bool | None):
            raise RecordError(f"measured: {value!r} is no value")
    return Item(Verdict(raw["verdict"]), str(raw["at"]), str(raw["by"]), str(raw["why"]), dict(measured))


def _text(raw: object) -> str | None:
    if raw is not None and not isinstance(raw, str):
        raise RecordError(f"{raw!r} is no text")
    return raw


def read(path: Path) -> Record | None:
    """The record in this file; None if there is none.

    Raises:
        RecordError: it cannot be understood.
        OSError: it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise RecordError(f"not UTF-8 text: {error}") from error
    return decode(text)


def write(path: Path, record: Record) -> None:
    """Replace the record atomically; it is on the disk when this returns.

    Raises:
        OSError: it could not be written; the former one is still there.
    """
    draft = path.with_name(path.name + ".new")
    with draft.open("w", encoding="utf-8") as file:
        file.write(encode(record))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
