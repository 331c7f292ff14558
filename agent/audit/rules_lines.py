"""What each line and its contract are worth."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

from agent.audit.points import Found, Grade, Ground, asked_of, of
from agent.audit.rules_paths import WIRED
from agent.config.schema import Uplink
from agent.core.codes import Code
from agent.core.devices import Radio, Strength
from agent.core.radio import LEAST_READINGS, strength
from agent.core.snapshot_types import DeviceView

SLOW_REPAIR_H = 24.0
"""A promise beyond a day is a day without work all the same."""
WARNINGS = (Code.LIGHT_WEAK, Code.VIEW_OBSTRUCTED, Code.DATA_LOW, Code.SIGNAL_DROPPED, Code.DEGRADED)
"""Findings of a line that works and will not for long, or not well."""


def signal_weak(ground: Ground) -> Iterator[Found]:
    """The 4G signal is poor where the modem stands."""
    for uplink in ground.config.uplink:
        if uplink.kind != "cellular":
            continue
        word, power = signal_of(ground, uplink.name)
        if word is None:
            yield asked_of(uplink, Grade.SERIOUS, _modem_key(ground, uplink))
        elif word in (Strength.POOR, Strength.UNUSABLE):
            yield of(uplink, Grade.SERIOUS, word, power_dbm=power)


def signal_of(ground: Ground, uplink: str) -> tuple[Strength | None, int | None]:
    """The signal in a word and its power, dBm: as the modem says now, else as its last days were."""
    device = _device(ground, uplink)
    if device is not None and device.strength is not None:
        radio = device.says.radio if device.says is not None else None
        power = None if radio is None else radio.rsrp_dbm
        return device.strength, None if power is None else round(power)
    air = (ground.airs or {}).get(uplink)
    days = [day.rsrp_dbm for day in air.days if day.readings >= LEAST_READINGS] if air is not None else []
    if not days:
        return None, None
    mean = fmean(days)
    return strength(Radio(rsrp_dbm=mean)), round(mean)


def no_fixed_address(ground: Ground) -> Iterator[Found]:
    """The operator gives no fixed address."""
    for uplink in ground.config.uplink:
        if uplink.facts.fixed_address is None:
            yield asked_of(uplink, Grade.MINOR, "uplink.facts.fixed_address")
        elif not uplink.facts.fixed_address:
            yield of(uplink, Grade.MINOR)


def shared_address(ground: Ground) -> Iterator[Found]:
    """The public address is shared with other customers, so nobody can call in."""
    for place, uplink in enumerate(ground.config.uplink):
        grade = Grade.SERIOUS if place == 0 else Grade.MINOR
        shared = _shared(ground, uplink)
        if shared:
            yield of(uplink, grade)
        elif shared is None:
            yield asked_of(uplink, grade, "uplink.facts.fixed_address")


def no_repair_time(ground: Ground) -> Iterator[Found]:
    """Nobody promises when the line works again; of backups by radio nobody expects it."""
    for place, uplink in enumerate(ground.config.uplink):
        if place > 0 and uplink.kind not in WIRED:
            continue
        grade, hours = Grade.SERIOUS if place == 0 else Grade.MINOR, uplink.facts.repair_h
        if hours is None:
            yield asked_of(uplink, grade, "uplink.facts.repair_h")
        elif hours == 0:
            yield of(uplink, grade, "none")
        elif hours > SLOW_REPAIR_H:
            yield of(uplink, Grade.MINOR, hours=f"{hours:g}")


def line_warned(ground: Ground) -> Iterator[Found]:
    """The agent itself warns of a line that still works."""
    standing = ground.shot.findings if ground.shot is not None else ()
    names = {uplink.name: uplink for uplink in ground.config.uplink}
    for finding in standing:
        if finding.code in WARNINGS and finding.subject in names:
            yield of(names[finding.subject], Grade.SERIOUS, finding.code, **finding.args)


def _device(ground: Ground, uplink: str) -> DeviceView | None:
    views = ground.shot.devices if ground.shot is not None else ()
    return next((view for view in views if view.uplink == uplink), None)


def _modem_key(ground: Ground, uplink: Uplink) -> str | None:
    """Without a modem that can be asked nobody will ever know; with one it is the agent that must say."""
    return None if any(modem.uplink == uplink.name for modem in ground.config.modem) else "modem"


def _shared(ground: Ground, uplink: Uplink) -> bool | None:
    """What is seen from outside, or said by the device, counts more than what people believe."""
    views = ground.shot.uplinks if ground.shot is not None else ()
    seen = next((view.shared for view in views if view.name == uplink.name), None)
    if seen is not None:
        return seen
    device = _device(ground, uplink.name)
    said = device.says.shared if device is not None and device.says is not None else None
    if said is not None:
        return said
    return False if uplink.facts.fixed_address else None
