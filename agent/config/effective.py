"""A configuration as text with every value, and as the core's ``Site``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import NODEFAULT, Struct
from msgspec.structs import asdict, fields

from agent.config.derived import derived
from agent.config.failover import failover_rules
from agent.config.forms import NEVER
from agent.config.hours import hours_of
from agent.config.keys import keys_of, schema
from agent.config.problems import MASK
from agent.config.schema import Box, Config, Modem, Uplink
from agent.config.schema_mqtt import MqttBroker
from agent.config.secrets import MQTT_CREDENTIAL, SECOND_CREDENTIAL, is_credential
from agent.config.services import service_specs
from agent.core.devices import DeviceKind, DeviceSpec
from agent.core.site import BoxSpec, PowerRules, Site, UplinkKind, UplinkSpec

MEGABYTE = 1_000_000


# --- as text -------------------------------------------------------------------------------------------


def effective(config: Config) -> str:
    """The configuration with every value, as TOML that reads back as the same configuration.

    Values that the file need not give are marked ``# default``; absent ones stand as comments. No secret
    is in it, because none is in a ``Config``.
    """
    blocks = []
    for key in keys_of(schema()).values():
        content = getattr(config, key.name)
        if content is None:
            blocks.append(f"# {key.section} is not set")
        elif isinstance(content, tuple):
            blocks += [
                _block(key.section, key.name, entry, config, first=place == 0)
                for place, entry in enumerate(content)
            ]
            if not content:
                blocks.append(f"# {key.section}: none")
        else:
            blocks.append(_block(key.section, key.name, content, config))
    return "\n\n".join(blocks) + "\n"


def _block(header: str, section: str, entry: Struct, config: Config, *, first: bool = True) -> str:
    values = asdict(entry)
    defaults = {
        **_defaults(entry),
        **derived(
            section, values, config.site.name, [asdict(uplink) for uplink in config.uplink], first=first
        ),
    }
    lines = [header]
    tables: list[str] = []
    for name, value in values.items():
        mark = "  # default" if name in defaults and defaults[name] == value else ""
        if isinstance(value, dict):
            tables += _led_lines(value)
        elif isinstance(value, Struct):
            tables += ["", _block(f"[{section}.{name}]", f"{section}.{name}", value, config)]
        elif value is None:
            lines.append(f"# {name} is not set")
        else:
            lines.append(f"{name} = {_toml(value, name)}{mark}")
    if isinstance(entry, MqttBroker | Modem | Box):
        usual = MQTT_CREDENTIAL if section == "mqtt" else SECOND_CREDENTIAL
        lines += [f"# password: {source}" for source in _password_sources(entry, usual)]
    return "\n".join([*lines, *tables])


def _password_sources(entry: MqttBroker | Modem | Box, usual: str) -> Iterator[str]:
    """Where its password comes from, a broker's by default ``usual``; nothing for what could have none."""
    match entry:
        case MqttBroker(username=None) | Modem(driver="hilink", password_file=None):
            yield "none"
        case Modem(driver="at") | Box(api=None):
            return
        case Box(password_file=None):
            yield "none"
        case _:
            place = entry.password_file or usual
            yield (
                f"{MASK} (systemd credential {place})"
                if is_credential(place)
                else f"{MASK} (in password_file)"
            )


def _defaults(entry: Struct) -> dict[str, Any]:
    return {field.name: field.default for field in fields(entry) if field.default is not NODEFAULT}


def _led_lines(leds: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield "[panel.leds]" if leds else "# [panel.leds] is not set"
    for name, led in leds.items():
        yield f"{name} = {{ green = {led.green}, red = {led.red} }}"


def _toml(value: object, name: str) -> str:
    """``value`` as TOML; all texts of a ``Config`` are on one line."""
    if isinstance(value, Struct):
        inner = {key: content for key, content in asdict(value).items() if content is not None}
        return "{ " + ", ".join(f"{key} = {_toml(content, key)}" for key, content in inner.items()) + " }"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item, name) for item in value) + "]"
    if isinstance(value, int):
        return f"0x{value:X}" if name == "i2c_address" else str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


# --- for the core -----------------------------------------------------------------------------------------


