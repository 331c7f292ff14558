"""What every modem does: AT on pseudo-terminals, in five makers' dialects, and HiLink on a web server."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import fields

import pytest
from modem_ground import FAILURES, RIGS, Rig

from hardware.ports import (
    Cell,
    DataState,
    HardwareError,
    HardwareMissingError,
    Network,
    Registration,
    Sim,
    UnconfirmedError,
)


@pytest.fixture(params=sorted(RIGS))
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    built = RIGS[request.param]()
    yield built
    built.close()


def test_a_reading_says_what_the_modem_knows(rig: Rig) -> None:
    """Technology, operator, registration, card, session, address, model and figures."""
    rig.set(rsrp_dbm=-103, rsrq_db=-12, sinr_db=6, rssi_dbm=-75)
    reading = rig.modem.read()
    assert reading.network is Network.G4
    assert (reading.operator, reading.plmn) == ("Exemple Mobile", "20899")
    assert (reading.registration, reading.sim) == (Registration.HOME, Sim.READY)
    assert (reading.data, reading.wan_address) == (DataState.CONNECTED, "100.71.4.9")
    assert (reading.is_cgnat, reading.is_public) == (True, False)
    assert (reading.cell.rsrp_dbm, reading.cell.rsrq_db) == (-103, -12)
    assert reading.cell.rssi_dbm == -75
    assert reading.cell.sinr_db == (6 if rig.tells_sinr else None)
    assert reading.nr is None
    assert reading.model
    assert reading.firmware


@pytest.mark.parametrize("network", Network, ids=lambda network: network.value)
def test_each_technology_is_told(rig: Rig, network: Network) -> None:
    """5G beside 4G has figures of its own, 5G alone takes the place of 4G."""
    if network not in rig.networks:
        pytest.skip(f"this kind of modem has no {network}")
    rig.set(network=network)
    reading = rig.modem.read()
    assert reading.network is network
    assert (reading.nr is not None) == (network is Network.G5_NSA)
    if reading.nr is not None:
        assert (reading.nr.rsrp_dbm, reading.nr.rsrq_db, reading.nr.sinr_db) == (-91, -11, 14)
        assert reading.cell.rsrp_dbm == -97
    if network is Network.G5_SA:
        assert (reading.cell.rsrp_dbm, reading.cell.rsrq_db, reading.cell.sinr_db) == (-91, -11, 14)
    assert reading.registration is Registration.HOME


@pytest.mark.parametrize("state", Registration, ids=lambda state: state.value)
def test_registration_is_told(rig: Rig, state: Registration) -> None:
    """Only a modem that is registered has a session and an operator."""
    rig.set(registration=state)
    reading = rig.modem.read()
    assert reading.registration is state
    registered = state in (Registration.HOME, Registration.ROAMING)
    assert reading.data is (DataState.CONNECTED if registered else DataState.DISCONNECTED)
    assert (reading.operator is not None) == registered


@pytest.mark.parametrize("state", Sim, ids=lambda state: state.value)
def test_the_card_is_told(rig: Rig, state: Sim) -> None:
    """A card that is missing or locked is an answer, not an error."""
    rig.set(sim=state, registration=Registration.HOME if state is Sim.READY else Registration.NONE)
    reading = rig.modem.read()
    assert reading.sim is state
    assert (reading.registration is Registration.HOME) == (state is Sim.READY)


def test_no_signal_is_unknown_and_never_zero(rig: Rig) -> None:
    """Without service every figure is None."""
    rig.set(rsrp_dbm=None, rsrq_db=None, sinr_db=None, rssi_dbm=None, registration=Registration.SEARCHING)
    reading = rig.modem.read()
    assert reading.cell == Cell()
    assert reading.nr is None
    assert reading.wan_address is None


def test_single_figures_may_be_unknown(rig: Rig) -> None:
    """What is known is told nevertheless."""
    rig.set(sinr_db=None, rsrq_db=None)
    reading = rig.modem.read()
    assert (reading.cell.sinr_db, reading.cell.rsrq_db) == (None, None)
    assert reading.cell.rsrp_dbm == -97


def test_figures_are_followed(rig: Rig) -> None:
    """Each reading is asked anew."""
    for level in (-80, -118, -97):
        rig.set(rsrp_dbm=level)
        assert rig.modem.read().cell.rsrp_dbm == level


def test_a_modem_that_was_replugged_is_found_again(rig: Rig) -> None:
    """While it is away that is said; afterwards the same driver reads on."""
    rig.modem.read()
    rig.unplug()
    for _ in range(2):
        with pytest.raises(HardwareError):
            rig.modem.read()
    rig.plug()
    assert rig.modem.read().cell.rsrp_dbm == -97


def test_a_modem_may_come_later(rig: Rig) -> None:
    """Constructing touches nothing."""
    rig.unplug()
    with pytest.raises(HardwareError):
        rig.modem.read()
    rig.plug()
    assert rig.modem.read().sim is Sim.READY


@pytest.mark.parametrize("how", FAILURES)
@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
@pytest.mark.parametrize("kind", ["quectel, with reports", "sierra", "hilink", "hilink, with password"])
def test_a_failing_modem_is_an_error_and_the_next_reading_works(kind: str, how: str, warm: bool) -> None:
    """Silence, half an answer, a vanishing device, garbage, noise without end, and nothing but refusals."""
    rig = RIGS[kind]()
    if warm:
        rig.modem.read()
    rig.fail(how, after=20)
    with pytest.raises(HardwareError) as error:
        rig.modem.read()
    assert str(error.value)
    rig.heal()
    assert rig.modem.read().cell.rsrp_dbm == -97
    rig.close()


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_noise_without_end_is_not_kept(rig: Rig, warm: bool) -> None:
    """Ten megabytes of it take no memory to speak of."""
    if warm:
        rig.modem.read()
    rig.fail("flood")
    tracemalloc.start()
    try:
        with pytest.raises(HardwareError):
            rig.modem.read()
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_a_reboot_is_ordered_once(rig: Rig) -> None:
    """The modem accepts, goes, and is read again when it is back."""
    rig.modem.read()
    rig.modem.reboot()
    assert rig.reboots == 1
    rig.plug()
    assert rig.modem.read().cell.rsrp_dbm == -97
    assert rig.reboots == 1


def test_a_modem_that_cannot_be_rebooted_says_so(rig: Rig) -> None:
    """Refused and unreachable are both errors."""
    rig.fail("refuses")
    with pytest.raises(HardwareError):
        rig.modem.reboot()
    rig.heal()
    rig.unplug()
    with pytest.raises(HardwareError):
        rig.modem.reboot()
    assert rig.reboots == 0


def test_a_text_is_sent(rig: Rig) -> None:
    """Also one beyond the GSM alphabet."""
    rig.modem.send_text("+33612345678", "Site de Dijon : panne")
    rig.modem.send_text("0612345678", "Dépannage terminé, ça marche")
    assert rig.texts == 2
    assert rig.modem.read().sim is Sim.READY


def test_a_text_that_the_network_refuses_is_an_error(rig: Rig) -> None:
    """Handing it to the modem is not enough."""
    rig.set(registration=Registration.DENIED)
    with pytest.raises(HardwareError):
        rig.modem.send_text("+33612345678", "Panne")
    rig.set(registration=Registration.HOME)
    rig.modem.send_text("+33612345678", "Panne")


def test_a_text_that_is_handed_over_and_not_confirmed_may_have_been_sent(rig: Rig) -> None:
    """That is told apart from a refusal: nobody may send it again blindly. The next message goes out."""
    rig.modem.read()
    rig.leave_unconfirmed()
    with pytest.raises(UnconfirmedError):
        rig.modem.send_text("+33612345678", "Panne")
    rig.heal()
    rig.modem.send_text("+33612345678", "Panne")


def test_a_text_that_cannot_be_handed_over_was_not_sent(rig: Rig) -> None:
    """A modem that is away, or refuses every order, surely has sent nothing."""
    for spoil, repair in ((lambda: rig.fail("refuses"), rig.heal), (rig.unplug, rig.plug)):
        spoil()
        with pytest.raises(HardwareError) as error:
            rig.modem.send_text("+33612345678", "Panne")
        assert not isinstance(error.value, UnconfirmedError)
        repair()
    assert rig.texts == 0


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("", "x"),
        ("12", "x"),
        ("+3361234567890123", "x"),
        ("0612 34", "x"),
        ("+33612345678;", "x"),
        ("+33612345678", ""),
        ("+33612345678", "x" * 161),
        ("+33612345678", "ê" * 71),
        ("+33612345678", "a\x1ab"),
        ("+33612345678", "a\rb"),
    ],
)
def test_a_text_that_cannot_be_sent_is_refused(rig: Rig, number: str, text: str) -> None:
    """Before the modem hears of it."""
    with pytest.raises(ValueError):  # noqa: PT011 - each of its reasons is tested with the alphabet
        rig.modem.send_text(number, text)
    assert rig.texts == 0
    assert rig.orders == []


def test_only_harmless_orders_leave(rig: Rig) -> None:
    """No PIN, no scan for networks, no power off, no factory settings, in everything a driver can do."""
    rig.modem.read()
    for state in Sim:
        rig.set(sim=state)
        rig.modem.read()
    rig.set(sim=Sim.READY)
    rig.modem.send_text("+33612345678", "Panne")
    rig.modem.reboot()
    heard = "\n".join(rig.orders).upper()
    for forbidden in ("CPIN=", "CPWD", "CLCK", "COPS=?", "COPS=1", "CFUN=0", "&F", "PIN/OPERATE", "PLMN"):
        assert forbidden not in heard
    assert "<CONTROL>1<" in heard or "AT+CFUN=1,1" in heard
    assert "<CONTROL>" not in heard.replace("<CONTROL>1<", "")


def test_closing_may_be_repeated_and_ends_everything(rig: Rig) -> None:
    """A closed modem says that it is closed."""
    rig.modem.read()
    rig.modem.close()
    rig.modem.close()
    for call in (rig.modem.read, rig.modem.reboot, lambda: rig.modem.send_text("+33612345678", "x")):
        with pytest.raises(HardwareError, match="closed"):
            call()


def test_a_reading_is_plain_data(rig: Rig) -> None:
    """Equal readings are equal, and no figure is an odd type."""
    first, second = rig.modem.read(), rig.modem.read()
    assert first == second
    for part in fields(first.cell):
        assert isinstance(getattr(first.cell, part.name), int | float | str | None)


def test_a_missing_device_is_told_from_one_that_hangs() -> None:
    """The caller can see that there is nothing to reboot."""
    rig = RIGS["quectel"]()
    rig.unplug()
    with pytest.raises(HardwareMissingError, match="does not exist"):
        rig.modem.read()
    rig.close()
