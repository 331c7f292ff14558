"""A folder of traces measured: groups, tables, targets, and the sweep over costs."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.site import UplinkKind
from agent.replay.reading import find
from measure.detection import DESIGN, detection, kind_of
from measure.sweep import sweep

SILENT = ((60, 64), (200, 204), (340, 344), (480, 600))
"""Three silences of 4 s that heal, one of two minutes."""


def table(folder: Path, name: str, silent: tuple[tuple[int, int], ...] = SILENT) -> Path:
    rows = (
        f"{at + place / 2},{target},{'' if any(begin <= at < end for begin, end in silent) else '8.5'}\n"
        for at in range(700)
        for place, target in enumerate("ab")
    )
    path = folder / f"{name}.csv"
    path.write_text("t_s,target,rtt_ms\n" + "".join(rows))
    return path


def test_design_and_held_out_traces_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A trace that nobody knows is held out."""
    for name in ("campus_lpu_may06", "cable_upc_2015", "somewhere"):
        table(tmp_path, name)
    detection(tmp_path, 10.0, None)
    out = capsys.readouterr().out
    assert "\ndesign: campus_lpu_may06\nmean of 1 traces" in out
    assert "\nheld out: cable_upc_2015, somewhere\nmean of 2 traces" in out
    assert "mean of 3 traces" in out
    assert "campus_lpu_may06 *" in out
    for group in ("design", "held out", "all"):
        told = out.partition(f"targets, {group}\n")[2].splitlines()[1:5]
        assert [line.split()[-1] in ("met", "missed") for line in told] == [True] * 4


def test_one_group_is_not_said_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All of it is held out."""
    table(tmp_path, "somewhere")
    detection(tmp_path, 10.0, None)
    out = capsys.readouterr().out
    assert "targets, held out" in out
    assert "targets, all" not in out


def test_the_picture_is_drawn_where_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With both groups, and as PNG."""
    (tmp_path / "traces").mkdir()
    for name in ("campus_lpu_may06", "somewhere"):
        table(tmp_path / "traces", name)
    detection(tmp_path / "traces", 10.0, tmp_path / "detection.png")
    assert (tmp_path / "detection.png").read_bytes().startswith(b"\x89PNG")
    assert f"drawn: {tmp_path / 'detection.png'}" in capsys.readouterr().out


def test_without_traces_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And measures nothing."""
    detection(tmp_path / "none", 10.0, None)
    assert capsys.readouterr().out == f"no traces: {tmp_path / 'none'} is not there; nothing was measured\n"


def test_the_name_tells_the_kind(tmp_path: Path) -> None:
    """Where it does not, nothing is assumed."""
    names = ("starlink_x", "cell_y", "ftth_z", "cable_upc_2015")
    kinds = [kind_of(find([table(tmp_path, name)])[0]) for name in names]
    assert kinds == [UplinkKind.STARLINK, UplinkKind.CELLULAR, UplinkKind.FTTH, UplinkKind.OTHER]


def test_six_traces_were_used_for_design() -> None:
    """Whoever tunes on another one must say so here."""
    assert len(DESIGN) == 6


def test_the_best_threshold_depends_on_what_a_switch_costs(tmp_path: Path) -> None:
    """Cheap switches want the first one at once; dear ones wait for what heals, as long as that takes."""
    traces = [(trace, UplinkKind.OTHER) for trace in find([table(tmp_path, "somewhere")])]
    told: list[str] = []
    swept = sweep(traces, (0.5, 60.0), told.append)
    assert told == ["somewhere"]
    assert swept.one_fixed_s[0] == 1.0
    assert 4.0 <= swept.one_fixed_s[1] <= 5.0
    assert swept.each_fixed == swept.one_fixed  # of one line, its own best is the best for all
    assert 1.0 <= swept.ours[1] <= 3.0


def test_one_threshold_for_two_lines_is_worse_than_one_for_each(tmp_path: Path) -> None:
    """One heals after 8 s, the other never does: no count fits both."""
    heals = tuple((at, at + 8) for at in range(30, 600, 30))
    stays = ((100, 250), (400, 560))
    paths = [table(tmp_path, "heals", heals), table(tmp_path, "stays", stays)]
    swept = sweep([(trace, UplinkKind.OTHER) for trace in find(paths)], (10.0,))
    assert swept.each_fixed[0] < swept.one_fixed[0] - 0.05
