"""What the configuration says of a key that is not given, where that depends on other keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import fields

from agent.config.schema import Box

CELLULAR_INTERVAL_S = 10.0
"""Three targets every second, 84 bytes there and 84 back, are 1.3 GB a month; every 10 s they are 130 MB."""
BOOT_S: float = next(field.default for field in fields(Box) if field.name == "boot_s")


def derived(section: str, entry: Mapping[str, Any], site: str) -> dict[str, Any]:
    """The values that follow for ``entry`` of ``section``.

    Args:
        section: ``site``, ``uplink``, ``box`` or another; most have nothing derived.
        entry: its other keys; one that is not given has its default.
        site: the site's name.
    """
    match section:
        case "site":
            return {"label": entry["name"]}
        case "uplink":
            cellular = entry.get("kind") == "cellular"
            return {"label": entry["name"], "interval_s": CELLULAR_INTERVAL_S if cellular else 1.0}
        case "box":
            return {"label": entry["name"], "confirm_s": entry.get("boot_s", BOOT_S)}
        case "mqtt":
            return {"port": 8883 if entry.get("tls", True) else 1883, "client_id": f"vigie-{site}"}
    return {}


def complete(clean: Mapping[str, Any]) -> dict[str, Any]:
    """A checked file with every derived value in its place."""
    site = clean["site"]["name"]
    full: dict[str, Any] = {}
    for section, content in clean.items():
        if isinstance(content, list):
            full[section] = [{**derived(section, entry, site), **entry} for entry in content]
        else:
            full[section] = {**derived(section, content, site), **content}
    return full
