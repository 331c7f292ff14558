"""What the configuration says of a key that is not given, where that depends on other keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import fields

from agent.config.schema import Box

CELLULAR_INTERVAL_S = 10.0
"""Three targets every second, 84 bytes there and 84 back, are 1.3 GB a month; every 10 s they are 130 MB."""
USUAL_ADDRESSES = {
    "hilink": "192.168.8.1",
    "livebox": "192.168.1.1",
    "freebox": "192.168.1.254",
    "sfr": "192.168.1.1",
    "bbox": "192.168.1.254",
    "starlink": "192.168.100.1",
}
"""As the devices come out of their cartons."""
SERVICE_PORTS = {"tls": 443, "https": 443, "dns": 53, "sip": 5060}
STANDBY_DATA_MB = 50
"""Of a plan for a standby, a few per cent; an echo every ten seconds and checks every half hour are 31 MB."""
BOOT_S: float = next(field.default for field in fields(Box) if field.name == "boot_s")


def derived(
    section: str,
    entry: Mapping[str, Any],
    site: str,
    uplinks: Sequence[Mapping[str, Any]] = (),
    *,
    first: bool = True,
) -> dict[str, Any]:
    """The values that follow for ``entry`` of ``section``.

    Args:
        section: ``site``, ``uplink``, ``service`` or another; most have nothing derived.
        entry: its other keys; one that is not given has its default.
        site: the site's name.
        uplinks: all of them; a device is asked at its uplink's ``gateway``, where that is given.
        first: it is the first of its section: among uplinks the preferred one, and no standby.
    """
    match section:
        case "site":
            return {"label": entry["name"]}
        case "uplink":
            cellular = entry.get("kind") == "cellular"
            values = {"label": entry["name"], "interval_s": CELLULAR_INTERVAL_S if cellular else 1.0}
            return {**values, "data_mb": STANDBY_DATA_MB} if cellular and not first else values
        case "box":
            confirm_s = entry.get("boot_s", BOOT_S)
            address = _address(entry.get("api"), entry.get("uplink"), uplinks)
            return {"label": entry["name"], "confirm_s": confirm_s, **address}
        case "modem":
            return {"label": entry["name"], **_address(entry.get("driver"), entry.get("uplink"), uplinks)}
        case "service":
            port = SERVICE_PORTS.get(entry.get("kind", ""))
            return {"label": entry["name"], **({} if port is None else {"port": port})}
        case "mqtt" | "mqtt.second":
            return {"port": 8883 if entry.get("tls", True) else 1883, "client_id": f"vigie-{site}"}
    return {}


def _address(speaks: str | None, uplink: str | None, uplinks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Where a device that ``speaks`` this language is asked; nothing if it has no address."""
    if speaks not in USUAL_ADDRESSES:
        return {}
    gateway = next((entry.get("gateway") for entry in uplinks if entry.get("name") == uplink), None)
    # A dish has one address, whatever stands between.
    usual = USUAL_ADDRESSES[speaks]
    return {"address": usual if gateway is None or speaks == "starlink" else gateway}


def complete(clean: Mapping[str, Any]) -> dict[str, Any]:
    """A checked file with every derived value in its place."""
    site = clean["site"]["name"]
    uplinks = clean["uplink"]
    full: dict[str, Any] = {}
    for section, content in clean.items():
        if isinstance(content, list):
            full[section] = [
                {**derived(section, entry, site, uplinks, first=place == 0), **entry}
                for place, entry in enumerate(content)
            ]
        else:
            full[section] = {**derived(section, content, site), **content}
    if full.get("mqtt", {}).get("second") is not None:
        second = full["mqtt"]["second"]
        full["mqtt"]["second"] = {**derived("mqtt.second", second, site), **second}
    return full
