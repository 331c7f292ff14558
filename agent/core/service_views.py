"""Services as everybody but the core gets to see them."""

from __future__ import annotations

from agent.core import services
from agent.core.service_words import NEVER, Serves, ServiceState
from agent.core.snapshot_types import ServiceView, ServiceWayView
from agent.core.state import State


def views(state: State, now_at: float) -> tuple[ServiceView, ...]:
    """Every service, on the path in use and through each uplink, in the order of the configuration."""
    return tuple(_view(state, service, now_at) for service in state.services.values())


def _view(state: State, service: ServiceState, now_at: float) -> ServiceView:
    spec, way = service.spec, services.in_use(state, service, now_at)
    found, uplink = services.known(service, way), services.carrier(state, service, way)
    return ServiceView(
        name=spec.name,
        label=spec.label,
        kind=spec.kind,
        place=spec.place,
        via=None if uplink is None else uplink.spec.name,
        now=_way(state, service, way, found.via if uplink is None else uplink.spec.name, now_at),
        uplinks=tuple(_way(state, service, name, name, now_at) for name in state.uplinks),
        valid_until=service.valid_until,
    )


def _way(state: State, service: ServiceState, way: str, uplink: str | None, now_at: float) -> ServiceWayView:
    found = services.known(service, way)
    serves = services.verdict(state, service, way, now_at)
    known = serves is not Serves.UNKNOWN
    last = found.last
    label = None if uplink is None or uplink not in state.uplinks else state.uplinks[uplink].spec.label
    return ServiceWayView(
        uplink=uplink,
        label=label or "",
        serves=serves,
        since=found.since if known else None,
        at=found.told_at if found.told_at > NEVER else None,
        why=last.snag if last is not None else None,
        took_ms=last.took_ms if last is not None and last.snag is None else None,
        detail=last.detail if last is not None else "",
    )
