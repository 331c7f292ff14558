"""``vigie commission`` against a real agent's inside: scripted answers, relays and a panel in memory."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from office import BOX, Office, at_work, quick_site

from agent.cli import main, walk_devices, walk_panel, walk_relays, walk_uplinks
from agent.cli.walk_relays import fits, proposed_boot_s
from agent.config.reader import parse
from agent.config.schema import as_builtins
from agent.core.devices import DeviceKind, DeviceSpec, Radio, Registration, Says, Sim
from agent.core.model import Part
from agent.reports import commissioning
from agent.reports.commissioning import FILE, Item, Record, RecordError, Verdict
from agent.runtime.versions import versions
from hardware.ports import Colour

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs/schemas/commissioning.json").read_text())
CONFIG = """
[site]
name = "garage"
label = "Garage"
[[uplink]]
name = "ftth"
label = "Fibre"
interface = "eth0"
[[uplink]]
name = "fibre2"
interface = "eth1"
[[uplink]]
name = "4g"
interface = "wwan0"
[[box]]
name = "box-ftth"
label = "Livebox"
uplink = "ftth"
relay = "gpio17"
boot_s = 5
off_s = 3
[[box]]
name = "modem"
uplink = "4g"
"""
SECOND = """
[[box]]
name = "box-fibre2"
uplink = "fibre2"
relay = "gpio27"
boot_s = 5
off_s = 3
"""
PANEL = """
[panel]
screen = "ssd1306"
[panel.leds]
site = { green = 5, red = 6 }
ftth = { green = 12, red = 13 }
"""
MQTT = '[mqtt]\nhost = "mqtt.example.net"\n'


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Colours change at once, and nobody waits long for what will not come."""
    monkeypatch.setattr(walk_panel, "SHOWN_S", 0.05)
    monkeypatch.setattr(walk_uplinks, "BROKER_S", 3.0)
    monkeypatch.setattr(walk_relays, "SETTLE_S", 1.0)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    site = quick_site(off_s=0.6)
    with at_work(tmp_path, replace(site, power=replace(site.power, require_proof=True))) as office:
        configure(office, CONFIG)
        yield office


def configure(office: Office, text: str, **more: object) -> None:
    office.more = {
        **versions(),
        "config": as_builtins(parse(text)),
        "events_wait": None,
        "state": str(office.path.parent / "state"),
        **more,
    }


