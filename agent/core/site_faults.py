"""What is the matter with the site's own way out although an uplink works: the switch, or the router."""

from __future__ import annotations

from collections.abc import Mapping

from agent.core.causes import walled
from agent.core.codes import Code
from agent.core.model import Scalar
from agent.core.ranking import rank
from agent.core.site_path import is_unseen
from agent.core.snapshot_types import Health
from agent.core.state import FindingKey, State, UplinkState

ROUTER_S = 15.0
"""The path may be silent for so long beside an uplink that works before the router is blamed: the verdict
on the uplink may still come."""

PART = "site_path"
"""The name of this machine's own cable to the site among the parts of the agent."""

Found = dict[FindingKey, tuple[str, Mapping[str, Scalar]]]


def candidates(state: State, but: str | None) -> list[str]:
    """Uplinks that could carry the site now, except ``but``; the most wanted first."""
    usable = [
        name
        for name, uplink in state.uplinks.items()
        if name != but and uplink.health.answers and not walled(uplink)
    ]
    return sorted(usable, key=lambda name: rank(state, name))


def findings(state: State, now_at: float) -> Found:
    """What holds now; nothing while the path answers, or cannot be seen."""
    path, carried = state.path, state.carried
    if path is not None and path.link is not None and path.link_bad_since is not None:
        detail = "no carrier" if path.link.unplugged else "no address or gateway"
        return {(Code.PART_FAILED, PART): (PART, {"part": PART, "detail": detail})}
    if path is None or carried.silent_since is None or is_unseen(path):
        return {}
    silent_s = now_at - carried.silent_since
    active = None if carried.active is None else state.uplinks[carried.active]
    instead = candidates(state, carried.active)
    key = state.site.name
    if active is not None and (active.health is Health.DOWN or walled(active)):
        if not instead or silent_s < state.site.failover.expect_s:
            return {}
        return {(Code.FAILOVER_MISSING, key): (state.site.label, _missing(state, active, instead[0]))}
    works = (active is not None and active.health.answers) or (active is None and bool(instead))
    patience_s = ROUTER_S if active is not None else state.site.failover.expect_s
    if not works or silent_s < patience_s:
        return {}
    return {(Code.SITE_PATH_DOWN, key): (state.site.label, {"router": _silent_router(path)})}


def _missing(state: State, active: UplinkState, instead: str) -> dict[str, Scalar]:
    return {
        "from": active.spec.name,
        "to": instead,
        "from_label": active.spec.label,
        "to_label": state.uplinks[instead].spec.label,
        "expect_s": state.site.failover.expect_s,
        "by_hand": state.site.failover.by_hand or None,
    }


def _silent_router(path: UplinkState) -> str | None:
    """The router's address if it used to answer and does not; None if it does, or never did."""
    gateway = None if path.link is None else path.link.gateway
    return gateway if path.box_answers and path.box.lost_since is not None else None


def turning_points(state: State) -> list[float]:
    """When something may begin to hold, monotonic seconds."""
    since = state.carried.silent_since
    return [] if since is None else [since + ROUTER_S, since + state.site.failover.expect_s]
