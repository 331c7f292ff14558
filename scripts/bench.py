"""Measure what was asked for; see ``--help`` and docs/detection.md."""

from __future__ import annotations

import argparse
import asyncio
import sys
from math import inf
from pathlib import Path

SCRIPTS = Path(__file__).parent
sys.path[:0] = [str(SCRIPTS.parent), str(SCRIPTS)]

from agent.replay.lines import ReplayError  # noqa: E402
from measure.console import OUTAGES, TRACES, UnmeasurableError, say  # noqa: E402
from measure.rules import RulesError  # noqa: E402

WELL, WRONG, BAD = 0, 1, 2
WHAT = {
    "outage": "seconds from the first lost packet to suspect, down, cut and recovery in the demo's hung box",
    "kills": "the agent killed at random moments of power cycles; nothing may go wrong",
    "outbox": "10000 events while site and broker are killed, frozen, made to forget; none may be lost",
    "footprint": "CPU and memory of the daemon in calm",
    "data": "bytes of the agent itself on a metered standby, its own count beside the line's",
    "wayout": "seconds from an uplink's verdict to the broker's subscriber, with that uplink dead",
    "mqtt": "bytes of the connection to the broker on a metered uplink, in calm and in an incident",
    "page": "the page on the local network: bytes, and milliseconds to draw",
    "fleet": "vigie fleet before many simulated sites: time, CPU, memory, and how soon trouble shows",
    "faults": "cuts in the operator's eight-hour outage, and seconds from a box's hang to its cut",
    "rules": "each refusal of a power cycle taken out of a copy: which test notices that it is gone",
    "routes": "route mode: what a switch costs a voice stream, what 500 of them and kill -9 leave behind",
    "panel": "what the screen costs: pictures in a calm hour, bytes and bus time of each, time to draw",
    "detection": "our verdicts and other systems' rules on recorded lines, then on synthetic ones",
    "synthetic": "only the synthetic lines: delay and false declarations, with confidence intervals",
    "outages": "how long recorded outages lasted, and how long to wait before a power cycle",
}


def seconds(text: str) -> float:
    """A positive number of seconds."""
    value = float(text)
    if not 0 < value < inf:
        raise argparse.ArgumentTypeError(f"{text}: allowed: seconds above 0")
    return value


def parser() -> argparse.ArgumentParser:
    """The commands."""
    top = argparse.ArgumentParser(prog="scripts/bench", description="Measure, not test.")
    commands = top.add_subparsers(dest="what", required=True)
    each = {name: commands.add_parser(name, help=text, description=text) for name, text in WHAT.items()}
    each["outage"].add_argument("runs", type=int, nargs="?", default=5)
    each["wayout"].add_argument("runs", type=int, nargs="?", default=10, help="default: %(default)s")
    each["mqtt"].add_argument(
        "minutes", type=float, nargs="?", default=20.0, help="a multiple of ten; default: %(default)g"
    )
    each["kills"].add_argument("count", type=int, nargs="?", default=200, help="default: %(default)s")
    each["kills"].add_argument("--seed", type=int, default=1, help="default: %(default)s")
    each["kills"].add_argument("--bays", type=int, default=5, help="at once; default: %(default)s")
    each["outbox"].add_argument("failures", type=int, nargs="?", default=100, help="default: %(default)s")
    each["outbox"].add_argument("--events", type=int, default=10_000, help="default: %(default)s")
    each["outbox"].add_argument("--seed", type=int, default=1, help="default: %(default)s")
    each["outbox"].add_argument("--json", action="store_true", help="for programs")
    each["rules"].add_argument("reason", nargs="*", help="only these; default: all")
    each["rules"].add_argument("--jobs", type=int, default=1, help="copies at once; default: %(default)s")
    each["routes"].add_argument("switches", type=int, nargs="?", default=500, help="default: %(default)s")
    each["routes"].add_argument("--kills", type=int, default=50, help="default: %(default)s")
    each["routes"].add_argument("--seed", type=int, default=1, help="default: %(default)s")
    each["footprint"].add_argument("minutes", type=float, nargs="?", default=3.0)
    each["data"].add_argument("minutes", type=float, nargs="?", default=4.0, help="default: %(default)g")
    each["data"].add_argument("--months", action="store_true", help="whole months on the core instead")
    each["fleet"].add_argument("sites", type=int, nargs="?", default=1000, help="default: %(default)s")
    each["fleet"].add_argument(
        "--minutes", type=float, default=1.0, help="of the live table; default: %(default)g"
    )
    each["fleet"].add_argument(
        "--serve", action="store_true", help="only simulate, with troubles, to look at"
    )
    each["footprint"].add_argument("--web", action="store_true", help="with the page, looked at all the time")
    each["detection"].add_argument(
        "folder", type=Path, nargs="?", default=TRACES, help="default: %(default)s"
    )
    each["detection"].add_argument(
        "--picture",
        type=Path,
        metavar="FILE",
        help="draw the figures as PNG; plays everything six times more",
    )
    for name in ("detection", "synthetic"):
        each[name].add_argument("--switch-cost", type=seconds, default=10.0, metavar="SECONDS")
    each["synthetic"].add_argument("--seed", type=int, default=1, help="default: %(default)s")
    each["outages"].add_argument("file", type=Path, nargs="?", default=OUTAGES, help="default: %(default)s")
    each["outages"].add_argument(
        "--step",
        type=seconds,
        default=25.0,
        metavar="SECONDS",
        help="how often the line was asked; default: %(default)g",
    )
    return top


