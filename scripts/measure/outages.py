"""How long recorded outages lasted, and what that says about the wait before a power cycle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path

from agent.core.outages import (
    Tail,
    best_wait_s,
    cost_s,
    fit,
    foresight_s,
    needless_share,
)
from agent.replay.lines import ReplayError, numbered
from measure.console import columns, say
from measure.intervals import quantile

HEADER = "local_time,state,duration_s"
STATES = ("up", "out")
STEP_S = 25.0
"""How often the recorded line was asked."""
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
LASTED_S = (30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
WITHIN_S = (30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
CYCLES_S = (70.0, 130.0, 310.0)
"""Off and boot: a quick modem, a box with the defaults of the configuration, a slow one."""
DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Record:
    """The outages of one line and how long it was watched."""

    lengths_s: tuple[float, ...]
    watched_s: float


def read(path: Path) -> Record:
    """Read ``local_time,state,duration_s``; one stretch of ``up`` or ``out`` a line.

    Raises:
        ReplayError: file, line, what is wrong and what is allowed.
    """
    lengths: list[float] = []
    watched_s = 0.0
    for number, line in numbered(path):
        where, text = f"{path}:{number}", line.decode("utf-8", "replace").strip()
        if number == 1:
            if text != HEADER:
                raise ReplayError(f"{where}: {text[:40]!r}; allowed: a first line {HEADER}")
            continue
        cells = text.split(",")
        try:
            state, lasted_s = cells[1], float(cells[2])
        except (IndexError, ValueError):
            state, lasted_s = "", inf
        if state not in STATES or not (isfinite(lasted_s) and lasted_s > 0):
            raise ReplayError(f"{where}: {text[:60]!r}; allowed: a time, up or out, seconds above 0")
        watched_s += lasted_s
        if state == "out":
            lengths.append(lasted_s)
    if not lengths:
        raise ReplayError(f"{path}: no outage in it")
    return Record(tuple(lengths), watched_s)


def outages(path: Path, step_s: float) -> None:
    """Print everything about one record.

    Raises:
        ReplayError: the file cannot be read, or its outages cannot be described.
    """
    if not path.is_file():
        say(f"no outages: {path} is not there; nothing was measured")
        return
    record = read(path)
    try:
        tail = fit(record.lengths_s, step_s)
    except ValueError as error:
        raise ReplayError(f"{path}: {error}") from error
    for part in (distribution(record), ends(record.lengths_s, tail), waits(record.lengths_s, tail)):
        for text in part:
            say(text)
        say()


def length(seconds: float) -> str:
    """A length of time in the unit that suits it."""
    if seconds == inf:
        return "never"
    for unit_s, name in ((DAY_S, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:.3g} {name}"
    return f"{seconds:.3g} s"


def percent(share: float) -> str:
    """A share as it stands in a table."""
    return f"{100 * share:.0f} %"


# --- how long --------------------------------------------------------------------------------------------


def distribution(record: Record) -> Iterator[str]:
    """How many, how long."""
    lengths = record.lengths_s
    total_s = sum(lengths)
    yield (
        f"{len(lengths)} outages in {record.watched_s / DAY_S:.0f} days, "
        f"{total_s / 3600:.0f} h in all ({percent(total_s / record.watched_s)} of the time)"
    )
    heads = ("share of outages", *map(percent, SHARES), "all")
    yield from columns(
        [("over within", *(length(quantile(lengths, share)) for share in SHARES), length(max(lengths)))],
        heads,
    )
    half_s = quantile(lengths, 0.5)
    longest = sorted(lengths)[-max(1, len(lengths) // 10) :]
    yield (
        f"Half of them were over within {length(half_s)}; the longest tenth made up "
        f"{percent(sum(longest) / total_s)} of the time without internet."
    )


# --- will it end by itself? --------------------------------------------------------------------------------


def ended(lengths_s: Sequence[float], after_s: float, within_s: float) -> float | None:
    """Of the outages longer than ``after_s``, the share over within the next ``within_s``; None: no such."""
    left = [one for one in lengths_s if one > after_s]
    return sum(one <= after_s + within_s for one in left) / len(left) if left else None


def ends(lengths_s: Sequence[float], tail: Tail) -> Iterator[str]:
    """What an outage that has lasted so long will do next: in the record, and by the fitted tail."""
    yield (
        f"fitted tail: shape {tail.shape:.2f}, scale {tail.scale_s:.0f} s; after s seconds the chance to end "
        f"is {tail.shape:.2f} / (s + {tail.scale_s:.0f}) a second"
    )
    yield "of the outages that have lasted ..., over within the next ...: recorded (fitted)"
    rows = []
    for after_s in LASTED_S:
        left = sum(one > after_s for one in lengths_s)
        cells = []
        for within_s in WITHIN_S:
            share = ended(lengths_s, after_s, within_s)
            fitted = percent(tail.share_ended(after_s, within_s))
            cells.append("-" if share is None else f"{percent(share)} ({fitted})")
        rows.append((length(after_s), str(left), *cells))
    yield from columns(rows, ("lasted", "outages", *map(length, WITHIN_S)))
    yield _trend(lengths_s)


def _trend(lengths_s: Sequence[float]) -> str:
    """Whether patience is rewarded less and less."""
    within_s = 120.0
    shares = ((after_s, ended(lengths_s, after_s, within_s)) for after_s in LASTED_S)
    told = [(after_s, share) for after_s, share in shares if share is not None]
    if len(told) < 2:
        return "Too few outages to say whether long ones last longer still."
    (early_s, early), (late_s, late) = told[0], told[-1]
    lesson = (
        "the longer an outage has lasted, the longer it still lasts"
        if late < early
        else "outages that have lasted long do not last longer still"
    )
    return (
        f"After {length(early_s)}, {percent(early)} end within another {length(within_s)}; "
        f"after {length(late_s)}, {percent(late)}: {lesson}."
    )


# --- how long to wait --------------------------------------------------------------------------------------


def waits(lengths_s: Sequence[float], tail: Tail) -> Iterator[str]:
    """What each wait before a cycle would have cost, for boxes that take different times to come back."""
    yield "a power cycle is taken to end the outage once the box is back; costs are seconds without internet"
    yield "needless: of the cycles, those whose outage would have ended by itself before the box was back"
    for cycle_s in CYCLES_S:
        yield ""
        yield from _cycle(lengths_s, tail, cycle_s)
    yield ""
    yield "Whether a cycle would have ended these outages is not recorded; where it cures none, all is waste."


def _cycle(lengths_s: Sequence[float], tail: Tail, cycle_s: float) -> Iterator[str]:
    best_s, fitted_s = best_wait_s(lengths_s, cycle_s), tail.best_wait_s(cycle_s)
    foresight = foresight_s(lengths_s, cycle_s)
    named = {
        "at once": 0.0,
        "best by the record": best_s,
        "best by the tail": fitted_s,
        "ski rental": cycle_s,
        "twice that": 2 * cycle_s,
        "never": inf,
    }
    ratios = {name: cost_s(lengths_s, wait_s, cycle_s) / foresight for name, wait_s in named.items()}
    yield f"a cycle that costs {cycle_s:g} s; foresight would have paid {foresight:.0f} s an outage"
    rows = [
        (
            name,
            length(wait_s),
            f"{cost_s(lengths_s, wait_s, cycle_s):.0f}",
            f"{ratios[name]:.2f}",
            percent(sum(one > wait_s for one in lengths_s) / len(lengths_s)),
            percent(needless_share(lengths_s, wait_s, cycle_s)),
        )
        for name, wait_s in named.items()
    ]
    yield from columns(rows, ("wait", "of", "s an outage", "of foresight", "cycled", "needless"))
    needless = needless_share(lengths_s, cycle_s, cycle_s)
    yield (
        f"Waiting {length(best_s) if best_s else 'not at all'} would have cost least, "
        f"{ratios['best by the record']:.2f} times foresight; waiting as long as the cycle costs, "
        f"{ratios['ski rental']:.2f} times, with {percent(needless)} of the cycles needless; "
        f"never cycling, {ratios['never']:.1f} times."
    )
