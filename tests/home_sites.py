"""Sites as they are announced to Home Assistant, with what each says in good and in bad hours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from conftest import MONO, make_box, make_modem, make_scenes, make_snapshot, make_uplink

from agent.core.codes import EVENTS, FINDINGS, Severity
from agent.core.devices import DeviceKind, Says
from agent.core.model import Event, Recorded
from agent.core.snapshot_types import DeviceView, Phase, Snapshot
from agent.sinks.mqtt.homeassistant import Announcement, HomeAssistant
from agent.sinks.mqtt.topics import event_message, messages, prefix

LIT = Says("ftth", heard=True, line_up=True, rx_dbm=-21.34)
ONT = DeviceView("box", "Box ftth", "ftth", DeviceKind.BOX, MONO - 20, True, MONO - 20, LIT)
VIEW = Says("starlink", heard=True, line_up=False, obstructed_pct=3.46)
DISH = DeviceView("dish", "Parabole", "starlink", DeviceKind.DISH, MONO - 20, True, MONO - 20, VIEW)
FULL = make_snapshot(
    uplinks=(
        make_uplink("ftth", preferred=True),
        make_uplink("starlink"),
        make_uplink("cellular", data_used_bytes=12_345_678, data_limit_bytes=50_000_000),
    ),
    boxes=(make_box(), make_box("dish", "starlink"), make_box("modem", "cellular", wired=False)),
    devices=(ONT, DISH, make_modem(limit_bytes=50_000_000_000)),
)
"""Everything that can be announced."""


class Remembered:
    """What was announced, in memory."""

    def __init__(self) -> None:
        self.known: Any = {}

    def keep(self, known: Any) -> None:
        self.known = known


def announcement(**changes: Any) -> Announcement:
    """An announced site that takes commands, changed as asked."""
    usual = Announcement(
        topic="homeassistant", root="vigie", site="dijon", language="fr", commands=True, version="0.1.0"
    )
    return replace(usual, **changes)


def mute(snapshot: Snapshot) -> Snapshot:
    """The same site where nothing is known of anything."""
    nothing = {"rtt_ms": None, "loss_pct": None, "data_used_bytes": None, "carrier": None}
    return replace(
        snapshot,
        uplinks=tuple(replace(view, **nothing) for view in snapshot.uplinks),
        devices=tuple(
            replace(view, says=None, heard=False, at=None, heard_at=None, strength=None)
            for view in snapshot.devices
        ),
    )


@dataclass(frozen=True)
class Case:
    """One announced site, and messages by whole topic that its entities must be able to read."""

    name: str
    discovery: dict[str, bytes]
    said: list[tuple[str, bytes]]


def _case(name: str, shots: list[Snapshot], **changes: Any) -> Case:
    told = announcement(**changes)
    begin = prefix(told.root, told.site)
    said = [(begin + topic, body) for shot in shots for topic, body in messages(shot).items()]
    for number, code in enumerate([*FINDINGS, *EVENTS], 1):
        severity = FINDINGS[code].severity if code in FINDINGS else EVENTS[code]
        if severity is Severity.DEBUG:
            continue
        event = Event(code, "ftth", severity, "i1" if number % 2 else None, {"label": "L’été <\"&'> {{ 1 }}"})
        told_as = Recorded(f"abc-{number}", number, event, 1_800_000_000.0, synced=True)
        said.append((f"{begin}event", event_message(told_as)))
    return Case(name, HomeAssistant(told, Remembered()).due(shots[0]), said)


def cases() -> list[Case]:
    """Every kind of site."""
    cutting = replace(FULL, boxes=tuple(replace(box, phase=Phase.CUT, until=MONO + 5) for box in FULL.boxes))
    held = replace(FULL, hold_until=MONO + 600, armed=False, unarmed_why="not_armed")
    empty = replace(FULL, uplinks=(), boxes=(), devices=())
    plain = list(make_scenes().values())
    return [
        _case("everything", [FULL, mute(FULL), cutting, held, empty]),
        _case("english, no commands", [FULL, mute(FULL)], language="en", commands=False),
        _case("plain", plain[:1] + [shot for shot in plain[1:] if shot.boxes], commands=False),
        _case("another root", [FULL], root="north/vigie.2", topic="ha/here"),
        _case("odd labels", [replace(FULL, label='Garage {{ 1 }} "L\'Été"')]),
    ]
