"""What is published where, as a pure function of the snapshot, and when it is worth publishing again.

A topic is published at once when something about it changed that a person would call news, and otherwise
at most every ``refresh_s`` seconds for its moving numbers. So ``state`` is also a heartbeat: its ``at``
is never much older than that while the agent lives and the broker can be reached.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass

from agent.core.model import Recorded
from agent.core.snapshot_types import BoxView, DeviceView, ServiceView, Snapshot, UplinkView
from agent.sinks.payloads import (
    box_payload,
    event_payload,
    modem_payload,
    modems,
    service_payload,
    speaker,
    state_payload,
    to_json,
    uplink_payload,
)

REFRESH_S = 30.0
REFRESH_METERED_S = 600.0
"""Where the connection leaves by an uplink with a data budget. A site's numbers are some 4 kB each time:
every half minute that would be 11 MB a day."""
AVAILABILITY = "availability"
EVENT = "event"
ONLINE = b"online"
OFFLINE = b"offline"

_UNFIT = re.compile(r"[^A-Za-z0-9_.-]")


def part(name: str) -> str:
    """A name as one level of a topic: nothing in it that MQTT gives a meaning to."""
    return _UNFIT.sub("-", name) or "-"


def prefix(root: str, site: str) -> str:
    """What stands before every topic of this site; ``root`` may have several levels."""
    levels = [part(level) for level in root.split("/") if level]
    return "/".join([*levels, part(site)]) + "/"


def messages(snapshot: Snapshot) -> dict[str, bytes]:
    """Every retained message by the end of its topic, the whole ``state`` last."""
    found = {
        f"uplink/{part(view.name)}": to_json(uplink_payload(view, snapshot)) for view in snapshot.uplinks
    }
    found |= {f"box/{part(view.name)}": to_json(box_payload(view, snapshot)) for view in snapshot.boxes}
    found |= {f"modem/{part(view.name)}": to_json(modem_payload(view, snapshot)) for view in modems(snapshot)}
    found |= {
        f"service/{part(one.name)}": to_json(service_payload(one, snapshot)) for one in snapshot.services
    }
    found["state"] = to_json(state_payload(snapshot))
    return found


def event_message(recorded: Recorded) -> bytes:
    """The payload of ``event``."""
    return to_json(event_payload(recorded))


def news(snapshot: Snapshot) -> dict[str, object]:
    """For each topic of ``messages``, what makes it worth publishing at once when it changes.

    Left out are numbers that move all the time, and texts that contain such numbers.
    """
    uplinks = {f"uplink/{part(view.name)}": _uplink_news(view) for view in snapshot.uplinks}
    boxes = {
        f"box/{part(view.name)}": (_box_news(view), device_news(speaker(view, snapshot)))
        for view in snapshot.boxes
    }
    radios = {f"modem/{part(view.name)}": device_news(view) for view in modems(snapshot)}
    site = (
        snapshot.armed,
        snapshot.unarmed_why,
        snapshot.hold_until is not None,
        snapshot.incident,
        snapshot.incident_severity,
        snapshot.headline,
        snapshot.synced,
        tuple((view.code, view.subject, view.severity) for view in snapshot.findings),
        _path_news(snapshot),
    )
    served = {f"service/{part(view.name)}": _service_news(view) for view in snapshot.services}
    parts = {**uplinks, **boxes, **radios, **served}
    return {**parts, "state": (site, *parts.values())}


def _uplink_news(view: UplinkView) -> object:
    seen = (view.present, view.carrier, view.address, view.gateway)
    outside = (view.active, view.public_address, view.shared, view.proven_at is not None)
    return (view.health, view.preferred, seen, view.bad_targets, outside)


def _path_news(snapshot: Snapshot) -> object:
    path = snapshot.site_path
    if path is None:
        return None
    choice = path.choice
    advice = None if choice is None else (choice.wanted, choice.why, choice.waits_for)
    return (path.state, path.active, path.spread, path.public_address, advice)


def _box_news(view: BoxView) -> object:
    return (view.phase, view.wired, view.cycles_today, view.refusal)


def _service_news(view: ServiceView) -> object:
    return (view.via, view.valid_until, *(way.serves for way in (view.now, *view.uplinks)))


def device_news(view: DeviceView | None) -> object:
    """What people would call news about a device that speaks of itself; figures are not."""
    if view is None:
        return None
    says = view.says
    if says is None:
        return (view.at is not None,)
    state = (says.sim, says.registration, says.refused, says.cause, says.line_up, says.address)
    return (view.heard, says.locked, view.strength, *state)


@dataclass(frozen=True, slots=True)
class _Sent:
    news: object
    payload: bytes
    at: float


class Publisher:
    """Remembers what the broker has, and says what it should get next."""

    def __init__(self) -> None:
        self._sent: dict[str, _Sent] = {}

    def forget(self) -> None:
        """Nothing counts as published any more: everything is due."""
        self._sent.clear()

    def due(
        self, snapshot: Snapshot, busy: Container[str] = (), every_s: float = REFRESH_S
    ) -> dict[str, bytes]:
        """What to publish now, taken as published by the return.

        Args:
            snapshot: the newest one.
            busy: topics whose last message is still on its way; they wait their turn.
            every_s: how often numbers that move all the time are published.
        """
        fresh = news(snapshot)
        wanted = [
            topic for topic in fresh if topic not in busy and self._is_wanted(topic, fresh, snapshot, every_s)
        ]
        if not wanted:
            return {}
        rendered = messages(snapshot)
        due: dict[str, bytes] = {}
        for topic in wanted:
            last = self._sent.get(topic)
            if last is None or last.payload != rendered[topic]:
                due[topic] = rendered[topic]
            self._sent[topic] = _Sent(fresh[topic], rendered[topic], snapshot.mono)
        return due

    def _is_wanted(self, topic: str, fresh: dict[str, object], snapshot: Snapshot, every_s: float) -> bool:
        last = self._sent.get(topic)
        return last is None or last.news != fresh[topic] or not 0 <= snapshot.mono - last.at < every_s


def refresh_s(snapshot: Snapshot, address: str | None) -> float:
    """How often moving numbers are published over a connection from this address of the machine."""
    metered = any(
        address is not None and view.address == address and view.data_limit_bytes is not None
        for view in snapshot.uplinks
    )
    return REFRESH_METERED_S if metered else REFRESH_S
