"""What a device says of itself while its uplink works: warned of before it is needed, never cut for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from world import World, example_site

from agent.core.causes import SAYS_FRESH_S
from agent.core.codes import FINDINGS, Code, Cure
from agent.core.devices import DeviceKind, DeviceSpec, Radio, Registration, Says, Sim, Strength
from agent.core.durable import Durable
from agent.core.instant import Now
from agent.core.model import Observation
from agent.core.radio import DAY_S, LEAST_READINGS, Air, Day
from agent.core.saves import SaveAir
from agent.core.site import Site
from agent.core.snapshot import snapshot

pytestmark = pytest.mark.scenario  # hours of virtual time


GOOD = Radio("4G", "B7", rsrp_dbm=-85.0, rsrq_db=-9.0, sinr_db=15.0)
WEAK = Radio("4G", "B20", rsrp_dbm=-112.0, rsrq_db=-15.0, sinr_db=1.0)
FINE = Says("4g", heard=True, sim=Sim.READY, registration=Registration.HOME, radio=GOOD, operator="Orange F")
MODEM = DeviceSpec("stick", "Clé 4G", DeviceKind.MODEM)


class Speaking(World):
    """A site whose devices say what the test wants, every minute."""

    def __init__(self, *said: Says, device: DeviceSpec = MODEM, durable: Durable | None = None) -> None:
        self.saved: list[SaveAir] = []
        self.says = {says.uplink: says for says in said}
        super().__init__(_with_device(example_site(), device), durable=durable, record=False)
        self._speak()

    def _speak(self) -> None:
        for says in self.says.values():
            self.feed(says)
        self.at(self.t + 60.0, self._speak)

    def _act(self, action: object) -> None:
        if isinstance(action, SaveAir):
            self.saved.append(action)
        super()._act(action)  # type: ignore[arg-type]

    def _hear(self, observation: Observation) -> None:
        if not isinstance(observation, Says):
            super()._hear(observation)


def _with_device(site: Site, device: DeviceSpec) -> Site:
    # Echoes are not what these stories are about: few of them.
    uplinks = (replace(u, interval_s=10.0, device=device if u.name == "4g" else None) for u in site.uplinks)
    return replace(site, uplinks=tuple(uplinks))


def shown(world: World, uplink: str = "4g") -> set[Code]:
    return {code for code, subject in world.findings() if subject == uplink}


@pytest.mark.parametrize(
    ("says", "device", "code"),
    [
        (replace(FINE, radio=WEAK), MODEM, Code.SIGNAL_WEAK),
        (replace(FINE, registration=Registration.ROAMING), MODEM, Code.ROAMING),
        (replace(FINE, month_bytes=41_000_000_000, limit_bytes=50_000_000_000), MODEM, Code.DATA_LOW),
        (replace(FINE, month_bytes=9_000_000_000), replace(MODEM, limit_bytes=10**10), Code.DATA_LOW),
        (FINE, replace(MODEM, bands=("B3", "B20")), Code.WRONG_BAND),
        (Says("4g", heard=False, why="no answer"), MODEM, Code.DEVICE_SILENT),
        (Says("4g", heard=True, locked=True, why="refused"), MODEM, Code.DEVICE_LOCKED),
        (Says("4g", heard=True, rx_dbm=-27.4), MODEM, Code.LIGHT_WEAK),
        (Says("4g", heard=True, obstructed_pct=2.5), MODEM, Code.VIEW_OBSTRUCTED),
    ],
)
def test_a_shortcoming_is_told_once_it_has_lasted(says: Says, device: DeviceSpec, code: Code) -> None:
    """Not at once, then as its own finding; it opens no incident, and no power is touched."""
    world = Speaking(says, device=device)
    world.play(FINDINGS[code].shown_after_s - 5.0)
    assert shown(world) == set()
    world.play(100.0)
    assert shown(world) == {code}
    world.play(3600.0)
    assert world.state.incident is None
    assert world.cuts == []
    assert FINDINGS[code].cure is Cure.NEVER
    world.says["4g"] = FINE
    world.state = replace_device(world)
    world.play(1200.0)
    assert shown(world) == set()


def replace_device(world: World) -> object:
    """As after a restart with a configuration that asks for no band and no limit."""
    from agent.core.state import evolved, with_uplink

    uplink = world.state.uplinks["4g"]
    return with_uplink(world.state, evolved(uplink, spec=replace(uplink.spec, device=MODEM)))


def test_a_device_that_is_fine_is_no_finding() -> None:
    """Hours of good news are no news."""
    world = Speaking(FINE)
    world.play(4 * 3600.0)
    assert world.findings() == set()


def test_what_was_said_long_ago_is_not_said_now() -> None:
    """A modem that nobody asks any more has no weak signal."""
    world = Speaking(replace(FINE, radio=WEAK))
    world.play(700.0)
    assert shown(world) == {Code.SIGNAL_WEAK}
    world.says.clear()
    world.play(SAYS_FRESH_S + 61.0)
    assert shown(world) == set()


def test_a_signal_that_drops_from_one_day_to_the_next_is_told() -> None:
    """Still fair, but eight decibels below the week: somebody has moved the antenna."""
    today = int(1_800_000_000 // DAY_S)
    week = Air(days=tuple(Day(today - ago, -88.0, 1440) for ago in range(7, 0, -1)))
    fair = replace(FINE, radio=replace(GOOD, rsrp_dbm=-96.0))
    world = Speaking(fair, durable=Durable(airs={"4g": week}))
    world.play(LEAST_READINGS * 60.0 - 30.0)
    assert shown(world) == set()
    world.play(700.0)
    assert shown(world) == {Code.SIGNAL_DROPPED}
    (finding,) = [f for f in world.picture().findings if f.code is Code.SIGNAL_DROPPED]
    assert finding.args["drop_db"] == 8


def test_the_days_are_saved_once_an_hour() -> None:
    """A reading a minute must not be a write a minute."""
    world = Speaking(FINE)
    world.play(6 * 3600.0)
    assert 6 <= len(world.saved) <= 8
    assert world.saved[-1].uplink == "4g"
    assert world.saved[-1].air.days[-1].readings >= 300


@pytest.mark.parametrize(
    ("says", "code"),
    [
        (replace(FINE, refused=True, month_bytes=50 * 10**9, limit_bytes=50 * 10**9), Code.DATA_REFUSED),
        (Says("4g", heard=True, cause="unpaid"), Code.ACCOUNT_STOPPED),
        (Says("4g", heard=True, cause="disabled"), Code.ACCOUNT_STOPPED),
        (Says("4g", heard=True, cause="booting", cut_helps=False), Code.DEVICE_BUSY),
        (Says("4g", heard=True, cause="thermal", cut_helps=False), Code.DEVICE_BUSY),
        (Says("4g", heard=True, cause="obstructed", line_up=False, cut_helps=False), Code.VIEW_BLOCKED),
        (Says("4g", heard=True, cause="no_light", line_up=False, cut_helps=False), Code.LINE_DOWN),
        (Says("4g", heard=True, cause="no_pings", cut_helps=False), Code.OPERATOR_OUTAGE),
    ],
)
def test_what_a_device_names_is_the_finding_and_no_power_is_tried(says: Says, code: Code) -> None:
    """For three hours; what the device itself calls incurable is not cut for."""
    world = Speaking(says)
    world.play(60.0)
    world.change("4g", forwards=False)
    world.play(3 * 3600.0)
    assert code in shown(world)
    assert world.cuts == []


def test_a_device_that_calls_a_restart_worth_trying_gets_one() -> None:
    """Light, but not taken in by the operator's end: a stuck receiver looks the same from inside."""
    world = Speaking(Says("ftth", heard=True, cause="not_registered", line_up=False, cut_helps=True))
    world.play(60.0)
    world.change("ftth", forwards=False)
    world.play(3 * 3600.0)
    assert Code.LINE_OR_OPERATOR in shown(world, "ftth")
    assert len(world.cuts) == 1


