"""Kill -9 in the middle of power cycles: whether the box has power afterwards, and nothing is forgotten.

Several bays at once, each with its own agent and one relay for each of two boxes. A person's forced request
begins a cycle of the first box; at a random moment the agent is killed, what systemd runs after a death is
run, and the agent is started again. The moments are drawn from the whole cycle, more of them from the two
short stretches that matter most: between the request and the cut, where the memory is written, and around
the return of the power. The coil keeps its level when the agent dies, as the pins of a Raspberry Pi do.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.cli.bay_agent import BayAgent
from agent.cli.control_client import UnreachableError, ask
from agent.runtime.clock import SystemClock
from agent.runtime.store import Store
from hardware.virtual.bay import Bay, BayUplink, LinkQuality

BOXES = ("a", "b")
OFF_S, BOX_BOOT_S, BOOT_S = 3.0, 2.0, 5.0
"""The shortest cut and boot that a configuration allows; the box itself is quicker."""
CLEAN_S = 5.0
"""So long an uplink must answer before the agent believes it, and the cycle is over."""
END_S = OFF_S + BOX_BOOT_S + CLEAN_S
MOMENTS = (
    ("writing", 0.35, 0.0, 0.016),
    ("cutting", 0.10, 0.016, 0.1),
    ("cut", 0.10, 0.1, OFF_S - 0.1),
    ("restoring", 0.15, OFF_S - 0.05, OFF_S + 0.15),
    ("booting", 0.10, OFF_S + 0.2, END_S - 0.2),
    ("ending", 0.20, END_S - 0.2, END_S + 0.8),
)
"""Where in a cycle the moment is drawn: name, share of all kills, from and to in seconds after the asking."""
PHASES = (
    "nothing written",
    "in one of two files",
    "written, not cut",
    "cut",
    "restored, booting",
    "finished",
)
START_S = 60.0
CONFIG = """
[site]
name = "kills"
[power]
after_power_s = 0
[[uplink]]
name = "a"
interface = "wan0"
[[uplink]]
name = "b"
interface = "wan1"
[[box]]
name = "a"
uplink = "a"
relay = "virtual:{folder}/relay.sock#a"
off_s = {off_s:g}
boot_s = {boot_s:g}
[[box]]
name = "b"
uplink = "b"
relay = "virtual:{folder}/relay.sock#b"
off_s = {off_s:g}
boot_s = {boot_s:g}
"""


@dataclass
class Kill:
    """One kill and what came of it."""

    moment: str
    after_s: float
    phase: str = ""
    power_s: float = 0.0
    """From the kill to the power of the box; 0 if it had not lost it."""
    second: bool = False
    """Another box was asked for while this one was booting."""
    failures: list[str] = field(default_factory=list)


@dataclass
class Site:
    """One bay with its agent."""

    bay: Bay
    agent: BayAgent
    cycles: int = 0
    """How many cycles of the box the memory held at the last look."""
    cuts: int = 0
    """How many real cuts it had to hold."""


def say(text: str = "") -> None:
    """Write one line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def drawn(count: int, seed: int) -> list[Kill]:
    """The moments of all kills, in a random order, the same for the same seed."""
    chance = random.Random(seed)
    kills = []
    for name, share, begin, end in MOMENTS:
        number = max(1, round(share * count))
        # One in each of so many equal stretches: spread, and yet at random.
        step = (end - begin) / number
        kills += [Kill(name, begin + step * (n + chance.random())) for n in range(number)]
    chance.shuffle(kills)
    return kills[:count]


async def kills(count: int, seed: int, bays: int) -> int:
    """Kill so often, in so many bays at once; tell the table, and return the number of failures."""
    began_at = time.monotonic()
    waiting = drawn(count, seed)
    done: list[Kill] = []
    waiting.reverse()
    workers = [_work(waiting, done, count) for _ in range(min(bays, count))]
    await asyncio.gather(*workers)
    table(done)
    failures = sum(len(kill.failures) for kill in done)
    say(f"{len(done)} kills, seed {seed}, {failures} failures; {time.monotonic() - began_at:.0f} s")
    return failures


async def _work(waiting: list[Kill], done: list[Kill], count: int) -> None:
    """One bay: kill after kill, until none waits."""
    quality = LinkQuality(delay_ms=1, jitter_ms=0)
    uplinks = [BayUplink(name, f"wan{n}", boot_s=BOX_BOOT_S, quality=quality) for n, name in enumerate(BOXES)]
    with tempfile.TemporaryDirectory(prefix="vigie-kills-") as name:
        folder = Path(name)
        async with Bay(folder, uplinks) as bay:
            agent = BayAgent(bay)
            agent.config.write_text(CONFIG.format(folder=folder, off_s=OFF_S, boot_s=BOOT_S))
            site = Site(bay, agent)
            await agent.start()
            try:
                while waiting:
                    kill = waiting.pop()
                    await _kill(site, kill)
                    done.append(kill)
                    if len(done) % 20 == 0:
                        say(f"{len(done)} of {count}")
                    for failure in kill.failures:
                        say(f"FAILED: {kill.phase} ({kill.moment}, {kill.after_s:.3f} s): {failure}")
            finally:
                await agent.stop()


