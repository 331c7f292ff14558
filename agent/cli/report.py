"""``vigie report``: what happened in a month, and what to tell an operator's hotline."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.cli.check import DEFAULT_FILE, DEFAULT_STATE, EX_CONFIG
from agent.cli.labels import LANGUAGES
from agent.cli.report_zone import ZoneError, site_zone, zone_named
from agent.cli.words import say

if TYPE_CHECKING:
    from agent.cli.report_sources import Sources
    from agent.config.schema import Config
    from agent.reports.month_time import Span
    from agent.reports.paper import Paper

WELL, NOT_WELL, BAD_USAGE = 0, 1, 2
FORMATS = ("text", "html", "pdf", "csv", "json")
LONGEST_DAYS = 3660


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``vigie report``."""
    parser.epilog = (
        "Without a span: the last whole month. Days are local. Exit code: 0 made, 1 nothing on record or not "
        "written, 2 bad usage or no library for PDF, 78 bad configuration."
    )
    span = parser.add_mutually_exclusive_group()
    span.add_argument("--month", type=_month, metavar="YYYY-MM", help="a calendar month")
    span.add_argument(
        "--days", type=_days, metavar="N", help="the last N days, today included, up to this moment"
    )
    span.add_argument("--from", dest="first", type=_day, metavar="YYYY-MM-DD", help="first day; see --to")
    span.add_argument("--incident", metavar="ID", help="the case file of an incident instead; or: last")
    parser.add_argument(
        "--to", dest="last", type=_day, metavar="YYYY-MM-DD", help="last day, included; default: today"
    )
    parser.add_argument(
        "--format", choices=FORMATS, help="default: by the ending of --out, else text (csv: outages only)"
    )
    parser.add_argument("--json", action="store_true", help="the same as --format json")
    parser.add_argument(
        "--out", type=Path, default=Path("-"), metavar="FILE", help="default: standard output"
    )
    parser.add_argument(
        "--config", type=Path, default=DEFAULT_FILE, metavar="FILE", help="default: %(default)s"
    )
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=DEFAULT_STATE,
        metavar="DIR",
        help="where the agent keeps its history (default: %(default)s)",
    )
    parser.add_argument("--zone", metavar="NAME", help="like Europe/Paris; default: the zone of this machine")
    parser.add_argument("--lang", choices=LANGUAGES, help="default: the site's own")


def _month(text: str) -> tuple[int, int]:
    try:
        day = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a month like 2027-01") from None
    return _possible(day).year, day.month


