"""Which uplink to buy next: the usual orders, and what of a site changes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from audit_ground import live, well

from agent.audit.advice import Advice, Aspect, Hope, advised
from agent.audit.words import reason
from agent.config.reader import parse

FIBRE = """
[site]
name = "garage"

[site.facts]
contacts = []

[[uplink]]
name = "ftth"
label = "Fibre"
kind = "ftth"
operator = "Orange"
interface = "eth0"
"""
CELLULAR = (
    FIBRE
    + """
[[uplink]]
name = "4g"
label = "4G"
kind = "cellular"
operator = "Bouygues"
interface = "eth1"

[[modem]]
name = "cle"
uplink = "4g"
driver = "hilink"
"""
)


def advice(text: str, fact: str = "") -> Advice:
    return advised(well(parse(text.replace("contacts = []", f"contacts = []\n{fact}", 1))))


def orders(told: Advice) -> tuple[str, str]:
    return " ".join(one.kind for one in told.by_effect), " ".join(told.by_budget)


def test_the_usual_orders() -> None:
    """By effect fibre, Starlink, 4G/5G; by budget fibre, 4G/5G, Starlink; all of them are possible."""
    told = advice(FIBRE)
    assert orders(told) == ("ftth starlink cellular", "ftth cellular starlink")
    assert {one.hope for one in told.by_effect} == {Hope.YES}


@pytest.mark.parametrize(
    ("fact", "by_effect", "by_budget"),
    [
        ("fibre_available = true", "ftth starlink cellular", "ftth cellular starlink"),
        ("fibre_available = false", "starlink cellular ftth", "cellular starlink ftth"),
        ('sky_view = "clear"', "ftth starlink cellular", "ftth cellular starlink"),
        ('sky_view = "partly"', "ftth cellular starlink", "ftth cellular starlink"),
        ('sky_view = "none"', "ftth cellular starlink", "ftth cellular starlink"),
        ('mobile_reception = "fair"', "ftth starlink cellular", "ftth cellular starlink"),
        ('mobile_reception = "poor"', "ftth starlink cellular", "ftth starlink cellular"),
        ('fibre_available = false\nsky_view = "partly"', "cellular starlink ftth", "cellular starlink ftth"),
        ("monthly_budget_eur = 20", "ftth starlink cellular", "ftth cellular starlink"),
    ],
)
def test_only_what_is_known_of_the_site_changes_them(fact: str, by_effect: str, by_budget: str) -> None:
    """What cannot be had comes last, what is doubtful before it; all else keeps its place."""
    assert orders(advice(FIBRE, fact)) == (by_effect, by_budget)


def test_what_speaks_against_an_uplink_is_told() -> None:
    """Each change of the order has its reason, the one that decides first."""
    told = {one.kind: one for one in advice(CELLULAR, 'mobile_reception = "none"').by_effect}
    assert [one.key for one in told["cellular"].against] == ["no_reception", "second_cellular"]
    assert told["cellular"].hope is Hope.NO
    assert not told["ftth"].against


def test_a_modem_that_hears_badly_is_a_reason() -> None:
    """What is measured counts like what people say."""
    ground = live(well(parse(CELLULAR)), "signal 4g poor")
    (cellular,) = [one for one in advised(ground).by_effect if one.kind == "cellular"]
    told = [reason(one, "en") for one in cellular.against]
    assert "the signal of 4G is poor already (-85 dBm)" in told


def test_every_aspect_is_judged_for_each_candidate() -> None:
    """Latency, rate, path, address, repair and price, in words that exist in both languages."""
    for one in advice(CELLULAR).by_effect:
        assert set(one.aspects) == set(Aspect)
        assert all(reason(why, language) for why in one.aspects.values() for language in ("fr", "en"))


def test_a_new_fibre_is_judged_by_the_way_of_the_old_one() -> None:
    """The way that it must not take and the operator that it must not have are named."""
    ways = FIBRE + '[uplink.facts]\npath = "rue de la Gare"\n'
    told = {one.kind: one for one in advice(ways).by_effect}
    said = reason(told["ftth"].aspects[Aspect.PATH], "en")
    assert "rue de la Gare" in said
    assert "Orange" in said
    unknown = advice(FIBRE).by_effect[0].aspects[Aspect.PATH]
    assert unknown.key == "path_unknown"


@pytest.mark.parametrize(
    ("fact", "price", "key"),
    [
        ("", "", "budget_unknown"),
        ("monthly_budget_eur = 100", "", "budget_prices"),
        ("monthly_budget_eur = 100", "price_eur = 40", "budget_left"),
        ("monthly_budget_eur = 40", "price_eur = 40", "budget_spent"),
    ],
)
def test_the_money_is_told_as_far_as_it_is_known(fact: str, price: str, key: str) -> None:
    """Nothing is reckoned from prices that nobody has told."""
    assert advice(FIBRE + (f"[uplink.facts]\n{price}\n" if price else ""), fact).budget.key == key


def test_every_text_of_the_advice_is_said_somewhere() -> None:
    """No sentence is left from a rule that is gone."""
    from agent.audit.words import table

    source = (Path(__file__).parents[2] / "agent/audit/advice.py").read_text()
    for key in table("fr")["advice"]:
        stem = next(
            (key.removesuffix(kind) for kind in ("ftth", "starlink", "cellular") if key.endswith(f"_{kind}")),
            key,
        )
        assert f'"{key}"' in source or f'f"{stem}{{kind}}"' in source
