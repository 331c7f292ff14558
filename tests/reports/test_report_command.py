"""``vigie report`` of 90 days whose every second is known beforehand; and what it is made into."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest

from agent.cli import report
from agent.cli.main import main
from agent.cli.report_sources import sources
from agent.cli.report_zone import ZoneError, site_zone, zone_named
from agent.config.hours import hours_of
from agent.core.instant import Now
from agent.core.opening import is_open
from agent.reports.wording import table
from agent.runtime.lock import is_held, lock
from agent.runtime.store_codec import TroubleError, sealed
from agent.text import LANGUAGES
from demo_history import (
    BEGIN,
    CONFIGURATION,
    DAYS,
    KILLED,
    LAST_SIGN,
    STOPPED,
    WARM,
    Outage,
    record,
    sample,
    story,
    write,
)

ROOT = Path(__file__).parents[2]
PARIS = ZoneInfo("Europe/Paris")
SPAN = ("--from", "2026-01-18", "--to", "2026-04-17")
END = DAYS * 86_400 - 3600
"""Seconds after ``BEGIN`` at which the last of these local days ends: one of them has 23 hours."""
OPENING = tuple(hours_of(text) for text in ("mon-fri 08:00-18:30", "sat 09:00-12:00"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("state")
    write(folder)
    record(folder)
    (folder / "vigie.toml").write_text(CONFIGURATION, encoding="utf-8")
    return folder


def run(site: Path, *arguments: str) -> int:
    where = ("--config", str(site / "vigie.toml"), "--state-dir", str(site), "--zone", "Europe/Paris")
    return main(["report", *where, *arguments])


def written(site: Path, name: str, *arguments: str) -> str:
    out = site / name
    assert run(site, *arguments, "--out", str(out)) == 0
    return out.read_text(encoding="cp1252" if name.endswith("pdf") else "utf-8", errors="replace")


@pytest.fixture(scope="module")
def whole(site: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(written(site, "whole.json", *SPAN))
    return content


def is_open_at(second: int) -> bool:
    at = BEGIN + second
    ahead = datetime.fromtimestamp(at, PARIS).utcoffset()
    assert ahead is not None
    return is_open(OPENING, Now(0.0, at, synced=True, zone_s=ahead.total_seconds()))


def seconds(outage: Outage) -> set[int]:
    return set(range(outage.at, outage.at + outage.lasts))


def test_every_sum_of_ninety_days_is_right_to_the_second(whole: dict[str, Any]) -> None:
    """Of each uplink and of the site, in opening hours too, over summer time, an update, a power failure."""
    down = {name: set().union(*(seconds(o) for o in story() if o.uplink == name)) for name in ("ftth", "4g")}
    assert max(max(down["ftth"]), max(down["4g"])) < END
    unknown = WARM + (STOPPED[1] - STOPPED[0] + WARM) + (KILLED[1] - LAST_SIGN + WARM)
    open_down = {name: sum(map(is_open_at, lost)) for name, lost in down.items()}
    for one in whole["uplinks"]:
        total, while_open = one["total"], one["opening_hours"]
        assert total["down_s"] == len(down[one["name"]])
        assert total["unknown_s"] == unknown
        assert total["up_s"] == END - unknown - total["down_s"]
        assert while_open["down_s"] == open_down[one["name"]]
        assert (
            sum(o["open_s"] for o in whole["outages"] if o["uplink"] == one["name"]) == open_down[one["name"]]
        )
    both = down["ftth"] & down["4g"]
    assert whole["site_availability"]["total"]["down_s"] == len(both)
    assert whole["site_availability"]["opening_hours"]["down_s"] == sum(map(is_open_at, both))
    assert whole["avoided"]["failover_s"] == len(down["ftth"] - both)
    assert whole["avoided"]["failover_open_s"] == open_down["ftth"] - sum(map(is_open_at, both))
    assert whole["cost_eur"] == round(250 * sum(map(is_open_at, both)) / 3600, 2)
    assert whole["span_s"] == END
    assert whole["complete"] is True


def test_the_outages_are_those_of_the_story(whole: dict[str, Any]) -> None:
    """Each with its cause, and with what was restarted and whether that helped."""
    told = [
        (o["uplink"], datetime.fromisoformat(o["begin"]).timestamp() - BEGIN, o["lasted_s"], o["cause"])
        for o in whole["outages"]
    ]
    assert told == [(o.uplink, o.at, o.lasts, o.cause) for o in story()]
    assert [(len(o["restarts"]), o["helped"]) for o in whole["outages"]] == [
        (0, None) if o.cycle is None else (1, o.helps) for o in story()
    ]


def test_what_restarts_avoided_is_the_mean_of_like_outages(whole: dict[str, Any]) -> None:
    """By the stated method; and nothing is said of a cause with too few outages."""
    helped = [o for o in story() if o.helps]
    waited = [o.lasts for o in story() if o.uplink == "ftth" and o.cause == helped[0].cause and not o.helps]
    estimates = [round(1000 * sum(waited) / len(waited)) / 1000 - o.lasts for o in helped]
    assert [one["s_estimate"] for one in whole["avoided"]["cycles"]] == pytest.approx(estimates, abs=0.001)
    assert {one["like"] for one in whole["avoided"]["cycles"]} == {len(waited)}


def test_gaps_and_figures_are_what_was_recorded(site: Path, whole: dict[str, Any]) -> None:
    """Nobody measured while the agent did not run; else the trace counts, and where it is gone its digest."""
    assert [(gap["why"], gap["lasted_s"]) for gap in whole["gaps"]] == [
        ("stopped", float(STOPPED[1] - STOPPED[0])),
        ("killed", float(KILLED[1] - LAST_SIGN)),
    ]
    pieces = [datetime.fromisoformat(one["begin"]).timestamp() for one in whole["figures"]["recorded"]]
    assert pieces == [BEGIN, BEGIN + STOPPED[1], BEGIN + KILLED[1]]
    rtt = {one["at"]: one["rtt_ms"] for one in whole["figures"]["echoes"]["ftth"]}
    at = 10 * 86_400 + 8 * 3600
    means = {}
    for first, step in ((at + 10, 180), (at + 78 * 86_400, 20)):
        quarter = datetime.fromtimestamp((BEGIN + first) // 900 * 900, UTC).isoformat(timespec="milliseconds")
        answers = [rtt_ms for one in range(first, first + 900, step) if (rtt_ms := sample("ftth", one))]
        means[quarter.replace("+00:00", "Z")] = round(sum(answers) / len(answers), 2)
    assert {one: rtt[one] for one in means} == means
    assert {one["mean"] for one in whole["figures"]["levels"]["4g sinr_db"]} == {9.5}
    assert whole["drills"] is None
    assert whole["data"] is None
    # The last run has no end on record: what it recorded last is its last sign of life.
    assert sources(site, 0.0, lambda _: None).alive[-1][1] == (BEGIN + DAYS * 86_400 - 20) * 1000


def test_months_add_up_to_the_whole(site: Path, whole: dict[str, Any]) -> None:
    """Also where an outage is cut by midnight of the first."""
    names = ["2026-01", "2026-02", "2026-03", "2026-04"]
    months = [json.loads(written(site, f"{name}.json", "--month", name)) for name in names]
    for place, uplink in enumerate(whole["uplinks"]):
        for key in ("total", "opening_hours"):
            parts = [one["uplinks"][place][key]["down_s"] for one in months]
            assert sum(parts) == uplink[key]["down_s"]
    assert sum(len(one["outages"]) for one in months) == len(whole["outages"])


@pytest.mark.parametrize("kind", ["report", "case"])
def test_json_keeps_to_its_schema(site: Path, kind: str) -> None:
    """Whoever reads it by program can rely on its shape."""
    schema = json.loads((ROOT / f"docs/schemas/{kind}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    arguments = ("--month", "2026-02") if kind == "report" else ("--incident", "last")
    jsonschema.validate(json.loads(written(site, "x.json", *arguments)), schema)


def test_the_data_of_the_agent_are_told_for_their_own_month(site: Path, tmp_path: Path) -> None:
    """The count of April says nothing of March; what was before the first event is said to be unknown."""
    write(tmp_path)
    spending = {"4g": {"month": "2026-04", "calm_bytes": 21_400_000, "trouble_bytes": 600_000}}
    (tmp_path / "spending.json").write_text(sealed("content", spending))
    told = {}
    for name in ("2026-01", "2026-03", "2026-04"):
        given = ("--state-dir", str(tmp_path), "--month", name)
        told[name] = json.loads(written(site, "x.json", *given))
    assert told["2026-04"]["data"] == {"month": "2026-04", "used_bytes": {"4g": 22_000_000}}
    assert told["2026-03"]["data"] is None
    assert (told["2026-01"]["gaps"][0]["why"], told["2026-01"]["gaps"][0]["lasted_s"]) == (
        "nothing",
        17 * 86_400,
    )
    assert "22 Mo en 2026-04" in written(site, "x.txt", *given).replace("\N{NO-BREAK SPACE}", " ")


def test_csv_has_a_line_for_each_outage(site: Path, whole: dict[str, Any]) -> None:
    """With local time beside UTC."""
    rows = list(csv.DictReader(io.StringIO(written(site, "x.csv", *SPAN))))
    assert [float(row["lasted_s"]) for row in rows] == [one["lasted_s"] for one in whole["outages"]]
    for row in rows:
        local, utc = datetime.fromisoformat(row["begin_local"]), datetime.fromisoformat(row["begin_utc"])
        assert local == utc
        assert local.utcoffset() == utc.astimezone(PARIS).utcoffset()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("arguments", [SPAN, ("--incident", "demo-26")], ids=["month", "case"])
def test_every_page_shows_everything_on_paper(site: Path, arguments: tuple[str, ...], language: str) -> None:
    """All that the text has stands in HTML and PDF too, and nothing is drawn beyond the edge of a page."""
    pytest.importorskip("reportlab")
    text = written(site, "x.txt", *arguments, "--lang", language)
    html = written(site, "x.html", *arguments, "--lang", language)
    pdf = (site / "x.pdf", run(site, *arguments, "--lang", language, "--out", str(site / "x.pdf")))[0]
    assert "http" not in html
    assert "{" not in re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    drawn = pdf.read_bytes()
    placed = re.findall(rb"1 0 0 1 ([\d.-]+) ([\d.-]+) Tm \((.*?)(?<!\\)\) Tj", drawn, re.DOTALL)
    assert placed
    said = " ".join(
        re.sub(rb"\\(\d{3})", lambda m: bytes([int(m[1], 8)]), line).decode("cp1252") for *_, line in placed
    ).replace("\\", "")
    for x, y, _ in placed:
        assert 10 <= float(x) * 25.4 / 72 <= 200
        assert 5 <= float(y) * 25.4 / 72 <= 287
    every = Counter(re.findall(r"[\w’]{3,}", text))
    missing = [word for word in every if word not in html or word not in said]
    assert missing == []
    assert "?" not in re.sub(r"\?\)", "", said)


def test_the_case_file_has_what_a_hotline_asks_for(site: Path) -> None:
    """Line, times in both clocks, evidence by hop, what was restarted, the promised repair."""
    events = {o.at: number for number, o in enumerate(story(), 1) if o.lasts == 5 * 3600}
    at, number = min(events.items())
    told = json.loads(written(site, "case.json", "--incident", f"demo-{number}"))
    (line,) = [one for one in told["lines"] if one["uplink"] == "ftth"]
    assert (line["contract"], line["hotline"]) == ("FTTH-0102030405 / contrat 88 12 34", "3901")
    assert (line["down_s"], line["repair_s"], line["exceeded"]) == (5 * 3600, 4 * 3600, True)
    assert [one["how"] for one in told["outages"][0]["restarts"]] == ["cut"]
    assert "hop 80.10.233.1: silent 6 s ago, 3 times" in told["evidence"][0]["lines"]
    assert told["refused"] == ["budget_incident"]
    text = written(site, "case.txt", "--incident", f"demo-{number}", "--lang", "fr")
    for zone in (PARIS, UTC):
        assert datetime.fromtimestamp(BEGIN + at, zone).strftime("%d/%m/%Y %H:%M:%S") in text
    assert "DÉPASSÉ de 1 h" in text.replace("\N{NO-BREAK SPACE}", " ")


def test_bad_questions_get_clear_answers(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each on standard error, with the exit code of its kind, and what is allowed."""
    for arguments, code, words in (
        (("--month", "2026-13"), 2, "2027-01"),
        (("--days", "0"), 2, "3660"),
        (("--from", "2026-02-30"), 2, "2027-01-31"),
        (("--to", "2026-02-01"), 2, "--from"),
        (("--from", "2026-02-02", "--to", "2026-02-01"), 2, "2026-02-01"),
        (("--incident", "last", "--format", "csv"), 2, "CSV"),
        (("--zone", "Europe/Nowhere"), 2, "Europe/Nowhere"),
        (("--incident", "nope"), 1, "demo-46"),
        (("--month", "2025-01"), 1, "2026-01-18"),
        (("--state-dir", str(site / "none")), 1, "none"),
        ((*SPAN, "--out", str(site / "no" / "x.html")), 1, "x.html"),
        (("--config", str(site / "none.toml")), 78, "none.toml"),
    ):
        try:
            given = run(site, *arguments)
        except SystemExit as ended:
            given = int(str(ended.code))
        shown = capsys.readouterr()
        assert (given, shown.out) == (code, ""), arguments
        assert words in shown.err