async def _kill(site: Site, kill: Kill) -> None:
    await _until(site, lambda shot: all(box["phase"] == "powered" for box in shot["boxes"]))
    await asyncio.to_thread(_ask_and_kill, site.agent, kill.after_s)
    killed_at = time.monotonic()
    await site.agent.stop(signal.SIGKILL)
    _judge_memory(site, kill)
    dark = not site.bay.facts()["a"]["powered"]
    if await site.agent.restore() != 0:
        kill.failures.append("restoring said that it failed")
    if not site.bay.facts()["a"]["powered"]:
        kill.failures.append("no power after the restoring")
    elif dark:
        kill.power_s = time.monotonic() - killed_at
    await site.agent.start()
    await _until(site, lambda shot: shot["boxes"])
    await _judge_start(site, kill)


def _ask_and_kill(agent: BayAgent, after_s: float) -> None:
    """The request and the kill, in a thread of their own so that the bay's work does not shift the moment."""
    assert agent.process is not None
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(agent.socket))
        connection.sendall(b'{"do": "cycle", "box": "a", "by": "bench", "force": true}\n')
        time.sleep(after_s)
        os.kill(agent.process.pid, signal.SIGKILL)


def _judge_memory(site: Site, kill: Kill) -> None:
    """What the disk holds at the moment of death, and what the relay had really done."""
    copy = json.loads((site.agent.state / "cycles.json").read_text())["memory"]["cycles"]
    both = _both(site.agent.state)
    fact = site.bay.facts()["a"]
    new_cuts = fact["cuts"] - site.cuts
    if len(both) < fact["cuts"]:
        kill.failures.append(f"{fact['cuts']} cuts, {len(both)} of them in the memory")
    if new_cuts > 1:
        kill.failures.append(f"{new_cuts} cuts for one request")
    if site.bay.facts()["b"]["cuts"]:  # never asked for while it could have been allowed
        kill.failures.append("the other box was cut")
    if fact["relay_cut"]:
        kill.phase = "cut"
    elif new_cuts:
        kill.phase = "finished" if both[-1].helped is not None else "restored, booting"
    elif len(both) == site.cycles:
        kill.phase = "nothing written"
    else:
        kill.phase = "written, not cut" if len(copy) == len(both) else "in one of two files"
    site.cycles, site.cuts = len(both), fact["cuts"]


def _both(state: Path) -> Sequence[Any]:
    """The cycles that a start would find, read from a copy: looking must not repair anything."""
    with tempfile.TemporaryDirectory(prefix="vigie-state-") as name:
        shutil.copytree(state, name, dirs_exist_ok=True)
        now = SystemClock().now()
        store = Store.open(Path(name), now)
        cycles = store.load(now).cycles
        store.close()
    return [cycle for cycle in cycles or () if cycle.box == "a"]


async def _judge_start(site: Site, kill: Kill) -> None:
    """What the agent makes of it after its start."""
    shot = (await ask(site.agent.socket, {"do": "status"}))["snapshot"]
    box = next(view for view in shot["boxes"] if view["name"] == "a")
    if box["cycles_today"] != site.cycles:
        kill.failures.append(f"{site.cycles} cycles on the disk, the agent counts {box['cycles_today']}")
    if any(finding["code"] == "budget_unreadable" for finding in shot["findings"]):
        kill.failures.append("the memory counts as lost")
    if not site.bay.facts()["a"]["powered"]:
        kill.failures.append("no power after the start")
    if site.bay.facts()["a"]["phase"] not in ("running", "hung"):
        # The box of the cycle that was interrupted is still booting: another one must have to wait.
        kill.second = True
        answer = await ask(site.agent.socket, {"do": "cycle", "box": "b", "by": "bench", "force": True})
        if answer["ok"] or answer["reason"] != "other_box":
            kill.failures.append(f"a second box could be cut: {answer}")


async def _until(site: Site, fact: Any) -> None:
    async with asyncio.timeout(START_S):
        while True:
            try:
                if fact((await ask(site.agent.socket, {"do": "status"}))["snapshot"]):
                    return
            except UnreachableError:
                if site.agent.died is not None:
                    raise RuntimeError(f"the agent died by itself\n{site.agent.log_tail()}") from None
            await asyncio.sleep(0.05)


def table(done: Sequence[Kill]) -> None:
    """How many kills fell into each phase, and what came of them."""
    head = f"{'agent killed':22}  {'kills':>5}  {'failures':>8}  {'second box refused':>18}"
    say(f"{head}  {'power back, median and longest':>30}")
    count = Counter(kill.phase for kill in done)
    for phase in PHASES:
        mine = [kill for kill in done if kill.phase == phase]
        failures = sum(len(kill.failures) for kill in mine)
        dark = sorted(kill.power_s for kill in mine if kill.power_s)
        took = f"{dark[len(dark) // 2]:.2f} s  {dark[-1]:.2f} s" if dark else "–"
        second = sum(1 for kill in mine if kill.second)
        say(f"{phase:22}  {count[phase]:>5}  {failures:>8}  {second:>18}  {took:>30}")
