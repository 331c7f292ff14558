"""Whether the uplinks can fail together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import combinations

from agent.audit.points import Found, Grade, Ground, asked_of, asked_of_site, of_site
from agent.config.schema import Uplink

WIRED = ("ftth", "other")
"""Kinds whose line comes out of the ground or off a pole."""


def one_uplink(ground: Ground) -> Iterator[Found]:
    """There is only one way to the internet."""
    if not ground.backups:
        yield of_site(ground, Grade.CRITICAL, uplink=ground.preferred.label)


def same_operator(ground: Ground) -> Iterator[Found]:
    """Uplinks are sold by one operator: all of them, or the preferred one and the first backup."""
    yield from _in_common(ground, lambda uplink: _plain(uplink.operator), Grade.CRITICAL, "operator")


def same_network(ground: Ground) -> Iterator[Found]:
    """Uplinks leave by one autonomous system, whatever the names on their bills."""
    yield from _in_common(ground, lambda uplink: uplink.facts.as_number, Grade.SERIOUS, "facts.as_number")


def shared_path(ground: Ground) -> Iterator[Found]:
    """Lines come into the building the same way, so that one digger cuts them all."""
    lines = [uplink for uplink in ground.config.uplink if uplink.kind in WIRED]
    if len(lines) < 2:
        return
    ways: defaultdict[str, list[Uplink]] = defaultdict(list)
    for line in lines:
        path = _plain(line.facts.path)
        if path is None:
            yield asked_of(line, Grade.SERIOUS, "uplink.facts.path")
        else:
            ways[path].append(line)
    for together in ways.values():
        if len(together) > 1:
            yield of_site(ground, Grade.SERIOUS, names=_names(together), path=together[0].facts.path)


def shared_hops(ground: Ground) -> Iterator[Found]:
    """The first routers behind the boxes are the same."""
    if len(ground.config.uplink) < 2:
        return
    if ground.hops is None:
        yield asked_of_site(ground, Grade.MINOR, None)
        return
    for one, other in combinations(ground.config.uplink, 2):
        common = set(ground.hops.get(one.name, ())) & set(ground.hops.get(other.name, ()))
        if common:
            yield of_site(ground, Grade.MINOR, one=one.label, other=other.label, router=min(common))


def shared_dns(ground: Ground) -> Iterator[Found]:
    """The site asks the name servers of one operator, which may refuse whoever comes by another uplink."""
    if len(ground.config.uplink) < 2:
        return
    match ground.config.site.facts.dns:
        case "operator":
            yield of_site(ground, Grade.SERIOUS)
        case None:
            yield asked_of_site(ground, Grade.SERIOUS, "site.facts.dns")


def _in_common(ground: Ground, mark: Callable[[Uplink], Hashable], worst: Grade, key: str) -> Iterator[Found]:
    """One mark on all uplinks is the worst; on the preferred one and the first backup it is serious.

    What is unknown could be the same as what is known.
    """
    uplinks = ground.config.uplink
    if len(uplinks) < 2:
        return
    marks = [mark(uplink) for uplink in uplinks]
    told = {value for value in marks if value is not None}
    unknown = [uplink for uplink, value in zip(uplinks, marks, strict=True) if value is None]
    if len(told) == 1 and not unknown:
        yield of_site(ground, worst, "all", names=_names(uplinks), common=_shown(uplinks[0], key))
    elif marks[0] is not None and marks[0] == marks[1]:
        names = _names(uplinks[:2])
        yield of_site(ground, Grade.SERIOUS, "first", names=names, common=_shown(uplinks[0], key))
    for uplink in unknown:
        yield asked_of(uplink, worst if len(told) < 2 else Grade.SERIOUS, f"uplink.{key}")


def _names(uplinks: Sequence[Uplink]) -> str:
    return ", ".join(uplink.label for uplink in uplinks)


def _shown(uplink: Uplink, key: str) -> str:
    return uplink.operator or "?" if key == "operator" else f"AS{uplink.facts.as_number}"


def _plain(text: str | None) -> str | None:
    """Two texts that people take for the same are the same."""
    return None if text is None else " ".join(text.split()).casefold()