def run(args: argparse.Namespace) -> bool:
    """Measure, and say whether all was well; what a measurement needs is imported with it."""
    match args.what:
        case "outage":
            from measure.daemon import outage

            outage(args.runs)
        case "kills":
            from measure.kills import kills

            return not asyncio.run(kills(args.count, args.seed, args.bays))
        case "outbox":
            from measure.outbox import as_json, outbox, table

            outcome = asyncio.run(outbox(args.events, args.failures, args.seed))
            say(as_json(outcome)) if args.json else table(outcome)
            return not outcome.wrong
        case "footprint":
            from measure.daemon import footprint

            asyncio.run(footprint(args.minutes, web=args.web))
        case "data":
            from measure.data import data, months

            if args.months:
                months()
            else:
                asyncio.run(data(args.minutes))
        case "wayout":
            from measure.way_out import way_out

            asyncio.run(way_out(args.runs))
        case "mqtt":
            from measure.mqtt_bytes import mqtt_bytes

            asyncio.run(mqtt_bytes(args.minutes))
        case "page":
            from measure.lan_page import page

            page()
        case "fleet":
            from measure.fleet import measure as fleet
            from measure.fleet import serve

            asyncio.run(serve(args.sites) if args.serve else fleet(args.sites, args.minutes))
        case "faults":
            from measure.faults import faults

            faults(say)
        case "rules":
            from measure.rules import measure

            return measure(args.reason, args.jobs)
        case "routes":
            from measure.routes import routes

            return routes(args.switches, args.kills, args.seed)
        case "panel":
            from measure.panel import panel

            panel(say)
        case "detection":
            from measure.detection import detection
            from measure.synthetic import synthetic

            detection(args.folder, args.switch_cost, args.picture)
            say()
            synthetic(args.switch_cost)
        case "synthetic":
            from measure.synthetic import synthetic

            synthetic(args.switch_cost, args.seed)
        case "outages":
            from measure.outages import outages

            outages(args.file, args.step)
    return True


def main() -> int:
    """Exit code: 0 measured, 1 something went wrong that must not, 2 it cannot be measured."""
    try:
        well = run(parser().parse_args())
    except (ReplayError, RulesError, UnmeasurableError) as error:
        sys.stdout.flush()
        sys.stderr.write(f"scripts/bench: {error}\n")
        return BAD
    return WELL if well else WRONG


sys.exit(main())
