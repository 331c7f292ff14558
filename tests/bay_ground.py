"""Ground for the tests of the virtual bay: a bay for the length of one story, and waiting for a fact."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from hardware.virtual.bay import Bay, BayUplink, LinkQuality
from hardware.virtual.netns import Namespace

FAST = LinkQuality(delay_ms=1, jitter_ms=0)
TWO = (
    BayUplink("ftth", "eth1", boot_s=1.0, quality=FAST),
    BayUplink("cell", "wwan0", "cellular", boot_s=1.0, quality=FAST),
)
TARGET = "1.1.1.1"


def play(
    folder: Path, story: Callable[[Bay], Awaitable[None]], uplinks: Sequence[BayUplink] = TWO, **options: Any
) -> None:
    """Run ``story`` in a bay of its own."""

    async def act() -> None:
        async with Bay(folder, uplinks, **options) as bay:
            await story(bay)

    asyncio.run(act())


async def eventually(fact: Callable[[], object], within_s: float = 3.0) -> None:
    """Wait until ``fact()`` is true; fail if it is not in time."""
    async with asyncio.timeout(within_s):
        while not fact():
            await asyncio.sleep(0.01)


async def eventually_answers(bay: Bay, on: str, target: str = TARGET, within_s: float = 5.0) -> None:
    """Wait until ``target`` answers through the uplink; fail if it does not in time."""
    async with asyncio.timeout(within_s):
        while await bay.ping(target, on=on, timeout_s=0.1) is None:
            await asyncio.sleep(0.01)


async def silent(bay: Bay, on: str, target: str = TARGET) -> bool:
    """Two echoes in a row bring no answer."""
    first = await bay.ping(target, on=on, timeout_s=0.15)
    return first is None and await bay.ping(target, on=on, timeout_s=0.15) is None


def links(namespace: Namespace) -> dict[str, dict[str, Any]]:
    """What the namespace's own tools say of its interfaces, by name."""
    asked = namespace.call(
        lambda: subprocess.run(["ip", "-json", "address"], capture_output=True, check=True, text=True)
    )
    return {link["ifname"]: link for link in json.loads(asked.stdout)}


def has_carrier(namespace: Namespace, interface: str) -> bool:
    """What the kernel knows at once; the operational state (``operstate``) may be a second late."""
    return "LOWER_UP" in links(namespace)[interface]["flags"]


def default_routes(namespace: Namespace) -> dict[str, dict[str, Any]]:
    """The namespace's default routes, by interface."""
    command = ["ip", "-json", "route", "show", "default"]
    asked = namespace.call(lambda: subprocess.run(command, capture_output=True, check=True, text=True))
    return {route["dev"]: route for route in json.loads(asked.stdout or "[]")}
