"""The screen: reference pictures of everything it must be able to say, in both languages.

After a wanted change: ``UPDATE_PICTURES=1 python -m pytest tests/sinks``, then look at every picture.
"""

from __future__ import annotations

import asyncio
import os
import tomllib
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from screen_pages import PAGES

from agent.core.codes import FINDINGS, Code
from agent.core.devices import Strength
from agent.core.snapshot_types import Health, Snapshot
from agent.sinks import font
from agent.sinks.canvas import HEADLINE, LINE, LOOP, SIZE, wandered, wrapped
from agent.sinks.page_main import render, render_silence, render_trial
from agent.sinks.screen import ScreenSink
from agent.text import LANGUAGES, panel, refusal
from hardware.virtual.panel import VirtualScreen

FRENCH = Path(__file__).parents[2] / "agent" / "text" / "fr.toml"
PICTURES = Path(__file__).parent / "pictures"
SCENES = (
    "all_well",
    "warming_up",
    "box_hung",
    "cable_or_power",
    "line_or_operator",
    "needs_human",
    "restarting_cut",
    "restarting_boot",
    "degraded",
    "everything_down",
    "bay_dark",
    "suspect",
    "held",
    "unarmed",
    "refused",
    "three_uplinks",
    "six_uplinks",
    "service_down",
    "signal_excellent",
    "signal_good",
    "signal_fair",
    "signal_poor",
    "signal_unusable",
    "signal_suspect",
    "signal_restarting",
)

FR_REASONS = tuple(tomllib.loads(FRENCH.read_text(encoding="utf-8"))["refusal"])

Build = Callable[..., Any]


def check(picture: Image.Image, name: str) -> None:
    """Compare with the reference, pixel by pixel."""
    path = PICTURES / f"{name}.png"
    if os.environ.get("UPDATE_PICTURES"):
        picture.save(path)
    with Image.open(path) as reference:
        assert reference.mode == picture.mode == "1"
        assert reference.size == picture.size == SIZE
        differing = [
            divmod(place, SIZE[0])[::-1]
            for place, (ours, theirs) in enumerate(zip(pixels(picture), pixels(reference), strict=True))
            if ours != theirs
        ]
    assert differing == []


def pixels(picture: Image.Image) -> list[bool]:
    """All pixels, row by row."""
    return [bool(byte) for byte in picture.convert("L").tobytes()]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scene", SCENES)
def test_the_picture_is_the_reference(scenes: dict[str, Snapshot], scene: str, language: str) -> None:
    """Each state looks as it was approved."""
    check(render(scenes[scene], language), f"{scene}.{language}")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", FINDINGS)
