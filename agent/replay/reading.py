"""From files to items in the order in which they became known. Two forms are read, plain or gzip.

A **table** (see ``tables``) is one uplink, named after the file. A **recording** is what the daemon writes:
JSON lines, any number of uplinks, in one file or several.

Files are read as they are consumed, twice at most: once to learn who is in them, once to play them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import inf, isfinite
from pathlib import Path
from statistics import median

from agent.core.model import Link, Probe, Role, Tick
from agent.core.outside import SITE
from agent.replay.items import HOLE_S, Away, Item, Timed
from agent.replay.lines import Progress, ReplayError, numbered
from agent.replay.tables import FORMS, check_header, filled, first_echoes, outcomes, rows
from agent.runtime.trace import Start, TraceError, decode

SUFFIXES = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz")
STALLED_S = 5.0
"""A pause in a recording longer than this means that the daemon did not run; its core thinks so too."""
SHORTEST_S = 0.001
PACE_ECHOES = 200
"""The pace of a trace is the median spacing of the first echoes to each target."""


class Form(StrEnum):
    """How a file is written."""

    TABLE = "table"
    RECORDING = "recording"


@dataclass(frozen=True, slots=True)
class Trace:
    """One file, or the files of one recording in order."""

    name: str
    form: Form
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """Who is in a trace: targets by uplink in the order of appearance, spacing of echoes by uplink.

    ``ticked`` is true if the trace holds the instants at which the core was called without news.
    """

    uplinks: dict[str, tuple[str, ...]]
    interval_s: dict[str, float]
    ticked: bool
    start: Start | None = None
    """The first line of a recording, if it has one: it knows the site."""


def find(given: Sequence[Path]) -> list[Trace]:
    """What is in these files and folders; a folder's files in the order of their names.

    Recorded files of one folder are one recording.

    Raises:
        ReplayError: nothing to read, or a file of neither form.
    """
    traces: list[Trace] = []
    for path in _files(given):
        form = _form(path)
        last = traces[-1] if traces else None
        if (
            form is Form.RECORDING
            and last is not None
            and last.form is form
            and last.paths[0].parent == path.parent
        ):
            traces[-1] = Trace(last.name, form, (*last.paths, path))
        else:
            traces.append(Trace(_stem(path), form, (path,)))
    return traces


def _files(given: Sequence[Path]) -> Iterator[Path]:
    for path in given:
        if not path.is_dir():
            yield path
            continue
        inside = sorted(file for file in path.iterdir() if file.name.endswith(SUFFIXES))
        if not inside:
            raise ReplayError(f"{path}: no traces in this folder; allowed names: *{', *'.join(SUFFIXES)}")
        yield from inside


def _stem(path: Path) -> str:
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if path.name.endswith(suffix) and path.name != suffix:
            return path.name[: -len(suffix)]
    return path.stem


def _form(path: Path) -> Form:
    for number, line in numbered(path):
        if line.lstrip().startswith(b"{"):
            return Form.RECORDING
        check_header(line, f"{path}:{number}")
        return Form.TABLE
    raise ReplayError(f"{path}: empty; {FORMS}")


# --- who is in it ------------------------------------------------------------------------------------------


def survey(trace: Trace) -> Heard:
    """Read the whole trace once, to know whom to expect.

    Raises:
        ReplayError: a line from which that cannot be told, or nobody to expect.
    """
    crowd = _Crowd()
    if trace.form is Form.TABLE:
        for at, target in first_echoes(trace.paths[0], PACE_ECHOES):
            crowd.sent(trace.name, target, at)
    else:
        for _, item in _recorded(trace.paths, None):
            crowd.take(item)
    if not any(crowd.targets.values()):
        raise ReplayError(f"{trace.paths[0]}: no echo to any target in it; nothing to replay")
    return crowd.heard()


class _Crowd:
    """Collects who is heard."""

    def __init__(self) -> None:
        self.targets: dict[str, dict[str, list[float]]] = {}
        """By uplink and target, the first times of sending."""
        self._ticked = False
        self._started: Start | None = None

    def sent(self, uplink: str, target: str, at: float) -> None:
        """An echo to a target."""
        times = self.targets.setdefault(uplink, {}).setdefault(target, [])
        if len(times) < PACE_ECHOES:
            times.append(at)

    def take(self, item: Item) -> None:
        """One item of a recording."""
        if isinstance(item, Probe):
            if item.role is Role.TARGET:
                self.sent(item.uplink, item.target, item.sent_at)
            else:
                self.targets.setdefault(item.uplink, {})
        elif isinstance(item, Tick):
            self._ticked = True
        elif isinstance(item, Link):
            self.targets.setdefault(item.uplink, {})
        elif isinstance(item, Start) and self._started is None:
            self._started = item

    def heard(self) -> Heard:
        """All that was learned."""
        return Heard(
            uplinks={uplink: tuple(targets) for uplink, targets in self.targets.items()},
            interval_s={uplink: _pace_s(targets) for uplink, targets in self.targets.items()},
            ticked=self._ticked,
            start=self._started,
        )


def _pace_s(targets: Mapping[str, Sequence[float]]) -> float:
    spacings = [
        later - earlier
        for times in targets.values()
        for earlier, later in pairwise(times)
        if later > earlier and later - earlier < inf
    ]
    return round(median(spacings), 3) or SHORTEST_S if spacings else 1.0


# --- what happened -----------------------------------------------------------------------------------------


def items(trace: Trace, heard: Heard, progress: Progress | None = None) -> Iterator[Timed]:
    """Everything of the trace, with the instant at which it became known; these never go back in a run.

    Raises:
        ReplayError: at the first line that cannot be read.
    """
    if trace.form is Form.TABLE:
        pace_s = heard.interval_s[trace.name]
        echoes = filled(rows(trace.paths[0], progress), pace_s)
        return outcomes(echoes, trace.name, max(HOLE_S, 3 * pace_s))
    # Who ticks was stopped if it did not tick; who does not tick may simply ask rarely.
    longest_s = STALLED_S if heard.ticked else max(STALLED_S, 3 * max(heard.interval_s.values()))
    return _with_holes(_recorded(trace.paths, progress), longest_s)


def size_bytes(trace: Trace) -> int:
    """Of its files as they lie on disk, for ``progress``."""
    return sum(path.stat().st_size for path in trace.paths)


def _recorded(paths: Sequence[Path], progress: Progress | None) -> Iterator[Timed]:
    """The observations as the daemon had them, in the order in which it had them."""
    last_at, before = float("-inf"), 0
    for path in paths:
        onward = None if progress is None else _shifted(progress, before)
        for number, line in numbered(path, onward):
            where = f"{path}:{number}"
            try:
                at, item = decode(line, where)
            except TraceError as error:
                raise ReplayError(str(error)) from error
            if not isfinite(at) or (at < last_at and not isinstance(item, Start)):
                raise ReplayError(
                    f"{where}: t {at:g} after {last_at:g}; allowed: seconds that never go back in a run"
                )
            last_at = at
            # The site's own way out is no uplink, and no verdict on one rests on it.
            if not (isinstance(item, Probe | Link) and item.uplink == SITE):
                yield at, item
        before += path.stat().st_size


def _with_holes(items: Iterator[Timed], longest_s: float) -> Iterator[Timed]:
    last_at: float | None = None
    for at, item in items:
        if last_at is not None and at - last_at > longest_s and not isinstance(item, Start):
            yield last_at, Away(at)
        last_at = at
        yield at, item


def _shifted(progress: Progress, by: int) -> Progress:
    return lambda read: progress(by + read)
