"""Everything that can be done to a bay, by name, with what it needs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hardware.virtual.box import Cable
from hardware.virtual.box_state import Hang
from hardware.virtual.offices import Failure
from hardware.virtual.speaks import DISHES, LIGHT, LOCKS, MODEMS, SPEAKS
from hardware.virtual.wall import NameMode, PageMode, Wall, portal
from hardware.virtual.world import SERVICES

if TYPE_CHECKING:
    from hardware.virtual.bay import Bay
    from hardware.virtual.voice import Voice

_NOBODY = "02:76:00:00:ff:ff"
"""A hardware address that nobody has."""
NAME_FAILURES = ("silent", "servfail", "nxdomain")
_QUALITIES = ("loss", "delay_ms", "jitter_ms", "rate_kbit")


@dataclass(frozen=True, slots=True)
class DeedForm:
    """One deed: what it does, given the bay, the uplink and the arguments.

    Attributes:
        act: does it.
        on: it is done to one uplink or box.
        required: arguments that must be given.
        optional: arguments that may be given.
    """

    act: Callable[[Bay, str, Mapping[str, Any]], None]
    on: bool = True
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


def do(bay: Bay, what: str, on: str | None, args: Mapping[str, Any]) -> None:
    """Do one deed to a running bay.

    Raises:
        ValueError: what is asked cannot be done; names what is allowed.
    """
    form = DEEDS.get(what)
    if form is None:
        raise ValueError(f"unknown deed {what!r}; allowed: {', '.join(DEEDS)}")
    if not form.on and on is not None:
        raise ValueError(f"{what} is done to the whole bay, not on {on!r}")
    if form.on and (on is None or on not in bay.boxes):
        raise ValueError(f"{what} needs on, one of: {', '.join(bay.boxes)}; not {on!r}")
    allowed = (*form.required, *form.optional)
    if wrong := [name for name in args if name not in allowed]:
        raise ValueError(
            f"{what} does not take {', '.join(wrong)}; allowed: {', '.join(allowed) or 'nothing'}"
        )
    if missing := [name for name in form.required if name not in args]:
        raise ValueError(f"{what} needs {', '.join(missing)}")
    form.act(bay, on or "", args)


def _hang(bay: Bay, on: str, args: Mapping[str, Any]) -> None:
    modes = [str(mode) for mode in Hang]
    if args["mode"] not in modes:
        raise ValueError(f"hang: mode {args['mode']!r} is not one of: {', '.join(modes)}")
    bay.boxes[on].hang(Hang(args["mode"]))


def _cable(cable: Cable) -> Callable[[Bay, str, Mapping[str, Any]], None]:
    def act(bay: Bay, on: str, _args: Mapping[str, Any]) -> None:
        # A cable can be neither pulled nor plugged where there is no interface.
        if bay.boxes[on].cable is not Cable.GONE:
            bay.boxes[on].cable = cable

    return act


def _operator_out(bay: Bay, on: str, _args: Mapping[str, Any]) -> None:
    """The operator's first router works and leads to nobody: it answers, and packets through it are lost."""
    nobody = f"neigh replace {bay.plans[on].internet_port} lladdr {_NOBODY} dev core nud permanent"
    bay.operators[on].ip(nobody)


def _operator_back(bay: Bay, on: str, _args: Mapping[str, Any]) -> None:
    # A neighbour that is not known may not be deleted; one that is replaced can always be looked for again.
    bay.operators[on].ip(
        f"neigh replace {bay.plans[on].internet_port} lladdr {_NOBODY} dev core nud permanent",
        f"neigh del {bay.plans[on].internet_port} dev core",
    )


def _choice(name: str, args: Mapping[str, Any], usual: str, allowed: Collection[str]) -> str:
    value = args.get(name, usual)
    if value not in allowed:
        raise ValueError(f"{name} {value!r} is not one of: {', '.join(allowed)}")
    return str(value)


def _flag(name: str, args: Mapping[str, Any], *, usual: bool) -> bool:
    value = args.get(name, usual)
    if value is not True and value is not False:
        raise ValueError(f"{name} {value!r} is not one of: True, False")
    return value


