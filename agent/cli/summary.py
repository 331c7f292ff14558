"""What happened when, in a few lines, after a demo. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from agent.cli.expectations import Evidence, Seen
from hardware.virtual.scenario import Scenario, ScenarioUplink

_STEPS = {
    "fr": {
        "lost": "premier paquet perdu",
        "uplink_suspect": "doute",
        "uplink_down": "panne déclarée",
        "box_cut": "courant coupé",
        "box_restored": "courant rétabli",
        "uplink_up": "de retour",
        "uplink_degraded": "dégradé",
    },
    "en": {
        "lost": "first packet lost",
        "uplink_suspect": "in doubt",
        "uplink_down": "declared down",
        "box_cut": "power cut",
        "box_restored": "power restored",
        "uplink_up": "back",
        "uplink_degraded": "degraded",
    },
}
_WORDS = {
    "fr": {
        "calm": "rien de notable",
        "cuts": "coupures de courant\u00a0",
        "gone": "sans internet par cet accès pendant {s:.1f} s",
        "helped": "le redémarrage a aidé ({s:.1f} s de la coupure au retour)",
        "not_helped": "le redémarrage n'a pas aidé",
        "passed": "Scénario réussi : tout ce qui devait être vu l'a été.",
        "failed": "Scénario manqué :",
    },
    "en": {
        "calm": "nothing of note",
        "cuts": "power cuts",
        "gone": "no internet by this uplink for {s:.1f} s",
        "helped": "the cycle helped ({s:.1f} s from cut to return)",
        "not_helped": "the cycle did not help",
        "passed": "Passed: everything that had to be seen was seen.",
        "failed": "Failed:",
    },
}
_EPISODE_END = "uplink_up"


def summary(scenario: Scenario, evidence: Evidence, failures: Sequence[str], language: str) -> list[str]:
    """Each uplink's story, then the verdict."""
    told = _WORDS[language]
    lines: list[str] = []
    for uplink in scenario.uplinks:
        cuts = evidence.cuts.get(uplink.name, 0)
        lines.append(f"{uplink.label} ({told['cuts']}: {cuts})")
        lines += [f"  {line}" for line in _episodes(uplink, evidence.events, language) or [told["calm"]]]
    return [*lines, *verdict(failures, language)]


def verdict(failures: Sequence[str], language: str) -> list[str]:
    """Whether everything was seen that had to be seen, and what was not."""
    told = _WORDS[language]
    if not failures:
        return [told["passed"]]
    return [told["failed"], *(f"  - {failure}" for failure in failures)]


def _episodes(uplink: ScenarioUplink, events: Sequence[Seen], language: str) -> list[str]:
    """The steps of each outage in one line, and below it how long it lasted and whether a cycle helped."""
    steps, told = _STEPS[language], _WORDS[language]
    lines: list[str] = []
    episode: list[tuple[str, float]] = []
    for event in (event for event in events if event.subject == uplink.name):
        if event.code == "uplink_suspect" and not episode:
            silent_s = event.args.get("silent_s")
            episode.append(("lost", event.t - (silent_s if isinstance(silent_s, int | float) else 0.0)))
        told_already = any(code == event.code for code, _ in episode)
        if event.code in steps and not told_already and (episode or event.code != _EPISODE_END):
            episode.append((event.code, event.t))
        if event.code == _EPISODE_END and episode:
            lines.append(_arrows(episode, language))
            if any(code == "uplink_down" for code, _ in episode):
                lines.append(told["gone"].format(s=event.t - episode[0][1]))
            episode = []
        if event.code == "cycle_helped":
            took_s = event.args.get("took_s")
            lines.append(told["helped"].format(s=took_s if isinstance(took_s, int | float) else 0.0))
        if event.code == "cycle_did_not_help":
            lines.append(told["not_helped"])
    if episode:
        lines.append(_arrows(episode, language))
    return lines


def _arrows(episode: Sequence[tuple[str, float]], language: str) -> str:
    return " → ".join(f"{_STEPS[language][code]} {t:.1f} s" for code, t in episode)
