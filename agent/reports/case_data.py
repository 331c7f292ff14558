"""The case file of an incident for programs. Seconds are exact to a thousandth."""

from __future__ import annotations

from typing import Any

from agent.core.model import Recorded
from agent.reports.case import Case, Downtime
from agent.reports.month_data import restart_data, utc
from agent.reports.month_time import SECOND, milliseconds
from agent.reports.wording import zone_name

SCHEMA = 1
"""Grows when a key changes its meaning or goes, not when one is added."""


def as_json(case: Case) -> dict[str, Any]:
    """The whole file; its shape is in ``docs/schemas/case.json``."""
    return {
        "schema": SCHEMA,
        "incident": case.id,
        "site": case.site.name,
        "label": case.site.label,
        "drawn_at": utc(case.drawn_at),
        "zone": zone_name(case.zone),
        "opened": _instant(case.opened),
        "closed": None if case.closed is None else _instant(case.closed),
        "finding": None if case.finding is None else str(case.finding),
        "causes": [str(code) for code in case.causes],
        "lines": [_line(case, down) for down in case.downtimes],
        "offline_s": None if case.offline_ms is None else case.offline_ms / SECOND,
        "outages": [
            {
                "uplink": one.uplink,
                "begin": utc(one.begin),
                "end": utc(one.end) if one.ended else None,
                "lasted_s": one.length / SECOND,
                "restarts": [restart_data(restart) for restart in one.restarts],
            }
            for one in case.outages
        ],
        "evidence": [
            {"at": utc(one.at), "finding": str(one.code), "label": one.label, "lines": list(one.lines)}
            for one in case.evidence
        ],
        "others": {
            name: {
                "up_s": times.up / SECOND,
                "degraded_s": times.degraded / SECOND,
                "down_s": times.down / SECOND,
                "unknown_s": times.unknown / SECOND,
            }
            for name, times in case.others.items()
        },
        "levels": [
            {"uplink": one.uplink, "kind": one.kind, "before": one.before, "during": one.during}
            for one in case.levels
        ],
        "refused": list(case.refused),
        "events": [
            {
                **_instant(recorded),
                "id": recorded.id,
                "code": str(recorded.event.code),
                "subject": recorded.event.subject,
                "args": dict(recorded.event.args),
            }
            for recorded in case.events
        ],
    }


def _instant(recorded: Recorded) -> dict[str, Any]:
    clock = "corrected" if recorded.corrected else "synchronised" if recorded.synced else "unsynchronised"
    return {"at": utc(milliseconds(recorded.at)), "clock": clock}


def _line(case: Case, down: Downtime) -> dict[str, Any]:
    about = case.site.uplink(down.uplink)
    return {
        "uplink": down.uplink,
        "label": about.label,
        "operator": about.operator,
        "contract": about.contract,
        "hotline": about.hotline,
        "down_s": down.ms / SECOND,
        "over": down.over,
        "repair_s": None if down.repair_ms is None else down.repair_ms / SECOND,
        "exceeded": None if down.repair_ms is None else down.ms > down.repair_ms,
    }
