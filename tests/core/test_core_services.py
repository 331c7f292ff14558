"""Services told as stories: what fails where, what is said of it, and how often anybody asks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world import Line, World, example_site

from agent.core import services
from agent.core.codes import Code, Severity
from agent.core.instant import Now
from agent.core.model import Event
from agent.core.opening import Hours
from agent.core.service_words import SITE_WAY, Served, Serves, ServiceKind, ServiceSpec, Snag
from agent.core.site import Site
from agent.core.state import State, evolved, with_uplink

pytestmark = pytest.mark.scenario  # hours of virtual time


PHONE = ServiceSpec("phone", "Téléphone", ServiceKind.SIP, "sip.example.net:5060 udp")
CARDS = ServiceSpec("cards", "Carte bancaire", ServiceKind.TLS, "pay.example.net:443")
DAY_S = 86_400.0
CELLULAR = "4g"


def site(*specs: ServiceSpec, uplinks: int = 3, data_mb: int = 50, interval_s: float = 1.0) -> Site:
    """Fibre, second fibre, and a 4G with a data budget; of long stories the echoes are seldom."""
    base = example_site(uplinks=uplinks, boxes=())
    ways = [replace(one, interval_s=interval_s) for one in base.uplinks]
    if uplinks == 3:
        ways[2] = replace(ways[2], interval_s=max(10.0, interval_s), data_bytes=data_mb * 1_000_000)
    return replace(base, uplinks=tuple(ways), services=specs or (PHONE, CARDS))


def calm(*specs: ServiceSpec, uplinks: int = 3, lines: dict[str, Line] | None = None) -> World:
    """Ten minutes of a site where all is well; every service has been asked through every uplink."""
    world = World(site(*specs, uplinks=uplinks), lines=lines)
    world.play(600)
    world.events.clear()
    return world


def ways(world: World, service: str) -> dict[str, Serves]:
    state, now_at = world.state, world.now().mono
    return {
        way: services.verdict(state, state.services[service], way, now_at)
        for way in (SITE_WAY, *state.uplinks)
    }


def opened(world: World, code: Code) -> Event:
    return next(event for _, event in world.events if event.code is code)


def test_what_works_is_known_through_every_uplink_before_it_is_needed() -> None:
    """On the path in use and on each other uplink; nothing is said of it."""
    world = calm()
    for service in ("phone", "cards"):
        assert set(ways(world, service).values()) == {Serves.WORKS}
    assert world.findings() == set()


def test_a_provider_that_is_down_is_told_as_such_within_a_minute_and_a_half() -> None:
    """It answers through no uplink; the lines are not blamed, nothing is cut, and it is an incident."""
    world = calm()
    broken_at = world.t
    world.serving.broken["phone"] = Snag.SILENT
    world.play(90)
    assert world.findings() == {(Code.SERVICE_DOWN, "phone")}
    assert world.picture().incident is not None
    event = opened(world, Code.SERVICE_DOWN)
    assert event.args["place"] == "sip.example.net:5060 udp"
    assert "through ftth" in str(event.args["evidence"])
    assert "works" not in str(event.args["evidence"])
    # It is said since when the first question failed, not since when it was believed.
    (finding,) = world.picture().findings
    assert world.when(Code.SERVICE_DOWN) - finding.since - world.booted_at >= services.REPEATS * 5.0
    assert finding.since + world.booted_at - broken_at <= PHONE.every_s + 1.0
    world.serving.broken.clear()
    world.play(330)
    assert world.findings() == set()
    assert Code.INCIDENT_CLOSED in world.codes()
    assert world.cuts == []
    assert not [code for code in world.codes() if code in (Code.UPLINK_DOWN, Code.CYCLE_ORDERED)]


@pytest.mark.parametrize("snag", [Snag.REFUSED, Snag.CERTIFICATE, Snag.STATUS, Snag.HUNG_UP])
def test_every_way_to_fail_is_a_failure(snag: Snag) -> None:
    """Not only silence."""
    world = calm(PHONE)
    world.serving.broken["phone"] = snag
    world.play(120)
    assert world.findings() == {(Code.SERVICE_DOWN, "phone")}


def test_a_failure_that_does_not_repeat_is_none() -> None:
    """One lost question, or two, are forgotten by the next answer."""
    world = calm(PHONE)
    for _ in range(5):
        world.serving.broken["phone"] = Snag.SILENT
        before = world.serving.asked["phone", SITE_WAY]
        while world.serving.asked["phone", SITE_WAY] < before + services.REPEATS - 1:
            world.play(1.0)
        world.serving.broken.clear()
        world.play(120)
    assert world.codes("phone") == []


def test_what_is_blocked_on_the_backup_is_known_before_it_is_needed() -> None:
    """A warning and no incident: it works where it is used."""
    world = World(site())
    world.serving.blocked.add(("phone", CELLULAR))
    world.play(600)
    assert world.findings() == {(Code.SERVICE_BLOCKED, "phone")}
    assert opened(world, Code.SERVICE_BLOCKED).args["ways"] == "4G"
    assert world.picture().incident is None
    # Once the fibres are gone, this is what people notice: no longer the backup, but the way in use.
    for name in ("ftth", "fibre2"):
        world.change(name, cable=False)
    world.play(900)
    told = dict.fromkeys(code for code, subject in world.findings() if subject == "phone")
    assert list(told) == [Code.SERVICE_CUT_OFF]
    assert opened(world, Code.SERVICE_CUT_OFF).args["through"] == "4G"


def test_what_is_blocked_on_the_way_in_use_works_through_another() -> None:
    """People cannot call although they could: said with the way that would do."""
    world = calm(PHONE)
    world.serving.blocked.add(("phone", "ftth"))
    world.play(90)
    assert world.findings() == {(Code.SERVICE_CUT_OFF, "phone")}
    args = opened(world, Code.SERVICE_CUT_OFF).args
    assert (args["through"], args["works"]) == ("FTTH", "FIBRE2")
    world.play(300)
    (finding,) = world.picture().findings
    assert finding.args["works"] == "FIBRE2, 4G"


def test_an_uplink_that_is_down_hides_what_fails_through_it() -> None:
    """The root cause alone is told, and after the recovery all is asked anew at once."""
    world = calm()
    world.change("ftth", light=False)
    world.play(60)
    assert {code for code, _ in world.findings()} == {Code.LINE_OR_OPERATOR}
    assert ways(world, "phone")["ftth"] is Serves.UNKNOWN
    world.change("ftth", light=True)
    world.play(40)
    assert ways(world, "phone")["ftth"] is Serves.WORKS
    assert world.codes("phone", "cards") == []


@pytest.mark.parametrize(
    "trouble", [{"operator": False}, {"names": "silent"}, {"portal": True, "portal_pings": True}]
)
def test_no_fault_of_an_uplink_is_told_as_one_of_a_service(trouble: dict[str, object]) -> None:
    """Through the only uplink there is, for an hour: outage, dead names, portal."""
    world = calm(uplinks=1)
    world.change("ftth", **trouble)
    world.play(3600)
    assert world.findings()
    assert world.codes("phone", "cards") == []


def test_a_lossy_line_is_not_a_failing_service() -> None:
    """A third of all packets lost is told of the line."""
    world = calm(PHONE)
    world.change("ftth", loss=0.3)
    world.play(900)
    assert {code for code, _ in world.findings()} <= {Code.DEGRADED, Code.DATA_SAVING}


def test_with_one_uplink_left_nobody_is_blamed() -> None:
    """What fails through the last uplink may be blocked on it as well as down."""
    world = calm(PHONE, uplinks=2)
    world.change("ftth", cable=False)
    world.play(60)
    world.serving.broken["phone"] = Snag.SILENT
    world.play(400)
    assert (Code.SERVICE_CUT_OFF, "phone") in world.findings()
    assert opened(world, Code.SERVICE_CUT_OFF).args["works"] is None


def test_the_only_uplink_of_a_site_is_no_excuse() -> None:
    """It works, and the service does not."""
    world = calm(PHONE, uplinks=1)
    world.serving.broken["phone"] = Snag.SILENT
    world.play(120)
    assert world.findings() == {(Code.SERVICE_DOWN, "phone")}


def test_a_certificate_is_told_two_weeks_before_its_end() -> None:
    """Not earlier, and never as long as the clock may be wrong."""
    world = World(site(CARDS, interval_s=60.0))
    world.serving.valid_until["cards"] = world.now().wall + 14 * DAY_S + 3600
    world.play(3000)
    assert world.findings() == set()
    world.play(1500)
    assert world.findings() == {(Code.CERTIFICATE_ENDS, "cards")}
    assert opened(world, Code.CERTIFICATE_ENDS).args["days"] == 13
    assert world.picture().headline is Code.ALL_WELL
    world.serving.valid_until["cards"] = world.now().wall + 90 * DAY_S
    world.play(200)
    assert world.findings() == set()


def test_who_does_not_know_the_day_calls_no_certificate_bad() -> None:
    """A small computer without a battery starts in the past."""
    world = calm(CARDS)
    state, now = world.state, replace(world.now(), synced=False)
    for _ in range(5):
        state = services.served(state, Served("cards", SITE_WAY, now.mono, Snag.CERTIFICATE, via="ftth"), now)
    assert services.known(state.services["cards"], SITE_WAY).failures == 0
    state = services.served(
        state, Served("cards", SITE_WAY, now.mono, Snag.CERTIFICATE, via="ftth"), world.now()
    )
    assert services.known(state.services["cards"], SITE_WAY).failures == 1


def test_what_could_not_be_asked_says_nothing() -> None:
    """And what is not configured is not kept."""
    world = calm(PHONE)
    before = world.state
    for strange in (Served("other", SITE_WAY, 1.0, Snag.SILENT), Served("phone", "gone", 1.0, Snag.SILENT)):
        assert services.served(before, strange, world.now()) is before
    after = services.served(before, Served("phone", "4g", world.now().mono, Snag.UNSENT), world.now())
    assert services.known(after.services["phone"], "4g").serves is Serves.WORKS


def test_a_verdict_that_is_too_old_is_none() -> None:
    """Nobody answers for a service that nobody has asked for hours."""
    world = calm(PHONE)
    state, now_at = world.state, world.now().mono
    service = state.services["phone"]
    assert services.verdict(state, service, CELLULAR, now_at + 2.9 * PHONE.metered_s) is Serves.WORKS
    assert services.verdict(state, service, CELLULAR, now_at + 3.1 * PHONE.metered_s) is Serves.UNKNOWN


def test_a_day_of_questions_is_what_was_promised() -> None:
    """Every minute on the path in use, every five elsewhere, four times a day where data cost money."""
    world = World(site(interval_s=60.0))
    world.play(DAY_S / 3)
    for service in ("phone", "cards"):
        asked = {way: world.serving.asked[service, way] for way in (SITE_WAY, "ftth", "fibre2", CELLULAR)}
        assert 465 <= asked[SITE_WAY] <= 481
        assert asked["ftth"] <= 1, "the path in use is the way through it"
        assert 93 <= asked["fibre2"] <= 97
        assert asked[CELLULAR] == 2


def test_trouble_asks_metered_uplinks_at_once_and_then_with_pauses() -> None:
    """A service that comes and goes for hours does not empty the plan."""
    world = World(site(PHONE, interval_s=60.0))
    world.play(600)
    asked = world.serving.asked["phone", CELLULAR]
    for _ in range(24):
        world.serving.broken["phone"] = Snag.SILENT
        world.play(300)
        world.serving.broken.clear()
        world.play(900)
    assert 24 <= world.serving.asked["phone", CELLULAR] - asked <= 24 * 6
    assert not world.state.uplinks[CELLULAR].purse.spent  # type: ignore[union-attr]


def test_a_spent_budget_is_spent_on_nothing() -> None:
    """Then only the minimal watch is left; what is not asked is not known."""
    world = World(site(PHONE, data_mb=5, interval_s=60.0))
    world.asking.used[CELLULAR] = 6_000_000
    world.play(300)
    assert (Code.DATA_SPENT, CELLULAR) in world.findings()
    before = world.serving.asked["phone", CELLULAR]
    world.serving.broken["phone"] = Snag.SILENT
    world.play(DAY_S / 4)
    assert world.serving.asked["phone", CELLULAR] == before
    # Its answer is not waited for either.
    assert (Code.SERVICE_DOWN, "phone") in world.findings()


def test_a_site_without_services_asks_for_none() -> None:
    """Nothing is due, nothing is ordered."""
    world = World(example_site())
    world.play(600)
    assert world.serving.asked == {}


def test_what_fails_while_its_uplink_is_in_doubt_is_not_held_against_the_service() -> None:
    """Not even as one failure of three: the first lost echo is enough to wait for the line's own verdict."""
    world = calm(PHONE)
    world.change("ftth", light=False)
    world.play(200)
    for way in (SITE_WAY, "ftth"):
        assert services.known(world.state.services["phone"], way).failures == 0


