"""The answer to a command, as it goes out on ``command/result``; the shape is ``command_result.json``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agent.core.instant import Now
from agent.core.snapshot_types import Snapshot
from agent.sinks.mqtt.words import say
from agent.sinks.payloads import moment, to_json
from agent.text import LANGUAGES, words

RESULT_SCHEMA = 1
"""Version of the shape; grows when a key changes its meaning or goes, not when one is added."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one command.

    Attributes:
        name: its ``id``; None if it had none that could be read.
        verb: what was asked for, shortened.
        reason: why not; None if it is done or begun.
        texts: the same for people, by language.
        until: when the reason ends, or what was begun; monotonic seconds, None if nobody can say.
        order: the cycle that was begun.
        state: what ``report`` tells.
    """

    name: str | None
    verb: str
    reason: str | None
    texts: dict[str, str]
    until: float | None = None
    order: str | None = None
    state: dict[str, Any] | None = None


def told(key: str, /, **args: object) -> dict[str, str]:
    """One entry of the words in every language."""
    return {language: say(key, language, **args) for language in LANGUAGES}


def result_message(result: Result, now: Now) -> bytes:
    """The payload of ``command/result``."""
    return to_json(
        {
            "schema": RESULT_SCHEMA,
            "id": result.name,
            "verb": result.verb,
            "ok": result.reason is None,
            "reason": result.reason,
            "order": result.order,
            "until": None if result.until is None else moment(now.wall + result.until - now.mono),
            "at": moment(now.wall),
            "clock": "synchronised" if now.synced else "unsynchronised",
            "state": result.state,
            "text": result.texts,
        }
    )


def summary(snapshot: Snapshot) -> dict[str, Any]:
    """The site in a few words, for whoever asked how it is."""
    hold = snapshot.hold_until
    return {
        "headline": snapshot.headline.value,
        "incident": snapshot.incident,
        "armed": snapshot.armed,
        "unarmed_why": snapshot.unarmed_why,
        "hold_until": None if hold is None else moment(snapshot.wall + hold - snapshot.mono),
        "findings": [view.code.value for view in snapshot.findings],
        "uplinks": {view.name: view.health.value for view in snapshot.uplinks},
        "boxes": {view.name: view.phase.value for view in snapshot.boxes},
    }


def headline(snapshot: Snapshot, language: str) -> str:
    """The headline in words; what it is about stands in the topics."""
    return words(snapshot.headline, language, {}).short
