"""Whether the backup takes over, and works when it does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from agent.audit.points import Found, Grade, Ground, asked_of, asked_of_site, days_ago, of, of_site
from agent.core.codes import Code
from agent.core.snapshot_types import Health

PROOF_OLD_DAYS = 92
"""A backup that has carried nothing for a quarter of a year is no longer known to work."""
DRILL_DAYS = 92
"""Consultants advise a drill each month or each quarter."""
DRILL_LATE_DAYS = 366


def no_backup(ground: Ground) -> Iterator[Found]:
    """Nothing can take over."""
    if not ground.backups:
        yield of_site(ground, Grade.CRITICAL, uplink=ground.preferred.label)


def failover_absent(ground: Ground) -> Iterator[Found]:
    """When it was tried nothing switched; or nobody has ever seen it switch."""
    if not ground.backups:
        return
    history = ground.history
    drilled = _drilled_at(ground)
    seen = [at for at in (drilled, history.switched_at if history else None) if at is not None]
    missing = history.missing_at if history else None
    if missing is not None and missing > max(seen, default=0.0):
        yield of_site(ground, Grade.CRITICAL, days=days_ago(ground, missing))
    elif not seen:
        yield asked_of_site(ground, Grade.CRITICAL, "site.facts.last_drill")


def unwatched(ground: Ground) -> Iterator[Found]:
    """The agent does not look at what carries the site, so a failover that does not happen stays unseen."""
    if ground.backups and not ground.path_watched:
        yield of_site(ground, Grade.SERIOUS)


def backup_down(ground: Ground) -> Iterator[Found]:
    """A backup does not work at this moment."""
    if not ground.backups:
        return
    if ground.shot is None:
        yield asked_of_site(ground, Grade.CRITICAL, None)
        return
    seen = {uplink.name: uplink for uplink in ground.shot.uplinks}
    down = [one for one in ground.backups if one.name in seen and seen[one.name].health is Health.DOWN]
    grade = Grade.CRITICAL if len(down) == len(ground.backups) else Grade.SERIOUS
    for uplink in down:
        yield of(uplink, grade, why=seen[uplink.name].why)
    for uplink in ground.backups:
        if uplink.name not in seen or seen[uplink.name].health is Health.UNKNOWN:
            yield asked_of(uplink, Grade.CRITICAL, None)


def backup_unproven(ground: Ground) -> Iterator[Found]:
    """A backup has never carried the site, or not for a long time, or the agent cannot prove it any more."""
    findings = ground.shot.findings if ground.shot is not None else ()
    dark = {finding.subject for finding in findings if finding.code is Code.BACKUP_UNPROVEN}
    for place, uplink in enumerate(ground.backups):
        if uplink.name in dark:
            yield of(uplink, Grade.SERIOUS, "dark")
            continue
        at = ground.history.carried.get(uplink.name) if ground.history else None
        if place == 0:
            # Who pulls the preferred uplink sees the first backup at work.
            at = max((one for one in (at, _drilled_at(ground)) if one is not None), default=None)
        if at is not None:
            days = days_ago(ground, at)
            if days > PROOF_OLD_DAYS:
                yield of(uplink, Grade.MINOR, "old", days=days)
        elif ground.history is None or not ground.path_watched:
            yield asked_of(uplink, Grade.SERIOUS, "site.facts.last_drill" if place == 0 else None)
        else:
            yield of(uplink, Grade.SERIOUS)


def drill_overdue(ground: Ground) -> Iterator[Found]:
    """Nobody has lately pulled the preferred uplink to see the backup take over."""
    if not ground.backups:
        return
    at = _drilled_at(ground)
    if at is None:
        yield asked_of_site(ground, Grade.SERIOUS, "site.facts.last_drill")
    elif (days := days_ago(ground, at)) > DRILL_DAYS:
        yield of_site(ground, Grade.SERIOUS if days > DRILL_LATE_DAYS else Grade.MINOR, days=days)


def _drilled_at(ground: Ground) -> float | None:
    """When the failover was last tried on purpose; a day that is still to come says nothing."""
    days = []
    told = ground.config.site.facts.last_drill
    if told is not None:
        days.append(datetime.fromisoformat(told).replace(tzinfo=UTC).timestamp())
    if ground.history is not None and ground.history.drilled_at is not None:
        days.append(ground.history.drilled_at)
    return max((at for at in days if at <= ground.now), default=None)
