"""What each deed does to the site, seen from the site."""

from __future__ import annotations

from pathlib import Path

import pytest
from bay_ground import (
    TARGET,
    TWO,
    default_routes,
    eventually,
    eventually_answers,
    has_carrier,
    links,
    play,
    silent,
)

from hardware.virtual.bay import Bay
from hardware.virtual.deeds import DEEDS
from hardware.virtual.scenario import Player
from hardware.virtual.scenario_deeds import FORMS

pytestmark = pytest.mark.bay


def test_pulled_cable_takes_carrier_address_and_route(tmp_path: Path) -> None:
    """The site's kernel says down at once, the address goes a second later, all comes back when plugged."""

    async def story(bay: Bay) -> None:
        await bay.do("pull", on="ftth")
        assert not has_carrier(bay.site, "eth1")
        assert bay.address("ftth") is not None
        await eventually(lambda: links(bay.site)["eth1"]["operstate"] == "DOWN")
        await eventually(lambda: not links(bay.site)["eth1"]["addr_info"])
        assert "eth1" not in default_routes(bay.site)
        assert bay.facts()["ftth"]["powered"]
        assert await bay.ping(TARGET) is not None, "the other uplink has taken over"
        await bay.do("plug", on="ftth")
        await eventually(lambda: default_routes(bay.site).get("eth1"))
        await eventually(lambda: bay.carrier("ftth"))
        await eventually_answers(bay, "ftth")

    play(tmp_path, story)


def test_short_interruption_keeps_the_address(tmp_path: Path) -> None:
    """A cable pulled and plugged at once changes nothing but the carrier."""

    async def story(bay: Bay) -> None:
        await bay.do("pull", on="ftth")
        await bay.do("plug", on="ftth")
        assert bay.address("ftth") == "192.168.11.10"
        await eventually_answers(bay, "ftth")

    play(tmp_path, story)


def test_operator_out_leaves_the_first_hop(tmp_path: Path) -> None:
    """Box and first hop answer, nothing beyond does; the other uplink is untouched."""

    async def story(bay: Bay) -> None:
        plan = bay.plans["ftth"]
        await bay.do("operator_out", on="ftth")
        assert await silent(bay, "ftth")
        assert await bay.ping(plan.box, on="ftth") is not None
        assert await bay.ping(plan.first_hop, on="ftth") is not None
        assert await bay.ping(TARGET, on="cell") is not None
        await bay.do("operator_back", on="ftth")
        assert await bay.ping(TARGET, on="ftth") is not None

    play(tmp_path, story)


def test_line_cut_leaves_only_the_box(tmp_path: Path) -> None:
    """The box answers, its first hop does not, the carrier at the site stays."""

    async def story(bay: Bay) -> None:
        plan = bay.plans["ftth"]
        await bay.do("line_cut", on="ftth")
        assert await silent(bay, "ftth")
        assert await silent(bay, "ftth", plan.first_hop)
        assert await bay.ping(plan.box, on="ftth") is not None
        assert bay.carrier("ftth")
        assert bay.facts()["ftth"]["line_cut"]
        await bay.do("line_back", on="ftth")
        assert await bay.ping(TARGET, on="ftth") is not None

    play(tmp_path, story)


def test_quality_loses_and_recovers(tmp_path: Path) -> None:
    """Loss 1 loses everything on this line only; what is not named stays as it was."""

    async def story(bay: Bay) -> None:
        await bay.do("quality", on="ftth", loss=1)
        assert await silent(bay, "ftth")
        assert await bay.ping(TARGET, on="cell") is not None
        await bay.do("quality", on="ftth", loss=0, jitter_ms=2)
        assert await bay.ping(TARGET, on="ftth") is not None
        assert bay.lines["ftth"].quality.delay_ms == TWO[0].quality.delay_ms

    play(tmp_path, story)


def test_target_out_is_silent_for_everybody(tmp_path: Path) -> None:
    """One target stops answering on all uplinks, the others go on; doing it twice changes nothing."""

    async def story(bay: Bay) -> None:
        for _ in range(2):
            await bay.do("target_out", target="8.8.8.8")
        assert await silent(bay, "ftth", "8.8.8.8")
        assert await silent(bay, "cell", "8.8.8.8")
        assert await bay.ping("9.9.9.9", on="ftth") is not None
        for _ in range(2):
            await bay.do("target_back", target="8.8.8.8")
        assert await bay.ping("8.8.8.8", on="ftth") is not None

    play(tmp_path, story)


