"""The conversation with a serial modem: cut off at every byte, unplugged, held by others, flooded, fuzzed."""

from __future__ import annotations

import fcntl
import os
import select
import tempfile
import termios
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware.at import ALLOWED, AtModem, _checked
from hardware.at_port import DRAIN_S, LONGEST_ANSWER, AtPort, PortGoneError, present_ports
from hardware.ports import HardwareError, HardwareMissingError, Registration, Signal, Sim
from hardware.virtual.at_modem import Fault, VirtualAtModem
from hardware.virtual.at_scripts import HUAWEI, QUECTEL, SCRIPTS, SIERRA

PATIENT_S = 5.0
HURRIED_S = 0.05
"""Only devices that will never answer are waited for so briefly."""


class Bench:
    """A modem, its driver, and how long the driver waits."""

    def __init__(self, folder: Path, kind: str = "quectel") -> None:
        self.device = VirtualAtModem(folder / "modem", SCRIPTS[kind])
        self.device.start()
        self.driver = AtModem(str(folder / "modem"), quiet_s=0.01)

    def hurry(self, answer_s: float) -> None:
        self.driver._answer_s = answer_s
        if self.driver._port is not None:
            self.driver._port._answer_s = answer_s

    def fails(self, fault: Fault, *, waits: bool) -> HardwareError:
        """Read while the device fails; ``waits`` if it stays silent, which is not waited for here."""
        self.device.fault = fault
        if waits:
            self.hurry(HURRIED_S)
        with pytest.raises(HardwareError) as caught:
            self.driver.read()
        self.device.fault = Fault()
        self.hurry(PATIENT_S)
        return caught.value

    def close(self) -> None:
        self.driver.close()
        self.device.stop()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    built = Bench(tmp_path)
    yield built
    built.close()


def answer_to(device: VirtualAtModem, command: str) -> bytes:
    return device._answer(command).encode()


@pytest.mark.parametrize(
    "command", ["AT", "AT+CGMM", "AT+CPIN?", "AT+COPS?", 'AT+QENG="servingcell"', "AT+CGPADDR"]
)
def test_an_answer_that_stops_at_any_byte_is_an_error(bench: Bench, command: str) -> None:
    """Whatever came before, the reading ends, and the next one is whole."""
    whole = answer_to(bench.device, command)
    needed = whole.rindex(b"\r") + 1  # the line feed of the last line is not waited for
    for size in range(needed):
        if command in ("AT", "AT+CGMM"):
            bench.driver._drop()
        bench.fails(Fault(cut_after=size, only=command), waits=True)
        assert bench.driver.read().cell.rsrp_dbm == -97


def test_silence_is_told_from_half_an_answer(bench: Bench) -> None:
    """Its own echo is no answer of a modem; both messages say what to look at."""
    bench.hurry(1.0)
    bench.device.fault = Fault(cut_after=0, only="AT")
    with pytest.raises(HardwareError, match=r"does not answer.*ModemManager"):
        bench.driver.read()
    bench.device.fault = Fault(cut_after=9, only="AT+CSQ")
    with pytest.raises(HardwareError, match="in the middle of an answer"):
        bench.driver.read()


@pytest.mark.parametrize("command", ['AT+QENG="servingcell"', "AT+CGACT?"])
def test_a_device_that_vanishes_at_any_byte_is_found_again(bench: Bench, command: str) -> None:
    """As when its power is cut in the middle of an answer."""
    for size in range(len(answer_to(bench.device, command))):
        bench.fails(Fault(cut_after=size, leaves=True, only=command), waits=False)
        bench.device.stop()
        bench.device.start()
        assert bench.driver.read().cell.rsrp_dbm == -97


def test_an_answer_in_single_bytes_is_put_together(tmp_path: Path) -> None:
    """A slow line splits answers anywhere."""
    master, slave = os.openpty()
    tty.setraw(slave)
    port = AtPort(os.ttyname(slave))
    port._port.reset_input_buffer = lambda: None  # the answer is there before it is asked for
    for byte in b"\r\n+CSQ: 20,99\r\n\r\nOK\r\n":
        os.write(master, bytes([byte]))
    answer = port.ask("AT+CSQ")
    assert (answer.lines, answer.final) == (("+CSQ: 20,99",), "OK")
    port.close()
    os.close(master)
    os.close(slave)


def test_what_is_left_of_an_old_answer_is_not_taken_for_a_new_one(bench: Bench) -> None:
    """A late end of one answer shifts none of the next ones."""
    bench.driver.read()
    bench.fails(Fault(cut_after=30, only='AT+QENG="servingcell"'), waits=True)
    os.write(
        bench.device._master, b"214,6300,20,3,3,4FBB,-50,-3,-40,30,12,-\r\n\r\nOK\r\n+CSQ: 1,99\r\nOK\r\n"
    )
    assert bench.driver.read().cell.rsrp_dbm == -97


