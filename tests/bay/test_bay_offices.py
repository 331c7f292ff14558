"""The business's services in the virtual bay, asked from its site by the agent's own probe."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
from bay_ground import FAST, TWO, play

from hardware.virtual.bay import Bay, BayUplink
from hardware.virtual.world import SERVICES

pytestmark = pytest.mark.bay
NAMES = tuple(SERVICES)
ASK = """
import asyncio, json, sys
from pathlib import Path
from agent.core.model import Link
from agent.core.service_words import ServiceKind
from agent.probes.services.asker import Exit, Patience, ServiceAsker
from agent.probes.services.plan import ServicePlan
from hardware.virtual.world import SERVICES

names, exits, folder, wanted = json.loads(sys.argv[1])
plans = [
    ServicePlan(n, ServiceKind(SERVICES[n].kind), SERVICES[n].host, SERVICES[n].port,
                ca_file=Path(folder, "authority.crt"))
    for n in names
]

async def main():
    found, counted, done = {}, {}, asyncio.Event()
    def post(served):
        found[f"{served.service} {served.way}"] = [served.snag, served.via, served.detail]
        if len(found) == len(wanted):
            done.set()
    def count(way, sent, received):
        counted[way] = counted.get(way, 0) + sent + received
    asker = ServiceAsker(plans, [Exit(u, i) for u, i, _a, _g in exits], (), post, count=count,
                         patience=Patience(1.0, 1.0))
    for uplink, _interface, address, gateway in exits:
        asker.link_changed(Link(uplink, True, True, address, gateway))
    task = asyncio.create_task(asker.run())
    for service, way in wanted:
        asker.ask(service, way)
    await asyncio.wait_for(done.wait(), 20)
    task.cancel()
    print(json.dumps([found, counted]))

asyncio.run(main())
"""


async def ask(bay: Bay, *wanted: tuple[str, str]) -> tuple[dict[str, list[str | None]], dict[str, int]]:
    """What comes of asking these services through these ways, and the bytes that the probe counts."""
    exits = [(name, plan.uplink.interface, bay.address(name), plan.box) for name, plan in bay.plans.items()]
    told = json.dumps([NAMES, exits, str(bay.folder), wanted])
    asked = await bay.spawn(
        bay.site,
        [sys.executable, "-c", ASK, told],
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    output, _ = await asked.communicate()
    found, counted = json.loads(output)
    return found, counted


def snags(found: dict[str, list[str | None]]) -> dict[str, str | None]:
    return {key: snag for key, (snag, _via, _detail) in found.items()}


EVERY = [(name, way) for name in NAMES for way in ("site", "ftth", "cell")]


def test_services_answer_fail_and_are_blocked_as_the_deeds_say(tmp_path: Path) -> None:
    """Through each uplink and on the site's own path; what is broken or blocked hits nobody else."""

    async def story(bay: Bay) -> None:
        found, counted = await ask(bay, *EVERY)
        assert set(snags(found).values()) == {None}
        assert {via for key, (_snag, via, _detail) in found.items() if key.endswith(" site")} == {"ftth"}
        # What docs/services.md says of the cost: one round of the three through one uplink.
        assert 6_000 < counted["cell"] < 9_000
        assert counted["ftth"] == pytest.approx(2 * counted["cell"], rel=0.1)
        await bay.do("service_blocked", on="cell", service="telephone")
        await bay.do("service_out", service="applications", how="status")
        await bay.do("service_out", service="cards", how="refused")
        found, _ = await ask(bay, *EVERY)
        assert snags(found) == {
            "telephone site": None,
            "telephone ftth": None,
            "telephone cell": "silent",
            **{f"applications {way}": "status" for way in ("site", "ftth", "cell")},
            **{f"cards {way}": "refused" for way in ("site", "ftth", "cell")},
        }
        await bay.do("service_passes", on="cell", service="telephone")
        await bay.do("service_back", service="applications")
        await bay.do("service_back", service="cards")
        await bay.do("service_out", service="telephone")
        found, _ = await ask(bay, *EVERY)
        assert {key for key, snag in snags(found).items() if snag is not None} == {
            f"telephone {way}" for way in ("site", "ftth", "cell")
        }
        await bay.do("unplug_interface", on="ftth")
        found, _ = await ask(bay, ("cards", "site"))
        # The system's own routes go on to the next uplink.
        assert found["cards site"][:2] == [None, "cell"]

    play(tmp_path, story, TWO, services=NAMES)


def test_a_bay_without_services_has_none_to_break(tmp_path: Path) -> None:
    """A deed names what there is."""

    async def story(bay: Bay) -> None:
        with pytest.raises(ValueError, match="service 'telephone' is not one of"):
            await bay.do("service_out", service="telephone")

    play(tmp_path, story, (BayUplink("ftth", "eth1", boot_s=1.0, quality=FAST),))