def test_power_off_takes_every_box(tmp_path: Path) -> None:
    """All carriers are lost together, no relay cut is counted, and all boxes boot when the power returns."""

    async def story(bay: Bay) -> None:
        await bay.do("power_off")
        for interface in ("eth1", "wwan0"):
            assert not has_carrier(bay.site, interface)
        facts = bay.facts()
        assert [(fact["powered"], fact["phase"], fact["cuts"]) for fact in facts.values()] == [
            (False, "cut", 0),
            (False, "cut", 0),
        ]
        await bay.do("power_on")
        assert [fact["phase"] for fact in bay.facts().values()] == ["dark", "dark"]
        await eventually_answers(bay, "ftth")
        await eventually_answers(bay, "cell")

    play(tmp_path, story)


def test_unplugged_interface_is_gone(tmp_path: Path) -> None:
    """The interface disappears and comes back as a new one that works; the box never lost its power."""

    async def story(bay: Bay) -> None:
        before = links(bay.site)["wwan0"]["ifindex"]
        await bay.do("unplug_interface", on="cell")
        assert "wwan0" not in links(bay.site)
        assert (bay.address("cell"), bay.carrier("cell")) == (None, False)
        assert bay.facts()["cell"]["powered"]
        await bay.do("pull", on="cell")
        await bay.do("replug_interface", on="cell")
        await eventually_answers(bay, "cell")
        assert links(bay.site)["wwan0"]["ifindex"] != before

    play(tmp_path, story)


def test_interface_can_come_back_to_a_box_without_power(tmp_path: Path) -> None:
    """An interface replugged while its box is dark gets its carrier when the box boots."""

    async def story(bay: Bay) -> None:
        await bay.do("unplug_interface", on="cell")
        bay.boxes["cell"].switch_relay(cut=True)
        await bay.do("replug_interface", on="cell")
        assert not bay.facts()["cell"]["carrier"]
        bay.boxes["cell"].switch_relay(cut=False)
        await eventually_answers(bay, "cell")

    play(tmp_path, story)


def test_new_address_at_once_and_later(tmp_path: Path) -> None:
    """A new address replaces the old one now, or when the next lease is given."""

    async def story(bay: Bay) -> None:
        await bay.do("new_address", on="ftth")
        assert [a["local"] for a in links(bay.site)["eth1"]["addr_info"]] == ["192.168.11.11"]
        assert await bay.ping(TARGET, on="ftth") is not None
        await bay.do("new_address", on="ftth", later=True)
        assert bay.address("ftth") == "192.168.11.11"
        await bay.do("pull", on="ftth")
        await eventually(lambda: bay.address("ftth") is None)
        await bay.do("plug", on="ftth")
        await eventually(lambda: bay.address("ftth") == "192.168.11.12")
        assert default_routes(bay.site)["eth1"]["metric"] == 100
        await eventually_answers(bay, "ftth")

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("what", "on", "args", "said"),
    [
        ("explode", None, {}, "line_cut"),
        ("pull", None, {}, "ftth, cell"),
        ("pull", "adsl", {}, "ftth, cell"),
        ("power_off", "ftth", {}, "whole bay"),
        ("hang", "ftth", {}, "mode"),
        ("hang", "ftth", {"mode": "deep"}, "forwarding, lan, frozen"),
        ("quality", "ftth", {}, "rate_kbit"),
        ("quality", "ftth", {"speed": 1}, "loss, delay_ms"),
        ("quality", "ftth", {"loss": 2}, "0 to 1"),
        ("target_out", None, {"target": "4.4.4.4"}, "8.8.8.8"),
        ("target_out", None, {}, "target"),
        ("heal", "ftth", {"now": True}, "nothing"),
        ("portal", "ftth", {"pages": "pay"}, "redirect, login"),
        ("portal", "ftth", {"pings": "no"}, "True, False"),
        ("dns_out", "ftth", {"mode": "well"}, "silent, servfail, nxdomain"),
        ("rewire", "ftth", {}, "to"),
        ("rewire", "ftth", {"to": "adsl"}, "ftth, cell"),
    ],
)
def test_impossible_deed_is_refused(
    tmp_path: Path, what: str, on: str | None, args: dict[str, object], said: str
) -> None:
    """The error names what is allowed, and nothing has happened."""

    async def story(bay: Bay) -> None:
        with pytest.raises(ValueError, match=said):
            await bay.do(what, on=on, **args)
        assert await bay.ping(TARGET, on="ftth") is not None

    play(tmp_path, story)


def test_scenarios_and_bay_know_the_same_deeds() -> None:
    """Every deed that a scenario file may name is one of the bay, with the same arguments."""
    forms = FORMS[Player.BAY]
    written = {name: form for name, form in forms.items() if not name.startswith("agent_")}
    assert written.keys() == DEEDS.keys()
    for name, form in written.items():
        assert form.on == DEEDS[name].on
        assert set(form.args) <= {*DEEDS[name].required, *DEEDS[name].optional}
        assert set(form.required) == set(DEEDS[name].required)
