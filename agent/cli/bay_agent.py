"""The real agent as a process of its own in a bay, started and ended as systemd would."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from pathlib import Path

from agent.config.effective import wiring
from agent.config.reader import read
from agent.core.instant import stamp
from agent.runtime.clock import SystemClock
from agent.runtime.notes import Notes
from hardware.virtual.bay import Bay

STOP_S = 5.0
LOG_LINES = 20


class BayAgent:
    """Nothing is told to it but its configuration file, ``vigie.toml`` in the bay's folder."""

    def __init__(self, bay: Bay) -> None:
        self._bay = bay
        self.folder = bay.folder
        self.process: Process | None = None

    @property
    def config(self) -> Path:
        """Its configuration."""
        return self.folder / "vigie.toml"

    @property
    def state(self) -> Path:
        """What survives its restarts."""
        return self.folder / "state"

    @property
    def socket(self) -> Path:
        """Where it is asked."""
        return self.folder / "run" / "control.sock"

    @property
    def log(self) -> Path:
        """What it writes on its standard streams, over all its starts."""
        return self.folder / "agent.log"

    @property
    def died(self) -> int | None:
        """The exit code of an agent that ended by itself; None while it runs, or was ended here."""
        return None if self.process is None else self.process.returncode

    def prove(self) -> None:
        """Leave every relay of the configuration proven, as a commissioning would have; before the start."""
        self.state.mkdir(exist_ok=True)
        wired = wiring(read(self.config))
        notes, now = Notes(self.state, wired), SystemClock().now()
        for box in wired:
            notes.save_proof(box, stamp(now))

    async def start(self) -> None:
        """Start it; it is not ready yet when this returns."""
        for folder in (self.state, self.socket.parent):
            folder.mkdir(exist_ok=True)
        arguments = (
            *(sys.executable, "-m", "agent", "run", "--config", str(self.config)),
            *("--state-dir", str(self.state), "--runtime-dir", str(self.socket.parent)),
        )
        environment = dict(os.environ)
        if self._bay.authority is not None:
            # What the system of a real site trusts; a bay's own Bbox is not of it.
            environment["SSL_CERT_FILE"] = str(self._bay.authority)
        with self.log.open("ab") as log:
            self.process = await self._bay.spawn(
                self._bay.site, arguments, stdin=DEVNULL, stdout=log, stderr=STDOUT, env=environment
            )

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it by this signal, and by SIGKILL if it does not go; nothing to do if it does not run."""
        process, self.process = self.process, None
        if process is None or process.returncode is not None:
            return
        # Process.send_signal would look whether it lives, and thereby take its exit code from the loop.
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            await process.wait()

    async def restore(self) -> int:
        """What systemd runs after the agent has ended, however it ended (``ExecStopPost``); its exit code."""
        arguments = (sys.executable, "-m", "hardware.restore", str(self.socket.parent / "relays"))
        with self.log.open("ab") as log:
            process = await self._bay.spawn(
                self._bay.site, arguments, stdin=DEVNULL, stdout=log, stderr=STDOUT
            )
        return await process.wait()

    def log_tail(self) -> str:
        """The last lines that it has written."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return "(it has written no log)"
        return "\n".join(lines[-LOG_LINES:])
