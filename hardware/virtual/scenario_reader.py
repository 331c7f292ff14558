"""Reading scenario files, strictly: a bad file is answered with all its errors, each with what is allowed."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hardware.virtual.scenario import Aspect, Condition, Deed, Scenario, ScenarioUplink
from hardware.virtual.strict_table import Table

FOLDER = Path(__file__).parent / "scenarios"
DEFAULT = "box_hung"


class ScenarioError(ValueError):
    """The file cannot be played; ``problems`` names each fault with its path and what is allowed."""

    def __init__(self, source: str, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{source}: {problem}" for problem in problems))


@dataclass(frozen=True, slots=True)
class _DeedForm:
    """How a deed is written: whether it needs ``on``, and its args with what each may be."""

    on: bool = True
    args: Mapping[str, Callable[[object], str | None]] = field(default_factory=dict)
    required: tuple[str, ...] = ()


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


_TARGET = _DeedForm(on=False, args={"target": _text}, required=("target",))
_QUALITY = _DeedForm(
    args={
        "loss": _between(0, 1),
        "delay_ms": _between(0, 10_000),
        "jitter_ms": _between(0, 10_000),
        "rate_kbit": _between(1, 10_000_000),
    }
)
_ALONE = _DeedForm(on=False)
DEEDS: Mapping[str, _DeedForm] = {
    "hang": _DeedForm(args={"mode": _one_of("forwarding", "lan", "frozen")}, required=("mode",)),
    "quality": _QUALITY,
    "portal": _DeedForm(args={"pages": _one_of("redirect", "login"), "pings": _flag}),
    "dns_out": _DeedForm(args={"mode": _one_of("silent", "servfail", "nxdomain"), "box_only": _flag}),
    "target_out": _TARGET,
    "target_back": _TARGET,
    **dict.fromkeys(("power_off", "power_on", "agent_kill", "agent_term", "agent_start"), _ALONE),
    **dict.fromkeys(("heal", "pull", "plug", "operator_out", "operator_back", "new_address"), _DeedForm()),
    **dict.fromkeys(("portal_end", "dns_back", "way_out_lost", "way_out_found"), _DeedForm()),
    **dict.fromkeys(("line_cut", "line_back", "unplug_interface", "replug_interface"), _DeedForm()),
}
"""Every deed. Those that begin with ``agent_`` are done to the agent, all others to the bay."""

KINDS = ("ftth", "starlink", "cellular", "other")
_WINDOW = ("after", "from_s", "by_s")
_ASPECT_KEYS: Mapping[Aspect, tuple[str, ...]] = {
    Aspect.EVENT: ("subject", "args", "count", *_WINDOW),
    Aspect.FINDING: ("subject", "at_s", *_WINDOW),
    Aspect.HEALTH: ("uplink", "at_s", *_WINDOW),
    Aspect.ORDER: ("subject",),
    Aspect.CUTS: ("box",),
    Aspect.CUTS_AT_MOST: ("box",),
    Aspect.LONGEST_CUT_S: ("box",),
    Aspect.POWERED: ("box",),
    Aspect.CUTS_OVERLAP: (),
}
_NEVER = (Aspect.EVENT, Aspect.FINDING, Aspect.HEALTH, Aspect.CUTS_OVERLAP)
_EXPECT = tuple(aspect for aspect in Aspect if aspect is not Aspect.CUTS_OVERLAP)


def parse(text: str, name: str) -> Scenario:
    """Read a scenario from TOML text; ``name`` is its name, and the file's name in messages.

    Raises:
        ScenarioError: with every fault of the file.
    """
    problems: list[str] = []
    try:
        top = Table(tomllib.loads(text), "", problems)
    except tomllib.TOMLDecodeError as fault:
        raise ScenarioError(f"{name}.toml", [f"not TOML: {fault}"]) from fault
    top.only(("title", "text", "duration_s", "seed", "uplink", "do", "expect", "never"))
    uplinks = tuple(_uplink(table, number) for number, table in enumerate(top.tables("uplink")))
    names = [uplink.name for uplink in uplinks]
    if len(uplinks) < 1 or len(set(names)) < len(names):
        top.fault("uplink", "at least one is needed, each with a name of its own")
    duration_s = top.number("duration_s", None, 1, 3600)
    deeds = tuple(_deed(table, names, duration_s) for table in top.tables("do"))
    deed_names = [deed.name for deed in deeds if deed.name]
    scenario = Scenario(
        name=name,
        title=top.words("title", required=True),
        text=top.words("text", required=True),
        duration_s=duration_s,
        uplinks=uplinks,
        deeds=deeds,
        expects=tuple(_condition(table, _EXPECT, names, deed_names) for table in top.tables("expect")),
        nevers=tuple(_condition(table, _NEVER, names, deed_names) for table in top.tables("never")),
        seed=int(top.number("seed", 0, 0, 2**31)),
    )
    if problems:
        raise ScenarioError(f"{name}.toml", problems)
    return scenario


def read(path: Path) -> Scenario:
    """Read a scenario file.

    Raises:
        ScenarioError: unreadable or faulty, with every fault.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise ScenarioError(str(path), [f"cannot be read: {fault}"]) from fault
    return parse(text, path.stem)


