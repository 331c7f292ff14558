"""The data budget: what it allows, and that it holds, whatever happens in a month."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world import World, example_site

from agent.core import budget, health
from agent.core.budget import (
    DAY_S,
    LONGEST_MONTH_S,
    LOOK_BYTES,
    MINIMAL_BYTES_A_S,
    MINIMAL_LOOK_S,
    ROUND_BYTES,
    Level,
    allowance,
    month_of,
    planned_look_s,
    rest_s,
    turned,
)
from agent.core.codes import Code
from agent.core.durable import Durable
from agent.core.instant import Now
from agent.core.model import Action, Observation, Pace
from agent.core.site import Site
from agent.core.snapshot_types import Health
from agent.core.spending import SaveSpending, Spending, Spent
from agent.core.state import DOUBT_PACE_S, State, evolved

pytestmark = pytest.mark.scenario  # hours of virtual time


MB = 1_000_000
LIMIT = 50 * MB
JANUARY = datetime(2027, 1, 1, tzinfo=UTC).timestamp()
CHECKS_S = 1800.0


def at(text: str, *, synced: bool = True) -> Now:
    return Now(1000.0, datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp(), synced)


def metered(data_mb: int = 50, uplinks: int = 3) -> Site:
    """The example site, its last uplink a standby with a budget."""
    site = example_site(uplinks=uplinks)
    last = replace(site.uplinks[-1], interval_s=10.0, data_bytes=data_mb * MB)
    return replace(site, uplinks=(*site.uplinks[:-1], last))


def seldom(data_mb: int = 50) -> World:
    """A fibre that is asked once a minute, and the standby: a day of it is played quickly."""
    site = metered(data_mb)
    fibre = replace(site.uplinks[0], interval_s=60.0)
    return World(replace(site, uplinks=(fibre, site.uplinks[-1])), wall=JANUARY, record=False)


def world(data_mb: int = 50, wall: float = JANUARY, used: Spending | None = None) -> World:
    durable = Durable(spendings={} if used is None else {"4g": used})
    return World(metered(data_mb), wall=wall, durable=durable)


def watched(data_mb: int = 50) -> tuple[World, list[Action]]:
    """A world, and what its core orders about the standby."""
    orders: list[Action] = []

    def keep(_old: State, _new: State, _seen: Observation, actions: tuple[Action, ...], _now: Now) -> None:
        orders.extend(action for action in actions if getattr(action, "uplink", None) == "4g")

    return World(metered(data_mb), wall=JANUARY, check=keep), orders


def pace_of(told: World) -> float:
    return told.state.uplinks["4g"].pace_s


# --- what is allowed ------------------------------------------------------------------------------------


def test_the_default_budget_pays_for_the_default_pace() -> None:
    """50 MB a month: an echo every nine seconds, all three targets in turn, and checks every half hour."""
    allowed = allowance(LIMIT, Spending(), LONGEST_MONTH_S, CHECKS_S)
    assert allowed.level is Level.AMPLE
    assert 8.5 < allowed.calm_look_s < 10.0
    assert allowed.checks_s == CHECKS_S
    assert planned_look_s(LIMIT, CHECKS_S) == allowed.calm_look_s


def test_what_calm_days_may_use_is_used_up_at_the_end_of_the_month() -> None:
    """Looks and checks at the allowed pace cost two thirds of the budget over the whole month."""
    allowed = allowance(LIMIT, Spending(), LONGEST_MONTH_S, CHECKS_S)
    cost = LONGEST_MONTH_S * (LOOK_BYTES / allowed.calm_look_s + ROUND_BYTES / allowed.checks_s)
    assert cost == pytest.approx(LIMIT * 2 / 3)


def test_the_share_for_trouble_lasts_two_days_at_a_second() -> None:
    """A third of 50 MB: an echo every second, or faster while there is much of it."""
    hours = LIMIT / 3 / LOOK_BYTES / 3600
    assert 52.0 < hours < 53.0
    assert allowance(LIMIT, Spending(), LONGEST_MONTH_S, CHECKS_S).trouble_look_s < 1.0
    little = Spending(trouble_bytes=round(LIMIT / 3) - MB)
    assert allowance(LIMIT, little, LONGEST_MONTH_S, CHECKS_S).trouble_look_s == 1.0


def test_trouble_that_lasts_longer_is_looked_at_every_five_seconds() -> None:
    """And its rounds of checks are a quarter of an hour apart."""
    gone = Spending(trouble_bytes=round(LIMIT / 3) + 1)
    allowed = allowance(LIMIT, gone, LONGEST_MONTH_S, CHECKS_S)
    assert (allowed.level, allowed.trouble_look_s, allowed.round_s) == (Level.SHORT, 5.0, 900.0)


def test_trouble_beyond_its_share_is_paid_by_the_calm_days() -> None:
    """Looks get rarer by what it took from them."""
    whole = allowance(LIMIT, Spending(), LONGEST_MONTH_S, CHECKS_S)
    third, more = round(LIMIT / 3), 5 * MB
    beyond = allowance(LIMIT, Spending(trouble_bytes=third + more), LONGEST_MONTH_S, CHECKS_S)
    instead = allowance(LIMIT, Spending(calm_bytes=more), LONGEST_MONTH_S, CHECKS_S)
    assert whole.calm_look_s < beyond.calm_look_s == pytest.approx(instead.calm_look_s)


def test_when_all_is_gone_a_minimal_watch_remains() -> None:
    """An echo a minute and checks every six hours, which the smallest budget pays for."""
    allowed = allowance(LIMIT, Spending(calm_bytes=LIMIT), DAY_S, CHECKS_S)
    assert allowed.level is Level.SPENT
    assert allowed.calm_look_s == allowed.trouble_look_s == MINIMAL_LOOK_S
    assert allowed.checks_s == allowed.round_s == 21_600.0
    assert MINIMAL_BYTES_A_S * LONGEST_MONTH_S < 5 * MB - budget.MARGIN_BYTES


def test_the_minimal_watch_is_kept_back() -> None:
    """The budget counts as spent as soon as no more is left than the minimal watch costs until the end."""
    left = MINIMAL_BYTES_A_S * 10 * DAY_S + budget.MARGIN_BYTES
    assert budget.is_spent(LIMIT, Spending(trouble_bytes=round(LIMIT - left)), 10 * DAY_S)
    assert not budget.is_spent(LIMIT, Spending(trouble_bytes=round(LIMIT - left) - 10), 10 * DAY_S)


@given(
    st.integers(5, 1000),
    st.floats(0.0, 1.2),
    st.floats(0.0, 1.2),
    st.floats(0.0, 0.5),
    st.floats(60.0, LONGEST_MONTH_S),
)
def test_who_has_used_more_may_use_less(
    data_mb: int, calm: float, trouble: float, more: float, left_s: float
) -> None:
    """Every byte more makes looks and checks rarer or leaves them as they are, never more frequent."""
    limit = data_mb * MB

    def allowed(extra_calm: float, extra_trouble: float) -> tuple[float, float, float, float]:
        used = Spending(None, round(limit * (calm + extra_calm)), round(limit * (trouble + extra_trouble)))
        one = allowance(limit, used, left_s, CHECKS_S)
        assert 0.0 < one.trouble_look_s <= MINIMAL_LOOK_S
        assert 0.0 < one.calm_look_s <= MINIMAL_LOOK_S
        return one.checks_s, one.round_s, one.trouble_look_s, one.calm_look_s

    for extra in (allowed(more, 0.0), allowed(0.0, more)):
        pairs = zip(extra[:3], allowed(0.0, 0.0)[:3], strict=True)
        assert all(later >= before * (1 - 1e-9) for later, before in pairs)
    rates = [
        LOOK_BYTES / one[3] + ROUND_BYTES / one[0]
        for one in (allowed(0.0, 0.0), allowed(more, 0.0), allowed(0.0, more))
    ]
    assert max(rates[1:]) <= max(rates[0], MINIMAL_BYTES_A_S) * (1 + 1e-9)


# --- the month ------------------------------------------------------------------------------------------


def test_the_month_is_that_of_utc() -> None:
    """The last second of a month belongs to it, and a month has as many days as it has."""
    assert month_of(at("2027-01-31T23:59:59")) == "2027-01"
    assert month_of(at("2027-02-01T00:00:00")) == "2027-02"
    assert rest_s(at("2027-01-31T23:59:00")) == 60.0
    assert rest_s(at("2028-02-01T00:00:00")) == 29 * DAY_S
    assert rest_s(at("2027-12-31T00:00:00")) == DAY_S


def test_a_new_month_begins_at_nothing() -> None:
    """And within one nothing is forgotten."""
    used = Spending("2027-01", 3, 4)
    assert turned(used, at("2027-01-31T23:59:59")) is used
    assert turned(used, at("2027-02-01T00:00:00")) == Spending("2027-02")


def test_a_clock_that_is_not_right_resets_nothing() -> None:
    """And as nobody knows how much of the month is left, a whole one is reckoned with."""
    used = Spending("2027-01", 3, 4)
    assert turned(used, at("2027-02-01T00:00:00", synced=False)) is used
    assert turned(used, at("1970-01-01T00:00:00", synced=False)) is used
    assert rest_s(at("2027-01-31T00:00:00", synced=False)) == LONGEST_MONTH_S


def test_a_clock_that_was_ahead_resets_nothing_when_it_is_put_right() -> None:
    """What was used in a month that has not come yet was used in this one."""
    assert turned(Spending("2031-05", 3, 4), at("2027-01-10T00:00:00")) == Spending("2027-01", 3, 4)
    assert turned(Spending(None, 3, 4), at("2027-01-10T00:00:00")) == Spending("2027-01", 3, 4)


@given(st.floats(-1e18, 1e18), st.booleans())
def test_no_clock_is_too_wrong(wall: float, synced: bool) -> None:
    """There is always a rest of the month, and it is not longer than a month."""
    now = Now(0.0, wall, synced)
    assert 1.0 <= rest_s(now) <= LONGEST_MONTH_S
    turned(Spending("2027-01", 1, 1), now)


# --- a month of incidents -------------------------------------------------------------------------------

STEP_S = 60.0


def month(limit: int, incidents: list[tuple[float, float, bool]], lost: float, days: int) -> int:
    """What a month costs that is lived by the allowance alone, count by count.

    Args:
        limit: bytes.
        incidents: begin and end as shares of the month, and whether the uplink carries the site in it.
        lost: share of calm minutes with a doubt in them.
        days: of the month.
    """
    used, spent, doubts = Spending(), False, 0.0
    for minute in range(days * 1440):
        left_s = days * DAY_S - minute * STEP_S
        allowed = allowance(limit, used, left_s, CHECKS_S, spent=spent)
        spent = allowed.level is Level.SPENT
        place = minute / (days * 1440)
        now = [carries for begin, end, carries in incidents if begin <= place < end]
        if now:
            look_s = min(allowed.trouble_look_s, 1.0) if any(now) and not spent else allowed.trouble_look_s
            checks_s = allowed.round_s or 300.0
            cost = STEP_S * (LOOK_BYTES / min(look_s, allowed.calm_look_s) + ROUND_BYTES / checks_s)
            used = replace(used, trouble_bytes=used.trouble_bytes + round(cost))
            continue
        cost = STEP_S * (LOOK_BYTES / allowed.calm_look_s + ROUND_BYTES / allowed.checks_s)
        doubts += 0.0 if spent else lost
        if doubts >= 1.0:
            doubts -= 1.0
            cost += 15 * LOOK_BYTES
        used = replace(used, calm_bytes=used.calm_bytes + round(cost))
    return used.used_bytes


PLACES = st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.booleans()).map(
    lambda one: (min(one[:2]), max(one[:2]), one[2])
)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([5, 8, 20, 50, 500]),
    st.lists(PLACES, max_size=8),
    st.floats(0.0, 0.5),
    st.integers(28, 31),
)
def test_no_month_costs_more_than_its_budget(
    data_mb: int, incidents: list[tuple[float, float, bool]], lost: float, days: int
) -> None:
    """Whatever happens in it, and however long the uplink carries the site: the minimal watch is within."""
    assert month(data_mb * MB, incidents, lost, days) <= data_mb * MB


def test_a_calm_month_leaves_what_is_kept_for_trouble() -> None:
    """A third of 50 MB is still there at its end."""
    assert month(LIMIT, [], 0.0, 31) == pytest.approx(LIMIT * 2 / 3, rel=0.01)


# --- the core -------------------------------------------------------------------------------------------


def test_a_calm_standby_is_asked_one_target_in_turn() -> None:
    """A round of three targets takes half a minute: one echo every ten seconds."""
    told = world()
    told.play(120)
    assert 27.0 < pace_of(told) <= 30.0
    view = told.picture().uplinks[-1]
    assert view.pace_s == pytest.approx(pace_of(told) / 3, abs=0.01)
    assert (view.slowed, view.data_limit_bytes) == (False, LIMIT)
    assert told.findings() == set()


def test_a_calm_day_stays_within_its_share() -> None:
    """A thirty-first of two thirds of the budget, and the core knows of all of it."""
    told = seldom()
    told.play(DAY_S)
    used = told.asking.used["4g"]
    assert used * 31 < LIMIT * 2 / 3 * 1.02
    purse = told.state.uplinks["4g"].purse
    assert purse is not None
    assert 0 <= used - purse.spending.used_bytes <= 2000


def test_a_day_with_an_hour_of_trouble_costs_half_a_megabyte_more() -> None:
    """The fibre is out and the standby carries the site; what is used then is booked as trouble."""
    told = seldom()
    told.play(3 * 3600)
    told.change("ftth", operator=False)
    told.play(3600)
    told.change("ftth", operator=True)
    told.play(3600)
    purse = told.state.uplinks["4g"].purse
    assert purse is not None
    assert 0.3e6 < purse.spending.trouble_bytes < 0.8e6
    assert purse.spending.used_bytes == pytest.approx(told.asking.used["4g"], abs=2000)


def test_a_month_with_an_hour_of_trouble_every_day_stays_within_the_budget() -> None:
    """At the end of such a month the share for trouble is gone, and looks in trouble are rarer; no more."""
    days = [(day / 31, (day + 1 / 24) / 31, True) for day in range(31)]
    assert 0.9 * LIMIT < month(LIMIT, days, 0.01, 31) <= LIMIT


def test_in_trouble_of_others_the_standby_is_looked_at_every_second() -> None:
    """It is about to be needed; then the calm pace again."""
    told = world()
    told.play(120)
    told.change("ftth", operator=False)
    told.play(60)
    assert pace_of(told) / 3 <= 1.0
    told.change("ftth", operator=True)
    told.play(60)
    assert pace_of(told) > 27.0


def test_a_doubt_asks_all_targets_at_once() -> None:
    """The first unanswered echo: five times a second, each target."""
    told, orders = watched()
    told.play(120)
    told.change("4g", operator=False)
    told.play(15)
    assert told.state.uplinks["4g"].health is Health.DOWN
    assert DOUBT_PACE_S in {order.interval_s for order in orders if isinstance(order, Pace)}


def test_an_outage_of_a_slow_standby_is_found() -> None:
    """Within one look, its timeout, and what the line's habit asks for; also at the slowest watch."""
    for used, within_s in ((Spending(), 25.0), (Spending("2027-01", LIMIT), 200.0)):
        told = world(used=used)
        told.play(600)
        told.change("4g", operator=False)
        broke_at = told.t
        told.play(within_s)
        assert Code.UPLINK_DOWN in told.codes("4g")
        assert told.when(Code.UPLINK_DOWN, "4g") - broke_at < within_s
        told.change("4g", operator=True)
        told.play(400)
        assert told.state.uplinks["4g"].health is Health.UP


