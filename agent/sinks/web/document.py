"""A whole page around its changing part, and the policy that lets a browser run what is in it and no more."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources

from agent.sinks.web.markup import Html, joined, tag
from agent.text import page

REFRESH_S = 10
"""How often a browser without scripts asks anew."""


@cache
def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8").strip()


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def policy() -> str:
    """The Content-Security-Policy: this style, this script, answers of this server, nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {_hash(_file('page.css'))}",
            f"script-src {_hash(_file('page.js'))}",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def document(main: Html, title: str, language: str, *, other: str, sheet: str | None, live: bool) -> bytes:
    """A page in UTF-8.

    Args:
        main: its changing part.
        title: of the window.
        language: of its words.
        other: path of the same page in the other language.
        sheet: path of the page about the lights; None: this is that page.
        live: it asks for the present by itself.
    """
    head = [
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html('<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">'),
        tag("title", title),
        Html(f"<style>{_file('page.css')}</style>"),
    ]
    foot: list[Html] = []
    dead = Html()
    if live:
        head.append(Html(f'<noscript><meta http-equiv="refresh" content="{REFRESH_S}"></noscript>'))
        said = (page("dead", language), " ", page("dead_since", language), " ", tag("span", "", id="last"))
        dead = tag("div", *said, id="dead", role="alert", data_title=page("dead", language))
        foot.append(Html(f"<script>{_file('page.js')}</script>"))
    home = f"/{language}"
    links = (
        tag("a", page("to_lights" if sheet else "to_panel", language), href=sheet or home),
        tag("a", page("other_language", language), href=other),
    )
    body = tag("body", dead, main, tag("nav", *links), *foot)
    whole = joined(Html("<!DOCTYPE html>\n"), tag("html", tag("head", *head), body, lang=language))
    return whole.encode("utf-8", "replace")
