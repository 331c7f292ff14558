"""The whole agent against each kind of device of the virtual bay, heard on its control socket."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from agent_bay import AgentBay, play
from bay_ground import FAST

from hardware.virtual.bay import BayUplink
from hardware.virtual.box_server import Fault, FaultKind
from hardware.virtual.hilink import HiLink
from hardware.virtual.hilink_server import WebFault
from hardware.virtual.speaks import SPEAKS, SPOKEN_ON
from hardware.virtual.web_voice import WebVoice

pytestmark = pytest.mark.bay
SIX = 6
"""Uplinks that one agent can have."""


def uplinks(*speaks: str) -> list[BayUplink]:
    """One for each language, which is its name too."""
    return [
        BayUplink(one, f"wan{number}", SPOKEN_ON[one][0], speaks=one, boot_s=1.5, quality=FAST)
        for number, one in enumerate(speaks)
    ]


def told(shot: dict[str, Any], uplink: str) -> dict[str, Any]:
    """What the device on this uplink said last; empty while it has not been heard."""
    (device,) = [one for one in shot["devices"] if one["uplink"] == uplink]
    return (device["says"] or {}) if device["heard"] else {}


def silent(shot: dict[str, Any], uplink: str) -> bool:
    """It was asked, and did not answer as it should."""
    (device,) = [one for one in shot["devices"] if one["uplink"] == uplink]
    return device["at"] is not None and not device["heard"]


def works(shot: dict[str, Any]) -> bool:
    """Every uplink."""
    return all(uplink["health"] == "up" for uplink in shot["uplinks"])


KNOWN: dict[str, dict[str, object]] = {
    "hilink": {"wan_up": True, "sim": "ready", "registration": "home", "operator": "op-hilink"},
    "at": {"wan_up": True, "sim": "ready", "registration": "home", "operator": "op-at"},
    "starlink": {"line_up": True, "wan_up": True, "cause": None, "obstructed_pct": 1.25},
    "livebox": {"line_up": True, "wan_up": True, "rx_dbm": -19.746, "model": "Livebox W7"},
    "freebox": {"line_up": True, "wan_up": True, "rx_dbm": -18.38, "model": "Freebox v8 virtual"},
    "sfr": {"line_up": True, "wan_up": True, "model": "BOX10H-SER-r0"},
    "bbox": {"line_up": True, "wan_up": True, "model": "F@st5696b"},
}
"""What each must be heard to say."""
RADIO: dict[str, dict[str, object]] = {
    "hilink": {"network": "4G", "band": "B20", "rsrp_dbm": -97, "sinr_db": 9},
    "at": {"network": "4G", "band": "B20", "rsrp_dbm": -97, "sinr_db": 8},
}


@pytest.mark.parametrize("speaks", [SPEAKS[:SIX], SPEAKS[SIX:]], ids=["six", "the rest"])
def test_the_agent_hears_every_device(tmp_path: Path, speaks: tuple[str, ...]) -> None:
    """Each says its own, through its own uplink, soon after the start; nobody is locked out."""

    async def story(site: AgentBay) -> None:
        await site.agent.start()
        await site.until(lambda shot: all(told(shot, one) for one in speaks))
        shot = await site.snapshot()
        for one in speaks:
            says = told(shot, one)
            assert {key: says[key] for key in KNOWN[one]} == KNOWN[one], one
            assert says["locked"] is None
            if one in RADIO:
                assert {key: says["radio"][key] for key in RADIO[one]} == RADIO[one], one

    play(tmp_path, story, uplinks(*speaks))


def _hangs(site: AgentBay, name: str) -> None:
    _fail(site, name, FaultKind.HANG, WebFault(silent=True))


def _floods(site: AgentBay, name: str) -> None:
    _fail(site, name, FaultKind.HUGE, WebFault(flood=10_000_000))


def _hangs_up(site: AgentBay, name: str) -> None:
    _fail(site, name, FaultKind.CUT, WebFault(cut_after=0))


def _fail(site: AgentBay, name: str, kind: FaultKind, of_modem: WebFault) -> None:
    voice = site.bay.voices[name]
    if isinstance(voice, HiLink):
        voice.server.fault = of_modem
    else:
        assert isinstance(voice, WebVoice)
        assert voice.device is not None
        voice.device.server.fault = Fault(kind)


@pytest.mark.parametrize("fail", [_hangs, _floods, _hangs_up])
def test_a_bad_device_stalls_nobody(tmp_path: Path, fail: Callable[[AgentBay, str], None]) -> None:
    """All but one are broken: that one is heard, every uplink works, and a silence is seen as ever."""
    speaks = ("hilink", "starlink", "livebox", "freebox", "sfr", "at")

    async def story(site: AgentBay) -> None:
        for one in speaks[:-1]:
            fail(site, one)
        await site.agent.start()
        await site.until(lambda shot: works(shot) and told(shot, "at"))
        await site.bay.do("line_cut", on="sfr")
        await site.until(lambda shot: _health(shot, "sfr") == "down")
        # A reading of a page that hangs may last as long as its driver's patience, several times over.
        await site.until(lambda shot: all(silent(shot, one) for one in speaks[:-1]), within_s=60)
        shot = await site.snapshot()
        assert [one["health"] for one in shot["uplinks"] if one["name"] != "sfr"] == ["up"] * 5
        assert [one["name"] for one in shot["parts"] if not one["ok"]] == []
        assert site.bay.facts()["sfr"]["cuts"] == 0
        await site.bay.do("line_back", on="sfr")
        await site.until(works)

    play(tmp_path, story, uplinks(*speaks))


def _health(shot: dict[str, Any], name: str) -> str:
    (health,) = [one["health"] for one in shot["uplinks"] if one["name"] == name]
    return str(health)


def _heard_at(shot: dict[str, Any], uplink: str) -> float:
    (device,) = [one for one in shot["devices"] if one["uplink"] == uplink]
    return device["heard_at"] or 0.0


def test_a_modem_without_a_port_is_found_when_it_is_plugged(tmp_path: Path) -> None:
    """The port is not there while the box has no power; the agent finds it again after the boot."""

    async def story(site: AgentBay) -> None:
        await site.agent.start()
        await site.until(lambda shot: told(shot, "at"))
        box = site.bay.boxes["at"]
        box.switch_relay(cut=True)
        await site.until(lambda shot: _health(shot, "at") == "down")
        cut_at = (await site.snapshot())["mono"]
        box.switch_relay(cut=False)
        await site.until(lambda shot: _health(shot, "at") == "up" and _heard_at(shot, "at") > cut_at)

    play(tmp_path, story, [*uplinks("at"), BayUplink("ftth", "eth9", boot_s=1.5, quality=FAST)])
