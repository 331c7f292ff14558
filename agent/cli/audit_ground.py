"""What ``vigie audit`` looks at beside the configuration: the running agent, its state and software."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import agent
from agent.audit.past import history_of
from agent.audit.points import DAY_S, Ground, History
from agent.cli.control_client import RefusedError, UnreachableError, as_snapshot, ask
from agent.config.effective import wiring
from agent.core.path_view import PathState
from agent.core.radio import Air
from agent.runtime.notes import PROOFS, SIGNALS, decode_airs, decode_proofs, read_note
from agent.runtime.past import past_events
from agent.runtime.store_codec import TroubleError

if TYPE_CHECKING:
    from agent.config.schema import Config
    from agent.core.snapshot_types import Snapshot

EVENTS = 20_000
"""So many of the last events are looked at: years of a calm site, some months of a very bad one."""


def looked_at(config: Config, state: Path, socket: Path, now: float) -> tuple[Ground, list[str]]:
    """All that can be known, and why the rest cannot."""
    notes: list[str] = []
    shot, running = _live(config, socket, notes)
    proven = _proven(config, state, notes)
    if proven is None and shot is not None:
        proven = {box.name: box.proven_at for box in shot.boxes if box.proven_at is not None}
    ground = Ground(
        config=config,
        now=now,
        installed=agent.__version__,
        shot=shot,
        running=running,
        released_days=_installed_days(now),
        history=_history(state, notes),
        proven=proven,
        airs=_airs(state, notes),
        path_watched=_path_watched(config, shot),
    )
    return ground, notes


def _live(config: Config, socket: Path, notes: list[str]) -> tuple[Snapshot | None, str | None]:
    """The agent's picture and version, if it is the agent of this site."""

    async def both() -> tuple[dict[str, Any], dict[str, Any]]:
        return await ask(socket, {"do": "status"}), await ask(socket, {"do": "about"})

    try:
        status, about = asyncio.run(both())
        shot = as_snapshot(status)
    except (UnreachableError, RefusedError) as fault:
        notes.append(str(fault))
        return None, None
    if shot.site != config.site.name:
        notes.append(f"{socket}: the agent of another site answers ({shot.site}), and is not looked at")
        return None, None
    version = about.get("about", {}).get("vigie")
    return shot, version if isinstance(version, str) else None


def _history(state: Path, notes: list[str]) -> History | None:
    try:
        return history_of(past_events(state, EVENTS))
    except TroubleError as trouble:
        notes.append(f"{state}: past events cannot be read: {trouble}")
        return None


def _proven(config: Config, state: Path, notes: list[str]) -> dict[str, float | None] | None:
    """By box, when its relay was proven; None where the agent has no state, or it cannot be read."""
    try:
        if not state.is_dir():
            return None
        found = decode_proofs(read_note(state, PROOFS) or {}, wiring(config))
    except (TroubleError, OSError) as trouble:
        notes.append(f"{state / PROOFS}: {trouble}")
        return None
    return {box: proof.at.wall if proof.at.synced else None for box, proof in found.items()}


def _airs(state: Path, notes: list[str]) -> dict[str, Air] | None:
    try:
        return decode_airs(read_note(state, SIGNALS) or {})
    except TroubleError as trouble:
        notes.append(f"{state / SIGNALS}: {trouble}")
        return None


def _installed_days(now: float) -> float | None:
    """How long ago this software was put here."""
    try:
        return (now - Path(agent.__file__).stat().st_mtime) / DAY_S
    except OSError:
        return None


def _path_watched(config: Config, shot: Snapshot | None) -> bool:
    """The agent looks at what carries the site's traffic, and sees it, as far as it can be asked."""
    if config.failover.mode == "off" or shot is None:
        return config.failover.mode != "off"
    return shot.site_path is not None and shot.site_path.state is not PathState.UNSEEN
