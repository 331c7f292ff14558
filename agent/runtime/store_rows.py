"""An event as a row of the database, and back."""

from __future__ import annotations

import json
from typing import Any

from agent.core.codes import TURNS, Code, Severity
from agent.core.model import Event, Recorded
from agent.runtime.store_codec import CORRECTED, told_apart


def encode_event(event: Event, mono: float, boot: str) -> str:
    """An event as ASCII JSON, with the monotonic instant that can correct its time later."""
    body = {
        "code": event.code,
        "subject": event.subject,
        "severity": event.severity,
        "incident": event.incident,
        "args": dict(event.args),
        "alert": event.alert,
        "mono": mono,
        "boot": boot,
    }
    return json.dumps(body, default=str)


def decode_row(row: tuple[Any, ...]) -> Recorded:
    """A row of ``SELECT seq, id, at, synced, body`` as it was recorded; raises ``DamagedError``."""
    seq, name, at, synced, text = row
    with told_apart():
        body = json.loads(text)
        event = Event(
            code=Code(body["code"]),
            subject=body["subject"],
            severity=Severity(body["severity"]),
            incident=body["incident"],
            args=dict(body["args"]),
            alert=bool(body.get("alert", body["code"] in TURNS)),
        )
        return Recorded(str(name), int(seq), event, float(at), bool(synced), corrected=synced == CORRECTED)


def decode_clock(text: str) -> tuple[float, str]:
    """Monotonic instant and boot of an event from what ``encode_event`` wrote; raises ``DamagedError``."""
    with told_apart():
        body = json.loads(text)
        return float(body["mono"]), str(body["boot"])
