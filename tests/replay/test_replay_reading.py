"""Traces are read as they stand, whatever their form; what cannot be read is named."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.inquiries import Asked, Check, Said
from agent.core.instant import Now
from agent.core.model import Link, Observation, Probe, Role, Tick, Why
from agent.core.outside import PublicAddress
from agent.replay.items import Away, Echo, InSendOrder, Item
from agent.replay.lines import ReplayError, numbered
from agent.replay.reading import Form, find, items, survey
from agent.runtime.trace import Start, encode, encode_start

HEADER = "t_s,target,rtt_ms\n"


def table(folder: Path, rows: str, name: str = "line.csv") -> Path:
    path = folder / name
    data = (HEADER + rows).encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def played(path: Path) -> list[tuple[float, Item]]:
    (trace,) = find([path])
    return list(items(trace, survey(trace)))


def answered(sent_at: float, rtt_ms: float, target: str = "a") -> Probe:
    return Probe("line", target, Role.TARGET, sent_at, rtt_ms=rtt_ms)


def lost(sent_at: float, target: str = "a") -> Probe:
    return Probe("line", target, Role.TARGET, sent_at, why=Why.TIMEOUT)


@pytest.mark.parametrize("name", ["line.csv", "line.csv.gz"])
def test_an_answer_is_known_when_it_comes_and_a_loss_after_a_second(tmp_path: Path, name: str) -> None:
    """In the order in which a prober would have learnt it, not in the order of sending."""
    path = table(tmp_path, "0,a,500\n1,a,\n1.5,b,250\n", name)
    assert played(path) == [(0.5, answered(0.0, 500.0)), (1.75, answered(1.5, 250.0, "b")), (2.0, lost(1.0))]


def test_a_late_answer_is_first_a_loss(tmp_path: Path) -> None:
    """It proves life when it arrives, not before."""
    path = table(tmp_path, "0,a,2500\n1,a,500\n2,a,250\n")
    got = played(path)
    assert got == [
        (1.0, lost(0.0)),
        (1.5, answered(1.0, 500.0)),
        (2.25, answered(2.0, 250.0)),
        (2.5, answered(0.0, 2500.0)),
    ]


def test_a_pause_is_nobody_watching(tmp_path: Path) -> None:
    """From when the last echo would have been lost until the next is sent."""
    got = played(table(tmp_path, "0,a,8\n1,a,8\n2,a,8\n600,a,8\n"))
    assert [item for item in got if isinstance(item[1], Away)] == [(3.0, Away(600.0))]


def test_a_prober_that_waits_between_two_losses_was_listening(tmp_path: Path) -> None:
    """The line was silent all the time, as an echo a second would have found."""
    got = played(table(tmp_path, "0,a,8\n1,a,8\n2,a,\n8,a,\n9,a,8\n"))
    sent = [item.sent_at for _, item in got if isinstance(item, Probe) and item.rtt_ms is None]
    assert sent == [2, 3, 4, 5, 6, 7, 8]
    assert not any(isinstance(item, Away) for _, item in got)


def test_a_note_that_the_prober_gave_up_is_no_echo(tmp_path: Path) -> None:
    """It is neither an answer nor another loss."""
    got = played(table(tmp_path, "0,a,8\n1,a,\n3,a,-1\n3.2,a,8\n"))
    assert [item.sent_at for _, item in got if isinstance(item, Probe)] == [0, 1, 3.2]


def test_further_columns_are_ignored(tmp_path: Path) -> None:
    """Published tables have them."""
    path = tmp_path / "line.csv"
    path.write_text("t_s,target,rtt_ms,run\r\n0,a,8,1\r\n1,a,,1\r\n\r\n")
    assert played(path) == [(0.008, answered(0.0, 8.0)), (2.0, lost(1.0))]


def test_a_table_is_one_uplink_of_its_name(tmp_path: Path) -> None:
    """With its targets in the order of appearance, and its own pace."""
    (trace,) = find([table(tmp_path, "0,b,8\n0.1,a,8\n0.2,b,8\n0.3,a,8\n", "starlink.csv.gz")])
    heard = survey(trace)
    assert (trace.name, heard.uplinks) == ("starlink", {"starlink": ("b", "a")})
    assert heard.interval_s == {"starlink": 0.2}


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("0,a,8\nx,a,8\n", "line.csv:3: 'x,a,8': could not convert"),
        ("0,a,8\n1,a,fast\n", "line.csv:3: '1,a,fast'"),
        ("0,a,8\n1,a\n", "line.csv:3: '1,a'"),
        ("0,a,8\n1,,8\n", "line.csv:3: '1,,8': no target"),
        ("5,a,8\n4,a,8\n", "line.csv:3: t_s 4 after 5; allowed: finite seconds that never go back"),
        ("0,a,8\nnan,a,8\n", "line.csv:3: t_s nan"),
        ("0,a,8\ninf,a,8\n", "line.csv:3: t_s inf"),
        ("0,a,8\n1,a,-2\n", "line.csv:3: rtt_ms -2; allowed: empty, milliseconds from 0, or -1"),
        ("0,a,8\n1,a,nan\n", "line.csv:3: rtt_ms nan"),
        ("", "no echo to any target"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, rows: str, complaint: str) -> None:
    """File, line, what is wrong and what is allowed."""
    with pytest.raises(ReplayError) as caught:
        played(table(tmp_path, rows))
    assert complaint in str(caught.value)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "empty; allowed: a table"),
        (b"time;rtt\n1;2\n", ":1: neither a table nor JSON: 'time;rtt'; allowed: a table"),
        (b"\x00\xff" * 50, ":1: neither"),
        (b'{"t": 1, "kind": "prob"}\n', ":1: unknown kind 'prob'"),
        (b'{"t": 1, "kind": "tick"}\n', "no echo to any target"),
        (b'{"t": 1, "kind": "tick"}\n{"t": 0, "kind": "tick"}\n', ":2: t 0 after 1"),
        (gzip.compress(HEADER.encode() + b"0,a,8\n" * 9999)[:-40], "gzip damaged"),
        (b"\x1f\x8bnot really", "gzip damaged"),
        (HEADER.encode() + b"0" * 200_000, ":2: longer than 65536 bytes"),
    ],
)
def test_a_file_that_is_no_trace_is_named(tmp_path: Path, data: bytes, complaint: str) -> None:
    """Whatever it is instead."""
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(ReplayError) as caught:
        played(path)
    assert complaint in str(caught.value)


def test_a_missing_file_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    """They are mistakes of typing."""
    with pytest.raises(ReplayError, match=r"gone\.csv: No such file"):
        find([tmp_path / "gone.csv"])
    with pytest.raises(ReplayError, match="no traces in this folder"):
        find([tmp_path])


def test_the_recorded_files_of_a_folder_are_one_recording(tmp_path: Path) -> None:
    """In the order of their names; each table stands for itself."""
    for number in (2, 1):
        at = float(number)
        line = encode(Probe("ftth", "a", Role.TARGET, at, rtt_ms=8.0), Now(at)) + b"\n"
        (tmp_path / f"trace-{number}.jsonl.gz").write_bytes(gzip.compress(line))
    table(tmp_path, "0,a,8\n", "z.csv")
    recording, one = find([tmp_path])
    assert (recording.form, one.form) == (Form.RECORDING, Form.TABLE)
    assert [at for at, _ in items(recording, survey(recording))] == [1.0, 2.0]


@pytest.mark.parametrize("ticked", [True, False])
def test_a_hole_in_a_recording(tmp_path: Path, ticked: bool) -> None:
    """Who ticks did not run if it did not tick; who does not tick may ask every ten seconds only."""
    seen: list[tuple[float, Observation]] = [
        (at, Probe("4g", "a", Role.TARGET, at, rtt_ms=8.0)) for at in (0.0, 10.0, 20.0, 100.0)
    ]
    if ticked:
        seen = sorted([*seen, *((float(at), Tick()) for at in range(1, 20))], key=lambda pair: pair[0])
    path = tmp_path / "day.jsonl"
    path.write_bytes(b"".join(encode(what, Now(at)) + b"\n" for at, what in seen))
    assert [item for item in played(path) if isinstance(item[1], Away)] == [(20.0, Away(100.0))]


def test_a_run_may_begin_at_an_earlier_instant(tmp_path: Path) -> None:
    """The machine was started anew, and its clock with it."""
    start = Start("r", "garage", Now(3.0, 1.8e9, True, "b"))
    link = Link("ftth", present=True)
    probe = Probe("ftth", "a", Role.TARGET, 3.5, rtt_ms=8.0)
    lines = (encode(probe, Now(9.0)), encode_start(start), encode(link, Now(3.0)), encode(probe, Now(3.6)))
    path = tmp_path / "day.jsonl"
    path.write_bytes(b"\n".join(lines))
    assert played(path) == [(9.0, probe), (3.0, start), (3.0, link), (3.6, probe)]


def test_checks_are_played_like_everything_else(tmp_path: Path) -> None:
    """In their place among the echoes."""
    probe = Probe("ftth", "a", Role.TARGET, 3.5, rtt_ms=8.0)
    check = Check("ftth", Asked.NAME, "dns.google@1.1.1.1", 3.55, Said.SILENT, detail="no answer")
    path = tmp_path / "day.jsonl"
    path.write_bytes(encode(probe, Now(3.6)) + b"\n" + encode(check, Now(6.6)) + b"\n")
    assert played(path) == [(3.6, probe), (6.6, check)]


ROWS = st.lists(
    st.tuples(
        st.floats(0, 9, allow_nan=False),
        st.sampled_from("ab"),
        st.one_of(st.none(), st.floats(0, 15_000, allow_nan=False)),
    ),
    min_size=1,
    max_size=40,
)


@given(ROWS)
def test_knowledge_never_goes_back_and_no_echo_is_forgotten(
    rows: list[tuple[float, str, float | None]],
) -> None:
    """Whatever the spacing and however late the answers."""
    at = 0.0
    lines: list[str] = []
    for step_s, target, rtt_ms in rows:
        at += step_s
        lines.append(f"{at!r},{target},{'' if rtt_ms is None else repr(rtt_ms)}\n")
    with one_file((HEADER + "".join(lines)).encode()) as path:
        got = played(path)
    times = [at for at, _ in got]
    assert times == sorted(times)
    answers = [item for _, item in got if isinstance(item, Probe) and item.rtt_ms is not None]
    assert len(answers) == sum(1 for _, _, rtt_ms in rows if rtt_ms is not None)
    order = InSendOrder()
    shown = [echo for at, item in got for echo in order.take(at, item)] + list(order.end())
    sent = [echo.sent_at for echo in shown if isinstance(echo, Echo)]
    assert sent == sorted(sent)


@given(st.binary(max_size=300))
def test_rubbish_is_refused_and_never_crashes(data: bytes) -> None:
    """A replay error, or a trace that can be read."""
    for content in (data, HEADER.encode() + data, b'{"t": 1, "kind": "tick"}\n' + data):
        with one_file(content) as path, suppress(ReplayError):
            played(path)


@contextmanager
def one_file(data: bytes) -> Iterator[Path]:
    """A file for the length of one random example."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "line.csv")
        path.write_bytes(data)
        yield path


