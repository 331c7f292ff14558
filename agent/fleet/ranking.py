"""The worst site first, and how many stand where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import inf

from agent.fleet.judging import Site, Standing


def ranked(sites: Iterable[Site]) -> list[Site]:
    """The worst first; of equal ones the newest trouble, and what is well by its name."""
    return sorted(sites, key=_key)


def counts(sites: Iterable[Site]) -> dict[Standing, int]:
    """How many stand where; every standing has a number."""
    found = Counter(site.standing for site in sites)
    return {standing: found[standing] for standing in Standing}


def _key(site: Site) -> tuple[int, float, str, str, str]:
    is_well = site.standing >= Standing.HELD
    since_s = 0.0 if is_well else inf if site.since_s is None else site.since_s
    return (site.standing, since_s, site.label.casefold(), site.place.root, site.place.slug)
