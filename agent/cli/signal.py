"""``vigie signal``: a modem's signal, live, while a person aims its antenna."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli import aim_compare, aim_record
from agent.cli.aim import Reading
from agent.cli.aim_source import BesideError, GoneError
from agent.cli.aiming import Aiming, NotARecordError, RecordError, SilentError
from agent.cli.control_client import DEFAULT_SOCKET, NoAgentError, RefusedError, UnreachableError
from agent.cli.labels import LANGUAGES, language_of
from agent.cli.words import say
from agent.runtime.signals import ChoiceError

if TYPE_CHECKING:
    from agent.config.schema import Config

WELL, NOT_WELL, BAD, EX_CONFIG = 0, 1, 2, 78
FRAME_S = 0.1
BAD_LINES_TOLD = 5
PIPE_WIDTH = 110


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``vigie signal``."""
    parser.epilog = (
        "On a terminal: space or n notes the present place (hold the antenna still for 10 readings), q or "
        "Ctrl-C ends. Into a pipe: one line a reading. Exit code: 0 the modem answers, 1 it does not, or a "
        "place cannot be compared; 2 no agent, no such modem, or a file cannot be used; 78 bad configuration."
    )
    parser.add_argument("modem", nargs="?", metavar="MODEM", help="its name; without it the only one")
    parser.add_argument("--socket", type=Path, default=DEFAULT_SOCKET, help="default: %(default)s")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="where no agent runs: ask the modem of this configuration"
    )
    parser.add_argument("--record", type=Path, metavar="FILE", help="add readings and places, as JSON lines")
    parser.add_argument(
        "--name", type=_name, help="of the noted places; into a pipe, everything is read at this place"
    )
    parser.add_argument("--compare", type=Path, metavar="FILE", help="the places of a record, the best first")
    parser.add_argument("--count", type=_count, metavar="N", help="end after so many readings")
    parser.add_argument("--beep", action="store_true", help="beep the faster the better the signal is")
    parser.add_argument("--json", action="store_true", help="one JSON object a line for each reading")
    parser.add_argument("--lang", choices=LANGUAGES, default=language_of(), help="default: %(default)s")


def _name(text: str) -> str:
    if not 0 < len(text.strip()) <= 40 or not text.isprintable():
        raise argparse.ArgumentTypeError(f"{text!r}; allowed: 1 to 40 printable characters")
    return text.strip()


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r}; allowed: 1 to 1000000")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Aim until told to stop, or compare what was recorded."""
    if args.compare is not None:
        return _compare(args)
    live = sys.stdout.isatty() and not args.json
    if args.beep and not live:
        return _fail(say("signal_beep_needs", args.lang))
    config = None
    if args.config is not None:
        from agent.config.reader import ConfigErrors, read

        try:
            config = read(args.config)
        except ConfigErrors as errors:
            sys.stderr.write("".join(f"{line}\n" for line in errors.lines(args.lang)))
            return EX_CONFIG
    aiming = Aiming(args.lang, args.record, args.name)
    code = _aim(aiming, args, config, live=live)
    if not args.json:
        sys.stdout.writelines(f"{line}\n" for line in aiming.summary())
    if code != WELL:
        return code
    last = aiming.aim.last
    return WELL if last is not None and last.says.heard else NOT_WELL


def _aim(aiming: Aiming, args: argparse.Namespace, config: Config | None, *, live: bool) -> int:
    """Follow the modem to the end; what goes wrong is told in words."""
    language = args.lang
    try:
        asyncio.run(_live(aiming, args, config) if live else _plain(aiming, args, config))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return WELL
    except ChoiceError as error:
        names = ", ".join(f"{name} ({label})" for name, label in error.modems.items())
        return _fail(say(f"signal_{error.reason}", language, wanted=args.modem, names=names))
    except NoAgentError as fault:
        return _fail(say("signal_no_agent", language, why=fault))
    except BesideError as fault:
        return _fail(say("signal_beside", language, why=fault))
    except GoneError:
        return _fail(say("signal_gone", language))
    except (UnreachableError, RefusedError) as fault:
        return _fail(str(fault))
    except NotARecordError as fault:
        return _fail(say("signal_no_record", language, path=args.record, count=fault.count))
    except SilentError as fault:
        return _fail(" ".join((f"{fault.label}:", *fault.told)), NOT_WELL)
    except RecordError as fault:
        return _fail(say("signal_unwritable", language, path=args.record, why=fault))
    finally:
        aiming.close()
    return WELL


