"""The virtual bay and the simulation mean the same by the same words.

What real drivers read in the one, the core is told in the other.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from bay_ground import play
from voice_ground import ON, driver, uplink

from agent.cli.core_story import CoreStory
from agent.core.devices import Says
from agent.probes.readings import said, silent
from agent.simulation import deeds, speaking
from hardware.ports import HardwareError, LoginRefusedError
from hardware.virtual import speaks as words
from hardware.virtual.bay import Bay
from hardware.virtual.scenario_reader import parse
from hardware.virtual.speaks import BOXES, DISH_STATES, MODEMS, SPEAKS, SPOKEN_ON

pytestmark = pytest.mark.bay
Case = tuple[str, dict[str, Any]]
LINE: tuple[Case, ...] = (("line_cut", {}), ("line_back", {}))
HANGS: tuple[Case, ...] = tuple(
    case
    for mode in ("forwarding", "lan", "frozen", "api")
    for case in (("hang", {"mode": mode}), ("heal", {}))
)
OF_MODEMS: tuple[Case, ...] = (
    *(("modem", {"signal": signal}) for signal in words.AIR),
    ("modem", {"signal": "good", "band": "B28"}),
    *(("modem", {"sim": sim, "registration": "none"}) for sim in ("missing", "pin", "puk")),
    *(("modem", {"sim": "ready", "registration": one}) for one in ("denied", "roaming", "searching", "home")),
    ("modem", {"operator": "Voisin"}),
    ("modem", {"data": "refused"}),
    ("modem", {"data": "connected"}),
    *LINE,
)
OF_DISHES: tuple[Case, ...] = (
    *(("dish", {"state": state, "obstructed_pct": 12.5}) for state in DISH_STATES),
    ("dish", {"state": "well"}),
    *LINE,
    ("way_out_lost", {}),
)
CASES: dict[str, tuple[Case, ...]] = {
    **dict.fromkeys(MODEMS, OF_MODEMS),
    "starlink": OF_DISHES,
    **dict.fromkeys(BOXES, (*LINE, ("way_out_lost", {}))),
}
COMPARED = ("heard", "locked", "line_up", "wan_up", "sim", "registration", "refused", "cause", "cut_helps")
"""What the core decides by; model and firmware are the bay's own."""
FIGURES = ("network", "band", "rsrp_dbm", "rsrq_db", "sinr_db")


def scenario(speaks: str) -> CoreStory:
    """The uplink alone, in the simulation."""
    text = f"""
plays = "core"
duration_s = 60
title = {{ fr = "a", en = "a" }}
text = {{ fr = "a", en = "a" }}
[[uplink]]
name = "{ON}"
kind = "{SPOKEN_ON[speaks][0]}"
speaks = "{speaks}"
"""
    return CoreStory(parse(text, "alone"))


async def read(bay: Bay, speaks: str) -> Says:
    """As the agent's own watcher would put it."""
    device = driver(bay, speaks, answer_s=0.5)
    try:
        return said(ON, await asyncio.to_thread(bay.site.call, device.read))
    except LoginRefusedError as error:
        return silent(ON, str(error), locked=True)
    except HardwareError as error:
        return silent(ON, str(error))
    finally:
        device.close()


def decisive(says: Says) -> dict[str, Any]:
    """What the core decides by; unknown and "no" are the same where nothing is asked of them."""
    told = {key: getattr(says, key) for key in COMPARED}
    radio = None if says.radio is None or says.radio.rsrp_dbm is None else asdict(says.radio)
    # A modem out of service tells a technology or not, but no cell.
    return {
        **told,
        "locked": bool(says.locked),
        "cut_helps": says.cut_helps is not False,
        "radio": radio and {key: radio[key] for key in FIGURES},
        "operator": says.operator if says.radio is not None and says.wan_up else None,
    }


@pytest.mark.parametrize("speaks", SPEAKS)
def test_a_word_means_the_same_in_both(tmp_path: Path, speaks: str) -> None:
    """Deed after deed, what a device says is the same to everything that decides."""

    async def story(bay: Bay) -> None:
        world = scenario(speaks).world
        cases = (*CASES[speaks], *HANGS, *((("lock", {}),) if speaks in words.LOCKS else ()))
        if speaks in MODEMS:
            cases = (("modem", {"signal": "good"}), *cases)
        if speaks in words.LIGHT:
            cases = (("light", {"rx_dbm": -24.5}), *cases)
        for what, args in cases:
            await bay.do(what, on=ON, **args)
            deeds.do(world, what, ON, args)
            played = speaking.says(world.lines[ON], ON)
            real = await read(bay, speaks)
            assert decisive(real) == decisive(played), (what, args, real)
            assert (real.rx_dbm, real.obstructed_pct) == (played.rx_dbm, played.obstructed_pct) or (
                played.rx_dbm is played.obstructed_pct is None
            )

    play(tmp_path, story, uplink(speaks))


def test_a_signal_has_the_same_figures_in_both() -> None:
    """Scenario files name a signal by a word."""
    assert list(speaking.AIR) == list(words.AIR)
    for name, air in words.AIR.items():
        played = speaking.AIR[name]
        figures = (played.rsrp_dbm, played.rsrq_db, played.sinr_db, played.band)
        assert figures == (air.rsrp_dbm, air.rsrq_db, air.sinr_db, f"B{air.band}")
