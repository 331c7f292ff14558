"""The flight recorder's files put on the clock: latency, loss, signal, and when the agent was alive.

The traces of the last days are read in whole; of the time before, their digest is left. Both tell monotonic
seconds, which the events of the same boot put on the clock.
"""

from __future__ import annotations

import gzip
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from agent.reports.month_figures import QUARTER, Figures, Level, Quarter
from agent.reports.month_time import SECOND, Piece, milliseconds, united
from agent.runtime.digest import NOT_SENT, TraceLine, Window, trace_line, windows

UNWATCHED = 120 * SECOND
"""A longer pause in a recording is a time of which nothing is recorded; the minimal watch of an uplink with a
data budget is a ping a minute."""
_DAMAGED = (OSError, EOFError, zlib.error, msgspec.MsgspecError)


class Recordings:
    """What a folder of recordings says.

    Args:
        folder: of traces and digests; it need not exist.
        clocks: boot, UNIX and monotonic seconds of dated events, oldest first.
        progress: is told the name of each file before it is read.
    """

    def __init__(
        self, folder: Path, clocks: Sequence[tuple[str, float, float]], progress: Callable[[str], None]
    ) -> None:
        self._ahead = {boot: at - mono for boot, at, mono in clocks}
        self._clocks = clocks
        self._digest = _Measured()
        for window in windows(folder):
            self._window(window)
        self._trace = _Measured()
        self._begun = False
        paths = sorted(folder.glob("trace-*.jsonl.gz"))
        self._offset = self._offset_before(paths)
        for path in paths:
            progress(path.name)
            with suppress(*_DAMAGED):
                for line in _lines(path):
                    self._line(line)

    def runs(self) -> list[Piece]:
        """From the first to the last sign of life of each run, as far as it is recorded, ordered."""
        return sorted((begin, end) for begin, end in (*self._digest.runs, *self._trace.runs))

    def figures(self) -> Figures:
        """What was measured; what is in a trace counts more than its digest."""
        echoes = {
            uplink: {**self._digest.echoes.get(uplink, {}), **self._trace.echoes.get(uplink, {})}
            for uplink in self._digest.echoes.keys() | self._trace.echoes.keys()
        }
        levels = {
            key: {**self._digest.levels.get(key, {}), **self._trace.levels.get(key, {})}
            for key in self._digest.levels.keys() | self._trace.levels.keys()
        }
        pieces = [(begin, end) for begin, end in (*self._digest.pieces, *self._trace.pieces)]
        return Figures(echoes, levels, tuple(united(pieces)))

    # --- the digest ------------------------------------------------------------------------------------

    def _window(self, window: Window) -> None:
        offset = self._ahead.get(window.boot, window.wall - window.begin if window.synced else None)
        if offset is None or window.end < window.begin:
            return
        begin, end = milliseconds(window.begin + offset), milliseconds(window.end + offset)
        measured = self._digest
        measured.lives(begin, fresh=(window.boot, window.run) != measured.run)
        measured.run = window.boot, window.run
        measured.watched(begin, begin)
        measured.lives(end)
        measured.watched(begin, end)
        quarter = (begin + end) // 2 // QUARTER * QUARTER
        for uplink, seen in window.uplinks.items():
            known = measured.quarter(uplink, quarter)
            known.answered += seen.answered
            known.lost += seen.lost
            known.rtt_sum_ms += seen.rtt_sum_ms
            known.rtt_max_ms = max(known.rtt_max_ms, seen.rtt_max_ms)
            for kind, (count, total) in seen.levels.items():
                level = measured.level(uplink, kind, quarter)
                level.count, level.total = level.count + count, level.total + total

    # --- the traces ------------------------------------------------------------------------------------

    def _offset_before(self, paths: Sequence[Path]) -> float | None:
        """What puts the lines before the first start on the clock: the end of a run whose beginning is gone.

        Its events are the last ones before that start, or of all where there is none.
        """
        start, clocks = _first_start(paths), self._clocks
        if start is not None:
            wall = self._ahead.get(start.boot, start.wall - start.t) + start.t
            clocks = clocks[: bisect_left([at for _, at, _ in clocks], wall)]
        return clocks[-1][1] - clocks[-1][2] if clocks else None

    def _line(self, line: TraceLine) -> None:
        fresh = line.kind == "start"
        if fresh:
            self._begun = True
            self._offset = self._ahead.get(line.boot, line.wall - line.t if line.synced else None)
        if self._offset is None:
            return
        at = milliseconds(line.t + self._offset)
        measured = self._trace
        if not self._begun and not measured.runs:
            # A run whose first line is gone had begun when its last event before this was written.
            measured.lives(self._event_before(at), fresh=True)
        measured.lives(at, fresh=fresh)
        measured.watched(at, at)
        begin = at // QUARTER * QUARTER
        if line.kind == "probe" and line.role == "target":
            quarter = measured.quarter(line.uplink, begin)
            if line.rtt_ms is not None:
                quarter.answer(line.rtt_ms)
            elif line.why not in NOT_SENT:
                quarter.lost += 1
        elif line.kind == "says":
            for kind, value in line.levels().items():
                measured.level(line.uplink, kind, begin).add(value)

    def _event_before(self, at: int) -> int:
        place = bisect_left([milliseconds(wall) for _, wall, _ in self._clocks], at)
        return milliseconds(self._clocks[place - 1][1]) if place else at


class _Measured:
    """What has been read of one kind of recording."""

    def __init__(self) -> None:
        self.run = ("", "")
        self.runs: list[list[int]] = []
        self.pieces: list[list[int]] = []
        self.echoes: dict[str, dict[int, Quarter]] = {}
        self.levels: dict[tuple[str, str], dict[int, Level]] = {}

    def lives(self, at: int, *, fresh: bool = False) -> None:
        """The agent was alive at ``at``; ``fresh``: a run begins."""
        if fresh or not self.runs:
            self.runs.append([at, at])
            self.pieces.append([at, at])
        self.runs[-1][1] = max(self.runs[-1][1], at)

    def watched(self, begin: int, end: int) -> None:
        """It measured from ``begin`` to ``end``, and since the last time if that is not long ago."""
        if begin - self.pieces[-1][1] > UNWATCHED or begin < self.pieces[-1][0]:
            self.pieces.append([begin, end])
        self.pieces[-1][1] = max(self.pieces[-1][1], end)

    def quarter(self, uplink: str, at: int) -> Quarter:
        """Of this uplink, the quarter of an hour that begins at ``at``."""
        return self.echoes.setdefault(uplink, {}).setdefault(at, Quarter())

    def level(self, uplink: str, kind: str, at: int) -> Level:
        """The same of a signal."""
        return self.levels.setdefault((uplink, kind), {}).setdefault(at, Level())


def _first_start(paths: Sequence[Path]) -> TraceLine | None:
    """The first start in these files."""
    for path in paths:
        with suppress(*_DAMAGED), gzip.open(path, "rb") as file:
            for text in file:
                if b'"kind":"start"' in text:
                    return trace_line(text)
    return None


def _lines(path: Path) -> Iterator[TraceLine]:
    with gzip.open(path, "rb") as file:
        for text in file:
            if text.strip():
                yield trace_line(text)