def test_an_open_prompt_is_left(bench: Bench) -> None:
    """A modem that somebody left in the middle of a message hears the next question nevertheless."""
    bench.device._octets = 20
    bench.hurry(1.5)
    assert bench.driver.read().sim is Sim.READY
    assert bench.device.texts == []


def test_a_port_that_talks_without_end_is_named() -> None:
    """Such as the one for positions: the message says to try another one."""
    master, slave = os.openpty()
    tty.setraw(slave)
    ended = threading.Event()

    def babble() -> None:
        while not ended.is_set():
            if select.select([], [master], [], 0.01)[1]:
                os.write(master, b"$GPGGA,,,,,,0,,,,,,,,*66\r\n" * 8)

    talker = threading.Thread(target=babble)
    talker.start()
    try:
        with pytest.raises(HardwareError, match="talks without being asked"):
            AtModem(os.ttyname(slave)).read()
    finally:
        ended.set()
        talker.join()
        os.close(master)
        os.close(slave)


def test_a_port_that_never_becomes_quiet_is_named() -> None:
    """Also one that says a single byte now and then, but always before it is quiet."""
    master, slave = os.openpty()
    tty.setraw(slave)
    now = [0.0]

    def clock() -> float:
        # Each look at the clock is a twentieth of a second later, and by then there is one byte more.
        os.write(master, b".")
        now[0] += 0.05
        return now[0]

    with pytest.raises(HardwareError, match="talks without being asked"):
        AtModem(os.ttyname(slave), clock=clock).read()
    assert now[0] < 2 * DRAIN_S
    os.close(master)
    os.close(slave)


def test_what_came_unasked_before_a_question_is_not_its_answer(bench: Bench) -> None:
    """The end of another program's conversation, between two questions of this one."""
    bench.driver.read()
    port = bench.driver._port
    assert port is not None
    os.write(bench.device._master, b"\r\n+CSQ: 1,99\r\n\r\nOK\r\n")
    assert port.ask("AT+CSQ").lines == ("+CSQ: 23,99",)


def test_an_answer_has_a_longest_size(bench: Bench) -> None:
    """One byte more than the longest is too much, however slowly it comes."""
    bench.driver.read()
    error = bench.fails(Fault(garbage=b"x" * (LONGEST_ANSWER + 1)), waits=False)
    assert "without end" in str(error)


def test_a_missing_device_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    """The message helps to find the right name."""
    with pytest.raises(HardwareMissingError, match="serial ports here"):
        AtPort(str(tmp_path / "nothing"))
    (tmp_path / "usb-A-if02-port0").touch()
    (tmp_path / "usb-B-if00-port0").touch()
    assert present_ports(tmp_path) == f"{tmp_path}/usb-A-if02-port0, {tmp_path}/usb-B-if00-port0"
    assert present_ports(tmp_path / "none") == "none"


def test_a_file_is_no_modem(tmp_path: Path) -> None:
    """A name that leads to something else is an error too."""
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(HardwareError):
        AtModem(str(path)).read()


def test_a_port_that_another_program_holds_is_named(tmp_path: Path) -> None:
    """The message names the likely one and where to read on."""
    with VirtualAtModem(tmp_path / "modem", QUECTEL) as device:
        holder = os.open(device.path, os.O_RDWR | os.O_NOCTTY)
        fcntl.flock(holder, fcntl.LOCK_EX)
        driver = AtModem(str(device.path), quiet_s=0.01)
        with pytest.raises(HardwareError, match=r"ModemManager.*docs/modems\.md"):
            driver.read()
        os.close(holder)
        assert driver.read().sim is Sim.READY
        driver.close()


def test_an_open_port_is_held(bench: Bench) -> None:
    """Another driver cannot take half of the answers; after closing it can have the port."""
    bench.driver.read()
    other = AtModem(str(bench.device.path), quiet_s=0.01)
    with pytest.raises(HardwareError, match="another program"):
        other.read()
    bench.driver.close()
    assert other.read().sim is Sim.READY
    other.close()


@pytest.mark.skipif(not hasattr(termios, "TIOCEXCL"), reason="not a Linux terminal")
def test_the_exclusive_mark_is_taken_back(bench: Bench) -> None:
    """Also a user who is not root can open the port again."""
    bench.driver.read()
    bench.driver.close()
    again = os.open(bench.device.path, os.O_RDWR | os.O_NOCTTY)
    get_exclusive = 0x80045440  # TIOCGEXCL, <asm-generic/ioctls.h>
    assert int.from_bytes(fcntl.ioctl(again, get_exclusive, bytes(4)), "little") == 0
    os.close(again)


