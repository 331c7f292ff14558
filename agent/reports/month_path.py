"""When the site was without internet although an uplink worked: its router let nothing pass.

Known where the agent watches the site's own way out (``docs/failover.md``). A switch, and an interruption
that passed, tell how long the site was silent (``silent_s``); it is counted as ending with the event, which
is told within seconds. ``failover_missing`` and ``site_path_down`` stand until they are closed.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.core.business import CUT_OFF
from agent.core.codes import Code
from agent.core.model import Recorded
from agent.reports.month_states import seconds
from agent.reports.month_time import Piece, milliseconds, united

SWITCHES = (Code.FAILOVER, Code.FAILBACK, Code.SITE_INTERRUPTED)


def cut_off(events: Iterable[Recorded], end: int) -> list[Piece]:
    """Ordered pieces in which nothing of the site got out; what still stands ends at ``end``."""
    pieces: list[Piece] = []
    standing: dict[Code, int] = {}
    for recorded in events:
        if not recorded.synced:
            continue
        event, at = recorded.event, milliseconds(recorded.at)
        if event.code in (Code.AGENT_STARTED, Code.AGENT_STOPPED):
            pieces += [(begin, at) for begin in standing.values()]
            standing = {}
        elif event.code in SWITCHES:
            pieces.append((at - seconds(event.args.get("silent_s")), at))
        elif event.code in CUT_OFF:
            standing.setdefault(event.code, at)
        elif event.code is Code.FINDING_CLOSED and event.args.get("finding") in CUT_OFF:
            begin = standing.pop(Code(str(event.args["finding"])), at)
            pieces.append((min(begin, at - seconds(event.args.get("lasted_s"))), at))
    return united([*pieces, *((begin, max(begin, end)) for begin in standing.values())])
