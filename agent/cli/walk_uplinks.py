"""The first and the last steps of a commissioning: what is connected, and who hears of it."""

from __future__ import annotations

import asyncio
import time

from agent.cli.control_client import ask
from agent.cli.walk import POLL_S, Walk
from agent.cli.words import say
from agent.core.snapshot_types import Health, Snapshot, UplinkView
from agent.reports.commissioning import Verdict

VERDICT_S = 60.0
"""An agent that has just started, or an uplink in doubt, gets so long for a verdict."""
BROKER_S = 30.0


def try_uplinks(walk: Walk) -> None:
    """Each uplink: its interface, its address, whether its targets answer."""
    walk.tell("uplinks_head")
    shot = walk.shot_once(_decided, VERDICT_S)
    for uplink in shot.uplinks:
        walk.begin(f"uplink:{uplink.name}")
        asked = next(entry for entry in walk.config.uplink if entry.name == uplink.name)
        answering = len(asked.targets) - len(uplink.bad_targets)
        why = _fault(uplink, walk.language)
        text = say(
            "uplink_said",
            walk.language,
            label=uplink.label,
            interface=asked.interface,
            address=uplink.address or "–",
            gateway=uplink.gateway or "–",
            rtt="–" if uplink.rtt_ms is None else f"{uplink.rtt_ms:.0f} ms",
        )
        walk.note(
            Verdict.FAILED if why else Verdict.PASSED,
            text,
            why,
            interface=asked.interface,
            address=uplink.address,
            gateway=uplink.gateway,
            health=uplink.health.value,
            rtt_ms=uplink.rtt_ms,
            loss_pct=uplink.loss_pct,
            targets=len(asked.targets),
            targets_answering=answering if uplink.health.works else 0,
        )


def _decided(shot: Snapshot) -> bool:
    return all(uplink.health not in (Health.UNKNOWN, Health.SUSPECT) for uplink in shot.uplinks)


def _fault(uplink: UplinkView, language: str) -> str:
    """What is wrong with an uplink, the most basic thing first; empty if nothing is."""
    if not uplink.present:
        return say("uplink_no_interface", language)
    if uplink.carrier is False:
        return say("uplink_no_carrier", language)
    if uplink.address is None:
        return say("uplink_no_address", language)
    if uplink.gateway is None:
        return say("uplink_no_gateway", language)
    if not uplink.health.answers:
        return say("uplink_silent", language, why=uplink.why)
    if uplink.bad_targets:
        return say("uplink_bad_targets", language, targets=", ".join(uplink.bad_targets))
    return ""


def try_broker(walk: Walk) -> None:
    """The broker: connected, and everything that was to be sent acknowledged."""
    if walk.config.mqtt is None:
        walk.tell("broker_none")
        return
    walk.begin("broker")
    host = f"{walk.config.mqtt.host}:{walk.config.mqtt.port}"
    end = time.monotonic() + BROKER_S
    while True:
        shot = walk.shot()
        part = next((part for part in shot.parts if part.name == "mqtt"), None)
        connected = part is not None and part.ok
        waiting = asyncio.run(ask(walk.socket, {"do": "about"}))["about"]["events_wait"] is not False
        if (connected and not waiting) or time.monotonic() >= end:
            break
        time.sleep(POLL_S)
    why = ""
    if not connected:
        why = part.detail if part is not None and part.detail else say("broker_silent", walk.language)
    elif waiting:
        why = say("broker_waits", walk.language)
    text = say("broker_said", walk.language, host=host)
    walk.note(Verdict.FAILED if why else Verdict.PASSED, text, why, host=host)
