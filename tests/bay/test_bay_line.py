"""When a packet leaves a line, without any packet."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from hardware.virtual.line import QUEUE_PACKETS, QUEUE_S, LinkQuality, Schedule


def make(seed: int = 1, **quality: float) -> Schedule:
    return Schedule(LinkQuality(**{"delay_ms": 0.0, "jitter_ms": 0.0, **quality}), random.Random(seed))


def test_delay_is_added() -> None:
    """A packet leaves its delay after it arrived."""
    assert make(delay_ms=20).leaves_at(10.0, 100, 0) == pytest.approx(10.020)


def test_jitter_stays_within_its_bounds_and_is_used() -> None:
    """Each packet is late by 0 to jitter_ms more than the delay."""
    schedule = make(delay_ms=10, jitter_ms=5)
    late_ms = [(schedule.leaves_at(float(now), 100, 0) - now) * 1000 for now in range(500)]
    assert 10 <= min(late_ms) < 11
    assert 14 < max(late_ms) <= 15


def test_packets_never_overtake() -> None:
    """Jitter larger than the spacing keeps the order, also when the delay falls suddenly."""
    schedule = make(delay_ms=10, jitter_ms=50)
    leaves = [schedule.leaves_at(number / 1000, 100, 0) for number in range(100)]
    schedule.quality = LinkQuality(delay_ms=0, jitter_ms=0)
    leaves.append(schedule.leaves_at(0.1, 100, 0))
    assert all(first <= second for first, second in pairwise(leaves))


def test_loss_is_a_share() -> None:
    """Of many packets, about the share is lost; none at 0 and all at 1."""
    lossy = make(loss=0.3)
    lost = [lossy.leaves_at(float(now), 100, 0) for now in range(5000)].count(None)
    assert 1350 < lost < 1650
    assert make(loss=1).leaves_at(0.0, 100, 0) is None
    assert make(loss=0).leaves_at(0.0, 100, 0) is not None


def test_same_seed_loses_the_same_packets() -> None:
    """A story told twice has the same losses, whatever the delay."""
    fates = [
        [make_one.leaves_at(float(now), 100, 0) is None for now in range(200)]
        for make_one in (make(7, loss=0.5), make(7, loss=0.5, delay_ms=99, jitter_ms=3))
    ]
    assert fates[0] == fates[1]


def test_rate_spaces_packets() -> None:
    """At 8 kbit/s, packets of 100 bytes follow each other by a tenth of a second, after a pause too."""
    schedule = make(rate_kbit=8)
    assert [schedule.leaves_at(0.0, 100, 0) for _ in range(3)] == pytest.approx([0.1, 0.2, 0.3])
    assert schedule.leaves_at(5.0, 100, 0) == pytest.approx(5.1)


def test_slow_line_drops_what_would_wait_too_long() -> None:
    """The buffer before a slow line is bounded in time."""
    schedule = make(rate_kbit=8)
    leaves = [schedule.leaves_at(0.0, 100, 0) for _ in range(20)]
    kept = [at for at in leaves if at is not None]
    assert max(kept) <= QUEUE_S + 0.1 + 1e-9
    assert leaves[len(kept) :] == [None] * (20 - len(kept))


def test_full_queue_drops() -> None:
    """Packets on the way are bounded in number."""
    assert make().leaves_at(0.0, 100, QUEUE_PACKETS) is None
    assert make().leaves_at(0.0, 100, QUEUE_PACKETS - 1) is not None


def test_cut_forgets_what_was_on_the_way() -> None:
    """After a cut the first packet waits for nothing from before."""
    schedule = make(rate_kbit=8)
    for _ in range(4):
        schedule.leaves_at(0.0, 100, 0)
    schedule.forget()
    assert schedule.leaves_at(0.0, 100, 0) == pytest.approx(0.1)


@pytest.mark.parametrize(
    "quality",
    [
        {"loss": 1.1},
        {"loss": -0.1},
        {"delay_ms": -1},
        {"jitter_ms": -1},
        {"rate_kbit": 0},
        {"delay_ms": float("nan")},
        {"delay_ms": float("inf")},
    ],
)
def test_impossible_quality_is_refused(quality: dict[str, float]) -> None:
    """A line cannot be better than perfect or worse than dead."""
    with pytest.raises(ValueError, match=next(iter(quality))):
        LinkQuality(**quality)
