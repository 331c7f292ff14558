"""``vigie run``: the daemon."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

EX_CONFIG = 78  # sysexits.h; systemd is told not to restart on it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``vigie run``; the folders default to what systemd gives."""
    parser.add_argument("--config", type=Path, default=Path("/etc/vigie/vigie.toml"), metavar="FILE")
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=Path(os.environ.get("STATE_DIRECTORY", "/var/lib/vigie")),
        metavar="DIR",
        help="what must survive a reboot (default: %(default)s)",
    )
    parser.add_argument(
        "--runtime-dir",
        type=Path,
        default=Path(os.environ.get("RUNTIME_DIRECTORY", "/run/vigie")),
        metavar="DIR",
        help="control socket and other files of this run (default: %(default)s)",
    )
    parser.add_argument("--verbose", action="store_true", help="log more")


def run(args: argparse.Namespace) -> int:
    """Run until asked to stop."""
    from agent.config.reader import ConfigErrors, read

    _log_to_stderr(verbose=args.verbose)
    try:
        config = read(args.config)
    except ConfigErrors as error:
        sys.stderr.write(f"{error}\n")
        return EX_CONFIG
    from agent.app import App, Folders
    from agent.runtime.lock import AlreadyRunningError

    try:
        asyncio.run(App(config, Folders(args.state_dir, args.runtime_dir)).run())
    except AlreadyRunningError as error:
        sys.stderr.write(f"vigie: {error}\n")
        return 1
    except PermissionError as error:
        sys.stderr.write(f"vigie: {error}\nvigie: choose others: --state-dir DIR --runtime-dir DIR\n")
        return 1
    return 0


def _log_to_stderr(*, verbose: bool) -> None:
    """One line per record; under systemd without a time of our own, which the journal adds."""
    journal = "JOURNAL_STREAM" in os.environ
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(message)s" if journal else "%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    # These libraries write passwords or floods at their lower levels.
    for name in ("huawei_lte_api", "urllib3", "PIL", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
