"""The terminal's picture, drawn to consoles of fixed size."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import pairwise

import pytest
from PIL import Image
from rich.console import Console

from agent.cli import pixels
from agent.cli.face import leds, screen_rows
from agent.cli.labels import LABELS, LANGUAGES, SYMBOLS, language_of
from agent.cli.terminal import panel, print_status
from agent.cli.view import Gathered, Line, Progress, View, line_text, minutes
from agent.core.codes import Code, Severity
from agent.core.site import UplinkKind
from agent.core.snapshot_types import BoxView, FindingView, Health, Phase, Snapshot, UplinkView
from hardware.ports import Colour

FTTH = UplinkView(
    "ftth",
    "Fibre 1",
    UplinkKind.FTTH,
    Health.UP,
    90.0,
    "answers",
    False,
    True,
    True,
    None,
    None,
    8.4,
    0.0,
    0.0,
    (),
)
CELLULAR = replace(
    FTTH, name="cellular", label="4G", kind=UplinkKind.CELLULAR, rtt_ms=41.0, why="answers in 41 ms"
)
BOX = BoxView("ftth", "Box Fibre 1", "ftth", True, Phase.POWERED, 90.0, None, 0, None, None)
WELL = Snapshot(
    1, 120.5, 1.7e9, True, "demo", "Garage Demo", True, None, None, None, None, Code.ALL_WELL,
    (replace(FTTH, preferred=True), CELLULAR), (BOX,), (),
)  # fmt: skip
DOWN = replace(
    WELL,
    headline=Code.BOX_HUNG,
    incident="i1",
    incident_since=100.0,
    uplinks=(
        replace(FTTH, health=Health.DOWN, rtt_ms=None, loss_pct=100.0, silent_s=12.3, why="silent 12.3 s"),
        replace(CELLULAR, preferred=True),
    ),
    boxes=(replace(BOX, refusal="hold", refused_until=150.5),),
    findings=(FindingView(Code.BOX_HUNG, "ftth", "Fibre 1", Severity.ALERT, 110.5, {}),),
)
CYCLING = replace(
    DOWN,
    headline=Code.RESTARTING,
    boxes=(replace(BOX, phase=Phase.CUT, since=118.5, until=123.5),),
    findings=(FindingView(Code.RESTARTING, "ftth", "Box Fibre 1", Severity.INFO, 118.5, {}),),
)
LINES = (
    Line(1.7e9, 12.0, "La box se fige", by_story=True),
    Line(1.7e9, 22.4, "Fibre 1 en panne", Severity.ALERT),
)


def drawn(view: View) -> list[str]:
    console = Console(file=io.StringIO(), width=view.width, height=view.height, color_system=None)
    with console.capture() as capture:
        console.print(panel(view))
    return capture.get().splitlines()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("shot", [WELL, DOWN, CYCLING, None], ids=["well", "down", "cycling", "none"])
@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40), (200, 60)])
@pytest.mark.parametrize("told", [True, False])
def test_the_picture_never_exceeds_the_terminal(
    size: tuple[int, int], shot: Snapshot | None, language: str, told: bool
) -> None:
    """A line too many would make the whole terminal scroll with each frame."""
    width, height = size
    story = Progress("Box figée", "Une histoire. " * 30, 22.0, 68.0, "▶ 40 s: " + "x" * 200) if told else None
    lines = LINES * 30 + (Line(0.0, None, "long " * 100),)
    picture = drawn(View(shot, lines, language, 1.0, 0.1, width, height, story))
    assert len(picture) <= height
    assert max(len(line) for line in picture) <= width


@pytest.mark.parametrize(
    ("language", "down", "works"), [("fr", "✗ en panne", "✓ fonctionne"), ("en", "✗ down", "✓ works")]
)
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_each_uplink_has_its_row(size: tuple[int, int], language: str, down: str, works: str) -> None:
    """State as word and symbol, loss, silence, and which one is preferred."""
    picture = drawn(View(DOWN, (), language, 0.0, 0.0, *size))
    ftth = next(line for line in picture if line.startswith("Fibre 1 "))
    cellular = next(line for line in picture if line.startswith("4G "))
    assert down in ftth
    assert "100 %" in ftth
    assert "12.3 s" in ftth
    assert works in cellular
    assert "41 ms" in cellular
    assert "◂" in cellular
    assert "◂" not in ftth


@pytest.mark.parametrize("size", [(80, 40), (120, 40)])
def test_a_box_in_a_cycle_shows_its_phase_and_countdown(size: tuple[int, int]) -> None:
    """The countdown runs on between two snapshots."""
    text = "\n".join(drawn(View(CYCLING, (), "fr", 0.0, 0.0, *size)))
    later = "\n".join(drawn(View(CYCLING, (), "fr", 0.0, 1.2, *size)))
    assert "⟳ Box Fibre 1\u00a0: coupée" in text
    assert "encore 3 s" in text
    assert "encore 2 s" in later


@pytest.mark.parametrize("size", [(90, 40), (120, 40)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_finding_is_shown_with_its_advice(size: tuple[int, int], language: str) -> None:
    """And how long it has stood."""
    text = "\n".join(drawn(View(DOWN, (), language, 0.0, 0.0, *size)))
    assert "! Fibre 1" in text
    assert "→ " in text
    if size[0] >= 118:
        assert "(10 s)" in text


def test_a_wanted_cycle_that_is_not_done_says_why_and_until_when() -> None:
    """A refusal is an answer."""
    text = "\n".join(drawn(View(DOWN, (), "en", 0.0, 0.0, 200, 45)))
    assert "⏸ Box Fibre 1: no restart: " in text
    assert "30 s left" in text


def test_not_armed_is_said() -> None:
    """No silent dry run."""
    unarmed = replace(WELL, armed=False, unarmed_why="not_armed")
    held = replace(WELL, hold_until=180.5)
    assert "automatic restart armed" in drawn(View(WELL, (), "en"))[0]
    assert "automatic restart withheld: " in drawn(View(unarmed, (), "en"))[0]
    assert "held by a person, 1 min left" in drawn(View(held, (), "en"))[0]


def test_the_newest_events_are_the_ones_that_stay() -> None:
    """Oldest first, cut at the top."""
    lines = tuple(Line(1.7e9, float(number), f"event {number}") for number in range(100))
    picture = drawn(View(WELL, lines, "en", 0.0, 0.0, 80, 30))
    told = [line.split("  ")[-1] for line in picture if "event" in line]
    assert told == [f"event {number}" for number in range(100 - len(told), 100)]
    assert len(told) >= 5


def test_fine_detail_goes_first_where_room_is_short() -> None:
    """In 24 lines a doubt must not push out a verdict."""
    lines = (Line(1.7e9, 1.0, "verdict"), *(Line(1.7e9, 2.0, "doubt", Severity.DEBUG) for _ in range(9)))
    assert any("verdict" in line for line in drawn(View(WELL, lines, "en", 0.0, 0.0, 80, 24)))


# --- the panel's face ---------------------------------------------------------------------------------------


def colours(view: View) -> dict[str, Colour]:
    return dict(leds(view))


def test_leds_blink_by_their_rhythm() -> None:
    """Down is red at 1 Hz, a box being restarted red at 4 Hz, a working uplink steady green."""
    down = [colours(View(DOWN, language="fr", elapsed_s=step / 8))["Fibre 1"] for step in range(8)]
    fast = [colours(View(CYCLING, language="fr", elapsed_s=step / 8))["Fibre 1"] for step in range(8)]
    calm = {colours(View(DOWN, language="fr", elapsed_s=step / 8))["4G"] for step in range(32)}
    assert down == [Colour.RED] * 4 + [Colour.DARK] * 4
    assert fast == [Colour.RED, Colour.DARK] * 4
    assert calm == {Colour.GREEN}


def test_the_site_led_winks_every_two_seconds() -> None:
    """Once a wink when all is well, as the lights' sink writes it."""
    shown = [colours(View(replace(WELL, mono=100 + step / 100)))["site"] for step in range(400)]
    edges = sum(1 for a, b in pairwise(shown) if (a, b) == (Colour.GREEN, Colour.DARK))
    assert set(shown) == {Colour.GREEN, Colour.DARK}
    assert shown.count(Colour.DARK) < 40
    assert edges == 1 or shown[0] is Colour.DARK
    assert edges in (1, 2)