def test_the_span_that_is_asked_for_is_local(site: Path) -> None:
    """By default the last whole month; ``--days`` ends now."""
    now = datetime(2026, 3, 29, 12, tzinfo=PARIS).timestamp()

    def asked(*arguments: str) -> tuple[str, str]:
        import argparse

        parser = argparse.ArgumentParser()
        report.add_arguments(parser)
        span = report.asked(parser.parse_args(arguments), PARIS, now)
        both = (datetime.fromtimestamp(at / 1000, PARIS).isoformat() for at in (span.begin, span.end))
        return next(both), next(both)

    assert asked() == ("2026-02-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00")
    assert asked("--month", "2026-03") == ("2026-03-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00")
    assert asked("--days", "2") == ("2026-03-28T00:00:00+01:00", "2026-03-29T12:00:00+02:00")
    assert asked("--from", "2026-03-29") == ("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00")


def test_a_damaged_recording_costs_its_own_figures(site: Path, tmp_path: Path) -> None:
    """What was read before the damage counts, and so does the journal."""
    write(tmp_path)
    (tmp_path / "trace").mkdir()
    (name,) = (site / "trace").glob("*.gz")
    content = name.read_bytes()
    (tmp_path / "trace" / name.name).write_bytes(content[: len(content) // 2])
    found, intact = sources(tmp_path, 0.0, lambda _: None), sources(site, 0.0, lambda _: None)
    assert len(found.events) == len(intact.events)
    assert 0 < len(found.figures.echoes["ftth"]) < 3 * 96
    # Without its digest, the run has been alive since its last event before what is left of the trace.
    assert found.alive[0][0] == round(max(r.at for r in found.events) * 1000)
    (digest,) = (site / "trace").glob("*.jsonl")
    (tmp_path / "trace" / digest.name).write_bytes(b"\xff{}\n" + digest.read_bytes()[:-40])
    found = sources(tmp_path, 0.0, lambda _: None)
    assert set(intact.figures.echoes["ftth"]) - set(found.figures.echoes["ftth"]) == {
        max(intact.figures.echoes["ftth"])
    }


def test_a_running_agent_is_alive_now(tmp_path: Path) -> None:
    """Its lock tells so, without being taken; a folder without history is no history."""
    write(tmp_path)
    assert not is_held(tmp_path)
    assert sources(tmp_path, 3e9, lambda _: None).alive == []
    with lock(tmp_path):
        assert is_held(tmp_path)
        assert sources(tmp_path, 3e9, lambda _: None).alive[-1][1] == 3_000_000_000_000
    with pytest.raises(TroubleError):
        sources(tmp_path / "none", 0.0, lambda _: None)


def test_every_sentence_has_both_languages_with_the_same_holes() -> None:
    """A hole that one language lacks would hide something from its readers."""
    for key, languages in table().items():
        assert set(languages) == set(LANGUAGES), key
        assert len({frozenset(re.findall(r"\{\w+\}", text)) for text in languages.values()}) == 1, key


def test_the_zone_is_that_of_the_machine(tmp_path: Path) -> None:
    """``TZ`` counts first, then the link; a zone that is no name is refused."""
    link = tmp_path / "localtime"
    assert site_zone({}, link) is UTC
    assert str(site_zone({"TZ": ":Europe/Paris"}, link)) == "Europe/Paris"
    (tmp_path / "zoneinfo" / "Indian").mkdir(parents=True)
    (tmp_path / "zoneinfo" / "Indian" / "Reunion").touch()
    link.symlink_to(tmp_path / "zoneinfo" / "Indian" / "Reunion")
    assert str(site_zone({}, link)) == "Indian/Reunion"
    for bad in ("../../etc/passwd", "", "Europe"):
        with pytest.raises(ZoneError):
            zone_named(bad)


def test_no_library_for_paper_is_loaded_without_need(site: Path) -> None:
    """Text, HTML, CSV and JSON need none, and the agent imports no report."""
    import subprocess

    where = ("--config", str(site / "vigie.toml"), "--state-dir", str(site))
    code = (
        "import sys; from agent.cli.main import main; "
        f"code = main({['report', *where, '--incident', 'last', '--format', 'html']!r}); "
        "sys.exit(code or 9 * ('reportlab' in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL, timeout=60)