@pytest.mark.parametrize("used", [0, 30 * MB, LIMIT])
def test_slowed_asking_is_no_trouble(used: int) -> None:
    """For hours nothing is said of the uplink: not silent, not degraded, not own trouble."""
    told = world(used=Spending("2027-01", used))
    told.lines["4g"].loss = 0.01
    told.play(4 * 3600)
    told.change("ftth", operator=False)
    told.play(60)
    told.change("ftth", operator=True)
    told.play(3600)
    said = {event.code for at_s, event in told.events if event.subject == "4g" and at_s > 10_060}
    assert said <= {
        Code.UPLINK_SUSPECT,
        Code.UPLINK_UP,
        Code.DATA_SPENT,
        Code.DATA_SAVING,
        Code.FINDING_CLOSED,
    }
    assert told.state.uplinks["4g"].health is Health.UP


def test_a_short_silence_is_not_counted_as_half_an_hour_of_loss() -> None:
    """What a doubt has sent in vain is forgotten: a target that answers again starts afresh."""
    told = world()
    told.play(3600)
    told.change("4g", operator=False)
    while told.state.uplinks["4g"].internet.lost == 0:
        told.play(0.1)
    told.play(1.2)
    assert told.state.uplinks["4g"].internet.lost > 3
    told.change("4g", operator=True)
    told.play(600)
    losses = [pulse.window.count(None) for pulse in told.state.uplinks["4g"].targets.values()]
    assert max(losses) <= 2
    assert Code.UPLINK_DOWN not in told.codes("4g")
    assert Code.UPLINK_DEGRADED not in told.codes("4g")


