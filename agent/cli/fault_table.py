"""docs/faults.md: what every scenario file says of its fault, and what playing it has measured. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.cli.expectations import Evidence, judge
from agent.core.codes import FINDINGS
from hardware.virtual.scenario import Aspect, Condition, Scenario

CUT_EVENT = "box_cut"
NOTHING = "–"
LAST = 1000
HEADS = (
    "fault",
    "what is known",
    "finding",
    "cuts allowed",
    "what staff read",
    "to the finding",
    "to the cut",
    "played by",
)


_PREFACE = """# Faults

What can go wrong with a bay, what Vigie makes of it, and what it may do. Each row is a scenario file that is
played by the tests: those of the bay with real packets by the whole agent, those of the core in virtual time.
[scenarios.md](scenarios.md) tells how such a file is written.

This page is written by `scripts/faults`; do not change it by hand. `scripts/faults NAME` plays one of them
and prints what happened when.

- *what is known*: the evidence that the agent has.
- *finding*: what it must say; where the file names several, in this order.
- *cuts allowed*: how often the relay may take power from which box, and the longest that a cut may last.
- *what staff read*: the first line of the screen, in French, one after the other.
- *to the finding*, *to the cut*: from the fault to the first picture that shows its finding, and to the first
  cut, as measured on the core. A dash: there is none, or it was not measured.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One scenario as the table shows it, all in words."""

    name: str
    place: int
    cells: tuple[str, ...]


def row(scenario: Scenario, evidence: Evidence | None) -> Row:
    """The scenario's row.

    Args:
        scenario: what the row is about.
        evidence: of a play on the core, None without one; what went otherwise than it must measures nothing.
    """
    measured = (NOTHING, NOTHING)
    if evidence is not None and not judge(scenario, evidence):
        measured = (_to_finding(scenario, evidence), _to_cut(scenario, evidence))
    cells = (
        f"{scenario.title['en']} (`{scenario.name}`)",
        scenario.known,
        _findings(scenario),
        cuts_allowed(scenario),
        _read_by_staff(scenario),
        *measured,
        str(scenario.plays),
    )
    return Row(scenario.name, _place(scenario), tuple(cell.replace("|", "\\|") for cell in cells))


def _place(scenario: Scenario) -> int:
    """By the first finding, in the order in which findings matter."""
    first = next((code for one in expected_findings(scenario) for code in one.codes), None)
    return next((entry.rank for code, entry in FINDINGS.items() if code == first), LAST)


def document(rows: Sequence[Row]) -> str:
    """The whole page."""
    return "\n".join((_PREFACE, *table(rows), ""))


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The rows as lines of Markdown, faults of a kind together."""
    yield f"| {' | '.join(HEADS)} |"
    yield "|---" * len(HEADS) + "|"
    for one in sorted(rows, key=lambda one: (one.place, one.name)):
        yield f"| {' | '.join(one.cells)} |"


# --- what the file says ----------------------------------------------------------------------------------


def expected_findings(scenario: Scenario) -> list[Condition]:
    """The conditions that ask for a finding: to stand, or as the event that tells it."""
    return [
        condition
        for condition in scenario.expects
        if condition.aspect is Aspect.FINDING
        or (condition.aspect is Aspect.EVENT and any(code in _FINDINGS for code in condition.codes))
    ]


_FINDINGS = frozenset(str(code) for code in FINDINGS)


def _findings(scenario: Scenario) -> str:
    said: dict[str, None] = {}
    for condition in expected_findings(scenario):
        said[" or ".join(f"`{code}`" for code in condition.codes)] = None
    return ", ".join(said) or "none"


def cuts_allowed(scenario: Scenario) -> str:
    """How often each box may be cut, and for how long at most."""
    number: dict[str, str] = {}
    longest_s = 0.0
    for condition in scenario.expects:
        boxes = [box for uplink in scenario.uplinks for box in uplink.boxes]
        of = [condition.subject] if condition.subject else boxes
        if condition.aspect in (Aspect.CUTS, Aspect.CUTS_AT_MOST):
            most = "at most " if condition.aspect is Aspect.CUTS_AT_MOST else ""
            number.update(dict.fromkeys(of, f"{most}{condition.number}"))
        elif condition.aspect is Aspect.LONGEST_CUT_S:
            longest_s = max(longest_s, condition.most_s)
    cut = {name: often for name, often in number.items() if often != "0"}
    if not cut:
        return "none" if number else NOTHING
    said = ", ".join(f"{name}: {often}" for name, often in cut.items())
    return f"{said} (≤ {longest_s:g} s)" if longest_s else said


def _read_by_staff(scenario: Scenario) -> str:
    """The headlines in French, in their order."""
    read: list[str] = []
    for condition in scenario.expects:
        if condition.aspect is Aspect.HEADLINE:
            text = f"« {condition.words['fr']} »"
            if not read or read[-1] != text:
                read.append(text)
    return " → ".join(read) or NOTHING


# --- what was measured -----------------------------------------------------------------------------------


def first_finding_s(scenario: Scenario, evidence: Evidence, after: str | None = None) -> float | None:
    """Seconds from a fault to the first picture that shows a finding of it; None if none does.

    ``after`` names the fault's deed; without it, the first finding that was shown is meant.
    """
    for condition in expected_findings(scenario):
        if after not in (None, condition.after):
            continue
        begin = _begin(condition.after, evidence.deeds)
        shown = [
            t
            for t, shot in evidence.pictures
            if t >= begin
            and any(
                finding.code in condition.codes and condition.subject in (None, finding.subject)
                for finding in shot.findings
            )
        ]
        if shown:
            return shown[0] - begin
    return None


def first_cut_s(scenario: Scenario, evidence: Evidence, after: str | None = None) -> float | None:
    """Seconds from a fault to the first cut that was done, None without any.

    Without ``after`` it is the deed from which the file counts its cuts, or else its findings.
    """
    if after is None:
        cuts = [one for one in scenario.expects if one.codes == (CUT_EVENT,)]
        named = [one.after for one in (*cuts, *expected_findings(scenario)) if one.after is not None]
        after = next(iter(named), None)
    begin = _begin(after, evidence.deeds)
    return next((event.t - begin for event in evidence.events if event.code == CUT_EVENT), None)


def _begin(deed: str | None, deeds: Mapping[str, float]) -> float:
    return 0.0 if deed is None else deeds.get(deed, 0.0)


def _to_finding(scenario: Scenario, evidence: Evidence) -> str:
    return _seconds(first_finding_s(scenario, evidence))


def _to_cut(scenario: Scenario, evidence: Evidence) -> str:
    return _seconds(first_cut_s(scenario, evidence))


def _seconds(value: float | None) -> str:
    if value is None:
        return NOTHING
    if value < 100.0:
        return f"{value:.0f} s"
    return f"{value / 60.0:.1f} min"
