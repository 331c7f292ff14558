"""The page on the local network as bytes: what it says in each state, and what it must not say."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import UTC
from html.parser import HTMLParser
from typing import Any

import pytest
from conftest import MONO, make_scenes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.core.codes import FINDINGS, Code, Severity
from agent.core.devices import DeviceKind, Radio, Says, Strength
from agent.core.model import Event, Recorded
from agent.core.snapshot_types import DeviceView, Health, Phase, Snapshot
from agent.sinks.web.document import document, policy
from agent.sinks.web.markup import Html, html, joined, tag
from agent.sinks.web.panel import Shown, headline, level, panel_main
from agent.sinks.web.sheet import sheet_main
from agent.sinks.web.sink import FRESH_S, WebSettings, WebSink
from agent.text import LANGUAGES, page, refusal, words
from agent.text import strength as text_of

Build = Callable[..., Any]
SCENES = sorted(make_scenes())
VOID = {"meta", "link", "br"}
PARTS = {"path", "rect", "circle"}


class Page(HTMLParser):
    """A strict reader: every element that is opened is closed, in order."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in PARTS

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.text.append(data)

    @property
    def words(self) -> str:
        """What a person reads, with single spaces."""
        return re.sub(r"[ \n]+", " ", "".join(self.text))


def shown(snapshot: Snapshot, language: str = "fr", **changes: Any) -> str:
    return Page(panel_main(Shown(snapshot, language, zone=UTC, **changes))).words


def sink(snapshot: Snapshot, *past: Recorded, known: bool = True, mono: float = MONO) -> WebSink:
    made = WebSink(WebSettings("", 8080, (), "fr", snapshot.label), past if known else None, lambda: mono)
    made.take(snapshot)
    return made


def device(**changes: Any) -> DeviceView:
    says = Says("cellular", heard=True, radio=Radio("4G", "B20", rsrp_dbm=-98.0), month_bytes=12_400_000_000)
    view = DeviceView(
        "modem",
        "Modem",
        "cellular",
        DeviceKind.MODEM,
        MONO,
        True,
        MONO,
        says,
        Strength.FAIR,
        None,
        50_000_000_000,
    )
    return replace(view, **changes)


# --- the panel ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scene", SCENES)
def test_the_headline_and_its_advice_are_on_the_page(
    scenes: dict[str, Snapshot], scene: str, language: str
) -> None:
    """In every state, in the words of the screen, with every uplink by its name."""
    snapshot = scenes[scene]
    text = shown(snapshot, language)
    assert headline(snapshot, language) in text
    for finding in snapshot.findings:
        told = words(finding.code, language, {**finding.args, "label": finding.label})
        assert told.advice in text
        assert told.sentence in text
    for uplink in snapshot.uplinks:
        assert uplink.label in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", FINDINGS)
def test_every_finding_can_be_shown(
    example_snapshot: Build, example_finding: Build, code: Code, language: str
) -> None:
    """No finding of the catalogue lacks its words on the page."""
    snapshot = example_snapshot(findings=(example_finding(code), example_finding(code)))
    main = panel_main(Shown(snapshot, language, zone=UTC))
    short = html(words(code, language, {}).short)
    assert f"<span>{short}</span>" in main
    assert f"<b>{short}</b>" in main


LEVELS = {
    "all_well": "good",
    "warming_up": "idle",
    "box_hung": "warn",
    "restarting_cut": "busy",
    "everything_down": "bad",
    "bay_dark": "bad",
    "suspect": "good",
}


@pytest.mark.parametrize(("scene", "how"), LEVELS.items())
def test_shape_and_colour_are_those_of_the_site_light(
    scenes: dict[str, Snapshot], scene: str, how: str
) -> None:
    """Page and front panel never disagree; a box being restarted outranks everything."""
    assert level(scenes[scene]) == how


@pytest.mark.parametrize(
    ("language", "warning"), [("fr", "Ne pas toucher"), ("en", "Do not touch")], ids=LANGUAGES
)
def test_a_cycle_counts_down_and_forbids(scenes: dict[str, Snapshot], language: str, warning: str) -> None:
    """Only while a box is being restarted."""
    text = shown(scenes["restarting_boot"], language)
    assert warning in text
    assert "1:20" in text
    assert warning not in shown(scenes["box_hung"], language)


def test_armed_or_not_is_never_silent(scenes: dict[str, Snapshot]) -> None:
    """Ready, held, withheld and not armed read differently, each with its reason."""
    ready, held, unarmed = (shown(scenes[name]) for name in ("all_well", "held", "unarmed"))
    assert page("armed", "fr") in ready
    assert page("hold", "fr", left_s="12 min") in held
    assert page("unarmed", "fr", reason="not_armed") in unarmed
    withheld = replace(scenes["all_well"], unarmed_why="power_returned")
    assert page("withheld", "fr", reason="power_returned") in shown(withheld)
    for text in (held, unarmed, shown(withheld)):
        assert page("armed", "fr") not in text


