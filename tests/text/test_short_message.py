"""Text messages in words: one SMS of the GSM alphabet, whatever the site is called."""

from __future__ import annotations

import tomllib
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.letters import Fate, TextCode
from agent.text import LANGUAGES
from agent.text.short_message import LABEL_CHARACTERS, LONGEST, plain, short_message
from hardware.sms import text_message

ARGS = {
    TextCode.NO_INTERNET: [{"since": "22/11 09:14", "cycles": 12}, {"for_s": 1_000_000.0, "cycles": 12}, {}],
    TextCode.BAY_DARK: [{"since": "22/11 09:14", "cycles": 12}, {"for_s": 1_000_000.0}, {}],
    TextCode.BACK: [{"since": "22/11 09:14", "lasted_s": 1_000_000.0}, {}],
}
EVERY = [(code, args, language) for code, each in ARGS.items() for args in each for language in LANGUAGES]


def is_one_sms(text: str) -> bool:
    message = text_message("+33612345678", text)
    return message.septets is not None and len(message.septets) <= LONGEST


@pytest.mark.parametrize(("code", "args", "language"), EVERY)
def test_the_longest_message_is_one_sms_and_is_not_cut(
    code: TextCode, args: dict[str, str | float], language: str
) -> None:
    """With the longest label, date, duration and count."""
    label = "W" * LABEL_CHARACTERS
    text = short_message(code, language, {"label": label, **args})
    assert is_one_sms(text)
    assert label in text
    assert text.endswith("."), "nothing was cut off"
    assert "?" not in text
    assert "[" not in text


@given(label=st.text(max_size=60), code=st.sampled_from(TextCode), language=st.sampled_from(LANGUAGES))
def test_any_label_makes_one_sms(label: str, code: TextCode, language: str) -> None:
    """Letters of any alphabet, signs, pictures, line ends."""
    text = short_message(code, language, {"label": label, **ARGS[code][0]})
    assert is_one_sms(text)
    assert text.endswith(".")


@given(st.text())
def test_plain_text_stays_as_it_is(text: str) -> None:
    """What was made plain once is plain."""
    assert plain(plain(text)) == plain(text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Été à Besançon, forêt, Noël", "Été à Besancon, foret, Noel"),
        ("l’œuvre « neuve » – 5 €", 'l\'oeuvre " neuve " - 5 EUR'),
        ("a\u00a0b\u202fc\n d", "a b c d"),
        ("[a]{b}~c|d\\e^f", "(a)(b)-c/d/e?f"),
        ("Łódź 🚗", "?odz ?"),
    ],
)
def test_letters_that_an_sms_has_not_are_written_like_them(text: str, written: str) -> None:
    """Accents go where they must; what is like nothing is a question mark."""
    assert plain(text) == written


def test_the_messages_say_what_where_since_when_and_what_is_done() -> None:
    """As they arrive on a telephone."""
    args = {"label": "Garage Martin", "since": "09:14", "for_s": None, "cycles": None}
    assert short_message(TextCode.NO_INTERNET, "fr", args) == (
        "Vigie Garage Martin: plus aucun accès à internet depuis 09:14, tous opérateurs. Vigie réessaie."
    )
    assert short_message(
        TextCode.NO_INTERNET, "en", {**args, "since": None, "for_s": 180.0, "cycles": 1}
    ) == (
        "Vigie Garage Martin: no internet at all for 3 min, all operators. Restarts tried: 1. "
        "Vigie keeps trying."
    )
    back = {"label": "Garage Martin", "since": "10:02", "lasted_s": 2880.0}
    assert short_message(TextCode.BACK, "fr", back) == (
        "Vigie Garage Martin: internet de nouveau là depuis 10:02, après 48 min de coupure."
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_and_every_fate_that_is_told_has_words(language: str) -> None:
    """None too few and none too many."""
    source = resources.files("agent.text").joinpath(f"{language}.toml").read_text(encoding="utf-8")
    texts = tomllib.loads(source)
    assert set(texts["sms"]) == set(texts["about"]) == {code.value for code in TextCode}
    assert set(texts["fate"]) == {Fate.REFUSED.value, Fate.UNKNOWN.value}
