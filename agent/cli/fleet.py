"""``vigie fleet``: every site of a broker in one table, the worst first; live, or judged once."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import sys
import time
from collections.abc import Sequence

from agent.cli import fleet_check, fleet_json, fleet_options
from agent.cli.fleet_check import Once
from agent.cli.fleet_link import FleetLink, present
from agent.cli.fleet_live import fleet_of, live, write, write_json
from agent.cli.fleet_options import Options, UsageError
from agent.fleet.fleet import Fleet
from agent.fleet.judging import Site, Why

BAD_USAGE = 2

add_arguments = fleet_options.add_arguments


def bad_usage(given: Sequence[str]) -> int:
    """The exit code where the arguments make no sense: to whoever runs checks, 2 would mean CRITICAL."""
    if any(len(word) > 2 and "--once".startswith(word) for word in given):  # argparse takes short forms
        return _unusable("bad usage, see stderr", once=True)
    return BAD_USAGE


def run(args: argparse.Namespace) -> int:
    """Look once, or until told to stop."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a check runs in whatever locale, and must say something
    try:
        options = fleet_options.understood(args)
    except UsageError as error:
        return _unusable(str(error), once=args.once)
    if options.once:
        try:
            return asyncio.run(_once(options))
        except Exception as error:  # noqa: BLE001 (an exit code of 1 would be read as WARNING)
            return _unusable(f"{type(error).__name__}: {error}", once=True)
    try:
        return asyncio.run(live(options))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 0


def _unusable(why: str, *, once: bool) -> int:
    if once:
        sys.stdout.write(f"VIGIE UNKNOWN - {why.replace('|', '¦')}\n")
        return fleet_check.UNKNOWN
    sys.stderr.write(f"vigie fleet: {why}\n")
    return BAD_USAGE


async def _once(options: Options) -> int:
    began = time.monotonic()
    fleet = fleet_of(options)
    link = FleetLink(options.broker, fleet)
    following = asyncio.create_task(link.run())
    knowing = asyncio.create_task(_known(fleet, link))
    try:
        both = {following, knowing}
        await asyncio.wait(both, timeout=options.wait_s, return_when=asyncio.FIRST_COMPLETED)
        if following.done():
            following.result()  # it ends by a fault of our own alone
        took_s = time.monotonic() - began
        problem = link.problem if link.problem != "" else f"no answer within {options.wait_s:g} s"
        once = Once(
            sites=fleet.sites(present()),
            broker=options.address,
            filters=fleet.filters,
            problem=problem,
            settled=fleet.settled,
            own_clock_off_s=fleet.own_clock_off_s(),
            took_s=took_s,
        )
    finally:
        for task in (following, knowing):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    if options.as_json:
        write_json(fleet_json.document(once, time.time()))
    else:
        write("\n".join(fleet_check.lines(once, options.language)))
    return fleet_check.exit_code(once)


async def _known(fleet: Fleet, link: FleetLink) -> None:
    """Return once all is known that can be known, or nothing."""
    while True:
        link.changed.clear()
        if link.problem:
            return
        if link.problem is None and fleet.settled and not any(map(_may_prove_life, fleet.sites(present()))):
            return
        await link.changed.wait()


def _may_prove_life(site: Site) -> bool:
    """Its last words are old, but it is said to be there: its clock may be wrong, and it may speak again."""
    return site.why in (Why.STANDS_STILL, Why.NO_STATE)
