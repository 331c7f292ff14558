"""The HiLink driver on the cellular box of the virtual bay, from the site, with real packets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from bay_ground import TARGET, eventually, eventually_answers, play

from hardware.huawei import HuaweiModem
from hardware.ports import DataState, HardwareError, Network, Registration, Sim
from hardware.virtual.bay import Bay

pytestmark = pytest.mark.bay

_Found = TypeVar("_Found")


async def at_site(bay: Bay, call: Callable[[], _Found]) -> _Found:
    """Run a blocking call in the site's namespace, in a thread of its own."""
    return await asyncio.to_thread(bay.site.call, call)


def driver(bay: Bay, request_s: float = 5.0) -> HuaweiModem:
    """Bound to the uplink's interface, as the agent would have it."""
    plan = bay.plans["cell"]
    return HuaweiModem(f"http://{plan.box}/", interface=plan.uplink.interface, request_s=request_s)


def test_the_modem_of_the_bay_is_read(tmp_path: Path) -> None:
    """Radio, operator and session, through the uplink's own interface."""

    async def story(bay: Bay) -> None:
        modem = driver(bay)
        reading = await at_site(bay, modem.read)
        assert (reading.network, reading.registration) == (Network.G4, Registration.HOME)
        assert (reading.operator, reading.cell.rsrp_dbm) == ("op-cell", -97)
        assert reading.data is DataState.CONNECTED
        await bay.do("line_cut", on="cell")
        assert (await at_site(bay, modem.read)).data is DataState.DISCONNECTED
        modem.close()

    play(tmp_path, story)


def test_the_card_of_the_bay_is_followed(tmp_path: Path) -> None:
    """A SIM that goes missing, and one that the network refuses."""

    async def story(bay: Bay) -> None:
        modem, hilink = driver(bay), bay.voices["cell"]
        hilink.signal = replace(hilink.signal, sim=Sim.MISSING)
        assert (await at_site(bay, modem.read)).sim is Sim.MISSING
        hilink.signal = replace(hilink.signal, sim=Sim.READY, registration=Registration.DENIED)
        assert (await at_site(bay, modem.read)).registration is Registration.DENIED
        modem.close()

    play(tmp_path, story)


def test_a_frozen_interface_while_packets_pass(tmp_path: Path) -> None:
    """Only the modem's own server hangs: that is an error of the driver, and echoes go through."""

    async def story(bay: Bay) -> None:
        modem = driver(bay, request_s=0.3)
        bay.voices["cell"].freeze()
        with pytest.raises(HardwareError, match="must be restarted"):
            await at_site(bay, modem.read)
        assert await bay.ping(TARGET, on="cell") is not None
        bay.voices["cell"].freeze(frozen=False)
        modem.close()
        patient = driver(bay)
        assert (await at_site(bay, patient.read)).sim is Sim.READY
        patient.close()

    play(tmp_path, story)


def test_a_reboot_by_the_driver_reboots_the_box(tmp_path: Path) -> None:
    """Once; afterwards the same driver reads on, with a new session."""

    async def story(bay: Bay) -> None:
        modem = driver(bay)
        await at_site(bay, modem.read)
        await at_site(bay, modem.reboot)
        await eventually(lambda: bay.facts()["cell"]["reboots"] == 1)
        assert bay.facts()["cell"]["cuts"] == 0
        await eventually_answers(bay, "cell")
        reading = await at_site(bay, modem.read)
        assert reading.uptime_s is not None
        assert reading.uptime_s < 60
        modem.close()

    play(tmp_path, story)


def test_a_box_without_power_is_an_error(tmp_path: Path) -> None:
    """And the driver finds it again when it is back."""

    async def story(bay: Bay) -> None:
        modem = driver(bay)
        await at_site(bay, modem.read)
        bay.boxes["cell"].switch_relay(cut=True)
        with pytest.raises(HardwareError):
            await at_site(bay, modem.read)
        bay.boxes["cell"].switch_relay(cut=False)
        await eventually_answers(bay, "cell")
        assert (await at_site(bay, modem.read)).sim is Sim.READY
        modem.close()

    play(tmp_path, story)
