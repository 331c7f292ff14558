"""What the agent itself costs on a metered standby: its own count beside the counters of the line."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.cli.bay_agent import BayAgent
from agent.cli.control_client import ask
from agent.config.effective import MEGABYTE, data_limits, wiring
from agent.config.reader import read
from agent.core import budget
from agent.core.site import Site, UplinkKind, UplinkSpec
from agent.core.spending import Spending
from agent.runtime.clock import SystemClock
from agent.runtime.notes import Notes
from agent.simulation.world import World
from hardware.virtual.bay import Bay, BayUplink
from hardware.virtual.plan import BROKER, TARGETS
from measure.console import columns, say

STANDBY = "cell"
ETHERNET_BYTES = 14
FIRST_ROUND_S = (11.0, 40.0)
"""After the start, the first regular round of checks through the second uplink falls into this time."""
DAY_S, HOUR_S, DAYS = 86_400.0, 3600.0, 31
CONFIG = """
[site]
name = "bench"
[[uplink]]
name = "ftth"
interface = "wan0"
kind = "ftth"
[[uplink]]
name = "cell"
interface = "wan1"
kind = "cellular"
"""
MQTT = f'[mqtt]\nhost = "{BROKER}"\ntls = false\n'


@dataclass(frozen=True)
class Mark:
    """One instant: what the line has carried, and what the agent says that it has used; bytes."""

    at: float
    wire: int
    own: int


async def data(minutes: float) -> None:
    """Calm and an outage of the fibre, in the virtual bay, without MQTT and with it."""
    for mqtt in (False, True):
        await _measure(minutes, mqtt=mqtt)
        say()


async def _measure(minutes: float, *, mqtt: bool) -> None:
    uplinks = [BayUplink("ftth", "wan0"), BayUplink(STANDBY, "wan1", "cellular")]
    with tempfile.TemporaryDirectory() as name:
        async with Bay(Path(name), uplinks) as bay:
            if mqtt and not await bay.start_broker():
                say("with MQTT: not measured, there is no mosquitto")
                return
            agent = BayAgent(bay)
            agent.config.write_text(CONFIG + (MQTT if mqtt else ""), encoding="utf-8")
            used = _as_in_the_middle_of_things(agent)
            begin = Mark(time.monotonic(), wire_bytes(bay), used)
            await agent.start()
            await asyncio.sleep(FIRST_ROUND_S[0])
            before = wire_bytes(bay)
            await asyncio.sleep(FIRST_ROUND_S[1] - FIRST_ROUND_S[0])
            checked = wire_bytes(bay) - before
            marks = [await _counted(bay, agent)]
            await asyncio.sleep(60.0 * minutes)
            marks.append(await _counted(bay, agent))
            await bay.do("pull", on="ftth")
            # The connection to the broker needs a while to notice.
            await asyncio.sleep(100.0 if mqtt else 10.0)
            marks.append(await _counted(bay, agent))
            await asyncio.sleep(60.0 * minutes)
            marks.append(await _counted(bay, agent))
            await agent.stop()
            notes = Notes(agent.state, {}, data_limits(read(agent.config)))
            end = Mark(time.monotonic(), wire_bytes(bay), notes.spendings[STANDBY].used_bytes)
    _report(begin, marks, end, checked, mqtt=mqtt)


def _as_in_the_middle_of_things(agent: BayAgent) -> int:
    """Let as much be used as a calm month has used by now, so that the pace is that of the whole month."""
    config, now = read(agent.config), SystemClock().now()
    agent.state.mkdir(exist_ok=True)
    limit = data_limits(config)[STANDBY]
    # Where the clock is not synchronised, the agent reckons with a whole month.
    left = budget.rest_s(now) / budget.LONGEST_MONTH_S
    used = round(limit * (1.0 - budget.TROUBLE_SHARE) * max(0.0, 1.0 - left))
    spending = Spending(budget.month_of(now), calm_bytes=used)
    Notes(agent.state, wiring(config), data_limits(config)).save_spending(STANDBY, spending)
    return used


def wire_bytes(bay: Bay) -> int:
    """Bytes of IP that the operator's end of the standby's line has had, both ways, by its kernel's count."""
    with bay.operators[STANDBY].entered():
        lines = Path("/proc/thread-self/net/dev").read_text(encoding="ascii").splitlines()
    row = next(line for line in lines if line.strip().startswith("access:"))
    counts = [int(word) for word in row.split(":")[1].split()]
    received, packets_in, sent, packets_out = counts[0], counts[1], counts[8], counts[9]
    return received + sent - ETHERNET_BYTES * (packets_in + packets_out)