def test_an_answer_long_after_its_time_is_shown_to_nobody() -> None:
    """Other probers have given up on that echo; its loss stands, once."""
    order = InSendOrder()
    seen = [
        (1.0, lost(0.0)),
        *((at + 0.5, answered(at, 500.0)) for at in (25.0, 26.0)),
        (27.0, answered(0.0, 27e3)),
    ]
    shown = [echo for at, item in seen for echo in order.take(at, item)] + list(order.end())
    assert shown == [Echo("line", "a", 0.0, None), Echo("line", "a", 25.0, 0.5), Echo("line", "a", 26.0, 0.5)]


def test_a_long_file_takes_little_memory(tmp_path: Path) -> None:
    """It is read as it is consumed."""
    path = tmp_path / "line.csv.gz"
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.write(HEADER)
        file.writelines(f"{number},a,8.5\n" for number in range(300_000))
    (trace,) = find([path])
    heard = survey(trace)
    tracemalloc.start()
    assert sum(1 for _ in items(trace, heard)) == 300_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


def test_progress_counts_the_bytes_on_disk(tmp_path: Path) -> None:
    """It ends at the size of the file, compressed as it is."""
    path = table(tmp_path, "".join(f"{number},a,8\n" for number in range(50_000)), "line.csv.gz")
    told: list[int] = []
    assert sum(1 for _ in numbered(path, told.append)) == 50_001
    assert told == sorted(told)
    assert told[-1] == path.stat().st_size


def test_what_is_seen_through_the_sites_router_is_no_uplink(tmp_path: Path) -> None:
    """A recording of an agent that watches the site path is read as one of its uplinks."""
    seen = [
        Link("site", present=True, carrier=True, address="192.168.10.20", gateway="192.168.10.1"),
        Probe("site", "a", Role.TARGET, 1.0, rtt_ms=8.0),
        PublicAddress("site", 1.0, "81.2.69.1"),
        answered(1.5, 8.0),
    ]
    path = tmp_path / "trace.jsonl"
    path.write_bytes(b"".join(encode(one, Now(2.0)) + b"\n" for one in seen))
    (trace,) = find([path])
    assert list(survey(trace).uplinks) == ["line"]
    assert [item for _, item in played(path)] == [seen[2], seen[3]]
