"""A step of a commissioning: each modem, dish and box that can be asked, and whether what it says is true."""

from __future__ import annotations

from agent.cli.labels import label
from agent.cli.walk import Walk
from agent.cli.words import say
from agent.core.devices import Registration, Says, Sim, Strength
from agent.core.snapshot_types import DeviceView, Snapshot
from agent.reports.commissioning import Measure, Verdict

HEARD_S = 90.0
"""A device is asked once a minute; one that has just started gets a second chance."""
NEEDS_ANTENNA = (Strength.POOR, Strength.UNUSABLE)


def try_devices(walk: Walk) -> None:
    """Each device: does it answer, is what it says of use, and do its own pages say the same?"""
    if not walk.shot().devices:
        walk.tell("devices_none")
        return
    walk.tell("devices_head")
    shot = walk.shot_once(_all_heard, HEARD_S)
    for device in shot.devices:
        walk.begin(f"device:{device.name}")
        why = _fault(walk, device)
        said = _said(device, walk.language)
        confirmed = None
        if not why and device.says is not None and device.says.documented:
            # The driver follows documentation; a person who stands before the device knows better.
            walk.line(said)
            confirmed = walk.confirm("device_true", unattended=False, label=device.label)
        walk.note(
            Verdict.FAILED if why else Verdict.PASSED,
            said,
            why,
            **_measured(device),
            confirmed=confirmed,
        )


def _all_heard(shot: Snapshot) -> bool:
    return all(device.heard for device in shot.devices)


def _fault(walk: Walk, device: DeviceView) -> str:
    """What is wrong with it, the most basic thing first; empty if nothing is."""
    says, language = device.says, walk.language
    if says is None or not says.heard:
        return say("device_silent", language, why="–" if says is None else says.why or "–")
    if says.locked:
        return say(_how_to_unlock(walk, device), language, why=says.why or "–")
    if says.sim not in (None, Sim.READY):
        return say("device_sim", language, sim=says.sim)
    if says.registration not in (None, Registration.HOME, Registration.ROAMING):
        return say("device_network", language, registration=says.registration)
    if device.strength in NEEDS_ANTENNA:
        return say("device_weak", language, name=device.name)
    if says.line_up is False:
        return say("device_line", language, cause=says.cause or "–")
    return ""


def _how_to_unlock(walk: Walk, device: DeviceView) -> str:
    box = next((box for box in walk.config.box if box.name == device.name), None)
    return "device_pair" if box is not None and box.api == "freebox" else "device_locked"


def _said(device: DeviceView, language: str) -> str:
    """What it is and what it says, in one line."""
    says = device.says or Says(device.uplink, heard=False)
    radio = says.radio
    told = [
        says.model,
        says.operator,
        None if radio is None else radio.network,
        None if radio is None else radio.band,
        _figure("RSRP", None if radio is None else radio.rsrp_dbm, "dBm"),
        _figure("SINR", None if radio is None else radio.sinr_db, "dB"),
        _figure(say("device_light", language), says.rx_dbm, "dBm"),
        None if says.address is None else say("device_address", language, address=says.address),
    ]
    return device.label + label("colon", language) + (", ".join(word for word in told if word) or "–")


def _figure(name: str, value: float | None, unit: str) -> str | None:
    return None if value is None else f"{name} {value:.0f} {unit}"


def _measured(device: DeviceView) -> dict[str, Measure]:
    says = device.says
    if says is None or not says.heard:
        return {"heard": False}
    radio = says.radio
    return {
        "heard": True,
        "model": says.model,
        "firmware": says.firmware,
        "operator": says.operator,
        "strength": device.strength,
        "rsrp_dbm": None if radio is None else radio.rsrp_dbm,
        "sinr_db": None if radio is None else radio.sinr_db,
        "band": None if radio is None else radio.band,
        "rx_dbm": says.rx_dbm,
        "shared_address": says.shared,
        "documented": says.documented,
    }
