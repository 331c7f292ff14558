"""The page of the real agent in the virtual bay; a flood of connections does nothing to the watch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from agent_bay import AgentBay, play

pytestmark = pytest.mark.bay
PLACE = "127.0.0.1:8080"
GET = f"""
import http.client, sys
ask = http.client.HTTPConnection("{PLACE}", timeout=10)
ask.request("GET", sys.argv[1])
answer = ask.getresponse()
sys.stdout.buffer.write(b"%d " % answer.status + answer.read())
"""
FLOOD = """
import os, socket, threading, time
end = time.monotonic() + 4.0
def storm():
    while time.monotonic() < end:
        held = []
        for _ in range(8):
            try:
                client = socket.create_connection(("127.0.0.1", 8080), timeout=0.2)
                good = b"GET / HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n"
                client.sendall(os.urandom(64) if len(held) % 2 else good)
                held.append(client)
            except OSError:
                pass
        for client in held:
            client.close()
threads = [threading.Thread(target=storm) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


async def in_bay(site: AgentBay, code: str, *arguments: str) -> str:
    """Run a program where the agent runs."""
    process = await site.bay.spawn(
        site.bay.site, (sys.executable, "-c", code, *arguments), stdout=subprocess.PIPE
    )
    out, _ = await process.communicate()
    return out.decode("utf-8", "replace")


def test_the_page_shows_the_site_and_a_flood_does_not_stop_the_watch(tmp_path: Path) -> None:
    """While connections come as fast as they can, every uplink stays measured, and the page comes back."""

    async def story(site: AgentBay) -> None:
        with site.agent.config.open("a", encoding="utf-8") as file:
            file.write(f'[panel]\nweb = "{PLACE}"\n')
        await site.started()
        page = await in_bay(site, GET, "/fr")
        assert page.startswith("200 "), site.agent.log_tail()
        assert "Garage" in page
        assert all(uplink.uplink.name in page for uplink in site.bay.plans.values())
        before = await site.snapshot()
        await in_bay(site, FLOOD)
        after = await site.snapshot()
        assert site.agent.died is None
        assert after["seq"] > before["seq"]
        assert [uplink["health"] for uplink in after["uplinks"]] == ["up", "up"]
        # The agent's own clock: it has decided all along, not only before and after.
        assert after["seq"] - before["seq"] >= (after["mono"] - before["mono"]) / 2
        assert (await in_bay(site, GET, "/state.json")).startswith("200 {")

    play(tmp_path, story)
