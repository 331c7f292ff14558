"""Every picture of the screen that is no main page, by name: pages, what a press will do, answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from conftest import (
    MONO,
    make_box,
    make_finding,
    make_modem,
    make_scenes,
    make_service,
    make_services,
    make_snapshot,
    make_uplink,
)
from PIL import Image

from agent.core.codes import Code
from agent.core.people import Answer, Verb
from agent.core.snapshot_types import Health, LastIncident, PartView, Snapshot
from agent.sinks.buttons import MAIN, Doing, Hint, Kind, Page
from agent.sinks.pages import About, draw, draw_answer, draw_hint

SERVICES = Page(Kind.SERVICES)
INCIDENT, INSTALLER, BOX = Page(Kind.INCIDENT), Page(Kind.INSTALLER), Page(Kind.BOX, "box")
ABOUT = About("0.1.0", broker=True)
Size = tuple[int, int]
Drawn = Callable[[str, Size], Image.Image]


def page(which: Page, snapshot: Snapshot, about: About = ABOUT) -> Drawn:
    """This page of this site."""
    return lambda language, size: draw(which, snapshot, language, size, about)


def said(doing: Doing, share: float, left_s: float, which: Page, snapshot: Snapshot) -> Drawn:
    """What the screen says of a press."""
    hint = Hint(doing, share, left_s)
    return lambda language, size: draw_hint(hint, which, snapshot, language, size)


def answered(verb: Verb, answer: Answer | None) -> Drawn:
    """What the screen says of what became of it."""
    return lambda language, size: draw_answer(verb, answer, MONO, language, size)


WELL = make_snapshot(
    last_incident=LastIncident(Code.BOX_HUNG, "Fibre", 265.0, MONO - 7300.0),
    devices=(make_modem(),),
    parts=(PartView("mqtt", True, ""),),
)
DOWN = replace(
    WELL,
    uplinks=(make_uplink("ftth", health=Health.DOWN, rtt_ms=None), make_uplink("cellular", address=None)),
    findings=(make_finding(Code.BOX_HUNG),),
    boxes=(make_box(label="Livebox"),),
    unarmed_why="not_proven",
    armed=False,
    synced=False,
    parts=(),
)
HELD = replace(WELL, hold_until=MONO + 720)
PAGES: dict[str, Drawn] = {
    "page_incident": page(INCIDENT, WELL),
    "page_incident_none": page(INCIDENT, make_snapshot()),
    "page_installer": page(INSTALLER, WELL, About("0.1.0")),
    "page_installer_trouble": page(INSTALLER, DOWN),
    "page_installer_trouble_2": page(INSTALLER, replace(DOWN, mono=MONO + 3)),
    "page_installer_six": page(INSTALLER, make_scenes()["six_uplinks"]),
    "page_services": page(SERVICES, replace(WELL, services=make_services())),
    "page_services_many": page(
        SERVICES,
        replace(WELL, services=tuple(make_service(str(n), label=f"Service numéro {n}") for n in range(1, 9))),
    ),
    "page_box": page(BOX, WELL),
    "page_box_down": page(BOX, DOWN),
    "press_cycle": said(Doing.CYCLE_SOON, 0.6, 3.2, BOX, DOWN),
    "press_hold_soon": said(Doing.HOLD_SOON, 0.5, 1.0, MAIN, WELL),
    "press_hold": said(Doing.HOLD_NOW, 1.0, 2.0, MAIN, WELL),
    "press_release": said(Doing.HOLD_NOW, 1.0, 2.0, MAIN, HELD),
    "press_too_long": said(Doing.NOTHING, 0.0, 0.0, MAIN, WELL),
    "answer_cycle": answered(Verb.CYCLE, Answer("", ok=True)),
    "answer_hold": answered(Verb.HOLD, Answer("", ok=True, until=MONO + 3600)),
    "answer_release": answered(Verb.RELEASE, Answer("", ok=True)),
    "answer_refused": answered(Verb.CYCLE, Answer("", ok=False, reason="spacing", until=MONO + 300)),
    "answer_refused_for_good": answered(Verb.CYCLE, Answer("", ok=False, reason="last_working")),
    "answer_none": answered(Verb.CYCLE, None),
}