def _wall(bay: Bay, on: str, wall: Wall) -> None:
    bay.boxes[on].wall = replace(wall, blocked=bay.boxes[on].wall.blocked)
    bay.services[on].follow()


def _service(bay: Bay, args: Mapping[str, Any]) -> str:
    return _choice("service", args, "", bay.service_names)


def _service_out(bay: Bay, _on: str, args: Mapping[str, Any]) -> None:
    how = Failure(_choice("how", args, Failure.SILENT, [str(failure) for failure in Failure]))
    bay.offices.fail(_service(bay, args), how)


def _blocked(*, passes: bool) -> Callable[[Bay, str, Mapping[str, Any]], None]:
    def act(bay: Bay, on: str, args: Mapping[str, Any]) -> None:
        box, address = bay.boxes[on], SERVICES[_service(bay, args)].address
        kept = tuple(one for one in box.wall.blocked if one != address)
        box.wall = replace(box.wall, blocked=kept if passes else (*kept, address))

    return act


def _portal(bay: Bay, on: str, args: Mapping[str, Any]) -> None:
    pages = PageMode(_choice("pages", args, PageMode.REDIRECT, [str(mode) for mode in PageMode]))
    _wall(bay, on, portal(pages, pings=_flag("pings", args, usual=True)))


def _dns_out(bay: Bay, on: str, args: Mapping[str, Any]) -> None:
    names = NameMode(_choice("mode", args, NameMode.SILENT, NAME_FAILURES))
    _wall(bay, on, Wall(names, all_names=not _flag("box_only", args, usual=False)))


def _quality(bay: Bay, on: str, args: Mapping[str, Any]) -> None:
    if not args:
        raise ValueError(f"quality needs at least one of: {', '.join(_QUALITIES)}")
    line = bay.lines[on]
    line.quality = replace(line.quality, **args)


def _target(*, answers: bool) -> Callable[[Bay, str, Mapping[str, Any]], None]:
    def act(bay: Bay, _on: str, args: Mapping[str, Any]) -> None:
        if args["target"] not in bay.targets:
            raise ValueError(f"no target {args['target']!r}; there are: {', '.join(bay.targets)}")
        bay.set_target(args["target"], answers=answers)

    return act


def _mains(*, present: bool) -> Callable[[Bay, str, Mapping[str, Any]], None]:
    def act(bay: Bay, _on: str, _args: Mapping[str, Any]) -> None:
        for box in bay.boxes.values():
            box.switch_mains(present=present)

    return act


def _new_address(bay: Bay, on: str, args: Mapping[str, Any]) -> None:
    bay.new_address_on_next_lease(on)
    if not args.get("later", False):
        bay.renew_address(on)


def _route(bay: Bay, on: str, _args: Mapping[str, Any]) -> None:
    if bay.router is None:
        raise ValueError("route: this bay has no router of the site's own")
    bay.router.use(on)


def _rewire(bay: Bay, on: str, args: Mapping[str, Any]) -> None:
    if args["to"] not in bay.boxes:
        raise ValueError(f"rewire: no box {args['to']!r}; there are: {', '.join(bay.boxes)}")
    bay.rewire(on, args["to"])


def _voice(bay: Bay, on: str, *allowed: str) -> Voice:
    speaks = bay.plans[on].speaks
    if speaks not in allowed:
        raise ValueError(f"on {on} nobody speaks one of: {', '.join(allowed)}")
    return bay.voices[on]


def _change(*allowed: str) -> Callable[[Bay, str, Mapping[str, Any]], None]:
    return lambda bay, on, args: _voice(bay, on, *allowed).change(args)


def _mute(*, muted: bool) -> Callable[[Bay, str, Mapping[str, Any]], None]:
    return lambda bay, on, _: _voice(bay, on, *SPEAKS).freeze(frozen=muted)


def _lock(*, locked: bool) -> Callable[[Bay, str, Mapping[str, Any]], None]:
    return lambda bay, on, _: _voice(bay, on, *LOCKS).lock(locked=locked)


