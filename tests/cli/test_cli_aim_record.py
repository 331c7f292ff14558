"""What is recorded while an antenna is aimed, and the table that compares its places."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cli import signal
from agent.cli.aim import Reading
from agent.cli.aim_compare import LEAST_READINGS, compare, table
from agent.cli.aim_record import Record, read
from agent.cli.labels import LANGUAGES
from agent.core.devices import Radio, Says


def run(*given_words: str) -> int:
    parser = argparse.ArgumentParser()
    signal.add_arguments(parser)
    return signal.run(parser.parse_args(["--lang", "fr", *given_words]))


def record(
    path: Path, places: dict[str | None, list[tuple[float | None, float | None]]], modem: str = "m"
) -> Path:
    """A record of these places: RSRP and SINR of each reading; None: on the way."""
    kept = Record(path, modem)
    for name, figures in places.items():
        if name is not None:
            kept.place(name, 1.7e9)
        for rsrp_dbm, sinr_db in figures:
            says = Says("lte", heard=True, radio=Radio(rsrp_dbm=rsrp_dbm, sinr_db=sinr_db))
            kept.reading(Reading(0.0, 1.7e9, says, name))
    kept.close()
    return path


GOOD = [(-88.0, 15.0), (-87.0, 16.0), (-89.0, 14.0), (-88.0, 15.0), (-88.0, 15.0)]
WEAK = [(-108.0, 3.0), (-104.0, 1.0), (-112.0, 2.0), (-106.0, 2.0), (-110.0, 2.0), (-90.0, 12.0)]


def test_the_best_place_stands_first_with_median_spread_and_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One reading that jumps moves neither; readings on the way are nobody's."""
    path = record(tmp_path / "r", {None: GOOD, "cave": WEAK, "toit": GOOD})
    assert run("--compare", str(path)) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[1] == ["toit", "bon", "-88", "±", "0", "15", "±", "0", "5"]
    assert rows[2][:2] == ["cave", "faible"]
    assert rows[2][2] == "-107"
    assert rows[2][-1] == "6"
    assert len(rows) == 4


def test_in_json_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For scripts, with the quartiles' distance."""
    path = record(tmp_path / "r", {"cave": WEAK, "toit": GOOD, "cour": GOOD[:2]})
    assert run("--compare", str(path), "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert [(one["place"], one["strength"], one["readings"]) for one in told["places"]] == [
        ("toit", "good", 5),
        ("cave", "poor", 6),
    ]
    # Sorted -112 -110 -108 -106 -104 -90: the quartiles are at -109.5 and -104.5.
    assert told["places"][1]["spread_db"]["rsrp_dbm"] == pytest.approx(5.0)
    assert told["too_few"] == [{"place": "cour", "readings": 2}]


@pytest.mark.parametrize("count", range(LEAST_READINGS))
def test_fewer_than_five_readings_are_not_compared(
    count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said which place, how many there are and how many it takes; exit code 1."""
    path = record(tmp_path / "r", {"toit": GOOD, "cour": GOOD[:count]})
    assert run("--compare", str(path)) == 1
    told = capsys.readouterr()
    assert "cour" not in told.out
    assert "toit" in told.out
    assert f"cour : {count} lectures, il en faut au moins 5" in told.err


def test_readings_without_figures_do_not_count(tmp_path: Path) -> None:
    """Five silences are no place."""
    path = record(tmp_path / "r", {"cave": [(None, None)] * 9})
    assert compare(read(path)).too_few == (("cave", 0),)


def test_two_places_that_differ_by_nothing_are_called_alike(tmp_path: Path) -> None:
    """A person need not carry the antenna back for one dB."""
    near = [(-89.0, 15.0)] * 5
    both = compare(read(record(tmp_path / "r", {"a": near, "b": GOOD})))
    assert [spot.name for spot in both.spots] == ["b", "a"]
    assert any("b et a se valent" in line for line in table(both, "fr", 80))
    apart = compare(read(record(tmp_path / "s", {"a": WEAK, "b": GOOD})))
    assert not any("se valent" in line for line in table(apart, "fr", 80))


@pytest.mark.parametrize("language", LANGUAGES)
def test_on_a_phone_the_table_has_two_lines_a_place(language: str, tmp_path: Path) -> None:
    """Nothing is lost by it."""
    compared = compare(read(record(tmp_path / "r", {"fenêtre nord": GOOD, "cave": WEAK})))
    lines = table(compared, language, 40)
    assert max(len(line) for line in lines) <= 40
    assert lines[1] == "  RSRP -88 ± 0  SINR 15 ± 0  n 5"


def test_two_modems_in_one_record_are_told_apart(tmp_path: Path) -> None:
    """Places of the same name are different places."""
    record(tmp_path / "r", {"toit": GOOD}, "orange")
    record(tmp_path / "r", {"toit": WEAK}, "sfr")
    assert [spot.name for spot in compare(read(tmp_path / "r")).spots] == ["orange: toit", "sfr: toit"]


def test_a_record_goes_on_after_a_torn_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the loss of power tore is told by its line and left aside, nothing else is lost."""
    path = record(tmp_path / "r", {"toit": GOOD})
    path.write_text(path.read_text()[:-9])
    record(path, {"cave": WEAK})
    assert run("--compare", str(path)) == 1
    told = capsys.readouterr()
    assert f"{path}:6 : ligne illisible" in told.err
    assert "toit : 4 lectures" in told.err
    assert "cave" in told.out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "ne peut pas être lu"),
        ("", "n'est pas un relevé"),
        ("[site]\nname = 1\n", "n'est pas un relevé"),
        ('{"kind": "reading", "modem": "m", "place": null}\n', "aucun endroit noté"),
    ],
)
def test_what_cannot_be_compared_says_why(
    content: str | None, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No file, none of ours, or nothing noted."""
    path = tmp_path / "r"
    if content is not None:
        path.write_text(content)
    assert run("--compare", str(path)) in (1, 2)
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("path", ["/dev/zero", "/"])
def test_what_is_no_file_is_refused(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A device may have no end."""
    assert run("--compare", path) == 2
    assert path in capsys.readouterr().err


values = st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers() | st.just([{}])
lines = st.one_of(
    st.binary(max_size=60),
    st.dictionaries(
        st.sampled_from(["kind", "place", "modem", "rsrp_dbm", "sinr_db", "x"]),
        values | st.sampled_from(["reading", "place", "m"]),
    ).map(lambda content: json.dumps(content).encode()),
)


@given(st.lists(lines, max_size=8))
def test_any_file_is_read_or_its_lines_are_told(
    tmp_path_factory: pytest.TempPathFactory, given_lines: list[bytes]
) -> None:
    """And whatever was read can be compared in either width."""
    path = tmp_path_factory.mktemp("record") / "r"
    path.write_bytes(b"\n".join(given_lines))
    recorded = read(path)
    assert len(recorded.bad) <= recorded.count
    for width in (40, 100):
        table(compare(recorded), "fr", width)


def test_a_line_nested_without_end_is_one_bad_line(tmp_path: Path) -> None:
    """It does not end the reading."""
    path = record(tmp_path / "r", {"toit": GOOD})
    with path.open("a") as file:
        file.write("[" * 90_000 + "\n")
    assert [bad.number for bad in read(path).bad] == [7]
