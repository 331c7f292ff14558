"""``vigie check`` as people and scripts use it: output, streams, exit codes, and what it loads."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tomllib
from importlib import resources
from pathlib import Path

import pytest

from agent.cli import check
from agent.cli.main import main
from agent.config.effective import wiring
from agent.config.reader import parse
from agent.core.instant import Stamp
from agent.runtime.notes import Notes

ROOT = Path(__file__).parents[2]
MINIMAL = resources.files("agent.config").joinpath("minimal.toml").read_text(encoding="utf-8")
BAD = MINIMAL.replace('"gpio17"', '"gpio4"').replace("kind =", "kindd =", 1)


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.toml"
    path.write_text(MINIMAL)
    return path


@pytest.fixture
def bad(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(BAD)
    return path


def test_a_good_file_is_printed_in_full_and_exits_0(good, capsys):
    """Standard output is the effective configuration, as TOML; nothing goes to standard error."""
    assert main(["check", str(good), "--lang", "en"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert parse(out) == parse(MINIMAL)
    assert out.startswith(f"# the effective configuration of {good}")


def test_advice_follows_as_comments(good, capsys):
    """Advice does not spoil the output as a configuration file."""
    good.write_text(MINIMAL + "[power]\narmed = false\n")
    assert main(["check", str(good), "--lang", "en"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-2].startswith("# notice: power.armed is false")
    assert out.splitlines()[-1].startswith("# notice: uplink 4g: without a [[modem]]")
    assert tomllib.loads(out)["power"]["armed"] is False


def test_a_bad_file_gives_a_line_for_each_problem_and_exits_78(bad, capsys):
    """Standard error has the problems, standard output nothing."""
    assert main(["check", str(bad), "--lang", "en"]) == 78
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(" ")[:2] for line in err.splitlines()] == [
        [f"{bad}:9:", "uplink[0].kindd"],
        [f"{bad}:20:", "box[0].relay"],
    ]


def test_french_is_spoken_when_asked(bad, capsys):
    """``--lang fr`` changes the messages, not the paths."""
    assert main(["check", str(bad), "--lang", "fr"]) == 78
    assert "vouliez-vous dire kind ?" in capsys.readouterr().err


def test_json_of_a_bad_file_lists_its_problems(bad, capsys):
    """Scripts get each problem in parts, on standard output, with the same exit code."""
    assert main(["check", str(bad), "--json", "--lang", "en"]) == 78
    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert err == ""
    assert (answer["ok"], answer["file"]) == (False, str(bad))
    assert answer["problems"][0] == {
        "line": 9,
        "where": "uplink[0].kindd",
        "name": 'uplink "ftth"',
        "value": '"ftth"',
        "message": "unknown key, did you mean kind? Allowed here: name, label, kind, operator, interface, "
        "gateway, source, targets, interval_s, timeout_s, data_mb, facts",
    }


def test_json_of_a_good_file_holds_every_value(good, capsys):
    """Scripts get the plain values, derived ones included."""
    assert main(["check", str(good), "--json", "--lang", "en"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is True
    assert answer["config"]["uplink"][1]["interval_s"] == 10.0
    assert answer["config"]["box"][0]["confirm_s"] == 120.0
    assert answer["config"]["mqtt"] is None
    assert answer["asked"] == []
    assert [notice.partition(":")[0] for notice in answer["notices"]] == ["uplink 4g"]


def test_a_missing_file_is_a_bad_configuration(tmp_path, capsys):
    """The exit code tells systemd not to try again."""
    assert main(["check", str(tmp_path / "none.toml"), "--lang", "en"]) == 78
    assert capsys.readouterr().err == f"{tmp_path}/none.toml: there is no such file\n"


def test_the_command_can_be_added_to_any_parser(good, capsys):
    """``add_parser`` brings options and the function that runs them."""
    parser = argparse.ArgumentParser()
    check.add_parser(parser.add_subparsers())
    args = parser.parse_args(["check", str(good), "--json"])
    assert args.run(args) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True


@pytest.mark.parametrize("name", ["good", "bad"])
def test_checking_loads_no_driver_and_no_drawing(name, request):
    """A configuration is checked on any machine, and in a moment."""
    path = request.getfixturevalue(name)
    script = (
        "import sys\nfrom agent.cli.main import main\nmain(['check', sys.argv[1]])\n"
        "heavy = {'gpiozero', 'lgpio', 'luma', 'PIL', 'rich', 'paho', 'icmplib', 'asyncio', 'hardware'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == "[]"


# --- what is asked ---------------------------------------------------------------------------------------


def test_each_device_that_is_asked_has_a_line(capsys):
    """Where, what for, and whether it may be rebooted; nothing for the others, and nothing secret."""
    example = str(resources.files("agent.config").joinpath("example.toml"))
    assert main(["check", example, "--lang", "en"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if " is asked at " in line]
    assert lines == [
        (
            '# modem "cle-4g" is asked at http://192.168.8.1/ for signal, operator, SIM card, session, '
            "data of the month; may be told to reboot"
        ),
        (
            '# box "livebox" is asked at http://192.168.1.1/ for link, internet, address, fibre, light; '
            "is never told to reboot"
        ),
        (
            '# box "starlink-psu" is asked at http://192.168.100.1:9201/ for sky, account, update, '
            "obstruction, round trip, loss; may be told to reboot"
        ),
    ]
    assert main(["check", example, "--json", "--lang", "en"]) == 0
    asked = [f"# {line}" for line in json.loads(capsys.readouterr().out)["asked"]]
    assert asked[: len(lines)] == lines
    assert asked[len(lines)] == (
        '# service "telephone": OPTIONS of sip.example.net:5060 udp, every 60 s, '
        "where data is limited every 21600 s"
    )


# --- relays that nobody has seen at work ------------------------------------------------------------------


def checked(good, state, capsys):
    assert main(["check", str(good), "--lang", "en", "--state-dir", str(state)]) == 0
    text = capsys.readouterr().out
    assert main(["check", str(good), "--json", "--state-dir", str(state)]) == 0
    return text, json.loads(capsys.readouterr().out)["unproven"]


def test_relays_that_were_never_tried_are_named(good, tmp_path, capsys):
    """With the command that tries them; the exit code stays 0, as the file is right."""
    (tmp_path / "state").mkdir()
    text, unproven = checked(good, tmp_path / "state", capsys)
    assert text.splitlines()[-1] == (
        "# notice: relays never seen at work, not used automatically until then: box-ftth (gpio17); "
        "try them out with: vigie commission"
    )
    assert unproven == ["box-ftth"]


def test_a_relay_that_was_tried_is_not_named(good, tmp_path, capsys):
    """The agent's own note says so."""
    notes = Notes(tmp_path, wiring(parse(MINIMAL)))
    notes.save_proof("box-ftth", Stamp(1.0, 1.8e9, True, "boot"))
    text, unproven = checked(good, tmp_path, capsys)
    assert "never seen" not in text
    assert unproven == []
    good.write_text(MINIMAL.replace("gpio17", "gpio18"))
    text, unproven = checked(good, tmp_path, capsys)
    assert "box-ftth (gpio18)" in text
    assert unproven == ["box-ftth"]


def test_damaged_proofs_are_told(good, tmp_path, capsys):
    """Every relay counts as never tried."""
    (tmp_path / "proofs.json").write_text("{}")
    text, unproven = checked(good, tmp_path, capsys)
    assert "every relay counts as never tried" in text
    assert unproven == ["box-ftth"]


def test_proofs_that_cannot_be_read_are_told(good, tmp_path, capsys):
    """It is then not known which relays are proven."""
    (tmp_path / "proofs.json").mkdir()
    text, unproven = checked(good, tmp_path, capsys)
    assert "cannot be told" in text
    assert unproven is None


def test_nothing_is_said_where_no_agent_lives(good, tmp_path, capsys):
    """A file may be checked on any machine."""
    text, unproven = checked(good, tmp_path / "nowhere", capsys)
    assert "relays" not in text
    assert unproven is None


def test_nothing_is_said_where_no_proof_is_asked_for(good, tmp_path, capsys):
    """But the list stays in the JSON."""
    good.write_text(MINIMAL + "[power]\nrequire_proof = false\n")
    text, unproven = checked(good, tmp_path, capsys)
    assert "never seen" not in text
    assert unproven == ["box-ftth"]
