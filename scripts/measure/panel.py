"""What the screen costs: pictures in a calm hour, bytes and bus time of each, and the time to draw one."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from PIL import Image

from agent.core.site import BoxSpec, Site, UplinkKind, UplinkSpec
from agent.core.snapshot_types import Snapshot
from agent.simulation.world import World
from agent.sinks.buttons import Kind, Page
from agent.sinks.pages import draw
from agent.sinks.screen import ScreenSink
from hardware.screen import SIZES, Driver, open_oled
from hardware.virtual.panel import VirtualScreen
from measure.console import columns

TARGETS = ("1.1.1.1", "8.8.8.8", "9.9.9.9")
WARM_S = 180.0
HOUR_S = 3600
RENDERS = 300
I2C_HZ = (100_000, 400_000)
I2C_BITS = 9
"""A byte and its acknowledgement."""
ROUND_TRIPS_MS = {"ftth": (12.0, 1.5), "4g": (48.0, 9.0)}
"""Mean and standard deviation of a quiet fibre and of a quiet 4G line."""


@dataclass(slots=True)
class Bus:
    """Counts what a luma driver sends, as bytes on the I2C bus without addresses."""

    sent: int = 0
    calls: int = 0

    def command(self, *command: int) -> None:
        """Commands go with a control byte."""
        self.sent, self.calls = self.sent + len(command) + 1, self.calls + 1

    def data(self, data: Sequence[int]) -> None:
        """So do pixels."""
        self.sent, self.calls = self.sent + len(data) + 1, self.calls + 1

    def cleanup(self) -> None:
        """Nothing is open."""


class KeepingScreen(VirtualScreen):
    """A screen in memory that keeps every picture."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__(size)
        self.pictures: list[Image.Image] = []

    def show(self, image: Image.Image) -> None:
        """Keep it if it is drawn."""
        before = self.drawn
        super().show(image)
        if self.drawn > before:
            self.pictures.append(image)


def calm_hour(seed: int = 1) -> Iterator[Snapshot]:
    """A snapshot a second of a site where only the round trips vary."""
    chance = random.Random(seed)
    site = Site(
        name="garage",
        label="Garage",
        uplinks=(
            UplinkSpec("ftth", "Fibre", UplinkKind.FTTH, TARGETS),
            UplinkSpec("4g", "4G", UplinkKind.CELLULAR, TARGETS, 10.0),
        ),
        boxes=(BoxSpec("box", "Livebox", "ftth", confirm_s=120.0, off_s=10.0, boot_s=120.0),),
    )
    world = World(site)
    for second in range(int(WARM_S) + HOUR_S):
        for name, (mean, deviation) in ROUND_TRIPS_MS.items():
            world.change(name, rtt_s=max(1.0, chance.gauss(mean, deviation)) / 1000)
        world.play(1.0)
        if second >= WARM_S:
            yield world.picture()


def drawn(snapshots: Sequence[Snapshot], size: tuple[int, int]) -> list[Image.Image]:
    """The pictures that the sink really sends."""
    screen = KeepingScreen(size)

    async def stream() -> AsyncIterator[Snapshot]:
        for snapshot in snapshots:
            yield snapshot

    asyncio.run(ScreenSink(screen, "fr").run(stream()))
    return screen.pictures


def sent_bytes(driver: Driver, pictures: Sequence[Image.Image]) -> list[int]:
    """Bytes on the bus for each picture, one after the other."""
    bus: Any = Bus()
    device = open_oled(driver, 1, 0x3C, bus=bus)
    counts = []
    for picture in pictures:
        before = bus.sent
        device.display(picture)
        counts.append(bus.sent - before)
    return counts


def render_ms(snapshot: Snapshot, page: Page, size: tuple[int, int]) -> float:
    """Mean time to draw one page, milliseconds."""
    begin = time.perf_counter()
    for _ in range(RENDERS):
        draw(page, snapshot, "fr", size)
    return (time.perf_counter() - begin) * 1000 / RENDERS


def panel(say: Callable[[str], None]) -> None:
    """Play an hour, and say."""
    snapshots = list(calm_hour())
    pages = (Page(Kind.MAIN), Page(Kind.INSTALLER), Page(Kind.BOX, "box"))
    rows = []
    for driver in ("ssd1306", "sh1106", "ssd1309", "sh1107", "ssd1327", "ssd1322"):
        size = SIZES[driver]
        pictures = drawn(snapshots, size)
        counts = sent_bytes(driver, pictures)
        mean = fmean(counts)
        bus = [f"{mean * I2C_BITS * 1000 / hz:.0f}" for hz in I2C_HZ]
        slowest = max(render_ms(snapshots[-1], page, size) for page in pages)
        rows.append([driver, str(len(pictures)), f"{mean:.0f}", str(max(counts)), *bus, f"{slowest:.2f}"])
    heads = ["display", "pictures/h", "bytes each", "most", "ms at 100 kHz", "at 400 kHz", "ms to draw"]
    for line in columns(rows, heads):
        say(line)
