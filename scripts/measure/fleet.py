"""``vigie fleet`` before a thousand sites that do not exist, on one mosquitto, on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import random
import re
import signal
import statistics
import struct
import sys
import termios
import time
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import islice

from agent.core.codes import Code
from measure.console import ROOT, say
from measure.daemon import cpu_s, status_kib
from measure.fleet_sites import KEEPALIVE_S, TROUBLES, Site, broker, fleet

RUNS = 5
INCIDENTS, DEATHS, CUTS = 20, 10, 5
SHOWN = 40
"""So many of those that are well stand on the first screen, by their names."""
FEWEST = SHOWN + INCIDENTS + DEATHS + CUTS
PATIENCE_S = 120.0
SETTLE_S = 5.0


async def measure(count: int, minutes: float) -> None:
    """Once, live, an incident, a killed site, a site that is cut off."""
    if count < FEWEST:
        raise SystemExit(f"at least {FEWEST} sites")
    with broker() as (port, process):
        began = time.monotonic()
        async with fleet(count, port) as sites:
            say(f"{count} sites, {count} connections to one mosquitto; there after {_since(began):.1f} s")
            await asyncio.sleep(SETTLE_S)
            await _once(port, count)
            async with _table(port) as table:
                await table.shows(f"{count} well")
                await asyncio.sleep(SETTLE_S)
                await _footprint(table, process.pid, minutes)
                hidden = iter(sorted(sites, key=lambda site: site.label)[SHOWN:])
                await _incidents(table, list(islice(hidden, INCIDENTS)))
                await _deaths(table, list(islice(hidden, DEATHS)))
                await _cuts(table, list(islice(hidden, CUTS)))


async def serve(count: int) -> None:
    """A fleet to look at, with troubles, until it is told to stop."""
    stop = asyncio.Event()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(wanted, stop.set)
    with broker() as (port, _process):
        async with fleet(count, port) as sites:
            ill = sites[:: max(1, count // 12)]
            for site, code in zip(ill, TROUBLES, strict=False):
                site.fall_ill(code)
            for site in ill[6:7]:
                site.hold()
            for site in ill[7:9]:
                site.die()
            say(f"vigie fleet --broker mqtt://127.0.0.1:{port}")
            await stop.wait()


async def _once(port: int, count: int) -> None:
    took_s, own_s, cpu = [], [], []
    for _ in range(RUNS):
        argv = (*_command(port), "--once", "--json", "--wait", "30")
        began, before = time.monotonic(), os.times()
        process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE, cwd=ROOT)
        out, _ = await process.communicate()
        took_s.append(_since(began))
        after = os.times()
        cpu.append(
            after.children_user + after.children_system - before.children_user - before.children_system
        )
        found = json.loads(out)
        assert len(found["sites"]) == count, len(found["sites"])
        assert found["complete"], found["problem"]
        assert found["counts"]["well"] == count, found["counts"]
        own_s.append(found["took_s"])
    say(f"--once, {RUNS} times, the whole fleet: {_spread(own_s)} s from the connection to the judgement;")
    say(f"  {_spread(took_s)} s with Python's start and end; {_spread(cpu)} s of CPU")


async def _footprint(table: _Table, broker_pid: int, minutes: float) -> None:
    pids = {"the live table": table.pid, "mosquitto": broker_pid}
    before = {pid: cpu_s(pid) for pid in pids.values()}
    began, written = time.monotonic(), table.written
    await asyncio.sleep(minutes * 60)
    lasted = _since(began)
    for name, pid in pids.items():
        share = (cpu_s(pid) - before[pid]) / lasted
        memory = status_kib(pid)
        resident, own = memory["VmRSS"] / 1024, memory["RssAnon"] / 1024
        say(
            f"{name}, {minutes:g} min: {share * 100:.1f} % of a core, {resident:.0f} MiB, {own:.0f} of it own"
        )
    say(f"  to the terminal: {(table.written - written) / lasted / 1000:.1f} kB/s")


async def _incidents(table: _Table, sites: Sequence[Site]) -> None:
    took = []
    for site in sites:
        began = time.monotonic()
        site.fall_ill(Code.LINE_OR_OPERATOR)
        took.append(await table.shows(site.label, began))
        await _any_moment()
    say(f"from an incident's publication to its line in the table, {len(took)} times: {_spread(took)} s")


async def _deaths(table: _Table, sites: Sequence[Site]) -> None:
    took = []
    for site in sites:
        began = time.monotonic()
        site.die()
        took.append(await table.shows(site.label, began))
        await _any_moment()
    say(f"from a killed agent (its machine lives) to its line, {len(took)} times: {_spread(took)} s")


async def _any_moment() -> None:
    """Wait, so that what follows does not fall into step with the redrawing."""
    await asyncio.sleep(random.uniform(0.0, 2.0))


async def _cuts(table: _Table, sites: Sequence[Site]) -> None:
    began = time.monotonic()
    for site in sites:
        site.cut()
    took = [await table.shows(site.label, began) for site in sites]
    say(f"from a cut line to its line, {len(took)} sites, keepalive {KEEPALIVE_S} s: {_spread(took)} s")


class _Table:
    """``vigie fleet`` on a terminal of 120 columns and 40 lines, and what it has written."""

    def __init__(self, pid: int, terminal: int) -> None:
        self.pid = pid
        self.written = 0
        self._terminal = terminal
        self._frame = ""
        self._more = asyncio.Event()
        asyncio.get_running_loop().add_reader(terminal, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._terminal, 1 << 16)
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._terminal)
            return
        self.written += len(data)
        self._frame = (self._frame + data.decode("utf-8", "replace"))[-40_000:]
        self._more.set()

    async def shows(self, text: str, began: float | None = None) -> float:
        """Wait until the text appears anew; seconds since ``began``."""
        self._frame = ""
        async with asyncio.timeout(PATIENCE_S):
            while text not in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._frame):
                self._more.clear()
                await self._more.wait()
        return _since(began or time.monotonic())


@contextlib.asynccontextmanager
async def _table(port: int) -> AsyncIterator[_Table]:
    mine, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    process = await asyncio.create_subprocess_exec(
        *_command(port), stdin=its, stdout=its, stderr=its, cwd=ROOT, env=environment
    )
    os.close(its)
    table = _Table(process.pid, mine)
    try:
        yield table
    finally:
        asyncio.get_running_loop().remove_reader(mine)
        process.send_signal(signal.SIGTERM)
        # Whoever ends a program on a terminal must read what it says last.
        drain = asyncio.create_task(asyncio.to_thread(_drain, mine))
        await process.wait()
        await drain
        os.close(mine)


def _drain(terminal: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(terminal, 1 << 16):
            pass


def _command(port: int) -> tuple[str, ...]:
    return (sys.executable, "-m", "agent", "fleet", "--broker", f"mqtt://127.0.0.1:{port}", "--lang", "en")


def _since(began: float) -> float:
    return time.monotonic() - began


def _spread(values: Sequence[float], show: Callable[[float], str] = "{:.2f}".format) -> str:
    return f"{show(statistics.median(values))} ({show(min(values))} to {show(max(values))})"
