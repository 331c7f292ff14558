"""``vigie commission`` in the virtual bay: what an installer does, and every wiring mistake that counts."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from agent_bay import AgentBay, play
from bay_ground import FAST, eventually

from agent.reports import commissioning
from agent.reports.commissioning import Item, Record
from hardware.virtual.bay import BayUplink

pytestmark = pytest.mark.bay
RELAYS = ("commission", "--only", "relays", "--yes", "--by", "Anne")


def record(site: AgentBay) -> Record:
    found = commissioning.read(site.agent.state / commissioning.FILE)
    assert found is not None
    return found


def relay(site: AgentBay, name: str) -> Item:
    return record(site).items[f"relay:{name}"]


def proofs(site: AgentBay) -> set[str]:
    path = site.agent.state / "proofs.json"
    return set(json.loads(path.read_text())["content"]) if path.exists() else set()


def test_a_healthy_bay_is_commissioned(tmp_path: Path) -> None:
    """Uplinks, relays and broker pass; boots are measured, relays proven, the record signed; it is armed."""
    if shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/bin") is None:
        pytest.skip("no mosquitto on this machine")

    async def story(site: AgentBay) -> None:
        assert await site.bay.start_broker()
        await site.started()
        assert (await site.snapshot())["unarmed_why"] == "not_proven"
        done = await site.vigie("commission", "--yes", "--by", "Anne")
        assert done.code == 0, done.out + done.err
        found = record(site)
        assert {name: item.verdict.value for name, item in found.items.items()} == dict.fromkeys(
            ("uplink:ftth", "uplink:cell", "relay:ftth", "relay:cell", "broker"), "passed"
        )
        assert (found.signed_by, found.stopped_at) == ("Anne", None)
        for name in ("ftth", "cell"):
            measured: dict[str, Any] = dict(relay(site, name).measured)
            assert measured["seen"] == "carrier"
            # The box needs 1.5 s, the agent believes an uplink after some clean seconds.
            assert 1.5 <= measured["boot_s"] < 30.0
            assert 0.0 <= measured["gone_s"] < 3.0
        facts = site.bay.facts()
        assert [facts[name]["cuts"] for name in ("ftth", "cell")] == [1, 1]
        assert all(facts[name]["powered"] for name in facts)
        (begun, ended), (began, _) = facts["ftth"]["cut_times"][0], facts["cell"]["cut_times"][0]
        assert begun < ended < began, "one after the other"
        assert (await site.snapshot())["armed"]
        assert proofs(site) == {"ftth", "cell"}

    play(tmp_path, story, mqtt=True)


def test_a_relay_wired_to_the_wrong_box(tmp_path: Path) -> None:
    """The uplink that went away instead is named; the relay is not used, and after the repair it is."""

    async def story(site: AgentBay) -> None:
        await site.started()
        await site.bay.do("rewire", on="ftth", to="cell")
        await site.bay.do("rewire", on="cell", to="ftth")
        one = ("commission", "--only", "relays", "--by", "Anne")
        done = await site.vigie(*one, answers="y\nn\ny\n")
        assert done.code == 1, done.out + done.err
        assert relay(site, "ftth").measured == {"reason": "relay_wrong_box", "instead": "cell"}
        assert "Swap the plugs" in done.out
        assert proofs(site) == set()
        assert (await site.snapshot())["unarmed_why"] == "not_proven"
        for name in ("ftth", "cell"):
            await site.bay.do("rewire", on=name, to=name)
        done = await site.vigie(*one, answers="y\nn\ny\n")
        assert relay(site, "ftth").verdict.value == "passed", done.out + done.err
        assert relay(site, "cell").verdict.value == "declined"
        assert proofs(site) == {"ftth"}

    play(tmp_path, story)


def test_a_welded_relay(tmp_path: Path) -> None:
    """The coil obeys, the box stays on: told, not proven; the other relay is."""

    async def story(site: AgentBay) -> None:
        await site.started()
        await site.bay.do("weld", on="ftth")
        done = await site.vigie(*RELAYS)
        assert done.code == 1, done.out + done.err
        assert relay(site, "ftth").measured["reason"] == "relay_no_effect"
        assert "contacts not stuck" in done.out
        assert relay(site, "cell").verdict.value == "passed"
        assert proofs(site) == {"cell"}
        facts = site.bay.facts()
        assert (facts["ftth"]["cuts"], facts["cell"]["cuts"]) == (0, 1)

    play(tmp_path, story)


def test_a_box_that_never_comes_back_within_its_patience(tmp_path: Path) -> None:
    """The relay cuts the right box, but internet is not there in time: told with its boot_s."""

    async def story(site: AgentBay) -> None:
        await site.started()
        done = await site.vigie(*RELAYS)
        assert done.code == 1, done.out + done.err
        item = relay(site, "ftth")
        assert item.verdict.value == "failed"
        assert item.measured["boot_s"] is None
        assert item.why == "the relay is right, but the internet did not come back in time (boot_s = 5)"
        assert site.bay.facts()["ftth"]["powered"]
        assert relay(site, "cell").verdict.value == "passed"

    slow = BayUplink("ftth", "eth1", boot_s=40.0, quality=FAST)
    quick = BayUplink("cell", "wwan0", "cellular", boot_s=1.5, quality=FAST)
    play(tmp_path, story, (slow, quick))


def test_a_slow_box_is_measured_for_who_waits(tmp_path: Path) -> None:
    """Its boot time is proposed for the configuration."""

    async def story(site: AgentBay) -> None:
        await site.started()
        done = await site.vigie("commission", "--only", "relays", "--by", "Anne", answers="y\ny\nn\ny\n")
        assert done.code == 1, done.out + done.err
        item = relay(site, "ftth")
        boot_s = item.measured["boot_s"]
        assert isinstance(boot_s, float)
        assert boot_s > 25.0
        proposed = item.measured["proposed_boot_s"]
        assert isinstance(proposed, float)
        assert proposed >= boot_s
        assert f"boot_s = {proposed:g}\n    confirm_s = {proposed:g}" in done.out
        assert item.why == "the relay is right, but boot_s = 5 is too short for this box"
        assert relay(site, "cell").verdict.value == "declined"
        assert site.bay.facts()["cell"]["cuts"] == 0

    slow = BayUplink("ftth", "eth1", boot_s=25.0, quality=FAST)
    quick = BayUplink("cell", "wwan0", "cellular", boot_s=1.5, quality=FAST)
    play(tmp_path, story, (slow, quick))


def test_an_interrupted_walk_gives_the_power_back(tmp_path: Path) -> None:
    """Ctrl-C in the middle of the cut: the box has its power long before the cut would have ended."""

    async def story(site: AgentBay) -> None:
        await site.started()
        process = await site.begin(*RELAYS)
        await eventually(lambda: not site.bay.facts()["ftth"]["powered"], within_s=20.0)
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
        assert process.returncode == 130, err
        assert b"interrupted at: relay:ftth" in out
        facts = site.bay.facts()["ftth"]
        assert facts["powered"]
        assert facts["longest_cut_s"] < 3.0
        assert record(site).stopped_at == "relay:ftth"
        assert site.bay.facts()["cell"]["cuts"] == 0

    play(tmp_path, story)


def test_an_agent_that_is_killed_in_a_cut_ends_the_walk(tmp_path: Path) -> None:
    """Told with where; restored as systemd does, the box has power, and the cut is in the memory."""

    async def story(site: AgentBay) -> None:
        await site.started()
        process = await site.begin(*RELAYS)
        await eventually(lambda: not site.bay.facts()["ftth"]["powered"], within_s=20.0)
        await site.agent.stop(signal.SIGKILL)
        assert await site.agent.restore() == 0
        _, err = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode == 2
        assert b"at: relay:ftth" in err
        assert site.bay.facts()["ftth"]["powered"]
        memory = json.loads((site.agent.state / "cycles.json").read_text())["memory"]
        assert len(memory["cycles"]) == 1
        await site.started()
        assert proofs(site) == set()

    play(tmp_path, story)


def test_without_an_agent_nothing_is_tried(tmp_path: Path) -> None:
    """A clear text, exit code 2, no box touched."""

    async def story(site: AgentBay) -> None:
        done = await site.vigie("commission", "--yes")
        assert done.code == 2
        assert "no agent" in done.err
        assert all(fact["cuts"] == 0 for fact in site.bay.facts().values())

    play(tmp_path, story)
