"""The flight recorder: what is written comes back, and the folder stays within its bounds."""

from __future__ import annotations

import contextlib
import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.devices import DeviceKind, DeviceSpec
from agent.core.inquiries import Asked, Check, Said
from agent.core.instant import Now
from agent.core.letters import Fate, TextReport
from agent.core.model import (
    Hold,
    Leave,
    Link,
    Observation,
    Outcome,
    Part,
    PowerReport,
    Probe,
    Role,
    Tick,
    Why,
)
from agent.core.outside import PathSeen, PublicAddress
from agent.core.people import Request, Verb
from agent.core.service_words import Served, Snag
from agent.core.site import UplinkKind, UplinkSpec
from agent.core.spending import Spending, Spent
from agent.runtime import trace
from agent.runtime.trace import Recorder, Start, TraceError, decode, encode, encode_start, read

NOW = Now(1234.567891, 1.8e9, True, "boot")
EACH: list[Observation] = [
    Probe("ftth", "1.1.1.1", Role.TARGET, 1234.5, rtt_ms=8.123456),
    Probe("ftth", "192.168.1.1", Role.BOX, 1234.5, why=Why.UNREACHABLE, by="10.0.0.1"),
    Link("ftth", present=True, carrier=True, address="192.168.1.10", gateway="192.168.1.1"),
    Link("ftth", present=False),
    Check("ftth", Asked.NAME, "dns.google@1.1.1.1", 1234.5, Said.WELL, 8.12, "1.1.1.1", "8.8.8.8"),
    Check("ftth", Asked.HOP, "2", 1234.5, Said.SILENT),
    Served("phone", "site", 1234.5, None, 12.5, "203.0.113.80", "ftth", 1.9e9),
    Served("phone", "4g", 1234.5, Snag.SILENT, detail="no answer"),
    PublicAddress("site", 1234.5, "81.2.69.160", by="stun.cloudflare.com"),
    PublicAddress("4g", 1234.5, None, 6, why="no answer"),
    PathSeen("site", 1234.5, ("192.168.10.1", None, "100.64.0.1")),
    PowerReport("box", "run-1", Outcome.CUT),
    TextReport("run-2", Fate.UNKNOWN, "nothing came back"),
    Part("screen", ok=False, detail="é"),
    Hold(2000.0, "button"),
    Hold(None, "button"),
    Request("request-1", Verb.CYCLE, "ont", by="Anne", force=True),
    Request("request-2", Verb.HOLD, for_s=600.0, by="Anne"),
    Spent("4g", 1234, 5678),
    Tick(),
    Leave(),
]


@pytest.mark.parametrize("observation", EACH, ids=lambda o: type(o).__name__)
def test_an_observation_comes_back_as_it_was(observation: Observation) -> None:
    """To the last bit, or a replay would differ from the day."""
    assert decode(encode(observation, NOW), "x") == (NOW.mono, observation)


@given(st.floats(0, 1e9), st.one_of(st.none(), st.floats(0, 1e6)))
def test_any_number_comes_back(sent_at: float, rtt_ms: float | None) -> None:
    """Times are written so that they read back exactly."""
    probe = Probe("u", "t", Role.TARGET, sent_at, rtt_ms, None if rtt_ms is not None else Why.TIMEOUT)
    assert decode(encode(probe, Now(sent_at)), "x") == (sent_at, probe)


def test_the_documented_line_is_read() -> None:
    """The short form, as a person or another program would write it."""
    line = b'{"t": 5.0, "kind": "probe", "uplink": "ftth", "target": "1.1.1.1", "rtt_ms": 8.1}'
    assert decode(line, "x") == (5.0, Probe("ftth", "1.1.1.1", Role.TARGET, 5.0, rtt_ms=8.1))


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"garbage", "x:1"),
        (b"[1, 2]", "not an object"),
        (b'{"t": 1, "kind": "prob"}', "unknown kind 'prob', allowed: start, probe"),
        (b'{"kind": "tick"}', "x:1: 't'"),
        (
            b'{"t": 1, "kind": "probe", "uplink": 5, "target": "a"}',
            "Expected `str`, got `int` - at `$.uplink`",
        ),
        (b'{"t": "soon", "kind": "tick"}', "could not convert"),
        (
            b'{"t": 1, "kind": "check", "uplink": "a", "asked": "ping", "subject": "b", "sent_at": 1}',
            "Invalid enum value 'ping' - at `$.asked`",
        ),
        (b'{"t": 1, "kind": "check", "uplink": "a"}', "missing required field `asked`"),
    ],
)
def test_bad_lines_name_place_and_reason(line: bytes, complaint: str) -> None:
    """So that a person can mend the file."""
    with pytest.raises(TraceError) as caught:
        decode(line, "x:1")
    assert "x:1" in str(caught.value)
    assert complaint in str(caught.value)