def test_a_panel_without_news_goes_dark() -> None:
    """An old green must not outlive the agent."""
    assert set(colours(View(WELL, aged_s=6.0)).values()) == {Colour.DARK}
    assert set(colours(View(None)).values()) == {Colour.DARK}
    assert screen_rows(View(WELL, aged_s=6.0), solid=False) == screen_rows(View(None), solid=False)


def test_the_screen_is_drawn_from_the_snapshot() -> None:
    """64 by 16 in braille, 128 by 32 in half blocks, and not the same for two states."""
    braille = screen_rows(View(WELL), solid=False)
    solid = screen_rows(View(WELL), solid=True)
    assert (len(braille), {len(row) for row in braille}) == (16, {64})
    assert (len(solid), {len(row) for row in solid}) == (32, {128})
    assert braille != screen_rows(View(DOWN), solid=False)


def test_pixels_become_the_right_dots() -> None:
    """Each dot of a braille cell has its own bit; half blocks pair two rows."""
    image = Image.new("1", (4, 4))
    image.putpixel((0, 0), 1)
    image.putpixel((1, 3), 1)
    image.putpixel((2, 1), 1)
    assert pixels.braille(image) == (chr(0x2800 + 0x01 + 0x80) + chr(0x2800 + 0x02),)
    assert pixels.half_blocks(image) == ("▀ ▄ ", " ▄  ")


