"""A site that says nothing is found by our own clock, and none is called silent that is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fleet_ground import CELLULAR, FIBRE, WELL, Ear, state

from agent.core.snapshot_types import Health
from agent.fleet.judging import Standing, Why
from agent.sinks.mqtt.topics import REFRESH_METERED_S, REFRESH_S


def test_a_site_that_spoke_half_a_minute_ago_is_well() -> None:
    """What the broker keeps is as old as it says."""
    site = Ear().kept(state(age_s=25.0)).one()
    assert (site.standing, site.why) == (Standing.WELL, Why.WELL)
    assert site.lived_s == 25.0


@pytest.mark.parametrize(("age_s", "standing"), [(175.0, Standing.WELL), (185.0, Standing.SILENT)])
def test_online_and_old_is_silent_after_three_minutes(age_s: float, standing: Standing) -> None:
    """The agent hangs, or the broker has not noticed yet."""
    site = Ear().kept(state(age_s=age_s)).one()
    assert site.standing is standing
    assert (site.why is Why.STANDS_STILL) == (standing is Standing.SILENT)


@pytest.mark.parametrize(("age_s", "standing"), [(60.0, Standing.LOST), (200.0, Standing.SILENT)])
def test_offline_is_a_restart_at_first_and_silence_later(age_s: float, standing: Standing) -> None:
    """A restarting box takes two minutes."""
    site = Ear().kept(state(age_s=age_s), "offline").one()
    assert (site.standing, site.why, site.since_s) == (standing, Why.OFFLINE, age_s)


def test_offline_since_nobody_knows_when_is_silent_at_once() -> None:
    """A clock that was never set does not tell whether it was days."""
    unset = state(replace(WELL, synced=False, wall=86400.0))
    site = Ear().kept(unset, "offline").one()
    assert (site.standing, site.since_s) == (Standing.SILENT, None)


def test_an_unsynchronised_site_is_judged_by_arrival() -> None:
    """Its instants mean nothing; three minutes without a word still do."""
    ear = Ear().kept(state(replace(WELL, synced=False, wall=86400.0)))
    assert ear.one().standing is Standing.WELL
    assert ear.after(200.0).one().standing is Standing.SILENT
    assert ear.live(state(replace(WELL, synced=False, wall=86500.0))).one().standing is Standing.WELL


@pytest.mark.parametrize(("off_s", "shown"), [(3600.0, 3600.0), (-7200.0, -7200.0), (40.0, None)])
def test_a_wrong_clock_is_shown_as_that(off_s: float, shown: float | None) -> None:
    """A live message is new, whatever instant it names."""
    ear = Ear().kept(state(age_s=off_s)).live(state(age_s=off_s))
    site = ear.after(20.0).one()
    assert (site.lived_s, site.clock_off_s) == (20.0, shown)
    assert site.why is (Why.CLOCK_WRONG if shown else Why.WELL)
    assert ear.after(200.0).one().standing is Standing.SILENT


def test_what_was_said_in_the_future_is_a_wrong_clock() -> None:
    """Also before anything came live."""
    site = Ear().kept(state(age_s=-900.0)).one()
    assert (site.why, site.clock_off_s, site.lived_s) == (Why.CLOCK_WRONG, -900.0, None)


def test_one_clock_that_differs_from_all_others_is_ours() -> None:
    """Three sites that agree are no chance."""
    ear = Ear()
    for name in ("a", "b"):
        ear.live(state(age_s=600.0), name)
    assert ear.fleet.own_clock_off_s() is None
    assert ear.live(state(age_s=601.0), "c").fleet.own_clock_off_s() == 600.0


def metered(shot: float = 0.0) -> bytes:
    """Everything leaves by the line that costs money."""
    only = (replace(FIBRE, health=Health.DOWN, preferred=False), replace(CELLULAR, preferred=True))
    return state(replace(WELL, uplinks=(only[0], replace(only[1], data_limit_bytes=1))), age_s=shot)


def test_a_site_on_its_metered_line_may_say_less() -> None:
    """It publishes every ten minutes there; a metered standby that is not used changes nothing."""
    slow = 3 * REFRESH_METERED_S
    assert Ear().kept(metered(slow - 10.0)).one().standing is not Standing.SILENT
    assert Ear().kept(metered(slow + 10.0)).one().standing is Standing.SILENT
    idle = state(replace(WELL, uplinks=(FIBRE, replace(CELLULAR, data_limit_bytes=1))), age_s=200.0)
    assert Ear().kept(idle).one().standing is Standing.SILENT


def test_a_slow_rhythm_is_learned_and_an_outage_is_none() -> None:
    """Three of its own longest intervals; the hour while it was away is no interval."""
    ear = Ear().kept(state())
    for number in range(3):
        ear.live(state(age_s=-100.0 * number)).after(100.0)
    assert ear.after(150.0).one().standing is Standing.WELL
    assert ear.after(60.0).one().standing is Standing.SILENT
    ear.hear("vigie/garage/availability", "offline")
    ear.after(3600.0)
    ear.hear("vigie/garage/availability", "online")
    ear.live(state(age_s=-ear.at_s)).after(REFRESH_S).live(state(age_s=-ear.at_s))
    assert ear.after(175.0).one().standing is Standing.WELL
    assert ear.after(10.0).one().standing is Standing.SILENT


def test_a_very_short_patience_is_no_less_than_the_agents_own_rhythm() -> None:
    """It says its numbers every half minute, and two may be lost."""
    assert Ear(patience_s=5.0).kept(state(age_s=80.0)).one().standing is Standing.WELL
    assert Ear(patience_s=5.0).kept(state(age_s=10.0), "offline").one().standing is Standing.SILENT


def test_a_site_that_never_was_is_found_by_expecting_it() -> None:
    """Below whatever root it may stand; not before everything has come, and not where it is filtered out."""
    ear = Ear(roots=("vigie", "nord/vigie"), expected=["beaune", "dole", "nord/vigie/dole"], pattern="[b-d]*")
    ear.hear("vigie/dole/availability", "online", kept=True)
    assert len(ear.sites()) == 1
    ear.fleet.settle()
    never = {(site.place.root, site.place.slug) for site in ear.sites() if site.why is Why.NEVER_SEEN}
    assert never == {("vigie", "beaune"), ("nord/vigie", "dole")}
    assert not Ear(expected=["beaune"], pattern="x*").kept(state()).sites()


def test_a_site_whose_messages_were_taken_back_stays_listed() -> None:
    """Silence by removal is silence; a new state ends it."""
    ear = Ear().kept(state())
    ear.hear("vigie/garage/state", "")
    assert (ear.one().standing, ear.one().why) == (Standing.SILENT, Why.GONE)
    ear.hear("vigie/garage/availability", "")
    assert ear.one().why is Why.GONE
    assert ear.live(state()).one().standing is Standing.WELL


def test_a_site_that_is_missing_after_a_reconnection_is_gone() -> None:
    """It was taken back while we were away; one that is only late comes back."""
    ear = Ear().kept(state()).kept(state(), site="dole")
    ear.fleet.joined()
    ear.hear("vigie/dole/availability", "online", kept=True)
    assert {site.why for site in ear.sites()} == {Why.WELL}
    ear.fleet.settle()
    assert (ear.one("garage").why, ear.one("dole").why) == (Why.GONE, Why.WELL)
    ear.hear("vigie/garage/availability", "online")
    assert ear.one("garage").why is Why.WELL


def test_what_came_while_we_were_away_is_no_silence() -> None:
    """The kept state tells how old it is; where its clock cannot, it counts from its arrival."""
    ear = Ear().kept(state()).live(state(replace(WELL, synced=False, wall=100.0)), site="dole").after(1000.0)
    ear.fleet.joined()
    ear.kept(state(age_s=-990.0)).kept(state(replace(WELL, synced=False, wall=1090.0)), site="dole")
    assert [site.standing for site in ear.sites()] == [Standing.WELL, Standing.WELL]
    assert ear.one().lived_s == 10.0


def test_an_agent_that_was_stopped_is_told_apart() -> None:
    """By its last event; a kept one is of any day."""
    ear = Ear().kept(state())
    ear.hear("vigie/garage/event", '{"code":"agent_stopped"}')
    ear.hear("vigie/garage/availability", "offline")
    assert ear.one().why is Why.STOPPED
    ear.hear("vigie/garage/availability", "online")
    ear.hear("vigie/garage/event", '{"code":"agent_stopped"}', kept=True)
    ear.hear("vigie/garage/availability", "offline")
    assert ear.one().why is Why.OFFLINE


def test_online_without_a_state_is_not_well() -> None:
    """For a moment it is on its way; then something is wrong."""
    ear = Ear()
    ear.hear("vigie/garage/availability", "online", kept=True)
    assert (ear.one().standing, ear.one().why) == (Standing.LOST, Why.NO_STATE)
    assert ear.after(181.0).one().standing is Standing.SILENT
