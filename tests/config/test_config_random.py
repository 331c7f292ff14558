"""Whatever stands in the file: a configuration or problems, never another exception, never a secret."""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import tomllib
from collections.abc import Callable
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect

from agent.config.effective import effective
from agent.config.keys import keys_of, plain, schema
from agent.config.lines import lines_of
from agent.config.notices import notices
from agent.config.problems import looks_secret
from agent.config.reader import ConfigErrors, interpret, parse
from agent.config.schema import Config

EXAMPLE = resources.files("agent.config").joinpath("example.toml").read_text(encoding="utf-8")
SECRET = "hunter2hunter2"


def _key_names() -> list[str]:
    names = ["green", "red", "password", "ftth", "4g"]
    for key in keys_of(schema()).values():
        node = plain(key.type.item_type)[0] if isinstance(key.type, inspect.VarTupleType) else key.type
        names += [key.name, *keys_of(node)]
    return names


SOME_TEXTS = [
    "",
    "ftth",
    "4g",
    "site",
    "eth0",
    "1.1.1.1",
    "192.168.1.1",
    "gpio17",
    "virtual:/x#y",
    "ssd1306",
    "dns.google",
    "hilink",
    "at",
    "livebox",
    "freebox",
    "starlink",
    "/dev/serial/by-id/x",
    "modem-password",
    "B20",
    "http://example.net/204",
    "http://example.net:80/a b",
    "{0}",
]
SCALARS = (
    st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(SOME_TEXTS)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
    | st.dates()
    | st.datetimes(timezones=st.none() | st.just(dt.UTC))
    | st.times()
)
NAMES = st.sampled_from(_key_names()) | st.text(max_size=12)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=25,
)


def outcome(read: Callable[[], Config]) -> Config | ConfigErrors:
    try:
        return read()
    except ConfigErrors as errors:
        return errors


def is_sound(result: Config | ConfigErrors) -> bool:
    """A configuration can be printed and read back; problems are there, one readable line each."""
    if isinstance(result, Config):
        return parse(effective(result)) == result and isinstance(notices(result, "fr"), list)
    lines = [*result.lines("en"), *result.lines("fr")]
    return bool(lines) and all(len(line.splitlines()) == 1 and len(line) < 600 for line in lines)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=8))
def test_any_table_is_a_configuration_or_a_list_of_problems(raw):
    """No content of a file makes the reader fail otherwise; each problem is one readable line."""
    assert is_sound(outcome(lambda: interpret(raw)))


def paths_in(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of everything within ``value``."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, below in inner for found in ((*path, key), *paths_in(below, (*path, key)))]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(paths_in(tomllib.loads(EXAMPLE))), VALUES), min_size=1, max_size=3))
def test_any_value_in_any_place_is_a_configuration_or_a_list_of_problems(changes):
    """A value of a wrong kind in one place does not break the rules that look at the others."""
    raw = tomllib.loads(EXAMPLE)
    for path, value in changes:
        place = raw
        with contextlib.suppress(KeyError, IndexError, TypeError):
            for part in path[:-1]:
                place = place[part]
            if isinstance(place, list) is isinstance(path[-1], int):
                place[path[-1]] = copy.deepcopy(value)
    assert is_sound(outcome(lambda: interpret(raw)))


LINES = EXAMPLE.splitlines(keepends=True)
PIECES = [
    *LINES,
    '"',
    "[",
    "]",
    "{",
    "=",
    "#",
    "\\",
    "'''",
    '"""',
    "\x00",
    "é",
    "0",
    "-",
    "\n",
    "1e999",
    "nan",
]
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["drop", "copy", "put", "cut", "swap"]),
        st.integers(0, len(LINES) - 1),
        st.integers(0, len(LINES) - 1),
        st.sampled_from(PIECES),
    ),
    min_size=1,
    max_size=5,
)