def test_a_rest_before_the_looks_became_more_frequent_is_no_neglect() -> None:
    """A new month: a minute without a look was in order, and a minute from now on is not."""
    told = world(used=Spending("2027-01", LIMIT))
    told.play(1000)
    uplink = told.state.uplinks["4g"]
    now_at = told.now().mono
    rested = evolved(uplink, heard_at=now_at - 60.0, interval_s=10.0, paced_at=now_at)
    assert health.own_trouble(uplink, now_at) is None
    assert health.own_trouble(rested, now_at + 1.0) is None
    assert health.own_trouble(rested, now_at + 60.0) is not None


def test_who_is_asked_once_a_minute_is_not_believed_on_one_answer() -> None:
    """Back from an outage, a second look must be answered too."""
    told = world(used=Spending("2027-01", LIMIT))
    told.play(600)
    assert health.clean_needed_s(told.state.uplinks["4g"]) > 60.0
    assert health.clean_needed_s(told.state.uplinks["ftth"]) == health.CLEAN_S


def test_a_dead_target_is_no_doubt_without_end() -> None:
    """Its losses are noticed, told, and then cost no more than those of any other target."""
    told = world()
    told.play(600)
    for line in told.lines.values():
        line.dead_targets.add("1.1.1.1")
    told.play(120)
    assert (Code.TARGET_PROBLEM, "1.1.1.1") in told.findings()
    before = told.asking.used["4g"]
    told.play(3600)
    assert told.asking.used["4g"] - before < 3600 * LOOK_BYTES / 9.0 + 3 * ROUND_BYTES
    assert told.codes().count(Code.TARGET_PROBLEM) == 1
    told.change("4g", operator=False)
    told.play(30)
    assert told.state.uplinks["4g"].health is Health.DOWN


