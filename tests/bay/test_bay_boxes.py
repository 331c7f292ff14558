"""Boxes that hang, are cut and boot, seen by packets."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from bay_ground import FAST, TARGET, eventually, eventually_answers, has_carrier, links, play, silent

from hardware.virtual.bay import Bay, BayUplink
from hardware.virtual.echo import ping

pytestmark = pytest.mark.bay


@pytest.mark.parametrize(
    ("mode", "lan_answers", "line_answers"),
    [("forwarding", True, True), ("lan", False, True), ("frozen", False, False)],
)
def test_hung_box(tmp_path: Path, mode: str, lan_answers: bool, line_answers: bool) -> None:
    """Each way to hang keeps the carrier, forwards nothing, and ends when healed."""

    async def story(bay: Bay) -> None:
        plan = bay.plans["ftth"]
        await bay.do("hang", on="ftth", mode=mode)
        assert await silent(bay, "ftth")
        assert await silent(bay, "ftth", plan.box) is not lan_answers
        answer = await ping(bay.operators["ftth"], plan.box_wan, timeout_s=0.3)
        assert (answer is not None) is line_answers
        assert links(bay.site)["eth1"]["operstate"] == "UP"
        assert bay.address("ftth") is not None
        assert bay.facts()["ftth"]["phase"] == "hung"
        await bay.do("heal", on="ftth")
        assert await bay.ping(TARGET, on="ftth") is not None
        assert await ping(bay.operators["ftth"], plan.box_wan) is not None

    play(tmp_path, story)


def test_power_cycle_heals_a_frozen_box(tmp_path: Path) -> None:
    """Cut and restored, a frozen box boots and its uplink works again."""

    async def story(bay: Bay) -> None:
        await bay.do("hang", on="ftth", mode="frozen")
        box = bay.boxes["ftth"]
        box.switch_relay(cut=True)
        assert not has_carrier(bay.site, "eth1")
        assert await ping(bay.operators["ftth"], bay.plans["ftth"].box_wan, timeout_s=0.2) is None
        box.switch_relay(cut=False)
        await eventually_answers(bay, "ftth")
        facts = bay.facts()["ftth"]
        assert (facts["phase"], facts["cuts"], facts["powered"]) == ("running", 1, True)
        assert 0.2 < facts["longest_cut_s"] < 2.0

    play(tmp_path, story)


def test_boot_has_stages(tmp_path: Path) -> None:
    """First the carrier comes back, then the box answers, then the internet does."""

    async def story(bay: Bay) -> None:
        loop = asyncio.get_running_loop()
        box, plan = bay.boxes["slow"], bay.plans["slow"]
        box.switch_relay(cut=True)
        await eventually(lambda: bay.address("slow") is None)
        began_at = loop.time()
        box.switch_relay(cut=False)
        assert not has_carrier(bay.site, "eth1")

        await eventually(lambda: has_carrier(bay.site, "eth1"))
        carrier_s = loop.time() - began_at
        assert bay.address("slow") is None
        await eventually(lambda: bay.address("slow") is not None)
        await eventually_answers(bay, "slow", plan.box)
        lan_s = loop.time() - began_at
        assert await bay.ping(TARGET, on="slow", timeout_s=0.1) is None
        await eventually_answers(bay, "slow")
        running_s = loop.time() - began_at
        assert 0.45 <= carrier_s < 1.5
        assert 1.8 <= lan_s < 2.8
        assert 3.0 <= running_s < 4.0

    play(tmp_path, story, [BayUplink("slow", "eth1", boot_s=3.0, quality=FAST)])


def test_cut_during_boot_starts_over(tmp_path: Path) -> None:
    """A box that loses its power while booting boots from the beginning."""

    async def story(bay: Bay) -> None:
        box = bay.boxes["ftth"]
        box.switch_relay(cut=True)
        box.switch_relay(cut=False)
        await eventually(lambda: bay.facts()["ftth"]["phase"] == "answering")
        box.switch_relay(cut=True)
        assert bay.facts()["ftth"]["phase"] == "cut"
        await asyncio.sleep(0.6)
        assert not bay.facts()["ftth"]["forwarding"], "the first boot's end has no effect"
        box.switch_relay(cut=False)
        assert bay.facts()["ftth"]["phase"] == "dark"
        await eventually_answers(bay, "ftth")
        assert bay.facts()["ftth"]["cuts"] == 2

    play(tmp_path, story)


def test_hang_while_booting_shows_after_the_boot(tmp_path: Path) -> None:
    """A box may hang before it has come up; it then gets its carrier and stays silent."""

    async def story(bay: Bay) -> None:
        box = bay.boxes["ftth"]
        box.switch_relay(cut=True)
        box.switch_relay(cut=False)
        await bay.do("hang", on="ftth", mode="lan")
        await eventually(lambda: bay.facts()["ftth"]["phase"] == "hung")
        assert bay.facts()["ftth"]["carrier"]
        await asyncio.sleep(0.6)
        assert await silent(bay, "ftth", bay.plans["ftth"].box)

    play(tmp_path, story)
