"""Real drivers on the devices of the virtual bay, from the site, over real sockets and serial ports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from bay_ground import TARGET, eventually, eventually_answers, play, silent
from voice_ground import ON, driver, uplink

from hardware import login
from hardware.box_port import BoxReport, BoxStatus, LineCause
from hardware.ports import DataState, HardwareError, LoginRefusedError, Modem, Registration, Signal, Sim
from hardware.virtual.bay import Bay, BayUplink
from hardware.virtual.speaks import BOXES, SPEAKS, SPOKEN_ON, at_device
from hardware.virtual.web_voice import SECRETS

pytestmark = pytest.mark.bay
_Found = TypeVar("_Found")


async def at_site(bay: Bay, call: Callable[[], _Found]) -> _Found:
    """Run a blocking call in the site's namespace, in a thread of its own."""
    return await asyncio.to_thread(bay.site.call, call)


async def until(bay: Bay, device: Modem | BoxStatus, fact: Callable[[Any], object]) -> None:
    """Ask until the answer shows ``fact``; a device that is not there yet is asked again."""
    async with asyncio.timeout(10):
        while True:
            try:
                if fact(await at_site(bay, device.read)):
                    return
            except HardwareError:
                pass
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("speaks", SPEAKS)
def test_a_device_says_how_its_line_is(tmp_path: Path, speaks: str) -> None:
    """Well, then cut, then well again; the line's own kind decides what is missing."""

    async def story(bay: Bay) -> None:
        device = driver(bay, speaks)
        for cut in (False, True, False):
            await bay.do("line_cut" if cut else "line_back", on=ON)
            told = await at_site(bay, device.read)
            if isinstance(told, Signal):
                assert told.data is (DataState.DISCONNECTED if cut else DataState.CONNECTED)
                assert told.registration is (Registration.SEARCHING if cut else Registration.HOME)
            else:
                assert (told.line_up, told.wan_up) == (not cut, not cut)
        device.close()

    play(tmp_path, story, uplink(speaks))


@pytest.mark.parametrize("speaks", SPEAKS)
def test_a_device_dies_with_its_power_and_boots(tmp_path: Path, speaks: str) -> None:
    """While there is none nobody answers; afterwards it counts its time anew."""

    async def story(bay: Bay) -> None:
        device = driver(bay, speaks)
        assert await at_site(bay, device.read)
        bay.boxes[ON].switch_relay(cut=True)
        assert not at_device(bay.folder, ON).exists()
        with pytest.raises(HardwareError):
            await at_site(bay, device.read)
        bay.boxes[ON].switch_relay(cut=False)
        await until(bay, device, bool)
        told = await at_site(bay, device.read)
        assert told.uptime_s is None or told.uptime_s < 60
        assert (told.uptime_s is None) is (speaks == "at")
        device.close()

    play(tmp_path, story, uplink(speaks))


@pytest.mark.parametrize("speaks", SPEAKS)
def test_a_device_that_hangs_with_its_box_says_nothing(tmp_path: Path, speaks: str) -> None:
    """It answers pings, lets nothing through, takes questions and answers none; healed, it answers."""

    async def story(bay: Bay) -> None:
        device = driver(bay, speaks)
        await bay.do("hang", on=ON, mode="api")
        assert await bay.ping(bay.plans[ON].box, on=ON) is not None
        assert await silent(bay, ON)
        with pytest.raises(HardwareError):
            await at_site(bay, device.read)
        with pytest.raises(HardwareError):
            await at_site(bay, device.reboot)
        assert bay.facts()[ON]["reboots"] == 0
        await bay.do("heal", on=ON)
        await until(bay, device, bool)
        await bay.do("mute", on=ON)
        with pytest.raises(HardwareError):
            await at_site(bay, device.read)
        assert await bay.ping(TARGET, on=ON) is not None
        await bay.do("unmute", on=ON)
        await until(bay, device, bool)
        device.close()

    play(tmp_path, story, uplink(speaks))


@pytest.mark.parametrize("speaks", ["hilink", "at", "starlink"])
def test_an_order_to_reboot_reboots_the_box(tmp_path: Path, speaks: str) -> None:
    """The carrier goes and comes back, a hang that it can reach ends, and the device is found again."""
    mode = "lan" if speaks == "at" else "forwarding"

    async def story(bay: Bay) -> None:
        device = driver(bay, speaks)
        await bay.do("hang", on=ON, mode=mode)
        assert await silent(bay, ON)
        await at_site(bay, device.reboot)
        await eventually(lambda: bay.facts()[ON]["reboots"] == 1)
        assert not bay.facts()[ON]["carrier"]
        await eventually_answers(bay, ON)
        assert bay.facts()[ON]["cuts"] == 0
        await until(bay, device, bool)
        device.close()

    play(tmp_path, story, uplink(speaks))


def test_the_port_of_a_modem_outlives_its_network_side(tmp_path: Path) -> None:
    """Only a module that is frozen itself is silent on its serial port."""

    async def story(bay: Bay) -> None:
        device = driver(bay, "at")
        await bay.do("hang", on=ON, mode="lan")
        assert (await at_site(bay, device.read)).data is DataState.CONNECTED  # type: ignore[union-attr]
        await bay.do("hang", on=ON, mode="frozen")
        with pytest.raises(HardwareError):
            await at_site(bay, device.read)
        device.close()

    play(tmp_path, story, uplink("at"))


