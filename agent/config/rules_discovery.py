"""Where announcements to others at the broker may go, in the manner of ``rules``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent.config.problems import shown
from agent.config.schema_mqtt import ROOT
from agent.config.shape import Fault
from agent.config.words import say


def discovery_rules(mqtt: Mapping[str, Any]) -> Iterator[Fault]:
    """Every broken rule."""
    announced, root = mqtt.get("home_assistant"), mqtt.get("root") or ROOT
    if announced is None:
        return
    one, other = announced.split("/"), root.split("/")
    if one[: len(other)] == other or other[: len(one)] == one:
        # Home Assistant would read every topic of the site as an announcement.
        yield Fault(("mqtt", "home_assistant"), shown(announced), say("discovery_is_root", root=root))