def test_what_is_slowed_is_said() -> None:
    """With 20 MB an echo every twenty seconds: an information, that takes no headline, and no event more."""
    told = world(data_mb=20)
    told.play(3600)
    shot = told.picture()
    assert shot.headline is Code.ALL_WELL
    assert [finding.code for finding in shot.findings] == [Code.DATA_SAVING]
    assert shot.findings[0].args == {"used_mb": 0, "limit_mb": 20, "every_s": 24}
    assert shot.uplinks[-1].slowed
    assert told.codes().count(Code.DATA_SAVING) == 1


def test_a_spent_budget_is_a_warning_until_the_month_ends() -> None:
    """One echo a minute and a warning; with the new month all is as before."""
    last_hour = datetime(2027, 1, 31, 23, tzinfo=UTC).timestamp()
    told = world(wall=last_hour, used=Spending("2027-01", LIMIT - MB, MB))
    told.play(1800)
    assert pace_of(told) >= 3 * 60.0
    assert told.findings() == {(Code.DATA_SPENT, "4g")}
    told.play(2100)
    assert pace_of(told) <= 30.0
    assert told.findings() == set()
    told.stop()
    assert told.spendings["4g"].month == "2027-02"


def test_an_uplink_that_carries_the_site_is_looked_at_every_second_while_there_is_data() -> None:
    """Its share for trouble is gone, and yet nobody is blind; when all is gone, once a minute."""
    for used, look_s in ((Spending("2027-01", 0, 25 * MB), 1.0), (Spending("2027-01", 0, LIMIT), 63.0)):
        told = world(used=used)
        told.play(60)
        for name in ("ftth", "fibre2"):
            told.change(name, operator=False)
        told.play(300)
        assert pace_of(told) / 3 <= look_s
        assert (pace_of(told) / 3 > 50.0) is (look_s > 50.0)


