"""The ``vigie`` command: finds the subcommand and nothing more, so that each loads only what it needs."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from agent import __version__

COMMANDS = {
    "run": "the daemon: watch, decide, act, tell",
    "check": "read a configuration and say everything that is wrong with it",
    "demo": "play a bay that does not exist, with real packets",
    "status": "what the running agent says, once",
    "watch": "panel, uplinks and events of the running agent, live",
    "signal": "a modem's signal, live, for aiming its antenna; places noted and compared",
    "power": "restart a box, or withhold automatic restarts, through the running agent",
    "commission": "try out everything with a person: uplinks, relays, panel, broker; keep a signed record",
    "plan": "print what a site needs on paper: the front panel's label, and what its LEDs mean",
    "report": "a month's availability, outages and costs; or an incident's case file for the operator",
    "audit": "the weak points of this site, the worst first, and what to buy next",
    "fleet": "all sites of a broker in one table, the worst first; or judged once, as a Nagios check",
    "replay": "a recorded day through the present detector, alone or beside other rules",
}
"""Each is a module of this package with ``add_arguments(parser)`` and ``run(args) -> int``; one may have
``bad_usage(given) -> int``, the exit code for arguments that make no sense."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 well; 1 the thing asked about is not well; 2 bad usage; 78 bad configuration.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    chosen = next((word for word in given if not word.startswith("-")), None)
    parser = argparse.ArgumentParser(prog="vigie", description="Watchdog of a dealership's network bay.")
    parser.add_argument("--version", action="version", version=f"vigie {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if name == chosen:
            importlib.import_module(f"agent.cli.{name}").add_arguments(command)
    try:
        args = parser.parse_args(given)
    except SystemExit as ended:
        if ended.code and chosen in COMMANDS:
            command_module = importlib.import_module(f"agent.cli.{chosen}")
            if hasattr(command_module, "bad_usage"):
                raise SystemExit(command_module.bad_usage(given)) from None
        raise
    try:
        return int(importlib.import_module(f"agent.cli.{args.command}").run(args))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has gone (head, less): that is its right.
        sys.stderr.close()
        return 0
