"""The words: complete, the same in both languages, short enough for the screen, and well written."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from importlib import resources
from typing import Any

import pytest

from agent.core.business import Means
from agent.core.codes import EVENTS, FINDINGS, Code, Severity
from agent.core.devices import Registration, Sim, Strength
from agent.core.model import Scalar
from agent.sinks import font
from agent.sinks.canvas import BIG, MARGIN, SIZE, wrapped
from agent.text import LANGUAGES, PLACEHOLDER, cause, device, duration, figure, panel, refusal, words
from hardware.box_port import LineCause

ARGS: dict[Code, set[str]] = {
    Code.ALL_WELL: set(),
    Code.UPLINK_SUSPECT: {"silent_s"},
    Code.UPLINK_DOWN: {"why"},
    Code.UPLINK_UP: {"down_s"},
    Code.UPLINK_DEGRADED: {"loss_pct", "rtt_ms", "mos"},
    Code.UPLINK_UNKNOWN: {"why"},
    Code.FINDING_CLOSED: {"finding", "lasted_s"},
    Code.INCIDENT_OPENED: {"finding", "means", "again"},
    Code.INCIDENT_CAUSE: {"finding", "means"},
    Code.INCIDENT_SEVERITY: {"finding", "means", "severity_old", "severity_new"},
    Code.INCIDENT_REMINDER: {"finding", "means", "lasted_s", "waits_for", "count"},
    Code.INCIDENT_CLOSED: {
        "finding",
        "lasted_s",
        "offline_s",
        "severity_worst",
        "causes",
        "cycles",
        "soft",
        "outcome",
        "boxes",
        "person",
        "returns",
        "again",
    },
    Code.CYCLE_ORDERED: {"finding", "how", "by", "force"},
    Code.BOX_CUT: {"off_s"},
    Code.BOX_REBOOTING: {"boot_s"},
    Code.BOX_RESTORED: {"boot_s"},
    Code.CYCLE_HELPED: {"took_s"},
    Code.CYCLE_DID_NOT_HELP: set(),
    Code.CYCLE_REFUSED: {"reason", "for_s", "by", "force"},
    Code.ADDRESS_CHANGED: {"old", "new"},
    Code.HOLD_SET: {"by", "for_s"},
    Code.HOLD_ENDED: {"by"},
    Code.RELAY_PROVEN: {"seen", "gone_s", "back_s"},
    Code.RELAY_UNPROVEN: {"reason", "other"},
    Code.TEXT_SENT: {"number", "about"},
    Code.TEXT_FAILED: {"number", "about", "fate", "for_s", "detail"},
    Code.EVENTS_LOST: {"count", "first_seq", "last_seq", "since", "until"},
    Code.AGENT_STARTED: {"armed"},
    Code.AGENT_STOPPED: set(),
    Code.DEGRADED: {"loss_pct", "rtt_ms", "mos"},
    Code.TARGET_PROBLEM: {"target"},
    Code.SERVICE_DOWN: {"place"},
    Code.SERVICE_CUT_OFF: {"through", "works"},
    Code.SERVICE_BLOCKED: {"ways"},
    Code.CERTIFICATE_ENDS: {"days"},
    Code.PART_FAILED: {"part", "detail"},
    Code.RELAY_FAILED: {"detail"},
    Code.NEEDS_HUMAN: {"cycles"},
    Code.OWN_TROUBLE: {"why"},
    Code.RP_FILTER_STRICT: {"detail"},
    Code.PING_FORBIDDEN: {"detail"},
    Code.BUDGET_UNREADABLE: {"detail"},
    Code.DATA_SPENT: {"used_mb", "limit_mb", "every_s"},
    Code.DATA_SAVING: {"used_mb", "limit_mb", "every_s"},
    Code.WARMING_UP: set(),
    Code.BAY_DARK: set(),
    Code.EVERYTHING_DOWN: set(),
    Code.CABLE_OR_POWER: set(),
    Code.BOX_HUNG: set(),
    Code.LINE_OR_OPERATOR: set(),
    Code.LINE_DOWN: {"cause"},
    Code.OPERATOR_OUTAGE: {"operator", "others"},
    Code.MODEM_HUNG: set(),
    Code.SIM_TROUBLE: {"sim", "registration"},
    Code.NO_SIGNAL: set(),
    Code.NO_NETWORK: set(),
    Code.DATA_REFUSED: {"used_gb", "limit_gb"},
    Code.ACCOUNT_STOPPED: {"cause"},
    Code.DEVICE_BUSY: {"cause"},
    Code.VIEW_BLOCKED: set(),
    Code.SIGNAL_WEAK: {"power_dbm", "sinr_db", "band"},
    Code.SIGNAL_DROPPED: {"power_dbm", "sinr_db", "band", "drop_db"},
    Code.LIGHT_WEAK: {"rx_dbm"},
    Code.VIEW_OBSTRUCTED: {"obstructed_pct"},
    Code.DATA_LOW: {"used_gb", "limit_gb"},
    Code.ROAMING: {"operator"},
    Code.WRONG_BAND: {"band", "wanted"},
    Code.DEVICE_SILENT: {"why"},
    Code.DEVICE_LOCKED: {"why"},
    Code.WALLED_GARDEN: set(),
    Code.NAMES_FAIL: set(),
    Code.RELAY_NO_EFFECT: set(),
    Code.RELAY_WRONG_BOX: {"instead"},
    Code.FAILOVER_MISSING: {"from", "to", "from_label", "to_label", "expect_s", "by_hand"},
    Code.SITE_PATH_DOWN: {"router"},
    Code.BACKUP_UNPROVEN: {"longest_s", "drop_db"},
    Code.FAILOVER: {"from", "to", "from_label", "to_label", "silent_s"},
    Code.FAILBACK: {"from", "to", "from_label", "to_label", "silent_s"},
    Code.SITE_INTERRUPTED: {"silent_s", "uplink", "uplink_label"},
    Code.PUBLIC_ADDRESS_CHANGED: {"old", "new"},
    Code.ADDRESS_SHARED: {"address"},
    Code.RESTARTING: set(),
    Code.BY_HAND: set(),
}
"""What each event and finding carries besides ``label``."""

REASONS = (
    "not_armed",
    "no_relay",
    "no_relay_hardware",
    "hold",
    "budget_unreadable",
    "boot_loop",
    "warming_up",
    "power_returned",
    "not_curable",
    "not_yet",
    "other_box",
    "works",
    "last_working",
    "not_known",
    "in_cycle",
    "not_proven",
    "must_work",
    "relay_no_effect",
    "relay_wrong_box",
    "relay_not_alone",
    "relay_not_back",
    "no_box",
    "hold_length",
    "incident_budget",
    "day_budget",
    "spacing",
    "everything_down",
    "relay_failed",
    "reboot_refused",
    "answers_again",
    "has_not_helped",
    "never_seen",
    "other_first",
    "maintenance",
)

FULL: dict[str, Scalar] = {
    "label": "Fibre",
    "silent_s": 12.0,
    "why": "no answer",
    "down_s": 80.0,
    "loss_pct": 8.25,
    "rtt_ms": 412,
    "mos": 2.9,
    "finding": "box_hung",
    "lasted_s": 80.0,
    "cycles": 2,
    "off_s": 10.0,
    "boot_s": 120.0,
    "took_s": 95.0,
    "reason": "hold",
    "for_s": 300.0,
    "old": "192.0.2.1",
    "new": "192.0.2.2",
    "by": "button",
    "force": False,
    "seen": "carrier",
    "gone_s": 0.4,
    "back_s": 2.0,
    "other": "4G",
    "armed": True,
    "target": "1.1.1.1",
    "part": "relay:ftth",
    "detail": "errno 5",
    "how": "cut",
    "cause": "no_light",
    "used_gb": 41.5,
    "limit_gb": 50,
    "power_dbm": -112,
    "sinr_db": -1,
    "band": "B20",
    "wanted": "B3, B7",
    "drop_db": 8,
    "rx_dbm": -28.4,
    "obstructed_pct": 3.5,
    "operator": "Orange",
    "others": "Fibre 2",
    "sim": "missing",
    "registration": "denied",
    "instead": "Fibre 2",
    "number": "*********678",
    "about": "no_internet",
    "fate": "refused",
    "used_mb": 31,
    "limit_mb": 50,
    "every_s": 23.0,
    "place": "sip.example.net:5060 udp",
    "through": "Fibre",
    "works": "4G",
    "ways": "4G, Starlink",
    "days": 12,
    "from": "ftth",
    "to": "cellular",
    "from_label": "Fibre",
    "to_label": "4G",
    "uplink": "ftth",
    "uplink_label": "Fibre",
    "expect_s": 60.0,
    "longest_s": 43200.0,
    "by_hand": "page 3 of the binder",
    "router": "192.168.1.1",
    "address": "192.0.2.7",
    "count": 2,
    "first_seq": 12,
    "last_seq": 340,
    "since": "2027-01-15T08:03:30Z",
    "until": "2027-01-16T08:03:30Z",
    "means": "on_backup",
    "again": 2,
    "severity_old": "warning",
    "severity_new": "alert",
    "waits_for": "needs_human",
    "offline_s": 40.0,
    "outcome": "helped",
    "returns": 3,
}
COLUMNS = SIZE[0] - 2 * MARGIN
IN_BOTH = [(code, language) for code in Code for language in LANGUAGES]


def source(language: str) -> dict[str, Any]:
    text = resources.files("agent.text").joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def flat(table: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Every text under its dotted path."""
    out: dict[str, str] = {}
    for key, value in table.items():
        path = f"{prefix}{key}"
        out |= flat(value, f"{path}.") if isinstance(value, dict) else {path: value}
    return out


