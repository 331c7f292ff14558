"""From the state to the picture that everybody else gets to see."""

from __future__ import annotations

from agent.core import (
    findings,
    guards,
    health,
    pacing,
    path_shown,
    radio,
    service_views,
    shortcomings,
    window,
)
from agent.core.causes import SAYS_FRESH_S
from agent.core.codes import FINDINGS, Code
from agent.core.devices import DeviceSpec
from agent.core.instant import Now, age_s
from agent.core.snapshot_types import (
    BoxView,
    DeviceView,
    FindingView,
    PartView,
    Snapshot,
    UplinkView,
)
from agent.core.state import NEVER, BoxState, State, UplinkState


def snapshot(state: State, now: Now, seq: int) -> Snapshot:
    """The site as it is at ``now``; ``seq`` grows with every snapshot of a run."""
    standing = findings.shown(state)
    preferred = health.preferred_uplink(state)
    incident_since = None
    if state.incident is not None:
        incident_since = now.mono - age_s(state.incident.opened, now)
    unarmed_why = guards.unarmed_why(state, now)
    return Snapshot(
        seq=seq,
        mono=now.mono,
        wall=now.wall,
        synced=now.synced,
        site=state.site.name,
        label=state.site.label,
        armed=unarmed_why is None,
        unarmed_why=unarmed_why,
        hold_until=state.hold_until,
        incident=None if state.incident is None else state.incident.id,
        incident_since=incident_since,
        headline=next((f.code for f in standing if not FINDINGS[f.code].aside), Code.ALL_WELL),
        uplinks=tuple(
            _uplink(state, uplink, name == preferred, now) for name, uplink in state.uplinks.items()
        ),
        boxes=tuple(_box(state, box, now) for box in state.boxes.values()),
        findings=tuple(
            FindingView(f.code, f.subject, f.label, FINDINGS[f.code].severity, f.since, f.args, f.evidence)
            for f in standing
        ),
        devices=tuple(
            _device(uplink, uplink.spec.device, now)
            for uplink in state.uplinks.values()
            if uplink.spec.device is not None
        ),
        parts=tuple(PartView(part.name, part.ok, part.detail) for part in state.parts.values()),
        last_incident=state.last_incident,
        services=service_views.views(state, now.mono),
        site_path=path_shown.view(state),
        incident_severity=None if state.incident is None else state.incident.account.severity,
    )


def _uplink(state: State, uplink: UplinkState, preferred: bool, now: Now) -> UplinkView:
    share, echoes = window.loss(uplink)
    measured = uplink.quality
    link = uplink.link
    return UplinkView(
        name=uplink.spec.name,
        label=uplink.spec.label,
        kind=uplink.spec.kind,
        health=uplink.health,
        since=uplink.since,
        why=uplink.why,
        preferred=preferred,
        present=link.present if link is not None else False,
        carrier=link.carrier if link is not None else None,
        address=link.address if link is not None else None,
        gateway=link.gateway if link is not None else None,
        rtt_ms=window.median_rtt_ms(uplink),
        loss_pct=round(share * 100, 1) if echoes else None,
        answers_since=uplink.clean_since,
        usual_ms=uplink.line.usual_ms,
        jitter_ms=None if measured is None else measured.jitter_ms,
        mos=None if measured is None else measured.mos,
        silent_s=round(health.silence_s(uplink, now.mono), 1),
        bad_targets=window.bad_targets(uplink),
        pace_s=round(pacing.look_s(uplink), 2),
        slowed=uplink.purse is not None and uplink.purse.slowed,
        data_used_bytes=None if uplink.purse is None else uplink.purse.spending.used_bytes,
        data_limit_bytes=uplink.spec.data_bytes,
        **path_shown.of_uplink(state, uplink.spec.name),
    )


def _device(uplink: UplinkState, spec: DeviceSpec, now: Now) -> DeviceView:
    asked = uplink.says is not None
    says = uplink.says if now.mono - uplink.says_at <= SAYS_FRESH_S else None
    heard = says is not None and says.heard
    return DeviceView(
        name=spec.name,
        label=spec.label,
        uplink=uplink.spec.name,
        kind=spec.kind,
        at=uplink.says_at if asked else None,
        heard=heard,
        heard_at=uplink.says_heard_at if uplink.says_heard_at > NEVER else None,
        says=says,
        strength=uplink.air.strength if says is not None and says.radio is not None else None,
        trend_db=radio.trend_db(uplink.air) if heard else None,
        limit_bytes=shortcomings.limit_bytes(uplink) if heard else spec.limit_bytes,
    )


def _box(state: State, box: BoxState, now: Now) -> BoxView:
    proven = state.proven.get(box.spec.name)
    return BoxView(
        name=box.spec.name,
        label=box.spec.label,
        uplink=box.spec.uplink,
        wired=box.spec.wired,
        phase=box.phase,
        since=box.since,
        until=box.until,
        cycles_today=guards.cycles_today(state, box.spec.name, now),
        refusal=box.refusal,
        refused_until=box.refused_until,
        proven_at=None if proven is None else proven.wall,
    )
