"""The screen's other pages, and what it says while the button is pressed. Pure functions, as the main one.

All of them begin with a lit band, so that nobody takes an old incident for the present state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from PIL import Image

from agent.core.people import Answer, Verb
from agent.core.snapshot_types import BoxView, Snapshot
from agent.sinks import font
from agent.sinks.buttons import CYCLE_S, Doing, Hint, Kind, Page
from agent.sinks.canvas import BAND, BIG, HEADLINE, LINE, SIZE, Canvas, band, wrapped
from agent.sinks.page_main import PAGE_S, render
from agent.sinks.page_services import draw_services
from agent.text import duration, panel, refusal, words

BAR = 9
CALM_S, OTHER_S = 48.0, 6.0
"""While all is well: so long the main page, then so long each of the others that have something to say."""
DONE = {Verb.CYCLE: "done_cycle", Verb.HOLD: "done_hold", Verb.RELEASE: "done_release"}


@dataclass(frozen=True, slots=True)
class About:
    """What the installer's page shows and no snapshot knows.

    Attributes:
        version: of the agent.
        broker: one is configured.
    """

    version: str = ""
    broker: bool = False


NOTHING = About()


def usual_page(snapshot: Snapshot) -> Page:
    """The page of this instant if nobody asks for one: the main one, and while all is well others in turn."""
    calm = not snapshot.findings and snapshot.armed and snapshot.hold_until is None
    if not calm or any(box.until is not None for box in snapshot.boxes):
        return Page(Kind.MAIN)
    pages = 3 if snapshot.services else 2
    other_s = snapshot.mono % (CALM_S + pages * OTHER_S) - CALM_S
    if other_s >= 2 * OTHER_S:
        return Page(Kind.SERVICES)
    if 0 <= other_s < OTHER_S and snapshot.last_incident is not None:
        return Page(Kind.INCIDENT)
    return Page(Kind.INSTALLER) if other_s >= OTHER_S else Page(Kind.MAIN)


def draw(
    page: Page, snapshot: Snapshot, language: str, size: tuple[int, int] = SIZE, about: About = NOTHING
) -> Image.Image:
    """Draw one page; that of a box which does not exist is the main one."""
    if page.kind is Kind.INCIDENT:
        return _incident(snapshot, language, size)
    if page.kind is Kind.SERVICES:
        return draw_services(snapshot, language, size)
    if page.kind is Kind.INSTALLER:
        return _installer(snapshot, language, size, about)
    box = next((box for box in snapshot.boxes if box.name == page.box), None)
    return render(snapshot, language, size) if box is None else _box(box, snapshot, language, size)


def draw_hint(
    hint: Hint, page: Page, snapshot: Snapshot, language: str, size: tuple[int, int] = SIZE
) -> Image.Image:
    """What a press that lasts is going to do, with a bar that runs."""
    canvas = Canvas(size)
    held = is_held(snapshot)
    if hint.doing is Doing.CYCLE_SOON:
        label = next((box.label for box in snapshot.boxes if box.name == page.box), "")
        y = band(canvas, panel("restart_of", language, label=label))
        clock = panel("in_s", language, for_s=max(1.0, -(-hint.left_s // 1)))
        foot = panel("let_go_to_undo", language)
    elif hint.doing is Doing.NOTHING:
        y = band(canvas, panel("too_long", language))
        clock, foot = panel("let_go", language), panel("nothing_happens", language)
    else:
        y = band(canvas, panel("end_hold" if held else "begin_hold", language))
        ready = hint.doing is Doing.HOLD_NOW
        clock = panel("let_go" if ready else "go_on", language)
        foot = panel("hold_ends" if held else "hold_begins", language)
    canvas.text(canvas.left, y + 2, clock, BIG)
    y += HEADLINE + 4
    if hint.doing is not Doing.NOTHING:
        wide = canvas.right - canvas.left
        canvas.bar(canvas.left, y, wide, BAR)
        canvas.bar(canvas.left + 1, y + 1, wide - 2, BAR - 2, 0)
        canvas.bar(canvas.left + 2, y + 2, round((wide - 4) * hint.share), BAR - 4)
        y += BAR + 1
    canvas.foot(y, foot)
    return canvas.image


def draw_answer(
    verb: Verb, answer: Answer | None, now: float, language: str, size: tuple[int, int] = SIZE
) -> Image.Image:
    """What became of what was asked for at the panel; None: nobody answered."""
    canvas = Canvas(size)
    if answer is None:
        y, foot = canvas.headline(panel("no_answer", language)), panel("no_answer_advice", language)
    elif answer.ok:
        y, foot = canvas.headline(panel(DONE[verb], language)), panel(f"{DONE[verb]}_advice", language)
    else:
        y = canvas.headline(panel("refused", language))
        left_s = None if answer.until is None else max(0.0, answer.until - now)
        reason = refusal(answer.reason or "", language)
        foot = panel("refused_why", language, reason=reason[:1].upper() + reason[1:], left_s=left_s)
    canvas.foot(y, foot)
    return canvas.image


def is_held(snapshot: Snapshot) -> bool:
    """Automatic restarts are on hold."""
    return snapshot.hold_until is not None and snapshot.hold_until > snapshot.mono


def _incident(snapshot: Snapshot, language: str, size: tuple[int, int]) -> Image.Image:
    canvas = Canvas(size)
    y = band(canvas, panel("last_incident", language))
    last = snapshot.last_incident
    if last is None:
        canvas.foot(y, panel("no_incident", language))
        return canvas.image
    short = words(last.code, language, {"label": last.label}).short
    canvas.text(
        canvas.left, y + 1, short, BIG if font.width(short) * BIG <= canvas.right - canvas.left else 1
    )
    y = canvas.pair(y + HEADLINE + 2, last.label, "")
    y = canvas.pair(y, panel("lasted", language), duration(last.lasted_s, language))
    ago = duration(snapshot.mono - last.ended_at, language, units=1)
    canvas.pair(y, panel("ended", language), panel("ago", language, ago=ago))
    return canvas.image


def _installer(snapshot: Snapshot, language: str, size: tuple[int, int], about: About) -> Image.Image:
    canvas = Canvas(size)
    rows = list(_installer_rows(snapshot, language, about, canvas.right - canvas.left))
    fit = max(1, (canvas.bottom - BAND) // LINE)
    parts = [rows[first : first + fit] for first in range(0, len(rows), fit)]
    place = int(snapshot.mono // (PAGE_S / 2)) % len(parts)
    number = f"  {place + 1}/{len(parts)}" if len(parts) > 1 else ""
    y = band(canvas, panel("installer", language), about.version + number) - 1
    for left, right in parts[place]:
        y = canvas.pair(y, left, right)
    return canvas.image


def _installer_rows(
    snapshot: Snapshot, language: str, about: About, columns: int
) -> Iterator[tuple[str, str]]:
    for uplink in snapshot.uplinks:
        yield uplink.label, uplink.address or panel("no_address", language)
    if snapshot.unarmed_why is None and snapshot.armed:
        yield panel("restarts", language), panel("restarts_on", language)
    else:
        reason = refusal(snapshot.unarmed_why or "not_armed", language)
        for line in wrapped(panel("unarmed", language, reason=reason), columns):
            yield line, ""
    working: Mapping[str, bool] = {part.name: part.ok for part in snapshot.parts}
    sending = "server_none" if not about.broker else "server_ok" if working.get("mqtt") else "server_lost"
    yield panel("server", language), panel(sending, language)
    yield panel("clock", language), panel("clock_ok" if snapshot.synced else "clock_unset", language)
    if snapshot.devices:
        heard = sum(device.heard for device in snapshot.devices)
        yield panel("devices", language), f"{heard}/{len(snapshot.devices)}"


def _box(box: BoxView, snapshot: Snapshot, language: str, size: tuple[int, int]) -> Image.Image:
    canvas = Canvas(size)
    y = band(canvas, panel("restart_box", language))
    big = font.width(box.label) * BIG <= canvas.right - canvas.left
    canvas.text(canvas.left, y + 2, box.label, BIG if big else 1)
    uplink = next((uplink for uplink in snapshot.uplinks if uplink.name == box.uplink), None)
    y += HEADLINE + 3
    if uplink is not None:
        working = panel("works" if uplink.health.works else "works_not", language)
        y = canvas.pair(y, uplink.label, working)
    canvas.foot(y, panel("press_to_restart", language, for_s=CYCLE_S))
    return canvas.image
