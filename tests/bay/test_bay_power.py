"""``vigie power`` on a site that works: the real agent, real packets, a relay that really stops its box."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from agent_bay import AgentBay, play
from bay_ground import eventually

pytestmark = pytest.mark.bay


def test_a_person_restarts_a_box_that_hangs(tmp_path: Path) -> None:
    """Refused while it works; asked for in the outage it is done at once, and it helps."""

    async def story(site: AgentBay) -> None:
        site.agent.prove()
        await site.started()
        refused = await site.vigie("power", "cycle", "ftth", "--by", "Anne")
        assert (refused.code, refused.err) == (1, "")
        assert refused.out.startswith("ftth: no restart, this connection works.")
        await site.bay.do("hang", on="ftth", mode="frozen")
        await site.until(lambda shot: shot["uplinks"][0]["health"] == "down")
        # Right after the agent's start every box counts as booting.
        await site.until(lambda shot: shot["boxes"][0]["refusal"] == "not_yet")
        done = await site.vigie("power", "cycle", "ftth", "--by", "Anne", "--json")
        assert done.code == 0, done.out + done.err
        assert json.loads(done.out)["outcome"] == "cycle_helped"
        facts = site.bay.facts()
        assert (facts["ftth"]["cuts"], facts["ftth"]["powered"], facts["cell"]["cuts"]) == (1, True, 0)
        memory = json.loads((site.agent.state / "cycles.json").read_text())["memory"]
        assert [(cycle["by"], cycle["forced"], cycle["helped"]) for cycle in memory["cycles"]] == [
            ("Anne", False, True)
        ]

    play(tmp_path, story)


def test_a_forced_restart_of_an_unproven_relay_proves_it(tmp_path: Path) -> None:
    """Whoever forces has seen it, and so has the agent: from then on the site is armed."""

    async def story(site: AgentBay) -> None:
        await site.started()
        assert (await site.snapshot())["unarmed_why"] == "not_proven"
        done = await site.vigie("power", "cycle", "ftth", "--force", "--by", "Anne")
        assert done.code == 0, done.out + done.err
        assert "the relay cuts this box and no other" in done.out
        assert (await site.vigie("power", "status")).code == 0
        await eventually(lambda: "ftth" in (site.agent.state / "proofs.json").read_text())
        await site.agent.stop()
        await site.started()
        assert (await site.snapshot())["boxes"][0]["proven_at"] is not None

    play(tmp_path, story)


def test_a_hold_survives_the_death_of_the_agent(tmp_path: Path) -> None:
    """Killed and started again, it still holds; the release ends it for good."""
    from signal import SIGKILL

    async def story(site: AgentBay) -> None:
        site.agent.prove()
        await site.started()
        assert (await site.vigie("power", "hold", "--for", "2h", "--by", "Anne")).code == 0
        await eventually(lambda: (site.agent.state / "hold.json").exists())
        await site.agent.stop(SIGKILL)
        await site.started()
        assert (await site.snapshot())["unarmed_why"] == "hold"
        assert (await site.vigie("power", "release")).code == 0
        assert (await site.snapshot())["armed"]

    play(tmp_path, story)


def test_the_power_is_given_back_for_the_asking(tmp_path: Path) -> None:
    """In the middle of a cut."""

    async def story(site: AgentBay) -> None:
        await site.started()
        assert (await site.vigie("power", "cycle", "cell", "--force", "--no-wait")).code == 0
        await eventually(lambda: not site.bay.facts()["cell"]["powered"])
        assert (await site.vigie("power", "restore", "cell")).code == 0
        await eventually(lambda: site.bay.facts()["cell"]["powered"])
        assert site.bay.facts()["cell"]["longest_cut_s"] < 3.0

    play(tmp_path, story)