def to_site(config: Config) -> Site:
    """What the core must know of the configuration."""
    power = config.power
    return Site(
        name=config.site.name,
        label=config.site.label,
        uplinks=tuple(
            UplinkSpec(
                uplink.name,
                uplink.label,
                UplinkKind(uplink.kind),
                uplink.targets,
                uplink.interval_s,
                uplink.operator,
                _device(config, uplink.name),
                None if uplink.data_mb is None else uplink.data_mb * MEGABYTE,
                checks_s(config, uplink),
            )
            for uplink in config.uplink
        ),
        boxes=_boxes(config),
        power=PowerRules(
            armed=power.armed,
            per_incident=power.per_incident,
            per_day=power.per_day,
            spacing_s=power.spacing_s,
            after_power_s=power.after_power_s,
            maintenance=tuple(window_s(text) for text in power.maintenance),
            maintenance_confirm_s=power.maintenance_confirm_s,
            require_proof=power.require_proof,
        ),
        switch_cost_s=config.failover.switch_cost_s,
        services=service_specs(config),
        failover=failover_rules(config),
        opening=tuple(hours_of(text) for text in config.site.opening),
    )


def _device(config: Config, uplink: str) -> DeviceSpec | None:
    """Who speaks for the uplink: its modem, or the box on it that can be asked."""
    for modem in config.modem:
        if modem.uplink == uplink:
            limit = None if modem.data_gb is None else round(modem.data_gb * 1e9)
            return DeviceSpec(
                modem.name,
                modem.label,
                DeviceKind.MODEM,
                limit,
                modem.bands,
                modem.sms_to,
                modem.sms_after_s,
            )
    for box in config.box:
        if box.uplink == uplink and box.api is not None:
            kind = DeviceKind.DISH if box.api == "starlink" else DeviceKind.BOX
            return DeviceSpec(box.name, box.label, kind)
    return None


def reboots(config: Config) -> dict[str, str]:
    """By box of the core, the device that can reboot it by software: the modem, or the box itself.

    The first box on a modem's uplink is its power; a modem without one is a box of its own.
    """
    known = {box.name: box.name for box in config.box if box.api == "starlink" and box.reboot}
    for modem in config.modem:
        if modem.reboot:
            known[next((box.name for box in config.box if box.uplink == modem.uplink), modem.name)] = (
                modem.name
            )
    return known


def _boxes(config: Config) -> tuple[BoxSpec, ...]:
    soft = reboots(config)
    boxes = [
        BoxSpec(
            name=box.name,
            label=box.label,
            uplink=box.uplink,
            wired=box.relay is not None,
            confirm_s=box.confirm_s,
            off_s=box.off_s,
            boot_s=box.boot_s,
            soft=box.name in soft,
            # The Pi's cable is in the last box of a line; one before it shows no carrier of its own.
            direct=not any(later.uplink == box.uplink for later in config.box[place + 1 :]),
        )
        for place, box in enumerate(config.box)
    ]
    boxes += [
        BoxSpec(
            name=modem.name,
            label=modem.label,
            uplink=modem.uplink,
            wired=False,
            confirm_s=modem.boot_s,
            boot_s=modem.boot_s,
            soft=True,
        )
        for modem in config.modem
        if modem.name in soft
    ]
    return tuple(boxes)


def checks_s(config: Config, uplink: Uplink) -> float:
    """How often all beyond echoes is asked through this uplink: more seldom where data costs money."""
    return config.checks.every_metered_s if uplink.kind == "cellular" else config.checks.every_s


def data_limits(config: Config) -> dict[str, int]:
    """By uplink with a data budget, the bytes that it may use in a month."""
    return {one.name: one.data_mb * MEGABYTE for one in config.uplink if one.data_mb is not None}


def wiring(config: Config) -> dict[str, str]:
    """By box with a relay, what a proof of this relay holds for: the relay, and where its effect was seen."""
    interfaces = {uplink.name: uplink.interface for uplink in config.uplink}
    return {
        box.name: f"{box.relay} cuts {box.uplink} on {interfaces[box.uplink]}"
        for box in config.box
        if box.relay is not None
    }


def quiet_hours(config: Config) -> tuple[float, float] | None:
    """When the buzzer is silent, seconds after midnight; None for never."""
    text = config.panel.buzzer_quiet
    return None if text == NEVER else window_s(text)


def window_s(text: str) -> tuple[float, float]:
    """``"01:00-05:00"`` as seconds after midnight."""
    begin, end = (int(part[:2]) * 3600.0 + int(part[3:]) * 60.0 for part in text.split("-"))
    return begin, end
