"""What leaves the site as JSON: the snapshot, its parts, and events, as plain dictionaries.

The shapes are a public contract, written down in ``docs/schemas``. Instants are ISO 8601 in UTC with
whole seconds, computed from the monotonic clock: while ``clock`` says ``unsynchronised`` only their
differences mean something. Numbers that JSON cannot hold (not finite) become null.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any

from agent import __version__
from agent.core.devices import DeviceKind, Radio, Says
from agent.core.model import Recorded, Scalar
from agent.core.path_view import PathView
from agent.core.snapshot_types import (
    BoxView,
    DeviceView,
    FindingView,
    ServiceView,
    ServiceWayView,
    Snapshot,
    UplinkView,
)
from agent.text import LANGUAGES, words

SCHEMA = 1
"""Version of the shapes; grows when a key changes its meaning or goes, not when one is added."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(wall: float) -> str:
    """UNIX seconds as ISO 8601 in UTC, to the second; the epoch for what is no date."""
    try:
        return (_EPOCH + timedelta(seconds=round(wall))).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError):
        return "1970-01-01T00:00:00Z"


def to_json(payload: Mapping[str, Any]) -> bytes:
    """Compact JSON in UTF-8; the same payload always gives the same bytes."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "replace")


def event_payload(recorded: Recorded) -> dict[str, Any]:
    """One event with its sentence in every language. ``id`` is the same each time it is sent."""
    event = recorded.event
    return {
        "id": recorded.id,
        "incident": event.incident,
        "seq": recorded.seq,
        "code": event.code.value,
        "severity": event.severity.value,
        "alert": event.alert,
        "subject": event.subject,
        "at": moment(recorded.at),
        "clock": "corrected" if recorded.corrected else _clock(recorded.synced),
        "args": _args(event.args),
        "text": {language: words(event.code, language, event.args).sentence for language in LANGUAGES},
    }


def state_payload(snapshot: Snapshot) -> dict[str, Any]:
    """The whole site. ``at`` is the instant of the picture: one that stands still means a dead agent."""
    return {
        "schema": SCHEMA,
        "at": moment(snapshot.wall),
        "clock": _clock(snapshot.synced),
        "site": snapshot.site,
        "label": snapshot.label,
        "version": __version__,
        "armed": snapshot.armed,
        "unarmed_why": snapshot.unarmed_why,
        "hold_until": _at(snapshot, snapshot.hold_until),
        "incident": snapshot.incident,
        "incident_since": _at(snapshot, snapshot.incident_since),
        "incident_severity": None if (now := snapshot.incident_severity) is None else now.value,
        "headline": snapshot.headline.value,
        "findings": [finding_payload(view, snapshot) for view in snapshot.findings],
        "uplinks": [uplink_payload(view, snapshot) for view in snapshot.uplinks],
        "boxes": [box_payload(view, snapshot) for view in snapshot.boxes],
        "modems": [modem_payload(view, snapshot) for view in modems(snapshot)],
        "services": [service_payload(view, snapshot) for view in snapshot.services],
        "site_path": None if snapshot.site_path is None else path_payload(snapshot.site_path, snapshot),
    }


def path_payload(view: PathView, snapshot: Snapshot) -> dict[str, Any]:
    """The site's own way out through its router, and the uplink that it should use."""
    choice = view.choice
    return {
        "state": view.state.value,
        "since": _at(snapshot, view.since),
        "active": view.active,
        "active_since": _at(snapshot, view.active_since),
        "witness": view.witness,
        "spread": view.spread,
        "public_address": view.public_address,
        "rtt_ms": _number(view.rtt_ms, 1),
        "loss_pct": _number(view.loss_pct, 1),
        "wanted": None if choice is None else choice.wanted,
        "why": None if choice is None else choice.why.value,
        "waits_for": None if choice is None or choice.waits_for is None else choice.waits_for.value,
        "until": None if choice is None else _at(snapshot, choice.until),
    }


def uplink_payload(view: UplinkView, snapshot: Snapshot) -> dict[str, Any]:
    """One uplink of ``snapshot``."""
    return {
        "name": view.name,
        "label": view.label,
        "kind": view.kind.value,
        "health": view.health.value,
        "since": _at(snapshot, view.since),
        "why": view.why,
        "preferred": view.preferred,
        "present": view.present,
        "carrier": view.carrier,
        "address": view.address,
        "gateway": view.gateway,
        "answers_since": _at(snapshot, view.answers_since),
        "rtt_ms": _number(view.rtt_ms, 1),
        "loss_pct": _number(view.loss_pct, 1),
        "usual_ms": _number(view.usual_ms, 1),
        "jitter_ms": _number(view.jitter_ms, 1),
        "mos": _number(view.mos, 1),
        "silent_s": _number(view.silent_s, 0),
        "bad_targets": list(view.bad_targets),
        "pace_s": _number(view.pace_s, 1),
        "slowed": view.slowed,
        "data_used_bytes": view.data_used_bytes,
        "data_limit_bytes": view.data_limit_bytes,
        "active": view.active,
        "public_address": view.public_address,
        "shared": view.shared,
        "proven_at": _at(snapshot, view.proven_at),
    }


