"""What modems, dishes and boxes say of themselves, as the terminal tells it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from rich.console import Console

from agent.cli.control_client import as_snapshot
from agent.cli.devices import device_lines, device_text, is_troubled
from agent.cli.terminal import panel, print_status
from agent.cli.view import Line, View
from agent.core.codes import Code
from agent.core.devices import DeviceKind, Radio, Registration, Says, Sim, Strength
from agent.core.snapshot_types import DeviceView, Snapshot
from agent.text import LANGUAGES

Build = Callable[..., Any]
NBSP = "\u00a0"
STICK = Says(
    "cellular",
    heard=True,
    wan_up=True,
    sim=Sim.READY,
    registration=Registration.HOME,
    refused=False,
    radio=Radio("4G", "B20", 5, rsrp_dbm=-107.6, sinr_db=2.4),
    operator="Orange F",
    shared=True,
    month_bytes=12_400_000_000,
)
MODEM = DeviceView(
    "stick",
    "4G",
    "cellular",
    DeviceKind.MODEM,
    990.0,
    True,
    990.0,
    STICK,
    Strength.POOR,
    None,
    50_000_000_000,
)
ONT = Says("ftth", heard=True, line_up=True, wan_up=True, rx_dbm=-21.34)
BOX = DeviceView("ont", "Box fibre", "ftth", DeviceKind.BOX, 990.0, True, 990.0, ONT)
DISH = replace(BOX, label="Parabole", kind=DeviceKind.DISH)


def said(view: DeviceView, language: str = "fr", **changes: Any) -> str:
    """The text for a device, at the instant 1000, where it says something else."""
    assert view.says is not None
    return device_text(SHOT, replace(view, says=replace(view.says, **changes)), language)


SHOT = Snapshot(
    1, 1000.0, 1.7e9, True, "garage", "Garage", True, None, None, None, None, Code.ALL_WELL, (), (), (),
    (MODEM, BOX),
)  # fmt: skip


def test_a_modem_in_one_line() -> None:
    """Signal as bars and word, figures, band, operator, network, the month, and whether it can be called."""
    assert said(MODEM) == (
        "4G  ▂___  faible  -108 dBm  SINR 2  B20  Orange F  4G  12,4/50 Go  adresse partagée"
    )
    assert said(MODEM, "en") == (
        "4G  ▂___  poor  -108 dBm  SINR 2  B20  Orange F  4G  12.4/50 GB  shared address"
    )


def test_each_strength_has_its_bars() -> None:
    """Four for excellent, none for unusable, nothing at all when it is not known."""
    bars = [said(replace(MODEM, strength=strength)).split("  ")[1] for strength in Strength]
    assert bars == ["▂▄▆█", "▂▄▆_", "▂▄__", "▂___", "____"]
    assert said(replace(MODEM, strength=None)).split("  ")[1] == "-108 dBm"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sim": Sim.MISSING}, "pas de carte SIM"),
        ({"registration": Registration.ROAMING}, "en itinérance"),
        ({"registration": Registration.DENIED}, "refusé par le réseau"),
        ({"refused": True, "wan_up": False}, "connexion refusée par l’opérateur"),
        ({"wan_up": False}, "pas connecté"),
        ({"radio": Radio("3G", rssi_dbm=-85.0)}, "-85 dBm"),
        ({"radio": Radio("5G NSA", "B3", rsrp_dbm=-90.0, nr_band="n78")}, "B3+n78"),
        ({"limit_bytes": 1}, "12,4/50 Go"),
    ],
)
def test_what_is_wrong_with_a_modem_is_in_its_line(changes: dict[str, Any], told: str) -> None:
    """In words, and no second time in other words."""
    parts = said(MODEM, **changes).split("  ")
    assert parts.count(told) == 1
    assert "pas connecté" not in parts or told == "pas connecté"


def test_a_trend_is_told_from_a_whole_decibel_on() -> None:
    """Weaker or stronger than the days before."""
    assert "  baisse de 7 dB  " in said(replace(MODEM, trend_db=-7.4))
    assert "  hausse de 2 dB  " in said(replace(MODEM, trend_db=1.8))
    assert "baisse" not in said(replace(MODEM, trend_db=-0.4))


def test_a_month_without_a_limit_is_told_alone() -> None:
    """No invented limit."""
    assert "  12,4 Go  " in said(replace(MODEM, limit_bytes=None))


@pytest.mark.parametrize(
    ("view", "changes", "told"),
    [
        (BOX, {}, "Box fibre  lumière -21,3 dBm"),
        (BOX, {"cause": "no_light", "line_up": False}, "Box fibre  plus de lumière dans la fibre  lumière"),
        (BOX, {"cause": "brand_new", "rx_dbm": None}, "Box fibre  brand_new"),
        (BOX, {"line_up": False, "rx_dbm": None}, "Box fibre  ligne coupée"),
        (BOX, {"wan_up": False, "rx_dbm": None}, "Box fibre  pas connecté"),
        (BOX, {"rx_dbm": None}, "Box fibre  connecté"),
        (BOX, {"rx_dbm": None, "wan_up": None}, "Box fibre  répond, mais ne dit rien de lui-même"),
        (BOX, {"documented": True}, "Box fibre  lumière -21,3 dBm  (d’après documentation)"),
        (DISH, {"rx_dbm": None, "obstructed_pct": 3.46}, f"Parabole  vue gênée 3,5{NBSP}%"),
        (DISH, {"rx_dbm": None, "obstructed_pct": 0.02}, "Parabole  vue dégagée"),
        (
            BOX,
            {"rx_dbm": None, "wan_up": None, "line_up": None, "locked": True, "why": "401"},
            f"Box fibre  refuse le mot de passe{NBSP}: 401",
        ),
    ],
)
def test_a_box_or_dish_in_one_line(view: DeviceView, changes: dict[str, Any], told: str) -> None:
    """Light, view, its own cause in words, and what it rests on."""
    assert said(view, **changes).startswith(told)


NEVER = replace(MODEM, at=None, heard=False, heard_at=None, says=None, strength=None, limit_bytes=None)
SILENT = Says("cellular", heard=False, why="no answer for 3 s")


@pytest.mark.parametrize(
    ("view", "fr", "en"),
    [
        (NEVER, "4G  pas encore interrogé", "4G  not asked yet"),
        (
            replace(NEVER, at=700.0, heard_at=700.0),
            "4G  plus interrogé depuis 5 min",
            "4G  not asked any more for 5 min",
        ),
        (
            replace(NEVER, at=990.0, heard_at=700.0, says=SILENT),
            f"4G  ne répond pas, dernière réponse il y a 5 min{NBSP}: no answer for 3 s",
            "4G  does not answer, last answer 5 min ago: no answer for 3 s",
        ),
        (
            replace(NEVER, at=990.0, says=SILENT),
            f"4G  n’a pas encore répondu{NBSP}: no answer for 3 s",
            "4G  has not answered yet: no answer for 3 s",
        ),
        (
            replace(NEVER, at=990.0, heard_at=700.0, says=replace(STICK, heard=False)),
            "4G  ne répond pas, dernière réponse il y a 5 min",
            "4G  does not answer, last answer 5 min ago",
        ),
    ],
    ids=["never asked", "long ago", "silent", "never heard", "figures of a silent one"],
)
def test_a_device_that_is_not_heard_says_why_and_since_when(view: DeviceView, fr: str, en: str) -> None:
    """And no figure of before."""
    assert (device_text(SHOT, view, "fr"), device_text(SHOT, view, "en")) == (fr, en)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize(
    "view", [MODEM, BOX, replace(NEVER, at=990.0, says=SILENT), replace(BOX, label="B" * 50)]
)
def test_lines_fit_and_lose_nothing(view: DeviceView, width: int, language: str) -> None:
    """Broken between two things that are said, or between words where one is too long; never cut."""
    lines = device_lines(SHOT, view, language, width)
    assert max(map(len, lines)) <= width
    whole = device_text(SHOT, view, language)
    assert "".join("".join(lines).split()) == "".join(whole.split())
    if view is MODEM:
        parts = {part for line in lines for part in line.strip().split("  ")}
        assert parts == set(whole.split("  "))


@pytest.mark.parametrize(
    ("view", "troubled"),
    [
        (replace(MODEM, strength=Strength.FAIR), False),
        (MODEM, True),
        (replace(MODEM, strength=None, says=replace(STICK, sim=Sim.PIN)), True),
        (replace(MODEM, strength=None, says=replace(STICK, registration=Registration.ROAMING)), True),
        (replace(MODEM, strength=None, says=replace(STICK, refused=True)), True),
        (BOX, False),
        (replace(BOX, says=replace(ONT, cause="no_light")), True),
        (replace(BOX, says=replace(ONT, line_up=False)), True),
        (replace(BOX, says=replace(ONT, locked=True)), True),
        (NEVER, False),
        (replace(NEVER, at=700.0), True),
    ],
)
def test_trouble_has_a_colour(view: DeviceView, troubled: bool) -> None:
    """What is not as it should be stands out; what is not known yet does not."""
    assert is_troubled(view) is troubled


# --- the views ----------------------------------------------------------------------------------------------


def test_a_status_has_a_line_for_each_device(example_snapshot: Build) -> None:
    """Into a pipe in one line each, however long."""
    stream = io.StringIO()
    long = replace(MODEM, says=replace(STICK, operator="O" * 60))
    print_status(example_snapshot(devices=(long, BOX)), "fr", stream)
    assert stream.getvalue().splitlines()[-3:] == [
        f"4G  ▂___  faible  -108 dBm  SINR 2  B20  {'O' * 60}  4G  12,4/50 Go  adresse partagée",
        "Box fibre  lumière -21,3 dBm",
        "Rien à signaler",
    ]


class Terminal(io.StringIO):
    """A stream that says that it is one."""

    def isatty(self) -> bool:
        """It is."""
        return True


NARROW = ["4G  ▂___  faible  -108 dBm  SINR 2  B20", "  Orange F  4G  12,4/50 Go", "  adresse partagée"]
WIDE = ["4G  ▂___  faible  -108 dBm  SINR 2  B20  Orange F  4G  12,4/50 Go", "  adresse partagée"]


@pytest.mark.parametrize(("width", "lines"), [(40, NARROW), (80, WIDE)])
def test_a_status_on_a_terminal_keeps_to_its_width(
    example_snapshot: Build, width: int, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lines of a device are broken between two things that are said."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    print_status(example_snapshot(devices=(MODEM, BOX)), "fr", stream)
    rows = [re.sub(r"\x1b\[[\d;]*m", "", row).rstrip() for row in stream.getvalue().splitlines()]
    assert max(map(len, rows)) <= width
    assert rows[-len(lines) - 2 : -1] == [*lines, "Box fibre  lumière -21,3 dBm"]


def drawn(shot: Snapshot, width: int, height: int) -> list[str]:
    lines = tuple(Line(1.7e9, float(number), f"event {number}") for number in range(50))
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    with console.capture() as capture:
        console.print(panel(View(shot, lines, "fr", 0.0, 0.0, width, height)))
    return capture.get().splitlines()


@pytest.mark.parametrize("size", [(40, 24), (80, 24), (80, 40), (120, 40)])
def test_the_live_view_has_a_line_for_each_device(example_snapshot: Build, size: tuple[int, int]) -> None:
    """Also in the smallest usual terminal, where it is cut and the timeline keeps a line."""
    picture = drawn(example_snapshot(devices=(MODEM, BOX)), *size)
    assert len(picture) <= size[1]
    assert max(map(len, picture)) <= size[0]
    assert any(row.startswith("4G  ▂___  faible") for row in picture)
    assert any(row.startswith("Box fibre  lumière") for row in picture)
    assert any("event 49" in row for row in picture)


def test_what_is_the_matter_comes_before_what_devices_say(
    example_snapshot: Build, example_finding: Build, example_box: Build
) -> None:
    """In 24 lines a refused restart and the newest events push the devices out."""
    shot = example_snapshot(
        devices=(MODEM, BOX) * 4,
        boxes=(example_box(refusal="hold"),),
        findings=(example_finding(Code.BOX_HUNG),),
    )
    small = drawn(shot, 80, 24)
    assert any(row.startswith("⏸ ") for row in small)
    assert any("event 49" in row for row in small)
    assert not any("▂" in row for row in small)
    large = drawn(shot, 80, 40)
    assert [row for row in large if row.startswith("! Fibre")]
    assert sum(row.startswith("4G  ▂") for row in large) == 4


def test_json_holds_everything(example_snapshot: Build) -> None:
    """The picture that goes over the socket comes back with each device as it was."""
    shot = example_snapshot(devices=(MODEM, BOX, NEVER))
    wire = json.loads(json.dumps({"snapshot": msgspec.to_builtins(shot)}, allow_nan=False))
    assert as_snapshot(wire).devices == shot.devices
    assert wire["snapshot"]["devices"][0]["says"]["radio"]["rsrp_dbm"] == -107.6
