"""What each light of the front panel means, to be printed and hung beside it."""

from __future__ import annotations

from agent.sinks import lights
from agent.sinks.web.markup import Html, joined, tag
from agent.text import page
from hardware.ports import Colour, Pattern

SHOWN_S = 6.0
"""Length of the strips that show a rhythm; two turns of the slowest."""
WIDE = 120
UPLINK = {
    "up": lights.WORKS,
    "degraded": lights.DOUBTFUL,
    "down": lights.DOWN,
    "restarting": lights.RESTARTING,
    "unknown": lights.UNKNOWN,
}
SITE = {
    "site_good": Colour.GREEN,
    "site_warn": Colour.ORANGE,
    "site_bad": Colour.RED,
    "site_idle": Colour.DARK,
}


def sheet_main(language: str) -> Html:
    """The whole sheet."""
    uplinks = [_row(key, pattern.colour, _stretches(pattern), language) for key, pattern in UPLINK.items()]
    site = [_row(key, colour, _winks(colour), language) for key, colour in SITE.items()]
    site.append(_row("site_dead", Colour.DARK, [], language))
    return tag(
        "main",
        tag("header", tag("h1", page("lights_title", language))),
        tag("p", page("lights_intro", language)),
        tag("section", tag("h2", page("lights_uplink", language)), _table(uplinks, language)),
        tag("section", tag("h2", page("lights_site", language)), _table(site, language)),
        tag(
            "p",
            page("rhythm", language, seconds=SHOWN_S),
            " : " if language == "fr" else ": ",
            _strip(_stretches(lights.DOWN)),
            class_="since",
        ),
        class_="sheet",
    )


def _table(rows: list[Html], language: str) -> Html:
    names = [page(key, language) for key in ("lights_look", "lights_means", "lights_do")]
    head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in names)))
    return tag("table", head, tag("tbody", *rows))


def _row(key: str, colour: Colour, lit: list[tuple[float, float, Colour]], language: str) -> Html:
    names = [page(name, language) for name in ("lights_look", "lights_means", "lights_do")]
    look = joined(_lamp(colour), _strip(lit), tag("span", page(f"look_{key}", language)))
    cells = (look, page(f"means_{key}", language), page(f"do_{key}", language))
    return tag("tr", *(tag("td", cell, data_name=name) for cell, name in zip(cells, names, strict=True)))


def _lamp(colour: Colour) -> Html:
    return Html(
        f'<svg class="lamp" viewBox="0 0 24 24" aria-hidden="true">'
        f'<circle class="led-{colour.value}" cx="12" cy="12" r="10"/></svg>'
    )


def _stretches(pattern: Pattern) -> list[tuple[float, float, Colour]]:
    """When a pattern is lit, within ``SHOWN_S``: from, to, colour."""
    if pattern.colour is Colour.DARK:
        return []
    if not pattern.on_s or not pattern.off_s:
        return [(0.0, SHOWN_S, pattern.colour)]
    turn_s = pattern.on_s + pattern.off_s
    turns = round(SHOWN_S / turn_s)
    return [(turn * turn_s, turn * turn_s + pattern.on_s, pattern.colour) for turn in range(turns)]


def _winks(colour: Colour) -> list[tuple[float, float, Colour]]:
    """When the site's LED is lit: its colour, interrupted as often as that colour winks."""
    lit: list[tuple[float, float, Colour]] = []
    for turn in range(round(SHOWN_S / lights.WINK_EVERY_S)):
        at = turn * lights.WINK_EVERY_S
        if colour is Colour.DARK:
            lit.append((at, at + lights.WINK_S, Colour.ORANGE))
            continue
        for _ in range(lights.WINKS[colour]):
            lit.append((at + lights.WINK_S, at + 2 * lights.WINK_S, colour))
            at += 2 * lights.WINK_S
        lit.append((at, (turn + 1) * lights.WINK_EVERY_S, colour))
    return lit


def _strip(lit: list[tuple[float, float, Colour]]) -> Html:
    """A rhythm as a strip of time."""
    scale = WIDE / SHOWN_S
    bars = "".join(
        f'<rect class="led-{shown.value}" x="{begin * scale:.1f}" y="0" '
        f'width="{(end - begin) * scale:.1f}" height="12"/>'
        for begin, end, shown in lit
    )
    return Html(
        f'<svg class="strip" viewBox="0 0 {WIDE} 12" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="led-dark" x="0" y="0" width="{WIDE}" height="12"/>{bars}</svg>'
    )