def test_what_was_known_before_an_outage_is_not_known_after_it() -> None:
    """Until it has been asked again: behind a box that has restarted much may be different."""
    world = calm(PHONE)
    state, now_at = world.state, world.now().mono
    service = state.services["phone"]
    back = with_uplink(state, evolved(state.uplinks["fibre2"], recovered_at=now_at))
    assert services.verdict(state, service, "fibre2", now_at) is Serves.WORKS
    assert services.verdict(back, service, "fibre2", now_at) is Serves.UNKNOWN


def test_what_is_blocked_on_the_backup_stays_so_while_the_backup_is_down() -> None:
    """It is told once: that nobody can ask there for a while is no sign that it has been put right."""
    world = World(site())
    world.serving.blocked.add(("phone", CELLULAR))
    world.play(600)
    for _ in range(3):
        world.change(CELLULAR, light=False)
        world.play(300)
        world.change(CELLULAR, light=True)
        world.play(600)
    assert world.codes("phone") == [Code.SERVICE_BLOCKED]
    world.serving.blocked.clear()
    world.play(PHONE.metered_s)
    assert world.codes("phone") == [Code.SERVICE_BLOCKED, Code.FINDING_CLOSED]


def test_a_service_that_is_missing_is_an_alert_while_the_site_is_open() -> None:
    """By night the same is a warning: nobody is called for a telephone that nobody would use."""
    noon, night = 1_768_215_600.0, 1_768_258_800.0
    hours = (Hours(tuple(range(7)), 8 * 3600.0, 18 * 3600.0),)
    for wall, severity in ((noon, Severity.ALERT), (night, Severity.WARNING)):
        world = World(replace(site(PHONE), opening=hours), wall=wall)
        world.play(600)
        world.serving.broken["phone"] = Snag.SILENT
        world.play(120)
        incident = opened(world, Code.INCIDENT_OPENED)
        assert (incident.args["means"], incident.severity) == ("service", severity)


