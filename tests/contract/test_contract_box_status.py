"""What every dish and box driver does, each on its virtual device: the states, the faults, the logins."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from hardware.bbox import Bbox
from hardware.box_port import (
    BoxReport,
    BoxStatus,
    LineCause,
    NotOfferedError,
    Source,
    cut_can_help,
)
from hardware.freebox import Freebox
from hardware.livebox import Livebox
from hardware.login import REFUSED_S
from hardware.ports import HardwareError, LoginRefusedError
from hardware.sfr import SfrBox
from hardware.starlink import Starlink
from hardware.virtual import bbox, dish, freebox, livebox, sfr
from hardware.virtual.box_server import Fault, FaultKind, Framing, LineState

PATIENCE_S = 20.0
WRONG = "Wr0ng-secret/of+somebody"
SHORT_S = 0.1
"""For exchanges that can only end by their timeout; all others get seconds, so that load decides nothing."""


@dataclass
class Clock:
    """A monotonic clock that moves when told."""

    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Rig:
    """One driver on its virtual device.

    Attributes:
        device: what is asked.
        make: the driver, with a timeout and a secret; None is the right one.
        clock: of the login's rest.
        model, firmware: what the device calls itself.
        secret: its password or token, if the driver has one.
        dark: the cause reported without light.
        wanless: the cause reported with light and without internet.
    """

    device: Any
    make: Callable[[float, str | None], BoxStatus]
    clock: Clock
    model: str
    firmware: str
    secret: str | None = None
    dark: LineCause = LineCause.NO_LIGHT
    wanless: LineCause = LineCause.UNKNOWN
    made: list[BoxStatus] = field(default_factory=list)

    def driver(self, secret: str | None = None) -> Any:
        self.made.append(self.make(PATIENCE_S, secret))
        return self.made[-1]

    @contextmanager
    def fault(self, fault: Fault, driver: Any) -> Iterator[None]:
        """Have the device misbehave, and where it never answers have the driver give up soon."""
        endpoint = driver._endpoint
        self.device.server.fault = fault
        if fault.kind in (FaultKind.HANG, FaultKind.DRIP):
            driver._endpoint = replace(endpoint, timeout_s=SHORT_S)
        yield
        driver._endpoint = endpoint
        self.device.server.fault = Fault()

    def close(self) -> None:
        self.device.server.fault = Fault()
        for driver in self.made:
            driver.close()
        self.device.stop()


def starlink_rig() -> Rig:
    device = dish.VirtualDish()
    return Rig(
        device, lambda s, _: Starlink(device.endpoint(s)), Clock(), "rev4_prod1", "2026.virtual",
        dark=LineCause.NO_DOWNLINK, wanless=LineCause.NO_PINGS,
    )  # fmt: skip


def sfr_rig() -> Rig:
    device = sfr.VirtualSfrBox()
    return Rig(
        device, lambda s, _: SfrBox(device.endpoint(s)), Clock(), sfr.MODEL, sfr.FIRMWARE,
        dark=LineCause.UNKNOWN,
    )  # fmt: skip


def freebox_rig() -> Rig:
    device, clock = freebox.VirtualFreebox(), Clock()
    return Rig(
        device, lambda s, p: Freebox(device.endpoint(s), p or freebox.TOKEN, clock), clock, freebox.MODEL,
        freebox.FIRMWARE, freebox.TOKEN,
    )  # fmt: skip


def livebox_rig(*, anonymous: bool = False, open_status: bool = True) -> Rig:
    device, clock = livebox.VirtualLivebox(open_status=open_status), Clock()
    right = None if anonymous else livebox.PASSWORD
    return Rig(
        device, lambda s, p: Livebox(device.endpoint(s), p or right, clock), clock, livebox.MODEL,
        livebox.FIRMWARE, right,
    )  # fmt: skip


def bbox_rig(*, anonymous: bool = False, open_status: bool = True) -> Rig:
    device, clock = bbox.VirtualBbox(open_status=open_status), Clock()
    right = None if anonymous else bbox.PASSWORD
    return Rig(
        device, lambda s, p: Bbox(device.endpoint(s), p or right, clock), clock, bbox.MODEL, bbox.FIRMWARE,
        right, dark=LineCause.UNKNOWN,
    )  # fmt: skip


RIGS: dict[str, Callable[[], Rig]] = {
    "starlink": starlink_rig,
    "sfr": sfr_rig,
    "freebox": freebox_rig,
    "livebox": livebox_rig,
    "livebox-anonymous": lambda: livebox_rig(anonymous=True),
    "livebox-closed": lambda: livebox_rig(open_status=False),
    "bbox": bbox_rig,
    "bbox-anonymous": lambda: bbox_rig(anonymous=True),
    "bbox-closed": lambda: bbox_rig(open_status=False),
}
WITH_SECRET = ["freebox", "livebox", "livebox-closed", "bbox", "bbox-closed"]
TELL_NOTHING_WITHOUT = ["freebox", "livebox-closed", "bbox-closed"]
FAULTS = [kind for kind in FaultKind if kind not in (FaultKind.NONE, FaultKind.CUT)]


@pytest.fixture(params=sorted(RIGS))
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    built = RIGS[request.param]()
    yield built
    built.close()


def rigs(names: list[str]) -> pytest.MarkDecorator:
    """Only on these."""
    return pytest.mark.parametrize("rig", names, indirect=True)


def everything_said(error: BaseException | None) -> str:
    """An error and what it came from, as a log with traceback would show it."""
    said = ""
    while error is not None:
        said += f"{error} {error!r} "
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return said


# --- states -----------------------------------------------------------------------------------------------


def test_a_line_that_works(rig: Rig) -> None:
    """Line and internet are up, nothing is wrong, and the device says what it is and since when."""
    report = rig.driver().read()
    assert (report.line_up, report.wan_up, report.cause) == (True, True, None)
    assert (report.model, report.firmware, report.uptime_s) == (rig.model, rig.firmware, 86_400.0)
    assert report.source is Source.DOCUMENTED
    assert cut_can_help(report), "a device that believes that all is well may be half hung"


def test_a_line_that_is_dark(rig: Rig) -> None:
    """Without light, or for a dish without any signal, line and internet are down and the cause is named."""
    rig.device.be(LineState.NO_LIGHT)
    report = rig.driver().read()
    assert (report.line_up, report.wan_up, report.cause) == (False, False, rig.dark)
    assert report.wan_address is None
    assert cut_can_help(report) is (rig.dark is LineCause.NO_DOWNLINK)


def test_a_line_without_internet(rig: Rig) -> None:
    """With light and without internet the line is up; a box may be half hung, a dish is not."""
    rig.device.be(LineState.NO_WAN)
    report = rig.driver().read()
    assert (report.line_up, report.wan_up, report.cause) == (True, False, rig.wanless)
    assert cut_can_help(report) is (rig.wanless is LineCause.UNKNOWN)


def test_a_device_that_boots(rig: Rig) -> None:
    """A device that has been running for seconds is left alone."""
    rig.device.be(LineState.BOOTING)
    report = rig.driver().read()
    assert (report.wan_up, report.cause, report.uptime_s) == (False, LineCause.BOOTING, 20.0)
    assert not cut_can_help(report)


def test_each_reading_is_fresh(rig: Rig) -> None:
    """One driver follows its device through every state and back."""
    driver = rig.driver()
    seen = []
    for line in [*LineState, LineState.WELL]:
        rig.device.be(line)
        seen.append(driver.read())
    assert seen[0] == seen[-1] != seen[1]
    assert len({report.cause for report in seen}) >= 3


@pytest.mark.parametrize("framing", list(Framing))
def test_every_way_to_show_an_answers_end(rig: Rig, framing: Framing) -> None:
    """Length, chunks or hanging up: the report is the same."""
    expected = rig.driver().read()
    rig.device.server.fault = Fault(framing=framing)
    assert rig.driver().read() == expected


def test_a_device_is_not_asked_much(rig: Rig) -> None:
    """A first reading takes at most six requests, a later one at most three and no login."""
    driver = rig.driver()
    driver.read()
    first = len(rig.device.server.requests)
    driver.read()
    assert first <= 6
    assert len(rig.device.server.requests) - first <= 3
    assert getattr(rig.device, "logins", 0) <= 1


# --- faults -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FAULTS)
def test_a_device_that_misbehaves_is_an_error(rig: Rig, kind: FaultKind) -> None:
    """Silence, a web page, 10 MB, a drip, a redirect: an error that names the address, and then no scar."""
    driver = rig.driver()
    with rig.fault(Fault(kind), driver), pytest.raises(HardwareError, match=r"127\.0\.0\.1:\d+: ") as caught:
        driver.read()
    assert not isinstance(caught.value, LoginRefusedError), "a sick box has refused no password"
    assert driver.read() == rig.driver().read()


@pytest.mark.parametrize("kind", FAULTS)
def test_a_session_outlives_a_fault(rig: Rig, kind: FaultKind) -> None:
    """A driver that had been reading reads again after the fault."""
    driver = rig.driver()
    before = driver.read()
    with rig.fault(Fault(kind), driver), pytest.raises(HardwareError):
        driver.read()
    assert driver.read() == before


@rigs(["starlink", "sfr", "freebox", "livebox", "bbox"])
@pytest.mark.parametrize("framing", list(Framing))
def test_an_answer_cut_after_any_byte(rig: Rig, framing: Framing) -> None:
    """Whichever answer is cut, after whichever byte: an error, or the whole report and nothing between."""
    server = rig.device.server
    server.fault = Fault(framing=framing)
    whole = rig.driver().read()
    sizes = list(server.sizes)
    for number, size in enumerate(sizes):
        for after in range(size):
            server.forget()
            # A dish is asked once more after a fault, and then answers.
            request = None if isinstance(rig.device, dish.VirtualDish) else number
            server.fault = Fault(FaultKind.CUT, after, request=request, framing=framing)
            try:
                report = rig.make(PATIENCE_S, None).read()
            except HardwareError:
                continue
            # Only what shows an answer's end may be missing: a line's end, the last chunk's.
            assert (report, size - after <= 4) == (whole, True), (number, after)


def test_a_device_that_is_gone_is_an_error(rig: Rig) -> None:
    """A connection refused is said in words; closing still works."""
    driver = rig.driver()
    driver.read()
    rig.device.stop()
    with pytest.raises(HardwareError, match="Connection refused"):
        driver.read()
    driver.close()
    driver.close()


def test_closing_ends_the_session_and_may_be_repeated(rig: Rig) -> None:
    """The device has no session left, a hung device does not hold up the end, and reading opens anew."""
    driver = rig.driver()
    before = driver.read()
    driver.close()
    assert not getattr(rig.device, "sessions", ())
    assert driver.read() == before
    with rig.fault(Fault(FaultKind.HANG), driver):
        driver.close()
        driver.close()


def test_reboot_is_done_or_not_offered(rig: Rig) -> None:
    """The dish reboots; the boxes are only read, and not a byte is sent to them."""
    driver = rig.driver()
    if isinstance(rig.device, dish.VirtualDish):
        driver.reboot()
        assert rig.device.reboots == 1
    else:
        with pytest.raises(NotOfferedError, match="only read"):
            driver.reboot()
        assert rig.device.server.requests == []


# --- logins -----------------------------------------------------------------------------------------------


def read_or_refused(driver: BoxStatus) -> BoxReport | None:
    try:
        return driver.read()
    except LoginRefusedError:
        return None


@rigs(WITH_SECRET)
def test_a_wrong_password_is_tried_once_in_hours(rig: Rig) -> None:
    """However often, by however many driver objects: one try, none before six hours are over, then one."""
    for _ in range(5):
        driver = rig.driver(secret=WRONG)
        read_or_refused(driver)
        rig.clock.now_s += REFUSED_S / 6
    assert rig.device.logins == 1
    rig.clock.now_s += REFUSED_S / 6
    read_or_refused(driver)
    read_or_refused(driver)
    assert rig.device.logins == 2


@rigs(TELL_NOTHING_WITHOUT)
def test_a_wrong_password_is_an_error_of_its_own(rig: Rig) -> None:
    """Where nothing is told without a login, the error says so and for how long it rests."""
    driver = rig.driver(secret=WRONG)
    with pytest.raises(LoginRefusedError, match=r"not tried again for 6\.0 h"):
        driver.read()
    rig.clock.now_s += 3600
    with pytest.raises(LoginRefusedError, match=r"not tried again for 5\.0 h"):
        driver.read()


@rigs(["livebox", "bbox"])
def test_a_wrong_password_costs_only_what_it_would_have_opened(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """A box that tells its line to everybody is still read; the refusal is logged once."""
    full, driver = rig.driver().read(), rig.driver(secret=WRONG)
    for _ in range(3):
        report = driver.read()
        assert (report.line_up, report.wan_up, report.optical_rx_dbm) == (True, True, None)
        assert report.wan_address == full.wan_address
    (line,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert "the password is refused" in line


@rigs(["livebox-closed", "bbox-closed"])
def test_a_closed_box_without_a_password_says_what_is_missing(rig: Rig) -> None:
    """Nothing is tried; the error says that a password is needed."""
    right, rig.device.logins = rig.secret, 0
    assert right is not None
    kind = Livebox if isinstance(rig.device, livebox.VirtualLivebox) else Bbox
    with pytest.raises(LoginRefusedError, match="asks for a password, and none is configured"):
        kind(rig.device.endpoint()).read()
    assert rig.device.logins == 0


@rigs(WITH_SECRET)
def test_a_session_that_the_device_forgot_is_opened_again(rig: Rig) -> None:
    """After a box's restart at most one reading lacks what the login opens; the next has it again."""
    driver = rig.driver()
    before = driver.read()
    rig.device.sessions.clear()
    between, after = driver.read(), driver.read()
    assert (between.line_up, between.wan_up) == (True, True)
    assert after == before
    assert rig.device.logins == 2