def test_every_finding_has_its_picture(
    example_snapshot: Build, example_finding: Build, code: Code, language: str
) -> None:
    """Headline and advice of every finding of the catalogue, on an otherwise healthy site."""
    snapshot = example_snapshot(findings=(example_finding(code, cycles=2, loss_pct=8.0, part="mqtt"),))
    check(render(snapshot, language), f"finding_{code}.{language}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_picture_of_silence(language: str) -> None:
    """When no decision comes, the screen says that it is out of date."""
    check(render_silence(language), f"silence.{language}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_trial_shows_all_four_edges(language: str) -> None:
    """A screen with another controller than configured shows a frame that is not whole."""
    picture = render_trial(language)
    check(picture, f"trial.{language}")
    wide, high = SIZE
    edge = [(x, y) for x in range(wide) for y in (0, high - 1)]
    edge += [(x, y) for x in (0, wide - 1) for y in range(high)]
    assert all(picture.getpixel(spot) for spot in edge)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_its_picture(name: str, language: str) -> None:
    """Other pages, what a press will do, and answers."""
    check(PAGES[name](language, SIZE), f"{name}.{language}")


@pytest.mark.parametrize("size", [(128, 128), (256, 64)])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_fills_a_larger_screen(name: str, size: tuple[int, int]) -> None:
    """A picture has the screen's size, says at least as much, and keeps clear of the sides."""
    for language in LANGUAGES:
        larger = PAGES[name](language, size)
        assert larger.size == size
        lit = larger.getbbox()
        assert lit is not None
        assert 1 <= lit[0] < lit[2] <= size[0] - 1
        assert sum(pixels(larger)) >= sum(pixels(PAGES[name](language, SIZE)))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", FR_REASONS)
def test_every_refusal_can_be_read_whole(reason: str, language: str) -> None:
    """With the time until it ends, below the headline."""
    text = panel("refused_why", language, reason=refusal(reason, language), left_s=86399.0)
    assert len(wrapped(text, SIZE[0] - 2)) <= (SIZE[1] - HEADLINE) // LINE


def test_all_scenes_are_tested(scenes: dict[str, Snapshot]) -> None:
    """No example is left without a reference."""
    assert sorted(scenes) == sorted(SCENES)


def test_no_reference_is_left_over(scenes: dict[str, Snapshot]) -> None:
    """The directory holds what the tests compare, nothing else."""
    names = [*SCENES, *(f"finding_{code}" for code in FINDINGS), "silence", "trial", *PAGES]
    wanted = {f"{name}.{language}.png" for name in names for language in LANGUAGES}
    assert {path.name for path in PICTURES.iterdir()} == wanted


def test_the_same_snapshot_gives_the_same_picture(scenes: dict[str, Snapshot]) -> None:
    """Drawing depends on nothing but the snapshot."""
    first, second = (render(scenes["six_uplinks"], "fr") for _ in range(2))
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_picture_that_wanders_loses_nothing(scenes: dict[str, Snapshot], scene: str, language: str) -> None:
    """Wherever it stands in a minute, every lit pixel is still there, at most two pixels away."""
    whole = render(scenes[scene], language)
    box = whole.getbbox()
    assert box is not None
    for minute in range(len(LOOP)):
        moved = wandered(whole, minute)
        there = moved.getbbox()
        assert there is not None
        assert max(abs(a - b) for a, b in zip(box, there, strict=True)) <= 2
        assert moved.crop(there).tobytes() == whole.crop(box).tobytes()


def test_a_picture_without_a_dark_border_stays() -> None:
    """What has no room to move is shown as it is, and an empty one too; pages are held to the same."""
    for lit in (Image.new("1", SIZE, 1), Image.new("1", SIZE, 0)):
        assert {wandered(lit, minute).tobytes() for minute in range(len(LOOP))} == {lit.tobytes()}
    for draw in PAGES.values():
        whole = draw("fr", SIZE)
        counts = {sum(pixels(wandered(whole, minute))) for minute in range(len(LOOP))}
        assert counts == {sum(pixels(whole))}


def test_the_loop_is_small_and_has_no_jumps() -> None:
    """From minute to minute one pixel, also from the last place to the first."""
    steps = zip(LOOP, (*LOOP[1:], LOOP[0]), strict=True)
    assert {max(abs(a - c), abs(b - d)) for (a, b), (c, d) in steps} == {1}
    assert all(max(place) - min(place) <= 3 and abs(place[0]) <= 1 and 0 <= place[1] <= 2 for place in LOOP)
    assert len(set(LOOP)) == len(LOOP)


def test_a_calm_picture_goes_everywhere(scenes: dict[str, Snapshot]) -> None:
    """On an ordinary day the whole loop is used, so that no pixel of it is always lit."""
    whole = render(scenes["all_well"], "fr")
    assert len({wandered(whole, minute).tobytes() for minute in range(len(LOOP))}) == len(LOOP)


def test_the_countdown_counts(scenes: dict[str, Snapshot], example_box: Build) -> None:
    """A second later the picture differs; past the expected end it stays at zero."""

    def after(seconds: float) -> bytes:
        snapshot = scenes["restarting_boot"]
        uplinks = tuple(_with(uplink, since=uplink.since + seconds) for uplink in snapshot.uplinks)
        return render(_with(snapshot, mono=snapshot.mono + seconds, uplinks=uplinks), "fr").tobytes()

    assert after(0) != after(1)
    assert after(80) == after(90)


def _with(item: Any, **changes: Any) -> Any:
    return type(item)(**{name: getattr(item, name) for name in item.__slots__} | changes)


def test_the_foot_turns_between_advice_and_reason(scenes: dict[str, Snapshot]) -> None:
    """What to do and why nothing is done automatically alternate with time."""
    snapshot = scenes["refused"]
    pages = {
        render(_with(snapshot, mono=snapshot.mono + 6 * n), "fr").crop((0, 45, 128, 64)).tobytes()
        for n in range(6)
    }
    assert len(pages) == 2


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 6])
def test_up_to_six_uplinks_leave_room_for_the_advice(
    example_snapshot: Build, example_uplink: Build, example_finding: Build, count: int
) -> None:
    """The foot of the screen looks the same for any number of uplinks: nothing was drawn over it."""
    uplinks = tuple(example_uplink(f"uplink{n}") for n in range(count))
    snapshot = example_snapshot(uplinks=uplinks, findings=(example_finding(Code.CABLE_OR_POWER),))
    alone = render(example_snapshot(uplinks=(), findings=snapshot.findings), "fr")
    foot = (0, 46, 128, 64)
    assert render(snapshot, "fr").crop(foot).tobytes() == alone.crop(foot).tobytes()


def test_long_names_are_cut_not_drawn_over(example_snapshot: Build, example_uplink: Build) -> None:
    """A label longer than its row stops before the latency."""
    label = "Fibre optique du batiment principal"
    long = render(example_snapshot(uplinks=(example_uplink("a", label=label),)), "fr")
    short = render(example_snapshot(uplinks=(example_uplink("a", label="F"),)), "fr")
    latency = (100, 17, 128, 28)
    assert long.crop(latency).tobytes() == short.crop(latency).tobytes()


