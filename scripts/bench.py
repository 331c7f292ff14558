"""Measurements on this machine, in the virtual bay with real packets.

``outage``: seconds from the first lost packet to suspect, down, cut and recovery in the demo's hung box.
``footprint``: CPU seconds per minute and memory of the daemon in calm, three uplinks of three targets each.
``detection``: our verdicts and other systems' rules on recorded lines: scores, and observations per second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from agent.cli.replay import mean_table, table  # noqa: E402
from agent.core.site import UplinkKind  # noqa: E402
from agent.replay.comparing import Compared, Comparison  # noqa: E402
from agent.replay.playing import Player, site_of  # noqa: E402
from agent.replay.reading import Trace, find, items, survey  # noqa: E402
from hardware.virtual.bay import Bay, BayUplink  # noqa: E402

STAGES = ("suspect", "down", "cut", "restored", "up")
CODES = ("uplink_suspect", "uplink_down", "box_cut", "box_restored", "uplink_up")


def say(text: str) -> None:
    """Write one line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def outage(runs: int) -> None:
    """Play the demo and read its event stream."""
    table: list[list[float]] = []
    for number in range(runs):
        argv = [sys.executable, "-m", "agent", "demo", "box_hung", "--headless", "--json"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        mine = [line for line in lines if line.get("subject") == "ftth"]
        suspect = next(line for line in mine if line["code"] == "uplink_suspect")
        lost_at = suspect["t"] - suspect["args"]["silent_s"]
        row = [
            next(line["t"] for line in mine if line["code"] == code and line["t"] > lost_at) - lost_at
            for code in CODES
        ]
        table.append(row)
        cells = "  ".join(f"{stage} {value:5.1f}" for stage, value in zip(STAGES, row, strict=True))
        say(f"run {number + 1}: {cells}  {lines[-1]['verdict']}")
    medians = [statistics.median(column) for column in zip(*table, strict=True)]
    say("median: " + "  ".join(f"{s} {v:5.1f}" for s, v in zip(STAGES, medians, strict=True)))


CONFIG = """
[site]
name = "bench"
{uplinks}
[[box]]
name = "box-a"
uplink = "a"
relay = "virtual:{folder}/relay.sock#a"
{mqtt}
"""
UPLINK = '[[uplink]]\nname = "{name}"\ninterface = "{interface}"\nkind = "{kind}"\n'


async def footprint(minutes: float) -> None:
    """Run the daemon in a calm bay and read /proc."""
    kinds = {"a": ("wan0", "ftth"), "b": ("wan1", "ftth"), "c": ("wan2", "cellular")}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        uplinks = [BayUplink(n, interface=i, kind=k) for n, (i, k) in kinds.items()]
        async with Bay(folder, uplinks) as bay:
            broker = await bay.start_broker()
            text = "".join(UPLINK.format(name=n, interface=i, kind=k) for n, (i, k) in kinds.items())
            mqtt = '[mqtt]\nhost = "203.0.113.10"\ntls = false\n' if broker else ""
            (folder / "vigie.toml").write_text(CONFIG.format(uplinks=text, folder=folder, mqtt=mqtt))
            argv = [sys.executable, "-m", "agent", "run", "--config", str(folder / "vigie.toml")]
            argv += ["--state-dir", str(folder / "state"), "--runtime-dir", str(folder / "run")]
            with (folder / "log").open("wb") as log:
                process = await bay.spawn(bay.site, argv, stdout=log, stderr=log, cwd=str(ROOT))
                await asyncio.sleep(20)
                before, began = cpu_s(process.pid), time.monotonic()
                written = written_bytes(process.pid)
                await asyncio.sleep(minutes * 60)
                used = (cpu_s(process.pid) - before) / (time.monotonic() - began)
                memory = status_kib(process.pid)
                wrote = written_bytes(process.pid) - written
            say(f"broker: {'mosquitto' if broker else 'none'}; calm, {minutes:g} min")
            say(f"CPU: {used * 60:.2f} s per minute ({used * 100:.2f} % of one core)")
            resident, own = memory["VmRSS"] / 1024, memory["RssAnon"] / 1024
            say(f"memory: {resident:.1f} MiB resident, {own:.1f} MiB of it own")
            a_day = wrote / (minutes / 60 / 24) / 1e6
            say(f"written: {wrote / 1000:.0f} kB in {minutes:g} min ({a_day:.1f} MB a day)")


def cpu_s(pid: int) -> float:
    """User and system time of a process, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def written_bytes(pid: int) -> int:
    """What the process has caused to be written to storage so far (page cache write-back), bytes."""
    lines = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(lines["write_bytes"])


def status_kib(pid: int) -> dict[str, int]:
    """The memory lines of /proc/PID/status, KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) for line in lines if line.endswith(" kB")}