@pytest.mark.parametrize("speaks", ["hilink", "at"])
def test_a_modem_is_in_what_is_done_to_it(tmp_path: Path, speaks: str) -> None:
    """Card, network and cell; what keeps it from data keeps the packets, and what does not lets them pass."""

    async def story(bay: Bay) -> None:
        device = driver(bay, speaks)

        async def told(**args: Any) -> Signal:
            await bay.do("modem", on=ON, **args)
            reading = await at_site(bay, device.read)
            assert isinstance(reading, Signal)
            return reading

        weak = await told(signal="poor", band="B28", registration="roaming", operator="Voisin")
        assert (weak.cell.rsrp_dbm, weak.cell.sinr_db, weak.cell.band) == (-112, -2, "B28")
        assert (weak.registration, weak.operator) == (Registration.ROAMING, "Voisin")
        assert await bay.ping(TARGET, on=ON) is not None
        assert (await told(sim="missing", registration="none")).sim is Sim.MISSING
        assert await silent(bay, ON)
        assert (await told(sim="ready", registration="home", signal="good")).cell.rsrp_dbm == -86
        assert await bay.ping(TARGET, on=ON) is not None
        refused = DataState.REFUSED if speaks == "hilink" else DataState.DISCONNECTED
        assert (await told(data="refused")).data is refused
        assert await silent(bay, ON)
        await told(data="connected", signal="unusable")
        assert await silent(bay, ON)
        device.close()

    play(tmp_path, story, uplink(speaks))


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        ("obstructed", LineCause.OBSTRUCTED),
        ("booting", LineCause.BOOTING),
        ("updating", LineCause.UPDATING),
        ("unpaid", LineCause.UNPAID),
        ("disabled", LineCause.DISABLED),
        ("sky_search", LineCause.SKY_SEARCH),
        ("no_pings", LineCause.NO_PINGS),
        ("thermal", LineCause.THERMAL),
    ],
)
def test_a_dish_is_in_what_is_done_to_it(tmp_path: Path, state: str, cause: LineCause) -> None:
    """It names its trouble, and no packet passes until that is over."""

    async def story(bay: Bay) -> None:
        device = driver(bay, "starlink")
        await bay.do("dish", on=ON, state=state, obstructed_pct=12.5)
        report = await at_site(bay, device.read)
        assert isinstance(report, BoxReport)
        assert (report.cause, report.wan_up, report.obstructed_pct) == (cause, False, 12.5)
        assert await silent(bay, ON)
        await bay.do("dish", on=ON, state="well")
        assert (await at_site(bay, device.read)).wan_up is True  # type: ignore[union-attr]
        assert await bay.ping(TARGET, on=ON) is not None

    play(tmp_path, story, uplink("starlink"))


@pytest.mark.parametrize("speaks", ["livebox", "freebox"])
def test_the_light_that_a_box_receives_can_be_set(tmp_path: Path, speaks: str) -> None:
    """Packets pass as before."""

    async def story(bay: Bay) -> None:
        device = driver(bay, speaks)
        await bay.do("light", on=ON, rx_dbm=-28.5)
        report = await at_site(bay, device.read)
        assert isinstance(report, BoxReport)
        assert report.optical_rx_dbm == -28.5
        assert await bay.ping(TARGET, on=ON) is not None
        device.close()

    play(tmp_path, story, uplink(speaks))


@pytest.mark.parametrize("speaks", sorted(SECRETS))
def test_a_box_can_refuse_its_password(tmp_path: Path, speaks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that has just been let in is not any more; in a new process it tries again."""

    async def story(bay: Bay) -> None:
        device = driver(bay, speaks)
        assert await at_site(bay, device.read)
        await bay.do("lock", on=ON)
        with pytest.raises(LoginRefusedError):
            await at_site(bay, device.read)
        await bay.do("unlock", on=ON)
        monkeypatch.setattr(login, "_LOGINS", {})
        assert await at_site(bay, driver(bay, speaks).read)

    play(tmp_path, story, uplink(speaks))


def test_a_box_without_a_way_out_says_so(tmp_path: Path) -> None:
    """Light is there, internet is not."""

    async def story(bay: Bay) -> None:
        await bay.do("way_out_lost", on=ON)
        report = await at_site(bay, driver(bay, "livebox").read)
        assert isinstance(report, BoxReport)
        assert (report.line_up, report.wan_up) == (True, False)

    play(tmp_path, story, uplink("livebox"))


@pytest.mark.parametrize("what", ["modem", "dish", "light", "mute", "lock"])
def test_what_a_device_cannot_be_is_a_fault(tmp_path: Path, what: str) -> None:
    """Where nobody speaks there is nothing to change."""

    async def story(bay: Bay) -> None:
        with pytest.raises(ValueError, match="nobody speaks one of"):
            await bay.do(what, on=ON, **({"rx_dbm": -20.0} if what == "light" else {}))

    play(tmp_path, story, [BayUplink(ON, "wan0")])


def test_every_language_is_tested_here() -> None:
    """And each is found on some kind of uplink."""
    assert set(SPOKEN_ON) == set(SPEAKS)
    assert set(SECRETS) <= set(BOXES)
