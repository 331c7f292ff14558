"""Our verdicts and other systems' rules on recorded lines: scores, targets, and observations per second."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.cli.replay import mean_table, table
from agent.core.site import UplinkKind
from agent.replay.comparing import FIXED_S, HINDSIGHT, Compared, Comparison
from agent.replay.playing import Player, site_of
from agent.replay.reading import Trace, find, items, survey
from measure.console import say
from measure.sweep import sweep
from measure.targets import gap_table, lead_table, target_table

DESIGN = frozenset({
    "starlink_beta_2021",
    "campus_lpu_may06",
    "campus_lpu_may08",
    "cell_us_drive_att_trip3",
    "cell_us_drive_verizon_trip3",
    "home_2targets_jul08am",
})  # fmt: skip
"""The traces that were looked at while the detector was designed. Every other one is held out: whatever the
detector does well there it does not do because it was made for it."""
KINDS = {"starlink": "starlink", "cell": "cellular", "ftth": "ftth", "fibre": "ftth"}
"""How the name of a trace begins tells the kind of its line; any other is ``other``."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The uplinks of one trace; one that is a table has one."""

    trace: Trace
    kind: UplinkKind
    compared: tuple[Compared, ...]
    observations: int
    cpu_s: float

    @property
    def design(self) -> bool:
        """True if the detector was made with a look at it."""
        return self.trace.name in DESIGN


def kind_of(trace: Trace) -> UplinkKind:
    """The kind of line, by the name of the trace."""
    return UplinkKind(next((kind for begin, kind in KINDS.items() if trace.name.startswith(begin)), "other"))


def measure(trace: Trace, switch_cost_s: float) -> Measured:
    """Replay a trace alone, for the time it takes, and then beside the other rules."""
    kind = kind_of(trace)
    observations, cpu_s = replay_alone(trace, kind, switch_cost_s)
    heard = survey(trace)
    comparison = Comparison(site_of(trace.name, heard, kind, switch_cost_s), ticked=heard.ticked)
    return Measured(trace, kind, tuple(comparison.run(items(trace, heard))), observations, cpu_s)


def replay_alone(trace: Trace, kind: UplinkKind, switch_cost_s: float) -> tuple[int, float]:
    """Observations of one replay, reading included and ticks aside, and the CPU seconds it took."""
    began = time.process_time()
    heard = survey(trace)
    player = Player(site_of(trace.name, heard, kind, switch_cost_s), ticked=heard.ticked)
    for _ in player.play(items(trace, heard)):
        pass
    return player.observations, time.process_time() - began


def detection(folder: Path, switch_cost_s: float, picture: Path | None) -> None:
    """Replay every trace of a folder and print what came of it; draw it too if asked to.

    Raises:
        ReplayError: a trace that cannot be read.
    """
    if not folder.is_dir():
        say(f"no traces: {folder} is not there; nothing was measured")
        return
    measured: list[Measured] = []
    for trace in find([folder]):
        one = measure(trace, switch_cost_s)
        measured.append(one)
        for compared in one.compared:
            say("\n".join(table(compared)))
            say(f"  {one.kind}; {one.observations / one.cpu_s:,.0f} observations a second\n")
    for text in summary(measured):
        say(text)
    if picture is not None:
        draw(measured, switch_cost_s, picture)


def groups(measured: Sequence[Measured]) -> dict[str, list[Compared]]:
    """Design, held out and all; those that are not empty, without saying the same twice."""
    parts = {
        "design": [compared for one in measured if one.design for compared in one.compared],
        "held out": [compared for one in measured if not one.design for compared in one.compared],
    }
    filled = {name: part for name, part in parts.items() if part}
    if len(filled) > 1:
        filled["all"] = [compared for one in measured for compared in one.compared]
    return filled


def summary(measured: Sequence[Measured]) -> Iterator[str]:
    """The lines of everything that is said over several traces."""
    parts = groups(measured)
    everything = [compared for one in measured for compared in one.compared]
    yield from matrix(everything, {c.name for one in measured if one.design for c in one.compared})
    for name, part in parts.items():
        yield f"\n{name}: " + ", ".join(compared.name for compared in part)
        yield from mean_table(part)
    yield ""
    yield from gap_table(everything)
    yield ""
    yield from lead_table(everything, [f"fixed {threshold_s:g} s" for threshold_s in FIXED_S])
    for name, part in parts.items():
        yield f"\ntargets, {name}"
        yield from target_table(part)
    yield ""
    observations, cpu_s = sum(one.observations for one in measured), sum(one.cpu_s for one in measured)
    slowest = min(measured, key=lambda one: one.observations / one.cpu_s)
    yield f"replay: {observations / cpu_s:,.0f} observations a second on one core"
    yield f"slowest: {slowest.trace.name}, {slowest.observations / slowest.cpu_s:,.0f} a second"


def matrix(results: Sequence[Compared], design: set[str]) -> Iterator[str]:
    """Scores only, one line a trace, one column a rule; a star marks the traces of the design."""
    rules = list(results[0].scores)
    names = [f"{one.name} *" if one.name in design else one.name for one in results]
    wide = max(map(len, (*names, "score (*: design)")))
    yield "score (*: design)".ljust(wide) + "  " + "  ".join(rules)
    for name, one in zip(names, results, strict=True):
        cells = [f"{one.scores[rule].ratio:{len(rule)}.2f}" for rule in rules]
        yield f"{name:<{wide}}  " + "  ".join(cells)


def draw(measured: Sequence[Measured], switch_cost_s: float, path: Path) -> None:
    """The picture of the same figures, and of what they are when a switch costs something else."""
    from measure.picture import Figures, picture

    say("\nfor the picture: every trace once more for each cost of a switch")
    swept = sweep([(one.trace, one.kind) for one in measured], told=lambda name: say(f"  {name}"))
    parts = groups(measured)
    parts.pop("all", None)
    picture(Figures(parts, switch_cost_s, swept, HINDSIGHT)).save(path, optimize=True)
    say(f"drawn: {path}")
