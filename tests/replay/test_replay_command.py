"""``vigie replay``: the same verdicts as on the day, the same bytes everywhere, and honest exits."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from world import World, example_site

from agent.cli.main import main
from agent.core.instant import Now
from agent.core.model import Action, Observation, Probe, Tick
from agent.core.snapshot_types import Health
from agent.core.state import State
from agent.core.step import Result, step
from agent.replay import playing
from agent.replay.playing import Change, Player
from agent.replay.reading import find, items, survey
from agent.runtime.trace import Recorder, Start, encode, encode_start

ROOT = Path(__file__).parents[2]
TRACES = ROOT.parent / "shared" / "data" / "traces"
real_traces = pytest.mark.skipif(not TRACES.is_dir(), reason=f"no recorded lines at {TRACES}")
HEADER = "t_s,target,rtt_ms\n"


def outage_table(folder: Path, begin: int = 60, end: int = 120, name: str = "line.csv") -> Path:
    rows = (f"{at},a,{'' if begin <= at < end else '8.5'}\n" for at in range(180))
    path = folder / name
    path.write_text(HEADER + "".join(rows))
    return path


def lines_of(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[dict[str, object]]:
    assert main(["replay", "--json", *map(str, arguments)]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def recorded_day(folder: Path) -> tuple[World, list[tuple[float, str, Health, str]]]:
    """A day as the daemon would have recorded it: a hung box, a cut cable, losses, two runs."""
    told: list[tuple[float, str, Health, str]] = []

    def watch(before: State, after: State, _what: Observation, _done: tuple[Action, ...], now: Now) -> None:
        told.extend(
            (now.mono, name, uplink.health, uplink.why)
            for name, uplink in after.uplinks.items()
            if uplink.health is not before.uplinks[name].health
        )

    recorder = Recorder(folder)
    for run, start_at in (("one", 10_000.0), ("two", 50.0)):
        world = World(example_site(), start_at=start_at, run=run, check=watch)
        site = world.site
        recorder.add(encode_start(Start(run, "garage", world.first, site.uplinks, site.switch_cost_s)))
        world.play(60)
        world.change("ftth", hung=True)
        world.play(200)
        world.change("fibre2", cable=False)
        world.play(30)
        world.change("fibre2", cable=True, loss=0.3)
        world.play(90)
        for now, observation in world.trace:
            recorder.add(encode(observation, now))
        assert recorder.write(recorder.take())
    return world, told


def test_a_recorded_day_has_the_same_verdicts(tmp_path: Path) -> None:
    """Each at its instant and for its reason; a new run begins afresh."""
    world, told = recorded_day(tmp_path)
    (trace,) = find([tmp_path])
    heard = survey(trace)
    assert set(heard.uplinks) == {"ftth", "fibre2", "4g"}
    assert heard.ticked
    assert heard.start is not None
    assert heard.start.site == "garage"
    got: list[Change] = list(Player(world.site, ticked=True).play(items(trace, heard)))
    assert [(one.t, one.uplink, one.health, one.why) for one in got] == told
    assert {health for _, _, health, _ in told} >= {Health.UP, Health.SUSPECT, Health.DOWN, Health.DEGRADED}
    assert got[0].wall == pytest.approx(1_800_000_000.0, abs=20)


def test_a_recorded_day_needs_no_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says itself what its uplinks are; only what the boxes would have changed is missing."""
    _, told = recorded_day(tmp_path)
    got = lines_of(capsys, tmp_path)
    assert [(one["t"], one["uplink"], one["health"]) for one in got] == [(t, u, h) for t, u, h, _ in told]


def test_a_table_is_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Up, in doubt, down, up again: nothing but verdicts, each with its reason."""
    got = lines_of(capsys, outage_table(tmp_path))
    assert [set(one) for one in got] == [{"t", "uplink", "health", "why"}] * len(got)
    assert [one["health"] for one in got] == ["up", "suspect", "down", "up"]
    assert {one["uplink"] for one in got} == {"line"}
    times = [one["t"] for one in got]
    assert times == sorted(times)  # type: ignore[type-var]
    assert 60 < times[2] < 120 < times[3]  # type: ignore[operator]


def test_a_silence_nobody_watched_is_no_outage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A laptop that slept after a lost echo."""
    path = tmp_path / "line.csv"
    rows = [*((at, "8") for at in range(30)), (30, ""), *((at, "8") for at in range(3000, 3030))]
    path.write_text(HEADER + "".join(f"{at},a,{rtt}\n" for at, rtt in rows))
    assert [one["health"] for one in lines_of(capsys, path)] == ["up"]


def test_the_core_is_called_when_it_asks_to_be_and_only_while_somebody_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between echoes eleven seconds apart, but not in a pause, even if a late answer falls into it."""
    called: list[tuple[float, bool]] = []
    late: list[float] = []

    def watched(state: State, what: Observation, now: Now) -> Result:
        result = step(state, what, now)
        called.append((now.mono, isinstance(what, Tick)))
        late.append(now.mono - wake_at[-1])
        wake_at.append(result.wake_at)
        return result

    wake_at = [1.0]
    monkeypatch.setattr(playing, "step", watched)
    path = tmp_path / "line.csv"
    early = [(11 * n, "8") for n in range(10)]
    later = [(at, "8") for at in range(600, 710, 11)]
    rows = [*early, (110, "6000"), *later]
    path.write_text(HEADER + "".join(f"{at},a,{rtt}\n" for at, rtt in rows))
    assert main(["replay", str(path)]) == 0
    ticks = [at for at, tick in called if tick]
    assert len([at for at in ticks if at < 110]) >= 20
    assert not [at for at in ticks if 111 < at < 600]
    assert (116.0, False) in called
    assert max(behind for (at, _), behind in zip(called, late, strict=True) if at < 110) <= 0


def test_a_switch_that_costs_more_is_waited_for_longer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The option reaches the core."""

    def down_at(cost_s: int) -> float:
        got = lines_of(capsys, outage_table(tmp_path), "--switch-cost", cost_s, "--kind", "ftth")
        return next(float(str(one["t"])) for one in got if one["health"] == "down")

    assert down_at(5) < down_at(40)


