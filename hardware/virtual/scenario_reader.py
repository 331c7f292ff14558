"""Reading scenario files, strictly: a bad file is answered with all its errors, each with what is allowed."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from hardware.virtual.scenario import (
    NOBODY,
    Player,
    Scenario,
    ScenarioPower,
    ScenarioRouter,
    ScenarioService,
    ScenarioUplink,
)
from hardware.virtual.scenario_conditions import EXPECT, NEVER, read_condition
from hardware.virtual.scenario_deeds import read_deeds
from hardware.virtual.speaks import MODEMS, REBOOTS, SPEAKS, SPOKEN_ON
from hardware.virtual.strict_table import Table, timed
from hardware.virtual.world import SERVICES

FOLDER = Path(__file__).parent / "scenarios"
FOLDERS: Mapping[Player, Path] = {Player.BAY: FOLDER, Player.CORE: FOLDER / "core"}
"""Those of the core have a folder of their own: they last hours, and are no shows to choose from."""
DEFAULT = "box_hung"
LONGEST_S: Mapping[Player, float] = {Player.BAY: 3600.0, Player.CORE: 604_800.0}
KINDS = ("ftth", "starlink", "cellular", "other")


class ScenarioError(ValueError):
    """The file cannot be played; ``problems`` names each fault with its path and what is allowed."""

    def __init__(self, source: str, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{source}: {problem}" for problem in problems))


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
    top.only(("plays", "title", "text", "known", "seed", "starts", *timed("duration"), *_TABLES))
    player = Player(top.text("plays", Player.BAY, tuple(Player)))
    longest_s = LONGEST_S[player]
    uplinks = tuple(_uplink(table, number, player) for number, table in enumerate(top.tables("uplink")))
    names = [uplink.name for uplink in uplinks]
    boxes = [box for uplink in uplinks for box in uplink.boxes]
    if len(uplinks) < 1 or len(set(boxes)) < len(boxes):
        top.fault("uplink", "at least one is needed, each with a name of its own")
    for number, uplink in enumerate(uplinks, start=1):
        if uplink.relay_cuts not in (None, NOBODY, *names):
            allowed = ", ".join([*names, NOBODY])
            top.fault(f"uplink[{number}].relay_cuts", f"{uplink.relay_cuts!r}: allowed: {allowed}")
    duration_s = top.seconds("duration", None, 1, longest_s)
    deeds = tuple(
        deed for table in top.tables("do") for deed in read_deeds(table, player, uplinks, duration_s)
    )
    services = _services(top)
    known = [one.name for one in services]
    for deed in deeds:
        if (asked := deed.args.get("service")) is not None and asked not in known:
            told = f"{deed.what}: service {asked!r} is not allowed; allowed: {', '.join(known) or 'none'}"
            top.fault("do", told)
    deed_names = [deed.name for deed in deeds if deed.name]
    scenario = Scenario(
        name=name,
        title=top.words("title", required=True),
        text=top.words("text", required=True),
        duration_s=duration_s,
        uplinks=uplinks,
        deeds=deeds,
        expects=tuple(
            read_condition(table, EXPECT, names, boxes, deed_names, longest_s)
            for table in top.tables("expect")
        ),
        nevers=tuple(
            read_condition(table, NEVER, names, boxes, deed_names, longest_s) for table in top.tables("never")
        ),
        seed=int(top.number("seed", 0, 0, 2**31)),
        plays=player,
        known=top.text("known", ""),
        power=_power(top, player),
        services=services,
        router=_router(top, player) if "router" in top else None,
        starts_s=_time_of_day(top, "starts", top.text("starts", "09:00")),
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


def names(player: Player = Player.BAY) -> tuple[str, ...]:
    """The scenarios that come with the bay, the default one first."""
    found = sorted(path.stem for path in FOLDERS[player].glob("*.toml"))
    return tuple(sorted(found, key=lambda name: name != DEFAULT))


def find(name: str) -> Scenario:
    """A scenario by its name, or by the path of a file that ends in ``.toml``.

    Raises:
        ScenarioError: no such scenario, or a faulty file.
    """
    if name.endswith(".toml"):
        return read(Path(name))
    for player, folder in FOLDERS.items():
        if name in names(player):
            return read(folder / f"{name}.toml")
    near = difflib.get_close_matches(name, [*names(), *names(Player.CORE)], n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ScenarioError(name, [f"no such scenario; there are: {', '.join(names())}{hint}"])


_TABLES = ("power", "router", "uplink", "service", "do", "expect", "never")
_FOR_THE_CORE = (
    *("texts", "first_hop", "relay_cuts", "terminal", "data_mb", "data_used_mb"),
    *timed("boots_in"),
)
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


def _uplink(table: Table, number: int, player: Player) -> ScenarioUplink:
    usual = ScenarioUplink("", "", "", "", "")
    lengths = timed("boot", "confirm", "off", "interval", "boots_in")
    table.only(dict.fromkeys((*ScenarioUplink.__dataclass_fields__, *lengths)))
    if player is Player.BAY:
        _refuse(table, _FOR_THE_CORE)
    name = table.text("name")
    kind = table.text("kind", "ftth", KINDS)
    speaks = _speaks(table, kind)
    boot_s, confirm_s, off_s, interval_s = usual.boot_s, usual.confirm_s, usual.off_s, usual.interval_s
    if player is Player.CORE:
        # What the configuration says when it says nothing; in the bay nobody would wait so long.
        boot_s, off_s, interval_s = 120.0, 10.0, 10.0 if kind == "cellular" else 1.0
    boot_s = table.seconds("boot", boot_s, 5, 900)
    if player is Player.CORE:
        confirm_s = boot_s
    return ScenarioUplink(
        name=name,
        label=table.text("label", name),
        kind=kind,
        interface=table.text("interface", f"wan{number}"),
        operator=table.text("operator", f"op-{name}"),
        wired=table.flag("wired", default=True),
        boot_s=boot_s,
        confirm_s=table.seconds("confirm", confirm_s, 2, 3600),
        off_s=table.seconds("off", off_s, 3, 100),
        interval_s=table.seconds("interval", interval_s, 0.2, 60),
        loss=table.number("loss", usual.loss, 0, 1),
        delay_ms=table.number("delay_ms", usual.delay_ms, 0, 10_000),
        jitter_ms=table.number("jitter_ms", usual.jitter_ms, 0, 10_000),
        rate_kbit=table.maybe_number("rate_kbit", 1, 10_000_000),
        speaks=speaks,
        soft=table.flag("soft", default=speaks in REBOOTS),
        data_gb=table.maybe_number("data_gb", 0.1, 10_000),
        bands=table.list_of_texts("bands"),
        boots_in_s=table.maybe_seconds("boots_in", 1, 3600),
        texts=table.flag("texts", default=False),
        first_hop=table.flag("first_hop", default=False),
        relay_cuts=table.maybe_text("relay_cuts"),
        terminal=table.maybe_text("terminal"),
        data_mb=None if (data_mb := table.maybe_number("data_mb", 5, 100_000)) is None else int(data_mb),
        data_used_mb=table.number("data_used_mb", 0.0, 0, 100_000),
    )


def _services(top: Table) -> tuple[ScenarioService, ...]:
    """``[[service]]``: by a name that the bay's internet knows, and what people call it."""
    found = []
    for table in top.tables("service"):
        table.only(("name", "label"))
        name = table.text("name", allowed=tuple(SERVICES))
        found.append(ScenarioService(name, table.text("label", name)))
    return tuple(found)


