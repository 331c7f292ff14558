"""What the page remembers: the last day minute by minute, and incidents and outages read from events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import isnan
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.core.codes import Code, Severity
from agent.core.model import Event, Recorded, Scalar
from agent.core.snapshot_types import Health, Phase, Snapshot
from agent.sinks.web.minutes import KEPT, Band, Minutes
from agent.sinks.web.story import Spell, incidents, outages

Build = Callable[..., Any]
WALL = 1.7e9


def told(
    code: Code, at: float, subject: str = "ftth", incident: str | None = "i1", **args: Scalar
) -> Recorded:
    """An event at ``at`` seconds after ``WALL``."""
    event = Event(code, subject, Severity.INFO, incident, {"label": "Fibre", **args})
    return Recorded(f"x-{code}-{at}", 1, event, WALL + at, synced=True)


# --- minutes ------------------------------------------------------------------------------------------------


def at_minute(snapshot: Snapshot, minute: int, second: float = 0.0, **changes: Any) -> Snapshot:
    first = replace(snapshot.uplinks[0], **changes)
    return replace(snapshot, mono=minute * 60.0 + second, uplinks=(first, *snapshot.uplinks[1:]))


def test_a_minute_is_as_bad_as_its_worst_moment(example_snapshot: Build) -> None:
    """A short outage is not averaged away."""
    minutes, shot = Minutes(), example_snapshot()
    for second, health in ((1, Health.UP), (20, Health.DOWN), (40, Health.UP)):
        minutes.add(at_minute(shot, 100, second, health=health))
    assert minutes.trail("ftth", 6000.0).bands[-1] == Band.DOWN


def test_the_delay_of_a_minute_is_the_mean_of_its_answers(example_snapshot: Build) -> None:
    """Moments without an answer count for nothing, and old figures of a dead line neither."""
    minutes, shot = Minutes(), example_snapshot()
    for second, rtt_ms, health in (
        (1, 10.0, Health.UP),
        (2, 30.0, Health.UP),
        (3, None, Health.UP),
        (4, 900.0, Health.DOWN),
    ):
        minutes.add(at_minute(shot, 100, second, rtt_ms=rtt_ms, health=health))
    minutes.add(at_minute(shot, 100, 5, rtt_ms=900.0, carrier=False))
    assert minutes.trail("ftth", 6000.0).rtt_ms[-1] == pytest.approx(20.0)


def test_minutes_that_nobody_measured_stay_empty(example_snapshot: Build) -> None:
    """A gap is a gap, also one longer than the memory."""
    minutes, shot = Minutes(), example_snapshot()
    minutes.add(at_minute(shot, 100))
    minutes.add(at_minute(shot, 103))
    trail = minutes.trail("ftth", 103 * 60.0)
    assert [Band(band) for band in trail.bands[-4:]] == [Band.UP, Band.NOTHING, Band.NOTHING, Band.UP]
    assert isnan(trail.rtt_ms[-2])
    later = minutes.trail("ftth", (103 + 5 * KEPT) * 60.0)
    assert not any(later.bands)
    assert later.measured == 0


def test_a_restart_of_the_box_is_seen(example_snapshot: Build, example_box: Build) -> None:
    """It outranks the outage that it ends."""
    minutes = Minutes()
    shot = example_snapshot(boxes=(example_box(phase=Phase.CUT),))
    minutes.add(at_minute(shot, 7, health=Health.DOWN))
    assert minutes.trail("ftth", 420.0).bands[-1] == Band.RESTARTING
    assert minutes.trail("cellular", 420.0).bands[-1] == Band.UP


def test_nothing_is_known_of_a_stranger() -> None:
    """An uplink that was never seen has an empty day."""
    assert Minutes().trail("none", 1e6).measured == 0


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, 3 * KEPT), min_size=1, max_size=30).map(sorted))
def test_a_trail_holds_the_last_day_and_no_more(seen: list[int]) -> None:
    """Whatever minutes were measured, each of the last day stands at its place, and no other."""
    from conftest import make_snapshot

    minutes = Minutes()
    for minute in seen:
        minutes.add(at_minute(make_snapshot(), minute))
    trail = minutes.trail("ftth", seen[-1] * 60.0)
    assert trail.end == seen[-1] + 1
    found = {trail.end - KEPT + place for place, band in enumerate(trail.bands) if band}
    assert found == {minute for minute in seen if minute > seen[-1] - KEPT}


# --- story --------------------------------------------------------------------------------------------------


def test_an_incident_has_cause_duration_and_what_was_done() -> None:
    """It began when the trouble began, and its cause is the last that was found."""
    (incident,) = incidents(
        [
            told(Code.INCIDENT_OPENED, 8, finding="everything_down"),
            told(Code.INCIDENT_CAUSE, 20, finding="box_hung"),
            told(Code.BOX_CUT, 128, "box"),
            told(Code.CYCLE_HELPED, 230, "box"),
            told(Code.INCIDENT_CLOSED, 238, finding="box_hung", lasted_s=238.0, cycles=1),
        ]
    )
    assert (incident.code, incident.label) == (Code.BOX_HUNG, "Fibre")
    assert (incident.began_at, incident.lasted_s) == (WALL, 238.0)
    assert (incident.cycles, incident.helped) == (1, True)


def test_an_open_incident_has_no_duration() -> None:
    """A restart that has not shown its effect has neither helped nor failed."""
    (incident,) = incidents([told(Code.INCIDENT_OPENED, 8, finding="box_hung"), told(Code.BOX_CUT, 128)])
    assert (incident.lasted_s, incident.cycles, incident.helped) == (None, 1, None)


def test_the_newest_incident_stands_first() -> None:
    """And one whose beginning is no longer on record is told by its end."""
    found = incidents(
        [
            told(Code.INCIDENT_CLOSED, 100, incident="old", finding="line_down", lasted_s=90.0, cycles=0),
            told(Code.BOX_CUT, 150, incident="headless"),
            told(Code.INCIDENT_OPENED, 200, incident="new", finding="box_hung"),
        ]
    )
    assert [(incident.id, incident.code) for incident in found] == [
        ("new", Code.BOX_HUNG),
        ("old", Code.LINE_DOWN),
    ]


def test_a_refusal_is_what_was_done() -> None:
    """The reason is kept as its code."""
    events = [told(Code.INCIDENT_OPENED, 8, finding="x"), told(Code.CYCLE_REFUSED, 9, reason="day_budget")]
    (incident,) = incidents(events)
    assert (incident.refused, incident.code) == ("day_budget", Code.OWN_TROUBLE)


@pytest.mark.parametrize("figure", [float("inf"), float("nan"), -3.0, 10**400, True, "x", None])
def test_a_figure_that_is_none_counts_for_nothing(figure: Scalar) -> None:
    """A damaged event costs its figures, not the page."""
    (incident,) = incidents([told(Code.INCIDENT_CLOSED, 9, lasted_s=figure, cycles=figure)])
    assert 0 <= incident.cycles <= 1e9
    assert incident.lasted_s is not None
    assert 0.0 <= incident.lasted_s <= 1e9


def test_outages_are_told_from_their_first_silence() -> None:
    """Where an end alone is on record, its own duration tells the beginning."""
    events = [
        told(Code.UPLINK_UP, 50, down_s=30.0),
        told(Code.UPLINK_DOWN, 100),
        told(Code.UPLINK_DOWN, 150),
        told(Code.UPLINK_DOWN, 120, "cellular"),
        told(Code.UPLINK_DEGRADED, 170),
        told(Code.UPLINK_UP, 180, down_s=0.0),
        told(Code.UPLINK_DOWN, 300),
    ]
    assert outages(events, "ftth") == (
        Spell(WALL + 20, WALL + 50),
        Spell(WALL + 100, WALL + 170),
        Spell(WALL + 300, None),
    )


SCALARS = st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=8))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Code)),
            st.sampled_from(["i1", "i2", None]),
            st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12),
            st.dictionaries(
                st.sampled_from(["finding", "label", "lasted_s", "cycles", "reason", "down_s"]), SCALARS
            ),
        ),
        max_size=12,
    )
)
def test_no_event_breaks_the_story(raw: list[tuple[Code, str | None, float, dict[str, Scalar]]]) -> None:
    """Events come from a file that may hold anything; every incident that is told can be written."""
    from agent.sinks.web.history import incident_table

    events = [
        Recorded(str(number), number, Event(code, "ftth", Severity.INFO, incident, args), at, synced=True)
        for number, (code, incident, at, args) in enumerate(raw)
    ]
    for language in ("fr", "en"):
        assert incident_table(incidents(events), None, language, None)
    assert all(
        spell.ended_at is None or spell.ended_at >= spell.began_at for spell in outages(events, "ftth")
    )
