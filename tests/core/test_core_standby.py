"""The dark backup: proven end to end, asked when its proof is old or the uplink in use is in doubt."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from world import World, example_site

from agent.core.codes import Code
from agent.core.failover_rules import FailoverRules
from agent.core.model import AskMore
from agent.core.radio import Air, Day
from agent.core.site import Site
from agent.core.state import evolved, with_uplink


def site_with(metered: bool = False, **rules: float) -> Site:
    site = example_site(boxes=())
    first, second, last = (replace(uplink, interval_s=5.0) for uplink in site.uplinks)
    if metered:
        last = replace(last, data_bytes=50_000_000)
    return replace(
        site,
        uplinks=(first, second, last),
        failover=replace(FailoverRules(), **rules),  # type: ignore[arg-type]
    )


class Asked:
    """Every ``AskMore`` with its instant."""

    def __init__(self) -> None:
        self.times: list[tuple[float, str]] = []

    def __call__(self, *step: object) -> None:
        now, actions = step[4], step[3]
        self.times += [(now.mono, one.uplink) for one in actions if isinstance(one, AskMore)]  # type: ignore[attr-defined]

    def of(self, uplink: str) -> list[float]:
        return [at for at, name in self.times if name == uplink]


def proven_s_ago(world: World, name: str) -> float | None:
    view = next(uplink for uplink in world.picture().uplinks if uplink.name == name)
    return None if view.proven_at is None else round(world.now().mono - view.proven_at)


def test_a_standby_is_proven_by_targets_names_and_pages() -> None:
    """As old as the oldest of the three; nothing is asked out of turn while that is young."""
    asked = Asked()
    world = World(site_with(), check=asked)
    world.play(4.0)
    assert proven_s_ago(world, "4g") is None, "nothing but echoes has answered yet"
    world.play(2 * 3600)
    age_s = proven_s_ago(world, "4g")
    assert age_s is not None
    assert age_s <= 1800
    assert asked.times == []


def test_a_proof_that_is_too_old_is_made_anew() -> None:
    """Regular questions that come too seldom are helped out."""
    asked = Asked()
    world = World(site_with(proof_every_s=1200.0), check=asked)
    world.play(2 * 3600)
    assert len(asked.of("4g")) >= 3
    age_s = proven_s_ago(world, "4g")
    assert age_s is not None
    assert age_s <= 1210
    assert asked.of("fibre2") == [], "it is asked every five minutes anyway"


def test_a_doubt_about_the_uplink_in_use_has_the_standbys_tried_at_once() -> None:
    """Before the verdict, so that it is known then which of them serves; and once."""
    asked = Asked()
    world = World(site_with(), check=asked)
    world.play(1000.0)
    world.change("ftth", light=False)
    began = world.now().mono
    world.play(300.0)
    down_at = world.when(Code.UPLINK_DOWN)
    for name in ("fibre2", "4g"):
        (at,) = asked.of(name)
        assert at - began < 10.0
        assert at <= down_at


def test_doubts_that_come_again_and_again_cost_a_standby_with_a_budget_little() -> None:
    """A fibre with a hiccup each minute: the 4G is tried every ten minutes at most."""
    asked = Asked()
    world = World(site_with(metered=True), check=asked)
    world.play(100.0)
    for _ in range(60):
        world.change("ftth", forwards=False)
        world.play(3.0)
        world.change("ftth", forwards=True)
        world.play(57.0)
    times = asked.of("4g")
    assert 1 <= len(times) <= 7
    assert all(later - earlier >= 600.0 for earlier, later in pairwise(times))


def test_a_standby_that_cannot_be_proven_is_a_finding() -> None:
    """Pages fail for hours while echoes pass; the modem's weaker signal is told with it."""
    site = site_with(proof_every_s=1200.0)
    world = World(site)
    world.play(600.0)
    air = Air(rsrp_dbm=-100.0, days=tuple(Day(n, -92.0 if n < 5 else -101.0, 100) for n in range(6)))
    uplink = world.state.uplinks["4g"]
    world.state = with_uplink(world.state, evolved(uplink, air=air))
    world.change("4g", names="refused")
    world.play(4000.0)
    assert world.findings() == {(Code.NAMES_FAIL, "4g")}, "the better name for it"
    world.change("4g", names="well", dead_targets={"1.1.1.1", "8.8.8.8"})
    world.play(2800)
    found = {finding.code: finding for finding in world.picture().findings if finding.subject == "4g"}
    assert found[Code.BACKUP_UNPROVEN].args == {"longest_s": 2400.0, "drop_db": 9}
    world.change("4g", dead_targets=set())
    world.play(600.0)
    assert world.findings() == set()


def test_the_uplink_in_use_and_one_that_is_down_need_no_proof() -> None:
    """The one is proven by its use; of the other there is something worse to say."""
    world = World(site_with(proof_every_s=600.0))
    world.play(300.0)
    world.change("ftth", dead_targets={"1.1.1.1", "8.8.8.8"})
    world.change("4g", light=False)
    world.play(1500.0)
    assert Code.BACKUP_UNPROVEN not in {code for code, _ in world.findings()}
