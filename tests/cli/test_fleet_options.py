"""The options of `vigie fleet`: what they mean, and what is refused in which words and with which code."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from agent.cli.fleet_options import Options, UsageError, add_arguments, understood
from agent.cli.main import main


def options(*given: str) -> Options:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return understood(parser.parse_args(["--broker", "mqtts://it@broker.example", *given]))


def test_a_broker_is_a_url(tmp_path: Path) -> None:
    """With a user's name at most; the password comes from a file and is never shown."""
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    found = options("--password-file", str(secret))
    assert (found.broker.host, found.broker.port, found.broker.tls) == ("broker.example", 8883, True)
    assert (found.broker.username, found.broker.password) == ("it", "hunter2")
    assert "hunter2" not in repr(found)
    assert not found.broker.keeps
    plain = options("--broker", "mqtt://[::1]")
    assert (plain.broker.host, plain.broker.port, plain.broker.tls, plain.address) == (
        "::1",
        1883,
        False,
        "::1:1883",
    )


def test_two_views_at_once_do_not_throw_each_other_out() -> None:
    """Each has a client id of its own."""
    assert options().broker.client_id != options().broker.client_id
    assert options("--client-id", "wall").broker.client_id == "wall"


def test_expected_sites_come_from_a_file_or_a_list(tmp_path: Path) -> None:
    """One a line, with remarks."""
    file = tmp_path / "sites.txt"
    file.write_text("# our sites\ndijon\n\nnord/vigie/dole # new\n")
    assert options("--expect", str(file), "--expect", "beaune,dijon").expected == (
        "dijon",
        "nord/vigie/dole",
        "beaune",
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--broker", "http://x"), "--broker: 'http://x'; allowed: mqtts://"),
        (("--broker", "mqtt://host/topic"), "--broker: "),
        (("--broker", "mqtt://host:99999"), "--broker: "),
        (("--broker", "mqtt://u:hunter2@host"), "use --password-file"),
        (("--broker", "mqtt://host", "--ca-file", "x"), "--ca-file: only with mqtts://"),
        (("--broker", "mqtts://host", "--password-file", "x"), "--password-file: only with a user"),
        (("--password-file", "/nowhere"), "--password-file: /nowhere: No such file"),
        (("--root", "a/#"), "--root: 'a/#'; allowed: "),
        (("--root", "a//b"), "--root: "),
        (("--root", "a+"), "--root: "),
        (("--expect", "sites.txt"), "--expect: 'sites.txt' is no site's name, and no such file is there"),
        (("--silent-after", "3"), "--silent-after: '3'; allowed: 3min"),
        (("--wait", "nan"), "--wait: allowed: seconds above 0"),
        (("--wait", "0"), "--wait: "),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(given: tuple[str, ...], told: str) -> None:
    """And never quotes a password."""
    with pytest.raises(UsageError) as caught:
        options(*given)
    assert told in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (["fleet", "--once", "--broker", "x"], 3),
        (["fleet", "--broker", "x"], 2),
        (["fleet", "--once"], 3),
        (["fleet", "--on", "--bogus"], 3),
        (["fleet"], 2),
        (["status", "--once"], 2),
        (["fleet", "--help"], 0),
    ],
)
def test_bad_usage_is_unknown_to_a_check(
    given: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """2 would be CRITICAL there; elsewhere it is what every command says."""
    try:
        ended: object = main(given)
    except SystemExit as exit_:
        ended = exit_.code
    assert ended == code
    assert capsys.readouterr().out.startswith("VIGIE UNKNOWN - ") == (code == 3)
