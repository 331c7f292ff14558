"""``vigie status``: what the running agent says, once."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from agent.cli.control_client import DEFAULT_SOCKET, RefusedError, UnreachableError, as_snapshot, ask
from agent.cli.labels import LANGUAGES, language_of
from agent.core.codes import Severity
from agent.core.snapshot_types import Health, Snapshot

WELL, NOT_WELL, NO_AGENT = 0, 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``vigie status``."""
    parser.epilog = "Exit code: 0 all well, 1 something is not, 2 no agent answers."
    parser.add_argument("--socket", type=Path, default=DEFAULT_SOCKET, help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="the whole snapshot as one JSON object")
    parser.add_argument("--lang", choices=LANGUAGES, default=language_of(), help="default: %(default)s")


def run(args: argparse.Namespace) -> int:
    """Ask, print, and judge."""
    try:
        answer = asyncio.run(ask(args.socket, {"do": "status"}))
        shot = as_snapshot(answer)
    except (UnreachableError, RefusedError) as fault:
        sys.stderr.write(f"vigie status: {fault}\n")
        return NO_AGENT
    if args.json:
        json.dump(answer["snapshot"], sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
    else:
        from agent.cli.terminal import print_status  # the JSON needs neither rich nor pictures

        print_status(shot, args.lang, sys.stdout)
    return WELL if is_well(shot) else NOT_WELL


def is_well(shot: Snapshot) -> bool:
    """True if every uplink works well and nothing stands that is worth a warning."""
    return all(uplink.health is Health.UP for uplink in shot.uplinks) and not any(
        finding.severity in (Severity.WARNING, Severity.ALERT) for finding in shot.findings
    )
