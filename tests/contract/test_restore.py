"""Relays by name, and the program that gives every box its power back without the daemon."""

from __future__ import annotations

import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from hardware.gpio import check_lgpio, default_factory
from hardware.ports import HardwareError, HardwareMissingError
from hardware.relays import GpioRelay, VirtualRelay, open_relay, parse_relay
from hardware.restore import main


@pytest.fixture
def mock_pins(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockFactory]:
    """The process's own pins, as on a Pi."""
    factory = MockFactory()
    monkeypatch.setattr(Device, "pin_factory", factory)
    yield factory
    factory.reset()


def left_high(factory: Any, pin: int) -> Any:
    """A pin whose process died in the middle of a cut."""
    line = factory.pin(pin)
    line.function = "output"
    line.state = True
    return line


@pytest.mark.parametrize(
    ("spec", "relay"),
    [
        ("gpio17", GpioRelay(17)),
        ("gpio9", GpioRelay(9)),
        ("gpio27", GpioRelay(27)),
        ("virtual:/run/bay/relay.sock#ftth", VirtualRelay(Path("/run/bay/relay.sock"), "ftth")),
        ("virtual:/a b/é.sock#box-1_x", VirtualRelay(Path("/a b/é.sock"), "box-1_x")),
    ],
)
def test_a_relay_is_named_by_its_driver_and_place(spec: str, relay: GpioRelay | VirtualRelay) -> None:
    """Both kinds of name are read."""
    assert parse_relay(spec) == relay


@pytest.mark.parametrize(
    "spec",
    [
        *(
            "",
            "17",
            "gpio",
            "gpio8",
            "gpio28",
            "gpio0017",
            "GPIO17",
            "gpio17 ",
            "gpio-1",
            "gpio17\n",
            "relay1",
        ),
        *("virtual:relay.sock#a", "virtual:/a", "virtual:/a#", "virtual:/a#b c", "virtual:/a#b#c"),
    ],
)
def test_a_wrong_name_is_refused_with_what_is_allowed(spec: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="allowed"):
        parse_relay(spec)


def test_reading_a_name_loads_no_driver() -> None:
    """A machine without pins can check a configuration, and the daemon loads only what it uses."""
    program = "import sys, hardware.relays as r; r.parse_relay('gpio17'); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    )
    assert not {"gpiozero", "hardware.gpio", "hardware.virtual.coil"} & set(done.stdout.split())


def test_opening_restores(mock_pins: MockFactory) -> None:
    """The box has power as soon as its relay is open."""
    line = left_high(mock_pins, 17)
    relay = open_relay("gpio17")
    assert not line.state
    relay.close()


def test_every_relay_of_the_list_is_restored(
    mock_pins: MockFactory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Blank lines and comments do not matter; all well is exit code 0 and silence."""
    lines = [left_high(mock_pins, 17), left_high(mock_pins, 22)]
    path = tmp_path / "relays"
    path.write_text("# boxes\ngpio17\n\n  gpio22\n")
    assert main([str(path)]) == 0
    assert not any(line.state for line in lines)
    assert capsys.readouterr().err == ""


def test_each_relay_is_restored_whatever_becomes_of_the_others(
    mock_pins: MockFactory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nonsense, a bad or busy pin and a lost bay are told one by one; the last box still gets its power."""
    line = left_high(mock_pins, 22)
    busy = open_relay("gpio17")
    path = tmp_path / "relays"
    path.write_bytes(b"\xff\xfe nonsense\ngpio3\ngpio17\nvirtual:/none.sock#ftth\ngpio22\n")
    assert main([str(path)]) == 1
    assert not line.state
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 4
    wanted = ("nonsense", "gpio3", "gpio17", "/none.sock")
    assert all(spec in text for spec, text in zip(wanted, told, strict=True))
    busy.close()


def test_every_pin_of_the_second_list_goes_dark(
    mock_pins: MockFactory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """LEDs and buzzer of a dead agent; nonsense between them is told, and the boxes come first."""
    relay, green, red = left_high(mock_pins, 17), left_high(mock_pins, 5), left_high(mock_pins, 6)
    relays, pins = tmp_path / "relays", tmp_path / "pins"
    relays.write_text("gpio17\n")
    pins.write_text("5\nsix\n6\n")
    assert main([str(relays), str(pins)]) == 1
    assert not any(line.state for line in (relay, green, red))
    assert capsys.readouterr().err.splitlines()[0].startswith("not dark: six")
    pins.write_text("5\n6\n")
    assert main([str(relays), str(pins)]) == 0


def test_no_list_means_nothing_to_restore(tmp_path: Path) -> None:
    """Before the first start of the daemon there is no list, and all is well."""
    assert main([str(tmp_path / "none")]) == 0


def test_an_unreadable_list_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A list that cannot be read is not the same as no list."""
    assert main([str(tmp_path)]) == 1
    assert "cannot read" in capsys.readouterr().err


def test_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a file the usage is shown."""
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err


def test_it_runs_as_a_program_without_the_agent(tmp_path: Path) -> None:
    """The program needs neither the daemon's code nor its configuration."""
    path = tmp_path / "relays"
    path.write_text("gpio17\n")
    program = (
        "import runpy, sys; sys.argv[1:] = sys.argv[1:]\n"
        "try: runpy.run_module('hardware.restore', run_name='__main__')\n"
        "except SystemExit as end: print(end.code, any(m.split('.')[0] == 'agent' for m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        env={"GPIOZERO_PIN_FACTORY": "mock", "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.stdout.split() == ["0", "False"], done.stderr


def test_the_environment_can_choose_other_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    """GPIOZERO_PIN_FACTORY wins, and one set of pins serves the whole process."""
    monkeypatch.setattr(Device, "pin_factory", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    factory = default_factory()
    assert isinstance(factory, MockFactory)
    assert default_factory() is factory


def test_a_wrong_choice_of_pins_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt name does not fall back to something else."""
    monkeypatch.setattr(Device, "pin_factory", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "lgpioo")
    with pytest.raises(HardwareError, match="lgpioo"):
        default_factory()


def test_a_machine_without_pins_says_so(tmp_path: Path) -> None:
    """A laptop is told what to do."""
    with pytest.raises(HardwareMissingError, match="GPIOZERO_PIN_FACTORY=mock"):
        check_lgpio(tmp_path)


def test_a_missing_or_empty_lgpio_names_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One published version of lgpio is an empty file; it is noticed at the start, not in a cut."""
    (tmp_path / "gpiochip0").touch()
    monkeypatch.setitem(sys.modules, "lgpio", None)  # type: ignore[arg-type]
    with pytest.raises(HardwareMissingError, match="apt install python3-lgpio"):
        check_lgpio(tmp_path)
    empty = types.ModuleType("lgpio")
    empty.__file__ = "/somewhere/lgpio.py"
    monkeypatch.setitem(sys.modules, "lgpio", empty)
    with pytest.raises(HardwareMissingError, match="is empty: sudo apt install"):
        check_lgpio(tmp_path)
    empty.gpiochip_open = print  # type: ignore[attr-defined]
    check_lgpio(tmp_path)


def test_lgpio_needs_a_directory_for_its_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory that lgpio will use is checked, because it reports its absence in riddles."""
    (tmp_path / "gpiochip0").touch()
    monkeypatch.setenv("LG_WD", str(tmp_path / "none"))
    with pytest.raises(HardwareMissingError, match="LG_WD"):
        check_lgpio(tmp_path)
