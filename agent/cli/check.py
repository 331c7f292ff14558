"""``vigie check``: everything that is wrong with a configuration, or all that it says."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.cli.labels import LANGUAGES, language_of

if TYPE_CHECKING:
    from agent.config.problems import ConfigErrors
    from agent.config.schema import Config
    from agent.config.words import Words

EX_CONFIG = 78  # sysexits.h; systemd is told not to restart on it
DEFAULT_FILE = Path("/etc/vigie/vigie.toml")
DEFAULT_STATE = Path("/var/lib/vigie")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to ``vigie``."""
    text = "read a configuration and say everything that is wrong with it"
    parser = subparsers.add_parser("check", help=text, description=text.capitalize() + ".")
    add_arguments(parser)
    parser.set_defaults(run=run)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``vigie check``."""
    parser.add_argument(
        "file", type=Path, nargs="?", default=DEFAULT_FILE, metavar="FILE", help="default: %(default)s"
    )
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=DEFAULT_STATE,
        metavar="DIR",
        help="where the agent remembers which relays are proven (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument(
        "--lang", choices=LANGUAGES, help="language of the messages (default: the terminal's)"
    )


def run(args: argparse.Namespace) -> int:
    """Check one file.

    Returns:
        0 if the agent can start with it, 78 if not.
    """
    from agent.config.asked import asked
    from agent.config.effective import effective
    from agent.config.notices import notices
    from agent.config.problems import file_name
    from agent.config.reader import ConfigErrors, read
    from agent.config.schema import as_builtins
    from agent.config.services import asked_services
    from agent.config.words import say

    language = args.lang or language_of()
    try:
        config = read(args.file)
    except ConfigErrors as errors:
        if args.json:
            _print_json({"ok": False, "file": file_name(args.file), "problems": _problems(errors, language)})
        else:
            sys.stderr.write("".join(f"{line}\n" for line in errors.lines(language)))
        return EX_CONFIG
    unproven, told = _unproven(config, args.state_dir)
    questions = [words.text(language) for words in (*asked(config), *asked_services(config))]
    advice = [*notices(config, language), *(words.text(language) for words in told)]
    if args.json:
        _print_json(
            {
                "ok": True,
                "file": file_name(args.file),
                "config": as_builtins(config),
                "asked": questions,
                "notices": advice,
                "unproven": unproven,
            }
        )
    else:
        head = say("effective", path=file_name(args.file)).text(language)
        mark = say("notice").text(language)
        notes = "".join(f"# {line}\n" for line in [*questions, *(f"{mark}: {line}" for line in advice)])
        sys.stdout.write(f"# {head}\n\n{effective(config)}" + (f"\n{notes}" if notes else ""))
    return 0


def _unproven(config: Config, state: Path) -> tuple[list[str] | None, list[Words]]:
    """The boxes whose relay nobody has seen at work, and the advice that follows.

    Nothing is said where there is no agent; the list is None where it cannot be known.
    """
    from agent.config.effective import wiring
    from agent.config.words import say
    from agent.runtime.notes import PROOFS, decode_proofs, read_note
    from agent.runtime.store_codec import OutOfReachError, TroubleError

    wired = {box.name: box.relay for box in config.box if box.relay is not None}
    if not wired or not _exists(state):
        return None, []
    try:
        proven = decode_proofs(read_note(state, PROOFS) or {}, wiring(config))
    except OutOfReachError as trouble:
        return None, [say("notice_proofs_unreadable", path=state / PROOFS, why=trouble)]
    except TroubleError as trouble:
        return list(wired), [say("notice_proofs_damaged", path=state / PROOFS, why=trouble)]
    lacking = [name for name in wired if name not in proven]
    if not lacking or not config.power.require_proof:
        return lacking, []
    listed = ", ".join(f"{name} ({wired[name]})" for name in lacking)
    return lacking, [say("notice_unproven", names=listed)]


def _exists(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except OSError:
        return True


def _problems(errors: ConfigErrors, language: str) -> list[dict[str, Any]]:
    return [
        {
            "line": problem.line,
            "where": problem.where,
            "name": problem.name,
            "value": problem.value,
            "message": problem.words.text(language),
        }
        for problem in errors.problems
    ]


def _print_json(content: dict[str, Any]) -> None:
    json.dump(content, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
