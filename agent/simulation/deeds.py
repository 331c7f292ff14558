"""Everything that can be done to a site that is played, by name.

The names and their args are those of scenario files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agent.core.model import Hold, Why
from agent.core.service_words import Snag
from agent.simulation.world import World

Args = Mapping[str, Any]
Act = Callable[[World, str, Args], None]

MACHINE_BOOTS_IN_S = 20.0


def do(world: World, what: str, on: str | None, args: Args) -> None:
    """Do one deed.

    Args:
        world: to this world.
        what: the deed's name.
        on: the uplink, for deeds that are done to one.
        args: the deed's own.

    Raises:
        KeyError: no such deed, uplink or argument.
    """
    DEEDS[what](world, on or "", args)


def _line(**what: object) -> Act:
    """Make one uplink behave so from now on."""
    return lambda world, on, _args: world.change(on, **what)


def _all(**what: object) -> Act:
    """Make every uplink behave so at the same instant."""

    def act(world: World, _on: str, _args: Args) -> None:
        for name in world.lines:
            world.change(name, **what)

    return act


def _hang(world: World, on: str, args: Args) -> None:
    mode = args["mode"]
    terminal = world.lines[on].terminal
    if mode == "terminal":
        assert terminal is not None, f"no terminal on {on}"
        terminal.hung = True
        terminal.cures = args.get("outlives", 0) == 0
        return
    world.change(
        on,
        hung=mode in ("frozen", "lan"),
        half_hung=mode in ("forwarding", "api"),
        mute=mode in ("api", "frozen"),
        outlives=int(args.get("outlives", 0)),
        becomes=args.get("becomes", "well"),
    )


def _heal(world: World, on: str, _args: Args) -> None:
    world.change(on, hung=False, half_hung=False, mute=False)
    terminal = world.lines[on].terminal
    if terminal is not None:
        terminal.hung = False


def _quality(world: World, on: str, args: Args) -> None:
    """Loss and delay are those of each direction, as in the bay."""
    changed: dict[str, float] = {}
    if "loss" in args:
        changed["loss"] = 1.0 - (1.0 - args["loss"]) ** 2
    if "delay_ms" in args:
        changed["rtt_s"] = 2.0 * args["delay_ms"] / 1000.0
    world.change(on, **changed)


def _target(*, answers: bool) -> Act:
    def act(world: World, _on: str, args: Args) -> None:
        for line in world.lines.values():
            (line.dead_targets.discard if answers else line.dead_targets.add)(args["target"])

    return act


def _new_address(world: World, on: str, _args: Args) -> None:
    world.change(on, host=world.lines[on].host + 1)


def _names(world: World, on: str, args: Args) -> None:
    said = {"silent": "silent", "servfail": "refused", "nxdomain": "wrong"}
    world.change(on, names=said[args.get("mode", "silent")])


def _modem(world: World, on: str, args: Args) -> None:
    """``operator`` is whose network it is in; that the operator's network works is another matter."""
    world.change(on, **{"network" if key == "operator" else key: value for key, value in args.items()})


def _dish(world: World, on: str, args: Args) -> None:
    world.change(on, **{"dish" if key == "state" else key: value for key, value in args.items()})


def _service_out(world: World, _on: str, args: Args) -> None:
    world.serving.broken[args["service"]] = Snag(args.get("how", "silent"))


def _service_back(world: World, _on: str, args: Args) -> None:
    world.serving.broken.pop(args["service"], None)


def _blocked(*, passes: bool) -> Act:
    def act(world: World, on: str, args: Args) -> None:
        way = (args["service"], on)
        (world.serving.blocked.discard if passes else world.serving.blocked.add)(way)

    return act


def _mains(*, present: bool) -> Act:
    return lambda world, _on, _args: world.boxes.switch_mains(present=present)


def _plug(*, plugged: bool) -> Act:
    return lambda world, on, _args: world.boxes.plug(on, plugged=plugged)


def _own(name: str, *, wrong: bool) -> Act:
    """Something of the agent's own that goes wrong, or is well again."""
    return lambda world, _on, _args: setattr(world, name, wrong)


def _router(world: World, args: Args) -> None:
    """How the router behaves from now on; what is not named stays as it is."""
    for key, value in args.items():
        setattr(world.router, key, value)


