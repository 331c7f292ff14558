"""Ten sites that are broken in ten ways, one that is sound, and one thing that holds for all of them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from audit_ground import live, well
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as struct_replace

from agent.audit.advice import advised
from agent.audit.catalogue import RULES
from agent.audit.drawing import html, rows
from agent.audit.judging import Audit, audited
from agent.audit.lines import lines
from agent.audit.points import GRADES, Ground
from agent.audit.rules_lines import WARNINGS
from agent.audit.words import LANGUAGES, table
from agent.config.reader import parse
from agent.config.schema import Config

SITES = {path.stem: path.read_text() for path in sorted((Path(__file__).parent / "sites").glob("*.toml"))}


def ground_of(text: str) -> Ground:
    ground = well(parse(text))
    for told in re.findall(r"^# live: (.*)$", text, re.MULTILINE):
        ground = live(ground, told)
    return ground


def weak(audit: Audit) -> list[str]:
    return [
        f"{point.code} {point.found.subject} {point.found.grade}" + ("" if point.found.known else " ?")
        for point in audit.points
    ]


@pytest.mark.parametrize("name", SITES)
def test_a_broken_site_has_exactly_its_weak_points(name: str) -> None:
    """What each file says is what is found, nothing else, the worst first."""
    expected = re.findall(r"^# weak: (.*)$", SITES[name], re.MULTILINE)
    audit = audited(ground_of(SITES[name]))
    assert sorted(weak(audit)) == sorted(expected)
    assert [GRADES.index(point.found.grade) for point in audit.points] == sorted(
        GRADES.index(point.found.grade) for point in audit.points
    )


def test_the_sites_show_every_kind_of_weak_point() -> None:
    """No rule is left that no site breaks."""
    shown = {
        found.split()[0]
        for text in SITES.values()
        for found in re.findall(r"^# weak: (.*)$", text, re.MULTILINE)
    }
    assert shown == set(RULES)


def test_scores_follow_from_the_weak_points() -> None:
    """100 where nothing is weak, 0 where no backup is, and shares that multiply between."""
    scores = {name[:2]: audited(ground_of(text)).scores for name, text in SITES.items()}
    assert set(scores["00"].values()) == {100}
    assert (scores["01"]["paths"], scores["01"]["failover"]) == (0, 0)
    assert scores["02"]["paths"] == round(100 * 0.4 * 0.75)
    assert scores["04"]["power"] == round(100 * 0.4 * 0.4 * 0.9)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SITES)
def test_every_audit_can_be_told(name: str, language: str) -> None:
    """Within 80 columns, and as a page; nothing is left to be filled."""
    ground = ground_of(SITES[name])
    told = list(lines(audited(ground), advised(ground), None, language, "2026-11-25", ""))
    drawn = ["".join(text for text, _ in row) for row in rows(told, 80)]
    assert max(map(len, drawn)) <= 80
    page = html(told, language)
    assert not [line for line in drawn if re.search(r"[{}]", line)]
    assert all(line.lead in "\n".join(drawn) for line in told)
    assert "<script" not in page
    assert page.count("<h1>") == 1


def test_what_differs_in_its_subject_alone_is_told_once() -> None:
    """Three boxes with one question are one question; with different answers they are not."""
    ground = ground_of(SITES["10-nothing-known"])
    told = [line.text for line in lines(audited(ground), advised(ground), None, "en", "", "")]
    assert (
        len([text for text in told if text.startswith("livebox, modem-cable, modem-4g: does it stay on")])
        == 1
    )
    ground = ground_of(SITES["07-nothing-switches"])
    told = [
        line.text
        for line in lines(audited(live(ground, "carried 4g 200")), advised(ground), None, "en", "", "")
    ]
    assert len([text for text in told if "last carried the site" in text]) == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_warning_of_the_agent_has_its_words(language: str) -> None:
    """A finding that counts as a weak point can be told."""
    assert set(table(language)["point"]["line_warned"]["found"]) == set(WARNINGS)


def test_what_people_wrote_is_no_markup() -> None:
    """A label with marks of HTML is shown as it is."""
    ground = ground_of(SITES["00-sound"].replace('name = "garage"', 'name = "garage"\nlabel = "<b>&"', 1))
    page = html(lines(audited(ground), advised(ground), None, "fr", "", ""), "fr")
    assert "<b>" not in page
    assert "&lt;b&gt;&amp;" in page


def test_both_languages_say_the_same_things() -> None:
    """Each text of French, the reference, is there in English, with the same holes."""

    def flat(content: object, path: str = "") -> dict[str, set[str]]:
        if isinstance(content, dict):
            return {k: v for key, inner in content.items() for k, v in flat(inner, f"{path}.{key}").items()}
        return {path: set(re.findall(r"\{(\w+)\}", str(content)))}

    french, english = flat(table("fr")), flat(table("en"))
    assert french == english
    assert set(table("fr")["point"]) == set(RULES)


# --- facts -------------------------------------------------------------------------------------------------


def all_facts(config: Config) -> list[tuple[str, int, str]]:
    """Every fact that is told: whose, at which place, which."""
    told = [("site", 0, name) for name in config.site.facts.__struct_fields__]
    for section in ("uplink", "box"):
        for place, entry in enumerate(getattr(config, section)):
            told += [(section, place, name) for name in entry.facts.__struct_fields__]
    return [*told, *(("operator", place, "operator") for place in range(len(config.uplink)))]


def without(config: Config, facts: set[tuple[str, int, str]]) -> Config:
    """The configuration as if these had never been told."""

    def forgotten(entry, section: str, place: int):  # type: ignore[no-untyped-def]
        gone = {name for whose, where, name in facts if (whose, where) == (section, place)}
        fresh = type(entry.facts)()
        return struct_replace(
            entry, facts=struct_replace(entry.facts, **{name: getattr(fresh, name) for name in gone})
        )

    uplinks = [forgotten(one, "uplink", place) for place, one in enumerate(config.uplink)]
    uplinks = [
        struct_replace(one, operator=None) if ("operator", place, "operator") in facts else one
        for place, one in enumerate(uplinks)
    ]
    boxes = tuple(forgotten(one, "box", place) for place, one in enumerate(config.box))
    return struct_replace(config, site=forgotten(config.site, "site", 0), uplink=tuple(uplinks), box=boxes)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_forgetting_a_fact_never_improves_a_score(data: st.DataObject) -> None:
    """Whoever leaves a question open gains nothing by it, neither in points nor in the exit code."""
    ground = ground_of(SITES[data.draw(st.sampled_from(sorted(SITES)))])
    facts = set(data.draw(st.lists(st.sampled_from(all_facts(ground.config)), max_size=6)))
    first = replace(ground, config=without(ground.config, facts))
    more = data.draw(st.sampled_from(all_facts(ground.config)))
    then = replace(ground, config=without(ground.config, {*facts, more}))
    before, after = audited(first), audited(then)
    assert all(after.scores[axis] <= before.scores[axis] for axis in before.scores), more
    assert _rank(after) <= _rank(before)


def _rank(audit: Audit) -> int:
    """0 the worst."""
    return len(GRADES) if audit.worst is None else GRADES.index(audit.worst)
