"""The agent's configuration for a virtual bay."""

from __future__ import annotations

import json
from pathlib import Path

from hardware.virtual.scenario import Scenario

BROKER_HOST = "203.0.113.10"
AFTER_POWER_S = 0.0
SPACING_S = (5.0, 5.0, 5.0)
"""A show has no time for the waits of a real site."""


def configuration(scenario: Scenario, folder: Path, language: str, *, broker: bool) -> str:
    """The agent's configuration for this bay, as TOML."""
    quoted = json.dumps  # a JSON string is a TOML string too
    lines = [
        "[site]",
        'name = "demo"',
        f"label = {quoted('Garage Demo')}",
        f"language = {quoted(language)}",
        "",
        "[power]",
        f"after_power_s = {AFTER_POWER_S:g}",
        f"spacing_s = {list(SPACING_S)}",
    ]
    for uplink in scenario.uplinks:
        lines += [
            "",
            "[[uplink]]",
            f"name = {quoted(uplink.name)}",
            f"label = {quoted(uplink.label)}",
            f"kind = {quoted(uplink.kind)}",
            f"operator = {quoted(uplink.operator)}",
            f"interface = {quoted(uplink.interface)}",
            f"interval_s = {uplink.interval_s:g}",
        ]
    for uplink in scenario.uplinks:
        lines += ["", "[[box]]", f"name = {quoted(uplink.name)}", f"label = {quoted('Box ' + uplink.label)}"]
        lines += [
            f"uplink = {quoted(uplink.name)}",
            f"off_s = {uplink.off_s:g}",
            f"boot_s = {uplink.boot_s:g}",
        ]
        lines.append(f"confirm_s = {uplink.confirm_s:g}")
        if uplink.wired:
            lines.append(f"relay = {quoted(f'virtual:{folder}/relay.sock#{uplink.name}')}")
    if broker:
        lines += ["", "[mqtt]", f"host = {quoted(BROKER_HOST)}", "tls = false"]
    return "\n".join(lines) + "\n"
