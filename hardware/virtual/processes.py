"""Programs that run inside the bay and end with it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hardware.virtual import child
from hardware.virtual.netns import Namespace

SEARCHED = ("/usr/sbin", "/sbin")
"""Where Debian keeps programs that an ordinary user's PATH does not name."""


def find_program(name: str) -> str | None:
    """The path of a program; None if it is not installed."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *SEARCHED]))


class Processes:
    """All programs of a bay."""

    def __init__(self) -> None:
        self._running: list[Process] = []

    async def spawn(self, namespace: Namespace, argv: Sequence[str], **kw: Any) -> Process:
        """Start a program in ``namespace``; the kernel kills it should this process die.

        It leads a process group of its own, so that a Ctrl-C meant for the bay does not reach it.

        Args:
            namespace: where it lives.
            argv: program and arguments.
            kw: as for ``asyncio.create_subprocess_exec``.

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
        options: dict[str, Any] = {"start_new_session": True, **kw}
        options["pass_fds"] = (*kw.get("pass_fds", ()), namespace.fd)
        self._running = [process for process in self._running if process.returncode is None]
        process = await asyncio.create_subprocess_exec(*launcher, program, *argv[1:], **options)
        self._running.append(process)
        return process

    async def stop(self) -> None:
        """Kill every program that still runs, with all that it has started itself. Safe to repeat."""
        running, self._running = self._running, []
        for process in running:
            if process.returncode is not None:
                continue
            with contextlib.suppress(ProcessLookupError):
                # Without a session of its own it is in the bay's group, which must live.
                if os.getpgid(process.pid) == process.pid:
                    os.killpg(process.pid, signal.SIGKILL)
                process.kill()
        for process in running:
            # A pipe that nobody reads must not keep a dead process from being taken note of.
            await process.wait()
