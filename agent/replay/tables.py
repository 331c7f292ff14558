"""Tables: comma-separated ``t_s,target,rtt_ms``, one echo a line, as measurements are published.

``t_s`` is the time of sending in seconds, never going back; ``rtt_ms`` the round trip, empty if no answer
ever came. Some probers note ``-1`` when they give up waiting: that row is no echo of its own, it says once
more that the one before it was lost, and is passed over. Further columns to the right are ignored.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from math import ceil, inf
from pathlib import Path

from agent.core.model import Probe, Role, Why
from agent.replay.items import TIMEOUT_S, Away, Timed
from agent.replay.lines import Progress, ReplayError, numbered

COLUMNS = ("t_s", "target", "rtt_ms")
FORMS = "allowed: a table beginning with the line t_s,target,rtt_ms, or JSON lines; plain or gzip"
WAITED_S = 15.0
"""Between two unanswered echoes no further apart, the prober was waiting and the line was silent."""
GAVE_UP_S = -0.001
"""Round trip of a row that is only the prober's note."""
FILL_S = 1.0
"""In such a wait, this often (not more often than the trace's own pace) one more would have been lost."""

Row = tuple[float, str, float | None]


def check_header(line: bytes, where: str) -> None:
    """The first line of a table.

    Raises:
        ReplayError: it is something else.
    """
    names = [
        name.strip() for name in line.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").split(",")
    ]
    if tuple(names[:3]) != COLUMNS:
        begin = line[:40].decode("utf-8", "replace").strip()
        raise ReplayError(f"{where}: neither a table nor JSON: {begin!r}; {FORMS}")


def first_echoes(path: Path, each: int) -> Iterator[tuple[float, str]]:
    """Send time and target of the first ``each`` echoes to every target of a table.

    Quick: whether the rest is right is checked by ``rows``.
    """
    counts: dict[bytes, int] = {}
    lines = numbered(path)
    next(lines, None)
    for number, line in lines:
        try:
            cell = line.split(b",", 2)[1]
            count = counts.get(cell, 0)
            if count < each:
                counts[cell] = count + 1
                yield float(line.split(b",", 1)[0]), _name(cell, {})
        except (ValueError, IndexError) as error:
            raise _bad_row(path, number, line, error) from error


def rows(path: Path, progress: Progress | None = None) -> Iterator[Row]:
    """Send time, target, round trip in seconds (None: no answer); sorted by time.

    Raises:
        ReplayError: at the first line that is not such a row.
    """
    names: dict[bytes, str] = {}
    last_at = -inf
    lines = numbered(path, progress)
    for number, line in lines:
        check_header(line, f"{path}:{number}")
        break
    for number, line in lines:
        try:
            cells = line.split(b",", 3)
            at = float(cells[0])
            target = names.get(cells[1]) or _name(cells[1], names)
            answer = cells[2]
            rtt_s = None if not answer or answer.isspace() else float(answer) / 1000
        except (ValueError, IndexError) as error:
            raise _bad_row(path, number, line, error) from error
        # A comparison with not-a-number is false, so the checks are put the way that catches it.
        if not last_at <= at < inf:
            raise ReplayError(
                f"{path}:{number}: t_s {at:g} after {last_at:g}; allowed: finite seconds that never go back"
            )
        last_at = at
        if rtt_s is not None and not 0 <= rtt_s < inf:
            if rtt_s == GAVE_UP_S:
                continue
            raise ReplayError(
                f"{path}:{number}: rtt_ms {rtt_s * 1000:g}; allowed: empty, milliseconds from 0, or -1"
            )
        yield at, target, rtt_s


def filled(rows: Iterator[Row], pace_s: float) -> Iterator[Row]:
    """Some probers send nothing while they wait for an answer: what they would have lost meanwhile."""
    spacing_s = max(FILL_S, pace_s)
    last_at, last_target, was_lost = -inf, "", False
    for row in rows:
        at, target, rtt_s = row
        if was_lost and rtt_s is None and 2 * spacing_s < at - last_at <= WAITED_S:
            for count in range(1, ceil((at - last_at) / spacing_s)):
                yield last_at + count * spacing_s, last_target, None
        yield row
        last_at, last_target, was_lost = at, target, rtt_s is None


def _name(cell: bytes, names: dict[bytes, str]) -> str:
    name = cell.decode("utf-8").strip()
    if not name:
        raise ValueError("no target")
    names[cell] = name
    return name


def _bad_row(path: Path, number: int, line: bytes, error: Exception) -> ReplayError:
    shown = line[:60].decode("utf-8", "replace").strip()
    return ReplayError(
        f"{path}:{number}: {shown!r}: {error}; allowed: seconds, a target, milliseconds or nothing"
    )


def outcomes(rows: Iterator[Row], uplink: str, hole_s: float) -> Iterator[Timed]:
    """What a prober with the daemon's timeout would have been told of these echoes, and when."""
    pending: list[tuple[float, int, Probe | Away]] = []
    count, last_at = 0, None
    for sent_at, target, rtt_s in rows:
        count += 3
        if last_at is not None and sent_at - last_at > hole_s:
            heappush(pending, (last_at + TIMEOUT_S, count - 1, Away(sent_at)))
        last_at = sent_at
        while pending and pending[0][0] <= sent_at:
            at, _, item = heappop(pending)
            yield at, item
        if rtt_s is None or rtt_s > TIMEOUT_S:
            lost = Probe(uplink, target, Role.TARGET, sent_at, None, Why.TIMEOUT)
            heappush(pending, (sent_at + TIMEOUT_S, count, lost))
        if rtt_s is not None:
            heappush(
                pending,
                (sent_at + rtt_s, count + 1, Probe(uplink, target, Role.TARGET, sent_at, rtt_s * 1000)),
            )
    while pending:
        at, _, item = heappop(pending)
        yield at, item
