"""A record of outages read, described, and turned into waits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent.core.outages import Tail
from agent.replay.lines import ReplayError
from measure.console import OUTAGES, ROOT
from measure.outages import HEADER, Record, distribution, ended, ends, length, outages, read, waits

LENGTHS = (30.0, 60.0, 90.0, 120.0, 150.0, 300.0, 600.0, 1200.0, 2400.0, 7200.0)


def record(folder: Path, *rows: str, head: str = HEADER) -> Path:
    path = folder / "outages.csv"
    path.write_text("\n".join((head, *rows)) + "\n")
    return path


def test_up_and_out_are_read(tmp_path: Path) -> None:
    """Both are time that was watched."""
    path = record(tmp_path, "2024-01-01 10:00:00,up,3600", "2024-01-01 11:00:00,out,75", "x,up,25")
    assert read(path) == Record((75.0,), 3700.0)


@pytest.mark.parametrize(
    ("row", "number"),
    [("x,down,25", 3), ("x,out", 3), ("x,out,many", 3), ("x,out,-1", 3), ("x,out,nan", 3)],
)
def test_a_wrong_line_is_named(tmp_path: Path, row: str, number: int) -> None:
    """With what would be allowed."""
    with pytest.raises(ReplayError, match=rf"outages.csv:{number}: .*allowed: a time, up or out"):
        read(record(tmp_path, "x,up,10", row))


def test_another_table_is_refused(tmp_path: Path) -> None:
    """Nor is a record without outages one."""
    with pytest.raises(ReplayError, match=r"outages\.csv:1: 't_s,target,rtt_ms'"):
        read(record(tmp_path, head="t_s,target,rtt_ms"))
    with pytest.raises(ReplayError, match="no outage"):
        read(record(tmp_path, "x,up,10"))


def test_the_distribution_is_told() -> None:
    """How many, how long, and how much of the time."""
    lines = list(distribution(Record(LENGTHS, 10 * 86400.0)))
    assert lines[0].startswith("10 outages in 10 days, 3 h in all")
    assert lines[2].endswith("30 s  90 s  2.5 min  20 min  40 min   2 h  2 h")
    assert lines[-1].startswith("Half of them were over within 2.5 min; the longest tenth made up 59 %")


def test_how_many_end_soon() -> None:
    """Of those that have lasted so long; nobody knows if none has."""
    assert ended(LENGTHS, 60.0, 90.0) == 3 / 8
    assert ended(LENGTHS, 1e6, 60.0) is None


def test_the_trend_is_computed() -> None:
    """Outages that all last about the same do not last longer the longer they have lasted."""
    assert list(ends(LENGTHS, Tail(0.6, 44.0)))[-1].endswith("the longer it still lasts.")
    alike = tuple(4000.0 + n for n in range(20))
    assert list(ends(alike, Tail(0.6, 44.0)))[-1].endswith("do not last longer still.")
    assert list(ends((20.0,) * 20, Tail(0.6, 44.0)))[-1].startswith("Too few outages")


def test_the_conclusion_follows_from_the_lengths() -> None:
    """Outages that heal within two minutes are waited for; those that never do are not."""
    heal = (100.0,) * 19 + (7200.0,)
    stay = (7200.0,) * 20
    healing, staying = (
        [t for t in waits(x, Tail(0.6, 44.0)) if t.startswith("Waiting")] for x in (heal, stay)
    )
    assert healing[1].startswith("Waiting 100 s would have cost least, 1.")
    assert staying[1].startswith("Waiting not at all would have cost least, 1.00 times foresight")
    assert "as the cycle costs, 2.00 times, with 0 % of the cycles needless" in staying[1]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"),
        (45.0, "45 s"),
        (130.0, "2.17 min"),
        (7200.0, "2 h"),
        (220623.0, "2.55 d"),
        (float("inf"), "never"),
    ],
)
def test_lengths_are_told_in_the_unit_that_suits(seconds: float, text: str) -> None:
    """Three figures are enough."""
    assert length(seconds) == text


def bench(*arguments: object) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, str(ROOT / "scripts" / "bench.py"), *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_the_command_ends_with_2_when_a_file_is_wrong(tmp_path: Path) -> None:
    """And says where."""
    few = bench("outages", record(tmp_path, "x,up,10", "x,out,50"))
    assert few.returncode == 2
    assert few.stderr == f"scripts/bench: {tmp_path / 'outages.csv'}: 1 outages; a fit needs 10\n"
    absent = bench("outages", tmp_path / "none.csv")
    assert (absent.returncode, absent.stderr) == (0, "")
    assert "nothing was measured" in absent.stdout


@pytest.mark.skipif(not OUTAGES.is_file(), reason=f"no recorded outages at {OUTAGES}")
def test_the_recorded_outages_are_described(capsys: pytest.CaptureFixture[str]) -> None:
    """As many as were counted when they were recorded, and a tail that ends more and more rarely."""
    outages(OUTAGES, 25.0)
    out = capsys.readouterr().out
    assert out.startswith("926 outages in 157 days, 417 h in all")
    assert "the longer an outage has lasted, the longer it still lasts." in out
    assert out.count("would have cost least") == 3
