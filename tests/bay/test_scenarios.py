"""Every scenario that ships, played by the whole agent in the virtual bay with real packets."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardware.virtual import scenarios

NAMES = sorted(path.stem for path in Path(scenarios.__path__[0]).glob("*.toml"))
STAGGER_S = 2.0
"""All play at the same time, mostly waiting; only their starts would get into each other's way."""


@pytest.fixture(scope="module")
def plays(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, tuple[subprocess.Popen[str], Path]]]:
    folder = tmp_path_factory.mktemp("plays")
    running: dict[str, tuple[subprocess.Popen[str], Path]] = {}
    for name in NAMES:
        output = folder / f"{name}.txt"
        argv = [sys.executable, "-m", "agent", "demo", name, "--headless", "--lang", "en"]
        with output.open("w") as sink:
            running[name] = (subprocess.Popen(argv, stdout=sink, stderr=sink, text=True), output)
        time.sleep(STAGGER_S)
    yield running
    for process, _ in running.values():
        process.kill()
        process.wait()


@pytest.mark.bay
@pytest.mark.scenario
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", NAMES)
def test_scenario(name: str, plays: dict[str, tuple[subprocess.Popen[str], Path]]) -> None:
    """What must be seen is seen, and what must never be seen is not."""
    process, output = plays[name]
    assert process.wait() == 0, output.read_text()