def names() -> tuple[str, ...]:
    """The scenarios that come with the bay, the default one first."""
    found = sorted(path.stem for path in FOLDER.glob("*.toml"))
    return tuple(sorted(found, key=lambda name: name != DEFAULT))


def find(name: str) -> Scenario:
    """A scenario by its name, or by the path of a file that ends in ``.toml``.

    Raises:
        ScenarioError: no such scenario, or a faulty file.
    """
    if name.endswith(".toml"):
        return read(Path(name))
    if name in names():
        return read(FOLDER / f"{name}.toml")
    near = difflib.get_close_matches(name, names(), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ScenarioError(name, [f"no such scenario; there are: {', '.join(names())}{hint}"])


def _uplink(table: Table, number: int) -> ScenarioUplink:
    usual = ScenarioUplink("", "", "", "", "")
    table.only([*ScenarioUplink.__dataclass_fields__])
    name = table.text("name")
    return ScenarioUplink(
        name=name,
        label=table.text("label", name),
        kind=table.text("kind", "ftth", KINDS),
        interface=table.text("interface", f"wan{number}"),
        operator=table.text("operator", f"op-{name}"),
        wired=table.flag("wired", default=True),
        boot_s=table.number("boot_s", usual.boot_s, 5, 900),
        confirm_s=table.number("confirm_s", usual.confirm_s, 2, 3600),
        off_s=table.number("off_s", usual.off_s, 3, 100),
        interval_s=table.number("interval_s", usual.interval_s, 0.2, 60),
        loss=table.number("loss", usual.loss, 0, 1),
        delay_ms=table.number("delay_ms", usual.delay_ms, 0, 10_000),
        jitter_ms=table.number("jitter_ms", usual.jitter_ms, 0, 10_000),
        rate_kbit=table.maybe_number("rate_kbit", 1, 10_000_000),
    )


def _deed(table: Table, uplinks: Collection[str], duration_s: float) -> Deed:
    table.only(("what", "at_s", "on", "args", "name", "after_event", "say"))
    what = table.text("what", allowed=tuple(DEEDS))
    args = table.plain("args")
    form = DEEDS.get(what)
    if form is not None:
        arguments = Table(args, f"{table.path}.args", table.problems)
        arguments.only(tuple(form.args))
        for key in (key for key in form.required if key not in args):
            arguments.fault(key, f"missing; {form.args[key](None)}")
        for key, value in args.items():
            if key in form.args and (complaint := form.args[key](value)) is not None:
                arguments.fault(key, f"{value!r} is not allowed; {complaint}")
        if not form.on and "on" in table:
            table.fault("on", f"{what} is not done on an uplink")
    return Deed(
        what=what,
        at_s=table.number("at_s", None, 0, duration_s),
        on=table.text("on", allowed=uplinks) if form is not None and form.on else None,
        args=args,
        name=table.maybe_text("name"),
        after_event=table.maybe_text("after_event"),
        say=table.words("say", required=False),
    )


def _condition(
    table: Table, aspects: Collection[Aspect], uplinks: Collection[str], deeds: Collection[str]
) -> Condition:
    chosen = [aspect for aspect in aspects if aspect.value in table]
    if len(chosen) != 1:
        table.fault("", f"exactly one of these keys is needed: {', '.join(aspects)}")
        return Condition(Aspect.EVENT)
    aspect = chosen[0]
    table.only((aspect.value, *_ASPECT_KEYS[aspect]))
    codes: tuple[str, ...] = ()
    if aspect is Aspect.ORDER:
        codes = table.texts("order")
    elif aspect in (Aspect.EVENT, Aspect.FINDING, Aspect.HEALTH):
        codes = (table.text(aspect.value),)
    number = None
    if aspect in (Aspect.CUTS, Aspect.CUTS_AT_MOST):
        number = int(table.number(aspect.value, None, 0, 1000))
    elif "count" in table:
        number = int(table.number("count", None, 0, 1000))
    subject = table.maybe_text("subject")
    for key in ("uplink", "box"):
        if key in _ASPECT_KEYS[aspect]:
            subject = table.text(key, allowed=uplinks)
    return Condition(
        aspect=aspect,
        codes=codes,
        subject=subject,
        args=table.plain("args"),
        number=number,
        most_s=table.number(aspect.value, None, 0, 1000) if aspect is Aspect.LONGEST_CUT_S else 0.0,
        powered=table.flag(aspect.value, default=True) if aspect is Aspect.POWERED else True,
        after=table.maybe_text("after", deeds),
        from_s=table.maybe_number("from_s", 0, 3600),
        by_s=table.maybe_number("by_s", 0, 3600),
        at_s=table.maybe_number("at_s", 0, 3600),
    )
