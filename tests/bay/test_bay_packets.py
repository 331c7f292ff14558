"""Real packets through the bay: who answers, how late, how often, and whether the content survives."""

from __future__ import annotations

import asyncio
import hashlib
import random
import socket
import time
from pathlib import Path

import pytest
from bay_ground import FAST, TARGET, default_routes, has_carrier, links, play

from hardware.virtual.bay import Bay, BayUplink, LinkQuality

pytestmark = pytest.mark.bay


def test_bay_starts_quickly_and_everything_answers(tmp_path: Path) -> None:
    """Three uplinks are ready within three seconds: box, first hop and every target answer through each."""
    began_at = time.monotonic()
    uplinks = [
        BayUplink("ftth", "eth1", quality=FAST),
        BayUplink("dish", "eth2", "starlink", quality=FAST),
        BayUplink("cell", "wwan0", "cellular", quality=FAST),
    ]

    async def story(bay: Bay) -> None:
        assert time.monotonic() - began_at < 3.0
        for name, plan in bay.plans.items():
            asked = (plan.box, plan.first_hop, *bay.targets)
            answers = await asyncio.gather(*(bay.ping(target, on=name) for target in asked))
            assert None not in answers, f"{name}: {dict(zip(asked, answers, strict=True))}"

    play(tmp_path, story, uplinks)


def test_site_has_addresses_and_routes_by_order(tmp_path: Path) -> None:
    """Interfaces carry their configured names; the first uplink has the best default route."""

    async def story(bay: Bay) -> None:
        shown = links(bay.site)
        assert {"eth1", "wwan0"} <= shown.keys()
        assert [a["local"] for a in shown["eth1"]["addr_info"]] == ["192.168.11.10"]
        routes = default_routes(bay.site)
        assert routes["eth1"]["metric"] < routes["wwan0"]["metric"]
        assert routes["wwan0"]["gateway"] == bay.plans["cell"].box
        settings = bay.site.call(lambda: Path("/proc/sys/net/ipv4/conf/all/rp_filter").read_text().strip())
        assert settings == "2"

    play(tmp_path, story)


def test_delay_is_seen(tmp_path: Path) -> None:
    """A round trip takes the delay of both directions, and changes while the bay runs."""

    async def story(bay: Bay) -> None:
        await bay.ping(TARGET, on="slow")
        slow = [await bay.ping(TARGET, on="slow") or 0.0 for _ in range(5)]
        assert 79.0 < min(slow) < 95.0, slow
        await bay.do("quality", on="slow", delay_ms=5)
        quick = [await bay.ping(TARGET, on="slow") or 0.0 for _ in range(5)]
        assert 9.0 < min(quick) < 25.0, quick

    play(tmp_path, story, [BayUplink("slow", "eth1", quality=LinkQuality(40, 0))])


def test_loss_is_seen_and_repeats_with_the_seed(tmp_path: Path) -> None:
    """A lossy line loses about its share of round trips; the same seed loses the same ones."""
    quality = LinkQuality(delay_ms=0, jitter_ms=0, loss=0.2)
    seen: list[list[bool]] = []

    async def story(bay: Bay) -> None:
        seen.append([await bay.ping(TARGET, on="bad", timeout_s=0.5) is None for _ in range(24)])

    for _ in range(2):
        play(tmp_path, story, [BayUplink("bad", "eth1", quality=quality)], seed=3)
    assert 3 <= sum(seen[0]) <= 16
    assert seen[0] == seen[1]


async def transfer(bay: Bay, content: bytes) -> tuple[bytes, float]:
    """Send ``content`` from the internet to the site over TCP; what came, and in how many seconds."""

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    def listener() -> socket.socket:
        return socket.create_server(("203.0.113.10", 4000))

    server = await asyncio.start_server(serve, sock=bay.internet.call(listener))
    caller = bay.site.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
    began_at = time.monotonic()
    await asyncio.get_running_loop().sock_connect(caller, ("203.0.113.10", 4000))
    reader, writer = await asyncio.open_connection(sock=caller)
    try:
        got = await reader.read(-1)
        return got, time.monotonic() - began_at
    finally:
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()


def test_tcp_content_arrives_unchanged(tmp_path: Path) -> None:
    """Two megabytes cross the line with right checksums, in frames of ordinary size."""
    content = random.Random(1).randbytes(2_000_000)

    async def story(bay: Bay) -> None:
        got, took_s = await transfer(bay, content)
        assert hashlib.sha256(got).digest() == hashlib.sha256(content).digest()
        assert took_s < 5.0

    play(tmp_path, story)


def test_tcp_survives_loss(tmp_path: Path) -> None:
    """Lost frames are sent again and the content is still right."""
    content = random.Random(2).randbytes(200_000)

    async def story(bay: Bay) -> None:
        got, _took_s = await transfer(bay, content)
        assert got == content

    play(tmp_path, story, [BayUplink("bad", "eth1", quality=LinkQuality(1, 0, loss=0.02))], seed=1)


def test_rate_limits_tcp(tmp_path: Path) -> None:
    """A transfer cannot be faster than its line, nor needlessly slow."""
    content = random.Random(3).randbytes(250_000)

    async def story(bay: Bay) -> None:
        await bay.do("quality", on="slow", rate_kbit=2000)
        _got, took_s = await transfer(bay, content)
        assert 1.0 <= took_s < 3.0
        sent, received = bay.facts()["slow"]["sent_bytes"], bay.facts()["slow"]["received_bytes"]
        assert received > 250_000 > sent > 0

    play(tmp_path, story, [BayUplink("slow", "eth1", quality=FAST)])


def test_answers_come_back_by_the_same_uplink(tmp_path: Path) -> None:
    """An echo by one uplink touches no other's line."""

    async def story(bay: Bay) -> None:
        before = bay.facts()
        for _ in range(5):
            assert await bay.ping(TARGET, on="cell") is not None
        after = bay.facts()
        assert after["ftth"]["sent_bytes"] == before["ftth"]["sent_bytes"]
        assert after["ftth"]["received_bytes"] == before["ftth"]["received_bytes"]
        # An Ethernet frame around IP (20), ICMP (8) and 48 bytes of content.
        assert after["cell"]["sent_bytes"] - before["cell"]["sent_bytes"] == 5 * (14 + 20 + 8 + 48)

    play(tmp_path, story)


def test_line_without_carrier(tmp_path: Path) -> None:
    """A line can be cut so that its ends lose their carrier, and healed."""

    async def story(bay: Bay) -> None:
        inside = bay.boxes["ftth"].namespace
        bay.lines["ftth"].cut(carrier=False)
        assert not has_carrier(inside, "wan")
        assert await bay.ping(TARGET, on="ftth", timeout_s=0.1) is None
        bay.lines["ftth"].heal()
        assert has_carrier(inside, "wan")
        # The kernel may take a second to use a link whose carrier is back.
        assert any([await bay.ping(TARGET, on="ftth") is not None for _ in range(3)])

    play(tmp_path, story)
