"""The picture of an antenna being aimed, its words, and what is made of the readings: all pure."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cli.aim import (
    PLACE_READINGS,
    SAME,
    TOP,
    Aim,
    Reading,
    Verdict,
    beat_s,
    change,
    limit_of,
    middle,
    score,
)
from agent.cli.aim_rows import Stage, rows
from agent.cli.labels import LANGUAGES
from agent.core.devices import Radio, Registration, Says, Sim, Strength
from agent.core.radio import strength

RADIO = Radio(
    network="4G", band="B20", cell=27316994, rsrp_dbm=-97.0, rsrq_db=-10.5, sinr_db=9.0, rssi_dbm=-67.0
)
SAYS = Says("lte", heard=True, radio=RADIO, operator="Exemple Mobile", registration=Registration.HOME)
SILENT = Says("lte", heard=False, why="no answer for 5 s")
START = 1000.0
SIZES = [(80, 24), (40, 20), (40, 10), (100, 40), (20, 5), (60, 22)]

figures = st.one_of(st.none(), st.integers(-160, 0).map(float), st.floats(-160, 0))
radios = st.builds(
    Radio,
    rsrp_dbm=figures,
    rssi_dbm=figures,
    sinr_db=st.one_of(st.none(), st.floats(-30, 40)),
    rsrq_db=st.one_of(st.none(), st.floats(-30, 0)),
)


def aimed(*radios: Radio | None, aim: Aim | None = None) -> Aim:
    """One reading a second; None is a silence."""
    aim = aim or Aim()
    for radio in radios:
        says = SILENT if radio is None else replace(SAYS, radio=radio)
        aim = aim.with_reading(Reading(START + aim.count, 1.7e9 + aim.count, says))
    return aim


def at(rsrp_dbm: float, sinr_db: float = 25.0) -> Radio:
    return replace(RADIO, rsrp_dbm=rsrp_dbm, sinr_db=sinr_db)


def drawn(
    aim: Aim, width: int = 80, height: int = 24, language: str = "fr", later_s: float = 0.0
) -> list[str]:
    now_s = START + max(0, aim.count - 1) + later_s
    stage = Stage(now_s, 1.7e9, width, height, language, "Modem 4G")
    return ["".join(text for text, _ in row) for row in rows(aim, stage)]


def history(picture: list[str]) -> str:
    """The last minute, where it is one row high."""
    return next(line for line in picture if line and set(line) <= set("▁▂▃▄▅▆▇█·") and len(line) > 1)


# --- the scale ----------------------------------------------------------------------------------------------


@given(radios)
def test_the_bar_never_contradicts_the_word(radio: Radio) -> None:
    """Each word has its fifth of the bar, with the very edges of ``agent.core.radio``."""
    value, word = score(radio), strength(radio)
    if word is None:
        assert value is None
        return
    assert value is not None
    assert 0 <= value <= TOP
    assert tuple(Strength)[::-1][min(4, int(value))] is word


@given(radios, st.floats(0, 20))
def test_more_power_is_never_shown_as_less(radio: Radio, more_db: float) -> None:
    """Nor does it ever beep slower."""
    if radio.rsrp_dbm is None:
        return
    before, after = score(radio), score(replace(radio, rsrp_dbm=radio.rsrp_dbm + more_db))
    assert before is not None
    assert after is not None
    assert after >= before
    assert beat_s(after) <= beat_s(before)


def test_the_beeps_quicken_from_two_seconds_to_a_fifth() -> None:
    """Beyond the scale they do not run away."""
    assert (beat_s(0), beat_s(-1)) == (2.0, 2.0)
    assert beat_s(TOP) == beat_s(9) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("radio", "limit"),
    [
        (at(-110, 25), "rsrp_dbm"),
        (at(-70, 1), "sinr_db"),
        (replace(at(-70), sinr_db=None, rsrq_db=-19.0), "rsrq_db"),
        (Radio(rsrp_dbm=-90.0), None),
        (Radio(rssi_dbm=-105.0, rsrq_db=-5.0), "rssi_dbm"),
    ],
)
def test_the_limit_is_the_figure_that_asks_for_the_worse_place(radio: Radio, limit: str | None) -> None:
    """With one figure there is nothing to tell apart."""
    assert limit_of(radio) == limit


# --- now and before -----------------------------------------------------------------------------------------


def test_now_is_compared_with_the_start_by_the_middle_of_three() -> None:
    """One reading that jumps is not a gain."""
    start = (at(-105), at(-104), at(-106))
    assert aimed(*start).change is None
    gained = aimed(*start, at(-99), at(-98), at(-99)).change
    assert gained is not None
    assert (gained.verdict, gained.by_db["rsrp_dbm"]) == (Verdict.BETTER, 6.0)
    jumped = aimed(*start, at(-105), at(-70), at(-105)).change
    assert jumped is not None
    assert jumped.verdict is Verdict.SAME


def test_more_power_is_no_gain_while_noise_is_the_limit() -> None:
    """The verdict is that of the whole signal; both differences are told."""
    told = change(at(-100, -3), at(-90, -3))
    assert told.verdict is Verdict.SAME
    assert told.by_db == {"rsrp_dbm": 10.0, "sinr_db": 0.0}
    assert change(at(-100, 5), at(-95, -3)).verdict is Verdict.WORSE


def test_the_best_stays_when_the_signal_falls_and_when_the_modem_is_silent() -> None:
    """It is the best reading, with its time."""
    aim = aimed(at(-105), at(-88), at(-104), None, at(-100))
    assert aim.best is not None
    assert (aim.best.radio.rsrp_dbm, aim.best.mono) == (-88.0, START + 1)


def test_history_is_one_minute() -> None:
    """However long one aims, what is kept does not grow."""
    aim = aimed(*(at(-100) for _ in range(500)))
    assert len(aim.recent) == 60
    assert aim.count == 500
    assert len(aim.first) == 3


@given(st.lists(radios, min_size=1, max_size=9))
def test_the_middle_is_between_the_extremes(given_: list[Radio]) -> None:
    """Figures that some readings lack are those of the others."""
    known = [radio.rsrp_dbm for radio in given_ if radio.rsrp_dbm is not None]
    value = middle(given_).rsrp_dbm
    assert (value is None) == (not known)
    assert value is None or min(known) <= value <= max(known)


# --- places -------------------------------------------------------------------------------------------------


def test_a_place_takes_the_next_ten_readings_with_figures() -> None:
    """Silences do not count; what comes later belongs to no place."""
    aim = aimed(at(-110)).noted("window", 1.7e9)
    aim = aimed(*(at(-90 - n) for n in range(4)), None, *(at(-95) for _ in range(10)), aim=aim)
    assert [len(place.readings) for place in aim.places] == [PLACE_READINGS]
    assert aim.place is None
    assert [reading.place for reading in aim.recent] == [None, *["window"] * 11, *[None] * 4]
    assert aim.places[0].middle.rsrp_dbm == -95.0


def test_the_next_place_ends_the_one_before() -> None:
    """It keeps the readings that it has."""
    aim = aimed(at(-90), at(-90), aim=Aim().noted("a", 0.0))
    aim = aimed(at(-80), aim=aim.noted("b", 2.0))
    assert [(place.name, len(place.readings)) for place in aim.places] == [("a", 2), ("b", 1)]


# --- the picture --------------------------------------------------------------------------------------------

SCENES = {
    "nothing yet": Aim(),
    "first": aimed(RADIO),
    "a while": aimed(*(at(-110 + n % 30, n % 20) for n in range(75))),
    "silent": aimed(RADIO, None),
    "never heard": aimed(None),
    "locked": Aim().with_reading(Reading(START, 1.7e9, Says("lte", heard=True, locked=True, why="x" * 120))),
    "no card": Aim().with_reading(Reading(START, 1.7e9, Says("lte", heard=True, sim=Sim.MISSING))),
    "rssi": aimed(*[Radio(network="2G", rssi_dbm=-91.0)] * 5),
    "5G": aimed(*[replace(RADIO, network="5G NSA", nr_band="n78", nr_rsrp_dbm=-91.0, nr_sinr_db=14.0)] * 5),
    "noting": aimed(RADIO, aim=Aim().noted("Auf dem Dach hinter dem grossen Kamin", 0.0)),
    "many places": aimed(
        RADIO, aim=Aim(places=tuple(aimed(RADIO, aim=Aim().noted(f"p{n}", 0.0)).places[0] for n in range(9)))
    ),
    "excellent": aimed(*[at(-60, 30)] * 5),
    "unusable": aimed(*[at(-130, -19)] * 5),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scene", SCENES)
def test_the_picture_never_exceeds_the_terminal(scene: str, size: tuple[int, int], language: str) -> None:
    """A line too many would make the whole terminal scroll."""
    picture = drawn(SCENES[scene], *size, language)
    assert 0 < len(picture) <= size[1]
    assert max(len(line) for line in picture) <= size[0]


@given(st.integers(1, 130), st.integers(1, 50), st.sampled_from(sorted(SCENES)))
def test_any_size_can_be_drawn(width: int, height: int, scene: str) -> None:
    """A person turns the phone, or drags a window to nothing."""
    picture = drawn(SCENES[scene], width, height)
    assert len(picture) <= height
    assert all(len(line) <= width for line in picture)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "fr",
            (
                "meilleur : RSRP -88 dBm, SINR 25 dB, il y a 12 s",
                "cellule 27316994",
                "mieux qu'au début\u00a0: RSRP +6 dB",
            ),
        ),
        (
            "en",
            (
                "best: RSRP -88 dBm, SINR 25 dB, 12 s ago",
                "cell 27316994",
                "better than at the start: RSRP +6 dB",
            ),
        ),
    ],
)
@pytest.mark.parametrize("size", [(80, 24), (40, 20)])
def test_what_the_person_with_the_antenna_sees(
    size: tuple[int, int], language: str, words: tuple[str, ...]
) -> None:
    """Figures, whose cell it is, the best with its age, and whether it got better; also on a phone."""
    aim = aimed(at(-105), at(-105), at(-105), at(-88), *[at(-99)] * 11, at(-99))
    picture = drawn(aim, *size, language)
    text = " ".join(" ".join(line.split("  ")) for line in picture)
    text = " ".join(text.replace("\u00a0", "~").split()).replace("~", "\u00a0")
    for word in (*words, "RSRP -99 dBm", "SINR 25 dB", "B20", "4G", "Exemple Mobile", "Modem 4G"):
        assert word in text, picture


@pytest.mark.parametrize(("language", "word"), [("fr", "MOYEN"), ("en", "FAIR")])
def test_the_word_stands_large_or_plain(language: str, word: str) -> None:
    """In letters of four rows where there is room, else in plain letters."""
    assert any(word in line for line in drawn(aimed(RADIO), 40, 20, language))
    large = drawn(aimed(RADIO), 80, 24, language)
    assert not any(word in line for line in large)
    letters = [line for line in large if len(line) > 9 and set(line) <= set(" ▀▄█")]
    assert len(letters) == 4


def test_the_bar_is_as_long_as_the_signal_is_good_and_marks_the_best() -> None:
    """-95 dBm is the middle of "fair", the middle of the bar; the best, -85, the middle of "good"."""
    bar = next(line for line in drawn(aimed(at(-85), at(-95)), 50) if line.startswith("█"))
    assert bar.count("█") == 25
    assert bar.index("┃") == 34
    assert len(bar) == 50
    below = drawn(aimed(at(-85), at(-95)), 80)
    mark = next(line for line in below if "▲ " in line or " ▲" in line)
    assert mark.index("▲") == next(line for line in below if line.startswith("█")).index("┃")


def test_the_words_of_the_scale_stand_above_their_parts() -> None:
    """Where they fit; on a phone the large word must do."""
    scale = next(line for line in drawn(aimed(RADIO)) if "inutilisable" in line)
    assert [scale.index(word) // 16 for word in ("inutilisable", "faible", "moyen", "bon", "excellent")] == [
        *range(5)
    ]
    assert not any("inutilisable" in line for line in drawn(aimed(RADIO), 40, 20))


@pytest.mark.parametrize("height", [20, 24])
def test_the_last_minute_rises_with_the_signal_and_gaps_are_seen(height: int) -> None:
    """One column a reading at 80 columns, the newest at the right."""
    aim = aimed(at(-110), at(-100), None, at(-90), at(-80))
    picture = drawn(aim, 80, height)
    lowest = picture[max(n for n, line in enumerate(picture) if line.rstrip().endswith("█"))]
    assert len(lowest) == 5
    assert lowest[2] == "·"
    assert lowest[0] == "▁"
    assert lowest[4] == "█"


def test_a_wavering_signal_is_no_mountain() -> None:
    """The history is at least one word high: one dB up and down moves it by a step or two of eight."""
    aim = aimed(*(at(-95 + n % 2) for n in range(20)))
    low, high = sorted("▁▂▃▄▅▆▇█".index(step) for step in set(history(drawn(aim, 80, 20))))
    assert high - low <= 1


def test_a_column_keeps_its_readings_while_it_moves_on() -> None:
    """On 40 columns two readings share one; adding a reading leaves the older columns as they were."""
    values = [at(-110 + (n * 7) % 30) for n in range(40)]
    before, after = (history(drawn(aimed(*values[:n]), 40, 12)) for n in (38, 40))
    assert (len(before), len(after)) == (19, 20)
    assert after[:-1] == before


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scene", ["silent", "never heard", "locked", "no card"])
def test_a_modem_without_figures_says_why_and_what_to_do(scene: str, language: str) -> None:
    """In at least two sentences, and no bar of an old reading."""
    picture = drawn(SCENES[scene], 80, 24, language)
    assert sum(line.endswith((".", ").")) or "  " in line for line in picture if line) >= 2
    assert not any("░" in line for line in picture)
    if scene == "silent":
        assert any("no answer for 5 s" in line for line in picture)


def test_the_important_stays_where_there_is_hardly_any_room() -> None:
    """On six lines: title, word, bar, figures, change."""
    aim = aimed(*[at(-105)] * 3, *[at(-95)] * 3)
    picture = drawn(aim, 80, 5)
    assert any("MOYEN" in line for line in picture)
    assert any("█" in line for line in picture)
    assert any("RSRP -95 dBm" in line for line in picture)
    assert any("mieux" in line for line in picture)


def test_every_reading_changes_the_picture_at_once() -> None:
    """The person sees each second whether it got better."""
    pictures = [tuple(drawn(aimed(*(at(-110 + 2 * n) for n in range(count))))) for count in range(2, 12)]
    assert all(a != b for a, b in itertools.pairwise(pictures))


def test_a_difference_that_a_signal_makes_by_itself_is_none() -> None:
    """Two dB of RSRP are a fifth of a word."""
    assert change(at(-95), at(-93.1)).verdict is Verdict.SAME
    assert change(at(-95), at(-92.9)).verdict is Verdict.BETTER
    assert pytest.approx(0.2) == SAME
