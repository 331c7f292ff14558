"""The page on the local network: how large it is, and how long it takes to draw."""

from __future__ import annotations

import time
from dataclasses import replace

from agent.core.codes import Code, Severity
from agent.core.model import Event, Recorded, Scalar
from agent.core.site import UplinkKind
from agent.core.snapshot_types import Health, Snapshot, UplinkView
from agent.sinks.web.minutes import KEPT, MINUTE_S
from agent.sinks.web.sink import EVENTS_KEPT, WebSettings, WebSink
from measure.console import say

MONO, WALL = 1e6, 1.8e9
ROUNDS = 50


def page() -> None:
    """Bytes and milliseconds with 3 and 6 uplinks after a full day with many events."""
    for count in (3, 6):
        _measure(count)


def _measure(count: int) -> None:
    now = [MONO]
    sink = WebSink(WebSettings("", 8080, (), "fr", "Garage"), _events(count), lambda: now[0])
    for minute in range(KEPT, -1, -1):
        sink.take(_picture(count, MONO - minute * MINUTE_S, minute))
    for path, every_s, what in (
        ("/fr", MINUTE_S, "with new plots, once a minute"),
        ("/fr", 1.0, "else, at most once a second"),
        ("/fr/lights", 1.0, "the sheet of the lights"),
        ("/state.json", 1.0, "the state"),
    ):
        took_s = []
        for number in range(ROUNDS):
            now[0] += every_s
            sink.take(_picture(count, now[0], number))
            began = time.process_time()
            size = len(sink.answer(path).body)
            took_s.append(time.process_time() - began)
        typical_ms = sorted(took_s)[ROUNDS // 2] * 1000
        say(f"{count} uplinks, {path}: {size / 1000:.1f} kB, {typical_ms:.2f} ms CPU {what}")


def _events(count: int) -> list[Recorded]:
    """As many as are kept: outages that end, each an incident."""
    events = []
    for number in range(EVENTS_KEPT):
        code = (Code.UPLINK_DOWN, Code.INCIDENT_OPENED, Code.UPLINK_UP, Code.INCIDENT_CLOSED)[number % 4]
        args: dict[str, Scalar] = {
            "label": "Fibre",
            "finding": "box_hung",
            "lasted_s": 60.0,
            "down_s": 60.0,
            "cycles": 1,
        }
        name = f"u{number // 4 % count}"
        event = Event(code, name, Severity.INFO, f"i{number // 4}", args)
        events.append(
            Recorded(str(number), number, event, WALL - (EVENTS_KEPT - number) * 170.0, synced=True)
        )
    return events


def _picture(count: int, mono: float, number: int) -> Snapshot:
    """A site whose delay trembles."""
    uplink = UplinkView(
        "", "Fibre", UplinkKind.FTTH, Health.UP, 0.0, "", False, True, True, None, None, 12.0, 0.0, 0.0, ()
    )  # fmt: skip
    uplinks = tuple(
        replace(uplink, name=f"u{place}", rtt_ms=12.0 + (number * 7919 + place) % 13)
        for place in range(count)
    )
    return Snapshot(
        1, mono, WALL + mono - MONO, True, "garage", "Garage", True, None, None, None, None,
        Code.ALL_WELL, uplinks, (), (),
    )  # fmt: skip
