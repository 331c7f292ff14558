"""``vigie power``: what a person may ask of the running agent's hand on the power."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from agent.cli.control_client import (
    DEFAULT_SOCKET,
    EventLine,
    RefusedError,
    UnreachableError,
    as_snapshot,
    ask,
)
from agent.cli.durations import parse
from agent.cli.labels import LANGUAGES, label, language_of
from agent.cli.ordering import GoneError, Ordered, order
from agent.cli.view import local_day, power_text, refused_text
from agent.cli.who import login_name
from agent.cli.words import say
from agent.core.requests import OVERRIDDEN
from agent.core.snapshot_types import BoxView, Phase, Snapshot
from agent.sinks.payloads import moment
from agent.text import duration, refusal

DONE, NOT_DONE, CANNOT, INTERRUPTED = 0, 1, 2, 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``vigie power``."""
    parser.epilog = (
        "Exit code: 0 done or accepted, 1 refused or without help, 2 no agent answers. "
        "Whoever may write to the socket (its group) may ask."
    )
    deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
    _deed(deeds, "status", "armed or not, and where each box stands; exit code 1 if not armed")
    cycle = _deed(deeds, "cycle", "restart a box and wait for what comes of it", box=True, by=True)
    cycle.add_argument(
        "--force", action="store_true", help="I am on site and know better than the rules that judge"
    )
    cycle.add_argument("--no-wait", action="store_true", help="do not wait for what comes of it")
    _deed(deeds, "restore", "give a box its power back before its cut ends", box=True, by=True)
    hold = _deed(deeds, "hold", "no automatic restarts for a while", by=True)
    hold.add_argument(
        "--for", dest="for_s", type=_duration, metavar="TIME", help="2h, 90min, 1h30; default 1h, at most 24h"
    )
    _deed(deeds, "release", "end the hold", by=True)


