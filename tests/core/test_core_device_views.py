"""What a snapshot says of a device: what it tells now, never what it told before."""

from __future__ import annotations

from dataclasses import replace

from world import World, example_site

from agent.core.causes import SAYS_FRESH_S
from agent.core.devices import DeviceKind, DeviceSpec, Radio, Says, Strength
from agent.core.radio import DAY_S, LEAST_READINGS, Air, Day
from agent.core.site import Site
from agent.core.snapshot import snapshot
from agent.core.snapshot_types import DeviceView
from agent.core.state import evolved, with_uplink

MODEM = DeviceSpec("stick", "Clé 4G", DeviceKind.MODEM)
TOLD = Says("4g", heard=True, radio=Radio("4G", rsrp_dbm=-86.0), month_bytes=5, limit_bytes=50)


def site(device: DeviceSpec = MODEM) -> Site:
    plain = example_site()
    return replace(plain, uplinks=(*plain.uplinks[:2], replace(plain.uplinks[2], device=device)))


def view(world: World) -> DeviceView:
    (one,) = snapshot(world.state, world.now(), 1).devices
    return one


def test_a_device_that_was_not_asked_yet_says_nothing() -> None:
    """Its name is there, and that nothing is known."""
    assert view(World(site())) == DeviceView(
        "stick", "Clé 4G", "4g", DeviceKind.MODEM, None, False, None, None
    )


def test_a_device_that_answers_is_shown_as_it_answers() -> None:
    """With the word for its signal and the month's limit that it was told."""
    world = World(site())
    world.feed(TOLD)
    told = view(world)
    assert (told.heard, told.says, told.strength, told.limit_bytes) == (True, TOLD, Strength.GOOD, 50)
    assert told.at == told.heard_at == world.now().mono


def test_a_device_that_is_silent_keeps_no_figure() -> None:
    """Only since when it is not heard, why, and the limit of the contract remain."""
    world = World(site(replace(MODEM, limit_bytes=70)))
    world.feed(TOLD)
    heard_at = world.now().mono
    world.play(30)
    world.feed(Says("4g", heard=False, why="no answer for 3 s"))
    silent = view(world)
    assert silent.says == Says("4g", heard=False, why="no answer for 3 s")
    assert (silent.heard, silent.heard_at, silent.at) == (False, heard_at, world.now().mono)
    assert (silent.strength, silent.trend_db, silent.limit_bytes) == (None, None, 70)


def test_a_trend_is_shown_while_the_device_is_heard() -> None:
    """Today beside the days before says nothing of a modem that is silent."""
    world = World(site())
    world.feed(TOLD)
    today = int(world.now().wall // DAY_S)
    days = tuple(Day(today - ago, -80.0, LEAST_READINGS) for ago in range(5, 0, -1))
    air = Air(rsrp_dbm=-90.0, strength=Strength.GOOD, days=(*days, Day(today, -90.0, LEAST_READINGS)))
    world.state = with_uplink(world.state, evolved(world.state.uplinks["4g"], air=air))
    assert view(world).trend_db == -10.0
    world.feed(Says("4g", heard=False))
    assert view(world).trend_db is None


def test_an_answer_of_two_minutes_ago_is_no_answer() -> None:
    """Nobody asks any more: the last figures are not shown as present ones."""
    world = World(site())
    world.feed(TOLD)
    heard_at = world.now().mono
    world.play(SAYS_FRESH_S - 5)
    assert view(world).heard
    world.play(10)
    old = view(world)
    assert (old.heard, old.says, old.strength, old.limit_bytes) == (False, None, None, None)
    assert old.at == old.heard_at == heard_at
