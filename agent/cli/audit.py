"""``vigie audit``: the weak points of a site, the worst first, and what to buy next."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.check import DEFAULT_FILE, DEFAULT_STATE, EX_CONFIG
from agent.cli.control_client import DEFAULT_SOCKET
from agent.cli.labels import LANGUAGES
from agent.cli.view import local_day

if TYPE_CHECKING:
    from agent.audit.advice import Advice
    from agent.audit.judging import Audit
    from agent.audit.saving import Change

WELL, NOT_WELL = 0, 1
PIPE_WIDTH, LEAST_WIDTH, MOST_WIDTH = 80, 40, 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``vigie audit``."""
    parser.epilog = (
        "Exit code: 0 nothing critical, 1 a critical weak point, or an open question that may hide one, "
        "or something could not be written; 78 bad configuration."
    )
    parser.add_argument(
        "--config", type=Path, default=DEFAULT_FILE, metavar="FILE", help="default: %(default)s"
    )
    parser.add_argument(
        "--state-dir", type=Path, default=DEFAULT_STATE, metavar="DIR", help="default: %(default)s"
    )
    parser.add_argument("--socket", type=Path, default=DEFAULT_SOCKET, help="default: %(default)s")
    parser.add_argument("--save", action="store_true", help="keep it in the state folder, to compare with")
    parser.add_argument(
        "--against", type=Path, metavar="FILE", help="compare with this audit (default: the saved one)"
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="also as a page, for a browser and paper")
    parser.add_argument("--pdf", type=Path, metavar="FILE", help="also as sheets of A4")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--lang", choices=LANGUAGES, help="default: the site's own")


def run(args: argparse.Namespace) -> int:
    """Look, judge, tell."""
    from agent.audit.advice import advised
    from agent.audit.judging import audited
    from agent.audit.points import Grade
    from agent.cli.audit_ground import looked_at
    from agent.config.reader import ConfigErrors, read

    try:
        config = read(args.config)
    except ConfigErrors as errors:
        sys.stderr.write("".join(f"{line}\n" for line in errors.lines(args.lang or "fr")))
        return EX_CONFIG
    language = args.lang or config.site.language
    ground, notes = looked_at(config, args.state_dir, args.socket, time.time())
    for note in notes:
        sys.stderr.write(f"vigie audit: {note}\n")
    audit, advice = audited(ground), advised(ground)
    change = _change(args, audit, language)
    # First: who reads the output may go before its end.
    written = _written(args, audit, advice, change, language)
    if args.json:
        _print_json(audit, advice, change)
    else:
        _print(audit, advice, change, language)
    return WELL if written and audit.worst is not Grade.CRITICAL else NOT_WELL


def _change(args: argparse.Namespace, audit: Audit, language: str) -> Change | None:
    """What has changed since the audit that is to be compared with; None if there is none."""
    from agent.audit.saving import FILE, SavedError, compared, decode
    from agent.audit.words import word

    path = args.against or args.state_dir / FILE
    try:
        before = decode(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if args.against is not None:
            _say(word("unreadable", language, path=path, why=error.strerror))
        return None
    except (OSError, UnicodeDecodeError, SavedError) as error:
        _say(word("unreadable", language, path=path, why=getattr(error, "strerror", None) or error))
        return None
    if before.site != audit.site:
        _say(word("other_site", language, path=path, site=before.site))
        return None
    return compared(before, audit)


def _print(audit: Audit, advice: Advice, change: Change | None, language: str) -> None:
    from agent.audit.drawing import rows
    from agent.audit.lines import lines

    told = lines(audit, advice, change, language, local_day(audit.at), _day_before(change))
    if sys.stdout.isatty():
        from agent.cli.terminal import print_rows

        columns = shutil.get_terminal_size().columns
        print_rows(rows(told, max(LEAST_WIDTH, min(MOST_WIDTH, columns))))
        return
    for row in rows(told, PIPE_WIDTH):
        sys.stdout.write("".join(text for text, _ in row).rstrip() + "\n")


def _day_before(change: Change | None) -> str:
    return "" if change is None else local_day(change.before_at)


def _print_json(audit: Audit, advice: Advice, change: Change | None) -> None:
    from dataclasses import asdict

    from agent.audit.saving import document

    content = document(audit)
    content["advice"] = asdict(advice)
    content["since"] = None
    if change is not None:
        content["since"] = {
            "at": change.before_at,
            "scores": dict(change.scores),
            "new": [[point.code, point.found.subject] for point in change.new],
            "gone": [list(key) for key in change.gone],
            "answered": [list(key) for key in change.answered],
        }
    json.dump(content, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def _written(
    args: argparse.Namespace, audit: Audit, advice: Advice, change: Change | None, language: str
) -> bool:
    """Write what was asked for; False if something could not be."""
    from agent.audit.drawing import html
    from agent.audit.lines import lines
    from agent.audit.saving import FILE, encode
    from agent.audit.words import word

    told = list(lines(audit, advice, change, language, local_day(audit.at), _day_before(change)))
    files: list[tuple[Path, bytes]] = []
    well = True
    if args.html is not None:
        files.append((args.html, html(told, language).encode()))
    if args.pdf is not None:
        if importlib.util.find_spec("reportlab") is None:
            _say(word("no_library", language, python=sys.executable))
            well = False
        else:
            from agent.audit.paper import draw

            files.append((args.pdf, draw(told, told[0].text)))
    if args.save:
        files.append((args.state_dir / FILE, encode(audit).encode()))
    for path, content in files:
        try:
            _replace(path, content)
        except OSError as error:
            _say(word("unwritten", language, path=path, why=error.strerror or error))
            well = False
        else:
            _say(word("written", language, path=path))
    return well


def _replace(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    draft = path.with_name(path.name + ".new")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _say(text: str) -> None:
    sys.stderr.write(f"vigie audit: {text}\n")
