"""A store in a process of its own, which can be killed, on a disk of its own, which can be full."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from agent.core.codes import Code, Severity
from agent.core.instant import Now, stamp
from agent.core.model import Cycle, Event
from agent.runtime.store import Store, StoreError
NOW = Now(1000.0, 1_800_000_000.0, True, "a")
def event(n, severity=Severity.WARNING):
    return Event(Code.UPLINK_DOWN, "ftth", severity, "i1", {{"label": "Fibre", "why": str(n)}})
def say(*words):
    print(*words, flush=True)
store = Store.open(Path(sys.argv[1]), NOW, ("mqtt",))
"""


def run_writer(folder: Path, script: str, *wrapper: str) -> subprocess.Popen[str]:
    code = WRITER.format(root=str(ROOT)) + script
    command = [*wrapper, sys.executable, "-c", code, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def mounted(folder: Path, options: str, then: str = "") -> list[str]:
    """A command prefix that runs what follows with ``folder`` on a small disk of its own."""
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    tried = subprocess.run([*unshare, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"no disk of its own can be mounted here: {tried.stderr.strip()}")
    script = f'mount -t tmpfs -o {options} tmpfs "{folder}" && {then or "true"} && exec "$@"'
    return [*unshare, "sh", "-c", script, "sh"]
