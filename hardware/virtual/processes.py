"""Programs that run inside the bay and end with it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from asyncio.subprocess import Process, SubprocessStreamProtocol
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hardware.virtual import child
from hardware.virtual.netns import Namespace

SEARCHED = ("/usr/sbin", "/sbin")
"""Where Debian keeps programs that an ordinary user's PATH does not name."""

_LIMIT_BYTES = 65_536
"""Longest line that can be read from a program, asyncio's own limit."""
STOP_S = 2.0
"""Longest wait for killed programs."""


def find_program(name: str) -> str | None:
    """The path of a program; None if it is not installed."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *SEARCHED]))


class Processes:
    """All programs of a bay."""

    def __init__(self) -> None:
        self._running: dict[Process, asyncio.SubprocessTransport] = {}

    async def spawn(self, namespace: Namespace, argv: Sequence[str], **kw: Any) -> Process:
        """Start a program in ``namespace``; the kernel kills it should this process die.

        It leads a process group of its own, so that a Ctrl-C meant for the bay does not reach it.

        Args:
            namespace: where it lives.
            argv: program and arguments.
            kw: as for ``asyncio.create_subprocess_exec``, without its ``limit``.

        Raises:
            FileNotFoundError: no such program.
        """
        program = find_program(argv[0])
        if program is None:
            raise FileNotFoundError(f"no program {argv[0]!r} on PATH")
        launcher = (
            sys.executable,
            "-I",
            "-S",
            str(Path(child.__file__)),
            str(namespace.fd),
            str(os.getpid()),
        )
        streams: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"))
        options = {**streams, "start_new_session": True, **kw}
        options["pass_fds"] = (*kw.get("pass_fds", ()), namespace.fd)
        self._running = {p: transport for p, transport in self._running.items() if p.returncode is None}
        # As asyncio.create_subprocess_exec does it, which hides the transport that ``stop`` must close.
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.subprocess_exec(
            lambda: SubprocessStreamProtocol(_LIMIT_BYTES, loop), *launcher, program, *argv[1:], **options
        )
        process = Process(transport, protocol, loop)
        self._running[process] = transport
        return process

    async def stop(self) -> None:
        """Kill every program that still runs, with all that it has started itself. Safe to repeat."""
        running, self._running = self._running, {}
        for process in running:
            if process.returncode is not None:
                continue
            # Not by the process object: it would take note of the end itself, and asyncio miss it.
            with contextlib.suppress(ProcessLookupError):
                # Without a session of its own it is in the bay's group, which must live.
                leads = os.getpgid(process.pid) == process.pid
                (os.killpg if leads else os.kill)(process.pid, signal.SIGKILL)
        # A process ends for asyncio when its pipes close too; a runaway of its own may hold them open.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await asyncio.gather(*(process.wait() for process in running))
        for transport in running.values():
            transport.close()
