"""A real MQTT broker inside the bay."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from hardware.virtual.netns import Namespace
from hardware.virtual.plan import BROKER
from hardware.virtual.processes import Processes, find_program

PORT = 1883
START_S = 5.0
_RETRY_S = 0.02


class BrokerError(RuntimeError):
    """The broker is installed and does not run; the message holds its own words."""


async def start_mosquitto(processes: Processes, internet: Namespace, folder: Path) -> bool:
    """Run mosquitto on ``BROKER`` and wait until it listens. Its files are in ``folder``.

    Returns:
        False if it is not installed.

    Raises:
        BrokerError: it is installed and does not start.
    """
    program = find_program("mosquitto")
    if program is None:
        return False
    config, log = folder / "mosquitto.conf", folder / "mosquitto.log"
    lines = [
        f"listener {PORT} {BROKER}",
        "allow_anonymous true",
        "persistence false",
        # Changing the user would cancel the kernel's promise to kill it together with the bay.
        "user root",
        "log_dest stderr",
    ]
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with log.open("ab") as errors:
        process = await processes.spawn(internet, [program, "-c", str(config)], stdout=errors, stderr=errors)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + START_S
    while not await _listens(internet):
        if process.returncode is not None or loop.time() > deadline:
            raise BrokerError(f"mosquitto does not listen: {log.read_text(errors='replace')[-500:].strip()}")
        await asyncio.sleep(_RETRY_S)
    return True


async def _listens(internet: Namespace) -> bool:
    caller = internet.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
    with caller:
        try:
            async with asyncio.timeout(START_S):
                await asyncio.get_running_loop().sock_connect(caller, (BROKER, PORT))
        except (OSError, TimeoutError):
            return False
    return True
