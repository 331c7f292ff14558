"""The site as entities of Home Assistant: one component for each, as its device discovery wants them.

Keys and words are those of https://www.home-assistant.io/integrations/mqtt (device discovery, 2024.11 and
later). All read the whole ``state``: it is the one topic that is said again where data cost money. Templates
are kept to what reads one value: a null becomes ``None``, which Home Assistant takes for "unknown". The key
of a component never changes its platform, because its removal needs both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agent.core.codes import FINDINGS, Code
from agent.core.devices import DeviceKind, Strength
from agent.core.snapshot_types import BoxView, DeviceView, Health, Phase, Snapshot, UplinkView
from agent.sinks.mqtt.topics import EVENT, part
from agent.sinks.mqtt.words import say
from agent.sinks.payloads import modems, speaker
from agent.text import words

Component = dict[str, Any]

STANDS_STILL_S = 1800
"""A state so old is none: three times as long as the slowest site is silent."""
COMMAND_S = 60
"""What is pressed must arrive within so long, or it is not done later."""
EVENT_TYPES = ("incident_opened", "incident_closed", "needs_human", "alert")
"""``alert`` is what is none of the others, belongs to no incident, and has the severity of an alert."""
_NETWORKS = ("2G", "3G", "4G", "5G NSA", "5G SA")


@dataclass(frozen=True, slots=True)
class Wish:
    """What decides how a site is announced, besides the site itself.

    ``prefix`` is what stands before its topics; ``commands`` whether it takes any.
    """

    prefix: str
    language: str
    commands: bool


def components(snapshot: Snapshot, wish: Wish) -> dict[str, Component]:
    """Every entity of the site by its key, without ``unique_id``."""
    return {
        key: component
        for entities in (_site, _uplinks, _boxes, _modems)
        for key, component in entities(snapshot, wish)
    }


Entities = Iterator[tuple[str, Component]]


def _site(_snapshot: Snapshot, wish: Wish) -> Entities:
    language = wish.language
    attributes = {"json_attributes_topic": f"{wish.prefix}state"}
    yield (
        "problem",
        {
            **_on_off("problem", language, _PROBLEM, device_class="problem"),
            **attributes,
            "json_attributes_template": _FINDINGS,
            "expire_after": STANDS_STILL_S,
        },
    )
    yield (
        "headline",
        {
            **_sensor("headline", language, _headline(language), icon="mdi:bullhorn-outline"),
            **attributes,
            "json_attributes_template": _INCIDENT,
        },
    )
    armed = "{{ 'ON' if value_json.armed else 'OFF' }}"
    yield "armed", _diagnostic(_on_off("armed", language, armed, icon="mdi:shield-check-outline"))
    until = _sensor("hold_until", language, "{{ value_json.hold_until }}", device_class="timestamp")
    yield "hold_until", _diagnostic(until)
    at = _sensor("seen", language, "{{ value_json.at }}", device_class="timestamp")
    yield "seen", _diagnostic(at)
    yield (
        "event",
        {
            "platform": "event",
            "name": say("home_event", language),
            "state_topic": f"{wish.prefix}{EVENT}",
            "event_types": list(EVENT_TYPES),
            "value_template": _EVENT % {"language": language},
            "icon": "mdi:message-alert-outline",
        },
    )
    if not wish.commands:
        yield "hold", _on_off("hold", language, _HELD, icon="mdi:pause-circle-outline")
        return
    yield (
        "hold_switch",
        {
            "platform": "switch",
            "name": say("home_hold", language),
            "value_template": _HELD,
            "command_topic": f"{wish.prefix}command/hold",
            "command_template": _command(for_s="{{ 3600 if value == 'ON' else 0 }}"),
            "optimistic": False,
            "qos": 1,
            "icon": "mdi:pause-circle-outline",
        },
    )
    yield "release", {**_button("release", wish, "release"), "icon": "mdi:play-circle-outline"}
    yield "report", _diagnostic({**_button("report", wish, "report"), "icon": "mdi:refresh"})


def _uplinks(snapshot: Snapshot, wish: Wish) -> Entities:
    for view in snapshot.uplinks:
        for what, entity in _uplink(view, wish.language):
            yield f"uplink_{part(view.name)}_{what}", entity


def _uplink(view: UplinkView, language: str) -> Entities:
    label, of = view.label, _one_of("uplinks", view.name)
    works = (
        f"{{% set health = {of}.get('health') %}}"
        "{{ None if health in ('unknown', None) else 'OFF' if health == 'down' else 'ON' }}"
    )
    yield "works", _on_off("works", language, works, label, device_class="connectivity")
    yield "health", _choice("health", language, _value(of, "health"), label, Health)
    latency = _figure("latency", language, _value(of, "rtt_ms"), label, "ms", device_class="duration")
    yield "latency", {**latency, "suggested_display_precision": 0}
    icon = "mdi:close-network-outline"
    yield "loss", _figure("loss", language, _value(of, "loss_pct"), label, "%", icon=icon)
    if view.data_limit_bytes is not None:
        yield "data", _diagnostic(_megabytes("data_own", language, of, "data_used_bytes", label))


def _boxes(snapshot: Snapshot, wish: Wish) -> Entities:
    language = wish.language
    for view in snapshot.boxes:
        name = f"box_{part(view.name)}"
        for what, entity in (*_box(view, language), *_says(view, speaker(view, snapshot), language)):
            yield f"{name}_{what}", entity
        if wish.commands:
            press = _button("cycle", wish, "cycle", view.label, box=json.dumps(view.name))
            yield f"{name}_cycle", {**press, "device_class": "restart"}


def _box(view: BoxView, language: str) -> Entities:
    of = _one_of("boxes", view.name)
    yield "phase", _choice("phase", language, _value(of, "phase"), view.label, Phase)
    cycles = _sensor("cycles", language, _value(of, "cycles_today"), view.label, icon="mdi:restart")
    yield "cycles", _diagnostic({**cycles, "state_class": "measurement"})


def _says(view: BoxView, device: DeviceView | None, language: str) -> Entities:
    """What a box or a dish can tell of itself."""
    if device is None:
        return
    label, of = device.label, f"({_one_of('boxes', view.name)}.get('says') or {{}})"
    line = f"{{{{ {{true: 'ON', false: 'OFF'}}.get({of}.get('line_up')) }}}}"
    yield "line", _diagnostic(_on_off("line", language, line, label, device_class="connectivity"))
    if device.kind is DeviceKind.DISH:
        hidden = _figure("obstructed", language, _value(of, "obstructed_pct"), label, "%")
        yield "obstructed", _diagnostic({**hidden, "icon": "mdi:satellite-variant"})
    else:
        light = _figure("light", language, _value(of, "rx_dbm"), label, "dBm")
        yield "light", _diagnostic({**light, "device_class": "signal_strength"})


def _modems(snapshot: Snapshot, wish: Wish) -> Entities:
    language = wish.language
    for view in modems(snapshot):
        label, of = view.label, _one_of("modems", view.name)
        power = _figure("signal", language, _value(of, "rsrp_dbm"), label, "dBm")
        network = _choice("network", language, _value(of, "network"), label, _NETWORKS)
        entities = {
            "signal": {**power, "device_class": "signal_strength"},
            "strength": _choice("strength", language, _value(of, "strength"), label, Strength),
            "network": {**network, "icon": "mdi:signal"},
            "band": _sensor("band", language, _value(of, "band"), label, icon="mdi:radio-tower"),
            "data": _megabytes("data_month", language, of, "month_bytes", label),
        }
        for what, entity in entities.items():
            yield f"modem_{part(view.name)}_{what}", _diagnostic(entity)


# --- kinds of entities -------------------------------------------------------------------------------------


def _sensor(name: str, language: str, template: str, label: str = "", **more: object) -> Component:
    title = say(f"home_{name}", language, label=label)
    return {"platform": "sensor", "name": title, "value_template": template, **more}


def _on_off(name: str, language: str, template: str, label: str = "", **more: object) -> Component:
    return {**_sensor(name, language, template, label, **more), "platform": "binary_sensor"}


def _figure(name: str, language: str, template: str, label: str, unit: str, **more: object) -> Component:
    figure = {"unit_of_measurement": unit, "state_class": "measurement"}
    return {**_sensor(name, language, template, label, **more), **figure}


def _choice(name: str, language: str, template: str, label: str, options: Any) -> Component:
    """One of a few words; the words are those of the topics, and stay when texts change."""
    return {
        **_sensor(name, language, template, label, device_class="enum"),
        "options": [str(option) for option in options],
    }


def _megabytes(name: str, language: str, of: str, key: str, label: str) -> Component:
    template = (
        f"{{% set bytes = {of}.get('{key}') %}}"
        "{{ (bytes / 1000000) | round(1) if bytes is not none else None }}"
    )
    counted = {"device_class": "data_size", "unit_of_measurement": "MB", "state_class": "total_increasing"}
    return {**_sensor(name, language, template, label), **counted}


def _button(name: str, wish: Wish, verb: str, label: str = "", **keys: str) -> Component:
    return {
        "platform": "button",
        "name": say(f"home_{name}", wish.language, label=label),
        "command_topic": f"{wish.prefix}command/{verb}",
        "command_template": _command(**keys),
        "qos": 1,
    }


def _diagnostic(component: Component) -> Component:
    return {**component, "entity_category": "diagnostic"}


# --- templates ---------------------------------------------------------------------------------------------


def _one_of(plural: str, name: str) -> str:
    """An expression for one object of the whole state; an empty one if it is not there."""
    return (
        f"(value_json.{plural} | selectattr('name', 'eq', {json.dumps(name)}) | first | default({{}}, true))"
    )


def _value(of: str, key: str) -> str:
    """A template for one value of an object."""
    return f"{{{{ {of}.get('{key}') }}}}"


_PROBLEM = (
    "{{ 'ON' if value_json.incident or value_json.findings | selectattr('severity', 'eq', 'alert') | list"
    " else 'OFF' }}"
)
_FINDINGS = "{{ {'findings': value_json.findings | map(attribute='code') | list} | tojson }}"
_INCIDENT = (
    "{{ {'code': value_json.headline, 'incident': value_json.incident, 'since': value_json.incident_since}"
    " | tojson }}"
)
_HELD = "{{ 'ON' if value_json.hold_until else 'OFF' }}"
_EVENT = (
    "{%% set code = value_json.code %%}"
    "{%% set kind = code if code in ['incident_opened', 'incident_closed', 'needs_human'] else 'alert'"
    " if value_json.severity == 'alert' and not value_json.incident else '' %%}"
    "{{ {'event_type': kind, 'code': code, 'text': value_json.text.%(language)s,"
    " 'subject': value_json.subject, 'incident': value_json.incident, 'id': value_json.id,"
    " 'at': value_json.at} | tojson if kind else '' }}"
)
"""Other events are an empty text, which Home Assistant passes over."""


def _headline(language: str) -> str:
    """The headline in words; a code that came after these words is shown as it is."""
    said = {code.value: words(code, language, {}).short for code in (Code.ALL_WELL, *FINDINGS)}
    table = json.dumps(said, ensure_ascii=False)
    return f"{{{{ {table}.get(value_json.headline, value_json.headline) }}}}"


def _command(**keys: str) -> str:
    """A command with a name of its own and its end; ``keys`` are JSON values, or templates of such."""
    name = "ha-{{ utcnow().strftime('%Y%m%dT%H%M%S%f') }}"
    expires = f"{{{{ (utcnow() + timedelta(seconds={COMMAND_S})).strftime('%Y-%m-%dT%H:%M:%SZ') }}}}"
    more = "".join(f', "{key}": {value}' for key, value in keys.items())
    return f'{{"id": "{name}", "expires": "{expires}", "by": "home-assistant"{more}}}'