DEEDS = st.sampled_from(
    [
        "broken",
        "well",
        "blocked",
        "passes",
        "down",
        "up",
        "unplugged",
        "plugged",
        "names",
        "named",
        "lossy",
        "clean",
    ]
)
STEPS = st.lists(
    st.tuples(
        st.floats(1.0, 400.0),
        DEEDS,
        st.sampled_from(["phone", "cards"]),
        st.sampled_from(["ftth", "fibre2", CELLULAR]),
    ),
    min_size=1,
    max_size=12,
)
CHANGES: dict[str, dict[str, object]] = {
    "down": {"operator": False},
    "up": {"operator": True},
    "unplugged": {"cable": False},
    "plugged": {"cable": True},
    "names": {"names": "silent"},
    "named": {"names": "well"},
    "lossy": {"loss": 0.3},
    "clean": {"loss": 0.0},
}


def do(world: World, deed: str, service: str, uplink: str) -> None:
    if deed == "broken":
        world.serving.broken[service] = Snag.SILENT
    elif deed == "well":
        world.serving.broken.pop(service, None)
    elif deed in ("blocked", "passes"):
        (world.serving.blocked.add if deed == "blocked" else world.serving.blocked.discard)((service, uplink))
    else:
        world.change(uplink, **CHANGES[deed])


