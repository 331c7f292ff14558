"""A box's power, boot and hang, and the site's leases, in passed-in time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hardware.virtual import box_state as box
from hardware.virtual.box_state import Abilities, Boot, BoxState, Cutting, Hang, Phase
from hardware.virtual.lease import CARRIER_LOSS_S, LEASE_S, Lease, advance, lose, offer_another, renew, see
from hardware.virtual.plan import BayUplink, all_targets, plan_bay

RUNNING = BoxState(Boot(10.0))
ALL = Abilities(carrier=True, lan=True, line=True, forwarding=True)
NOTHING = Abilities()


def cycled() -> BoxState:
    """Cut at 100, restored at 105."""
    return box.switch_relay(box.switch_relay(RUNNING, 100.0, cut=True), 105.0, cut=False)


def test_box_runs_from_the_start() -> None:
    """A new box has long been running."""
    assert box.abilities(RUNNING, 0.0) == ALL
    assert box.phase(RUNNING, 0.0) is Phase.RUNNING
    assert box.next_change(RUNNING, 0.0) is None


def test_cut_takes_everything() -> None:
    """Without power there is no carrier and no answer, for ever."""
    cut = box.switch_relay(RUNNING, 100.0, cut=True)
    assert not cut.powered
    assert box.abilities(cut, 999.0) == NOTHING
    assert box.phase(cut, 999.0) is Phase.CUT
    assert box.next_change(cut, 100.0) is None


@pytest.mark.parametrize(
    ("at", "phase", "able"),
    [
        (105.0, Phase.DARK, NOTHING),
        (106.5, Phase.CARRIER, Abilities(carrier=True)),
        (111.0, Phase.ANSWERING, Abilities(carrier=True, lan=True)),
        (115.0, Phase.RUNNING, ALL),
    ],
)
def test_boot_has_stages(at: float, phase: Phase, able: Abilities) -> None:
    """Carrier at 15 %, LAN at 60 %, forwarding at the end of the boot."""
    assert box.phase(cycled(), at) is phase
    assert box.abilities(cycled(), at) == able


def test_stages_are_announced() -> None:
    """Each stage names the next instant at which something changes."""
    instants = [105.0]
    while (at := box.next_change(cycled(), instants[-1])) is not None:
        instants.append(at)
    assert instants == pytest.approx([105.0, 106.5, 111.0, 115.0])


@pytest.mark.parametrize(
    ("mode", "able"),
    [
        (Hang.FORWARDING, Abilities(carrier=True, lan=True, line=True)),
        (Hang.LAN, Abilities(carrier=True, line=True)),
        (Hang.FROZEN, Abilities(carrier=True)),
    ],
)
def test_hang_keeps_the_carrier(mode: Hang, able: Abilities) -> None:
    """A hung box looks alive to the cable and forwards nothing."""
    hung = box.hang(RUNNING, mode)
    assert box.abilities(hung, 50.0) == able
    assert box.phase(hung, 50.0) is Phase.HUNG
    assert box.abilities(box.heal(hung), 50.0) == ALL


@pytest.mark.parametrize("mode", list(Hang))
def test_power_cycle_heals(mode: Hang) -> None:
    """After cut, restore and boot everything works again."""
    cut = box.switch_relay(box.hang(RUNNING, mode), 100.0, cut=True)
    assert box.abilities(box.switch_relay(cut, 105.0, cut=False), 115.0) == ALL


def test_mains_and_relay_are_both_needed() -> None:
    """A restored relay gives no power while the site has none, and the other way round."""
    dark = box.switch_mains(box.switch_relay(RUNNING, 1.0, cut=True), 2.0, present=False)
    assert not box.switch_relay(dark, 3.0, cut=False).powered
    assert not box.switch_mains(dark, 3.0, present=True).powered
    assert box.switch_mains(box.switch_relay(dark, 3.0, cut=False), 4.0, present=True).booted_from == 4.0


def test_cuts_are_counted_and_timed() -> None:
    """Only the relay's cuts count; the running one counts up to now."""
    state = box.switch_mains(cycled(), 200.0, present=False)
    state = box.switch_relay(box.switch_mains(state, 210.0, present=True), 300.0, cut=True)
    assert state.cuts == (Cutting(100.0, 105.0), Cutting(300.0, None))
    assert box.longest_cut_s(state, 303.0) == 5.0
    assert box.longest_cut_s(state, 309.0) == 9.0


def test_repeated_orders_change_nothing() -> None:
    """Cutting a cut box and restoring a running one have no effect."""
    cut = box.switch_relay(RUNNING, 100.0, cut=True)
    assert box.switch_relay(cut, 101.0, cut=True) == cut
    assert box.switch_relay(RUNNING, 101.0, cut=False) == RUNNING


def test_welded_relay_obeys_without_effect() -> None:
    """A box on welded contacts keeps its power, and nothing counts as a cut."""
    cut = box.switch_relay(box.weld(RUNNING, 1.0, welded=True), 100.0, cut=True)
    assert cut.relay_cut
    assert cut.powered
    assert cut.cuts == ()
    assert not box.weld(cut, 101.0, welded=False).powered