@rigs(["freebox", "bbox-closed"])
def test_a_lock_is_left_to_run_out(rig: Rig) -> None:
    """A box that says "too many tries" is given hours, as a try may prolong the lock."""
    rig.device.locked = True
    driver = rig.driver()
    for _ in range(3):
        with pytest.raises(LoginRefusedError, match="too many failed logins"):
            driver.read()
    assert rig.device.logins == 1


@rigs(WITH_SECRET)
@pytest.mark.parametrize("kind", list(FaultKind))
@pytest.mark.parametrize("wrong", [False, True])
def test_secrets_are_in_no_log_and_no_error(
    rig: Rig, kind: FaultKind, wrong: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the password or token nor a session's own secret is told to anybody, whatever goes wrong."""
    caplog.set_level(logging.DEBUG)
    secret = WRONG if wrong else str(rig.secret)
    driver = rig.driver(secret if wrong else None)
    said = ""
    for fault in (Fault(), Fault(kind, after=60), Fault(kind, after=60, request=1), Fault()):
        rig.device.server.forget()
        with rig.fault(fault, driver):
            try:
                said += repr(driver.read())
            except HardwareError as error:
                said += everything_said(error)
    sessions = rig.device.sessions
    hidden = [secret, *sessions, *(sessions.values() if isinstance(sessions, dict) else ())]
    said += caplog.text + repr(driver) + str(driver)
    assert [text for text in hidden if text in said] == []


@rigs(["freebox"])
def test_the_token_itself_never_travels(rig: Rig) -> None:
    """What a listener on the LAN sees of a Freebox's token is good for one session only."""
    rig.driver().read()
    sent = [request.body + repr(request).encode() for request in rig.device.server.requests]
    assert not any(freebox.TOKEN.encode() in each for each in sent)


@rigs(WITH_SECRET)
def test_a_login_that_breaks_off_is_no_refusal(rig: Rig) -> None:
    """A box that fails in the middle of a login is asked again the next time, with the same password."""
    for number in range(4):
        driver = rig.driver()
        rig.device.server.forget()
        with rig.fault(Fault(FaultKind.HTML, request=number), driver):
            try:
                driver.read()
            except LoginRefusedError:
                pytest.fail("a web page is no refusal")
            except HardwareError:
                pass
        assert driver.read().line_up is True
