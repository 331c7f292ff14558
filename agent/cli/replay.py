"""``vigie replay``: a recorded day through the present detector, alone or beside the rules of others."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any, TextIO

from agent.cli.labels import LANGUAGES, SYMBOLS, label, language_of
from agent.core.site import Site, UplinkKind
from agent.replay.comparing import Compared, Comparison, summary
from agent.replay.lines import Progress, ReplayError
from agent.replay.playing import Change, Player, site_of
from agent.replay.reading import Heard, Trace, find, items, size_bytes, survey
from agent.replay.score import Score

WELL, BAD = 0, 2
HEADS = ("rule", "score", "charged", "down", "regretted/day", "median s", "p90 s")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``vigie replay``."""
    parser.epilog = (
        "Reads tables (t_s,target,rtt_ms; one uplink each) and the daemon's recordings (JSON lines; those of "
        "one folder are one recording), plain or gzip. In the table, charged is the score if declarations "
        "outside any silence cost a switch too. Exit code: 0 well, 2 a file cannot be read."
    )
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="a trace, or a folder of traces")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--compare",
        action="store_true",
        help="the table of scores instead of the verdicts",
    )
    parser.add_argument(
        "--kind",
        choices=list(map(str, UplinkKind)),
        default="other",
        help="of uplinks that the trace does not describe; default: other",
    )
    parser.add_argument(
        "--switch-cost", type=_seconds, metavar="SECONDS", help="default: the recording's own, or 10"
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="take site and uplinks from this instead")
    parser.add_argument("--lang", choices=LANGUAGES, default=language_of(), help="default: %(default)s")


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < inf:
        raise argparse.ArgumentTypeError(f"{text}: allowed: seconds above 0")
    return value


def run(args: argparse.Namespace) -> int:
    """Replay each trace in turn."""
    try:
        traces = find(args.files)
        if args.compare:
            _compare(traces, args)
        else:
            for trace in traces:
                _replay(trace, args)
    except ReplayError as error:
        sys.stdout.flush()
        sys.stderr.write(f"vigie replay: {error}\n")
        return BAD
    return WELL


def _site(trace: Trace, heard: Heard, args: argparse.Namespace) -> Site:
    if args.config is None:
        return site_of(trace.name, heard, UplinkKind(args.kind), args.switch_cost)
    from agent.config.effective import to_site
    from agent.config.problems import ConfigErrors
    from agent.config.reader import read

    try:
        return to_site(read(args.config))
    except ConfigErrors as errors:
        raise ReplayError("; ".join(errors.lines(args.lang))) from errors


def _replay(trace: Trace, args: argparse.Namespace) -> None:
    heard = survey(trace)
    player = Player(_site(trace, heard, args), ticked=heard.ticked)
    width = max(len(name) for name in heard.uplinks)
    with _progress(trace, sys.stderr) as progress:
        for change in player.play(items(trace, heard, progress)):
            sys.stdout.write(_json(change) if args.json else _text(change, width, args.lang))


def _json(change: Change) -> str:
    line = {"t": round(change.t, 6), "uplink": change.uplink, "health": change.health, "why": change.why}
    return json.dumps(line, ensure_ascii=False) + "\n"


def _text(change: Change, width: int, language: str) -> str:
    at = f"{change.t:14.3f} s"
    if change.wall is not None:
        # UTC, because the output must not depend on the machine that replays.
        at = f"{datetime.fromtimestamp(change.wall, UTC):%Y-%m-%d %H:%M:%S}Z {at}"
    health = label(f"health.{change.health}", language)
    return f"{at}  {change.uplink:<{width}}  {SYMBOLS[change.health]} {health:<11}  {change.why}\n"


@contextmanager
def _progress(trace: Trace, out: TextIO) -> Iterator[Progress | None]:
    """A percentage on the terminal while files are read; nothing if ``out`` is not one."""
    if not out.isatty():
        yield None
        return
    total, shown = max(1, size_bytes(trace)), -1

    def show(read: int) -> None:
        nonlocal shown
        if (percent := min(100, read * 100 // total)) != shown:
            shown = percent
            out.write(f"\r{trace.name} {percent:3d} %")
            out.flush()

    try:
        yield show
    finally:
        out.write("\r\x1b[K")
        out.flush()


# --- the table ---------------------------------------------------------------------------------------------


def _compare(traces: Sequence[Trace], args: argparse.Namespace) -> None:
    results: list[Compared] = []
    for trace in traces:
        heard = survey(trace)
        with _progress(trace, sys.stderr) as progress:
            played = Comparison(_site(trace, heard, args), ticked=heard.ticked)
            new = played.run(items(trace, heard, progress))
        for one in new:
            sys.stdout.write("".join(_json_rows(one)) if args.json else "\n".join(table(one)) + "\n\n")
        results += new
    if len(results) > 1 and not args.json:
        sys.stdout.write("\n".join(mean_table(results)) + "\n")


def _json_rows(one: Compared) -> Iterator[str]:
    for rule, score in one.scores.items():
        row: dict[str, Any] = {
            "uplink": one.name,
            "rule": rule,
            "score": round(score.ratio, 4),
            "charged": _finite(score.charged),
            "silences": score.silences,
            "declarations": score.declarations,
            "astray": score.astray,
            "regretted_per_day": round(score.regretted_per_day, 2),
            "median_s": _finite(score.median_s),
            "p90_s": _finite(score.p90_s),
            "long_silences": len(score.delays_s),
        }
        yield json.dumps(row, ensure_ascii=False) + "\n"


def _finite(value: float | None) -> float | None:
    return None if value is None or value == inf else round(value, 3)


def table(one: Compared) -> Iterator[str]:
    """The lines of one uplink's table."""
    score = next(iter(one.scores.values()))
    yield (
        f"{one.name}: {score.watched_s / 3600:.2f} h, {score.silences} silences, "
        f"{len(score.delays_s)} of 30 s or more; best fixed threshold {one.hindsight_s:g} s"
    )
    yield from _columns(
        [
            (rule, f"{score.ratio:.2f}", f"{score.charged:.2f}", *_rest(score))
            for rule, score in one.scores.items()
        ],
        HEADS,
    )


def mean_table(results: Sequence[Compared]) -> Iterator[str]:
    """The lines of the table over all traces: means of scores, everything else pooled."""
    yield f"mean of {len(results)} traces"
    yield from _columns(
        [
            (rule, f"{one.ratio:.2f}", f"{one.worst:.2f}", f"{one.charged:.2f}", *_rest(one.pooled))
            for rule, one in summary(results).items()
        ],
        ("rule", "score", "worst", *HEADS[2:]),
    )


def _rest(score: Score) -> tuple[str, ...]:
    return (
        str(score.declarations),
        f"{score.regretted_per_day:.1f}",
        _delay(score.median_s),
        _delay(score.p90_s),
    )


def _delay(seconds: float | None) -> str:
    return "-" if seconds is None else "never" if seconds == inf else f"{seconds:.1f}"


def _columns(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> Iterator[str]:
    widths = [max(len(row[place]) for row in (heads, *rows)) for place in range(len(heads))]
    for row in (heads, *rows):
        cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]
        yield "  " + "  ".join(cells).rstrip()