def _speaks(table: Table, kind: str) -> str | None:
    """The language of the uplink's device, and whether what is said of it can be."""
    speaks = table.maybe_text("speaks", SPEAKS)
    if speaks is not None and kind not in SPOKEN_ON.get(speaks, (kind,)):
        table.fault("speaks", f"{speaks!r} is not found on {kind}, but on {', '.join(SPOKEN_ON[speaks])}")
    if speaks not in REBOOTS and table.flag("soft", default=False):
        table.fault("soft", f"true is not allowed without one of these to speak: {', '.join(REBOOTS)}")
    for key in (key for key in ("data_gb", "bands") if speaks not in MODEMS and key in table):
        table.fault(key, f"only with one of these to speak: {', '.join(MODEMS)}")
    return speaks


def _refuse(table: Table, keys: tuple[str, ...]) -> None:
    for key in (key for key in keys if key in table):
        table.fault(key, f'only where plays = "{Player.CORE}"')


def _power(top: Table, player: Player) -> ScenarioPower:
    table = top.table("power")
    if player is Player.BAY:
        _refuse(top, ("power", "starts"))
    table.only(("armed", "per_incident", "per_day", "spacing_s", "maintenance", *timed("after_power")))
    per_incident = table.maybe_number("per_incident", 1, 2)
    per_day = table.maybe_number("per_day", 1, 3)
    return ScenarioPower(
        armed=table.flag("armed", default=True),
        per_incident=None if per_incident is None else int(per_incident),
        per_day=None if per_day is None else int(per_day),
        spacing_s=table.numbers("spacing_s", 1, 86_400) or None,
        after_power_s=table.maybe_seconds("after_power", 0, 3600),
        maintenance=_windows(table),
    )


def _router(top: Table, player: Player) -> ScenarioRouter:
    table = top.table("router")
    table.only(("by_hand", *timed("expect", "switches_after", "returns_after")))
    if player is Player.BAY:
        _refuse(table, timed("switches_after", "returns_after"))
    return ScenarioRouter(
        expect_s=table.seconds("expect", 60.0, 5, 3600),
        by_hand=table.text("by_hand", ""),
        switches_after_s=table.maybe_seconds("switches_after", 0.5, 86_400),
        returns_after_s=table.maybe_seconds("returns_after", 0.5, 86_400),
    )


def _windows(table: Table) -> tuple[tuple[float, float], ...]:
    """``maintenance = "00:00-06:00"``: the hours of the night in which operators work on their lines."""
    text = table.maybe_text("maintenance")
    if text is None:
        return ()
    begin, dash, end = text.partition("-")
    if not dash:
        table.fault("maintenance", f"{text!r} is not allowed; allowed: two times such as 00:00-06:00")
        return ()
    return ((_time_of_day(table, "maintenance", begin), _time_of_day(table, "maintenance", end)),)


def _time_of_day(table: Table, key: str, text: str) -> float:
    """Seconds after midnight."""
    found = _TIME_OF_DAY.fullmatch(text)
    if found is None:
        table.fault(key, f"{text!r} is not allowed; allowed: a time of the day such as 02:30")
        return 0.0
    return 3600.0 * int(found[1]) + 60.0 * int(found[2])
