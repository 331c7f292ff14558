"""What the real core tells of a hung box, a dead line and its own death, against what really happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

from world import World, example_site

from agent.core.codes import Code, Severity
from agent.core.model import Recorded
from agent.reports.case import case, incidents
from agent.reports.month import Month, SiteAbout, UplinkAbout, month
from agent.reports.month_time import SECOND, Span

ABOUT = SiteAbout(
    "garage",
    "Garage",
    (UplinkAbout("ftth", "FTTH", repair_h=4.0), UplinkAbout("fibre2", "FIBRE2"), UplinkAbout("4g", "4G")),
    {"box-ftth": "ftth"},
    {"box-ftth": "Box ftth"},
)


def journal(world: World) -> list[Recorded]:
    kept = [(at, event) for at, event in world.events if event.severity is not Severity.DEBUG]
    return [Recorded(f"x-{n}", n, event, at, True) for n, (at, event) in enumerate(kept, 1)]


def reported(world: World, begin: float, *alive: tuple[float, float]) -> Month:
    pieces = [(round(first * SECOND), round(last * SECOND)) for first, last in alive]
    span = Span(round(begin * SECOND), round(world.t * SECOND))
    return month(journal(world), ABOUT, span, UTC, pieces)


def test_a_hung_box_that_a_restart_cures() -> None:
    """The outage is as long as the journal's own ``down_s``; cause, restart and incident are told."""
    world = World(example_site())
    begin = world.t
    world.play(120)
    hung_at = world.t
    world.change("ftth", hung=True)
    world.play(600)
    made = reported(world, begin, (begin, world.t))
    (outage,) = made.outages
    told = next(e for _, e in world.events if e.code is Code.UPLINK_UP and e.args["down_s"])
    assert abs(outage.length / SECOND - float(str(told.args["down_s"]))) < 0.001
    assert 0.0 <= outage.begin / SECOND - hung_at < 1.2, "it begins with the first silence"
    assert (outage.cause, outage.helped, outage.ended) == (Code.BOX_HUNG, True, True)
    assert [restart.box for restart in outage.restarts] == ["box-ftth"]
    assert made.uplinks["ftth"].total.down == outage.length == made.caught[0]
    assert made.whole.total.down == 0
    assert made.avoided[0].ms is None, "one outage is not enough to estimate from"
    found = case(journal(world), "last", ABOUT, UTC, round(world.t * SECOND), [(0, round(world.t * SECOND))])
    assert found is not None
    assert (found.id, found.outages) == (outage.incident, (replace(outage, open_ms=0),))
    hops = [line.split(":")[0] for line in found.evidence[0].lines]
    assert (hops[:2], hops[-2:]) == (["ftth", "box"], ["targets", "witnesses"])
    assert found.others["4g"].up > 0
    assert found.others["4g"].down == 0
    assert found.offline_ms == 0


def test_everything_down_agrees_with_the_agents_own_account() -> None:
    """Time without any uplink is what ``offline_s`` of the incident's end says, to the second."""
    world = World(example_site())
    begin = world.t
    world.play(300)
    for name in ("ftth", "fibre2", "4g"):
        world.change(name, operator=False)
    world.play(900)
    for name in ("ftth", "fibre2", "4g"):
        world.change(name, operator=True)
    world.play(900)
    made = reported(world, begin, (begin, world.t))
    (closed,) = [event for _, event in world.events if event.code is Code.INCIDENT_CLOSED]
    assert abs(made.whole.total.down / SECOND - float(str(closed.args["offline_s"]))) <= 1.0
    assert len(made.offline) == 1
    assert len(made.outages) == 3


def test_a_killed_agent_knows_nothing_until_it_runs_again() -> None:
    """From its last sign of life on; an outage that goes on meanwhile is two outages."""
    world = World(example_site())
    begin = world.t
    world.play(120)
    world.change("fibre2", operator=False)
    world.play(300)
    world.stop(kill=True)
    died_at = world.t
    world.play(200)
    world.start()
    started_at = world.t
    world.play(300)
    made = reported(world, begin, (begin, died_at), (started_at, world.t))
    dead = [(gap.begin / SECOND, gap.end / SECOND, gap.why) for gap in made.gaps if gap.why == "killed"]
    assert dead == [(died_at, started_at, "killed")]
    assert made.uplinks["ftth"].total.unknown >= 200 * SECOND
    down = [one for one in made.outages if one.uplink == "fibre2"]
    assert [one.ended for one in down] == [False, False]
    assert down[0].end == round(died_at * SECOND)
    assert len(incidents(journal(world))) >= 1
