"""Checks every uplink beyond echoes: names, web pages, and the operator's first hop.

Seldom while all is well, at once when asked. A run with the usual questions (two names of three servers,
three pages, the hop and three targets) is 4.8 kB on the line, measured in the virtual bay as frames both
ways, the box's own questions included; servers outside answer with longer heads. So every five minutes are
1.4 MB a day, and every half hour, as on metered uplinks, 230 kB.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from agent.core.inquiries import Check
from agent.core.model import Link
from agent.probes.asker import Asker
from agent.probes.inquiry import CheckPlan, Inquiry, Questions
from agent.probes.meter import uncounted
from agent.probes.turns import Turns

__all__ = ["CheckPlan", "Checker", "Questions"]

FIRST_S: Final = 5.0
"""After the start; by then the interfaces are known."""
APART_S: Final = 10.0
"""Between the runs of two uplinks, so that they do not all go at once."""


class Checker:
    """Posts a ``Check`` for each answer and for each question that stays without one."""

    def __init__(
        self,
        plans: Sequence[CheckPlan],
        questions: Questions,
        post: Callable[[Check], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        count: Callable[[str, int, int], None] = uncounted,
    ) -> None:
        """Prepare; nothing is opened or sent before ``run``.

        Args:
            plans: one per uplink; names must differ.
            questions: what to ask through each.
            post: takes each outcome, in the event loop's thread.
            clock: monotonic seconds.
            sleep: waits so many seconds of that clock; may be cancelled.
            count: takes uplink and bytes sent and received.
        """
        now = clock()
        self._uplinks = {
            plan.uplink: Asker(
                Inquiry(plan, questions, post, clock, count),
                Turns(now + FIRST_S + APART_S * place, plan.every_s),
                clock,
                sleep,
            )
            for place, plan in enumerate(plans)
        }

    async def run(self) -> None:
        """Check until cancelled; may be run again after it has ended.

        Raises:
            ExceptionGroup: whatever ``post`` raised, or a defect; checking has ended.
        """
        async with asyncio.TaskGroup() as group:
            for uplink in self._uplinks.values():
                group.create_task(uplink.keep_asking())

    def ask_more(self, uplink: str) -> None:
        """Check this uplink now; if that was asked for a moment ago, a few seconds later."""
        if uplink in self._uplinks:
            self._uplinks[uplink].ask()

    def check_every(self, uplink: str, every_s: float) -> None:
        """Check this uplink every ``every_s`` seconds from now on."""
        if uplink in self._uplinks:
            self._uplinks[uplink].every(every_s)

    def link_changed(self, link: Link) -> None:
        """Follow what the system says of an uplink's interface; a new way out is checked at once."""
        if link.uplink in self._uplinks:
            self._uplinks[link.uplink].link_changed(link)