def walk(office: Office, *given: str, answers: str | None = None, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the command; without ``answers`` unattended."""
    if answers is not None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(answers))
    unattended = ("--yes",) if answers is None else ()
    return main.main(
        ["commission", *unattended, *given, "--socket", str(office.path), "--lang", "en", "--by", "Anne"]
    )


def record(office: Office) -> Record:
    path = office.path.parent / "state" / FILE
    Draft202012Validator(SCHEMA).validate(json.loads(path.read_text()))
    found = commissioning.read(path)
    assert found is not None
    return found


def verdicts(office: Office) -> dict[str, str]:
    return {name: item.verdict.value for name, item in record(office).items.items()}


# --- devices ------------------------------------------------------------------------------------------------

MODEM = """
[[modem]]
name = "stick"
label = "Clé 4G"
uplink = "4g"
driver = "hilink"
"""
HEARD = Says(
    "4g",
    heard=True,
    sim=Sim.READY,
    registration=Registration.HOME,
    radio=Radio("4G", "B20", rsrp_dbm=-88.0, sinr_db=14.0),
    operator="Orange F",
    model="E3372",
)


@pytest.fixture
def speaking(tmp_path: Path) -> Iterator[Office]:
    """A site whose 4G has a modem that can be asked."""
    site = quick_site(off_s=0.6)
    spec = DeviceSpec("stick", "Clé 4G", DeviceKind.MODEM)
    uplinks = (replace(uplink, device=spec if uplink.name == "4g" else None) for uplink in site.uplinks)
    with at_work(tmp_path, replace(site, uplinks=tuple(uplinks))) as office:
        configure(
            office, CONFIG.replace('interface = "wwan0"', 'interface = "wwan0"\nkind = "cellular"') + MODEM
        )
        yield office


@pytest.mark.parametrize(
    ("says", "verdict", "why"),
    [
        (HEARD, "passed", ""),
        (replace(HEARD, radio=Radio("4G", rsrp_dbm=-113.0)), "failed", "vigie signal stick"),
        (replace(HEARD, sim=Sim.PIN), "failed", "pin"),
        (replace(HEARD, registration=Registration.DENIED), "failed", "denied"),
        (Says("4g", heard=True, locked=True, why="wrong password"), "failed", "wrong password"),
        (Says("4g", heard=False, why="no route to 192.168.8.1"), "failed", "192.168.8.1"),
    ],
)
def test_a_modem_is_tried_out(
    speaking: Office, says: Says, verdict: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must answer, be let into the network and hear it well; else the record says what to do."""
    monkeypatch.setattr(walk_devices, "HEARD_S", 0.3)
    speaking.tell(says)
    code = walk(speaking, "--only", "devices", monkeypatch=monkeypatch)
    item = record(speaking).items["device:stick"]
    assert (item.verdict.value, code) == (verdict, 0 if verdict == "passed" else 1)
    assert why in item.why
    assert item.measured["heard"] is says.heard


@pytest.mark.parametrize(("answer", "confirmed"), [("y", True), ("n", False)])
def test_what_rests_on_documentation_is_confirmed_by_a_person(
    speaking: Office, answer: str, confirmed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who stands before the device knows whether the driver reads it right."""
    speaking.tell(Says("4g", heard=True, line_up=True, rx_dbm=-21.0, model="F5688b", documented=True))
    walk(speaking, "--only", "devices", answers=f"{answer}\ny\n", monkeypatch=monkeypatch)
    measured = record(speaking).items["device:stick"].measured
    assert (measured["confirmed"], measured["rx_dbm"]) == (confirmed, -21.0)


def test_a_site_without_devices_to_ask_is_no_failure(
    office: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so and goes on."""
    assert walk(office, "--only", "devices", monkeypatch=monkeypatch) == 0
    assert "none to be asked" in capsys.readouterr().out
    assert record(office).items == {}


# --- the whole walk ----------------------------------------------------------------------------------------


def test_a_healthy_site_is_tried_out_and_signed(
    office: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything passes; the relays are proven from then on, and the site is armed."""
    configure(office, CONFIG + SECOND + PANEL + MQTT, events_wait=False)
    office.tell(Part("mqtt", ok=True))
    assert office.board.latest is not None
    assert office.board.latest.unarmed_why == "not_proven"
    assert walk(office, monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out
    found = record(office)
    assert verdicts(office) == dict.fromkeys(
        (
            "uplink:ftth",
            "uplink:fibre2",
            "uplink:4g",
            "relay:box-ftth",
            "relay:box-fibre2",
            "led:site",
            "led:ftth",
            "screen",
            "broker",
        ),
        "passed",
    )
    assert (found.site, found.signed_by, found.stopped_at) == ("garage", "Anne", None)
    assert found.signed_at is not None
    assert found.versions["vigie"]
    relay = found.items["relay:box-ftth"]
    assert relay.measured["seen"] == "carrier"
    assert isinstance(relay.measured["boot_s"], float)
    assert office.coils[BOX].history == office.coils["box-fibre2"].history == [True, False]
    assert office.board.latest.armed
    assert "✓ Livebox (gpio17)" in said
    assert "Record: 9 of 9 trials passed.\nautomatic restart armed\n" in said


@pytest.mark.parametrize("pressing", [True, False])
def test_a_button_is_tried_out_by_pressing_it(
    office: Office, pressing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within the time that is given; nothing is asked of the site by it."""
    monkeypatch.setattr(walk_panel, "PRESS_S", 10.0 if pressing else 0.1)
    configure(office, CONFIG + PANEL.replace("[panel.leds]", "button = 22\n[panel.leds]"))
    done = threading.Event()

    def press() -> None:
        while not done.wait(0.05):
            office.buttons.press("page")
            office.buttons.let_go("page")

    finger = threading.Thread(target=press)
    if pressing:
        finger.start()
    try:
        assert walk(office, "--only", "button", monkeypatch=monkeypatch) == (0 if pressing else 1)
    finally:
        done.set()
        if pressing:
            finger.join()
    assert verdicts(office) == {"button:page": "passed" if pressing else "failed"}
    if not pressing:
        assert "gpio22" in record(office).items["button:page"].why


def test_what_is_not_configured_is_said(
    office: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without panel and broker nothing fails."""
    assert (
        walk(office, "--only", "leds", "--only", "screen", "--only", "broker", monkeypatch=monkeypatch) == 0
    )
    said = capsys.readouterr().out
    assert "LEDs: none" in said
    assert "Screen: none" in said
    assert "MQTT broker: none" in said
    assert record(office).items == {}


def test_the_record_can_be_had_as_json(
    office: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The walk itself goes to standard error."""
    assert walk(office, "--only", "uplinks", "--json", monkeypatch=monkeypatch) == 0
    said = capsys.readouterr()
    assert commissioning.decode(said.out) == record(office)
    assert "The uplinks:" in said.err


def test_a_later_walk_renews_what_it_tries_and_leaves_the_rest(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And has to be signed again; that of another site is begun anew."""
    assert walk(office, "--only", "uplinks", monkeypatch=monkeypatch) == 0
    first = record(office)
    configure(office, CONFIG + PANEL)
    assert walk(office, "--only", "screen", answers="y\nn\n", monkeypatch=monkeypatch) == 0
    second = record(office)
    assert second.items.keys() == {*first.items, "screen"}
    assert second.items["uplink:ftth"] == first.items["uplink:ftth"]
    assert second.signed_by is None
    configure(office, CONFIG.replace('"garage"', '"other"'))
    assert walk(office, "--only", "broker", monkeypatch=monkeypatch) == 0
    assert (record(office).site, record(office).items) == ("other", {})


# --- answers ----------------------------------------------------------------------------------------------


def test_a_person_may_decline_a_cut(
    office: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The box keeps its power, its relay stays unproven; anything but yes or no is asked again."""
    configure(office, CONFIG + SECOND)
    answers = "\nperhaps\nn\nYES\noui\n"
    assert walk(office, "--only", "relays", answers=answers, monkeypatch=monkeypatch) == 1
    said = capsys.readouterr().out
    assert said.count("Cut Livebox (gpio17) for 3 s? Fibre") == 3
    assert verdicts(office) == {"relay:box-ftth": "declined", "relay:box-fibre2": "passed"}
    assert office.coils[BOX].history == []
    assert record(office).signed_by == "Anne"


def test_the_last_working_uplink_is_asked_about_in_so_many_words(
    office: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody must take a whole site offline by habit."""
    office.pulled |= {"fibre2", "4g"}
    settled(office, "fibre2", "4g", health="down")
    assert walk(office, "--only", "relays", answers="n\nn\n", monkeypatch=monkeypatch) == 1
    assert "Fibre is the ONLY uplink that works" in capsys.readouterr().out


def settled(office: Office, *names: str, health: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        shot = office.board.latest
        assert shot is not None
        if all(uplink.health == health for uplink in shot.uplinks if uplink.name in names):
            return
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_leds_are_shown_in_turn_and_judged_by_the_person(
    office: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Green, red, orange, one LED at a time; what is wrong names the pins."""
    configure(office, CONFIG + PANEL)
    office.lights.changes.clear()
    assert walk(office, "--only", "leds", answers="y\nn\ny\n", monkeypatch=monkeypatch) == 1
    shown = [(name, p.colour) for name, p in office.lights.changes if p.off_s == 0 and name == "ftth"]
    assert [colour for _, colour in shown if colour is not Colour.DARK][:3] == [
        Colour.GREEN,
        Colour.RED,
        Colour.ORANGE,
    ]
    assert verdicts(office) == {"led:site": "passed", "led:ftth": "failed"}
    assert record(office).items["led:ftth"].why == "check the pins (green gpio12, red gpio13) and the wiring"


def test_a_panel_that_does_not_work_is_not_asked_about(
    office: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent says why; nobody has to look at a dark panel."""
    configure(office, CONFIG + PANEL)
    monkeypatch.setattr(office.trials, "_lights", None)
    monkeypatch.setattr(office.trials, "_screen", None)
    assert walk(office, "--only", "leds", "--only", "screen", monkeypatch=monkeypatch) == 1
    assert verdicts(office) == {"led:site": "failed", "led:ftth": "failed", "screen": "failed"}
    assert record(office).items["screen"].why == "screen: does not work or is not configured"


# --- what is wrong with a site --------------------------------------------------------------------------


def test_a_relay_on_the_wrong_box(
    office: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other uplink is named, and what to do."""
    office.wiring[BOX] = "fibre2"
    assert walk(office, "--only", "relays", monkeypatch=monkeypatch) == 1
    assert verdicts(office) == {"relay:box-ftth": "failed"}
    why = record(office).items["relay:box-ftth"].why
    assert why == (
        "the relay cuts another box (FIBRE2). Swap the plugs or the pins (relay = ...) of these two boxes."
    )
    assert office.board.latest is not None
    assert not office.board.latest.armed


def test_a_welded_relay(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes away; the next relay is tried all the same."""
    configure(office, CONFIG + SECOND)
    office.wiring[BOX] = "nothing"
    assert walk(office, "--only", "relays", monkeypatch=monkeypatch) == 1
    item = record(office).items["relay:box-ftth"]
    assert item.verdict is Verdict.FAILED
    assert item.measured == {"reason": "relay_no_effect", "instead": None}
    assert "normally-closed contact" in item.why
    assert record(office).items["relay:box-fibre2"].verdict is Verdict.PASSED


def test_a_relay_that_does_not_obey(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal of the hardware is the result."""
    office.coils[BOX].broken = True
    assert walk(office, "--only", "relays", monkeypatch=monkeypatch) == 1
    assert record(office).items["relay:box-ftth"].why == "the relay does not obey"
    office.coils[BOX].broken = False


def test_an_uplink_that_does_not_work(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its relay cannot be proven; both say why."""
    office.pulled.add("ftth")
    settled(office, "ftth", health="down")
    monkeypatch.setattr(walk_relays, "BOOT_PATIENCE", 0.0)
    assert walk(office, "--only", "uplinks", "--only", "relays", monkeypatch=monkeypatch) == 1
    found = record(office)
    assert found.items["uplink:ftth"].why == "no carrier: the cable is out, or the box is off"
    assert found.items["relay:box-ftth"].why == "this connection has to work first"


@pytest.mark.parametrize(
    ("part", "waits", "why"),
    [
        (
            Part("mqtt", ok=False, detail="mqtt.example.net:8883: refused: Not authorized"),
            True,
            "Not authorized",
        ),
        (None, True, "no connection"),
        (Part("mqtt", ok=True), True, "messages have not been acknowledged"),
    ],
)
def test_a_broker_that_gets_nothing(
    office: Office, part: Part | None, waits: bool, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connected is not enough: what was to be sent must have been acknowledged."""
    configure(office, CONFIG + MQTT, events_wait=waits)
    if part is not None:
        office.tell(part)
    assert walk(office, "--only", "broker", monkeypatch=monkeypatch) == 1
    assert why in record(office).items["broker"].why


def test_a_broker_gets_a_moment(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was told just now is still on its way."""
    configure(office, CONFIG + MQTT, events_wait=True)
    office.tell(Part("mqtt", ok=True))
    arriving = threading.Timer(1.5, lambda: office.more.update(events_wait=False))
    arriving.start()
    assert walk(office, "--only", "broker", monkeypatch=monkeypatch) == 0
    arriving.join()


# --- interruptions ----------------------------------------------------------------------------------------


def started(office: Office, *given: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "agent", "commission", *given, "--socket", str(office.path)]
    argv += ["--lang", "en", "--by", "Anne"]
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_in_a_cut_gives_the_power_back(tmp_path: Path, number: signal.Signals) -> None:
    """Long before the cut would have ended; the record says where it stopped."""
    with at_work(tmp_path, quick_site(off_s=60.0)) as office:
        configure(office, CONFIG)
        process = started(office, "--yes", "--only", "relays")
        deadline = time.monotonic() + 20
        while not office.coils[BOX].energised:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 130, err
        assert office.coils[BOX].history == [True, False]
        assert "The power is given back." in out
        assert "interrupted at: relay:box-ftth" in out
        assert (record(office).stopped_at, record(office).items) == ("relay:box-ftth", {})


def test_an_interruption_at_a_question_stops_there(office: Office) -> None:
    """What was tried before is kept."""
    process = started(office, "--only", "uplinks", "--only", "relays")
    assert process.stdout is not None
    read = iter(lambda: process.stdout.read(1), "")  # type: ignore[union-attr]
    said = ""
    while "[y/n]" not in said:
        said += next(read)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    process.communicate()
    assert record(office).stopped_at == "relay:box-ftth"
    assert len(record(office).items) == 3
    assert office.coils[BOX].history == []


def test_an_end_of_the_input_is_an_interruption(
    office: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is cut because nobody answers."""
    assert walk(office, "--only", "relays", answers="", monkeypatch=monkeypatch) == 130
    assert office.coils[BOX].history == []
    assert "interrupted at: relay:box-ftth" in capsys.readouterr().out


def test_an_agent_that_dies_is_told_with_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2; the record is kept."""
    codes: list[int] = []
    with at_work(tmp_path, quick_site(off_s=60.0)) as office:
        configure(office, CONFIG)
        path = office.path.parent / "state" / FILE
        argv = ["commission", "--yes", "--only", "relays", "--socket", str(office.path), "--lang", "en"]
        monkeypatch.setattr(signal, "signal", lambda *_: None)  # handlers belong to the main thread
        walking = threading.Thread(target=lambda: codes.append(main.main(argv)))
        walking.start()
        deadline = time.monotonic() + 20
        while not office.coils[BOX].energised:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    walking.join(20)
    assert codes == [2]
    assert "The agent has gone during the commissioning, at: relay:box-ftth" in capsys.readouterr().err
    assert commissioning.read(path) is not None
    assert office.coils[BOX].history == [True, False]


# --- what cannot begin ------------------------------------------------------------------------------------


def test_without_an_agent_it_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2."""
    assert main.main(["commission", "--socket", str(tmp_path / "absent"), "--lang", "en"]) == 2
    said = capsys.readouterr().err
    assert "no agent" in said
    assert "systemctl start vigie" in said


def test_a_record_that_cannot_be_written_is_said_before_anything_is_cut(
    office: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The walk is worth nothing without it."""
    given = ("--record", str(office.path.parent / "nowhere" / "x.json"))
    assert walk(office, *given, monkeypatch=monkeypatch) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert office.coils[BOX].history == []


@pytest.mark.parametrize(
    ("text", "why"), [("{", "cannot be read"), ('{"schema": 99}', "newer than this version")]
)
def test_a_record_that_cannot_be_understood_is_not_overwritten(
    office: Office,
    text: str,
    why: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may hold what somebody else measured."""
    path = office.path.parent / "state" / FILE
    path.write_text(text)
    assert walk(office, monkeypatch=monkeypatch) == 2
    assert why in capsys.readouterr().err
    assert path.read_text() == text


def test_an_agent_of_another_version_is_told(
    office: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an update without a restart."""
    office.more["config"] = {"site": {"name": "x"}}
    assert walk(office, monkeypatch=monkeypatch) == 2
    assert "another version" in capsys.readouterr().err


def test_a_nameless_walk_is_not_begun(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """A signature needs a name."""
    argv = ["commission", "--yes", "--socket", str(office.path), "--lang", "en", "--by", " "]
    assert main.main(argv) == 2
    assert "a name is needed" in capsys.readouterr().err


# --- numbers and records ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measured_s", "boot_s"), [(1.0, 5), (4.2, 10), (60.0, 75), (87.3, 105), (100.0, 120), (2000.0, 900)]
)
def test_the_proposed_boot_time_is_a_fifth_more(measured_s: float, boot_s: float) -> None:
    """In steps of five seconds, within what the configuration allows; and it fits, where anything does."""
    assert proposed_boot_s(measured_s) == boot_s
    assert fits(boot_s, measured_s) or measured_s > 900


def test_which_boot_times_fit() -> None:
    """Not so short that a slow day looks like a failure, not so long that minutes are wasted."""
    assert not fits(90, 87.3)
    assert fits(97, 87.3)
    assert fits(200, 87.3)
    assert not fits(300, 87.3)
    assert fits(5, 1.0)


RECORD = Record(
    site="garage",
    versions={"vigie": "0.1.0"},
    clock="synchronised",
    items={
        "relay:ont": Item(Verdict.PASSED, "2027-01-15T08:00:00Z", "Anne", "", {"boot_s": 87.3, "x": None})
    },
    signed_by="Anne",
    signed_at="2027-01-15T08:10:00Z",
)


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    """And holds to its schema."""
    commissioning.write(tmp_path / FILE, RECORD)
    assert commissioning.read(tmp_path / FILE) == RECORD
    Draft202012Validator(SCHEMA).validate(json.loads(commissioning.encode(RECORD)))
    assert commissioning.read(tmp_path / "none") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema": "1"}',
        commissioning.encode(RECORD).replace('"passed"', '"perhaps"'),
        commissioning.encode(RECORD).replace("87.3", "[]"),
        commissioning.encode(RECORD).replace('"Anne",\n  "signed_at"', '7,\n  "signed_at"'),
    ],
)
def test_what_is_no_record_is_told(text: str) -> None:
    """With a reason, never a traceback of another kind."""
    with pytest.raises(RecordError):
        commissioning.decode(text)


def test_a_result_takes_the_signature_away() -> None:
    """Nobody has signed what came later."""
    item = Item(Verdict.FAILED, "2027-01-16T08:00:00Z", "Paul", "stuck")
    after = RECORD.with_item("relay:ont", item)
    assert (after.signed_by, after.signed_at, after.items) == (None, None, {"relay:ont": item})


def test_the_record_is_private_to_nobody_and_torn_by_nothing(tmp_path: Path) -> None:
    """A draft left by a power loss does not matter."""
    (tmp_path / f"{FILE}.new").write_text("{")
    commissioning.write(tmp_path / FILE, RECORD)
    assert commissioning.read(tmp_path / FILE) == RECORD
    assert not (tmp_path / f"{FILE}.new").exists()
    assert os.access(tmp_path / FILE, os.R_OK)