DEEDS: Mapping[str, Act] = {
    # boxes
    "hang": _hang,
    "heal": _heal,
    "box_off": _plug(plugged=False),
    "box_on": _plug(plugged=True),
    "power_off": _mains(present=False),
    "power_on": _mains(present=True),
    "way_out_lost": _line(denies=True),
    "way_out_found": _line(denies=False),
    "portal": lambda world, on, args: world.change(on, portal=True, portal_pings=args.get("pings", True)),
    "portal_end": _line(portal=False),
    "dns_out": _names,
    "dns_back": _line(names="well"),
    "modem": _modem,
    "dish": _dish,
    "light": lambda world, on, args: world.change(on, rx_dbm=args["rx_dbm"]),
    "mute": _line(mute=True),
    "unmute": _line(mute=False),
    "lock": _line(locked=True),
    "unlock": _line(locked=False),
    "new_address": _new_address,
    # cables and interfaces
    "pull": _line(cable=False),
    "plug": _line(cable=True),
    "pull_all": _all(trunk=False),
    "plug_all": _all(trunk=True),
    "switch_dead": _all(trunk=False),
    "switch_back": _all(trunk=True),
    "unplug_interface": _line(present=False),
    "replug_interface": _line(present=True),
    "sending_fails": lambda world, on, args: world.change(on, unsendable=Why(args["why"])),
    "sending_works": _line(unsendable=None),
    # lines and operators
    "line_cut": _line(light=False),
    "line_back": _line(light=True),
    "operator_out": _line(operator=False),
    "operator_back": _line(operator=True),
    "quality": _quality,
    "service_out": _service_out,
    "service_back": _service_back,
    "service_blocked": _blocked(passes=False),
    "service_passes": _blocked(passes=True),
    "target_out": _target(answers=False),
    "target_back": _target(answers=True),
    # the site's own router
    "route": lambda world, on, _args: setattr(world.router, "active", on),
    "router": lambda world, _on, args: _router(world, args),
    "site_unplug": lambda world, _on, _args: world.router.plug(plugged=False),
    "site_plug": lambda world, _on, _args: world.router.plug(plugged=True),
    "new_public": lambda world, on, args: world.change(on, public=args["address"]),
    "shared": lambda world, on, _args: world.change(on, carrier_grade=True),
    # the agent and its machine
    "agent_kill": lambda world, _on, _args: world.stop(kill=True),
    "agent_term": lambda world, _on, _args: world.stop(),
    "agent_start": lambda world, _on, _args: world.start(),
    "machine_off": lambda world, _on, _args: world.machine_off(),
    "machine_on": lambda world, _on, args: world.machine_on(args.get("boots_in_s", MACHINE_BOOTS_IN_S)),
    "hold": lambda world, _on, args: world.feed(Hold(world.now().mono + args["for_s"], "button")),
    "disk_full": _own("unwritable", wrong=True),
    "disk_free": _own("unwritable", wrong=False),
    "relays_refuse": _own("refuse_cuts", wrong=True),
    "relays_obey": _own("refuse_cuts", wrong=False),
}
"""What each does, where its name does not say it:

- ``hang``: ``frozen`` and ``lan``: nothing answers, only the carrier stays; ``forwarding``: the box answers
  on the LAN and lets nothing through; ``api``: so too, and it says nothing of itself any more. It
  ``outlives`` so many power cycles, and then ``becomes`` well or a portal. ``terminal``: the optical terminal
  before the box hangs, and the box is well; if it outlives one cycle it outlives all.
- ``modem``: what keeps a modem from data keeps the packets too; ``dish`` likewise, in any state but ``well``.
- ``light``: what a box says that it receives; ``mute``: the device says nothing of itself any more, ``lock``:
  it refuses its password; packets pass as before.
- ``box_off``: somebody takes the box's supply out of its outlet.
- ``operator_out``: nothing behind the operator's first hop answers.
- ``portal``: somebody else answers in the place of every name and page; pings pass unless ``pings=False``.
- ``service_out``: a service does not answer as it should, whichever way it is asked; ``service_blocked``: not
  through this uplink, because something on the way keeps it from answering.
- ``pull_all``, ``switch_dead``: every carrier is lost at the same instant.
- ``route``: somebody, or the site's router by itself, moves the site's traffic to this uplink. ``router``:
  how it behaves from now on, and whether it ``works`` at all, or ``spreads`` the traffic. ``site_unplug`` is
  the machine's own cable to it. ``new_public``: the operator gives an uplink another address, ``shared``: one
  that many customers have.
- ``machine_off``: the agent's machine loses its power; ``power_off`` is that of the boxes.
"""
