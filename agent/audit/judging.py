"""From all that is known of a site to its weak points and scores.

The score of an axis is 100, of which each of its weak points leaves a share: 40 % a critical one, 75 % a
serious one, 90 % a minor one; so 40 for one critical, 30 for a critical and a serious one. What is unknown
costs as much as the worst answer would: whoever leaves a question open gains nothing by it. Where nothing is
left to be judged (no backup) the score is 0. The shares are a convention, chosen so that one critical weak
point weighs more than three serious ones; scores compare a site with itself and with others, no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.audit.catalogue import RULES
from agent.audit.points import Axis, Grade, Ground, WeakPoint

LEAVES = {Grade.CRITICAL: 0.4, Grade.SERIOUS: 0.75, Grade.MINOR: 0.9}


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found.

    Attributes:
        site: the site's name.
        label: its name for people.
        at: when, UNIX seconds.
        version: of the software that judged.
        points: the worst first.
        scores: by axis, 0 to 100.
    """

    site: str
    label: str
    at: float
    version: str
    points: tuple[WeakPoint, ...]
    scores: dict[Axis, int]

    @property
    def worst(self) -> Grade | None:
        """The grade of the worst weak point; None if there is none."""
        return self.points[0].found.grade if self.points else None


def audited(ground: Ground) -> Audit:
    """Judge."""
    points = [
        WeakPoint(code, rule.axis, rule.cost, found)
        for code, rule in RULES.items()
        for found in rule.find(ground)
    ]
    points.sort(key=lambda point: point.rank)
    site = ground.config.site
    scores = {axis: score([point for point in points if point.axis is axis]) for axis in Axis}
    return Audit(site.name, site.label, ground.now, ground.installed, tuple(points), scores)


def score(points: Sequence[WeakPoint]) -> int:
    """What these weak points leave of an axis, 0 to 100."""
    if any(RULES[point.code].void for point in points):
        return 0
    left = 100.0
    for point in points:
        left *= LEAVES[point.found.grade]
    return round(left)