def _day(text: str) -> date:
    try:
        return _possible(date.fromisoformat(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day like 2027-01-31") from None


def _possible(day: date) -> date:
    if not 1971 <= day.year <= 2999:
        raise argparse.ArgumentTypeError(f"{day} is not between 1971 and 2999")
    return day


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= LONGEST_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {LONGEST_DAYS}")
    return int(text)


def run(args: argparse.Namespace, now: Callable[[], float] = time.time) -> int:
    """Read, compute, write.

    Args:
        args: of the command.
        now: the present, UNIX seconds.
    """
    from agent.cli.report_sources import sources
    from agent.config.reader import ConfigErrors, read
    from agent.runtime.store_codec import TroubleError

    try:
        config = read(args.config)
    except ConfigErrors as errors:
        sys.stderr.write("".join(f"{line}\n" for line in errors.lines(args.lang or "fr")))
        return EX_CONFIG
    language = args.lang or config.site.language
    kind = _format(args)
    wrong = _misused(args, kind, language)
    if wrong is not None:
        return _fail(wrong, BAD_USAGE)
    try:
        zone = site_zone() if args.zone is None else zone_named(args.zone)
    except ZoneError:
        return _fail(say("report_zone", language, zone=args.zone), BAD_USAGE)
    try:
        found = sources(args.state_dir, now(), _progress)
    except TroubleError as trouble:
        return _fail(say("report_unreadable", language, folder=args.state_dir, why=trouble), NOT_WELL)
    finally:
        _progress("")
    make = _case if args.incident is not None else _report
    # What is on record has happened, whatever the clock of the machine that reads it says.
    present_s = max([now(), *(recorded.at for recorded in found.events if recorded.synced)])
    made = make(args, kind, config, found, zone, present_s)
    if isinstance(made, str):
        return _fail(made, NOT_WELL)
    return _write(args.out, made, language)


def _format(args: argparse.Namespace) -> str:
    if args.json:
        return "json"
    ending = args.out.suffix.lower().removeprefix(".").replace("htm", "html").replace("htmll", "html")
    return str(args.format or (ending if ending in FORMATS else "text"))


def _misused(args: argparse.Namespace, kind: str, language: str) -> str | None:
    """What is wrong with the options together, in words."""
    if args.last is not None and args.first is None:
        return say("report_to_alone", language)
    if args.first is not None and args.last is not None and args.last < args.first:
        return say("report_backwards", language, first=args.first, last=args.last)
    if args.incident is not None and kind == "csv":
        return say("report_no_csv", language)
    if kind == "pdf" and importlib.util.find_spec("reportlab") is None:
        return say("plan_no_library", language, python=sys.executable)
    if kind == "pdf" and args.out == Path("-") and sys.stdout.isatty():
        return say("report_pdf_terminal", language)
    return None


def _fail(why: str, code: int) -> int:
    sys.stderr.write("".join(f"vigie report: {line}\n" for line in why.splitlines()))
    return code


def _progress(name: str) -> None:
    """Long work shows where it is, to a person."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{name}")
        sys.stderr.flush()


# --- the two kinds -------------------------------------------------------------------------------------


def asked(args: argparse.Namespace, zone: tzinfo, now_s: float) -> Span:
    """The span that was asked for; it may not be over."""
    from agent.reports.month_time import Span, local, milliseconds, of_days, of_month

    today = local(milliseconds(now_s), zone).date()
    if args.month is not None:
        year, month = args.month
        return of_month(year, month, zone)
    if args.days is not None:
        first = of_days(today - timedelta(days=args.days - 1), today, zone).begin
        return Span(first, milliseconds(now_s))
    if args.first is not None:
        return of_days(args.first, max(args.first, args.last or today), zone)
    before = today.replace(day=1) - timedelta(days=1)
    return of_month(before.year, before.month, zone)


def _report(
    args: argparse.Namespace, kind: str, config: Config, found: Sources, zone: tzinfo, now_s: float
) -> bytes | str:
    """The report as a file, or why there is none."""
    from agent.cli.report_sources import about, data_used
    from agent.reports import month_data, month_document
    from agent.reports.month import month
    from agent.reports.month_time import Span, day_name, milliseconds

    language = args.lang or config.site.language
    whole = asked(args, zone, now_s)
    span = Span(whole.begin, min(whole.end, milliseconds(now_s)))
    begins = min((milliseconds(r.at) for r in found.events if r.synced), default=None)
    if begins is None or span.length == 0 or begins >= span.end:
        known = say("report_nothing_ever", language) if begins is None else day_name(begins, zone)
        first, last = day_name(whole.begin, zone), day_name(max(whole.begin, whole.end - 1), zone)
        return say("report_nothing", language, first=first, last=last, known=known)
    used = {
        name: spent
        for name, spent in data_used(args.state_dir).items()
        if any(day_name(at, UTC).startswith(spent[0]) for at in (span.begin, span.end - 1))
    }
    made = month(
        found.events,
        about(config),
        span,
        zone,
        found.alive,
        found.figures,
        {name: used_bytes for name, (_, used_bytes) in used.items()},
        next((name for name, _ in used.values()), None),
    )
    cut = span.end < whole.end
    if kind == "json":
        return _json(month_data.as_json(made, cut=cut))
    if kind == "csv":
        return month_data.as_csv(made).encode()
    return _drawn(month_document.document(made, language, cut=cut), kind)


def _case(
    args: argparse.Namespace, kind: str, config: Config, found: Sources, zone: tzinfo, now_s: float
) -> bytes | str:
    """The case file as a file, or why there is none."""
    from agent.cli.report_sources import about
    from agent.reports import case_data, case_document
    from agent.reports.case import case, incidents
    from agent.reports.month_time import milliseconds

    language = args.lang or config.site.language
    site, drawn_at = about(config), milliseconds(now_s)
    made = case(found.events, args.incident, site, zone, drawn_at, found.alive, found.figures)
    if made is None:
        known = ", ".join(reversed(incidents(found.events)[-8:])) or say("report_no_incident", language)
        return say("report_unknown_incident", language, name=args.incident, known=known)
    if kind == "json":
        return _json(case_data.as_json(made))
    return _drawn(case_document.document(made, language), kind)


def _json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()


def _drawn(paper: Paper, kind: str) -> bytes:
    if kind == "pdf":
        from agent.reports import paper_pdf

        return paper_pdf.render(paper)
    from agent.reports import paper_html, paper_text

    return (paper_html.render(paper) if kind == "html" else paper_text.render(paper)).encode()


def _write(out: Path, content: bytes, language: str) -> int:
    if out == Path("-"):
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return WELL
    try:
        out.write_bytes(content)
    except OSError as error:
        return _fail(say("plan_unwritten", language, path=out, why=error.strerror or error), NOT_WELL)
    sys.stdout.write(f"{say('report_written', language, path=out)}\n")
    return WELL