def mutated(edits) -> str:
    lines = list(LINES)
    for deed, here, there, piece in edits:
        here, there = here % len(lines), there % len(lines)
        match deed:
            case "drop" if len(lines) > 1:
                del lines[here]
            case "copy":
                lines.insert(there, lines[here])
            case "put":
                middle = len(lines[here]) // 2
                lines[here] = lines[here][:middle] + piece + lines[here][middle:]
            case "cut":
                lines[here] = lines[here][: len(lines[here]) // 2]
            case "swap":
                lines[here], lines[there] = lines[there], lines[here]
    return "".join(lines)


@settings(max_examples=300, deadline=None)
@given(EDITS)
def test_a_spoilt_example_is_a_configuration_or_a_list_of_problems(edits):
    """Slips of an editor never end in a traceback, and what is accepted can be printed and read back."""
    text = mutated(edits)
    result = outcome(lambda: parse(text))
    assert is_sound(result)
    problems = result.problems if isinstance(result, ConfigErrors) else ()
    assert all((problem.line or 1) <= text.count("\n") + 1 for problem in problems)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_finding_lines_never_fails(text):
    """Looking for lines is a convenience and may find nothing, but must not hide the problems."""
    lines_of(text)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(
        ["password", "Password", "pass", "passwd", "passwrod", "mqtt_password", "secret", "token", "mdp"]
    ),
    st.sampled_from(["site", "uplink", "box", "modem", "power", "panel", "mqtt", "auth", ""]),
)
def test_a_secret_in_the_file_is_refused_and_never_shown(key, section):
    """Wherever a secret is written by mistake, no message repeats it."""
    lists = ("uplink", "box", "modem")
    header = f"[[{section}]]" if section in lists else f"[{section}]" if section else ""
    for line in (f'{key} = "{SECRET}"', f"{key} = {SECRET}", f'{key} = ["{SECRET}"]', f"{key} = '{SECRET}"):
        errors = outcome(lambda line=line: parse(f"{header}\n{line}\n"))
        assert isinstance(errors, ConfigErrors)
        shown = [*errors.lines("en"), *errors.lines("fr"), str(errors), repr(errors.problems)]
        assert not [text for text in shown if SECRET in text]


@pytest.mark.parametrize("value", [f'"{SECRET}"', "4711471147", f'["{SECRET}"]', f'"mqtt://u:{SECRET}@host"'])
@pytest.mark.parametrize("key", ["password_file", "passwordfile", "host", "ca_file"])
def test_a_secret_under_a_key_that_wants_something_else_is_not_shown(key, value):
    """A password in the place of its file, or within an address, is masked; other values are told."""
    result = outcome(lambda: parse(f"[mqtt]\n{key} = {value}\n"))
    assert isinstance(result, ConfigErrors)
    telling = key in ("host", "ca_file") and "@" not in value
    hidden = SECRET if SECRET in value else value
    assert telling or not [line for line in (*result.lines(), repr(result.problems)) if hidden in line]


@pytest.mark.parametrize("value", [f'"{SECRET}"', "4711471147", f'["{SECRET}"]'])
@pytest.mark.parametrize(
    "entry", ["box:api:livebox", "box:api:sfr", "modem:driver:hilink", "modem:driver:at"]
)
def test_a_secret_in_the_place_of_its_file_is_not_shown(entry, value):
    """A device's password where its file should stand is refused and masked, whatever else is wrong."""
    section, key, speaks = entry.split(":")
    result = outcome(lambda: parse(f'[[{section}]]\n{key} = "{speaks}"\npassword_file = {value}\n'))
    assert isinstance(result, ConfigErrors)
    assert [problem for problem in result.problems if problem.where.endswith("password_file")]
    hidden = SECRET if SECRET in value else value
    assert not [line for line in (*result.lines(), repr(result.problems)) if hidden in line]


def test_no_other_key_of_the_schema_looks_like_a_secret():
    """Values of ordinary keys are told, or nobody could find the mistake."""
    assert {name for name in _key_names() if looks_secret(name)} == {"password", "password_file"}