def test_checks_in_trouble_get_rarer_with_the_budget() -> None:
    """Rounds in an hour of an outage of the standby: many, some, hardly any."""
    rounds = []
    for used in (Spending(), Spending("2027-01", 0, 25 * MB), Spending("2027-01", 0, LIMIT)):
        told = world(used=used)
        told.play(60)
        told.change("4g", operator=False)
        before = told.asking.rounds["4g"]
        told.play(3600)
        rounds.append(told.asking.rounds["4g"] - before)
    assert rounds[0] > 15
    assert rounds[1] <= 6
    assert rounds[2] <= 3


def test_what_was_used_is_written_every_ten_minutes_and_at_the_end() -> None:
    """A restart goes on from there."""
    told = world()
    told.play(3600)
    told.stop()
    written = told.spendings["4g"]
    assert written.month == "2027-01"
    assert 0 <= told.asking.used["4g"] - written.used_bytes <= 2000
    told.start()
    purse = told.state.uplinks["4g"].purse
    assert purse is not None
    assert purse.spending == written


def test_writing_is_seldom() -> None:
    """Six times an hour at most, because flash wears."""
    told, orders = watched()
    told.play(3600)
    assert 1 <= sum(isinstance(order, SaveSpending) for order in orders) <= 7


def test_paces_do_not_change_with_every_byte() -> None:
    """In a calm day the pace of a standby is ordered a few times."""
    told, orders = watched()
    told.play(6 * 3600)
    assert sum(isinstance(order, Pace) for order in orders) <= 5


def test_the_box_is_asked_as_often_as_ever() -> None:
    """On the LAN it costs nothing."""
    told, orders = watched(20)
    told.play(300)
    last = [order for order in orders if isinstance(order, Pace)][-1]
    assert last.box_s == 10.0
    assert last.interval_s > 60.0


def test_an_uplink_without_a_budget_is_not_counted() -> None:
    """Whatever is told of it changes nothing."""
    told = world()
    told.play(60)
    before = told.state.uplinks["ftth"]
    told.feed(Spent("ftth", 5000, 5000))
    told.feed(Spent("nobody", 1, 1))
    assert told.state.uplinks["ftth"].purse is before.purse is None
    assert told.picture().uplinks[0].data_used_bytes is None