def test_reboot_heals_unless_frozen() -> None:
    """A box that still thinks can boot by software; a frozen one or one without power cannot."""
    rebooted = box.reboot(box.hang(RUNNING, Hang.FORWARDING), 50.0)
    assert (rebooted.hang, rebooted.reboots, rebooted.booted_from) == (None, 1, 50.0)
    frozen = box.hang(RUNNING, Hang.FROZEN)
    assert box.reboot(frozen, 50.0) == frozen
    cut = box.switch_relay(RUNNING, 1.0, cut=True)
    assert box.reboot(cut, 50.0) == cut


def test_box_without_power_cannot_hang() -> None:
    """What is not running does not hang when it comes back."""
    cut = box.switch_relay(RUNNING, 1.0, cut=True)
    assert box.hang(cut, Hang.LAN) == cut


def test_stages_out_of_order_are_refused() -> None:
    """A LAN cannot answer before its carrier is there."""
    with pytest.raises(ValueError, match="carrier"):
        Boot(10.0, carrier_share=0.7, lan_share=0.6)


# --- leases ------------------------------------------------------------------------------------------------


def leased() -> Lease:
    """A lease given at 10."""
    return advance(see(Lease(10), 10.0 - LEASE_S, carrier=True, lan=True), 10.0)


def test_answering_box_gives_an_address() -> None:
    """Carrier alone gives none; the address follows the LAN's first answer."""
    silent = see(Lease(10), 0.0, carrier=True, lan=False)
    assert silent.due_at is None
    asked = see(silent, 5.0, carrier=True, lan=True)
    assert advance(asked, 5.0).host is None
    assert advance(asked, 5.0 + LEASE_S).host == 10


def test_address_outlives_a_short_interruption() -> None:
    """Only a carrier that stays away takes the address away."""
    pulled = see(leased(), 20.0, carrier=False, lan=False)
    assert advance(pulled, 20.0 + CARRIER_LOSS_S - 0.01).host == 10
    assert advance(pulled, 20.0 + CARRIER_LOSS_S).host is None
    back = see(pulled, 20.5, carrier=True, lan=True)
    assert (back.host, back.due_at) == (10, None)


def test_silent_lan_keeps_the_address() -> None:
    """A hung box does not end the lease."""
    assert see(leased(), 20.0, carrier=True, lan=False) == replace(leased(), lan=False)


def test_news_without_change_put_nothing_off() -> None:
    """Hearing the same again does not prolong the wait."""
    pulled = see(leased(), 20.0, carrier=False, lan=False)
    assert see(pulled, 20.9, carrier=False, lan=False).due_at == 20.0 + CARRIER_LOSS_S


def test_lan_that_goes_before_the_lease_gives_none() -> None:
    """A box that dies while it is asked gives no address."""
    asked = see(Lease(10), 5.0, carrier=True, lan=True)
    assert see(asked, 5.1, carrier=False, lan=False).due_at is None


def test_new_address_comes_with_the_next_lease() -> None:
    """Another address changes nothing until it is taken."""
    offered = offer_another(leased())
    assert offered.host == 10
    assert renew(offered).host == 11
    lost = advance(see(offered, 20.0, carrier=False, lan=False), 30.0)
    assert renew(lost).host is None
    assert advance(see(lost, 40.0, carrier=True, lan=True), 41.0).host == 11


def test_lost_interface_takes_the_address() -> None:
    """Without interface there is no address and nothing to wait for."""
    assert lose(leased()) == Lease(10)


# --- plan --------------------------------------------------------------------------------------------------


def test_every_uplink_gets_a_lan_of_its_own() -> None:
    """Default prefixes and metrics are distinct and ordered."""
    plans = plan_bay([BayUplink(f"u{number}", f"eth{number}") for number in range(5)])
    assert len({plan.lan for plan in plans}) == 5
    assert [plan.metric for plan in plans] == [100, 200, 300, 400, 500]
    assert len({plan.mac(end) for plan in plans for end in ("site", "box", "wan", "operator")}) == 20


def test_targets_of_all_uplinks_are_on_the_internet() -> None:
    """Every target exists once, the usual ones and the broker always."""
    plans = plan_bay([BayUplink("a", "eth1", targets=("4.2.2.2", "1.1.1.1"))])
    assert all_targets(plans) == ("1.1.1.1", "8.8.8.8", "9.9.9.9", "4.2.2.2", "203.0.113.10")


@pytest.mark.parametrize(
    ("uplinks", "said"),
    [
        ([], "1 to"),
        ([BayUplink("a", "eth1"), BayUplink("a", "eth2")], "name: a"),
        ([BayUplink("a", "eth1"), BayUplink("b", "eth1")], "interface: eth1"),
        ([BayUplink("a", "eth1", lan_prefix="10.0.0.0/24")] * 2, "name"),
        (
            [BayUplink(n, n, lan_prefix="10.0.0.0/24") for n in ("a", "b")],
            "lan_prefix: 10.0.0.0/24",
        ),
        ([BayUplink("a", "eth1", kind="dsl")], "ftth, starlink, cellular, other"),
        ([BayUplink("a", "an-interface-too-long")], "interface"),
        ([BayUplink("a", "eth 1")], "interface"),
        ([BayUplink("a", "eth1", targets=("one.one",))], "IPv4"),
        ([BayUplink("a", "eth1", lan_prefix="10.0.0.0/16")], "/24"),
    ],
)
def test_impossible_bay_is_refused(uplinks: list[BayUplink], said: str) -> None:
    """The message names what stands in the way."""
    with pytest.raises(ValueError, match=said):
        plan_bay(uplinks)
