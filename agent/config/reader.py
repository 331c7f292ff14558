"""From a file to a ``Config``, or to everything that is wrong with the file, in one run."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from agent.config.derived import complete
from agent.config.lines import KeyPath, line_of, lines_of
from agent.config.problems import ConfigErrors, Problem, quoted, where
from agent.config.rules import broken_rules
from agent.config.rules_devices import broken_device_rules
from agent.config.rules_mqtt import broken_mqtt_rules
from agent.config.rules_panel import broken_panel_rules
from agent.config.rules_services import broken_service_rules
from agent.config.schema import Config, from_builtins
from agent.config.shape import Fault, Shape
from agent.config.words import Words, say

__all__ = ["ConfigErrors", "Problem", "parse", "read"]

MAX_BYTES = 1_000_000
RULES = (
    broken_rules,
    broken_device_rules,
    broken_panel_rules,
    broken_mqtt_rules,
    broken_service_rules,
)
"""Rules between keys, each yielding the mistakes it finds."""
_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
_TOML_SAYS = (
    ("Invalid value", "toml_value"),
    ("Invalid statement", "toml_statement"),
    ("Invalid initial character for a key part", "toml_statement"),
    ("Expected newline or end of document after a statement", "toml_after"),
    ("Expected '=' after a key", "toml_equals"),
    ("Cannot overwrite a value", "toml_twice"),
    ("Duplicate inline table key", "toml_twice"),
    ("Cannot declare", "toml_section_twice"),
    ("Cannot mutate immutable namespace", "toml_section_twice"),
    ("Illegal character '\\n'", "toml_quote"),
    ("Unterminated string", "toml_quote"),
    ('Expected "\'"', "toml_quote"),
    ("Unescaped '\\' in a string", "toml_backslash"),
    ("Invalid hex value", "toml_backslash"),
    ("Unclosed array", "toml_list"),
    ("Unclosed inline table", "toml_table"),
)
"""How tomllib's messages begin, and what a person can do about it."""


def read(path: Path) -> Config:
    """Read the configuration at ``path``.

    Raises:
        ConfigErrors: it cannot be used; carries every problem of the file.
    """
    try:
        if path.is_dir():
            raise ConfigErrors(path, [_whole(say("directory"))])
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigErrors(path, [_whole(say("no_file"))]) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigErrors(path, [_whole(say("unreadable", why=why))]) from None
    if len(data) > MAX_BYTES:
        raise ConfigErrors(path, [_whole(say("too_big", longest=MAX_BYTES))])
    try:
        # Editors of Windows put a mark at the beginning, which TOML does not know.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigErrors(path, [_whole(say("not_utf8"), line)]) from None
    return parse(text, path)


def parse(text: str, path: Path = Path("vigie.toml")) -> Config:
    """Read a configuration from its text; ``path`` is only for messages.

    Raises:
        ConfigErrors: it cannot be used; carries every problem.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigErrors(path, [_syntax(str(error), text)]) from None
    except RecursionError:
        raise ConfigErrors(path, [_whole(say("nested"))]) from None
    except ValueError:
        # Python refuses to convert numbers of thousands of digits.
        raise ConfigErrors(path, [_whole(say("number_long"))]) from None
    if not raw:
        raise ConfigErrors(path, [_whole(say("empty"))])
    return interpret(raw, text, path)


def interpret(raw: dict[str, Any], text: str = "", path: Path = Path("vigie.toml")) -> Config:
    """The configuration that parsed TOML holds; ``text`` and ``path`` are only for messages.

    Raises:
        ConfigErrors: it cannot be used; carries every problem.
    """
    shape = Shape()
    clean = shape.check(raw)
    faults = [*shape.faults, *(fault for broken in RULES for fault in broken(clean))]
    if faults:
        lines = lines_of(text) if text else {}
        problems = [_problem(fault, raw, lines) for fault in faults]
        raise ConfigErrors(path, sorted(problems, key=lambda problem: problem.line or 0))
    try:
        return from_builtins(complete(clean))
    except msgspec.ValidationError as error:
        raise ConfigErrors(path, [_whole(say("schema", why=str(error)))]) from error


def _whole(words: Words, line: int | None = None) -> Problem:
    return Problem("", None, words, line)


def _problem(fault: Fault, raw: dict[str, Any], lines: dict[KeyPath, int]) -> Problem:
    return Problem(
        where(fault.path), fault.shown, fault.words, line_of(lines, fault.path), _entry_name(fault.path, raw)
    )


def _entry_name(path: KeyPath, raw: dict[str, Any]) -> str:
    """``uplink "4g"`` for anything in the entry of that name."""
    entry: Any = raw
    for part in path[:2]:
        if isinstance(entry, list) and isinstance(part, int) and part < len(entry):
            entry = entry[part]
            name = entry.get("name") if isinstance(entry, dict) else None
            return f"{path[0]} {quoted(name)}" if isinstance(name, str) and name else ""
        entry = entry.get(part) if isinstance(entry, dict) else None
    return ""


def _syntax(message: str, text: str) -> Problem:
    place = _PLACE.search(message)
    line = text.rstrip().count("\n") + 1
    column = say("toml_no_column")
    if place:
        message = message[: place.start()]
        if place["line"]:
            line = int(place["line"])
            column = say("toml_column", column=place["column"])
    key = next((key for says, key in _TOML_SAYS if message.startswith(says)), "toml_other")
    return _whole(say(key, column=column, why=quoted(message)), line)
