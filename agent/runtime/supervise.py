"""Keeps ornamental parts alive: restarted with backoff, visible as a finding while they fail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from agent.core.model import Part

log = logging.getLogger("vigie.supervise")

BACKOFF_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
ENDED = "ended by itself"
SETTLED_S = 5.0
RECOVERED_S = 60.0
"""A part that has run this long is said to work; after a failure it takes the longer of the two, so that one
that dies every few seconds is one standing finding."""


async def keep_running(
    name: str,
    work: Callable[[], Coroutine[Any, Any, None]],
    report: Callable[[Part], None],
    *,
    says_itself: bool = False,
) -> None:
    """Run ``work`` for ever.

    A part that ``says_itself`` whether it works (running is not yet working for a connection) is only
    reported here when it raises.

    A part may fail in any way: what is wrong with the screen must never stop the watch. A failure is
    logged with its reason when the reason changes, and reported as a ``Part`` until the part has settled.
    """
    failures = 0
    told = ""
    while True:
        task = asyncio.create_task(work(), name=name)
        try:
            done, _ = await asyncio.wait([task], timeout=RECOVERED_S if failures else SETTLED_S)
            if not done and not says_itself:
                report(Part(name, ok=True))
            if not done:
                failures, told = 0, ""
            await task
            detail = ENDED
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise
        except Exception as error:  # noqa: BLE001 ornamental, see the docstring
            detail = f"{type(error).__name__}: {error}"
        if detail != told:
            log.warning("%s failed: %s", name, detail)
            told = detail
        if not says_itself or detail != ENDED:
            report(Part(name, ok=False, detail=detail))
        await asyncio.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])
        failures += 1
