"""The LEDs: what each shows for a snapshot, and the wink that only a living agent gives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from agent.core.codes import Code
from agent.core.snapshot_types import Health, Phase, Snapshot
from agent.sinks.lights import LAMP_TEST_S, WINK_S, LightsSink, render
from hardware.ports import Colour, HardwareError, Pattern
from hardware.virtual.panel import VirtualLights

DARK = Pattern(Colour.DARK)
GREEN = Pattern(Colour.GREEN)
ORANGE = Pattern(Colour.ORANGE)
RED = Pattern(Colour.RED)

Build = Callable[..., Any]


@pytest.mark.parametrize(
    ("health", "pattern"),
    [
        (Health.UP, GREEN),
        (Health.DEGRADED, Pattern(Colour.ORANGE, 2.8, 0.2)),
        (Health.SUSPECT, Pattern(Colour.ORANGE, 2.8, 0.2)),
        (Health.DOWN, Pattern(Colour.RED, 0.5, 0.5)),
        (Health.UNKNOWN, DARK),
    ],
)
def test_each_health_has_its_pattern(
    example_snapshot: Build, example_uplink: Build, health: Health, pattern: Pattern
) -> None:
    """Colour and rhythm both tell the state; only an uplink that works is steady green."""
    snapshot = example_snapshot(uplinks=(example_uplink("ftth", health=health),))
    assert render(snapshot)["ftth"] == pattern


@pytest.mark.parametrize("phase", [Phase.ORDERED, Phase.CUT, Phase.BOOTING])
@pytest.mark.parametrize("health", list(Health))
def test_a_restarting_box_wins(
    example_snapshot: Build, example_uplink: Build, example_box: Build, phase: Phase, health: Health
) -> None:
    """From the order to the end of the boot the uplink's LED says do not touch, whatever its health."""
    snapshot = example_snapshot(
        uplinks=(example_uplink("ftth", health=health), example_uplink("cellular")),
        boxes=(example_box(phase=phase),),
    )
    assert render(snapshot)["ftth"] == Pattern(Colour.RED, 0.125, 0.125)
    assert render(snapshot)["cellular"] == GREEN


@pytest.mark.parametrize(
    ("scene", "site"),
    [
        ("all_well", GREEN),
        ("suspect", GREEN),
        ("held", GREEN),
        ("unarmed", GREEN),
        ("warming_up", DARK),
        ("box_hung", ORANGE),
        ("degraded", ORANGE),
        ("restarting_cut", ORANGE),
        ("restarting_boot", ORANGE),
        ("needs_human", ORANGE),
        ("six_uplinks", ORANGE),
        ("everything_down", RED),
        ("bay_dark", RED),
    ],
)
def test_the_site_at_a_glance(scenes: dict[str, Snapshot], scene: str, site: Pattern) -> None:
    """Green all well, orange something is wrong but there is internet, red none, dark nothing known."""
    assert render(scenes[scene])["site"] == site


def test_never_a_wrong_green(example_snapshot: Build, example_uplink: Build, example_finding: Build) -> None:
    """The site is not green while an uplink's state is unknown, or while a part of the agent is failing."""
    unknown = example_snapshot(uplinks=(example_uplink("ftth"), example_uplink("b", health=Health.UNKNOWN)))
    failing = example_snapshot(findings=(example_finding(Code.PART_FAILED, "mqtt", "MQTT"),))
    only_down = example_snapshot(
        uplinks=(example_uplink("ftth", health=Health.DOWN), example_uplink("b", health=Health.UNKNOWN))
    )
    assert render(unknown)["site"] == ORANGE
    assert render(failing)["site"] == ORANGE
    assert render(only_down)["site"] == RED


@pytest.mark.parametrize("code", [Code.FAILOVER_MISSING, Code.SITE_PATH_DOWN])
def test_a_site_without_internet_is_red_although_an_uplink_works(
    example_snapshot: Build, example_finding: Build, code: Code
) -> None:
    """What people have counts, not what there would be."""
    shown = render(example_snapshot(findings=(example_finding(code),), headline=code))
    assert shown["site"].colour is Colour.RED


def test_a_lost_test_host_is_no_alarm(example_snapshot: Build, example_finding: Build) -> None:
    """A finding that is only information leaves the site green."""
    snapshot = example_snapshot(findings=(example_finding(Code.TARGET_PROBLEM, "1.1.1.1", "1.1.1.1"),))
    assert render(snapshot)["site"] == GREEN


class Player:
    """Plays snapshots into a sink and keeps what each LED showed."""

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        self.lights = VirtualLights("ftth", "cellular", "site")
        self.naps: list[float] = []
        self.at_end: dict[str, Pattern] = {}
        self._snapshots = snapshots

    def play(self) -> list[Pattern]:
        """Run to the end; return what the site's LED showed, one entry a change."""
        asyncio.run(LightsSink(self.lights, sleep=self._nap).run(self._stream()))
        return [pattern for name, pattern in self.lights.changes if name == "site"]

    async def _stream(self) -> AsyncIterator[Snapshot]:
        for snapshot in self._snapshots:
            yield snapshot
        self.at_end = dict(self.lights.patterns)

    async def _nap(self, seconds: float) -> None:
        self.naps.append(seconds)


def test_the_site_winks_every_two_seconds_while_decisions_come(example_snapshot: Build) -> None:
    """Six snapshots in as many seconds give three short winks; a wink leaves the other LEDs alone."""
    player = Player(example_snapshot(seq=n, mono=1000.0 + n * 0.99) for n in range(6))
    assert player.play() == [GREEN, DARK] * 3 + [GREEN, DARK]
    assert player.naps == [WINK_S] * 6
    assert [name for name, _ in player.lights.changes].count("ftth") == 2


