"""Everything that can be done to a bay, by name, with what it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hardware.virtual.box import Cable
from hardware.virtual.box_state import Hang

if TYPE_CHECKING:
    from hardware.virtual.bay import Bay

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


def _forward(value: str) -> Callable[[Bay, str, Mapping[str, Any]], None]:
    return lambda bay, on, _args: bay.operators[on].sysctl("ipv4/ip_forward", value)


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


DEEDS: Mapping[str, DeedForm] = {
    "hang": DeedForm(_hang, required=("mode",)),
    "heal": DeedForm(lambda bay, on, _: bay.boxes[on].heal()),
    "pull": DeedForm(_cable(Cable.PULLED)),
    "plug": DeedForm(_cable(Cable.PLUGGED)),
    "operator_out": DeedForm(_forward("0")),
    "operator_back": DeedForm(_forward("1")),
    "line_cut": DeedForm(lambda bay, on, _: bay.lines[on].cut()),
    "line_back": DeedForm(lambda bay, on, _: bay.lines[on].heal()),
    "way_out_lost": DeedForm(lambda bay, on, _: bay.boxes[on].lose_way_out()),
    "way_out_found": DeedForm(lambda bay, on, _: bay.boxes[on].find_way_out()),
    "quality": DeedForm(_quality, optional=_QUALITIES),
    "target_out": DeedForm(_target(answers=False), on=False, required=("target",)),
    "target_back": DeedForm(_target(answers=True), on=False, required=("target",)),
    "power_off": DeedForm(_mains(present=False), on=False),
    "power_on": DeedForm(_mains(present=True), on=False),
    "unplug_interface": DeedForm(lambda bay, on, _: bay.unplug_interface(on)),
    "replug_interface": DeedForm(lambda bay, on, _: bay.replug_interface(on)),
    "new_address": DeedForm(_new_address, optional=("later",)),
}
"""``new_address`` is taken at once, or at the next lease with ``later=True``."""