def box_payload(view: BoxView, snapshot: Snapshot) -> dict[str, Any]:
    """One box of ``snapshot``."""
    return {
        "name": view.name,
        "label": view.label,
        "uplink": view.uplink,
        "wired": view.wired,
        "phase": view.phase.value,
        "since": _at(snapshot, view.since),
        "until": _at(snapshot, view.until),
        "cycles_today": view.cycles_today,
        "refusal": view.refusal,
        "refused_until": _at(snapshot, view.refused_until),
        "proven_at": None if view.proven_at is None else moment(view.proven_at),
        "says": None if (device := speaker(view, snapshot)) is None else _box_says(device, snapshot),
    }


def speaker(view: BoxView, snapshot: Snapshot) -> DeviceView | None:
    """The box or dish itself, if it can be asked; a modem speaks for itself."""
    named = (device for device in snapshot.devices if device.name == view.name)
    return next((device for device in named if device.kind is not DeviceKind.MODEM), None)


def modems(snapshot: Snapshot) -> tuple[DeviceView, ...]:
    """The modems among the devices that can be asked about themselves."""
    return tuple(device for device in snapshot.devices if device.kind is DeviceKind.MODEM)


def modem_payload(view: DeviceView, snapshot: Snapshot) -> dict[str, Any]:
    """One modem of ``snapshot``. What it does not say, or does not say now, is null."""
    says = view.says or Says(view.uplink, heard=False)
    air = says.radio or Radio()
    return {
        "name": view.name,
        "label": view.label,
        "uplink": view.uplink,
        **_hearing(view, says, snapshot),
        "network": air.network,
        "operator": says.operator,
        "band": air.band,
        "cell": air.cell,
        # Whole dB: a tenth is noise, and each change of it would be paid for where data cost money.
        "rsrp_dbm": _number(air.rsrp_dbm, 0),
        "rsrq_db": _number(air.rsrq_db, 0),
        "sinr_db": _number(air.sinr_db, 0),
        "rssi_dbm": _number(air.rssi_dbm, 0),
        "nr_band": air.nr_band,
        "nr_rsrp_dbm": _number(air.nr_rsrp_dbm, 0),
        "nr_sinr_db": _number(air.nr_sinr_db, 0),
        "strength": None if view.strength is None else view.strength.value,
        "trend_db": _number(view.trend_db, 0),
        "sim": None if says.sim is None else says.sim.value,
        "registration": None if says.registration is None else says.registration.value,
        "refused": says.refused,
        "wan_up": says.wan_up,
        "address": says.address,
        "shared": says.shared,
        "month_bytes": says.month_bytes,
        "limit_bytes": view.limit_bytes,
        "model": says.model,
        "firmware": says.firmware,
        "uptime_s": _number(says.uptime_s, 0),
    }


def _box_says(view: DeviceView, snapshot: Snapshot) -> dict[str, Any]:
    """What a box or a dish says of itself; null where it does not, or not now."""
    says = view.says or Says(view.uplink, heard=False)
    return {
        **_hearing(view, says, snapshot),
        "line_up": says.line_up,
        "wan_up": says.wan_up,
        "cause": says.cause,
        "cut_helps": says.cut_helps,
        "address": says.address,
        "rx_dbm": _number(says.rx_dbm, 1),
        "obstructed_pct": _number(says.obstructed_pct, 1),
        "model": says.model,
        "firmware": says.firmware,
        "uptime_s": _number(says.uptime_s, 0),
        "documented": says.documented,
    }


def _hearing(view: DeviceView, says: Says, snapshot: Snapshot) -> dict[str, Any]:
    """Whether the device answers, since when not, and why."""
    return {
        "at": _at(snapshot, view.at),
        "heard": view.heard,
        "heard_at": _at(snapshot, view.heard_at),
        "why": says.why,
        "locked": bool(says.locked),
    }


def service_payload(view: ServiceView, snapshot: Snapshot) -> dict[str, Any]:
    """One service of ``snapshot``: on the path in use, and through each uplink."""
    return {
        "name": view.name,
        "label": view.label,
        "kind": view.kind.value,
        "place": view.place,
        **_serving(view.now, snapshot),
        "certificate_until": None if view.valid_until is None else moment(view.valid_until),
        "uplinks": [_serving(way, snapshot) for way in view.uplinks],
    }


def _serving(view: ServiceWayView, snapshot: Snapshot) -> dict[str, Any]:
    """A service through one way; ``why`` is null if it answered as it should, or was never asked."""
    return {
        "uplink": view.uplink,
        "state": view.serves.value,
        "since": _at(snapshot, view.since),
        "at": _at(snapshot, view.at),
        "why": None if view.why is None else view.why.value,
        "took_ms": _number(view.took_ms, 0),
        "detail": view.detail,
    }


def finding_payload(view: FindingView, snapshot: Snapshot) -> dict[str, Any]:
    """One finding of ``snapshot``."""
    return {
        "code": view.code.value,
        "subject": view.subject,
        "label": view.label,
        "severity": view.severity.value,
        "since": _at(snapshot, view.since),
        "args": _args(view.args),
        "evidence": list(view.evidence),
    }


def _at(snapshot: Snapshot, mono: float | None) -> str | None:
    if mono is None or not isfinite(mono):
        return None
    return moment(snapshot.wall + (mono - snapshot.mono))


def _clock(synced: bool) -> str:
    return "synchronised" if synced else "unsynchronised"


def _number(value: float | None, digits: int) -> float | int | None:
    if value is None or not isfinite(value):
        return None
    return round(value, digits) if digits else round(value)


def _args(args: Mapping[str, Scalar]) -> dict[str, Scalar]:
    return {
        key: None if isinstance(value, float) and not isfinite(value) else value
        for key, value in args.items()
    }
