"""Services as each reader gets them: messages, pages of the screen and of the network, terminals."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import MONO, make_finding, make_service, make_services, make_snapshot
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from agent.cli.terminal import panel, print_status
from agent.cli.view import View
from agent.core.codes import Code
from agent.core.service_words import Serves, ServiceKind, Snag
from agent.sinks.buttons import Kind, Page, pages
from agent.sinks.mqtt.topics import Publisher, messages
from agent.sinks.page_main import PAGE_S, render
from agent.sinks.payloads import service_payload
from agent.sinks.web.panel import Shown, panel_main
from agent.text import LANGUAGES

SCHEMAS = Path(__file__).parents[2] / "docs/schemas"
BODIES = {path.name: json.loads(path.read_text()) for path in SCHEMAS.iterdir()}
REGISTRY = Registry().with_resources([(name, Resource.from_contents(body)) for name, body in BODIES.items()])
SITE = make_snapshot(services=make_services())


def check(name: str, payload: object) -> None:
    Draft202012Validator(BODIES[name], registry=REGISTRY).validate(payload)


def test_every_service_has_its_topic_and_stands_in_the_state() -> None:
    """The same object in both, as the schemas say."""
    found = {topic: json.loads(payload) for topic, payload in messages(SITE).items()}
    topics = [topic for topic in found if topic.startswith("service/")]
    assert topics == ["service/phone", "service/cards", "service/workshop", "service/apps"]
    for topic in topics:
        check("service.json", found[topic])
    check("state.json", found["state"])
    assert found["state"]["services"] == [found[topic] for topic in topics]
    assert found["service/cards"]["uplinks"][1]["why"] == "silent"
    assert found["service/phone"]["at"] == "2023-11-14T22:13:00Z"


@pytest.mark.parametrize("serves", Serves)
@pytest.mark.parametrize("kind", ServiceKind)
def test_every_word_of_a_service_is_in_the_schema(serves: Serves, kind: ServiceKind) -> None:
    """States, kinds and reasons; nothing that could not be sent is ever told as a reason."""
    for why in (None, *(snag for snag in Snag if snag is not Snag.UNSENT)):
        way = replace(make_service().now, serves=serves, why=why, uplink=None)
        service = make_service(kind=kind, now=way, uplinks=(way,), valid_until=1.7e9)
        check("service.json", service_payload(service, SITE))


def test_news_of_a_service_does_not_wait_and_figures_do() -> None:
    """That it fails through one uplink is news; how long an answer took is not."""
    publisher = Publisher()
    publisher.due(SITE)
    (phone, *rest) = SITE.services
    slower = replace(phone, now=replace(phone.now, took_ms=99.0, at=MONO))
    later = replace(SITE, mono=MONO + 1, services=(slower, *rest))
    assert publisher.due(later) == {}
    blocked = (phone.uplinks[0], replace(phone.uplinks[1], serves=Serves.FAILS))
    worse = replace(later, services=(replace(phone, uplinks=blocked), *rest))
    assert set(publisher.due(worse)) == {"service/phone", "state"}


def test_the_page_of_services_comes_after_the_main_page() -> None:
    """Only where there are any."""
    assert Page(Kind.SERVICES) not in pages(make_snapshot())
    assert pages(SITE)[1] == Page(Kind.SERVICES)


def test_the_main_page_names_the_service_in_turn_with_what_to_do() -> None:
    """Staff must know which one; the headline has no room for its name."""
    told = make_snapshot(findings=(make_finding(Code.SERVICE_DOWN, "workshop", "Atelier"),))
    other = make_snapshot(findings=(make_finding(Code.SERVICE_DOWN, "workshop", "Applications"),))
    assert render(told, "fr").tobytes() != render(other, "fr").tobytes()
    turned = [replace(one, mono=one.mono + PAGE_S) for one in (told, other)]
    assert render(turned[0], "fr").tobytes() == render(turned[1], "fr").tobytes()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_on_the_local_network_has_all_services(language: str) -> None:
    """By name, in words and not by colour alone; nothing where none is configured."""
    page = re.sub("<[^>]+>", " ", str(panel_main(Shown(SITE, language))))
    answers, fails = ("Répond", "Ne répond pas") if language == "fr" else ("Answers", "Does not answer")
    text = " ".join(page.split())
    assert f"Téléphone · {answers}" in text
    assert f"Atelier · {fails}" in text
    assert f"4G : {fails.lower()}" in text or f"4G: {fails.lower()}" in text.replace("\u00a0", " ")
    bare = str(panel_main(Shown(make_snapshot(), language)))
    assert "Services" not in bare


@pytest.mark.parametrize("language", LANGUAGES)
def test_terminals_have_a_row_for_each_service(language: str) -> None:
    """``vigie status`` and ``vigie watch``; what fails says how."""
    stream = io.StringIO()
    print_status(SITE, language, stream)
    rows = [row for row in stream.getvalue().splitlines() if "4G ✗" in row or "✗ Atelier" in row]
    fails = "ne répond pas" if language == "fr" else "does not answer"
    assert len(rows) == 2
    assert fails in rows[1]
    assert rows[1].endswith("silent (no answer)")
    from rich.console import Console

    console = Console(file=io.StringIO(), width=100, height=40)
    console.print(panel(View(SITE, language=language, width=100, height=40)))
    assert "✗ Atelier" in console.file.getvalue()  # type: ignore[attr-defined]
