"""Tells Home Assistant what is to be found of this site: one device with all its entities, retained.

Because the broker keeps it, it need not be said again when Home Assistant starts: its birth message is not
waited for. An entity that is gone must be named once with its platform alone, or it would stay as
"unavailable" for ever; so what was announced is remembered over restarts, in a file rather than by reading
the broker's copy back, which would need rights to read there and the time until the broker answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from agent.core.snapshot_types import Snapshot
from agent.sinks.mqtt.home_entities import Component, Wish, components
from agent.sinks.mqtt.topics import AVAILABILITY, part, prefix
from agent.sinks.mqtt.words import say
from agent.sinks.payloads import to_json

SETTLED_S = 1000.0
"""What was published and not followed by a new connection within this time has arrived: a dead connection
is noticed sooner, after 1.5 times the longest keepalive at the latest."""

Known = dict[str, dict[str, str]]
"""By topic, the platform of each component that Home Assistant may know."""


class Announced(Protocol):
    """Remembers what was announced, also after a restart; see ``announced.AnnouncedFile``."""

    known: Mapping[str, Mapping[str, str]]

    def keep(self, known: Mapping[str, Mapping[str, str]]) -> None:
        """Remember this from now on; returns at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """How this site is announced.

    ``topic`` is the first part of the discovery topics; None: not at all, and what was is taken back.
    """

    topic: str | None
    root: str
    site: str
    language: str
    commands: bool
    version: str

    @property
    def device(self) -> str:
        """The device's id: letters, digits, ``_`` and ``-`` are allowed in it."""
        return prefix(self.root, part(self.site)).strip("/").replace("/", "_").replace(".", "_")

    @property
    def whole_topic(self) -> str | None:
        """Where the device is announced."""
        return None if self.topic is None else f"{self.topic}/device/{self.device}/config"


class HomeAssistant:
    """Says what is to be published when; an ``Announcer``."""

    def __init__(self, announcement: Announcement, announced: Announced) -> None:
        self._announcement = announcement
        self._announced = announced
        self._sent: dict[str, bytes] = {}
        self._sent_at = 0.0
        self._seen: object = None
        self._components: dict[str, Component] = {}

    def begin(self) -> None:
        """A connection begins: nothing counts as published."""
        self._sent.clear()

    def due(self, snapshot: Snapshot) -> dict[str, bytes]:
        """Retained messages that are to be published now, by whole topics; empty ones remove."""
        topic = self._announcement.whole_topic
        if topic is not None:
            self._look(snapshot)
        current = {key: component["platform"] for key, component in self._components.items()}
        wanted: Known = {} if topic is None else {topic: current}
        known: Known = {name: dict(platforms) for name, platforms in self._announced.known.items()}
        if known != wanted and self._has_settled(snapshot, known, wanted):
            self._announced.keep(wanted)
            known = wanted
            self._sent = {name: payload for name, payload in self._sent.items() if name in wanted}
        due = {name: b"" for name in known if name != topic}
        if topic is not None:
            gone = {key: of for key, of in known.get(topic, {}).items() if key not in current}
            due[topic] = to_json(self._payload(snapshot.label, gone))
            known[topic] = {**gone, **current}
        due = {name: payload for name, payload in due.items() if self._sent.get(name) != payload}
        if due:
            if known != self._announced.known:
                self._announced.keep(known)
            self._sent |= due
            self._sent_at = snapshot.mono
        return due

    def _has_settled(self, snapshot: Snapshot, known: Known, wanted: Known) -> bool:
        """Whether all that had to go has been told to go, and has gone."""
        told = all(name in self._sent for name in (*known, *wanted))
        return told and not 0 <= snapshot.mono - self._sent_at < SETTLED_S

    def _look(self, snapshot: Snapshot) -> None:
        """Build the entities again if anything about them may be different."""
        seen = (
            snapshot.label,
            tuple((view.name, view.label, view.data_limit_bytes is None) for view in snapshot.uplinks),
            tuple((view.name, view.label) for view in snapshot.boxes),
            tuple((view.name, view.label, view.kind) for view in snapshot.devices),
        )
        if seen != self._seen:
            told = self._announcement
            wish = Wish(prefix(told.root, told.site), told.language, told.commands)
            self._components = components(snapshot, wish)
            self._seen = seen

    def _payload(self, label: str, gone: Mapping[str, str]) -> dict[str, object]:
        told = self._announcement
        topics = prefix(told.root, told.site)
        return {
            "device": {
                "identifiers": [told.device],
                "name": label,
                "manufacturer": "Vigie",
                "model": say("home_model", told.language),
                "sw_version": told.version,
            },
            "origin": {"name": "Vigie", "sw_version": told.version},
            "availability_topic": topics + AVAILABILITY,
            "state_topic": f"{topics}state",
            "qos": 1,
            "components": {
                **{
                    key: {**component, "unique_id": f"{told.device}_{key}"}
                    for key, component in self._components.items()
                },
                **{key: {"platform": platform} for key, platform in gone.items()},
            },
        }
