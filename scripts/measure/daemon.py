"""The running product on this machine, in the virtual bay with real packets."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from agent.cli.bay_agent import BayAgent
from hardware.virtual.bay import Bay, BayUplink
from measure.console import ROOT, say

STAGES = ("suspect", "down", "cut", "restored", "up")
CODES = ("uplink_suspect", "uplink_down", "box_cut", "box_restored", "uplink_up")


def outage(runs: int) -> None:
    """Seconds from the first lost packet to suspect, down, cut and recovery in the demo's hung box."""
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


PLACE = "127.0.0.1:8080"
BROWSER = f"""
import http.client, time
while True:
    ask = http.client.HTTPConnection("{PLACE}", timeout=10)
    ask.request("GET", "/")
    assert ask.getresponse().read()
    ask.close()
    time.sleep(5)
"""


async def footprint(minutes: float, *, web: bool = False) -> None:
    """CPU seconds per minute and memory of the daemon in calm: three uplinks of three targets each.

    With ``web`` the page is served too, and one browser asks for it every five seconds as its script does.
    """
    kinds = {"a": ("wan0", "ftth"), "b": ("wan1", "ftth"), "c": ("wan2", "cellular")}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        uplinks = [BayUplink(n, interface=i, kind=k) for n, (i, k) in kinds.items()]
        async with Bay(folder, uplinks) as bay:
            broker = await bay.start_broker()
            text = "".join(UPLINK.format(name=n, interface=i, kind=k) for n, (i, k) in kinds.items())
            mqtt = '[mqtt]\nhost = "203.0.113.10"\ntls = false\n' if broker else ""
            (folder / "vigie.toml").write_text(CONFIG.format(uplinks=text, folder=folder, mqtt=mqtt))
            if web:
                with (folder / "vigie.toml").open("a") as file:
                    file.write(f'[panel]\nweb = "{PLACE}"\n')
            agent = BayAgent(bay)
            await agent.start()
            assert agent.process is not None
            pid = agent.process.pid
            await asyncio.sleep(20)
            if web:
                await bay.spawn(bay.site, (sys.executable, "-c", BROWSER))
            before, began = cpu_s(pid), time.monotonic()
            written = written_bytes(pid)
            await asyncio.sleep(minutes * 60)
            used = (cpu_s(pid) - before) / (time.monotonic() - began)
            memory = status_kib(pid)
            wrote = written_bytes(pid) - written
            await agent.stop()
            looked_at = "; the page looked at" if web else ""
            say(f"broker: {'mosquitto' if broker else 'none'}; calm, {minutes:g} min{looked_at}")
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
