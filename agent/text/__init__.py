"""Every code, refusal and panel word in the languages of the people, from ``fr.toml`` and ``en.toml``.

Rendering never fails for want of an argument: a hole is shown as "?", because a message with a hole is
worth more to a person than none.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from agent.core.codes import Code
from agent.core.devices import Strength
from agent.core.model import Scalar

LANGUAGES = ("fr", "en")
"""French is the reference."""

PLACEHOLDER = re.compile(r"\{(\w+)\}")
_OPTIONAL = re.compile(r"\[([^\]]*)\]")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Words:
    """One code in words.

    Attributes:
        short: for the screen, without punctuation.
        sentence: for messages and reports.
        advice: one imperative sentence for the staff; empty where nothing is asked of them.
    """

    short: str
    sentence: str
    advice: str


def words(code: Code, language: str, args: Mapping[str, Scalar]) -> Words:
    """A finding or an event in words.

    Args:
        code: finding or event.
        language: one of ``LANGUAGES``.
        args: what the event or finding carries; seconds under names in ``_s``.

    Raises:
        KeyError: no such language.
    """
    entry = _texts(language)["code"][code]
    return Words(*(_fill(entry[part], language, args) for part in ("short", "sentence", "advice")))


def refusal(reason: str, language: str) -> str:
    """Why a restart does not happen, as the end of a sentence; an unknown reason is returned as it is."""
    return str(_texts(language)["refusal"].get(reason, reason))


def strength(word: Strength, language: str) -> str:
    """A signal, judged as a whole, in one word."""
    return str(_texts(language)["strength"][word])


def panel(key: str, language: str, **args: Scalar) -> str:
    """A word of the front panel's own; keys are those of the table ``panel``.

    Raises:
        KeyError: no such key or language.
    """
    return _fill(_texts(language)["panel"][key], language, args)


def page(key: str, language: str, **args: Scalar) -> str:
    """A word of the page on the local network; keys are those of the table ``page``.

    Raises:
        KeyError: no such key or language.
    """
    return _fill(_texts(language)["page"][key], language, args)


def device(key: str, language: str, **args: Scalar) -> str:
    """What a device says of itself, in a word or two; keys are those of the table ``device``.

    Raises:
        KeyError: no such key or language.
    """
    return _fill(_texts(language)["device"][key], language, args)


def sheet(key: str, language: str, **args: Scalar) -> str:
    """A text of what is printed for the front panel; keys are those of the table ``sheet``, with dots.

    Raises:
        KeyError: no such key or language.
    """
    entry: Any = _texts(language)["sheet"]
    for part in key.split("."):
        entry = entry[part]
    return _fill(entry, language, args)


def cause(word: str, language: str) -> str:
    """A device's own word for what is wrong with it; one that is not known is returned as it is."""
    return str(_texts(language)["cause"].get(word, word))


def figure(value: float, language: str, digits: int = 0) -> str:
    """A number with at most so many decimals, none of them for nothing."""
    if not math.isfinite(value):
        return str(_texts(language)["word"]["unknown"])
    shown = f"{round(value, digits) + 0.0:.{digits}f}"  # adding 0 makes of -0 a plain 0
    plain = shown.rstrip("0").rstrip(".") if digits else shown
    return plain.replace(".", str(_texts(language)["word"]["decimal"]))


def sms(code: str, language: str, args: Mapping[str, Scalar]) -> str:
    """A text message, as it stands in the table ``sms``; ``short_message`` makes it fit.

    Raises:
        KeyError: no such code or language.
    """
    return _fill(_texts(language)["sms"][code], language, args)


def steer(why: str, language: str, args: Mapping[str, Scalar]) -> str:
    """Why an uplink is the one to use; keys are those of the table ``steer``.

    Raises:
        KeyError: no such key or language.
    """
    return _fill(_texts(language)["steer"][why], language, args)


def wait(what: str, language: str, args: Mapping[str, Scalar]) -> str:
    """What a change of the uplink waits for, as the end of a sentence; keys are those of the table ``wait``.

    Raises:
        KeyError: no such key or language.
    """
    return _fill(_texts(language)["wait"][what], language, args)


def duration(seconds: float, language: str, units: int = 2) -> str:
    """A duration as people say it: ``1 min 20 s``, ``2 h 5 min``, in its ``units`` largest units."""
    word = _texts(language)["word"]
    if not math.isfinite(seconds):
        return str(word["unknown"])
    left = round(max(0.0, seconds))
    said: list[str] = []
    for length, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"), (1, "second")):
        if left >= length:
            count, left = divmod(left, length)
            said.append(f"{count} {word[name]}")
        elif said:
            said.append("")
    return " ".join(part for part in said[:units] if part) or f"0 {word['second']}"


@cache
def _texts(language: str) -> dict[str, Any]:
    if language not in LANGUAGES:
        raise KeyError(f"no language {language!r}; there are {', '.join(LANGUAGES)}")
    source = resources.files(__package__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    texts: dict[str, Any] = tomllib.loads(source)
    return _with_french_spaces(texts) if language == "fr" else texts


def _with_french_spaces(texts: Any) -> Any:
    """Make the spaces before high punctuation and inside quotation marks unbreakable."""
    if isinstance(texts, dict):
        return {key: _with_french_spaces(value) for key, value in texts.items()}
    return re.sub(r"(?<=«) ", "\u00a0", re.sub(r" (?=[:;!?%»])", "\u00a0", texts))


def _fill(text: str, language: str, args: Mapping[str, Scalar]) -> str:
    def optional(match: re.Match[str]) -> str:
        known = all(_is_known(name, args.get(name)) for name in PLACEHOLDER.findall(match[1]))
        return match[1] if known else ""

    def value(match: re.Match[str]) -> str:
        return _say(match[1], args.get(match[1]), language)

    return PLACEHOLDER.sub(value, _OPTIONAL.sub(optional, text))


def _is_known(name: str, value: Scalar) -> bool:
    return value is not None and value != "" and not (name.endswith("_s") and value == 0)


def _say(name: str, value: Scalar, language: str) -> str:
    """One argument in words, by its name and type."""
    texts = _texts(language)
    if value is None or value == "":
        return str(texts["word"]["unknown"])
    if isinstance(value, bool):
        return str(texts["word"]["yes" if value else "no"])
    if isinstance(value, int | float):
        return duration(value, language) if name.endswith("_s") else _number(value, texts["word"]["decimal"])
    if name == "finding":
        return str(texts["code"][value]["short"]) if value in texts["code"] else value
    if name == "reason":
        return refusal(value, language)
    if name == "cause":
        return cause(value, language)
    if name in ("fate", "about", "means", "outcome"):
        return str(texts[name].get(value, value))
    if name.startswith("severity_"):
        return str(texts["severity"].get(value, value))
    if name == "waits_for":
        return _advice_of(value, language)
    if name == "part":
        return _part(value, texts["part"])
    return value


def _advice_of(code: str, language: str) -> str:
    """What the finding asks for, as the end of a sentence; an unknown code is returned as it is."""
    entry = _texts(language)["code"].get(code)
    return code if entry is None else entry["advice"][:1].lower() + entry["advice"][1:].rstrip(".")


def _number(value: float, decimal: str) -> str:
    """At most one decimal, none for whole numbers and from ten on."""
    if not math.isfinite(value):
        return "?"
    shown = f"{value:.0f}" if abs(value) >= 10 or value == round(value) else f"{value:.1f}"
    return shown.removesuffix(".0").replace(".", decimal)


def _part(value: str, table: Mapping[str, str]) -> str:
    kind, _, name = value.partition(":")
    return table[kind].replace("{name}", name) if kind in table else value