def test_a_picture_of_odd_size_is_filled_up_dark() -> None:
    """Nothing is cut off."""
    image = Image.new("1", (3, 5), 1)
    assert [len(row) for row in pixels.braille(image)] == [2, 2]
    assert pixels.half_blocks(image) == ("███", "███", "▀▀▀")


# --- words and odds -----------------------------------------------------------------------------------------


def test_both_languages_have_the_same_words() -> None:
    """And every verdict its symbol."""
    assert set(LABELS["fr"]) == set(LABELS["en"])
    assert set(SYMBOLS) == {str(health) for health in Health}
    assert all(f"health.{health}" in LABELS["fr"] for health in Health)
    assert all(f"phase.{phase}" in LABELS["fr"] for phase in Phase)


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "fr"),
        ({"LANG": "C.UTF-8"}, "fr"),
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "en_US", "LANG": "fr_FR"}, "en"),
    ],
)
def test_the_language_follows_the_locale(environment: dict[str, str], language: str) -> None:
    """French is the reference, so it is what a machine without a locale speaks."""
    assert language_of(environment) == language


def test_a_line_tells_when_and_by_whom() -> None:
    """Deeds of the scenario are marked."""
    assert line_text(LINES[0]).endswith("   12.0 s  ▶ La box se fige")
    assert line_text(LINES[1]).endswith("   22.4 s  Fibre 1 en panne")
    assert minutes(75.9) == "1:15"


def test_what_is_gathered_ages() -> None:
    """The age of the picture counts from its arrival, the blinking from the start."""
    gathered = Gathered("en", 100.0)
    gathered.picture(WELL, 103.0)
    gathered.line(LINES[0])
    view = gathered.view(104.5, 80, 24)
    assert (view.elapsed_s, view.aged_s, view.snapshot, view.lines) == (4.5, 1.5, WELL, (LINES[0],))
    gathered.gone()
    assert gathered.view(105.0, 80, 24).snapshot is None


def test_a_status_into_a_pipe_is_plain() -> None:
    """No escape codes, no line broken in two."""
    stream = io.StringIO()
    print_status(DOWN, "fr", stream)
    text = stream.getvalue()
    assert "\x1b" not in text
    assert all(row == row.rstrip() for row in text.splitlines())
    assert "Fibre 1      ✗ en panne" in text
    assert "! Fibre 1" in text
    assert "→ " in text
