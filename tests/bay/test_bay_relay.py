"""The bay's relay board, and the coil and relay that drive it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from bay_ground import TARGET, eventually, eventually_answers, play, silent

from hardware.ports import HardwareError, HardwareMissingError
from hardware.relay_timed import TimedRelay
from hardware.relays import open_relay
from hardware.virtual.bay import Bay
from hardware.virtual.coil import VirtualCoil

pytestmark = pytest.mark.bay
T = TypeVar("T")


async def elsewhere(function: Callable[..., T], *args: Any) -> T:
    """Call what blocks in a thread, as the bay must answer meanwhile."""
    return await asyncio.to_thread(function, *args)


async def ask(bay: Bay, *lines: str) -> list[dict[str, Any]]:
    """Say lines to the relay board on one connection; its answers."""
    reader, writer = await asyncio.open_unix_connection(bay.folder / "relay.sock")
    answers = []
    for line in lines:
        writer.write(line.encode() + b"\n")
        answers.append(json.loads(await reader.readline()))
    writer.close()
    await writer.wait_closed()
    return answers


def test_relay_really_stops_the_box(tmp_path: Path) -> None:
    """A cut takes carrier and answers, a restore brings them back, and what the coil does can be read."""

    async def story(bay: Bay) -> None:
        assert await ask(bay, '{"box": "ftth", "do": "cut"}') == [{"ok": True, "cut": True}]
        assert not bay.facts()["ftth"]["powered"]
        assert await silent(bay, "ftth", bay.plans["ftth"].box)
        assert await bay.ping(TARGET, on="cell") is not None
        answers = await ask(bay, '{"box":"ftth","do":"read"}', '{"box":"ftth","do":"restore"}')
        assert [answer["cut"] for answer in answers] == [True, False]
        await eventually_answers(bay, "ftth")

    play(tmp_path, story)


def test_bad_requests_are_answered(tmp_path: Path) -> None:
    """Each mistake gets an error that says what is allowed, and the connection goes on."""

    async def story(bay: Bay) -> None:
        answers = await ask(
            bay,
            "cut please",
            "[]",
            '{"box": "ftth"}',
            '{"box": ["ftth"], "do": "cut"}',
            '{"box": "adsl", "do": "cut"}',
            '{"box": "ftth", "do": "explode"}',
            '{"box": "ftth", "do": "read"}',
        )
        assert [answer["ok"] for answer in answers] == [False] * 6 + [True]
        assert "ftth, cell" in answers[4]["error"]
        assert "cut, restore, read" in answers[5]["error"]

    play(tmp_path, story)


def test_coil_keeps_its_level_when_its_driver_dies(tmp_path: Path) -> None:
    """As on a Raspberry Pi, a connection that drops changes nothing."""

    async def story(bay: Bay) -> None:
        await ask(bay, '{"box": "ftth", "do": "cut"}')
        await asyncio.sleep(0.1)
        assert bay.facts()["ftth"]["relay_cut"]

    play(tmp_path, story)


def test_coil_lets_go_when_outputs_do_not_persist(tmp_path: Path) -> None:
    """With floating pins, a connection that drops restores what it has cut, and nothing else."""

    async def story(bay: Bay) -> None:
        reader, writer = await asyncio.open_unix_connection(bay.folder / "relay.sock")
        writer.write(b'{"box": "cell", "do": "cut"}\n')
        await reader.readline()
        await ask(bay, '{"box": "ftth", "do": "cut"}')
        await eventually(lambda: not bay.facts()["ftth"]["relay_cut"])
        assert bay.facts()["cell"]["relay_cut"]
        writer.close()
        await writer.wait_closed()
        await eventually(lambda: bay.facts()["cell"]["powered"])

    play(tmp_path, story, persist_outputs=False)


def test_coil_switches_and_closes_released(tmp_path: Path) -> None:
    """The coil takes the power, gives it back, and closing leaves it released; both are safe to repeat."""

    async def story(bay: Bay) -> None:
        coil = await elsewhere(VirtualCoil, bay.folder / "relay.sock", "ftth")
        for _ in range(2):
            await elsewhere(coil.energise)
            assert await elsewhere(coil.is_energised)
            assert not bay.facts()["ftth"]["powered"]
        for _ in range(2):
            await elsewhere(coil.release)
            assert bay.facts()["ftth"]["powered"]
        await elsewhere(coil.energise)
        for _ in range(2):
            await elsewhere(coil.close)
        assert bay.facts()["ftth"]["powered"]

    play(tmp_path, story)


def test_coil_says_what_is_wrong(tmp_path: Path) -> None:
    """No bay, an unknown box and a bay that has gone are hardware errors in plain words."""
    with pytest.raises(HardwareMissingError, match="no virtual bay"):
        VirtualCoil(tmp_path / "relay.sock", "ftth")
    coils: list[VirtualCoil] = []

    async def story(bay: Bay) -> None:
        path = str(bay.folder / "relay.sock")
        with pytest.raises(HardwareError, match="ftth, cell"):
            await elsewhere(VirtualCoil, path, "adsl")
        coils.append(await elsewhere(VirtualCoil, path, "ftth"))

    play(tmp_path, story)
    with pytest.raises(HardwareError, match="does not answer"):
        coils[0].energise()
    with pytest.raises(HardwareError, match="does not answer"):
        coils[0].close()


def test_coil_survives_a_bay_that_starts_anew(tmp_path: Path) -> None:
    """A broken connection is made again once, within the same order."""
    coils: list[VirtualCoil] = []

    async def first(bay: Bay) -> None:
        coils.append(await elsewhere(VirtualCoil, bay.folder / "relay.sock", "ftth"))

    async def second(bay: Bay) -> None:
        await elsewhere(coils[0].energise)
        assert not bay.facts()["ftth"]["powered"]
        await elsewhere(coils[0].close)

    play(tmp_path, first)
    play(tmp_path, second)


def test_timed_relay_ends_the_cut_by_itself(tmp_path: Path) -> None:
    """The relay driver on the virtual coil gives the power back after the longest time."""

    async def story(bay: Bay) -> None:
        relay = await elsewhere(open_relay, f"virtual:{bay.folder}/relay.sock#ftth")
        assert isinstance(relay, TimedRelay)
        await elsewhere(relay.cut, 0.3)
        assert not bay.facts()["ftth"]["powered"]
        await eventually(lambda: bay.facts()["ftth"]["powered"])
        await eventually(lambda: not relay.is_cut)
        assert 0.25 < bay.facts()["ftth"]["longest_cut_s"] < 1.0
        await elsewhere(relay.close)

    play(tmp_path, story)


def test_welded_contacts(tmp_path: Path) -> None:
    """The relay obeys and says so, the box goes on working, and no cut is counted."""

    async def story(bay: Bay) -> None:
        bay.weld("ftth")
        assert await ask(bay, '{"box": "ftth", "do": "cut"}') == [{"ok": True, "cut": True}]
        assert await bay.ping(TARGET, on="ftth") is not None
        facts = bay.facts()["ftth"]
        assert (facts["relay_cut"], facts["powered"], facts["cuts"]) == (True, True, 0)

    play(tmp_path, story)


def test_relays_that_were_mixed_up(tmp_path: Path) -> None:
    """Each cuts the other's box; a relay in the middle of a cut is not rewired."""

    async def story(bay: Bay) -> None:
        await bay.do("rewire", on="ftth", to="cell")
        await bay.do("rewire", on="cell", to="ftth")
        await ask(bay, '{"box": "ftth", "do": "cut"}')
        assert (bay.facts()["ftth"]["powered"], bay.facts()["cell"]["powered"]) == (True, False)
        with pytest.raises(ValueError, match="between two cuts"):
            await bay.do("rewire", on="ftth", to="ftth")
        await ask(bay, '{"box": "ftth", "do": "restore"}')
        assert bay.facts()["cell"]["powered"]
        with pytest.raises(ValueError, match="ftth, cell"):
            bay.rewire("adsl", "ftth")

    play(tmp_path, story)


def test_contacts_can_be_repaired(tmp_path: Path) -> None:
    """Welded, the box stays on; repaired, it goes off."""

    async def story(bay: Bay) -> None:
        await bay.do("weld", on="ftth")
        await ask(bay, '{"box": "ftth", "do": "cut"}')
        assert bay.facts()["ftth"]["powered"]
        await bay.do("unweld", on="ftth")
        assert not bay.facts()["ftth"]["powered"]

    play(tmp_path, story)


def test_socket_goes_with_the_bay(tmp_path: Path) -> None:
    """A bay removes its socket, and one left by a killed bay is no obstacle."""
    (tmp_path / "relay.sock").write_text("left behind")

    async def story(bay: Bay) -> None:
        assert (await ask(bay, '{"box": "ftth", "do": "read"}'))[0]["ok"]

    play(tmp_path, story)
    assert list(tmp_path.iterdir()) == []