def _deed(
    deeds: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    *,
    box: bool = False,
    by: bool = False,
) -> argparse.ArgumentParser:
    parser = deeds.add_parser(name, help=text, description=text.capitalize() + ".")
    if box:
        parser.add_argument("box", metavar="BOX", help="its name in the configuration")
    if by:
        parser.add_argument("--by", default=login_name(), help="who asks (default: %(default)s)")
    parser.add_argument("--socket", type=Path, default=DEFAULT_SOCKET, help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--lang", choices=LANGUAGES, default=language_of(), help="default: %(default)s")
    return parser


def _duration(text: str) -> float:
    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(say("duration_wrong", language_of(), given=text)) from error


def run(args: argparse.Namespace) -> int:
    """Ask, follow, tell."""
    deed = {"status": _status, "cycle": _cycle, "restore": _restore, "hold": _hold, "release": _release}
    try:
        return asyncio.run(deed[args.deed](args))
    except GoneError:
        sys.stderr.write(f"vigie power: {say('agent_gone', args.lang)}\n")
        return CANNOT
    except (UnreachableError, RefusedError) as fault:
        sys.stderr.write(f"vigie power: {fault}\n")
        return CANNOT
    except KeyboardInterrupt:
        if args.deed == "cycle":
            sys.stderr.write(f"\n{say('power_goes_on', args.lang)}\n")
        return INTERRUPTED


def _tell(args: argparse.Namespace, answer: dict[str, Any], text: str) -> int:
    """The result, as JSON or in words; and the exit code."""
    if args.json:
        json.dump(answer, sys.stdout, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(f"{text}\n")
    return DONE if answer["ok"] else NOT_DONE


# --- holds ------------------------------------------------------------------------------------------------


async def _hold(args: argparse.Namespace) -> int:
    answer = await ask(args.socket, {"do": "hold", "for_s": args.for_s, "by": args.by})
    if answer["ok"]:
        return _tell(args, answer, say("power_held", args.lang, left=duration(answer["for_s"], args.lang)))
    reason = refusal(answer["reason"], args.lang)
    return _tell(args, answer, say("power_hold_refused", args.lang, reason=reason))


async def _release(args: argparse.Namespace) -> int:
    answer = await ask(args.socket, {"do": "release", "by": args.by})
    return _tell(args, answer, say("power_released", args.lang))


# --- boxes ------------------------------------------------------------------------------------------------


async def _restore(args: argparse.Namespace) -> int:
    answer = await ask(args.socket, {"do": "restore", "box": args.box, "by": args.by})
    if not answer["ok"]:
        return _tell(args, answer, await _refused(args, answer))
    return _tell(args, answer, say("power_restored", args.lang, label=args.box))


async def _cycle(args: argparse.Namespace) -> int:
    request = {"do": "cycle", "box": args.box, "by": args.by, "force": args.force}
    if args.no_wait:
        done = Ordered(await ask(args.socket, request))
    else:
        follower = Follower(args.lang, None if args.json else sys.stdout)
        try:
            done = await order(args.socket, request, follower)
        finally:
            follower.clear()
    answer = done.answer
    if not answer["ok"]:
        return _tell(args, answer, await _refused(args, answer))
    if done.end is None:
        return _tell(args, answer, say("power_accepted", args.lang, label=args.box, order=answer["order"]))
    if args.json:
        _tell(args, {**answer, "outcome": done.end.code, "args": done.end.args}, "")
    return DONE if done.helped else NOT_DONE


async def _refused(args: argparse.Namespace, answer: dict[str, Any]) -> str:
    """Why not, until when, and what can be done about it."""
    reason, language = str(answer["reason"]), args.lang
    boxes = as_snapshot(await ask(args.socket, {"do": "status"})).boxes
    if reason == "no_box":
        key = "power_no_box" if boxes else "power_no_boxes"
        return say(key, language, box=args.box, names=", ".join(box.name for box in boxes))
    name = next((box.label for box in boxes if box.name == args.box), args.box)
    text = say("power_refused", language, label=name, reason=refusal(reason, language))
    if answer["for_s"] is not None:
        left = duration(max(1, math.ceil(answer["for_s"])), language)
        text += say("power_possible", language, left=left)
    if reason in OVERRIDDEN:
        text += say("power_force", language)
    return text


class Follower:
    """Tells what happens to a box: a line for each event, and a countdown below them on a terminal."""

    def __init__(self, language: str, stream: TextIO | None) -> None:
        """``stream`` None tells nothing."""
        self._language = language
        self._stream = stream
        self._live = stream is not None and stream.isatty()
        self._shot: Snapshot | None = None
        self._shot_at = 0.0
        self._drawn = ""

    def event(self, event: EventLine) -> None:
        """One more line."""
        self.line(event.text(self._language))

    def line(self, text: str) -> None:
        """One more line."""
        self.clear()
        if self._stream is not None:
            self._stream.write(f"{text}\n")
            self._stream.flush()

    def picture(self, shot: Snapshot) -> None:
        """Where the countdown stands."""
        self._shot, self._shot_at = shot, time.monotonic()

    def tick(self) -> None:
        """Draw the countdown anew."""
        if self._stream is None or not self._live or self._shot is None:
            return
        now = self._shot.mono + time.monotonic() - self._shot_at
        busy = next((box for box in self._shot.boxes if box.phase is not Phase.POWERED), None)
        text = "" if busy is None else countdown(busy, now, self._language)
        if text != self._drawn:
            self.clear()
            self._stream.write(text)
            self._stream.flush()
            self._drawn = text

    def clear(self) -> None:
        """Take the countdown away."""
        if self._stream is not None and self._drawn:
            self._stream.write("\r\x1b[K")
            self._drawn = ""


def countdown(box: BoxView, now: float, language: str) -> str:
    """Where a box in its cycle stands at ``now``, monotonic seconds of the agent's machine."""
    if box.phase is Phase.ORDERED or box.until is None:
        return say("power_ordered", language, label=box.label)
    left_s = math.ceil(box.until - now)
    if left_s <= 0 and box.phase is Phase.BOOTING:
        return say("power_boot_late", language, label=box.label)
    key = "power_cut_left" if box.phase is Phase.CUT else "power_boot_left"
    return say(key, language, label=box.label, left=duration(max(0, left_s), language))


# --- status -----------------------------------------------------------------------------------------------


async def _status(args: argparse.Namespace) -> int:
    shot = as_snapshot(await ask(args.socket, {"do": "status"}))
    if args.json:
        json.dump(status(shot), sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in status_lines(shot, args.lang))
    return DONE if shot.armed else NOT_DONE


def status(shot: Snapshot) -> dict[str, Any]:
    """What there is to say of power, as plain data; durations are seconds from now."""

    def left_s(until: float | None) -> float | None:
        return None if until is None else round(max(0.0, until - shot.mono), 1)

    held = shot.hold_until is not None and shot.hold_until > shot.mono
    return {
        "armed": shot.armed,
        "unarmed_why": shot.unarmed_why,
        "hold_for_s": left_s(shot.hold_until) if held else None,
        "boxes": [
            {
                "name": box.name,
                "label": box.label,
                "uplink": box.uplink,
                "wired": box.wired,
                "phase": box.phase,
                "for_s": left_s(box.until),
                "cycles_today": box.cycles_today,
                "refusal": box.refusal,
                "refused_for_s": left_s(box.refused_until),
                "proven_at": None if box.proven_at is None else moment(box.proven_at),
            }
            for box in shot.boxes
        ],
    }


def status_lines(shot: Snapshot, language: str) -> list[str]:
    """The same in words: power first, then one row for each box, then why no restart happens."""
    lines = [power_text(shot, language)]
    if not shot.boxes:
        return [*lines, say("power_no_boxes_at_all", language)]
    head = [say(f"power_{key}", language) for key in ("box", "state", "today", "proven")]
    rows = [head, *(_row(shot, box, language) for box in shot.boxes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append("  ".join(cells).rstrip())
    lines += [refused_text(shot, box, language) for box in shot.boxes if box.refusal is not None]
    return lines


def _row(shot: Snapshot, box: BoxView, language: str) -> list[str]:
    state = label(f"phase.{box.phase}", language)
    if box.until is not None and box.phase is not Phase.POWERED:
        left = duration(math.ceil(max(0.0, box.until - shot.mono)), language)
        state = f"{state} ({label('left', language, left=left)})"
    if not box.wired:
        return [f"{box.label} ({box.name})", say("power_unwired", language), "–", "–"]
    proven = say("power_never", language) if box.proven_at is None else local_day(box.proven_at)
    return [f"{box.label} ({box.name})", state, str(box.cycles_today), proven]