FR, EN = (flat(source(language)) for language in LANGUAGES)


def test_every_code_is_a_finding_or_an_event_with_known_args() -> None:
    """The table of this test covers the catalogue."""
    assert set(ARGS) == set(Code) == {Code.ALL_WELL, *FINDINGS, *EVENTS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_and_reason_has_words(language: str) -> None:
    """No code is without an entry, and no entry without a code."""
    texts = source(language)
    assert set(texts["code"]) == {code.value for code in Code}
    assert set(texts["refusal"]) == set(REASONS)
    assert {tuple(entry) for entry in texts["code"].values()} == {("short", "sentence", "advice")}


def test_both_languages_have_the_same_keys() -> None:
    """English is complete and says nothing that French does not."""
    assert list(FR) == list(EN)


@pytest.mark.parametrize("path", FR)
def test_both_languages_tell_the_same_facts(path: str) -> None:
    """The same placeholders stand in both, the same optional parts too."""
    assert sorted(PLACEHOLDER.findall(FR[path])) == sorted(PLACEHOLDER.findall(EN[path]))
    assert _optional(FR[path]) == _optional(EN[path])


def _optional(text: str) -> list[list[str]]:
    return [PLACEHOLDER.findall(part) for part in re.findall(r"\[([^\]]*)\]", text)]


@pytest.mark.parametrize("code", Code)
def test_placeholders_are_what_the_code_carries(code: Code) -> None:
    """A text cannot ask for what the core does not tell, and the screen's text asks for nothing."""
    for part in ("short", "sentence", "advice"):
        assert set(PLACEHOLDER.findall(FR[f"code.{code}.{part}"])) <= ARGS[code] | {"label"}
    assert "{" not in FR[f"code.{code}.short"]


@pytest.mark.parametrize(("code", "language"), IN_BOTH)
def test_all_is_filled_in(code: Code, language: str) -> None:
    """With all args no hole, no brace and no bracket is left."""
    said = words(code, language, FULL)
    assert said.short
    assert said.sentence
    assert not re.search(r"[][{}?]", said.sentence)


@pytest.mark.parametrize(("code", "language"), IN_BOTH)
def test_a_missing_arg_leaves_a_question_mark(code: Code, language: str) -> None:
    """No text fails for want of an arg, or for an arg that is null."""
    nulls: dict[str, Scalar] = dict.fromkeys(FULL)
    for args in ({}, nulls):
        said = words(code, language, args)
        assert "{" not in said.sentence
        assert "None" not in said.sentence
        assert not re.search(r"[][]", said.sentence)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", [*FINDINGS, Code.ALL_WELL])
def test_a_finding_fits_the_screen_as_a_headline(code: Code, language: str) -> None:
    """The short text stands in one line at twice the size; the advice in two lines."""
    said = words(code, language, FULL)
    assert font.width(said.short) * BIG <= COLUMNS
    lines = wrapped(said.advice, COLUMNS)
    assert len(lines) <= 2
    assert max(font.width(line) for line in lines) <= COLUMNS


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", EVENTS)
def test_an_event_fits_one_line_of_the_screen(code: Code, language: str) -> None:
    """The short text of an event stands in one line at normal size."""
    assert font.width(words(code, language, FULL).short) <= COLUMNS


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", REASONS)
def test_a_refusal_fits_the_foot_of_the_screen(reason: str, language: str) -> None:
    """Why no box is restarted stands in two lines."""
    lines = wrapped(panel("unarmed", language, reason=reason), COLUMNS)
    assert len(lines) <= 2
    assert max(font.width(line) for line in lines) <= COLUMNS


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_screen_can_draw_every_letter(language: str) -> None:
    """No text holds a letter that the screen shows as a hollow box."""
    texts = [text for code in Code for text in _parts(code, language)]
    texts += [refusal(reason, language) for reason in REASONS]
    assert {letter for text in texts for letter in text if not font.has(letter)} == set()


def _parts(code: Code, language: str) -> tuple[str, str, str]:
    said = words(code, language, FULL)
    return said.short, said.sentence, said.advice


@pytest.mark.parametrize("code", FINDINGS)
def test_every_finding_says_what_to_do(code: Code) -> None:
    """An advice is one sentence: a capital, one full stop at its end."""
    for language in LANGUAGES:
        assert re.fullmatch(r"[A-ZÀÉ][^.!?:;]*\.", words(code, language, FULL).advice)


@pytest.mark.parametrize("texts", [FR, EN], ids=LANGUAGES)
@pytest.mark.parametrize("part", ["short", "sentence", "advice"])
def test_no_two_codes_say_the_same(texts: dict[str, str], part: str) -> None:
    """Two codes with equal words would be a copy by mistake."""
    said = Counter(text for path, text in texts.items() if path.endswith(f".{part}") and text)
    assert [text for text, count in said.items() if count > 1] == []


@pytest.mark.parametrize("path", [path for path in FR if path.startswith("code.")])
def test_nothing_was_left_untranslated(path: str) -> None:
    """Where there are words, the two languages differ."""
    assert FR[path] == "" == EN[path] or FR[path] != EN[path]


@pytest.mark.parametrize("code", Code)
def test_sentences_are_sentences(code: Code) -> None:
    """Each begins with a capital, a name or a placeholder, ends with one stop, holds no double space."""
    for texts in (FR, EN):
        sentence, short = texts[f"code.{code}.sentence"], texts[f"code.{code}.short"]
        assert re.match(r"[A-ZÀÉ{]", sentence)
        assert re.search(r"[^.]\.$", sentence)
        assert "  " not in sentence
        assert not short.endswith(".")
        assert short[0].isupper()


@pytest.mark.parametrize("code", Code)
def test_french_typography(code: Code) -> None:
    """Curly apostrophes, unbreakable space before high punctuation, French quotation marks."""
    for text in _parts(code, "fr"):
        assert "'" not in text
        assert '"' not in text
        assert "..." not in text
        assert not re.search(r"[^\u00a0][:;!?%»](?!\d)", text)
        assert not re.search(r"«[^\u00a0]", text)


@pytest.mark.parametrize("code", Code)
def test_english_typography(code: Code) -> None:
    """No space before punctuation, no French quotation marks."""
    for text in _parts(code, "en"):
        assert not re.search(r"\s[:;!?%.,]", text)
        assert "«" not in text


DEVICE = [path.removeprefix("device.") for path in FR if path.startswith("device.")]
SAID: dict[str, Scalar] = {
    **dict.fromkeys(("why", "dbm", "db", "used", "limit", "pct"), "7,5"),
    "ago_s": 300.0,
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_a_device_has_words(language: str) -> None:
    """Each strength, each state of the card and of the registration, each cause that drivers name."""
    keys = {f"sim_{word}" for word in Sim} | {f"registration_{word}" for word in Registration}
    assert keys <= set(DEVICE)
    assert {word.value for word in Strength} == set(source(language)["strength"])
    assert {word.value for word in LineCause} == set(source(language)["cause"])


@pytest.mark.parametrize("key", DEVICE)
def test_what_a_device_says_is_filled_in(key: str) -> None:
    """With all args no hole is left; the two languages differ but for figures."""
    fr, en = (device(key, language, **SAID) for language in LANGUAGES)
    assert not re.search(r"[][{}?]", fr + en)
    assert fr != en or key in ("power", "clean")


@pytest.mark.parametrize("key", DEVICE)
def test_typography_of_what_a_device_says(key: str) -> None:
    """Each language's own apostrophes and spaces before punctuation; never a capital at the beginning."""
    fr, en = (device(key, language, **SAID) for language in LANGUAGES)
    assert not re.search(r"['\"]|\.\.\.|[^\u00a0][:;!?%»]", fr)
    assert not re.search(r"\s[:;!?%.,]|«", en)
    assert not any(re.match(r"[A-ZÀÉ][a-zé]", text) for text in (fr, en))
    assert not any(text.endswith(".") for text in (fr, en))


@pytest.mark.parametrize(
    ("value", "digits", "fr", "en"),
    [
        (-21.34, 1, "-21,3", "-21.3"),
        (50.0, 1, "50", "50"),
        (12.44, 1, "12,4", "12.4"),
        (-107.6, 0, "-108", "-108"),
        (100, 0, "100", "100"),
        (-0.04, 1, "0", "0"),
        (0.0, 0, "0", "0"),
        (float("nan"), 1, "?", "?"),
    ],
)
def test_figures(value: float, digits: int, fr: str, en: str) -> None:
    """So many decimals and no more, none for nothing, the local decimal mark."""
    assert (figure(value, "fr", digits), figure(value, "en", digits)) == (fr, en)


@pytest.mark.parametrize("path", FR)
def test_no_jargon(path: str) -> None:
    """Nothing that a receptionist would have to look up; the one setting's name is for the technician."""
    jargon = r"(?i)\b(gateway|passerelle|dhcp|icmp|ping|uplink|wan|lan|ip|timeout|latence|socket|mqtt|gpio)\b"
    assert not re.search(jargon, FR[path])
    assert not re.search(jargon, EN[path])


@pytest.mark.parametrize(
    ("seconds", "fr", "en"),
    [
        (0, "0 s", "0 s"),
        (-3, "0 s", "0 s"),
        (45, "45 s", "45 s"),
        (59.6, "1 min", "1 min"),
        (80, "1 min 20 s", "1 min 20 s"),
        (3600, "1 h", "1 h"),
        (3605, "1 h", "1 h"),
        (7500, "2 h 5 min", "2 h 5 min"),
        (86400, "1 j", "1 d"),
        (97200.4, "1 j 3 h", "1 d 3 h"),
        (float("inf"), "?", "?"),
        (float("nan"), "?", "?"),
    ],
)
def test_durations(seconds: float, fr: str, en: str) -> None:
    """A duration is said in its two largest units."""
    assert (duration(seconds, "fr"), duration(seconds, "en")) == (fr, en)


def test_a_duration_in_one_unit() -> None:
    """Where there is little room, only the largest unit is said."""
    assert duration(7500, "fr", units=1) == "2 h"


def test_nested_words() -> None:
    """A finding inside an event is said by its short text, a reason by its refusal, a part by its name."""
    assert "«\u00a0Box bloquée\u00a0»" in words(Code.INCIDENT_OPENED, "fr", FULL).sentence
    refused = words(Code.CYCLE_REFUSED, "fr", {**FULL, "by": None}).sentence
    assert refused == "Fibre\u00a0: pas de redémarrage, une pause est demandée. Possible dans 5 min."
    assert "le relais ftth" in words(Code.PART_FAILED, "fr", FULL).sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_an_incident_means_has_words(language: str) -> None:
    """Each meaning, each severity and each outcome of the restarts."""
    texts = source(language)
    assert set(texts["means"]) == set(Means)
    assert set(texts["severity"]) == set(Severity)
    assert set(texts["outcome"]) == {"helped", "not_helped", "unknown"}


def test_the_turns_of_an_incident_read_well() -> None:
    """What is wrong, what it means, what was done, and what is to be done, in one or two sentences."""
    opened = words(Code.INCIDENT_OPENED, "en", {**FULL, "again": None}).sentence
    assert opened == "Fibre: an incident begins, “Box is stuck”; the site works on a backup connection."
    ended: dict[str, Scalar] = {**FULL, "lasted_s": 720.0, "offline_s": 0.0, "cycles": 1, "returns": None}
    assert words(Code.INCIDENT_CLOSED, "fr", ended).sentence == (
        "Fibre\u00a0: l’incident «\u00a0Box bloquée\u00a0» est terminé au bout de 12 min. "
        "Internet coupé\u00a0: 0 s\u00a0; redémarrages\u00a0: 1, cela a aidé."
    )
    reminder = words(Code.INCIDENT_REMINDER, "fr", FULL).sentence
    assert reminder.endswith("(rappel 2)\u00a0: appelez l’assistance informatique.")


def test_what_is_not_known_is_left_out() -> None:
    """An optional part disappears with its arg, and a duration of nothing is not told."""
    assert words(Code.CYCLE_REFUSED, "en", {**FULL, "for_s": None}).sentence == (
        "Fibre: no restart, a pause is asked for. Asked for by: button."
    )
    assert words(Code.CYCLE_ORDERED, "en", {**FULL, "by": None}).sentence == (
        "Fibre: Vigie is going to restart this box (“Box is stuck”)."
    )
    assert words(Code.UPLINK_UP, "en", {"label": "Fibre", "down_s": 0}).sentence == "Fibre works."
    assert words(Code.UPLINK_UP, "en", FULL).sentence == "Fibre works again, after 1 min 20 s down."


def test_numbers_are_written_the_local_way() -> None:
    """A comma in French, a point in English, yes and no in words."""
    assert "8,2\u00a0%" in words(Code.DEGRADED, "fr", FULL).sentence
    assert "8.2%" in words(Code.DEGRADED, "en", FULL).sentence
    assert words(Code.AGENT_STARTED, "fr", {"armed": False}).sentence.endswith("non.")


def test_unknown_words_are_shown_as_they_are() -> None:
    """A reason or finding from a newer version does not break an older reader."""
    assert refusal("brand_new", "fr") == cause("brand_new", "fr") == "brand_new"
    assert "brand_new" in words(Code.INCIDENT_OPENED, "fr", {"finding": "brand_new"}).sentence
    assert "fan" in words(Code.PART_FAILED, "fr", {"part": "fan"}).sentence


def test_args_are_not_read_as_texts() -> None:
    """Braces and brackets in a label are shown, not interpreted."""
    assert words(Code.UPLINK_DOWN, "en", {"label": "{why} [x {old}]"}).sentence == "{why} [x {old}] is down."


def test_an_unknown_language_is_an_error() -> None:
    """The message lists the languages there are."""
    with pytest.raises(KeyError, match="fr, en"):
        words(Code.ALL_WELL, "de", {})
