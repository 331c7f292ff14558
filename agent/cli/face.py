"""The front panel as data: the colour of each LED at this instant, and the screen as lines of text."""

from __future__ import annotations

from agent.cli import pixels
from agent.cli.labels import label
from agent.cli.view import View
from agent.core.snapshot_types import Snapshot
from agent.sinks import lights, page_main
from agent.sinks.arrivals import STALE_S
from hardware.ports import Colour
from hardware.virtual.panel import colour_at


def leds(view: View) -> list[tuple[str, Colour]]:
    """Each LED by its name for people, the site's first."""
    shot = _fresh(view)
    if shot is None:
        return [(label("site", view.language), Colour.DARK)]
    patterns = lights.render(shot)
    rows = [(label("site", view.language), _site(patterns[lights.SITE].colour, shot.mono))]
    rows += [(uplink.label, colour_at(patterns[uplink.name], view.elapsed_s)) for uplink in shot.uplinks]
    return rows


def screen_rows(view: View, *, solid: bool) -> tuple[str, ...]:
    """The screen in half blocks, 128 by 32, if ``solid``, else in braille, 64 by 16."""
    shot = _fresh(view)
    draw = pixels.half_blocks if solid else pixels.braille
    return draw(
        page_main.render_silence(view.language) if shot is None else page_main.render(shot, view.language)
    )


def _fresh(view: View) -> Snapshot | None:
    """The snapshot, unless it is so old that the real panel would have gone dark."""
    return view.snapshot if view.aged_s < STALE_S else None


def _site(colour: Colour, mono: float) -> Colour:
    """The winks that the lights' sink writes one by one, as they fall on this instant."""
    place, gap = divmod(mono % lights.WINK_EVERY_S, 2 * lights.WINK_S)
    if place >= lights.WINKS[colour] or gap >= lights.WINK_S:
        return colour
    return Colour.ORANGE if colour is Colour.DARK else Colour.DARK
