"""The bench of the outbox: a small one, and that it can say that something is wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from agent.core.codes import Code, Severity
from agent.core.model import Event, Recorded
from agent.sinks.payloads import event_payload, to_json
from hardware.virtual.processes import find_program
from measure.outbox import as_json, judge, outbox, table
from measure.outbox_wire import packets

HISTORY = [
    Recorded(
        f"x-{n}", n, Event(Code.UPLINK_DOWN, "ftth", Severity.INFO, None, {"why": f"{n}"}), 1e9 + n, True
    )
    for n in range(1, 6)
]
PAYLOADS = [to_json(event_payload(item)) for item in HISTORY]
TOLD = {item.seq: item.id for item in HISTORY if item.seq is not None}


@pytest.mark.broker
@pytest.mark.skipif(find_program("mosquitto") is None, reason="no mosquitto binary")
def test_nothing_is_lost_while_site_and_broker_fail(capsys: pytest.CaptureFixture[str]) -> None:
    """Killed, frozen and made to forget, a few times: every event arrives, in order."""
    outcome = asyncio.run(outbox(events=150, failures=3, seed=4))
    assert outcome.wrong == []
    assert outcome.events == 150
    assert {failure.kind.split()[0] for failure in outcome.failures} == {"site", "broker"}
    assert json.loads(as_json(outcome))["arrived"] == outcome.arrived >= 150
    table(outcome)
    assert capsys.readouterr().out.endswith("every event arrived, in order, without a hole\n")


def test_repeats_are_not_wrong() -> None:
    """An event may arrive again, after later ones too."""
    assert judge(HISTORY, [*PAYLOADS[:3], *PAYLOADS[1:]], TOLD) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda sent: sent[:2] + sent[3:], "1 events never arrived, the first is 3"),
        (lambda sent: [sent[1], sent[0], *sent[2:]], "out of order: event 2 arrived before an earlier one"),
        (
            lambda sent: [*sent, sent[0].replace(b"x-1", b"y-1")],
            "event 1 arrived, and is not what the history has",
        ),
    ],
)
def test_what_is_wrong_is_said(spoil: Callable[[list[bytes]], list[bytes]], said: str) -> None:
    """A loss, a wrong order, a repeat of other content."""
    assert judge(HISTORY, spoil(PAYLOADS), TOLD) == [said]


def test_holes_and_other_ids_in_the_history_are_wrong() -> None:
    """The site said that it had written what its history does not have."""
    assert judge([*HISTORY[:4], replace(HISTORY[4], seq=6)], PAYLOADS[:4], {}) != []
    assert judge(HISTORY, PAYLOADS, {**TOLD, 2: "y-2"}) == [
        "event 2 was written, and is not what the history has"
    ]
    assert judge(HISTORY, PAYLOADS, {**TOLD, 6: "x-6"}) == [
        "event 6 was written, and is not what the history has"
    ]


def test_packets_are_cut_as_the_protocol_says() -> None:
    """Whole packets come out, whatever the pieces; lengths have up to four bytes."""
    stream = b"\x40\x02\x00\x07" + b"\x32\xc8\x01" + bytes(200) + b"\xd0\x00" + b"\x40\x02\x00"
    for size in (1, 3, 1000):
        data, found = bytearray(), []
        for begin in range(0, len(stream), size):
            data += stream[begin : begin + size]
            found += packets(data)
        assert found == [(0x40, b"\x00\x07"), (0x32, bytes(200)), (0xD0, b"")]
        assert bytes(data) == b"\x40\x02\x00"
