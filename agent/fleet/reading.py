"""What one site says of itself, read from its ``state`` message as warily as any stranger's bytes.

Only what a view of many sites needs is taken. Keys that are not known are ignored, as the contract has it
(docs/schemas); whatever is taken has its type, a bounded length, and nothing that a terminal would obey.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from agent.core.codes import Severity
from agent.core.model import Scalar
from agent.core.snapshot_types import Health, Phase
from agent.fleet.printable import printable
from agent.sinks.payloads import SCHEMA

LONGEST_BYTES = 256 * 1024
"""A site with three uplinks says some 4 kB."""
MOST = 100
"""So many uplinks, boxes or findings of one site are looked at."""
MOST_ARGS = 30
LARGEST = 1e15
"""No figure of a site is larger; a month of data at 1 Gbit/s is 3e14 bytes."""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)

Table = Mapping[str, Any]
T = TypeVar("T")
W = TypeVar("W", Severity, Health, Phase)


class UnreadableError(ValueError):
    """A message is not what the contract says; the message names the place, in plain English."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of a site; ``code`` may be one that this version does not know."""

    code: str
    subject: str
    label: str
    severity: Severity
    since: float | None
    args: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Uplink:
    """One way to the internet; ``metered``: it keeps to a data budget."""

    name: str
    label: str
    health: Health
    preferred: bool
    metered: bool


@dataclass(frozen=True, slots=True)
class Box:
    """One powered device."""

    name: str
    label: str
    phase: Phase


@dataclass(frozen=True, slots=True)
class SiteState:
    """A whole site. Instants are UNIX seconds by the site's own clock."""

    schema: int
    at: float
    synchronised: bool
    label: str
    armed: bool
    unarmed_why: str | None
    hold_until: float | None
    incident: str | None
    incident_since: float | None
    incident_severity: Severity | None
    headline: str
    findings: tuple[Finding, ...]
    uplinks: tuple[Uplink, ...]
    boxes: tuple[Box, ...]
    version: str | None
    """Of the agent, where it says it."""

    @property
    def is_newer(self) -> bool:
        """It follows a contract that this version does not know: keys may have changed their meaning."""
        return self.schema > SCHEMA


def read_state(payload: bytes) -> SiteState:
    """Read a ``state`` message.

    Raises:
        UnreadableError: it is none.
    """
    state = _table(_decoded(payload, "state"), "state")
    schema = state.get("schema")
    if isinstance(schema, bool) or not isinstance(schema, int) or not 1 <= schema < 1e6:
        raise UnreadableError("state.schema: a number from 1 on is wanted")
    try:
        return _state(state, schema)
    except UnreadableError as error:
        if schema > SCHEMA:
            raise UnreadableError(
                f"schema {schema} is newer than {SCHEMA}, the newest known: {error}"
            ) from None
        raise


def read_event_code(payload: bytes) -> str | None:
    """What an ``event`` message says has happened; None where that cannot be read."""
    try:
        return _text(_table(_decoded(payload, "event"), "event"), "code", "event")
    except UnreadableError:
        return None


def _decoded(payload: bytes, place: str) -> object:
    if len(payload) > LONGEST_BYTES:
        raise UnreadableError(f"{place}: {len(payload)} bytes; at most {LONGEST_BYTES} are read")
    try:
        return msgspec.json.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError(f"{place}: not JSON ({printable(str(error), 60)})") from None


def _state(state: Table, schema: int) -> SiteState:
    at = _instant(state, "at", "state")
    if at is None:
        raise UnreadableError("state.at: an instant is wanted")
    severity = state.get("incident_severity")
    return SiteState(
        schema=schema,
        at=at,
        synchronised=_text(state, "clock", "state") == "synchronised",
        label=_text(state, "label", "state"),
        armed=_flag(state, "armed", "state"),
        unarmed_why=_text_or_none(state, "unarmed_why", "state"),
        hold_until=_instant(state, "hold_until", "state"),
        incident=_text_or_none(state, "incident", "state"),
        incident_since=_instant(state, "incident_since", "state"),
        incident_severity=None if severity is None else _word(state, "incident_severity", "state", Severity),
        headline=_text(state, "headline", "state"),
        findings=_each(state, "findings", _finding),
        uplinks=_each(state, "uplinks", _uplink),
        boxes=_each(state, "boxes", _box),
        version=_text_or_none(state, "version", "state"),
    )


def _finding(found: Table, place: str) -> Finding:
    args = _table(found.get("args"), f"{place}.args")
    kept = {str(key): _scalar(value) for key, value in list(args.items())[:MOST_ARGS]}
    return Finding(
        code=_text(found, "code", place),
        subject=_text(found, "subject", place),
        label=_text(found, "label", place),
        severity=_word(found, "severity", place, Severity),
        since=_instant(found, "since", place),
        args=kept,
    )


def _uplink(found: Table, place: str) -> Uplink:
    return Uplink(
        name=_text(found, "name", place),
        label=_text(found, "label", place),
        health=_word(found, "health", place, Health),
        preferred=_flag(found, "preferred", place),
        metered=found.get("data_limit_bytes") is not None,
    )


def _box(found: Table, place: str) -> Box:
    return Box(
        name=_text(found, "name", place),
        label=_text(found, "label", place),
        phase=_word(found, "phase", place, Phase),
    )


# --- single values ------------------------------------------------------------------------------------------


def _table(value: object, place: str) -> Table:
    if not isinstance(value, dict):
        raise UnreadableError(f"{place}: a table is wanted")
    return value


def _each(state: Table, key: str, read: Callable[[Table, str], T]) -> tuple[T, ...]:
    found = state.get(key)
    if not isinstance(found, list):
        raise UnreadableError(f"state.{key}: a list is wanted")
    places = ((one, f"state.{key}[{number}]") for number, one in enumerate(found[:MOST]))
    return tuple(read(_table(one, place), place) for one, place in places)


def _text(found: Table, key: str, place: str) -> str:
    value = found.get(key)
    if not isinstance(value, str):
        raise UnreadableError(f"{place}.{key}: a text is wanted")
    return printable(value)


def _text_or_none(found: Table, key: str, place: str) -> str | None:
    return None if found.get(key) is None else _text(found, key, place)


def _flag(found: Table, key: str, place: str) -> bool:
    value = found.get(key)
    if not isinstance(value, bool):
        raise UnreadableError(f"{place}.{key}: true or false is wanted")
    return value


def _word(found: Table, key: str, place: str, words: type[W]) -> W:
    text = _text(found, key, place)
    try:
        return words(text)
    except ValueError:
        allowed = ", ".join(words)
        raise UnreadableError(f"{place}.{key}: {text!r}; allowed: {allowed}") from None


def _instant(found: Table, key: str, place: str) -> float | None:
    """UNIX seconds; None where the value is null or missing."""
    value = found.get(key)
    if value is None:
        return None
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        with suppress(ValueError):
            return datetime.fromisoformat(value).timestamp()
    raise UnreadableError(f"{place}.{key}: an instant like 2027-01-15T08:03:30Z is wanted")


def _scalar(value: object) -> Scalar:
    """What can be said in a sentence; anything else is as if it were not there."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and abs(value) <= LARGEST:  # NaN and infinity are not
        return value
    return None