def test_a_refused_restart_has_its_reason(scenes: dict[str, Snapshot]) -> None:
    """Staff that wait for a restart are told why there is none."""
    assert refusal("day_budget", "fr") in shown(scenes["refused"])


def test_exactly_the_preferred_uplink_is_marked(scenes: dict[str, Snapshot]) -> None:
    """One mark, on its row."""
    text = shown(scenes["three_uplinks"])
    assert text.count(page("preferred", "fr")) == 1
    assert text.index("Starlink") < text.index(page("preferred", "fr")) < text.index("4G")


@pytest.mark.parametrize("health", Health)
def test_every_verdict_has_a_word_and_a_shape(
    example_snapshot: Build, example_uplink: Build, health: Health
) -> None:
    """Nothing is told by a colour alone."""
    uplink = example_uplink(health=health)
    main = panel_main(Shown(example_snapshot(uplinks=(uplink,)), "fr", zone=UTC))
    assert page(health.value, "fr") in Page(main).words
    assert 'class="symbol"' in main[main.index("<article") :]


def test_a_dead_link_shows_no_old_delay(example_snapshot: Build, example_uplink: Build) -> None:
    """What the last answers took says nothing of an unplugged cable."""
    down = example_uplink(health=Health.DOWN, carrier=False, rtt_ms=12.0, loss_pct=0.0)
    text = shown(example_snapshot(uplinks=(down,)))
    assert "12 ms" not in text
    assert page("unplugged", "fr") in text


@pytest.mark.parametrize("strength", Strength)
def test_the_signal_is_told_by_bars_and_by_a_word(example_snapshot: Build, strength: Strength) -> None:
    """Five bars for the best, one for the worst."""
    main = panel_main(Shown(example_snapshot(devices=(device(strength=strength),)), "fr"))
    full = 5 - list(Strength).index(strength)
    assert main.count('class="full"') == full
    assert main.count('class="empty"') == 5 - full
    assert text_of(strength, "fr") in Page(main).words


def test_a_modem_tells_its_figures(example_snapshot: Build) -> None:
    """Network, band, power, and what is used of the plan."""
    text = shown(example_snapshot(devices=(device(trend_db=-8.0),)))
    for said in ("4G", "B20", "−98 dBm", "12 Go ce mois-ci sur 50", "8 dB de moins"):
        assert said in text


def test_a_silent_device_is_said_to_be_silent(example_snapshot: Build) -> None:
    """Neither its bars nor a signal word are shown as if they were of now."""
    gone = device(heard=False, heard_at=MONO - 120)
    text = shown(example_snapshot(devices=(gone,)))
    assert page("not_heard", "fr", for_s=120.0) in text
    assert text_of(Strength.FAIR, "fr") not in text
    assert page("not_asked", "fr") in shown(example_snapshot(devices=(device(says=None, at=None),)))


# --- nothing that is foreign gets through -----------------------------------------------------------------


def hostile(item: Any, text: str) -> Any:
    """``item`` with ``text`` in every place that holds free text."""
    if isinstance(item, str):
        return text if type(item) is str else item
    if isinstance(item, tuple):
        return tuple(hostile(part, text) for part in item)
    if isinstance(item, dict):
        return {key: hostile(value, text) for key, value in item.items()}
    if is_dataclass(item) and not isinstance(item, type):
        kept = {"name", "uplink", "subject"}  # keys of the configuration, which allows slugs alone
        changed = {f.name: hostile(getattr(item, f.name), text) for f in fields(item) if f.name not in kept}
        return replace(item, **changed)
    return item


ATTACK = "</title></style></script><script>alert(1)</script><img src=x onerror=alert(1)>\"' onload=x \x00\x1b"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scene", SCENES)
def test_every_text_is_escaped(scenes: dict[str, Snapshot], scene: str, language: str) -> None:
    """Labels, causes, operators and reasons that hold HTML are read, never run."""
    snapshot = hostile(replace(scenes[scene], devices=(device(),)), ATTACK)
    event = Event(Code.INCIDENT_OPENED, "ftth", Severity.INFO, "i1", {"label": ATTACK, "finding": ATTACK})
    refused = Event(Code.CYCLE_REFUSED, "box", Severity.INFO, "i1", {"reason": ATTACK})
    made = sink(snapshot, *(Recorded(str(n), n, e, 1.7e9, True) for n, e in enumerate((event, refused))))
    answer = made.answer(f"/{language}")
    assert answer.status == 200
    read = Page(answer.body.decode())
    assert "alert(1)" in read.words
    assert "img" not in read.tags
    assert not any(name.startswith("on") for _, name, _ in read.attributes)
    assert answer.body.count(b"<script>") == 1
    assert not re.search(rb"[\x00-\x08\x0b-\x1f]", answer.body)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text())
