"""What is measured of the screen."""

from __future__ import annotations

from itertools import islice

import pytest
from PIL import Image

from hardware.screen import SIZES, Driver
from measure.panel import calm_hour, drawn, sent_bytes


@pytest.mark.parametrize(("driver", "count"), [("ssd1306", 1032), ("sh1106", 1064), ("sh1107", 2128)])
def test_one_bit_displays_are_sent_whole(driver: Driver, count: int) -> None:
    """A bit for each pixel, and the commands and control bytes around them."""
    size = SIZES[driver]
    lit = Image.new("1", size, 1)
    assert sent_bytes(driver, [Image.new("1", size), lit, lit]) == [count] * 3


def test_a_calm_site_is_drawn_seldom() -> None:
    """In its first half minute the picture changes with the latencies only."""
    snapshots = list(islice(calm_hour(), 30))
    assert 1 <= len(drawn(snapshots, (128, 64))) <= 10
    assert {len(shot.findings) for shot in snapshots} == {0}
