"""Mistakes of a new user: each gives one line that says where, what, and what is allowed.

The table stands in ``test_config_mistakes.toml``.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from agent.config.reader import ConfigErrors, parse, read

TABLE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
GOOD: str = TABLE["good"]
MISTAKES = TABLE["mistake"]
IDS = [mistake["name"] for mistake in MISTAKES]


def errors_in(text: str) -> ConfigErrors:
    with pytest.raises(ConfigErrors) as caught:
        parse(text)
    return caught.value


def spoilt(mistake: dict[str, str]) -> str:
    old = mistake.get("old", GOOD)
    assert old in GOOD
    return GOOD.replace(old, mistake["new"], 1)


def test_the_good_file_is_good():
    """Every mistake of the table is the only one in its file."""
    assert parse(GOOD).site.name == "garage"


@pytest.mark.parametrize("mistake", MISTAKES, ids=IDS)
def test_one_mistake_gives_one_precise_line(mistake):
    """A mistake is told once, with file, line, path, value and what is allowed."""
    assert errors_in(spoilt(mistake)).lines() == [mistake["line"].removesuffix("\n").removeprefix("\n")]


@pytest.mark.parametrize("mistake", MISTAKES, ids=IDS)
def test_every_mistake_can_be_told_in_french(mistake):
    """No message fails to render, or stays English, for an installer who reads French."""
    errors = errors_in(spoilt(mistake))
    (french,) = errors.lines("fr")
    assert "\n" not in french
    assert french not in errors.lines("en")


def test_all_mistakes_of_a_file_come_in_one_run():
    """A file with a mistake in every section names all of them, in the order of the file."""
    text = """\
language = "fr"

[site]
name = "Garage"

[[uplink]]
name = "ftth"
kind = "fibre"
interface = "eth0"
targets = ["10.0.0.1"]
timeout_s = "1"

[[uplink]]
interface = "eth0"
intervall_s = 900

[[box]]
name = "livebox"
uplink = "4g"
relay = "gpio5"
off_s = 0

[power]
armed = "yes"

[failover]
switch_cost = 10

[panel]
screen = "epaper"

[panel.leds]
site = { green = 17, red = 17 }

[mqtt]
port = 0
password = "hunter2"
"""
    problems = errors_in(text).problems
    assert [(problem.line, problem.where) for problem in problems] == [
        (1, "language"),
        (4, "site.name"),
        (8, "uplink[0].kind"),
        (9, "uplink[0].interface"),
        (10, "uplink[0].targets"),
        (10, "uplink[0].targets[0]"),
        (11, "uplink[0].timeout_s"),
        (13, "uplink[1].name"),
        (14, "uplink[1].interface"),
        (15, "uplink[1].intervall_s"),
        (15, "uplink[1].intervall_s"),
        (20, "box[0].relay"),
        (21, "box[0].off_s"),
        (24, "power.armed"),
        (27, "failover.switch_cost"),
        (30, "panel.screen"),
        (33, "panel.leds.site.red"),
        (35, "mqtt.host"),
        (36, "mqtt.port"),
        (37, "mqtt.password"),
    ]


# --- files that are not even a configuration ----------------------------------------------------------------


def whole_file_problem(path: Path) -> str:
    with pytest.raises(ConfigErrors) as caught:
        read(path)
    (line,) = caught.value.lines()
    assert line.startswith(str(path))
    return line.removeprefix(str(path))


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    """The path that was tried is in the message."""
    assert whole_file_problem(tmp_path / "none.toml") == ": there is no such file"


def test_a_directory_is_not_a_file(tmp_path):
    """Naming the folder instead of the file is said plainly."""
    assert whole_file_problem(tmp_path) == ": this is a directory; name the configuration file itself"


def test_a_file_below_a_file_cannot_be_read(tmp_path):
    """Any refusal of the system is passed on in its words."""
    (tmp_path / "file").write_text("")
    assert whole_file_problem(tmp_path / "file" / "vigie.toml") == ": cannot be read: Not a directory"


def test_a_huge_file_is_not_read(tmp_path):
    """A log or an image given by mistake does not fill the memory."""
    (tmp_path / "big.toml").write_bytes(b"#" * 1_000_001)
    assert (
        whole_file_problem(tmp_path / "big.toml") == ": more than 1000000 bytes; this is not a configuration"
    )


def test_a_file_of_another_encoding_is_named_with_the_line(tmp_path):
    """Latin-1 accents are found where they are."""
    (tmp_path / "old.toml").write_bytes('[site]\nlabel = "Atelier mécanique"\n'.encode("latin-1"))
    assert whole_file_problem(tmp_path / "old.toml") == ":2: not UTF-8 text; save the file as UTF-8"


def test_a_mark_of_windows_editors_is_no_mistake(tmp_path):
    """A byte order mark and CRLF line ends are read like any other file."""
    (tmp_path / "windows.toml").write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert read(tmp_path / "windows.toml") == parse(GOOD)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = " + "[" * 5000 + "]" * 5000, "vigie.toml: too many brackets within each other"),
        ("a = " + "9" * 5000, "vigie.toml: a number with too many digits"),
    ],
    ids=["brackets", "digits"],
)
def test_what_breaks_the_parser_is_still_one_line(text, line):
    """Input that makes tomllib raise something else than its own error is a problem like any other."""
    assert errors_in(text).lines() == [line]


def test_a_number_that_python_will_not_print_is_shown_short():
    """Thousands of hexadecimal digits are legal TOML, and are told in one short line."""
    (line,) = errors_in(f"{GOOD}port = 0x{'f' * 5000}\n").lines()
    assert line == f"vigie.toml:26: mqtt.port = 0x{'f' * 46}: must be a whole number from 1 to 65535"


def test_lines_are_found_in_spite_of_comments_and_long_texts():
    """Headers and keys inside texts, lists and comments do not count."""
    text = GOOD.replace(
        'interface = "wwan0"\n',
        'label = """\n[[uplink]]\nname = "no"\n"""\n'
        'targets = [  # [[uplink]]\n  "1.1.1.1",\n  ["8.8.8.8"], # "]"\n  ["site"]\n]\n'
        'interface = "wwan0"\ntimeout_s = 99\n',
    )
    problems = errors_in(text).problems
    assert [(problem.line, problem.where) for problem in problems] == [
        (11, "uplink[1].label"),
        (15, "uplink[1].targets[1]"),
        (15, "uplink[1].targets[2]"),
        (21, "uplink[1].timeout_s"),
    ]
