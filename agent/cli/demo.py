"""``vigie demo``: a bay that does not exist, with real packets, played in a terminal.

It needs network namespaces: as root, or in a user namespace of its own, into which it moves by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from agent.cli.expectations import Evidence, judge, unknown_words
from agent.cli.labels import LANGUAGES, language_of
from agent.cli.summary import summary, verdict
from hardware.virtual import scenario_reader
from hardware.virtual.scenario import Player, Scenario

if TYPE_CHECKING:
    from agent.cli.stage import Stage

PASSED, FAILED, CANNOT, INTERRUPTED = 0, 1, 2, 130
INSIDE = "VIGIE_DEMO_INSIDE"
"""Set once the demo has moved into a user namespace, so that it never tries twice."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``vigie demo``."""
    parser.epilog = "Exit code: 0 everything was seen as it must, 1 not, 2 it cannot be played here."
    parser.add_argument(
        "scenario",
        nargs="?",
        default=scenario_reader.DEFAULT,
        help="name or .toml file (default: %(default)s)",
    )
    parser.add_argument("--list", action="store_true", help="say which scenarios there are")
    parser.add_argument(
        "--headless", action="store_true", help="no live panel, a line for each thing that happens"
    )
    parser.add_argument("--json", action="store_true", help="with --headless: events as JSON lines on stdout")
    parser.add_argument("--lang", choices=LANGUAGES, default=language_of(), help="default: %(default)s")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep configuration, log and state of the agent in FOLDER"
    )


def run(args: argparse.Namespace) -> int:
    """Play one scenario and judge it."""
    try:
        if args.list:
            return _list(args.lang)
        scenario = scenario_reader.find(args.scenario)
    except scenario_reader.ScenarioError as fault:
        return _cannot(str(fault))
    if wrong := unknown_words(scenario):
        return _cannot("\n".join(f"{scenario.name}.toml: {one}" for one in wrong))
    if scenario.plays is Player.CORE:
        return _in_virtual_time(scenario, args)
    if args.keep is not None and (args.keep / "vigie.toml").exists():
        return _cannot(
            f"{args.keep} holds an earlier play, whose memory would count in this one; empty it first"
        )
    if why := _obstacle():
        return _cannot(why)
    if os.geteuid() != 0:
        _move_into_user_namespace()
    return _perform(scenario, args)


def _list(language: str) -> int:
    for name in scenario_reader.names():
        scenario = scenario_reader.find(name)
        sys.stdout.write(f"{name:16} {scenario.duration_s:3.0f} s  {scenario.title[language]}\n")
    return PASSED


def _cannot(why: str) -> int:
    sys.stderr.write("".join(f"vigie demo: {line}\n" for line in why.splitlines()))
    return CANNOT


# --- what the machine must allow ----------------------------------------------------------------------------


def _obstacle() -> str | None:
    """Why the bay cannot be built on this machine, None if it can."""
    # A user's PATH often lacks the directories where Debian keeps ip and mosquitto.
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    if sys.platform != "linux":
        return "the virtual bay is made of Linux network namespaces; this is not Linux"
    if shutil.which("ip") is None:
        return "the program 'ip' is missing (Debian: apt install iproute2)"
    if os.geteuid() == 0:
        return None
    if shutil.which("unshare") is None:
        return "the program 'unshare' is missing (Debian: apt install util-linux), or run with sudo"
    probe = [*_UNSHARE, "true"]
    tried = subprocess.run(probe, capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else _forbidden(tried.stderr.strip())


_UNSHARE = ("unshare", "--user", "--map-root-user", "--net")


def _forbidden(said: str) -> str:
    """Which setting of the kernel stands in the way."""
    settings = (
        ("kernel.unprivileged_userns_clone", "0", "1"),
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
        ("user.max_user_namespaces", "0", "10000"),
    )
    for name, bad, good in settings:
        with contextlib.suppress(OSError):
            if Path("/proc/sys", *name.split(".")).read_text(encoding="ascii").strip() == bad:
                return (
                    f"this kernel forbids network namespaces to ordinary users ({name} = {bad}).\n"
                    f"Run with sudo, or allow it: sudo sysctl {name}={good}"
                )
    return f"network namespaces are not allowed here ({said or 'unshare failed'}); run with sudo"


def _move_into_user_namespace() -> None:
    """Start over as root of a user namespace; returns only when already there."""
    if INSIDE in os.environ:
        raise SystemExit(_cannot("not root even in a user namespace of its own; run with sudo"))
    os.environ[INSIDE] = "1"
    sys.stdout.flush()
    os.execvp(_UNSHARE[0], [*_UNSHARE, sys.executable, "-m", "agent", *sys.argv[1:]])  # noqa: S606


# --- in virtual time ----------------------------------------------------------------------------------------


def _in_virtual_time(scenario: Scenario, args: argparse.Namespace) -> int:
    """A scenario for the core alone: hours of it in seconds, and then what happened when."""
    from agent.cli.core_story import play
    from agent.cli.timeline import timeline

    if args.json or args.keep is not None:
        return _cannot(f"{scenario.name} plays the core alone; there is neither --json nor --keep for it")
    evidence = play(scenario)
    failures = judge(scenario, evidence)
    lines = [scenario.title[args.lang], scenario.text[args.lang], *timeline(scenario, evidence, args.lang)]
    for line in (*lines, *verdict(failures, args.lang)):
        sys.stdout.write(f"{_fitted(line, sys.stdout)}\n")
    return FAILED if failures else PASSED


# --- the performance ----------------------------------------------------------------------------------------


def _perform(scenario: Scenario, args: argparse.Namespace) -> int:
    """Play, tell how it went, and say it by the exit code."""
    from agent.cli.stage import HeadlessStage, LiveStage
    from agent.cli.story import StoryError
    from hardware.virtual.netns import NamespaceError

    stage: Stage
    if args.headless or args.json or not sys.stdout.isatty():
        stage = HeadlessStage(scenario, args.lang, sys.stderr, sys.stdout if args.json else None)
    else:
        stage = LiveStage(scenario, args.lang)
    try:
        evidence = asyncio.run(_until_signalled(scenario, args, stage))
    except StoryError as fault:
        stage.verdict([str(fault)])
        _cannot(str(fault))
        return FAILED
    except (NamespaceError, OSError) as fault:
        return _cannot(f"the bay cannot be built here: {fault}")
    if evidence is None:
        return INTERRUPTED
    failures = judge(scenario, evidence)
    stage.verdict(failures)
    words = summary(scenario, evidence, failures, args.lang)
    stream = sys.stderr if args.json else sys.stdout
    for line in words:
        stream.write(f"{_fitted(line, stream)}\n")
    return FAILED if failures else PASSED


def _fitted(line: str, stream: TextIO) -> str:
    """The line broken between words for a terminal; unbroken for a pipe."""
    if not stream.isatty():
        return line
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.fill(line, shutil.get_terminal_size().columns, subsequent_indent=indent)


async def _until_signalled(scenario: Scenario, args: argparse.Namespace, stage: Stage) -> Evidence | None:
    """Play; None if a signal ended it. Cleaning up is not interrupted by more signals."""
    from agent.cli.story import Story

    playing = asyncio.current_task()
    assert playing is not None
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        if not interrupted:
            interrupted = True
            playing.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, interrupt)
    try:
        with _folder(args.keep) as folder:
            async with stage.open():
                return await Story(scenario, folder, args.lang, stage).play()
    except asyncio.CancelledError:
        if interrupted:
            return None
        raise


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """The folder of this play: the given one, which stays, or one of its own, which does not."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="vigie-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