def test_every_strength_has_its_bars(
    example_snapshot: Build, example_uplink: Build, example_modem: Build
) -> None:
    """Weaker is less light, unusable still shows the feet of the bars, and unknown shows nothing."""

    def lit(*devices: Any) -> int:
        snapshot = example_snapshot(uplinks=(example_uplink("cellular"),), devices=devices)
        return sum(pixels(render(snapshot, "fr")))

    drawn = [lit(example_modem(strength=strength)) for strength in Strength]
    assert drawn == sorted(set(drawn), reverse=True)
    assert [count - lit() for count in drawn] == [44, 32, 22, 14, 8]
    assert lit(example_modem(strength=None)) == lit(example_modem("ftth")) == lit()


@pytest.mark.parametrize("health", Health)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_bars_stand_in_every_state_of_an_uplink(
    example_snapshot: Build, example_uplink: Build, example_modem: Build, health: Health, count: int
) -> None:
    """Beside whatever the row says, for a name of usual length."""
    row = example_uplink("cellular", health=health, since=-2600.0, silent_s=59.0)
    uplinks = (row, *(example_uplink(f"{n}") for n in range(count - 1)))
    for language in LANGUAGES:
        plain = render(example_snapshot(uplinks=uplinks), language)
        shown = render(example_snapshot(uplinks=uplinks, devices=(example_modem(),)), language)
        assert plain.tobytes() != shown.tobytes()


def test_a_long_name_is_worth_more_than_the_bars(
    example_snapshot: Build, example_uplink: Build, example_modem: Build
) -> None:
    """Where the name has no room beside them, they are left out."""
    long = (example_uplink("cellular", label="Secours 4G du batiment"),)
    plain, shown = (render(example_snapshot(uplinks=long, devices=d), "fr") for d in ((), (example_modem(),)))
    assert plain.tobytes() == shown.tobytes()


def test_another_size_does_not_fail(scenes: dict[str, Snapshot]) -> None:
    """A smaller display shows what fits."""
    assert render(scenes["six_uplinks"], "fr", size=(128, 32)).size == (128, 32)


def test_wrapping_keeps_every_word() -> None:
    """Lines are filled but not overfilled; a word that is too long stands alone."""
    lines = wrapped("Laissez la box branchée et anticonstitutionnellementinterminable patientez.", 126)
    assert " ".join(lines) == "Laissez la box branchée et anticonstitutionnellementinterminable patientez."
    assert [font.width(line) <= 126 for line in lines] == [True, False, True]


def test_letters_are_nine_rows_of_one_width() -> None:
    """Every drawing is whole, and no two letters look the same but a few that context tells apart."""
    shapes: dict[tuple[str, ...], str] = {}
    for letter, rows in font._glyphs().items():
        assert len(rows) == font.HEIGHT
        assert len({len(row) for row in rows}) == 1
        assert set("".join(rows)) <= {".", "#"}
        assert shapes.get(rows, "") + letter in (letter, " \u00a0", "'’", "O0", "óÓ", "òÒ", "ôÔ", "öÖ", "õÕ")
        shapes[rows] = letter


class Player:
    """Plays snapshots into a sink."""

    def __init__(self) -> None:
        self.screen = VirtualScreen()

    def play(self, snapshots: Iterable[Snapshot], **options: Any) -> int:
        async def stream() -> AsyncIterator[Snapshot]:
            for snapshot in snapshots:
                yield snapshot

        asyncio.run(ScreenSink(self.screen, "fr", **options).run(stream()))
        return self.screen.drawn


def test_an_unchanged_site_is_drawn_once(example_snapshot: Build) -> None:
    """Snapshots that look the same are not sent again."""
    assert Player().play(example_snapshot(seq=n, mono=960.0 + n) for n in range(48)) == 1


def test_the_picture_moves_every_minute(example_snapshot: Build, example_finding: Build) -> None:
    """In four minutes four places, so that no pixel is lit for ever."""
    one = (example_finding(Code.NEEDS_HUMAN, cycles=2),)
    shown = (example_snapshot(seq=n, mono=960.0 + n * 10, findings=one) for n in range(24))
    assert Player().play(shown) == 4


def test_at_most_two_pictures_a_second(example_snapshot: Build, example_uplink: Build) -> None:
    """A site that changes every 0.1 s is drawn every 0.5 s."""
    changing = (
        example_snapshot(seq=n, mono=960.0 + n / 8, uplinks=(example_uplink(rtt_ms=10.0 + n),))
        for n in range(17)
    )
    assert Player().play(changing) == 5


def test_silence_is_shown_and_ends(example_snapshot: Build) -> None:
    """Without decisions the old state does not stay on the screen; with the next one it is back."""
    screen = VirtualScreen()
    seen: list[bytes] = []

    def shown() -> bytes:
        assert screen.image is not None
        return screen.image.tobytes()

    async def stream() -> AsyncIterator[Snapshot]:
        yield example_snapshot(mono=960.0)
        seen.append(shown())
        while shown() == seen[0]:
            await asyncio.sleep(0.001)
        seen.append(shown())
        yield example_snapshot(seq=2, mono=970.0)
        seen.append(shown())

    asyncio.run(ScreenSink(screen, "fr", stale_s=0.02).run(stream()))
    assert seen == [seen[0], render_silence("fr").tobytes(), seen[0]]