def test_a_modem_that_finds_no_network_is_restarted_once_late() -> None:
    """Some stay out of service for ever until they are; the antenna and the operator are as likely."""
    lost = replace(FINE, registration=Registration.SEARCHING, radio=None)
    world = Speaking(replace(lost, uplink="ftth"))
    world.play(60.0)
    world.change("ftth", forwards=False)
    world.play(3 * 3600.0)
    assert shown(world, "ftth") == {Code.NO_NETWORK}
    assert len(world.cuts) == 1
    assert world.cuts[0][0] > world.first.mono + 60.0 + 180.0


def test_the_picture_tells_what_was_said_and_never_an_old_figure_as_present() -> None:
    """As it was said last: a modem that falls silent has no figures, and its last answer's time stays."""
    world = Speaking(replace(FINE, radio=WEAK))
    world.play(700.0)
    (view,) = world.picture().devices
    assert (view.name, view.kind, view.heard) == ("stick", DeviceKind.MODEM, True)
    assert view.strength is Strength.POOR
    heard_at = view.heard_at
    world.says["4g"] = Says("4g", heard=False, why="frozen")
    world.play(61.0)
    (view,) = world.picture().devices
    assert (view.heard, view.strength) == (False, None)
    assert view.says is not None
    assert view.says.radio is None
    assert view.heard_at is not None
    assert heard_at is not None
    assert heard_at <= view.heard_at < world.state.stepped_at - 30.0


def test_a_device_that_was_never_asked_is_in_the_picture() -> None:
    """It is configured, so its row exists; nothing is said of it."""
    world = Speaking()
    state = world.state
    picture = snapshot(state, Now(state.stepped_at, 0.0, synced=False, boot="b"), 1)
    (view,) = picture.devices
    assert (view.at, view.heard, view.heard_at, view.says) == (None, False, None, None)
