"""The picture holds what it is given, whatever that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from PIL import Image
from scores import compared

from agent.replay.comparing import HINDSIGHT, Compared
from measure.canvas import INK, PAPER, blend, readable_on, width_of, wrapped
from measure.picture import CELL, GROUP, NAMES, SCORE_STOPS, WIDTH, Figures, fitting, picture
from measure.sweep import Sweep

SWEPT = Sweep((2.0, 10.0, 60.0), (1.3, 1.2, 1.1), (1.5, 1.4, 1.2), (1.5, 5.0, 40.0), (1.2, 1.15, 1.05))
BAD, GOOD = SCORE_STOPS[-1][1], SCORE_STOPS[0][1]


def drawn(groups: dict[str, Sequence[Compared]], sweep: Sweep = SWEPT) -> Image.Image:
    return picture(Figures(groups, 10.0, sweep, HINDSIGHT))


def colours(image: Image.Image) -> dict[tuple[int, int, int], int]:
    """Of a picture of few colours, how many pixels have each."""
    found = image.convert("RGB").getcolors(1 << 16)
    assert found is not None
    return {colour: count for count, colour in found}


def near(colour: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    return all(abs(a - b) <= 4 for a, b in zip(colour, other, strict=True))


def area(image: Image.Image, colour: tuple[int, int, int]) -> int:
    return sum(count for one, count in colours(image).items() if near(one, colour))


def test_it_is_as_wide_as_said_and_grows_with_the_traces() -> None:
    """A row more in both matrices; a group more is its heading and its mean as well."""
    one, two = compared("line", vigie=1.1), compared("line_2", vigie=1.2)
    small, taller = drawn({"design": [one]}), drawn({"design": [one, two]})
    grouped = drawn({"design": [one], "held out": [two]})
    assert small.width == taller.width == grouped.width == WIDTH
    assert taller.height - small.height == 2 * CELL
    assert grouped.height - taller.height == 2 * (GROUP + CELL + 6)


def test_a_bad_score_is_red_and_a_perfect_one_green() -> None:
    """By at least most of a cell."""
    bad, good = (drawn({"all": [compared("line", vigie=ratio, others=1.4)]}) for ratio in (3.5, 1.0))
    assert area(bad, BAD) > 2 * area(good, BAD) + 2000
    assert area(good, GOOD) > 2 * area(bad, GOOD) + 2000


def test_nothing_reaches_the_edge() -> None:
    """Not even with a long name, and with lines of the chart that end beside each other."""
    long = compared("recording_of_a_very_long_name_that_nobody_shortened_2024", vigie=1.2)
    same = replace(SWEPT, ours=(1.3, 1.2, 1.1), one_fixed=(1.3, 1.2, 1.1), each_fixed=(1.3, 1.2, 1.1))
    image = drawn({"design": [long], "held out": [long]}, same).convert("RGB")
    width, height = image.size
    for box in (
        (0, 0, width, 20),
        (0, height - 20, width, height),
        (0, 0, 20, height),
        (width - 20, 0, width, height),
    ):
        assert colours(image.crop(box)) == {PAPER: (box[2] - box[0]) * (box[3] - box[1])}


def test_a_name_stays_left_of_the_cells() -> None:
    """A long one loses its end, and shows that it did."""
    assert fitting("cell_us_drive_verizon_trip3") == "cell_us_drive_verizon_trip3"
    short = fitting("recording_of_a_very_long_name_that_nobody_shortened_2024")
    assert short.endswith(".")
    assert width_of(short, 18) < NAMES


def test_a_score_far_off_and_a_single_cost_are_drawn_too() -> None:
    """A rule that never declares, and a chart of one point."""
    far = compared("line", vigie=1.2, mwan3=99.5)
    assert drawn({"all": [far]}, Sweep((10.0,), (7.0,), (1.4,), (5.0,), (1.1,))).width == WIDTH


def test_words_are_wrapped_and_none_is_lost() -> None:
    """A line is no wider than asked, unless one word is."""
    lines = wrapped("each line's own best threshold, in hindsight", 18, 150)
    assert " ".join(lines) == "each line's own best threshold, in hindsight"
    assert len(lines) > 1
    assert all(width_of(line, 18) <= 150 for line in lines)
    assert wrapped("threshold", 18, 10) == ["threshold"]


@pytest.mark.parametrize(
    ("value", "colour"),
    [(0.5, (0, 0, 0)), (1.0, (0, 0, 0)), (2.0, (100, 50, 0)), (3.0, (200, 100, 0)), (9.0, (200, 100, 0))],
)
def test_colours_blend(value: float, colour: tuple[int, int, int]) -> None:
    """And stay at the ends."""
    assert blend(value, [(1.0, (0, 0, 0)), (3.0, (200, 100, 0))]) == colour


def test_text_stands_out() -> None:
    """Dark on light, light on dark."""
    assert (readable_on(PAPER), readable_on(INK)) == (INK, PAPER)
