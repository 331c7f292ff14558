"""The few words of the terminal's own: column heads, states, phases. Everything else is in ``agent.text``."""

from __future__ import annotations

import os
from collections.abc import Mapping

LANGUAGES = ("fr", "en")

_FRENCH = {
    "colon": "\u00a0: ",
    "health.up": "fonctionne",
    "health.degraded": "dégradé",
    "health.suspect": "en doute",
    "health.down": "en panne",
    "health.unknown": "inconnu",
    "phase.powered": "sous tension",
    "phase.ordered": "va être coupée",
    "phase.cut": "coupée",
    "phase.booting": "redémarre",
    "serves.works": "répond",
    "serves.fails": "ne répond pas",
    "serves.unknown": "inconnu",
    "uplink": "accès",
    "state": "état",
    "latency": "délai",
    "loss": "perte",
    "silence": "silence",
    "why": "détail",
    "preferred": "préféré",
    "active": "utilisé",
    "path": "Le site passe par",
    "path.nobody": "on ne sait quel accès",
    "path.spread": "plusieurs accès à la fois",
    "path.since": "depuis {since}",
    "path.address": " (même adresse publique)",
    "path.hop": " (mêmes routeurs)",
    "path.silent": "sans internet depuis {lasted}",
    "data": "1 ping / {every} s · {used} sur {limit} Mo",
    "site": "site",
    "box": "box",
    "events": "Journal",
    "findings": "Constats",
    "all_well": "Rien à signaler",
    "armed": "redémarrage automatique armé",
    "unarmed": "redémarrage automatique suspendu",
    "hold": "suspendu par une personne, encore {left}",
    "incident": "incident en cours depuis {lasted}",
    "left": "encore {left}",
    "refused": "pas de redémarrage",
    "no_agent": "l'agent ne répond pas",
    "clock": "heure non synchronisée",
}
_ENGLISH = {
    "colon": ": ",
    "health.up": "works",
    "health.degraded": "degraded",
    "health.suspect": "in doubt",
    "health.down": "down",
    "health.unknown": "unknown",
    "phase.powered": "powered",
    "phase.ordered": "about to be cut",
    "phase.cut": "cut",
    "phase.booting": "booting",
    "serves.works": "answers",
    "serves.fails": "does not answer",
    "serves.unknown": "unknown",
    "uplink": "uplink",
    "state": "state",
    "latency": "latency",
    "loss": "loss",
    "silence": "silence",
    "why": "why",
    "preferred": "preferred",
    "active": "in use",
    "path": "The site goes by",
    "path.nobody": "nobody knows which uplink",
    "path.spread": "several uplinks at once",
    "path.since": "since {since}",
    "path.address": " (same public address)",
    "path.hop": " (same routers)",
    "path.silent": "without internet for {lasted}",
    "data": "1 ping / {every} s · {used} of {limit} MB",
    "site": "site",
    "box": "box",
    "events": "Events",
    "findings": "Findings",
    "all_well": "All is well",
    "armed": "automatic restart armed",
    "unarmed": "automatic restart withheld",
    "hold": "held by a person, {left} left",
    "incident": "incident open for {lasted}",
    "left": "{left} left",
    "refused": "no restart",
    "no_agent": "the agent does not answer",
    "clock": "clock not synchronised",
}
LABELS: Mapping[str, Mapping[str, str]] = {"fr": _FRENCH, "en": _ENGLISH}

SYMBOLS = {"up": "✓", "degraded": "~", "suspect": "?", "down": "✗", "unknown": "·"}
"""A verdict must not be told by colour alone."""


def label(key: str, language: str, **values: str) -> str:
    """The word ``key`` in ``language``."""
    return LABELS[language][key].format(**values)


def language_of(environment: Mapping[str, str] | None = None) -> str:
    """The language to speak when none is asked for: French, unless the locale names another language."""
    given = os.environ if environment is None else environment
    locale = given.get("LC_ALL") or given.get("LC_MESSAGES") or given.get("LANG") or ""
    plain = locale.split(".")[0] in ("", "C", "POSIX")
    return "fr" if plain or locale.startswith("fr") else "en"
