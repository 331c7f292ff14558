"""The measurement that kills the agent in the middle of power cycles, a small one of it on every run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.bay
@pytest.mark.timeout(300)
def test_a_killed_agent_leaves_every_box_powered_and_forgets_no_cut() -> None:
    """Ten deaths at moments drawn from whole cycles: power back, memory whole, no second box."""
    argv = [sys.executable, "scripts/bench.py", "kills", "10", "--seed", "3"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 kills, seed 3, 0 failures" in done.stdout
