"""How well an uplink carries calls, downloads and pages, and when that is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import TARGETS, World, example_site

from agent.core import line, quality
from agent.core.codes import Code
from agent.core.quality import Quality, Strain, account, mos, strain
from agent.core.snapshot_types import Health
from agent.core.state import TargetPulse, UplinkState

SPEC = example_site().uplinks[0]
GOOD = Quality(loss=0.0, rtt_ms=12.0, jitter_ms=1.0, mos=4.4, echoes=60)


def windows(*rtts: float | None, usual_ms: float | None = None) -> UplinkState:
    """An uplink whose three targets have all shown these round trips."""
    known = replace(line.unknown(SPEC.kind), usual_ms=usual_ms)
    return UplinkState(spec=SPEC, targets={target: TargetPulse(rtts) for target in TARGETS}, line=known)


# --- the measures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rtt_ms", "loss", "expected"),
    [
        # R = 93.2 - 0.024 d - 0.11 (d - 177.3)+ - 95 P / (P + 25.1), worked out by hand; d = rtt / 2 + 20.
        pytest.param(0.0, 0.00, 4.40, id="nothing but the codec"),
        pytest.param(160.0, 0.00, 4.36, id="100 ms one way"),
        pytest.param(560.0, 0.00, 3.71, id="300 ms one way"),
        pytest.param(0.0, 0.05, 3.90, id="5 % lost"),
        pytest.param(0.0, 0.20, 2.61, id="20 % lost"),
        pytest.param(0.0, 1.00, 1.16, id="all lost"),
    ],
)
def test_calls_are_rated_as_the_e_model_rates_them(rtt_ms: float, loss: float, expected: float) -> None:
    """The mean opinion score of ITU-T G.107 for G.711 with concealment."""
    assert mos(rtt_ms, 0.0, loss) == pytest.approx(expected, abs=0.02)


@given(st.floats(0, 5000), st.floats(0, 2000), st.floats(0, 1))
def test_a_rating_is_a_rating(rtt_ms: float, jitter_ms: float, loss: float) -> None:
    """Between 1 and 4.5, and never better for more loss or more jitter."""
    value = mos(rtt_ms, jitter_ms, loss)
    assert 1.0 <= value <= 4.5
    assert mos(rtt_ms, jitter_ms, min(1.0, loss + 0.1)) <= value + 1e-9
    assert mos(rtt_ms, jitter_ms + 10.0, loss) <= value + 1e-9


def test_too_few_echoes_say_nothing() -> None:
    """Nine answers are no quality, and an uplink that never answers has none."""
    assert quality.measured(windows(*[10.0] * 9)) is None
    assert quality.measured(windows(*[None] * 20)) is None
    assert quality.measured(windows(*[10.0] * 10)) is not None


def test_loss_latency_and_jitter_are_measured() -> None:
    """Loss over all echoes, the median of the answers, and steps from answer to answer of each target."""
    measured = quality.measured(windows(10.0, 30.0, None, 10.0, 30.0, None, 10.0, 30.0, None, 20.0))
    assert measured is not None
    assert measured.loss == pytest.approx(0.3)
    assert measured.rtt_ms == 20.0
    assert measured.jitter_ms == pytest.approx((20 * 5 + 10) / 6)


def test_the_distance_of_a_target_is_not_jitter() -> None:
    """A near and a far target, both steady, have no jitter."""
    near, far = TargetPulse((5.0,) * 15), TargetPulse((95.0,) * 15)
    uplink = UplinkState(spec=SPEC, targets={"1.1.1.1": near, "8.8.8.8": far})
    measured = quality.measured(uplink)
    assert measured is not None
    assert measured.jitter_ms == 0.0


# --- the strain -------------------------------------------------------------------------------------------


def test_a_good_line_strains_nobody() -> None:
    """Not even one whose usual latency is high."""
    assert strain(GOOD, 12.0, degraded=False).share == 0.0
    satellite = replace(GOOD, rtt_ms=45.0, mos=4.3)
    assert strain(satellite, 40.0, degraded=False).share == 0.0


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (replace(GOOD, loss=0.12), "12 % of 60 echoes lost"),
        (replace(GOOD, rtt_ms=200.0), "answers in 200 ms, usually in 12 ms"),
        (replace(GOOD, mos=2.0, jitter_ms=160.0), "a call would be of quality 2.0 of 4.4"),
    ],
)
def test_what_strains_is_told(bad: Quality, says: str) -> None:
    """The worst of the three measures, with its numbers."""
    found = strain(bad, 12.0, degraded=False)
    assert 0.0 < found.share <= 1.0
    assert says in found.why


def test_getting_well_takes_more_than_not_getting_ill() -> None:
    """Values between the two limits keep the verdict, whichever it is."""
    for between in (
        replace(GOOD, loss=0.04),
        replace(GOOD, mos=3.7),
        replace(GOOD, rtt_ms=0.9 * quality.slow_ms(12.0)),
    ):
        assert strain(between, 12.0, degraded=False).share == 0.0
        assert strain(between, 12.0, degraded=True).share > 0.0


@given(st.floats(0, 1), st.floats(0.1, 5000), st.floats(0, 1000), st.one_of(st.none(), st.floats(0.1, 2000)))
def test_strain_is_a_share(loss: float, rtt_ms: float, jitter_ms: float, usual_ms: float | None) -> None:
    """Whatever was measured."""
    measured = Quality(loss, rtt_ms, jitter_ms, mos(rtt_ms, jitter_ms, loss), 60)
    for degraded in (False, True):
        found = strain(measured, usual_ms, degraded=degraded)
        assert isinstance(found, Strain)
        assert 0.0 <= found.share <= 1.0


def test_strain_adds_up_and_is_forgiven() -> None:
    """Half of each second lost costs a switch after twice its time; the account is bounded both ways."""
    strained_s = 0.0
    for _ in range(19):
        strained_s = account(strained_s, 0.5, 1.0, 10.0)
    assert strained_s < 10.0
    assert account(strained_s, 0.5, 1.0, 10.0) == 10.0
    assert account(10.0, 1.0, 1e6, 10.0) == 20.0
    assert account(20.0, 0.0, 15.0, 10.0) == 5.0
    assert account(5.0, 0.0, 1e6, 10.0) == 0.0


# --- in the site's life ---------------------------------------------------------------------------------


def calm_world() -> World:
    world = World(example_site())
    world.play(600)
    world.events.clear()
    return world


def test_latency_beside_the_lines_own_is_degraded() -> None:
    """A line that usually answers in 8 ms and now takes 300 is slow; one cell that always did is not."""
    world = calm_world()
    assert world.state.uplinks["ftth"].line.usual_ms == pytest.approx(8.0, abs=0.5)
    world.lines["ftth"].rtt_s = 0.3
    world.play(300)
    assert world.state.uplinks["ftth"].health is Health.DEGRADED
    told = next(e for _, e in world.events if e.code is Code.UPLINK_DEGRADED)
    assert told.args["rtt_ms"] == 300
    assert told.args["loss_pct"] is None
    world.lines["ftth"].rtt_s = 0.008
    world.play(120)
    assert world.state.uplinks["ftth"].health is Health.UP


def test_a_passing_moment_is_not_told() -> None:
    """Five seconds of heavy loss are over before they have cost as much as a switch."""
    world = calm_world()
    world.change("ftth", loss=0.4)
    world.play(5)
    world.change("ftth", loss=0.0)
    world.play(120)
    assert Code.UPLINK_DEGRADED not in world.codes()


def test_worse_is_told_sooner() -> None:
    """Half of everything lost is told within half a minute, a twelfth takes half as long again."""
    delays = []
    for loss in (0.5, 0.08):
        world = calm_world()
        at = world.t
        world.change("ftth", loss=loss)
        world.play(900)
        delays.append(world.when(Code.UPLINK_DEGRADED, "ftth") - at)
    assert delays[0] < 25.0
    assert delays[1] > 1.5 * delays[0]


def test_the_usual_latency_is_not_poisoned_by_a_bad_hour() -> None:
    """An hour at a hundred times the latency is not what the line usually does."""
    world = calm_world()
    world.lines["ftth"].rtt_s = 0.9
    world.play(3600)
    assert world.state.uplinks["ftth"].line.usual_ms == pytest.approx(8.0, abs=0.5)
    assert world.state.uplinks["ftth"].health is Health.DEGRADED


@given(st.lists(st.floats(0.1, 10_000), min_size=1, max_size=50), st.floats(0.1, 60))
def test_the_usual_latency_follows_slowly(rtts: list[float], passed_s: float) -> None:
    """No more than 2 % a minute after the first, whatever is measured."""
    known = line.unknown(SPEC.kind)
    for rtt_ms in rtts:
        before = known.usual_ms
        known = line.latency_learned(known, rtt_ms, passed_s)
        assert known.usual_ms is not None
        if before is not None:
            assert before / 1.0201 <= known.usual_ms <= before * 1.0201


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "does not begin"),
        ("line9 -\na\nb", "does not begin"),
        ("line1 x\na\nb", "usual latency"),
        ("line1 -\na\nb", "not a habit"),
        (line.encode(line.unknown(SPEC.kind)).replace("line1 -", "line1 nan"), "positive number"),
        (line.encode(line.unknown(SPEC.kind)).replace("ftth", "other", 1), "one kind"),
    ],
)
def test_damaged_memory_of_a_line_is_refused_with_a_reason(text: str, says: str) -> None:
    """Whatever the disk may hold instead, the error says what is wrong with it."""
    with pytest.raises(ValueError, match=says):
        line.decode(text)