def test_escaped_text_reads_back_as_itself(text: str) -> None:
    """Escaping loses nothing but what no page can hold, as content and as an attribute."""
    made = tag("p", text, title=text)
    reader = Page(made.encode("utf-8", "replace").decode())
    kept = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", "\ufffd", text)
    plain = kept.encode("utf-8", "replace").decode()
    assert {name: value for _, name, value in reader.attributes}["title"] == plain
    assert "".join(reader.text) == plain


def test_html_is_escaped_once() -> None:
    """What was made by ``tag`` is not escaped again."""
    assert joined(html("<"), Html("<b>"), "<") == "&lt;<b>&lt;"


@pytest.mark.parametrize("path", ["/", "/en", "/lights", "/en/lights"])
def test_a_page_needs_nothing_but_itself(scenes: dict[str, Snapshot], path: str) -> None:
    """No address of another server, no picture, no font, no inline style that the policy forbids."""
    body = sink(scenes["restarting_cut"]).answer(path).body.decode()
    read = Page(body)
    assert all(link.startswith("/") for link in read.links)
    assert "://" not in body
    assert not re.search(r"url\(|@import|@font-face", body)
    assert not any(name == "style" for _, name, _ in read.attributes)


@pytest.mark.parametrize("path", ["/", "/en", "/lights"])
def test_the_policy_allows_exactly_what_is_on_the_page(scenes: dict[str, Snapshot], path: str) -> None:
    """The hashes are those of the style and the script as a browser sees them."""
    body = sink(scenes["all_well"]).answer(path).body.decode()
    for kind, content in re.findall(r"<(style|script)>(.*?)</\1>", body, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy()
    assert policy().startswith("default-src 'none';")
    for forbidden in ("unsafe", "*", "data:", "http"):
        assert forbidden not in policy()
    assert "frame-ancestors 'none'" in policy()


# --- whole pages --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/fr", "/en"])
def test_the_page_asks_anew_with_scripts_and_without(scenes: dict[str, Snapshot], path: str) -> None:
    """The refresh without scripts stands where only browsers without scripts read it."""
    body = sink(scenes["all_well"]).answer(path).body.decode()
    assert re.search(r'<noscript><meta http-equiv="refresh" content="\d+"></noscript></head>', body)
    assert body.count("http-equiv") == 1
    assert page("dead", "en" if path == "/en" else "fr") in Page(body).words


def test_the_page_of_a_stuck_agent_shows_nothing_old(scenes: dict[str, Snapshot]) -> None:
    """No green is left, and the answer is no success, for scripts that look at its status."""
    fresh, stuck = (sink(scenes["all_well"], mono=MONO + late).answer("/") for late in (4.0, 6.0))
    assert (fresh.status, stuck.status) == (200, 503)
    assert words(Code.ALL_WELL, "fr", {}).short not in Page(stuck.body.decode()).words
    assert page("stuck", "fr") in Page(stuck.body.decode()).words


def test_before_the_first_decision_the_agent_is_starting() -> None:
    """Neither well nor dead."""
    starting = WebSink(WebSettings("", 8080, (), "en", "Garage"), [], lambda: 1.0).answer("/")
    assert starting.status == 503
    assert page("starting", "en") in Page(starting.body.decode()).words


def test_the_site_language_is_shown_unless_asked_otherwise(scenes: dict[str, Snapshot]) -> None:
    """The path alone chooses, and each page links to the other language."""
    made = sink(scenes["all_well"])
    for path, language, other in (("/", "fr", "/en"), ("/fr", "fr", "/en"), ("/en", "en", "/fr")):
        body = made.answer(path).body.decode()
        assert f'<html lang="{language}">' in body
        assert other in Page(body).links
    assert "/fr/lights" in Page(made.answer("/en/lights").body.decode()).links


@pytest.mark.parametrize("path", ["", "/FR", "/fr/", "//", "/../etc/passwd", "/de", "/\x00", "/lights/fr"])
def test_other_paths_are_not_there(scenes: dict[str, Snapshot], path: str) -> None:
    """And cost no memory."""
    made = sink(scenes["all_well"])
    assert made.answer(path).status == 404
    assert path not in made._pages


def test_a_page_is_drawn_once_a_second_at_most(scenes: dict[str, Snapshot]) -> None:
    """However often it is asked for, and not later than that either."""
    now = [MONO]
    made = WebSink(WebSettings("", 8080, (), "fr", "x"), [], lambda: now[0])
    made.take(scenes["all_well"])
    first = made.answer("/").body
    made.take(scenes["box_hung"])
    assert made.answer("/").body is first
    now[0] += FRESH_S
    assert words(Code.BOX_HUNG, "fr", {}).short in Page(made.answer("/").body.decode()).words


def test_the_state_is_the_payload_of_mqtt(scenes: dict[str, Snapshot]) -> None:
    """The same bytes, so that one description serves both."""
    from agent.sinks.payloads import state_payload, to_json

    answer = sink(scenes["degraded"]).answer("/state.json")
    assert answer.kind == "application/json"
    assert answer.body == to_json(state_payload(scenes["degraded"]))


def recorded(number: int, code: Code, ago_s: float, **args: Any) -> Recorded:
    event = Event(code, "ftth", Severity.INFO, "i1", {"label": "Fibre", **args})
    return Recorded(f"x-{number}", number, event, 1.7e9 - ago_s, synced=True)


def test_history_and_present_are_told_together(scenes: dict[str, Snapshot]) -> None:
    """Incidents of earlier runs, and what happens now, without telling an event twice."""
    past = recorded(1, Code.INCIDENT_OPENED, 5000, finding="line_down")
    made = sink(scenes["all_well"], past)
    made.tell(past)
    made.tell(recorded(2, Code.INCIDENT_CLOSED, 2000, finding="line_down", lasted_s=3000.0, cycles=0))
    text = Page(made.answer("/").body.decode()).words
    assert text.count(f"{words(Code.LINE_DOWN, 'fr', {}).short} (Fibre)") == 1
    assert "50 min" in text


def test_what_is_missing_is_said(scenes: dict[str, Snapshot]) -> None:
    """Hours before the start have no delay, and a history that cannot be read is no calm history."""
    fresh = Page(sink(scenes["all_well"]).answer("/").body.decode()).words
    assert fresh.count("seulement (démarrage de Vigie)") == 2
    blind = Page(sink(scenes["all_well"], known=False).answer("/").body.decode()).words
    assert page("no_history", "fr") in blind
    assert page("no_incident_history", "fr") in blind
    assert page("no_outage", "fr") not in blind


def test_an_outage_of_an_earlier_run_is_in_the_plot(scenes: dict[str, Snapshot]) -> None:
    """As a bar, and in words for those who hear the page."""
    before, made = sink(scenes["all_well"]), sink(scenes["all_well"])
    made.tell(recorded(1, Code.UPLINK_DOWN, 8000))
    made.tell(recorded(2, Code.UPLINK_UP, 4000, down_s=4002.0))
    bars = [
        s.answer("/").body.decode().split("<figcaption>")[0].count('class="down"') for s in (before, made)
    ]
    assert bars == [0, 1]
    (label,) = re.findall(r'aria-label="(Fibre[^"]*)"', made.answer("/").body.decode())
    assert "En panne" in label
    assert "1 h 6 min" in label


# --- the lights ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sheet_explains_every_light(language: str) -> None:
    """Each look with its meaning and what to do, drawn in its colour and in its rhythm."""
    main = sheet_main(language)
    text = Page(main).words
    for key in ("up", "degraded", "down", "restarting", "unknown"):
        for kind in ("look", "means", "do"):
            assert page(f"{kind}_{key}", language) in text
    for key in ("good", "warn", "bad", "idle", "dead"):
        assert page(f"means_site_{key}", language) in text
    assert main.count('class="lamp"') == 10


def strips(language: str) -> Iterator[int]:
    """How many stretches of light each strip shows."""
    for strip in re.findall(r'<svg class="strip".*?</svg>', sheet_main(language)):
        yield strip.count("<rect") - 1


def test_the_rhythms_on_the_sheet_are_those_of_the_lights() -> None:
    """In six seconds: steady, two long, six slow, twenty-four fast, dark; then the site's winks."""
    assert list(strips("fr")) == [1, 2, 6, 24, 0, 6, 9, 12, 3, 0, 6]


def test_a_document_is_utf_8_whatever_it_holds() -> None:
    """Also half a surrogate pair, as a modem may send it."""
    body = document(tag("main", "\ud800é"), "\udfff", "fr", other="/en", sheet=None, live=False)
    assert "é" in body.decode()


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.POWERED])
def test_every_phase_of_a_cycle_has_its_words(
    example_snapshot: Build, example_box: Build, phase: Phase
) -> None:
    """With and without a known end."""
    for until in (None, MONO + 5, MONO - 5):
        text = shown(example_snapshot(boxes=(example_box(phase=phase, until=until),)))
        assert page(f"phase_{phase}", "fr", label="Box ftth") in text