def test_echo_and_reports_change_nothing(tmp_path: Path) -> None:
    """The same reading from a modem that echoes and reports as from one that does not."""
    readings: list[Signal] = []
    for echo, reports in ((True, False), (False, False), (True, True), (False, True)):
        with (
            VirtualAtModem(tmp_path / "modem", HUAWEI, echo=echo, reports=reports) as device,
            AtModem(str(device.path), quiet_s=0.01) as driver,
        ):
            readings.append(driver.read())
    assert readings == [readings[0]] * 4


def test_a_modem_that_is_slow_as_a_whole_is_an_error(tmp_path: Path) -> None:
    """The whole reading has a limit besides that of each answer."""
    now = [0.0]

    def clock() -> float:
        now[0] += 0.4
        return now[0]

    with VirtualAtModem(tmp_path / "modem", SIERRA) as device:
        driver = AtModem(str(device.path), quiet_s=0.01, answer_s=1000.0, read_s=5.0, clock=clock)
        with pytest.raises(HardwareError, match="more than 5 s"):
            driver.read()
        driver.close()


def test_a_reboot_that_is_faster_than_its_own_answer_is_accepted(bench: Bench) -> None:
    """The device is gone before the OK."""
    bench.driver.read()
    bench.device.fault = Fault(leaves=True, only="AT+CFUN=1,1")
    bench.driver.reboot()
    assert bench.device.reboots == 1


def test_a_modem_that_is_gone_before_the_order_was_not_rebooted(bench: Bench) -> None:
    """Though its port was open until now."""
    bench.driver.read()
    bench.device.stop()
    with pytest.raises(HardwareError, match="gone"):
        bench.driver.reboot()
    assert bench.device.reboots == 0


def test_a_silent_reboot_is_an_error(bench: Bench) -> None:
    """Still there and no answer: it was not accepted, as far as anybody can tell."""
    bench.driver.read()
    bench.device._obey = lambda line, echo: True  # type: ignore[method-assign]
    bench.hurry(HURRIED_S)
    with pytest.raises(HardwareError, match="does not answer"):
        bench.driver.reboot()


def test_a_message_without_a_prompt_is_taken_back(bench: Bench) -> None:
    """Nothing is left half-typed in the modem."""
    bench.driver.read()
    bench.device.fault = Fault(garbage=b"", only="AT+CMGS=13")
    bench.hurry(0.1)
    with pytest.raises(HardwareError):
        bench.driver.send_text("0612345678", "x")
    bench.device.fault = Fault()
    bench.hurry(PATIENT_S)
    assert bench.driver.read().sim is Sim.READY
    assert bench.device.texts == []


def test_a_message_that_is_not_confirmed_is_an_error(bench: Bench) -> None:
    """It may have been sent: the caller must not take it for sent, nor for lost."""
    bench.driver.read()
    bench.device.fault = Fault(garbage=b"\r\n> ", only="AT+CMGS")
    bench.driver._send_s = HURRIED_S
    with pytest.raises(HardwareError):
        bench.driver.send_text("0612345678", "x")
    ends_at = time.monotonic() + PATIENT_S
    while not bench.device.texts and time.monotonic() < ends_at:
        time.sleep(0.005)
    assert len(bench.device.texts) == 1


def test_only_listed_commands_can_be_sent() -> None:
    """A PIN, a scan, a factory reset and a power off cannot even be asked for."""
    for command in ("AT+CPIN=1234", "AT+COPS=?", "AT&F", "AT+CFUN=0", "AT+QPOWD", "AT!RMARESET=1", "AT+CLCK"):
        with pytest.raises(ValueError, match="not one of the commands"):
            _checked(command)
    assert not any("=?" in command or "PIN=" in command for command in ALLOWED)


def test_losing_the_device_has_an_error_of_its_own(bench: Bench) -> None:
    """It is told from a device that is there and silent."""
    bench.driver.read()
    port = bench.driver._port
    assert port is not None
    bench.device.stop()
    with pytest.raises(PortGoneError, match="gone"):
        port.ask("AT")


def test_searching_is_followed_until_the_cell_is_there(bench: Bench) -> None:
    """No service for four readings, then a cell."""
    bench.device.state = replace(bench.device.state, registration=Registration.SEARCHING)
    for _ in range(4):
        assert bench.driver.read().registration is Registration.SEARCHING
    bench.device.state = replace(bench.device.state, registration=Registration.HOME)
    assert bench.driver.read().cell.band == "B20"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=300), final=st.sampled_from([b"", b"\r\nOK\r\n", b"\r\nERROR\r\n"]))
def test_any_bytes_are_a_reading_or_an_error(noise: bytes, final: bytes) -> None:
    """Never another exception, and the next reading is whole."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        bench.driver.read()
        bench.device.fault = Fault(garbage=noise + final)
        bench.hurry(HURRIED_S)
        with suppress(HardwareError):
            assert isinstance(bench.driver.read(), Signal)
        bench.device.fault = Fault()
        bench.hurry(PATIENT_S)
        assert bench.driver.read().cell.rsrp_dbm == -97
        bench.close()