def _fail(text: str, code: int = BAD) -> int:
    sys.stdout.flush()
    sys.stderr.write(f"vigie signal: {text}\n")
    return code


async def _plain(aiming: Aiming, args: argparse.Namespace, config: Config | None) -> None:
    """A line for each reading."""
    if args.name is not None:
        # Nobody is there to press a key.
        aiming.note_all()

    def told(text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def heard(reading: Reading) -> None:
        if args.json:
            told(json.dumps(aim_record.as_json(reading, aiming.modem), ensure_ascii=False))
        else:
            told(aiming.line(reading))

    aiming.told = heard
    await aiming.follow(args.socket, args.modem, config, args.count)


async def _live(aiming: Aiming, args: argparse.Namespace, config: Config | None) -> None:
    from agent.cli.aim_rows import Stage, rows
    from agent.cli.keys import pressed
    from agent.cli.terminal import LiveTerminal

    watching = asyncio.current_task()
    assert watching is not None
    # Whoever ends it politely gets the terminal back as it was.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, watching.cancel)
    following = asyncio.create_task(aiming.follow(args.socket, args.modem, config, args.count))
    # What cannot begin at all is told in plain words, not on a screen that vanishes.
    await asyncio.wait({following}, timeout=0.5)
    try:
        if not following.done():
            with LiveTerminal() as terminal, pressed(aiming.press) as keys:
                shown, beeped_at = None, 0.0
                while not following.done() and not aiming.ended:
                    width, height = terminal.size
                    now_s = time.monotonic()
                    stage = Stage(now_s, time.time(), width, height, args.lang, aiming.label, keys)
                    # Over a weak line to a phone, only what has changed is worth sending.
                    picture = (width, height, rows(aiming.aim, stage))
                    if picture != shown:
                        terminal.rows(picture[2])
                        shown = picture
                    beat_s = aiming.beat_s if args.beep else None
                    if beat_s is not None and now_s - beeped_at >= beat_s:
                        beeped_at = now_s
                        terminal.beep()
                    await asyncio.wait({following}, timeout=FRAME_S)
    finally:
        if not following.done():
            following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    if not following.cancelled():
        following.result()


# --- comparing --------------------------------------------------------------------------------------------


def _compare(args: argparse.Namespace) -> int:
    """The table of the places of a record."""
    path, language = args.compare, args.lang
    try:
        recorded = aim_record.read(path)
    except OSError as fault:
        return _fail(say("signal_unreadable", language, path=path, why=fault.strerror or fault))
    for bad in recorded.bad[:BAD_LINES_TOLD]:
        _fail(say("signal_bad_line", language, path=path, line=bad.number, why=bad.why))
    if recorded.count == 0 or len(recorded.bad) == recorded.count:
        return _fail(say("signal_no_record", language, path=path, count=recorded.count))
    if not recorded.places:
        return _fail(say("signal_no_places", language, path=path), NOT_WELL)
    compared = aim_compare.compare(recorded)
    if args.json:
        sys.stdout.write(json.dumps(aim_compare.as_json(compared), ensure_ascii=False) + "\n")
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else PIPE_WIDTH
        sys.stdout.writelines(f"{line}\n" for line in aim_compare.table(compared, language, width))
    for place, count in compared.too_few:
        least = aim_compare.LEAST_READINGS
        _fail(say("signal_too_few", language, place=place, count=count, least=least))
    return NOT_WELL if compared.too_few else WELL
