"""What ships beside the code: the service, the kernel settings, the scripts."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from agent.cli.run import EX_CONFIG
from agent.config.secrets import FOLDER_CREDENTIAL, MQTT_CREDENTIAL
from agent.runtime.engine import FRESH_PROBE_S

ROOT = Path(__file__).parent.parent
SCRIPTS = [
    *(path for path in (ROOT / "scripts").iterdir() if path.is_file() and path.suffix == ""),
    ROOT / ".ci/run",
]


@pytest.fixture(scope="module")
def service() -> configparser.SectionProxy:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(ROOT / "systemd/vigie.service")
    return unit["Service"]


def test_a_bad_configuration_is_not_tried_again(service: configparser.SectionProxy) -> None:
    """Everything else is: the watch must not stay dead."""
    assert service["Restart"] == "always"
    assert service["RestartPreventExitStatus"] == str(EX_CONFIG)


def test_the_relays_are_restored_without_the_daemon(service: configparser.SectionProxy) -> None:
    """The list that the daemon writes is the one that is restored, whatever ended it."""
    command = service["ExecStopPost"].lstrip("-").split()
    assert command[1:3] == ["-m", "hardware.restore"]
    assert command[3:] == [f"/run/{service['RuntimeDirectory']}/{name}" for name in ("relays", "pins")]
    assert all(f'"{name}"' in (ROOT / "agent/drivers.py").read_text() for name in ("relays", "pins"))


def test_the_watchdog_waits_longer_than_probes_may_be_missing(service: configparser.SectionProxy) -> None:
    """Otherwise a slow but sound agent would be killed."""
    assert service["Type"] == "notify"
    assert float(service["WatchdogSec"]) > FRESH_PROBE_S


def test_the_service_needs_no_capability(service: configparser.SectionProxy) -> None:
    """It runs as its own user with an empty set; ping is opened by a kernel setting instead."""
    assert service["User"] == "vigie"
    assert service["CapabilityBoundingSet"] == service["AmbientCapabilities"] == ""
    assert "net.ipv4.ping_group_range" in (ROOT / "systemd/vigie.sysctl").read_text()


def test_any_credential_can_be_handed_over() -> None:
    """The service loads the mqtt one by name, and a whole folder, which it makes before it looks there."""
    lines = (ROOT / "systemd/vigie.service").read_text().splitlines()
    loaded = dict(line.split("=", 1)[1].split(":") for line in lines if line.startswith("LoadCredential="))
    assert loaded == {
        MQTT_CREDENTIAL: f"/etc/vigie/{MQTT_CREDENTIAL}",
        FOLDER_CREDENTIAL: "/etc/vigie/credentials",
    }
    assert "ConfigurationDirectory=vigie/credentials" in lines


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_systemd_finds_the_service_sound() -> None:
    """Nothing but the program that is not installed here is complained about."""
    done = subprocess.run(
        ["systemd-analyze", "verify", str(ROOT / "systemd/vigie.service")],
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [
        line for line in done.stderr.splitlines() if "vigie" in line and "is not executable" not in line
    ]
    assert complaints == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_the_service_is_exposed_little() -> None:
    """2.0 of 10 at most, as systemd counts; what it needs of GPIO, I2C and ping is in that."""
    done = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--offline=true",
            "--threshold=20",
            str(ROOT / "systemd/vigie.service"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-400:]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_sound(script: Path) -> None:
    """Each can be run, and its shell or Python can read it."""
    assert os.access(script, os.X_OK) or script.name == "environment"
    first = script.read_text().splitlines()[0]
    if first.endswith("python3"):
        compile(script.read_text(), str(script), "exec")
    else:
        assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0


def test_the_wiring_is_that_of_the_example() -> None:
    """Pin table and drawing follow the example configuration."""
    script = ROOT / "scripts/wiring"
    table = subprocess.run([script, "--table"], capture_output=True, text=True, check=True).stdout
    assert table.strip() in (ROOT / "docs/wiring.md").read_text()
    drawn = {line.split("|")[2].strip() for line in table.splitlines()[2:]}
    drawing = (ROOT / "docs/wiring.svg").read_text()
    assert all(f"GPIO {gpio}, " in drawing for gpio in drawn)