def test_the_same_bytes_in_any_surroundings(tmp_path: Path) -> None:
    """Neither hash seed nor time zone nor locale nor folder shows."""
    recorded_day(tmp_path / "day")
    outage_table(tmp_path, name="a.csv")
    command = [sys.executable, "-m", "agent", "replay", "--lang", "en"]
    outputs = set()
    for extra in (
        {"PYTHONHASHSEED": "1", "TZ": "UTC"},
        {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "LANG": "C"},
    ):
        environment = {**os.environ, **extra, "PYTHONPATH": str(ROOT)}
        given = [*command, str(tmp_path / "day"), str(tmp_path / "a.csv")]
        done = subprocess.run(given, capture_output=True, check=True, env=environment, cwd=tmp_path)
        assert done.stderr == b""
        outputs.add(done.stdout)
    assert len(outputs) == 1


def test_plain_and_compressed_are_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the form of the file differs."""
    plain = outage_table(tmp_path)
    zipped = tmp_path / "sub" / "line.csv.gz"
    zipped.parent.mkdir()
    zipped.write_bytes(gzip.compress(plain.read_bytes()))
    assert lines_of(capsys, plain) == lines_of(capsys, zipped)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_text_tells_time_verdict_and_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    """In the language asked for; a recording with a good clock tells the date too."""
    recorded_day(tmp_path / "day")
    assert main(["replay", "--lang", language, str(tmp_path / "day"), str(outage_table(tmp_path))]) == 0
    out = capsys.readouterr().out
    word = {"fr": "en panne", "en": "down"}[language]
    assert any(line.startswith("2027-01-15 ") and f"✗ {word}" in line for line in out.splitlines())
    assert f"s  line  ✗ {word}" in out


@pytest.mark.parametrize("more", [[], ["--json"], ["--compare"]])
def test_a_bad_file_is_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str]) -> None:
    """With file, line and what is allowed on standard error."""
    path = tmp_path / "line.csv"
    path.write_text(HEADER + "0,a,8\n1,a,soon\n")
    assert main(["replay", *more, str(path)]) == 2
    assert "line.csv:3: '1,a,soon'" in (said := capsys.readouterr().err)
    assert "allowed" in said
    assert main(["replay", *more, str(tmp_path / "gone")]) == 2


@pytest.mark.parametrize("cost", ["0", "-1", "nan", "inf", "ten"])
def test_a_switch_costs_seconds(cost: str) -> None:
    """Anything else is bad usage."""
    with pytest.raises(SystemExit) as caught:
        main(["replay", "--switch-cost", cost, "x.csv"])
    assert caught.value.code == 2


def test_the_comparison(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One minute of outage, whose cost can be counted: fixed 3 s pays 13 where 10 were possible."""
    rows = {str(row["rule"]): row for row in lines_of(capsys, "--compare", outage_table(tmp_path))}
    assert next(iter(rows)) == "vigie"
    assert set(rows) >= {"mwan3", "pfSense", "OPNsense", "three in a row", "keepalived"}
    assert rows["fixed 3 s"]["score"] == 1.3
    assert rows["three in a row"]["median_s"] == 3.0
    assert rows["mwan3"]["declarations"] == 0
    assert rows["mwan3"]["score"] == pytest.approx(6.0, abs=0.01)
    assert all(row["long_silences"] == 1 for row in rows.values())


def test_the_table_has_the_mean_of_several(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One table for each trace and one for all."""
    outage_table(tmp_path, name="a.csv")
    outage_table(tmp_path, 60, 64, name="b.csv")
    assert main(["replay", "--compare", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert [line.split(":")[0] for line in out.splitlines() if line and line[0] != " "] == [
        "a",
        "b",
        "mean of 2 traces",
    ]
    assert "never" in out


@real_traces
@pytest.mark.parametrize("name", ["cable_upc_2015", "starlink_lagos_2023", "cell_us_drive_tmobile_trip3"])
def test_published_traces_are_read_whole(name: str) -> None:
    """Every echo of the table comes out again."""
    (trace,) = find([TRACES / f"{name}.csv.gz"])
    with gzip.open(trace.paths[0], "rt") as file:
        next(file)
        answers = sum(1 for line in file if line.split(",")[2].strip() not in ("", "-1"))
    got = items(trace, survey(trace))
    assert sum(1 for _, item in got if isinstance(item, Probe) and item.rtt_ms is not None) == answers


@real_traces
def test_two_hours_of_outage_on_a_cable_line(capsys: pytest.CaptureFixture[str]) -> None:
    """It is found, once, and so is its end."""
    got = lines_of(capsys, TRACES / "cable_upc_2015.csv.gz")
    downs = [float(str(one["t"])) for one in got if one["health"] == "down"]
    assert downs[0] == pytest.approx(41_061, abs=30)
    assert len(downs) == 2