def test_without_new_decisions_there_is_no_wink(example_snapshot: Build) -> None:
    """The wink comes from a snapshot's arrival: one snapshot, one wink, never another."""
    player = Player([example_snapshot()])
    assert player.play() == [GREEN, DARK, GREEN, DARK]


@pytest.mark.parametrize(
    ("scene", "shown"),
    [
        ("all_well", [GREEN, DARK, GREEN, DARK]),
        ("degraded", [ORANGE, DARK] * 2 + [ORANGE, DARK]),
        ("everything_down", [RED, DARK] * 3 + [RED, DARK]),
        ("warming_up", [ORANGE, DARK]),
    ],
)
def test_the_number_of_winks_tells_the_colour(
    scenes: dict[str, Snapshot], scene: str, shown: list[Pattern]
) -> None:
    """One for green, two for orange, three for red; a dark LED flashes. Then the sink goes dark."""
    assert Player([scenes[scene]]).play() == shown


def test_patterns_stay_between_winks(scenes: dict[str, Snapshot]) -> None:
    """After its winks every LED shows what the snapshot says."""
    player = Player([scenes["box_hung"]])
    player.play()
    assert player.at_end == render(scenes["box_hung"])


def test_all_dark_when_decisions_stay_away(example_snapshot: Build) -> None:
    """LEDs do not go on showing an old state: a stuck agent's panel goes dark, and comes back with it."""
    lights = VirtualLights("ftth", "site")
    seen: list[dict[str, Pattern]] = []

    async def stream() -> AsyncIterator[Snapshot]:
        yield example_snapshot()
        seen.append(dict(lights.patterns))
        while lights.patterns["ftth"] != DARK:
            await asyncio.sleep(0.001)
        seen.append(dict(lights.patterns))
        yield example_snapshot(seq=2, mono=1010.0)
        seen.append(dict(lights.patterns))

    asyncio.run(LightsSink(lights, stale_s=0.02).run(stream()))
    assert [state["ftth"] for state in seen] == [GREEN, DARK, GREEN]
    assert [state["site"] for state in seen] == [GREEN, DARK, GREEN]


def test_a_line_that_answers_again_is_neither_red_nor_green(scenes: dict[str, Snapshot]) -> None:
    """It is not trusted yet, and it is no longer dead."""
    snapshot = scenes["line_or_operator"]
    down = next(uplink for uplink in snapshot.uplinks if uplink.health is Health.DOWN)
    returning = replace(down, answers_since=snapshot.mono - 12.0)
    assert render(snapshot)[down.name].colour is Colour.RED
    shown = render(replace(snapshot, uplinks=(returning,)))
    assert shown[down.name].colour is Colour.ORANGE
    assert shown["site"].colour is Colour.RED, "nothing works that could be relied upon"


class LampTest:
    """A lamp test, driven by hand: each nap ends when the test says so."""

    def __init__(self) -> None:
        self.lights = VirtualLights("ftth", "site")
        self.step = asyncio.Event()

    async def nap(self, seconds: float) -> None:
        if seconds == LAMP_TEST_S:
            await self.step.wait()
            self.step.clear()

    async def settle(self, *, step: bool = False) -> set[Pattern]:
        if step:
            self.step.set()
        for _ in range(20):
            await asyncio.sleep(0)
        return set(self.lights.patterns.values())

    def play(self, stream: Callable[[], AsyncIterator[Snapshot]]) -> None:
        sink = LightsSink(self.lights, lamp_test=("ftth", "site"), sleep=self.nap)
        asyncio.run(sink.run(stream()))


def test_every_lamp_is_tried_at_the_start(scenes: dict[str, Snapshot]) -> None:
    """Green, orange, red, dark, on all LEDs; none of them steady; then the site."""
    test = LampTest()
    seen: list[set[Pattern]] = []

    async def stream() -> AsyncIterator[Snapshot]:
        seen.append(await test.settle())
        yield replace(scenes["all_well"], seq=1)
        seen.extend([await test.settle(step=True) for _ in range(3)])
        yield replace(scenes["all_well"], seq=2)
        seen.append(await test.settle())

    test.play(stream)
    *tried, dark, site = seen
    assert [{pattern.colour for pattern in patterns} for patterns in tried] == [
        {Colour.GREEN},
        {Colour.ORANGE},
        {Colour.RED},
    ]
    assert all(pattern.off_s > 0 for patterns in tried for pattern in patterns), "nothing looks like works"
    assert dark == {DARK}
    assert GREEN in site


def test_the_lamp_test_gives_way_to_trouble(scenes: dict[str, Snapshot]) -> None:
    """Do not touch is not to wait for a test."""
    test = LampTest()
    seen: list[dict[str, Pattern]] = []

    async def stream() -> AsyncIterator[Snapshot]:
        await test.settle()
        yield scenes["restarting_cut"]
        seen.append(dict(test.lights.patterns))
        await test.settle(step=True)
        seen.append(dict(test.lights.patterns))

    test.play(stream)
    assert seen[0] == seen[1]
    assert seen[0]["ftth"] == Pattern(Colour.RED, 0.125, 0.125)


def test_a_led_that_fails_in_the_lamp_test_is_told(scenes: dict[str, Snapshot]) -> None:
    """The test does not hide that a LED does not obey."""

    class Broken(VirtualLights):
        def show(self, patterns: Any) -> None:
            if patterns:
                raise HardwareError("LED ftth does not obey")

    async def stream() -> AsyncIterator[Snapshot]:
        for _ in range(20):
            await asyncio.sleep(0)
        yield scenes["all_well"]

    with pytest.raises(HardwareError, match="ftth"):
        asyncio.run(LightsSink(Broken("ftth"), lamp_test=("ftth",)).run(stream()))
