"""The agent's configuration for a virtual bay."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from hardware.virtual.bay import BayUplink, LinkQuality
from hardware.virtual.plan import plan_bay
from hardware.virtual.scenario import Scenario, ScenarioService, ScenarioUplink
from hardware.virtual.speaks import MODEMS, REBOOTS, at_device, secret_file
from hardware.virtual.web_voice import SECRETS
from hardware.virtual.world import SERVICES

BROKER_HOST = "203.0.113.10"
AFTER_POWER_S = 0.0
DATA_MB = 100_000
SPACING_S = (5.0, 5.0, 5.0)
"""A show has no time for the waits of a real site."""
SERVICE_S = 10.0
quoted = json.dumps
"""A JSON string is a TOML string too."""


def box_label(uplink: ScenarioUplink) -> str:
    """What people call the uplink's box."""
    return f"Box {uplink.label}"


def modem_label(uplink: ScenarioUplink) -> str:
    """What people call the uplink's modem."""
    return f"Modem {uplink.label}"


def bay_data_mb(scenario: Scenario, uplink: ScenarioUplink) -> int | None:
    """The uplink's data budget; none where it would make services be asked too seldom for a show."""
    return None if scenario.services and uplink.kind != "cellular" else DATA_MB


def bay_uplinks(scenario: Scenario) -> list[BayUplink]:
    """The scenario's uplinks as the bay wants them."""
    return [
        BayUplink(
            name=uplink.name,
            interface=uplink.interface,
            kind=uplink.kind,
            speaks=uplink.speaks,
            operator=uplink.operator,
            boot_s=uplink.boot_s,
            quality=LinkQuality(
                loss=uplink.loss,
                delay_ms=uplink.delay_ms,
                jitter_ms=uplink.jitter_ms,
                rate_kbit=uplink.rate_kbit,
            ),
        )
        for uplink in scenario.uplinks
    ]


def configuration(scenario: Scenario, folder: Path, language: str, *, broker: bool) -> str:
    """The agent's configuration for this bay, as TOML."""
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
    if scenario.router is not None:
        lines += ["", "[failover]", f"expect_s = {scenario.router.expect_s:g}"]
        if scenario.router.by_hand:
            lines.append(f"by_hand = {quoted(scenario.router.by_hand)}")
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
        data_mb = bay_data_mb(scenario, uplink)
        lines += [] if data_mb is None else [f"data_mb = {data_mb}"]
    plans = {plan.name: plan for plan in plan_bay(bay_uplinks(scenario))}
    for uplink in scenario.uplinks:
        if uplink.modem != uplink.name:
            lines += ["", *_box(uplink, folder, plans[uplink.name].box)]
        if uplink.modem is not None:
            lines += ["", *_modem(uplink, folder, plans[uplink.name].box)]
    for service in scenario.services:
        lines += ["", *_service(service, folder)]
    if broker:
        lines += ["", "[mqtt]", f"host = {quoted(BROKER_HOST)}", "tls = false"]
    return "\n".join(lines) + "\n"


def _service(service: ScenarioService, folder: Path) -> list[str]:
    office = SERVICES[service.name]
    lines = [
        "[[service]]",
        f"name = {quoted(service.name)}",
        f"label = {quoted(service.label)}",
        f"kind = {quoted(office.kind)}",
        f"host = {quoted(office.host)}",
        f"every_s = {SERVICE_S:g}",
    ]
    if office.kind != "sip":
        lines.append(f"ca_file = {quoted(f'{folder}/authority.crt')}")
    return lines


def _box(uplink: ScenarioUplink, folder: Path, gateway: str) -> list[str]:
    lines = [
        "[[box]]",
        f"name = {quoted(uplink.name)}",
        f"label = {quoted(box_label(uplink))}",
        f"uplink = {quoted(uplink.name)}",
        f"off_s = {uplink.off_s:g}",
        f"boot_s = {uplink.boot_s:g}",
        f"confirm_s = {uplink.confirm_s:g}",
    ]
    if uplink.wired:
        lines.append(f"relay = {quoted(f'virtual:{folder}/relay.sock#{uplink.name}')}")
    if uplink.speaks is not None and uplink.speaks not in MODEMS:
        lines += device_lines(uplink.speaks, uplink.name, folder, gateway)
        if uplink.speaks in REBOOTS and not uplink.soft:
            lines.append("reboot = false")
    return lines


def _modem(uplink: ScenarioUplink, folder: Path, gateway: str) -> Sequence[str]:
    assert uplink.speaks is not None
    lines = [
        "[[modem]]",
        f"name = {quoted(uplink.modem)}",
        f"label = {quoted(modem_label(uplink))}",
        f"uplink = {quoted(uplink.name)}",
        f"boot_s = {uplink.boot_s:g}",
        *device_lines(uplink.speaks, uplink.name, folder, gateway),
    ]
    if not uplink.soft:
        lines.append("reboot = false")
    if uplink.data_gb is not None:
        lines.append(f"data_gb = {uplink.data_gb:g}")
    if uplink.bands:
        lines.append(f"bands = [{', '.join(map(quoted, uplink.bands))}]")
    return lines


def device_lines(speaks: str, name: str, folder: Path, gateway: str) -> list[str]:
    """How the device of an uplink is asked: its language, where it is found, and what it wants to be told.

    Args:
        speaks: its language, one of ``speaks.SPEAKS``.
        name: of its uplink.
        folder: of the bay.
        gateway: address of the uplink's box.
    """
    lines = [f"{'driver' if speaks in MODEMS else 'api'} = {quoted(speaks)}"]
    if speaks == "at":
        lines.append(f"device = {quoted(str(at_device(folder, name)))}")
    elif speaks != "starlink":
        lines.append(f"address = {quoted(gateway)}")
    if speaks in SECRETS:
        lines.append(f"password_file = {quoted(str(secret_file(folder, name)))}")
    return lines


def write_secret(speaks: str | None, name: str, folder: Path) -> None:
    """Write down what the device of an uplink wants to be told, if anything, for this user alone."""
    if speaks is not None and speaks in SECRETS:
        path = secret_file(folder, name)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(SECRETS[speaks], encoding="utf-8")