DEEDS: Mapping[str, DeedForm] = {
    "hang": DeedForm(_hang, required=("mode",)),
    "heal": DeedForm(lambda bay, on, _: bay.boxes[on].heal()),
    "pull": DeedForm(_cable(Cable.PULLED)),
    "plug": DeedForm(_cable(Cable.PLUGGED)),
    "operator_out": DeedForm(_operator_out),
    "operator_back": DeedForm(_operator_back),
    "line_cut": DeedForm(lambda bay, on, _: bay.lines[on].cut()),
    "line_back": DeedForm(lambda bay, on, _: bay.lines[on].heal()),
    "way_out_lost": DeedForm(lambda bay, on, _: bay.boxes[on].lose_way_out()),
    "way_out_found": DeedForm(lambda bay, on, _: bay.boxes[on].find_way_out()),
    "portal": DeedForm(_portal, optional=("pages", "pings")),
    "portal_end": DeedForm(lambda bay, on, _: _wall(bay, on, Wall())),
    "dns_out": DeedForm(_dns_out, optional=("mode", "box_only")),
    "dns_back": DeedForm(lambda bay, on, _: _wall(bay, on, Wall())),
    "quality": DeedForm(_quality, optional=_QUALITIES),
    "service_out": DeedForm(_service_out, on=False, required=("service",), optional=("how",)),
    "service_back": DeedForm(
        lambda bay, _on, args: bay.offices.fail(_service(bay, args), None), on=False, required=("service",)
    ),
    "service_blocked": DeedForm(_blocked(passes=False), required=("service",)),
    "service_passes": DeedForm(_blocked(passes=True), required=("service",)),
    "target_out": DeedForm(_target(answers=False), on=False, required=("target",)),
    "target_back": DeedForm(_target(answers=True), on=False, required=("target",)),
    "power_off": DeedForm(_mains(present=False), on=False),
    "power_on": DeedForm(_mains(present=True), on=False),
    "unplug_interface": DeedForm(lambda bay, on, _: bay.unplug_interface(on)),
    "replug_interface": DeedForm(lambda bay, on, _: bay.replug_interface(on)),
    "weld": DeedForm(lambda bay, on, _: bay.weld(on)),
    "unweld": DeedForm(lambda bay, on, _: bay.weld(on, welded=False)),
    "rewire": DeedForm(_rewire, required=("to",)),
    "modem": DeedForm(
        _change(*MODEMS),
        optional=("sim", "registration", "signal", "band", "operator", "data", "month_gb"),
    ),
    "dish": DeedForm(_change(*DISHES), optional=("state", "obstructed_pct")),
    "light": DeedForm(_change(*LIGHT), required=("rx_dbm",)),
    "mute": DeedForm(_mute(muted=True)),
    "unmute": DeedForm(_mute(muted=False)),
    "lock": DeedForm(_lock(locked=True)),
    "unlock": DeedForm(_lock(locked=False)),
    "new_address": DeedForm(_new_address, optional=("later",)),
    "route": DeedForm(_route),
}
"""What each of them does, where its name does not say it:

- ``operator_out``: the first hop beyond the box answers, nothing beyond it does.
- ``portal``: a walled garden. Every name has the box's own address, every web page is the box's: a
  redirection to its login page, or with ``pages="login"`` that page itself. Pings pass unless
  ``pings=False``; nothing else does.
- ``dns_out``: only names fail. The box's name server and all others through this uplink are silent, or say
  what ``mode`` says (``NAME_FAILURES``); with ``box_only=True`` only the box's does.
- ``portal_end``, ``dns_back``: the box lets everything through again. It can be in one of these two states
  only: the later one counts. A restart changes neither.
- ``service_out``: a service does not answer, or says what ``how`` says (``offices.Failure``), whoever asks;
  ``service_blocked``: the box lets nothing through to it, as if the operator filtered it.
- ``rewire``: plugs the box ``to`` into the relay of the box it is done on.
- ``modem``: the card, the network, the cell or the subscription of the uplink's modem is another; what
  keeps it from data keeps the packets too.
- ``dish``: ``state`` other than ``well`` keeps the packets; ``obstructed_pct`` is only told.
- ``light``: what the box receives of it, as it tells; packets pass as before.
- ``mute``: the device says nothing of itself any more, and packets pass; ``lock``: it refuses its password.
- ``route``: the site's own router moves the site's traffic to this uplink.
- ``new_address``: taken at once, or at the next lease with ``later=True``.
"""
