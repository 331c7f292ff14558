"""The screen's page of services: each by the name that people use, and whether it works."""

from __future__ import annotations

from PIL import Image

from agent.core.service_words import Serves
from agent.core.snapshot_types import ServiceView, Snapshot
from agent.sinks.canvas import BAND, LINE, Canvas, band
from agent.sinks.page_main import PAGE_S
from agent.text import panel

PITCH = LINE + 1
"""Names have accents, which must keep clear of the band and of each other."""
MARKS = {Serves.WORKS: "✓", Serves.FAILS: "✗", Serves.UNKNOWN: "?"}


def draw_services(snapshot: Snapshot, language: str, size: tuple[int, int]) -> Image.Image:
    """Draw as many as fit, the others in turn."""
    canvas = Canvas(size)
    fit = max(1, (canvas.bottom - BAND - 1) // PITCH)
    views = snapshot.services
    parts = [views[first : first + fit] for first in range(0, len(views), fit)] or [()]
    place = int(snapshot.mono // (PAGE_S / 2)) % len(parts)
    number = f"{place + 1}/{len(parts)}" if len(parts) > 1 else ""
    y = band(canvas, panel("services", language), number)
    for row, view in enumerate(parts[place]):
        canvas.pair(y + row * PITCH, f"{MARKS[view.now.serves]} {view.label}", _beside(view, language))
    return canvas.image


def _beside(view: ServiceView, language: str) -> str:
    """What there is to say of one that is not simply well."""
    if view.now.serves is Serves.FAILS:
        return panel("service_fails", language)
    lacking = [way.label for way in view.uplinks if way.serves is Serves.FAILS and way.uplink != view.via]
    if view.now.serves is Serves.WORKS and lacking:
        return panel("service_not_by", language, ways=lacking[0]) + ("…" if len(lacking) > 1 else "")
    return ""
