"""Which uplink to buy next, judged for this site, with the reasons.

By effect a fibre of another operator comes first (round trips, rate, a contract with a repair time), then
Starlink (nothing in the ground in common with a fibre), then 4G/5G. By budget 4G/5G comes before Starlink.
Only what is known of this site changes these orders.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Literal

from agent.audit.points import Ground
from agent.audit.rules_lines import signal_of
from agent.audit.rules_paths import WIRED
from agent.config.schema import Uplink
from agent.core.devices import Strength
from agent.core.model import Scalar

Kind = Literal["ftth", "starlink", "cellular"]
BY_EFFECT: tuple[Kind, ...] = ("ftth", "starlink", "cellular")
BY_BUDGET: tuple[Kind, ...] = ("ftth", "cellular", "starlink")


class Aspect(StrEnum):
    """What an uplink is judged by."""

    LATENCY = "latency"
    RATE = "rate"
    PATH = "path"
    ADDRESS = "address"
    REPAIR = "repair"
    PRICE = "price"


class Hope(IntEnum):
    """Whether it can be had and would serve here."""

    YES = 0
    DOUBTFUL = 1
    NO = 2


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence: a key of the texts, and what fills it."""

    key: str
    holes: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One uplink that could be bought.

    Attributes:
        kind: of the uplink.
        hope: whether it would serve.
        against: what speaks against it on this site; the first decides.
        aspects: how it does in each respect.
    """

    kind: Kind
    hope: Hope
    against: tuple[Reason, ...]
    aspects: Mapping[Aspect, Reason]


@dataclass(frozen=True, slots=True)
class Advice:
    """What to buy next.

    Attributes:
        by_effect: the best first.
        by_budget: kinds, the one that gives most for its price first.
        budget: what is known of the money.
    """

    by_effect: tuple[Candidate, ...]
    by_budget: tuple[Kind, ...]
    budget: Reason


def advised(ground: Ground) -> Advice:
    """Judge each candidate for this site."""
    candidates = {kind: _candidate(ground, kind) for kind in BY_EFFECT}
    by_effect = sorted(BY_EFFECT, key=lambda kind: candidates[kind].hope)
    by_budget = sorted(BY_BUDGET, key=lambda kind: candidates[kind].hope)
    return Advice(tuple(candidates[kind] for kind in by_effect), tuple(by_budget), _budget(ground))


def _candidate(ground: Ground, kind: Kind) -> Candidate:
    against = tuple(_AGAINST[kind](ground))
    hope = max((hope for hope, _ in against), default=Hope.YES)
    ordered = sorted(against, key=lambda item: -item[0])
    return Candidate(kind, hope, tuple(reason for _, reason in ordered), dict(_aspects(ground, kind)))


def _against_fibre(ground: Ground) -> Iterator[tuple[Hope, Reason]]:
    if ground.config.site.facts.fibre_available is False:
        yield Hope.NO, Reason("no_fibre")
    fibres = _of_kind(ground, "ftth")
    if len(fibres) > 1:
        yield Hope.DOUBTFUL, Reason("two_fibres", {"count": len(fibres)})


def _against_starlink(ground: Ground) -> Iterator[tuple[Hope, Reason]]:
    match ground.config.site.facts.sky_view:
        case "none":
            yield Hope.NO, Reason("no_sky")
        case "partly":
            yield Hope.DOUBTFUL, Reason("part_of_sky")
    if _of_kind(ground, "starlink"):
        yield Hope.DOUBTFUL, Reason("second_starlink")


def _against_cellular(ground: Ground) -> Iterator[tuple[Hope, Reason]]:
    match ground.config.site.facts.mobile_reception:
        case "none":
            yield Hope.NO, Reason("no_reception")
        case "poor":
            yield Hope.DOUBTFUL, Reason("poor_reception")
    for uplink in _of_kind(ground, "cellular"):
        word, power = signal_of(ground, uplink.name)
        if word in (Strength.POOR, Strength.UNUSABLE):
            yield Hope.DOUBTFUL, Reason("poor_signal", {"label": uplink.label, "power_dbm": power})
    if _of_kind(ground, "cellular"):
        yield Hope.DOUBTFUL, Reason("second_cellular")


_AGAINST = {"ftth": _against_fibre, "starlink": _against_starlink, "cellular": _against_cellular}


def _aspects(ground: Ground, kind: Kind) -> Iterator[tuple[Aspect, Reason]]:
    own = _of_kind(ground, kind)
    measured = _measured_ms(ground, own)
    if measured is None:
        yield Aspect.LATENCY, Reason(f"latency_{kind}")
    else:
        yield Aspect.LATENCY, Reason("latency_here", {"label": measured[0], "ms": round(measured[1])})
    yield Aspect.RATE, Reason(f"rate_{kind}")
    yield Aspect.PATH, _path(ground, kind)
    yield Aspect.ADDRESS, Reason(f"address_{kind}")
    yield Aspect.REPAIR, Reason(f"repair_{kind}")
    yield Aspect.PRICE, Reason(f"price_{kind}")


def _path(ground: Ground, kind: Kind) -> Reason:
    """What it has in common with what is there."""
    own = _of_kind(ground, kind)
    lines = [uplink for uplink in ground.config.uplink if uplink.kind in WIRED]
    rivals = lines if kind == "ftth" else own
    operators = ", ".join(dict.fromkeys(uplink.operator for uplink in rivals if uplink.operator))
    if kind == "ftth":
        ways = ", ".join(dict.fromkeys(uplink.facts.path for uplink in lines if uplink.facts.path))
        if lines and ways:
            return Reason("path_other_than", {"ways": ways, "operators": operators or "?"})
        return Reason("path_unknown" if lines else "path_first_line", {"operators": operators or "?"})
    if own:
        return Reason(f"path_again_{kind}", {"operators": operators or "?"})
    return Reason(f"path_{kind}")


def _measured_ms(ground: Ground, uplinks: list[Uplink]) -> tuple[str, float] | None:
    names = {uplink.name for uplink in uplinks}
    views = ground.shot.uplinks if ground.shot is not None else ()
    found = [(view.label, view.usual_ms) for view in views if view.name in names]
    return next(((label, ms) for label, ms in found if ms is not None), None)


def _budget(ground: Ground) -> Reason:
    most = ground.config.site.facts.monthly_budget_eur
    prices = [uplink.facts.price_eur for uplink in ground.config.uplink]
    known = [price for price in prices if price is not None]
    spent = sum(known)
    if most is None:
        return Reason("budget_unknown")
    if len(known) < len(prices):
        return Reason("budget_prices", {"most": f"{most:g}"})
    if spent >= most:
        return Reason("budget_spent", {"most": f"{most:g}", "spent": f"{spent:g}"})
    return Reason("budget_left", {"most": f"{most:g}", "left": f"{most - spent:g}"})


def _of_kind(ground: Ground, kind: str) -> list[Uplink]:
    return [uplink for uplink in ground.config.uplink if uplink.kind == kind]
