"""``vigie commission``: walks an installer through everything that must have been seen to work once."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.cli.control_client import DEFAULT_SOCKET, RefusedError, UnreachableError, ask
from agent.cli.labels import LANGUAGES, language_of
from agent.cli.who import login_name
from agent.cli.words import say

if TYPE_CHECKING:
    from agent.cli.walk import Walk
    from agent.config.schema import Config
    from agent.reports.commissioning import Record

PASSED, FAILED, CANNOT, INTERRUPTED = 0, 1, 2, 130
STEPS = ("uplinks", "devices", "relays", "leds", "screen", "button", "broker")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``vigie commission``."""
    parser.epilog = (
        "Exit code: 0 everything tried out has passed, 1 something has not, 2 no agent answers or the record "
        "cannot be kept, 130 interrupted. Each relay really cuts its box: ask the people on site first."
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=STEPS,
        metavar="STEP",
        help=f"{', '.join(STEPS)}; repeatable",
    )
    parser.add_argument(
        "--yes", action="store_true", help="answer yes to every question (for tests: boxes are cut unasked)"
    )
    parser.add_argument("--by", default=login_name(), help="who signs (default: %(default)s)")
    parser.add_argument(
        "--record", type=Path, metavar="FILE", help="default: commissioning.json in the agent's state folder"
    )
    parser.add_argument(
        "--json", action="store_true", help="the record on standard output, the walk on standard error"
    )
    parser.add_argument("--socket", type=Path, default=DEFAULT_SOCKET, help="default: %(default)s")
    parser.add_argument("--lang", choices=LANGUAGES, default=language_of(), help="default: %(default)s")


def run(args: argparse.Namespace) -> int:
    """Walk, keep the record, sign it."""
    try:
        about: dict[str, Any] = asyncio.run(ask(args.socket, {"do": "about"}))["about"]
        walk = _prepared(args, about)
    except (UnreachableError, RefusedError) as fault:
        return _cannot(f"{fault}\n{say('commission_needs_agent', args.lang)}")
    except _CannotError as fault:
        return _cannot(str(fault))
    with _hang_up_like_interrupt():
        code = _walk(walk, args.only or STEPS)
    if args.json:
        from agent.reports.commissioning import encode

        sys.stdout.write(encode(walk.record))
    return code


class _CannotError(RuntimeError):
    """The walk cannot begin; the message says why and what to do."""


def _cannot(why: str) -> int:
    sys.stderr.write("".join(f"vigie commission: {line}\n" for line in why.splitlines()))
    return CANNOT


def _prepared(args: argparse.Namespace, about: dict[str, Any]) -> Walk:
    """Everything that can fail before anything is tried."""
    from agent.cli.walk import Walk
    from agent.reports.commissioning import FILE

    config = _config(args.lang, about)
    path = args.record or Path(str(about["state"])) / FILE
    record = _record(path, config, about, args.lang)
    if not args.by.strip():
        raise _CannotError(say("commission_nameless", args.lang))
    walk = Walk(
        args.socket,
        config,
        record,
        path,
        args.lang,
        args.by,
        None if args.yes else sys.stdin,
        sys.stderr if args.json else sys.stdout,
    )
    try:
        walk.keep(replace(record, stopped_at=None))
    except OSError as error:
        why = error.strerror or str(error)
        raise _CannotError(say("commission_unwritable", args.lang, path=path, why=why)) from error
    return walk


def _config(language: str, about: dict[str, Any]) -> Config:
    import msgspec

    from agent.config.schema import from_builtins

    try:
        return from_builtins(about["config"])
    except (KeyError, msgspec.ValidationError) as error:
        raise _CannotError(say("commission_other_version", language, why=error)) from error


def _record(path: Path, config: Config, about: dict[str, Any], language: str) -> Record:
    """The record so far, brought up to this day; a new one where there is none, or that of another site."""
    from agent.reports.commissioning import Record, RecordError, read

    try:
        found = read(path)
    except (RecordError, OSError) as error:
        raise _CannotError(say("commission_unreadable", language, path=path, why=error)) from error
    fresh = Record(config.site.name)
    record = fresh if found is None or found.site != config.site.name else found
    known = ("vigie", "python", "kernel", "system", "machine")
    return replace(record, versions={key: str(about[key]) for key in known if key in about})


@contextlib.contextmanager
def _hang_up_like_interrupt() -> Iterator[None]:
    """A lost terminal or a polite kill ends the walk as Ctrl-C does: a box in a cut gets its power back."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGTERM, signal.SIGHUP)
    former = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, former, strict=True):
            signal.signal(number, handler)


def _walk(walk: Walk, steps: list[str] | tuple[str, ...]) -> int:
    from agent.cli.walk import StoppedError
    from agent.cli.walk_devices import try_devices
    from agent.cli.walk_panel import try_buttons, try_leds, try_screen
    from agent.cli.walk_relays import give_back, try_relays
    from agent.cli.walk_uplinks import try_broker, try_uplinks

    table: dict[str, Callable[[Walk], None]] = {
        "uplinks": try_uplinks,
        "devices": try_devices,
        "relays": try_relays,
        "leds": try_leds,
        "screen": try_screen,
        "button": try_buttons,
        "broker": try_broker,
    }
    try:
        clock = "synchronised" if walk.shot().synced else "unsynchronised"
        walk.keep(replace(walk.record, clock=clock))
        walk.tell("commission_head", site=walk.config.site.label, by=walk.by)
        for step in STEPS:
            if step in steps:
                table[step](walk)
        _sign(walk)
    except (KeyboardInterrupt, StoppedError):
        walk.line("")
        with contextlib.suppress(UnreachableError, RefusedError):
            if give_back(walk):
                walk.tell("commission_given_back")
        walk.tell("commission_stopped", at=walk.at or say("commission_between", walk.language))
        walk.stop()
        return INTERRUPTED
    except (UnreachableError, RefusedError) as fault:
        walk.stop()
        return _cannot(f"{fault}\n{say('commission_lost', walk.language, at=walk.at or '–')}")
    except OSError as error:
        return _cannot(f"{os.fsdecode(error.filename or '')}: {error.strerror or error}")
    return FAILED if walk.failed else PASSED


def _sign(walk: Walk) -> None:
    """Ask for the signature under what the record now says, the results of earlier walks included."""
    from agent.cli.view import power_text
    from agent.cli.walk import MARKS, now
    from agent.reports.commissioning import Verdict

    items = walk.record.items
    passed = sum(1 for item in items.values() if item.verdict is Verdict.PASSED)
    walk.tell("commission_sum", passed=passed, count=len(items))
    walk.line(power_text(walk.shot(), walk.language))
    for name, item in items.items():
        if item.verdict is not Verdict.PASSED:
            walk.line(f"  {MARKS[item.verdict]} {name}: {item.why}")
    if walk.confirm("commission_sign", by=walk.by):
        walk.keep(replace(walk.record, signed_by=walk.by, signed_at=now()))
        walk.tell("commission_signed", by=walk.by)
    else:
        walk.tell("commission_unsigned")