async def _counted(bay: Bay, agent: BayAgent) -> Mark:
    """The next instant at which the agent has just added up what it has used."""
    before = await _own(agent)
    while True:
        own = await _own(agent)
        if own != before:
            return Mark(time.monotonic(), wire_bytes(bay), own)
        await asyncio.sleep(0.05)


async def _own(agent: BayAgent) -> int:
    shot = (await ask(agent.socket, {"do": "status"}))["snapshot"]
    view = next(uplink for uplink in shot["uplinks"] if uplink["name"] == STANDBY)
    return int(view["data_used_bytes"])


def _report(begin: Mark, marks: list[Mark], end: Mark, checked: int, *, mqtt: bool) -> None:
    say(f"metered standby, the whole agent in the virtual bay, {'with' if mqtt else 'without'} MQTT")
    rows = []
    calm_rate, out_rate = _rate(marks[0], marks[1]), _rate(marks[2], marks[3])
    for what, one, other in (
        ("calm, no checks", marks[0], marks[1]),
        ("fibre out", marks[2], marks[3]),
        ("everything", begin, end),
    ):
        own, wire = other.own - one.own, other.wire - one.wire
        seconds = other.at - one.at
        cells = (f"{seconds:.0f} s", str(own), str(wire), f"{own / wire:.3f}", f"{wire / seconds:.1f} B/s")
        rows.append((what, *cells))
    for line in columns(rows, ("", "lasted", "own count", "on the line", "ratio", "rate")):
        say(line)
    a_round = checked - calm_rate * (FIRST_ROUND_S[1] - FIRST_ROUND_S[0])
    say(f"  a round of checks: {a_round:.0f} bytes on the line")
    calm_day = calm_rate * DAY_S + a_round * 48
    bad_day = calm_day + (out_rate - calm_rate) * HOUR_S
    for what, day in (("calm day", calm_day), ("day with an hour without fibre", bad_day)):
        say(f"  {what}: {day / MEGABYTE:.2f} MB; 31 of them: {31 * day / MEGABYTE:.1f} MB")


def _rate(one: Mark, other: Mark) -> float:
    return (other.wire - one.wire) / (other.at - one.at)


# --- whole months on the core -----------------------------------------------------------------------------


def months(tell: Callable[[str], None] = say) -> None:
    """Whole months of January on the core in virtual time, echoes and rounds of checks at their sizes."""
    rows = []
    for what, out_s in (
        ("calm", 0.0),
        ("an hour without fibre a day", HOUR_S),
        ("eight hours without fibre a day", 8 * HOUR_S),
    ):
        world = _month()
        for _ in range(DAYS):
            world.play(DAY_S - out_s)
            if out_s:
                world.change("ftth", operator=False)
                world.play(out_s)
                world.change("ftth", operator=True)
            world.events.clear()
        rows.append((what, f"{world.asking.used['4g'] / MEGABYTE:.1f} MB"))
    tell("months on the core, budget 50 MB, without MQTT")
    for line in columns(rows, ("", "on the line")):
        tell(line)


def _month() -> World:
    fibre = UplinkSpec("ftth", "Fibre", UplinkKind.FTTH, TARGETS, 60.0, checks_s=300.0)
    mobile = UplinkSpec("4g", "4G", UplinkKind.CELLULAR, TARGETS, 10.0, data_bytes=50 * MEGABYTE)
    return World(Site("bench", "Bench", (fibre, mobile)), wall=1_798_761_600.0, record=False)
