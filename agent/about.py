"""What a running agent tells of itself to whoever may ask it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.config.schema import Config, as_builtins
from agent.delivery import brokers
from agent.runtime.history import History
from agent.runtime.store import Store
from agent.runtime.versions import versions


async def about(config: Config, state: Path, store: Store, history: History) -> dict[str, Any]:
    """What runs here, and whether events wait for a broker; no secret is in a configuration."""
    waiting = None
    for broker in brokers(config):
        found = await history.call(store.pending, broker, 0, 1)
        waiting = bool(waiting or found)
    return {
        **versions(),
        "state": str(state),
        "config": as_builtins(config),
        "events_wait": waiting,
    }