TRACES = ROOT.parent / "shared" / "data" / "traces"
KINDS = {"starlink": "starlink", "cell": "cellular", "ftth": "ftth", "fibre": "ftth"}
"""How the name of a trace begins tells the kind of its line; any other is ``other``."""


def detection(folder: Path, switch_cost_s: float) -> None:
    """Replay every trace of a folder, for the time it takes and then beside the other rules."""
    if not folder.is_dir():
        say(f"no traces: {folder} is not there; nothing was measured")
        return
    results: list[Compared] = []
    observations, used_s, slowest = 0, 0.0, ("", float("inf"))
    for trace in find([folder]):
        kind = next((kind for begin, kind in KINDS.items() if trace.name.startswith(begin)), "other")
        count, took_s = replay_alone(trace, UplinkKind(kind), switch_cost_s)
        observations, used_s = observations + count, used_s + took_s
        slowest = min(slowest, (trace.name, count / took_s), key=lambda pair: pair[1])
        heard = survey(trace)
        site = site_of(trace.name, heard, UplinkKind(kind), switch_cost_s)
        new = Comparison(site, ticked=heard.ticked).run(items(trace, heard))
        for one in new:
            say("\n".join(table(one)) + f"\n  {kind}; {count / took_s:,.0f} observations a second\n")
        results += new
    say("\n".join(matrix(results)))
    say("\n" + "\n".join(mean_table(results)))
    say(f"replay: {observations / used_s:,.0f} observations a second on one core")
    say(f"slowest: {slowest[0]}, {slowest[1]:,.0f} a second")


def replay_alone(trace: Trace, kind: UplinkKind, switch_cost_s: float) -> tuple[int, float]:
    """Observations of one replay, reading included and ticks aside, and the CPU seconds it took."""
    began = time.process_time()
    heard = survey(trace)
    player = Player(site_of(trace.name, heard, kind, switch_cost_s), ticked=heard.ticked)
    for _ in player.play(items(trace, heard)):
        pass
    return player.observations, time.process_time() - began


def matrix(results: list[Compared]) -> list[str]:
    """Scores only, one line a trace, one column a rule."""
    rules = list(results[0].scores)
    wide = max(len(one.name) for one in results)
    lines = [" " * wide + "  " + "  ".join(rules)]
    for one in results:
        cells = [f"{one.scores[rule].ratio:{len(rule)}.2f}" for rule in rules]
        lines.append(f"{one.name:<{wide}}  " + "  ".join(cells))
    return lines


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("outage").add_argument("runs", type=int, nargs="?", default=5)
    commands.add_parser("footprint").add_argument("minutes", type=float, nargs="?", default=3.0)
    traces = commands.add_parser("detection")
    traces.add_argument("folder", type=Path, nargs="?", default=TRACES, help="default: %(default)s")
    traces.add_argument("--switch-cost", type=float, default=10.0, metavar="SECONDS")
    args = parser.parse_args()
    if args.what == "detection":
        detection(args.folder, args.switch_cost)
    elif args.what == "outage":
        outage(args.runs)
    else:
        asyncio.run(footprint(args.minutes))


main()
