"""Ground for tests of commands against the real agent in the virtual bay: real packets, a real relay."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bay_ground import FAST

from agent.cli.bay_agent import BayAgent
from agent.cli.bay_config import device_lines, write_secret
from agent.cli.control_client import UnreachableError, ask
from hardware.virtual.bay import Bay, BayUplink
from hardware.virtual.plan import BROKER
from hardware.virtual.speaks import MODEMS

ROOT = Path(__file__).parent.parent
TWO_FIBRES = (
    BayUplink("ftth", "eth1", boot_s=1.5, quality=FAST),
    BayUplink("cell", "wwan0", "cellular", boot_s=1.5, quality=FAST),
)
START_S = 30.0


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str


class AgentBay:
    """A bay with its agent, and the command line of somebody who stands before it."""

    def __init__(self, bay: Bay, agent: BayAgent) -> None:
        self.bay = bay
        self.agent = agent

    async def ask(self, **request: Any) -> dict[str, Any]:
        """Ask the agent on its socket."""
        return await ask(self.agent.socket, request)

    async def snapshot(self) -> dict[str, Any]:
        """The site as the agent sees it."""
        shot: dict[str, Any] = (await self.ask(do="status"))["snapshot"]
        return shot

    async def until(self, fact: Callable[[dict[str, Any]], object], within_s: float = START_S) -> None:
        """Wait until the agent's picture shows ``fact``; fail with its log if it does not in time."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    try:
                        if fact(await self.snapshot()):
                            return
                    except UnreachableError:
                        assert self.agent.died is None, self.agent.log_tail()
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"it did not come true\n{self.agent.log_tail()}") from None

    async def started(self) -> None:
        """The agent runs and every uplink works; boxes may still count as booting."""
        await self.agent.start()
        await self.until(lambda shot: all(uplink["health"] == "up" for uplink in shot["uplinks"]))

    async def begin(self, *arguments: str) -> asyncio.subprocess.Process:
        """Start a command."""
        argv = [sys.executable, "-m", "agent", *arguments, "--socket", str(self.agent.socket), "--lang", "en"]
        pipe = subprocess.PIPE
        return await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe, stderr=pipe, cwd=ROOT)

    async def vigie(self, *arguments: str, answers: str = "") -> Done:
        """Run a command to its end."""
        process = await self.begin(*arguments)
        out, err = await process.communicate(answers.encode())
        assert process.returncode is not None
        return Done(process.returncode, out.decode(), err.decode())


def configuration(bay: Bay, boot_s: float, confirm_s: float, *, mqtt: bool) -> str:
    """The agent's configuration for a bay: each box on its relay, three seconds without power in a cut."""
    lines = ["[site]", 'name = "bay"', 'label = "Garage"', "[power]", "after_power_s = 0"]
    for plan in bay.plans.values():
        uplink = plan.uplink
        lines += ["[[uplink]]", f'name = "{uplink.name}"', f'interface = "{uplink.interface}"']
        lines += [f'kind = "{uplink.kind}"', "interval_s = 0.5", "data_mb = 100_000"]
    for name in bay.plans:
        relay = json.dumps(f"virtual:{bay.folder}/relay.sock#{name}")
        lines += ["[[box]]", f'name = "{name}"', f'uplink = "{name}"', f"relay = {relay}"]
        lines += ["off_s = 3", f"boot_s = {boot_s:g}", f"confirm_s = {confirm_s:g}"]
        lines += devices(bay, name)
    if mqtt:
        lines += ["[mqtt]", f'host = "{BROKER}"', "tls = false"]
    return "\n".join(lines) + "\n"


def devices(bay: Bay, name: str) -> list[str]:
    """How the device of an uplink is asked, after the lines of its box; nothing where none was given one."""
    plan = bay.plans[name]
    speaks = plan.uplink.speaks
    if speaks is None:
        return []
    write_secret(speaks, name, bay.folder)
    head = ["[[modem]]", f'name = "{name}-modem"', f'uplink = "{name}"'] if speaks in MODEMS else []
    return [*head, *device_lines(speaks, name, bay.folder, plan.box)]


def play(
    folder: Path,
    story: Callable[[AgentBay], Awaitable[None]],
    uplinks: Sequence[BayUplink] = TWO_FIBRES,
    *,
    boot_s: float = 5.0,
    confirm_s: float = 600.0,
    mqtt: bool = False,
) -> None:
    """Run ``story`` in a bay of its own with an agent that is ready to be started."""

    async def act() -> None:
        async with Bay(folder, uplinks) as bay:
            agent = BayAgent(bay)
            agent.config.write_text(configuration(bay, boot_s, confirm_s, mqtt=mqtt), encoding="utf-8")
            try:
                await story(AgentBay(bay, agent))
            finally:
                await agent.stop()

    asyncio.run(act())