@settings(max_examples=10, deadline=None)
@given(STEPS)
def test_whatever_happens_no_service_is_said_to_be_down_that_answers(
    steps: list[tuple[float, str, str, str]],
) -> None:
    """Nor is one asked without end; and once all is well again nothing is left of it."""

    def check(_before: State, state: State, _seen: object, _orders: object, now: Now) -> None:
        for (code, name), finding in state.findings.items():
            if code is Code.SERVICE_DOWN and finding.shown:
                service = state.services[name]
                assert services.verdict(state, service, SITE_WAY, now.mono) is not Serves.WORKS
                assert any(uplink.health.works for uplink in state.uplinks.values())

    world = World(site(interval_s=5.0), check=check, record=False)
    world.play(60)
    for wait_s, deed, service, uplink in steps:
        do(world, deed, service, uplink)
        world.play(wait_s)
    for uplink in world.lines:
        for deed in ("up", "plugged", "named", "clean"):
            do(world, deed, "phone", uplink)
    world.serving.broken.clear()
    world.serving.blocked.clear()
    world.play(2000)
    left = {code for code, subject in world.findings() if subject in ("phone", "cards")}
    assert left == set()
    lasted_s = world.t - 10_000.0
    assert max(world.serving.asked.values()) <= 20 + lasted_s / 10.0
