"""The whole agent in the virtual bay: what it asks beyond echoes, and what it hears, is in its trace."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from pathlib import Path

import pytest
from bay_ground import TWO, play

from agent.cli.bay_agent import BayAgent
from agent.core.inquiries import Asked, Check, Said
from agent.core.model import Part
from agent.runtime import trace
from hardware.virtual.bay import Bay

pytestmark = pytest.mark.bay
CONFIG = """
[site]
name = "garage"
[[uplink]]
name = "ftth"
interface = "eth1"
[[uplink]]
name = "cell"
kind = "cellular"
interface = "wwan0"
"""
LATEST_S = 40.0
"""The second uplink is checked fifteen seconds after the start."""


def recorded(folder: Path) -> list[object]:
    files = sorted((folder / "state" / "trace").glob("trace-*"))
    return [observation for file in files for _, observation in trace.read(file)]


@pytest.mark.timeout(LATEST_S * 2)
def test_the_agent_asks_through_every_uplink(tmp_path: Path) -> None:
    """With the configuration that says nothing of it: names, pages and hop, of both, each answered well."""
    (tmp_path / "vigie.toml").write_text(CONFIG, encoding="utf-8")

    async def story(bay: Bay) -> None:
        agent = BayAgent(bay)
        await agent.start()
        assert agent.process is not None
        before = bay.facts()["cell"]["received_bytes"]
        async with asyncio.timeout(LATEST_S):
            # Answers to checks are more than this in a moment, those to echoes less in all that time.
            while bay.facts()["cell"]["received_bytes"] - before < 2_000:
                await asyncio.sleep(0.1)
        await asyncio.sleep(1.0)  # the last ones are on the line
        agent.process.send_signal(signal.SIGTERM)
        assert await agent.process.wait() == 0, agent.log_tail()

    play(tmp_path, story, TWO)
    seen = recorded(tmp_path)
    checks = Counter((check.uplink, check.asked, check.said) for check in seen if isinstance(check, Check))
    for uplink in ("ftth", "cell"):
        assert checks[uplink, Asked.NAME, Said.WELL] == 6
        assert checks[uplink, Asked.WEB, Said.WELL] == 3
        assert checks[uplink, Asked.HOP, Said.WELL] == 1
    assert sum(checks.values()) == 20
    assert Part("checks", ok=True) in seen
