"""Relays, outlets and mains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from agent.audit.points import Found, Grade, Ground, asked_of, asked_of_site, days_ago, of, of_site
from agent.config.effective import reboots
from agent.config.schema import Box

PROOF_OLD_DAYS = 366
SHORT_UPS_MIN = 10
"""Most mains failures are shorter than ten minutes; a battery that lasts less is of little use."""


def no_relay(ground: Ground) -> Iterator[Found]:
    """Nothing can restart what stands on an uplink."""
    soft = {box.uplink for box in ground.config.box if box.name in reboots(ground.config)}
    soft |= {modem.uplink for modem in ground.config.modem if modem.reboot}
    wired = {box.uplink for box in _wired(ground)}
    for uplink in ground.config.uplink:
        if uplink.name not in wired:
            by_software = uplink.name in soft
            yield of(
                uplink, Grade.MINOR if by_software else Grade.SERIOUS, "soft" if by_software else "plain"
            )


def unarmed(ground: Ground) -> Iterator[Found]:
    """The configuration forbids every restart."""
    if _wired(ground) and not ground.config.power.armed:
        yield of_site(ground, Grade.SERIOUS)


def relay_unproven(ground: Ground) -> Iterator[Found]:
    """Nobody has seen a relay cut the right box, or not for a year."""
    for box in _wired(ground):
        if ground.proven is None:
            yield asked_of(box, Grade.SERIOUS, None)
        elif box.name not in ground.proven:
            yield of(box, Grade.SERIOUS, relay=box.relay)
        elif (at := ground.proven[box.name]) is not None and days_ago(ground, at) > PROOF_OLD_DAYS:
            yield of(box, Grade.MINOR, "old", days=days_ago(ground, at))


def relay_contact(ground: Ground) -> Iterator[Found]:
    """Without the Pi the box has no power. A proof of the relay does not tell: it holds for both contacts."""
    for box in _wired(ground):
        if box.facts.contact is None:
            yield asked_of(box, Grade.CRITICAL, "box.facts.contact")
        elif box.facts.contact == "no":
            yield of(box, Grade.CRITICAL, relay=box.relay)


def pi_switched(ground: Ground) -> Iterator[Found]:
    """The Pi can cut its own power, and then nobody gives it back."""
    if not _wired(ground):
        return
    match ground.config.site.facts.pi_outlet:
        case "switched":
            yield of_site(ground, Grade.CRITICAL)
        case None:
            yield asked_of_site(ground, Grade.CRITICAL, "site.facts.pi_outlet")


def no_ups(ground: Ground) -> Iterator[Found]:
    """A short mains failure stops everything."""
    minutes = ground.config.site.facts.ups_min
    if minutes is None:
        yield asked_of_site(ground, Grade.SERIOUS, "site.facts.ups_min")
    elif minutes == 0:
        yield of_site(ground, Grade.SERIOUS)
    elif minutes < SHORT_UPS_MIN:
        yield of_site(ground, Grade.MINOR, "short", minutes=minutes)


def shared_outlet(ground: Ground) -> Iterator[Found]:
    """Boxes of different uplinks, or Pi and boxes, hang on one strip."""
    if ground.config.site.facts.pi_outlet == "shared":
        yield of_site(ground, Grade.MINOR, "pi")
    elif ground.config.site.facts.pi_outlet is None and not _wired(ground):
        yield asked_of_site(ground, Grade.MINOR, "site.facts.pi_outlet")
    boxes = ground.config.box
    if len({box.uplink for box in boxes}) < 2:
        return
    strips: defaultdict[str, list[Box]] = defaultdict(list)
    for box in boxes:
        if box.facts.outlet is None:
            yield asked_of(box, Grade.MINOR, "box.facts.outlet")
        else:
            strips[" ".join(box.facts.outlet.split()).casefold()].append(box)
    for hung in strips.values():
        if len({box.uplink for box in hung}) > 1:
            names = ", ".join(box.label for box in hung)
            yield of_site(ground, Grade.MINOR, names=names, outlet=hung[0].facts.outlet)


def _wired(ground: Ground) -> list[Box]:
    return [box for box in ground.config.box if box.relay is not None]
