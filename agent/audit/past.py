"""What past events say to an audit."""

from __future__ import annotations

from collections.abc import Iterable

from agent.audit.points import History
from agent.core.codes import Code
from agent.core.model import Recorded

MOVED = (Code.FAILOVER, Code.FAILBACK)
"""Events that tell that the traffic of the site moved; ``to`` is the uplink."""


def history_of(events: Iterable[Recorded]) -> History:
    """What these events say, the oldest first. One whose time nobody knows tells no time."""
    clock_known, switched_at, missing_at = False, None, None
    carried: dict[str, float] = {}
    for one in events:
        if not (one.synced or one.corrected):
            continue
        clock_known = True
        code = one.event.code
        if code in MOVED:
            switched_at = one.at
            carried[str(one.event.args.get("to"))] = one.at
        elif code is Code.FAILOVER_MISSING:
            missing_at = one.at
    return History(clock_known, carried, switched_at, missing_at)