@given(st.binary(max_size=200))
def test_no_line_breaks_the_reader(line: bytes) -> None:
    """Whatever the disk gives back, it is a trace line or a clear error."""
    with contextlib.suppress(TraceError):
        decode(line, "x")


def test_a_trace_holds_nobodys_telephone_number() -> None:
    """It is given to others; all else of a modem comes back."""
    modem = DeviceSpec("stick", "Modem", DeviceKind.MODEM, bands=("B20",), sms_to=("+33612345678",))
    uplink = UplinkSpec("4g", "4G", UplinkKind.CELLULAR, ("1.1.1.1",), device=modem)
    line = encode_start(Start("run", "garage", NOW, (uplink,)))
    assert b"33612345678" not in line
    _, start = decode(line, "x")
    assert isinstance(start, Start)
    assert start.uplinks[0].device == DeviceSpec("stick", "Modem", DeviceKind.MODEM, bands=("B20",))


def test_a_written_file_is_read_back(tmp_path: Path) -> None:
    """Several flushes make one readable file."""
    recorder = Recorder(tmp_path)
    recorder.add(encode_start(Start("run", "garage", NOW)))
    assert recorder.write(recorder.take())
    for observation in EACH:
        recorder.add(encode(observation, NOW))
        assert recorder.write(recorder.take())
    (file,) = recorder.files()
    content = list(read(file))
    assert content[0] == (NOW.mono, Start("run", "garage", NOW))
    assert [observation for _, observation in content[1:]] == EACH


def test_a_file_cut_off_by_power_loss_keeps_what_was_complete(tmp_path: Path) -> None:
    """The damaged end is told, with the line after which it lies."""
    recorder = Recorder(tmp_path)
    for _ in range(2):
        recorder.add(encode(Tick(), NOW))
        recorder.write(recorder.take())
    (file,) = recorder.files()
    file.write_bytes(file.read_bytes()[:-5])
    lines = read(file)
    assert next(lines) == (NOW.mono, Tick())
    with pytest.raises(TraceError, match="damaged after line"):
        list(lines)


def test_the_folder_stays_within_its_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old files go, new ones come."""
    monkeypatch.setattr(trace, "FILE_BYTES", 200)
    monkeypatch.setattr(trace, "KEPT_FILES", 3)
    recorder = Recorder(tmp_path)
    for number in range(60):
        recorder.add(encode(Probe("u", str(number), Role.TARGET, number * 1.1, rtt_ms=1.0), NOW))
        assert recorder.write(recorder.take())
    files = recorder.files()
    assert len(files) == 3
    assert b'"target":"59"' in gzip.decompress(files[-1].read_bytes())


def test_a_disk_that_refuses_loses_nothing_at_once(tmp_path: Path) -> None:
    """Lines wait in memory, and the reason is kept."""
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    recorder = Recorder(blocked)
    recorder.add(b"1")
    lines = recorder.take()
    assert not recorder.write(lines)
    assert recorder.detail
    recorder.add(b"2")
    recorder.give_back(lines)
    assert recorder.take() == [b"1", b"2"]


def test_memory_is_bounded_while_the_disk_refuses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The oldest lines go first, and how many is counted."""
    monkeypatch.setattr(trace, "MEMORY_LINES", 100)
    recorder = Recorder(tmp_path)
    for number in range(250):
        recorder.add(str(number).encode())
    lines = recorder.take()
    assert len(lines) <= 100
    assert lines[-1] == b"249"
    assert recorder.dropped == 250 - len(lines)


def test_a_start_says_what_data_budgets_had_left() -> None:
    """Limits and what was used come back, so that a replay keeps the same paces."""
    spec = UplinkSpec("4g", "4G", UplinkKind.CELLULAR, ("1.1.1.1",), 10.0, data_bytes=50_000_000)
    start = Start("run", "garage", NOW, (spec,), 10.0, spendings={"4g": Spending("2027-01", 5, 6)})
    assert decode(encode_start(start), "x") == (NOW.mono, start)
