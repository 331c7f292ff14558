"""How the deeds of a scenario are written, for each player, and reading them.

A deed may be repeated (``every`` and ``times``), and what hits an operator may name it in place of an uplink:
then it is done to every uplink of that operator. Both are written out here, so that players know neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hardware.virtual.scenario import Deed, Player, ScenarioUplink
from hardware.virtual.speaks import (
    AIR,
    DATA,
    DISH_STATES,
    DISHES,
    LIGHT,
    LOCKS,
    MODEMS,
    REGISTRATIONS,
    SIMS,
    SPEAKS,
)
from hardware.virtual.strict_table import Table, timed

MOST_TIMES = 10_000


@dataclass(frozen=True, slots=True)
class DeedForm:
    """How a deed is written: whether it needs ``on``, and its args with what each may be.

    ``speaks`` are the languages of which the device on that uplink must speak one; empty: it need not speak.
    Args whose name ends in ``_s`` may be written as a text with units, without that ending.
    """

    on: bool = True
    args: Mapping[str, Callable[[object], str | None]] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    speaks: tuple[str, ...] = ()


def _one_of(*allowed: str) -> Callable[[object], str | None]:
    return lambda value: None if value in allowed else f"allowed: {', '.join(allowed)}"


def _between(low: float, high: float) -> Callable[[object], str | None]:
    def check(value: object) -> str | None:
        well = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
        return None if well else f"allowed: a number from {low:g} to {high:g}"

    return check


def _text(value: object) -> str | None:
    return None if isinstance(value, str) and value else "allowed: a text"


def _flag(value: object) -> str | None:
    return None if isinstance(value, bool) else "allowed: true, false"


_SERVICE: Mapping[str, Callable[[object], str | None]] = {"service": _text}
_OFFICE = {**_SERVICE, "how": _one_of("silent", "refused", "status")}
_ALONE = DeedForm(on=False)
_PLAIN = DeedForm()
_TARGET = DeedForm(on=False, args={"target": _text}, required=("target",))
_EVERYWHERE: Mapping[str, DeedForm] = {
    "service_out": DeedForm(on=False, args=_OFFICE, required=("service",)),
    "service_back": DeedForm(on=False, args=_SERVICE, required=("service",)),
    **dict.fromkeys(("service_blocked", "service_passes"), DeedForm(args=_SERVICE, required=("service",))),
    "target_out": _TARGET,
    "target_back": _TARGET,
    **dict.fromkeys(("power_off", "power_on", "agent_kill", "agent_term", "agent_start"), _ALONE),
    **dict.fromkeys(("heal", "pull", "plug", "operator_out", "operator_back", "new_address"), _PLAIN),
    **dict.fromkeys(("line_cut", "line_back", "way_out_lost", "way_out_found"), _PLAIN),
    "route": _PLAIN,
    **dict.fromkeys(("unplug_interface", "replug_interface"), _PLAIN),
    "modem": DeedForm(
        args={
            "sim": _one_of(*SIMS),
            "registration": _one_of(*REGISTRATIONS),
            "signal": _one_of(*AIR),
            "band": _one_of("B1", "B3", "B7", "B8", "B20", "B28"),
            "operator": _text,
            "data": _one_of(*DATA),
            "month_gb": _between(0, 10_000),
        },
        speaks=MODEMS,
    ),
    "dish": DeedForm(
        args={"state": _one_of(*DISH_STATES), "obstructed_pct": _between(0, 100)}, speaks=DISHES
    ),
    "light": DeedForm(args={"rx_dbm": _between(-50, -3)}, required=("rx_dbm",), speaks=LIGHT),
    **dict.fromkeys(("mute", "unmute"), DeedForm(speaks=SPEAKS)),
    **dict.fromkeys(("lock", "unlock"), DeedForm(speaks=LOCKS)),
}
_BAY: Mapping[str, DeedForm] = {
    "hang": DeedForm(args={"mode": _one_of("forwarding", "lan", "frozen", "api")}, required=("mode",)),
    "quality": DeedForm(
        args={
            "loss": _between(0, 1),
            "delay_ms": _between(0, 10_000),
            "jitter_ms": _between(0, 10_000),
            "rate_kbit": _between(1, 10_000_000),
        }
    ),
    "portal": DeedForm(args={"pages": _one_of("redirect", "login"), "pings": _flag}),
    "dns_out": DeedForm(args={"mode": _one_of("silent", "servfail", "nxdomain"), "box_only": _flag}),
    "rewire": DeedForm(args={"to": _text}, required=("to",)),
    **dict.fromkeys(("portal_end", "dns_back", "weld", "unweld"), _PLAIN),
}
_CORE: Mapping[str, DeedForm] = {
    "hang": DeedForm(
        args={
            "mode": _one_of("forwarding", "lan", "frozen", "api", "terminal"),
            "outlives": _between(0, 100),
            "becomes": _one_of("well", "portal"),
        },
        required=("mode",),
    ),
    "quality": DeedForm(args={"loss": _between(0, 1), "delay_ms": _between(0, 10_000)}),
    "portal": DeedForm(args={"pings": _flag}),
    "dns_out": DeedForm(args={"mode": _one_of("silent", "servfail", "nxdomain")}),
    "sending_fails": DeedForm(
        args={"why": _one_of("forbidden", "no_address", "no_route", "socket_error")}, required=("why",)
    ),
    "machine_on": DeedForm(on=False, args={"boots_in_s": _between(1, 3600)}),
    "router": DeedForm(
        on=False,
        args={
            "works": _flag,
            "spreads": _flag,
            "switches_after_s": _between(0.5, 1e9),
            "returns_after_s": _between(0.5, 1e9),
        },
    ),
    "new_public": DeedForm(args={"address": _text}, required=("address",)),
    "shared": _PLAIN,
    **dict.fromkeys(("site_unplug", "site_plug"), _ALONE),
    "hold": DeedForm(on=False, args={"for_s": _between(1, 604_800)}, required=("for_s",)),
    **dict.fromkeys(("portal_end", "dns_back", "sending_works", "box_off", "box_on"), _PLAIN),
    **dict.fromkeys(("switch_dead", "switch_back", "pull_all", "plug_all", "machine_off"), _ALONE),
    **dict.fromkeys(("relays_refuse", "relays_obey", "disk_full", "disk_free"), _ALONE),
}
FORMS: Mapping[Player, Mapping[str, DeedForm]] = {
    Player.BAY: {**_BAY, **_EVERYWHERE},
    Player.CORE: {**_CORE, **_EVERYWHERE},
}
"""Every deed that each player knows. Those that begin with ``agent_`` are done to the agent."""

OF_OPERATORS = ("operator_out", "operator_back")


def read_deeds(
    table: Table, player: Player, uplinks: Sequence[ScenarioUplink], duration_s: float
) -> Iterator[Deed]:
    """The deeds that one ``[[do]]`` stands for; faults are noted in the table."""
    forms = FORMS[player]
    table.only(
        ("what", "on", "args", "name", "after_event", "say", "times", *timed("at", "every")),
    )
    what = table.text("what", allowed=tuple(forms))
    form = forms.get(what)
    deed = Deed(
        what=what,
        at_s=table.seconds("at", None, 0, duration_s),
        args={} if form is None else _args(table, form),
        name=table.maybe_text("name"),
        after_event=table.maybe_text("after_event"),
        say=table.words("say", required=False),
    )
    again = _repeated(table, deed, duration_s)
    if form is None or not form.on:
        if form is not None and "on" in table:
            table.fault("on", f"{what} is not done on an uplink")
        yield from again
        return
    names = [uplink.name for uplink in uplinks]
    operators = {uplink.operator for uplink in uplinks} if what in OF_OPERATORS else set()
    on = table.text("on", allowed=[*names, *sorted(operators.difference(names))])
    if deed.args.get("mode") == "terminal" and not any(one.name == on and one.terminal for one in uplinks):
        table.fault("args.mode", "'terminal' is not allowed; this uplink has none")
    speaks = next((uplink.speaks for uplink in uplinks if uplink.name == on), None)
    if form.speaks and on in names and speaks not in form.speaks:
        table.fault("on", f"{what} needs one of these to speak for {on}: {', '.join(form.speaks)}")
    hit = [uplink.name for uplink in uplinks if on == uplink.operator and what in OF_OPERATORS] or [on]
    for deed in again:
        for place, name in enumerate(hit):
            yield replace(deed, on=name) if place == 0 else replace(deed, on=name, name=None, say={})


def _args(table: Table, form: DeedForm) -> Mapping[str, str | int | float | bool]:
    """The deed's args, lengths of time in seconds."""
    given = Table(table.plain("args"), f"{table.path}.args", table.problems)
    lengths = [key.removesuffix("_s") for key in form.args if key.endswith("_s")]
    given.only((*form.args, *lengths))
    args = {key: value for key, value in table.plain("args").items() if key in form.args}
    for key in lengths:
        if key in given:
            args[f"{key}_s"] = given.seconds(key, 0.0, 0.0, 1e9)
    for key in (key for key in form.required if key not in args):
        given.fault(key, f"missing; {form.args[key](None)}")
    for key, value in args.items():
        if (complaint := form.args[key](value)) is not None:
            given.fault(key, f"{value!r} is not allowed; {complaint}")
    return args


def _repeated(table: Table, deed: Deed, duration_s: float) -> list[Deed]:
    """The deed as often as it is to be done; only the first carries its name and its words."""
    every_s = table.maybe_seconds("every", 0.1, duration_s)
    if (every_s is None) is ("times" in table):
        table.fault("every", "every and times are given together or not at all")
    if every_s is None:
        return [deed]
    times = int(table.number("times", 1, 2, MOST_TIMES))
    return [
        deed if n == 0 else replace(deed, at_s=deed.at_s + n * every_s, name=None, say={})
        for n in range(times)
    ]
