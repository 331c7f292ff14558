"""An audit as JSON, and what has changed since the last one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from agent.audit.judging import Audit
from agent.audit.points import GRADES, Axis, Grade, WeakPoint

FILE = "audit.json"
SCHEMA = 1
"""Version of the shape; grows when a key changes its meaning or goes, not when one is added."""


class SavedError(ValueError):
    """A saved audit that cannot be understood; the message says why."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What is kept of an audit: when it was, its scores, and each weak point by code and subject.

    Of several weak points of one code and subject the worst is kept.
    """

    site: str
    at: float
    scores: Mapping[Axis, int]
    points: Mapping[tuple[str, str], tuple[Grade, bool]]


@dataclass(frozen=True, slots=True)
class Change:
    """What has changed since an earlier audit.

    Attributes:
        before_at: when that was, UNIX seconds.
        scores: by axis, how much the score has grown; an axis that was not judged then is left out.
        new: weak points that were not there, or that weigh more now.
        gone: code and subject of those that are no more.
        answered: code and subject of those that are still there, and were only unknown.
    """

    before_at: float
    scores: Mapping[Axis, int]
    new: tuple[WeakPoint, ...]
    gone: tuple[tuple[str, str], ...]
    answered: tuple[tuple[str, str], ...]


def document(audit: Audit) -> dict[str, Any]:
    """The audit as plain tables, lists and scalars."""
    return {
        "schema": SCHEMA,
        "site": audit.site,
        "label": audit.label,
        "at": datetime.fromtimestamp(audit.at, UTC).isoformat(timespec="seconds"),
        "version": audit.version,
        "scores": dict(audit.scores),
        "points": [
            {
                "code": point.code,
                "axis": point.axis,
                "grade": point.found.grade,
                "subject": point.found.subject,
                "label": point.found.label,
                "known": point.found.known,
                "case": point.found.case,
                "evidence": dict(point.found.evidence),
                "key": point.found.key,
                "cost": point.cost,
            }
            for point in audit.points
        ],
    }


def encode(audit: Audit) -> str:
    """The audit as JSON for people and programs."""
    return json.dumps(document(audit), ensure_ascii=False, indent=2) + "\n"


def decode(text: str) -> Saved:
    """What an earlier audit has found.

    Raises:
        SavedError: it is none, or one of a newer version.
    """
    try:
        raw = json.loads(text)
        if raw["schema"] > SCHEMA:
            raise SavedError(f"schema {raw['schema']} is newer than this version understands ({SCHEMA})")
        points: dict[tuple[str, str], tuple[Grade, bool]] = {}
        for point in raw["points"]:
            key, found = (str(point["code"]), str(point["subject"])), (Grade(point["grade"]), point["known"])
            if key not in points or _weighs(found[0]) > _weighs(points[key][0]):
                points[key] = (found[0], found[1] is True)
        at = datetime.fromisoformat(raw["at"])
        scores = {axis: int(raw["scores"][axis]) for axis in Axis if axis in raw["scores"]}
        return Saved(str(raw["site"]), at.timestamp(), scores, points)
    except SavedError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
        raise SavedError(f"not an audit ({type(error).__name__}: {error})") from error


def compared(before: Saved, audit: Audit) -> Change:
    """What has changed since ``before``."""
    now: dict[tuple[str, str], WeakPoint] = {}
    for point in audit.points:  # the worst first
        now.setdefault((point.code, point.found.subject), point)
    new = tuple(
        point
        for key, point in now.items()
        if key not in before.points or _weighs(point.found.grade) > _weighs(before.points[key][0])
    )
    return Change(
        before_at=before.at,
        scores={axis: audit.scores[axis] - score for axis, score in before.scores.items()},
        new=new,
        gone=tuple(key for key in before.points if key not in now),
        answered=tuple(
            key
            for key, point in now.items()
            if point.found.known and key in before.points and not before.points[key][1]
        ),
    )


def _weighs(grade: Grade) -> int:
    return -GRADES.index(grade)
