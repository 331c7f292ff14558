"""The report of a span for programs: JSON, and CSV of its outages. Seconds are exact to a thousandth."""

from __future__ import annotations

import csv
import io
from datetime import UTC
from typing import Any

from agent.reports.month import Both, Month, Times
from agent.reports.month_outages import Outage, Restart
from agent.reports.month_time import SECOND, local

SCHEMA = 1
"""Grows when a key changes its meaning or goes, not when one is added."""


def as_json(month: Month, *, cut: bool = False) -> dict[str, Any]:
    """The whole report; its shape is in ``docs/schemas/report.json``."""
    estimates = [one.ms for one in month.avoided if one.ms is not None]
    return {
        "schema": SCHEMA,
        "site": month.site.name,
        "label": month.site.label,
        "begin": utc(month.span.begin),
        "end": utc(month.span.end),
        "complete": not cut,
        "zone": getattr(month.zone, "key", None) or str(month.zone),
        "span_s": _s(month.span.length),
        "open_s": _s(month.opened),
        "site_availability": _both(month.whole),
        "uplinks": [
            {"name": one.name, "label": one.label, **_both(month.uplinks[one.name])}
            for one in month.site.uplinks
        ],
        "offline": [{"begin": utc(a), "end": utc(b), "lasted_s": _s(b - a)} for a, b in month.offline],
        "outages": [_outage(outage) for outage in month.outages],
        "done": {str(code): count for code, count in month.done.items()},
        "avoided": {
            "failover_s": _s(month.caught[0]),
            "failover_open_s": _s(month.caught[1]),
            "way_out_watched": month.watched,
            "cycles_s_estimate": _s(sum(estimates)) if estimates else None,
            "cycles": [
                {
                    "uplink": one.outage.uplink,
                    "begin": utc(one.outage.begin),
                    "s_estimate": None if one.ms is None else _s(one.ms),
                    "like": one.like,
                }
                for one in month.avoided
            ],
        },
        "cost_eur": None if month.cost_eur is None else round(month.cost_eur, 2),
        "cost_per_hour_eur": month.site.cost_per_hour_eur,
        "figures": _figures(month),
        "drills": None,
        "data": None
        if month.data_month is None
        else {"month": month.data_month, "used_bytes": dict(month.data_bytes)},
        "gaps": [
            {
                "begin": utc(gap.begin),
                "end": utc(gap.end),
                "lasted_s": _s(gap.end - gap.begin),
                "why": gap.why,
            }
            for gap in month.gaps
        ],
    }


def as_csv(month: Month) -> str:
    """One line for each outage, instants in UTC; a text that a spreadsheet would calculate is quoted."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(
        ["uplink", "label", "begin_utc", "begin_local", "end_utc", "lasted_s", "open_s", "ended", "cause",
         "incident", "restarts", "helped"]
    )  # fmt: skip
    for outage in month.outages:
        one = _outage(outage)
        writer.writerow(
            [
                _cell(outage.uplink),
                _cell(month.site.uplink(outage.uplink).label),
                one["begin"],
                local(outage.begin, month.zone).isoformat(timespec="milliseconds"),
                one["end"],
                one["lasted_s"],
                one["open_s"],
                one["ended"],
                one["cause"],
                _cell(outage.incident or ""),
                "; ".join(f"{r['box']} {r['how']}" for r in one["restarts"]),
                one["helped"],
            ]
        )
    return buffer.getvalue()


def _cell(text: str) -> str:
    """A spreadsheet takes what begins so for a formula."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _s(ms: int) -> float:
    return ms / SECOND


def utc(at: int) -> str:
    """An instant in ISO 8601."""
    return local(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _both(both: Both) -> dict[str, Any]:
    return {"total": _times(both.total), "opening_hours": _times(both.opened)}


def _times(times: Times) -> dict[str, Any]:
    return {
        "available": times.available,
        "up_s": _s(times.up),
        "degraded_s": _s(times.degraded),
        "down_s": _s(times.down),
        "unknown_s": _s(times.unknown),
    }


def _outage(outage: Outage) -> dict[str, Any]:
    return {
        "uplink": outage.uplink,
        "begin": utc(outage.begin),
        "end": utc(outage.end),
        "lasted_s": _s(outage.length),
        "open_s": _s(outage.open_ms),
        "ended": outage.ended,
        "cause": None if outage.cause is None else str(outage.cause),
        "incident": outage.incident,
        "restarts": [restart_data(restart) for restart in outage.restarts],
        "helped": outage.helped,
    }


def restart_data(restart: Restart) -> dict[str, Any]:
    """One restart, for programs."""
    return {
        "at": utc(restart.at),
        "box": restart.box,
        "how": "soft" if restart.soft else "cut",
        "helped": restart.helped,
        "by": restart.by,
    }


def _figures(month: Month) -> dict[str, Any]:
    figures = month.figures
    return {
        "recorded": [{"begin": utc(a), "end": utc(b)} for a, b in figures.recorded],
        "echoes": {
            uplink: [
                {
                    "at": utc(at),
                    "rtt_ms": None if one.rtt_ms is None else round(one.rtt_ms, 2),
                    "loss_pct": None if one.loss_pct is None else round(one.loss_pct, 3),
                }
                for at, one in sorted(quarters.items())
                if month.span.begin <= at < month.span.end
            ]
            for uplink, quarters in figures.echoes.items()
        },
        "levels": {
            f"{uplink} {kind}": [
                {"at": utc(at), "mean": round(one.mean, 2)}
                for at, one in sorted(levels.items())
                if month.span.begin <= at < month.span.end
            ]
            for (uplink, kind), levels in figures.levels.items()
        },
    }
