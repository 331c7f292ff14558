"""Advice on a configuration that is right: what will work, but probably not as wished."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from itertools import pairwise

from agent.config.effective import MEGABYTE, checks_s, reboots
from agent.config.forms import is_private, web_address
from agent.config.schema import Box, Checks, Config, Modem, Uplink
from agent.config.schema_mqtt import MqttBroker
from agent.config.schema_panel import Panel
from agent.config.words import Words, say
from agent.core.budget import planned_look_s

SHORT_SPACING_S = 300.0
GOOD_TARGETS = 3
_OPERATORS = {
    "Cloudflare": ("1.1.1.1", "1.0.0.1"),
    "Google": ("8.8.8.8", "8.8.4.4"),
    "Quad9": ("9.9.9.9", "149.112.112.112"),
}
_DOCUMENTATION = [IPv4Network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
_USUAL_PORTS = {8883: True, 1883: False}
"""Whether a broker's usual ports are encrypted."""


def notices(config: Config, language: str = "en") -> list[str]:
    """Advice, a line each, most important first; empty if there is none."""
    return [words.text(language) for words in _all(config)]


def _all(config: Config) -> Iterator[Words]:
    yield from _uplinks(config)
    yield from _power(config)
    yield from _facts(config)
    for uplink in config.uplink:
        yield from _targets(uplink)
        yield from _data(config, uplink)
    yield from _checks(config.checks)
    yield from _unseen(config)
    for modem in config.modem:
        yield from _modem(modem)
    for box in config.box:
        yield from _box(box)
    yield from _commands(config)
    leds = config.panel.leds
    missing = [name for name in ("site", *(uplink.name for uplink in config.uplink)) if name not in leds]
    if leds and missing:
        yield say("notice_no_led", names=", ".join(missing))
    yield from _web(config.panel)
    if config.mqtt is not None:
        yield from _mqtt("mqtt", config.mqtt)
        if config.mqtt.second is not None:
            yield from _mqtt("mqtt.second", config.mqtt.second)


def _uplinks(config: Config) -> Iterator[Words]:
    if len(config.uplink) == 1:
        yield say("notice_one_uplink")
    operators = {(uplink.operator or "").strip().casefold() for uplink in config.uplink}
    if len(config.uplink) > 1 and len(operators) == 1 and operators != {""}:
        yield say("notice_one_operator", operator=config.uplink[0].operator)


def _power(config: Config) -> Iterator[Words]:
    power = config.power
    if all(box.relay is None for box in config.box):
        soft = reboots(config)
        yield say("notice_soft_only", names=", ".join(soft.values())) if soft else say("notice_no_relay")
    elif not power.armed:
        yield say("notice_unarmed")
    shortest = min(power.spacing_s)
    if shortest < SHORT_SPACING_S:
        yield say("notice_spacing_short", spacing=f"{shortest:g}")
    if any(later < earlier for earlier, later in pairwise(power.spacing_s)):
        yield say("notice_spacing_shrinks")
    if power.per_day < power.per_incident:
        yield say("notice_per_day")


def _facts(config: Config) -> Iterator[Words]:
    """What people have told and should not leave so; the rest is for the audit."""
    for box in config.box:
        if box.relay is not None and box.facts.contact == "no":
            yield say("notice_contact_no", box=box.name, relay=box.relay)
    if config.site.facts.pi_outlet == "switched":
        yield say("notice_pi_switched")


def _targets(uplink: Uplink) -> Iterator[Words]:
    if len(uplink.targets) < GOOD_TARGETS:
        yield say("notice_few_targets", uplink=uplink.name, count=len(uplink.targets))
    for operator, addresses in _OPERATORS.items():
        if set(uplink.targets) <= set(addresses):
            yield say("notice_targets_one_operator", uplink=uplink.name, operator=operator)
    for target in uplink.targets:
        if any(IPv4Address(target) in net for net in _DOCUMENTATION):
            yield say("notice_documentation_target", uplink=uplink.name, target=target)


def _data(config: Config, uplink: Uplink) -> Iterator[Words]:
    """The configured pace is more than the data budget pays for."""
    if uplink.data_mb is None:
        return
    look_s = planned_look_s(uplink.data_mb * MEGABYTE, checks_s(config, uplink))
    if look_s > uplink.interval_s:
        told = {"uplink": uplink.name, "data": uplink.data_mb, "interval": f"{uplink.interval_s:g}"}
        yield say("notice_data_short", **told, result=f"{look_s:.0f}" if look_s >= 10 else f"{look_s:.1f}")


def _checks(checks: Checks) -> Iterator[Words]:
    for key, given in (("names", checks.names), ("web", checks.web)):
        if not given:
            yield say("notice_checks_none", key=key)
        elif len(given) == 1:
            yield say("notice_checks_one", key=key)
    if checks.every_metered_s < checks.every_s:
        yield say("notice_checks_metered")


def _unseen(config: Config) -> Iterator[Words]:
    """Uplinks of which only what passes through them is known."""
    with_modem = {modem.uplink for modem in config.modem}
    with_dish = {box.uplink for box in config.box if box.api == "starlink"}
    for uplink in config.uplink:
        if uplink.kind == "cellular" and uplink.name not in with_modem:
            yield say("notice_modem_none", uplink=uplink.name)
        if uplink.kind == "starlink" and uplink.name not in with_dish:
            yield say("notice_dish_none", uplink=uplink.name)


def _modem(modem: Modem) -> Iterator[Words]:
    if modem.driver == "hilink" and modem.password_file is None and modem.reboot:
        yield say("notice_modem_password", modem=modem.name)
    if modem.bands and all(band.startswith("n") for band in modem.bands):
        yield say("notice_bands_5g", modem=modem.name)


def _box(box: Box) -> Iterator[Words]:
    if box.api in ("livebox", "bbox") and box.password_file is None:
        yield say(f"notice_{box.api}_password", box=box.name)


def _commands(config: Config) -> Iterator[Words]:
    """Commands that anybody on the way could give."""
    mqtt = config.mqtt
    if mqtt is None or not mqtt.commands:
        return
    if mqtt.username is None:
        yield say("notice_commands_open")
    elif not mqtt.tls and not is_private(mqtt.host):
        yield say("notice_commands_plain", host=mqtt.host)


def _web(panel: Panel) -> Iterator[Words]:
    if panel.web is None:
        if panel.web_names:
            yield say("notice_web_names")
        return
    address, _ = web_address(panel.web)
    if address and not is_private(address):
        yield say("notice_web_public", address=address)


def _mqtt(section: str, mqtt: MqttBroker) -> Iterator[Words]:
    if not mqtt.tls and mqtt.username is not None and not is_private(mqtt.host):
        yield say("notice_mqtt_plain", section=section, host=mqtt.host)
    if mqtt.port in _USUAL_PORTS and _USUAL_PORTS[mqtt.port] is not mqtt.tls:
        usual = say("encrypted" if _USUAL_PORTS[mqtt.port] else "unencrypted")
        tls = "true" if mqtt.tls else "false"
        yield say("notice_mqtt_port", section=section, port=mqtt.port, usual=usual, tls=tls)
    for key, file in (("ca_file", mqtt.ca_file), ("cert_file", mqtt.cert_file)):
        if file is not None and not mqtt.tls:
            yield say("notice_tls_unused", section=section, key=key)
