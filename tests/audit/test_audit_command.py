"""``vigie audit`` as it is called: what it looks at, what it keeps, what it compares, how it ends."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
from dataclasses import asdict, replace
from pathlib import Path

import jsonschema
import pytest
from audit_ground import NOW, live, shot_of, well
from hypothesis import given, settings
from hypothesis import strategies as st
from socket_server import agent

from agent.audit.judging import audited
from agent.audit.past import history_of
from agent.audit.points import DAY_S, Axis
from agent.audit.rules_lines import signal_of
from agent.audit.saving import SavedError, compared, decode, encode
from agent.cli.main import main
from agent.config.effective import wiring
from agent.config.reader import parse
from agent.core.codes import Code, Severity
from agent.core.devices import Strength
from agent.core.instant import Now, stamp
from agent.core.model import Event, Recorded
from agent.core.path_view import PathState, PathView
from agent.core.radio import Air, Day
from agent.core.snapshot_types import FindingView
from agent.runtime.notes import Notes
from agent.runtime.store import Store

SITES = Path(__file__).parent / "sites"


def run(tmp_path: Path, name: str, *arguments: str) -> int:
    state, socket = tmp_path / "state", tmp_path / "no.sock"
    config = str(SITES / f"{name}.toml")
    return main(["audit", "--config", config, "--state-dir", str(state), "--socket", str(socket), *arguments])


def test_a_critical_weak_point_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The worst comes first, with its consequence and its cost; what is wrong with the looking, on stderr."""
    assert run(tmp_path, "01-one-uplink", "--lang", "en") == 1
    out, err = capsys.readouterr()
    assert out.index("Only one way to the internet") < out.index("Open questions")
    assert "telephones silent" in out
    assert "cost\N{NO-BREAK SPACE}€€" in out
    assert "no.sock does not exist" in err
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= 80


def test_a_bad_configuration_ends_with_78(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As everywhere."""
    bad = tmp_path / "bad.toml"
    bad.write_text("[site]\nname = 1\n")
    assert main(["audit", "--config", str(bad)]) == 78
    assert "site.name" in capsys.readouterr().err


def test_an_audit_is_kept_and_compared_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is settled, what is new, and how the scores have moved."""
    (tmp_path / "state").mkdir()
    assert run(tmp_path, "02-one-operator", "--save", "--json") == 1
    assert json.loads(capsys.readouterr().out)["since"] is None
    run(tmp_path, "03-one-trench", "--json", "--lang", "en")
    since = json.loads(capsys.readouterr().out)["since"]
    assert ["same_operator", "site"] in since["gone"]
    assert ["shared_path", "site"] in since["new"]
    assert since["scores"]["paths"] > 0
    run(tmp_path, "03-one-trench", "--lang", "en")
    out = capsys.readouterr().out
    assert "settled: Several uplinks, one operator" in out
    assert "new: The lines come in the same way" in out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "unreadable"),
        (b"\xff", "unreadable"),
        (b"", "unreadable"),
        (b'{"schema": 99}', "newer"),
        (None, "unreadable"),
    ],
)
def test_what_cannot_be_compared_with_is_said_and_no_more(
    content: bytes | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A damaged file costs the comparison, not the audit."""
    file = tmp_path / "old.json"
    if content is not None:
        file.write_bytes(content)
    assert run(tmp_path, "04-wired-wrongly", "--against", str(file), "--json", "--lang", "en") == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["since"] is None
    assert said in err


def test_an_audit_of_another_site_is_not_compared_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would tell of changes that nobody has made."""
    other = replace(audited(well(parse((SITES / "00-sound.toml").read_text()))), site="elsewhere")
    file = tmp_path / "old.json"
    file.write_text(encode(other))
    run(tmp_path, "04-wired-wrongly", "--against", str(file), "--json", "--lang", "en")
    out, err = capsys.readouterr()
    assert json.loads(out)["since"] is None
    assert "another site (elsewhere)" in err


def test_what_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The audit is told all the same."""
    assert (
        run(tmp_path, "04-wired-wrongly", "--html", str(tmp_path / "no/such/folder.html"), "--lang", "en")
        == 1
    )
    out, err = capsys.readouterr()
    assert "not written" in err
    assert "The Pi can cut itself off" in out


def test_the_page_is_written_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It holds what the terminal shows."""
    page = tmp_path / "audit.html"
    run(tmp_path, "04-wired-wrongly", "--html", str(page), "--lang", "fr")
    assert "Le Pi peut se couper lui-même" in page.read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["audit.html"]
    capsys.readouterr()


def test_the_paper_has_as_many_sheets_as_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same audit gives the same bytes."""
    pytest.importorskip("reportlab", reason="the Python module reportlab is not installed")
    one, other = tmp_path / "1.pdf", tmp_path / "2.pdf"
    for paper in (one, other):
        run(tmp_path, "04-wired-wrongly", "--pdf", str(paper), "--lang", "fr")
    drawn = one.read_bytes()
    assert drawn == other.read_bytes()
    assert drawn.startswith(b"%PDF")
    assert b"Le Pi peut se couper" in drawn
    assert drawn.count(b"/Type /Page\n") > 1
    capsys.readouterr()


def test_without_the_library_that_draws_there_is_no_paper(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What to install is said; the audit is told all the same."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert run(tmp_path, "04-wired-wrongly", "--pdf", str(tmp_path / "x.pdf"), "--lang", "en") == 1
    out, err = capsys.readouterr()
    assert "reportlab is missing" in err
    assert "The Pi can cut itself off" in out
    assert not list(tmp_path.iterdir())


class _Gone(io.StringIO):
    """Standard output whose reader has gone."""

    def write(self, _: str) -> int:
        raise BrokenPipeError


def test_what_is_to_be_kept_is_kept_though_the_reader_has_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``vigie audit --save | head`` saves."""
    (tmp_path / "state").mkdir()
    monkeypatch.setattr("sys.stdout", _Gone())
    monkeypatch.setattr("sys.stderr", io.StringIO())
    run(tmp_path, "04-wired-wrongly", "--save")
    assert (tmp_path / "state" / "audit.json").exists()


# --- what it looks at ---------------------------------------------------------------------------------------


def test_the_state_folder_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Proofs of relays, the signal of the last days and past events count, also while no agent runs."""
    state = tmp_path / "state"
    config = parse((SITES / "00-sound.toml").read_text())
    now = Now(100.0, NOW, True, "boot")
    store = Store.open(state, now)
    store.append([(Event(Code.AGENT_STARTED, "garage", Severity.INFO), now)])
    store.close()
    notes = Notes(state, wiring(config))
    notes.save_proof("livebox", stamp(now))
    notes.save_air("4g", Air(days=(Day(20000, -112.0, 500),)))
    run(tmp_path, "00-sound", "--json")
    points = [(p["code"], p["subject"], p["known"]) for p in json.loads(capsys.readouterr().out)["points"]]
    assert ("relay_unproven", "livebox", True) not in points
    assert ("relay_unproven", "modem-4g", True) in points
    assert ("signal_weak", "4g", True) in points
    assert not [code for code, _, _ in points if code == "clock_unset"]


def event(code: Code, at: float, *, synced: bool = True, **args: str) -> Recorded:
    return Recorded("x", 1, Event(code, "garage", Severity.INFO, args=args), at, synced)


def test_past_events_tell_what_has_carried_the_site() -> None:
    """The last move to each uplink counts; what has no certain time tells nothing."""
    history = history_of(
        [
            event(Code.FAILOVER, 10.0, to="4g"),
            event(Code.FAILBACK, 20.0, to="ftth"),
            event(Code.FAILOVER, 30.0, to="4g"),
            event(Code.FAILOVER_MISSING, 40.0),
            event(Code.FAILOVER, 50.0, synced=False, to="cable"),
        ]
    )
    assert history.carried == {"4g": 30.0, "ftth": 20.0}
    assert (history.switched_at, history.missing_at, history.clock_known) == (30.0, 40.0, True)
    assert not history_of([event(Code.AGENT_STARTED, 1.0, synced=False)]).clock_known


def test_a_drill_that_is_still_to_come_proves_nothing() -> None:
    """A slip in the year must not hide that the failover was never tried."""
    text = (SITES / "00-sound.toml").read_text().replace("2026-10-20", "2027-10-20")
    ground = replace(well(parse(text)), history=None)
    found = {point.code for point in audited(ground).points}
    assert {"drill_overdue", "failover_absent", "backup_unproven"} <= found


def test_a_failover_seen_after_the_one_that_was_missing_settles_it() -> None:
    """Somebody has repaired it, as was seen."""
    ground = well(parse((SITES / "00-sound.toml").read_text()))
    assert ground.history is not None
    before = replace(ground.history, missing_at=NOW - 11 * DAY_S)
    after = replace(ground.history, missing_at=NOW - 9 * DAY_S)
    codes = [{p.code for p in audited(replace(ground, history=one)).points} for one in (before, after)]
    assert ["failover_absent" in found for found in codes] == [False, True]


def test_a_backup_that_the_agent_can_no_longer_prove_is_weak_although_it_has_carried() -> None:
    """What it did once does not outweigh that it does not answer as it should now."""
    ground = well(parse((SITES / "00-sound.toml").read_text()))
    dark = FindingView(Code.BACKUP_UNPROVEN, "4g", "4g", Severity.WARNING, 0.0, {})
    told = replace(ground, shot=replace(ground.shot or shot_of(ground.config), findings=(dark,)))
    found = [(p.code, p.found.subject, p.found.case) for p in audited(told).points]
    assert found == [("backup_unproven", "4g", "dark")]


def test_an_address_that_others_have_from_outside_is_shared_whatever_people_say() -> None:
    """What is seen counts more than what is believed."""
    ground = well(parse((SITES / "00-sound.toml").read_text()))
    assert ground.shot is not None
    uplinks = tuple(replace(view, shared=view.name == "ftth") for view in ground.shot.uplinks)
    told = replace(ground, shot=replace(ground.shot, uplinks=uplinks))
    assert [(p.code, p.found.subject) for p in audited(told).points] == [("shared_address", "ftth")]


@pytest.mark.parametrize(
    ("mode", "state", "watched"),
    [
        ("observe", PathState.WORKS, True),
        ("observe", PathState.UNSEEN, False),
        ("observe", None, False),
        ("off", PathState.WORKS, False),
    ],
)
def test_a_site_path_that_is_not_seen_is_not_watched(
    mode: str, state: PathState | None, watched: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not enough that the configuration asks for it."""
    text = (SITES / "00-sound.toml").read_text() + f'\n[failover]\nmode = "{mode}"\n'
    (tmp_path / "c.toml").write_text(text)
    path = None if state is None else PathView(state, 1.0, None, None, None, False, None, None, None, None)
    shot = replace(shot_of(parse(text)), site_path=path)
    answers = {"status": {"snapshot": asdict(shot)}, "about": {"about": {}}}
    with agent(tmp_path / "s", lambda asked: [json.dumps(answers[str(asked["do"])]).encode() + b"\n"]):
        given = [
            "--config",
            str(tmp_path / "c.toml"),
            "--socket",
            str(tmp_path / "s"),
            "--state-dir",
            "/none",
        ]
        main(["audit", *given, "--json"])
    codes = {point["code"] for point in json.loads(capsys.readouterr().out)["points"]}
    assert ("failover_unwatched" in codes) is not watched


def test_the_signal_of_some_minutes_is_no_signal_of_a_day() -> None:
    """A day with few readings is left out."""
    config = parse((SITES / "00-sound.toml").read_text())
    few, many = Air(days=(Day(1, -112.0, 3),)), Air(days=(Day(1, -112.0, 60),))
    shot = replace(shot_of(config), devices=())
    words = [signal_of(replace(well(config), shot=shot, airs={"4g": air}), "4g")[0] for air in (few, many)]
    assert words == [None, Strength.POOR]


# --- the saved form -----------------------------------------------------------------------------------------


def test_nothing_has_changed_since_the_same_audit() -> None:
    """What was written is read back as it was."""
    for file in SITES.glob("*.toml"):
        audit = audited(well(parse(file.read_text())))
        change = compared(decode(encode(audit)), audit)
        assert (change.new, change.gone, change.answered) == ((), (), ())
        assert change.scores == dict.fromkeys(Axis, 0)


def test_every_audit_is_as_its_schema_says() -> None:
    """Whoever reads the file can hold it against ``docs/schemas``."""
    schema = json.loads((SITES.parents[2] / "docs/schemas/audit.json").read_text())
    for file in SITES.glob("*.toml"):
        jsonschema.validate(json.loads(encode(audited(well(parse(file.read_text()))))), schema)


def test_an_answer_is_told_even_if_it_is_the_worst() -> None:
    """What was only unknown and is now known to be weak is no new weak point."""
    text = (SITES / "04-wired-wrongly.toml").read_text()
    asked = audited(well(parse(text.replace('pi_outlet = "switched"\n', ""))))
    change = compared(decode(encode(asked)), audited(well(parse(text))))
    assert change.answered == (("pi_switched", "site"),)
    assert not change.new


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["schema", "site", "at", "scores", "points", "code", "grade"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40) | JSON.map(json.dumps))
def test_any_text_is_an_audit_or_a_clear_refusal(text: str) -> None:
    """A file that somebody points to by mistake never ends in a traceback."""
    with contextlib.suppress(SavedError):
        assert decode(text).site is not None


# --- the running agent --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("site", "seen"), [("garage", True), ("elsewhere", False)])
def test_the_running_agent_is_asked_if_it_is_that_of_the_site(
    site: str, seen: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its version and its picture count; the picture of another site would be taken for this one's."""
    config = parse((SITES / "00-sound.toml").read_text())
    shot = replace(live(well(config), "down cable").shot or shot_of(config), site=site)
    answers = {"status": {"snapshot": asdict(shot)}, "about": {"about": {"vigie": "0.0.1"}}}
    with agent(tmp_path / "no.sock", lambda asked: [json.dumps(answers[str(asked["do"])]).encode() + b"\n"]):
        run(tmp_path, "00-sound", "--json", "--lang", "en")
    out, err = capsys.readouterr()
    cases = {(point["code"], point["case"]) for point in json.loads(out)["points"]}
    assert (("backup_down", "plain") in cases) is seen
    assert (("agent_old", "not_restarted") in cases) is seen
    assert (("not_seen", "ask") in cases) is not seen
    assert ("another site" in err) is not seen
