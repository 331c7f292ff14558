"""The HiLink driver: what it may send, when it logs in, how it survives dead sessions, what it never says."""

from __future__ import annotations

import base64
import http.server
import logging
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware import huawei_fields
from hardware.huawei import HuaweiModem
from hardware.huawei_http import (
    CONTROL,
    LOGIN,
    MOST_REQUESTS,
    LoginSpentError,
    ModemHttp,
    NotAllowedError,
    checked_url,
)
from hardware.login import BROKEN_S, OCCUPIED_S, REFUSED_S, Login, login_of
from hardware.ports import (
    Cell,
    DataState,
    HardwareError,
    HardwareMissingError,
    LoginError,
    LoginRefusedError,
    Network,
    Registration,
    Signal,
    Sim,
)
from hardware.virtual.hilink_api import SESSION_S
from hardware.virtual.hilink_server import VirtualHiLink, WebFault

PASSWORD = "Tr0ub4dor&3<x>"
HURRIED_S = 0.1
"""Only devices that will never answer are waited for so briefly."""


class Clock:
    """Seconds that pass when told to. The real ones still bound what is waited for."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def device(clock: Clock) -> Iterator[VirtualHiLink]:
    with VirtualHiLink(clock=clock) as built:
        yield built


@pytest.fixture
def modem(device: VirtualHiLink, clock: Clock) -> Iterator[HuaweiModem]:
    """A driver with the right password for a device that may get users."""
    with HuaweiModem(device.url, password=PASSWORD, clock=clock, sleep=lambda _: None) as built:
        yield built


def other(device: VirtualHiLink, clock: Clock, password: str | None) -> HuaweiModem:
    return HuaweiModem(device.url, password=password, clock=clock, sleep=lambda _: None)


# --- what may leave -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "api/device/control", "<request><Control>2</Control></request>"),
        ("POST", "api/device/control", "<request><Control>4</Control></request>"),
        ("POST", "api/device/control", "<request><Control>3</Control></request>"),
        ("POST", "api/device/control", "<request><Control>1</Control><Control>4</Control></request>"),
        ("POST", "api/device/control", "<request><Control>10</Control></request>"),
        ("POST", "api/device/control", ""),
        ("POST", "api/pin/operate", "<request><CurrentPin>0000</CurrentPin></request>"),
        ("POST", "api/net/net-mode", ""),
        ("POST", "api/dialup/mobile-dataswitch", ""),
        ("POST", "api/user/password", ""),
        ("POST", "api/monitoring/clear-traffic", ""),
        ("GET", "api/net/plmn-list", ""),
        ("GET", "api/device/mode", ""),
        ("GET", "config/global/config.xml", ""),
        ("PUT", "api/device/signal", ""),
        ("DELETE", "", ""),
    ],
)
def test_nothing_else_leaves(device: VirtualHiLink, method: str, path: str, body: str) -> None:
    """Factory settings, power off, PINs, scans and settings are stopped below the library."""
    guarded = ModemHttp(device.url)
    guarded.begin(5.0)
    with pytest.raises(NotAllowedError):
        guarded.session.request(method, device.url + path, data=body)
    assert device.api.heard == []
    guarded.close()


def test_a_reboot_in_the_librarys_form_may_leave(device: VirtualHiLink) -> None:
    """What the library sends for it is let through."""
    guarded = ModemHttp(device.url)
    body = '<?xml version="1.0" encoding="utf-8"?>\n<request><Control>1</Control></request>'
    guarded.session.post(f"{device.url}api/{CONTROL}", data=body.encode())
    assert len(device.api.heard) == 1
    guarded.close()


def test_the_libraries_own_power_off_is_stopped(modem: HuaweiModem, device: VirtualHiLink) -> None:
    """Even its default, which is to switch the modem off for good."""
    from huawei_lte_api.api.Device import Device

    modem.read()
    assert modem._session is not None
    modem._session.begin(5.0)
    with pytest.raises(NotAllowedError):
        Device(modem._session._connection).set_control()
    assert not any("Control" in line for line in device.api.heard)


def test_a_login_needs_permission_each_time(device: VirtualHiLink) -> None:
    """The library's own second try does not leave."""
    guarded = ModemHttp(device.url)
    guarded.allow_one_login()
    guarded.session.post(f"{device.url}api/{LOGIN}", data=b"<request/>")
    with pytest.raises(LoginSpentError):
        guarded.session.post(f"{device.url}api/{LOGIN}", data=b"<request/>")
    assert len(device.api.heard) == 1
    guarded.close()


@contextmanager
def server(answer: Callable[[http.server.BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """A web server that is no modem."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as built:
        thread = threading.Thread(target=built.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{built.server_address[1]}/"
        finally:
            built.shutdown()
            thread.join()


@pytest.mark.parametrize("target", ["http://127.0.0.2:9/", "https://127.0.0.1/", "ftp://127.0.0.1/"])
def test_nobody_else_is_spoken_to(target: str) -> None:
    """A modem that sends its clients elsewhere, to a portal or to https, is an error."""

    def redirect(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", target)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with server(redirect) as url, pytest.raises(HardwareError, match="another address or to https"):
        HuaweiModem(url).read()


def test_a_redirect_within_the_modem_is_followed(device: VirtualHiLink) -> None:
    """As sticks send their clients from / to their start page; a circle ends."""

    def circle(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "/html/home.html")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with server(circle) as url, pytest.raises(HardwareError):
        HuaweiModem(url).read()


def test_a_compressed_answer_is_refused() -> None:
    """A few bytes could be a gigabyte."""

    def squeeze(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.send_header("Content-Length", "4")
        handler.end_headers()
        handler.wfile.write(b"\x1f\x8b\x08\x00")

    with server(squeeze) as url, pytest.raises(HardwareError, match="ContentDecodingError"):
        HuaweiModem(url).read()


@pytest.mark.parametrize(
    "url",
    [
        "https://192.168.8.1/",
        "http://admin:secret@192.168.8.1/",
        "http://192.168.8.1/html/",
        "http://homerouter.cpe/",
        "192.168.8.1",
        "http://192.168.8.1/?x",
        "http:///",
        "",
    ],
)
def test_only_a_plain_address_is_taken(url: str) -> None:
    """And a password in it is not repeated."""
    with pytest.raises(ValueError, match=r"allowed: http://192\.168\.8\.1/") as caught:
        HuaweiModem(url)
    assert "secret" not in str(caught.value)
    assert checked_url("http://192.168.8.1") == "http://192.168.8.1/"


def test_the_users_own_settings_do_not_come_between(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a proxy nor a file of passwords: the modem is on this network and gets what we give it."""
    seen: list[dict[str, str]] = []

    def keep(handler: http.server.BaseHTTPRequestHandler) -> None:
        seen.append(dict(handler.headers))
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password elses")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    with server(keep) as url, pytest.raises(HardwareError):
        HuaweiModem(url).read()
    assert seen
    assert not any("Authorization" in headers for headers in seen)


def test_requests_of_a_call_are_counted(device: VirtualHiLink) -> None:
    """Whatever circle the library runs into, it ends; the next call starts anew."""
    guarded = ModemHttp(device.url)
    guarded.begin(60.0)
    for _ in range(MOST_REQUESTS):
        guarded.session.get(device.url)
    with pytest.raises(OSError, match="no end"):
        guarded.session.get(device.url)
    guarded.begin(60.0)
    guarded.session.get(device.url)
    guarded.close()


def test_the_modem_is_reached_through_its_interface(device: VirtualHiLink) -> None:
    """Only the interface tells two modems with the same address apart."""
    with HuaweiModem(device.url, interface="lo") as bound:
        assert bound.read().sim is Sim.READY
    with pytest.raises(HardwareMissingError, match="interface wwan9"):
        HuaweiModem(device.url, interface="wwan9").read()


# --- sessions -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [125002, 125003])
def test_a_dead_session_is_replaced(modem: HuaweiModem, device: VirtualHiLink, code: int) -> None:
    """In the middle of a reading, by either code; nobody notices."""
    first = modem.read()
    device.api.firmware.stale, device.api.firmware.stale_code = 1, code
    assert modem.read() == first


def test_a_session_that_was_idle_for_five_minutes_is_replaced(
    modem: HuaweiModem, device: VirtualHiLink, clock: Clock
) -> None:
    """Every reading after a long pause begins a new one."""
    for _ in range(3):
        assert modem.read().sim is Sim.READY
        clock.now += SESSION_S + 1


@pytest.mark.parametrize("code", [125002, 125003])
def test_a_modem_that_ends_every_session_is_an_error(
    modem: HuaweiModem, device: VirtualHiLink, code: int
) -> None:
    """It is not asked for ever, and the next reading works."""
    modem.read()
    device.api.heard.clear()
    device.api.firmware.stale, device.api.firmware.stale_code = 10_000, code
    with pytest.raises(HardwareError):
        modem.read()
    assert len(device.api.heard) <= MOST_REQUESTS
    device.api.firmware.stale = 0
    assert modem.read().sim is Sim.READY


def test_a_token_page_that_wants_a_session_is_no_circle(modem: HuaweiModem, device: VirtualHiLink) -> None:
    """The library would begin a session for it, by the same page."""
    device.api.firmware.token_wants_session = True
    assert modem.read().sim is Sim.READY
    assert len(device.api.heard) < 15


def test_orders_one_after_the_other_have_fresh_tokens(modem: HuaweiModem, device: VirtualHiLink) -> None:
    """A token serves once; the library keeps the used one."""
    for _ in range(3):
        modem.send_text("0612345678", "x")
    posts = [line for line in device.api.heard if line.startswith("POST")]
    assert len(posts) == len(device.api.texts) == 3


# --- pages --------------------------------------------------------------------------------------------------


def test_missing_and_broken_pages_are_not_asked_for_again(modem: HuaweiModem, device: VirtualHiLink) -> None:
    """Unsupported, or the start page instead: the rest is read, and the modem is left in peace."""
    device.api.firmware.missing = frozenset({huawei_fields.MONTH})
    device.api.firmware.broken = frozenset({huawei_fields.INFORMATION})
    first = modem.read()
    assert (first.month, first.model) == (None, "Huawei E3372v-000")
    device.api.heard.clear()
    assert modem.read() == first
    heard = " ".join(device.api.heard)
    assert huawei_fields.MONTH not in heard
    assert huawei_fields.INFORMATION not in heard


def test_a_busy_page_is_left_out_once(modem: HuaweiModem, device: VirtualHiLink) -> None:
    """And asked again the next time."""
    device.api.firmware.busy = frozenset({huawei_fields.SIGNAL})
    assert modem.read().cell.rsrp_dbm is None
    device.api.firmware.busy = frozenset()
    assert modem.read().cell.rsrp_dbm == -97


def test_a_blank_radio_page_while_online_is_read(modem: HuaweiModem, device: VirtualHiLink) -> None:
    """No figures, but connected and registered: nothing is made up, and nothing is an error."""
    device.readings = replace(device.readings, signal=replace(device.readings.signal, tells_signal=False))
    reading = modem.read()
    assert (reading.cell, reading.nr) == (Cell(), None)
    assert (reading.data, reading.registration) == (DataState.CONNECTED, Registration.HOME)
    assert reading.network is Network.G4


def test_figures_at_the_end_of_the_scale_are_read(modem: HuaweiModem, device: VirtualHiLink) -> None:
    """Told as bounds, one of them escaped twice."""
    signal = replace(device.readings.signal, rssi_dbm=-45, sinr_db=-21)
    device.readings = replace(device.readings, signal=signal)
    cell = modem.read().cell
    assert (cell.rssi_dbm, cell.sinr_db) == (-51, -20)


def test_nothing_is_loaded_before_a_modem_is_configured() -> None:
    """Neither the ports nor the daemon's root bring a modem's libraries with them."""
    libraries = "{'serial', 'requests', 'huawei_lte_api'}"
    code = f"import sys, hardware.ports, agent.app; print(*{libraries} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_modem_without_any_page_is_none(modem: HuaweiModem, device: VirtualHiLink) -> None:
    """Such as another router at that address."""
    device.api.firmware.missing = frozenset(
        {huawei_fields.SIGNAL, huawei_fields.STATUS, huawei_fields.OPERATOR, huawei_fields.PIN}
        | {huawei_fields.INFORMATION, huawei_fields.BASIC, huawei_fields.MONTH, huawei_fields.PLAN}
    )
    with pytest.raises(HardwareError, match="none of the pages"):
        modem.read()


def test_a_frozen_web_server_is_an_error_and_heals(device: VirtualHiLink) -> None:
    """Half a web page too."""
    with HuaweiModem(device.url, request_s=HURRIED_S, read_s=HURRIED_S) as hurried:
        device.fault = WebFault(silent=True)
        with pytest.raises(HardwareError, match="must be restarted"):
            hurried.read()
    with HuaweiModem(device.url) as patient:
        device.fault = WebFault()
        assert patient.read().sim is Sim.READY


def test_a_web_server_that_drips_is_an_error(device: VirtualHiLink) -> None:
    """A byte now and then does not keep the driver: the whole request has a limit."""
    device.fault = WebFault(drips_s=0.01)
    hurried = HuaweiModem(device.url, request_s=HURRIED_S, read_s=30.0)
    with pytest.raises(HardwareError, match="hangs"):
        hurried.read()


def test_an_answer_that_stops_at_any_byte_is_an_error_or_a_reading(device: VirtualHiLink) -> None:
    """The connection ends after each byte of every answer; a reading is either whole or an error."""
    now = Clock()
    complete = HuaweiModem(device.url).read()
    for size in range(0, 1000, 1):
        device.fault = WebFault(cut_after=size)
        with HuaweiModem(device.url, clock=now) as modem, suppress(HardwareError):
            assert modem.read() == complete
    device.fault = WebFault()
    assert HuaweiModem(device.url).read() == complete


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.one_of(
        st.binary(max_size=300),
        st.text(max_size=100).map(str.encode),
        st.sampled_from(
            [
                b"",
                b"{}",
                b"[]",
                b"[1]",
                b'{"error": 1}',
                b"<error/>",
                b"<error><code>x</code></error>",
                b"<response/>",
                b"<response>OK</response>",
                b"<a>" * 400,
                b"<response><rsrp><x>1</x></rsrp></response>",
                b"<error><code>100003</code></error>",
                b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            ]
        ),
    )
)
def test_any_body_is_a_reading_or_an_error(body: bytes) -> None:
    """And the next reading is whole."""
    with VirtualHiLink() as device, HuaweiModem(device.url) as modem:
        device.fault = WebFault(garbage=body)
        with suppress(HardwareError):
            assert isinstance(modem.read(), Signal)
        device.fault = WebFault()
        assert modem.read().cell.rsrp_dbm == -97


# --- login --------------------------------------------------------------------------------------------------


def protect(device: VirtualHiLink, *, hashed: bool = True) -> None:
    device.api.firmware.password = PASSWORD
    device.api.firmware.hashed = hashed
    device.api.firmware.private = frozenset({huawei_fields.SIGNAL, huawei_fields.MONTH})


@pytest.mark.parametrize("hashed", [True, False], ids=["hashed", "plain"])
def test_a_login_is_made_only_where_needed_and_ended(
    modem: HuaweiModem, device: VirtualHiLink, hashed: bool
) -> None:
    """One in a reading, for all pages that want it; afterwards people can log in."""
    assert modem.read().cell.rsrp_dbm == -97
    assert device.api.logins == 0
    protect(device, hashed=hashed)
    reading = modem.read()
    assert (reading.cell.rsrp_dbm, reading.month is not None) == (-97, True)
    assert device.api.logins == 1
    assert not any(session.logged_in for session in device.api._sessions.values())


def test_a_page_that_stays_forbidden_is_not_logged_in_for_twice(
    modem: HuaweiModem, device: VirtualHiLink
) -> None:
    """One login in a call, whatever it brings."""
    protect(device)
    device.api.firmware.forbidden = frozenset({huawei_fields.STATUS, huawei_fields.INFORMATION})
    assert modem.read().cell.rsrp_dbm == -97
    assert device.api.logins == 1


def test_without_a_password_the_open_pages_are_read(device: VirtualHiLink, clock: Clock) -> None:
    """The rest stays unknown; an order says that it needs a password."""
    protect(device)
    with other(device, clock, None) as anonymous:
        reading = anonymous.read()
        assert (reading.cell.rsrp_dbm, reading.sim) == (None, Sim.READY)
        with pytest.raises(HardwareError, match="give its password"):
            anonymous.reboot()
    assert device.api.logins == 0


def test_a_refused_login_is_the_last_one_for_hours(device: VirtualHiLink, clock: Clock) -> None:
    """In readings and orders, and in new driver objects: nobody is ever locked out by this driver."""
    protect(device)
    for _ in range(20):
        with other(device, clock, "wrong") as modem:
            assert modem.read().cell.rsrp_dbm is None
            with pytest.raises(LoginRefusedError, match="check its password"):
                modem.reboot()
        clock.now += 60.0
    assert device.api.logins == 1
    clock.now += REFUSED_S
    with other(device, clock, PASSWORD) as modem:
        assert modem.read().cell.rsrp_dbm == -97
    assert device.api.logins == 2


def test_a_locked_modem_is_left_in_peace(device: VirtualHiLink, clock: Clock) -> None:
    """Somebody else has tried too often: our try would lengthen it."""
    protect(device)
    device.api._locked_until = clock.now + 60.0
    with other(device, clock, PASSWORD) as modem, pytest.raises(LoginRefusedError, match="locked"):
        modem.reboot()
    assert device.api.logins == 0


def test_somebody_who_is_logged_in_is_respected(device: VirtualHiLink, clock: Clock) -> None:
    """For ten minutes, then it is tried again."""
    protect(device)
    device.api.firmware.occupied = True
    with other(device, clock, PASSWORD) as modem:
        with pytest.raises(LoginError, match="somebody is logged in") as caught:
            modem.reboot()
        assert not isinstance(caught.value, LoginRefusedError), "the password may be right"
        device.api.firmware.occupied = False
        with pytest.raises(LoginError):
            modem.reboot()
        clock.now += OCCUPIED_S
        modem.reboot()
    assert device.reboots == 1


def test_firmware_that_logs_in_differently_is_not_tried_again_and_again(
    device: VirtualHiLink, clock: Clock
) -> None:
    """Signal without orders is a normal way to work then."""
    protect(device)
    device.api.firmware.strange_login = True
    with other(device, clock, PASSWORD) as modem:
        assert modem.read().sim is Sim.READY
        device.api.heard.clear()
        with pytest.raises(LoginError, match="not tried again"):
            modem.reboot()
    assert not any(LOGIN in line for line in device.api.heard)


@pytest.mark.parametrize("code", [125002, 125003])
def test_a_session_that_dies_at_the_login_is_no_refusal(
    device: VirtualHiLink, clock: Clock, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """The password was not looked at: it is sent once more, made up anew."""
    protect(device)
    original = device.api._log_in
    died: list[bool] = []

    def dies_once(body: str, session: Any, token: str) -> str:
        if not died:
            died.append(True)
            return f"<error><code>{code}</code><message/></error>"
        return original(body, session, token)

    monkeypatch.setattr(type(device.api), "_log_in", lambda _self, *args: dies_once(*args))
    with other(device, clock, PASSWORD) as modem:
        assert modem.read().cell.rsrp_dbm == -97
    assert device.api.logins == 1


def test_a_login_that_breaks_off_waits_a_minute(clock: Clock) -> None:
    """Each kind of failure rests for its time, is told as it was, and then no longer."""
    login = Login("a device", clock)
    login.check()
    for fail, seconds, kind in (
        (login.broke_off, BROKEN_S, LoginError),
        (login.occupied, OCCUPIED_S, LoginError),
        (login.refused, REFUSED_S, LoginRefusedError),
    ):
        assert type(fail("why")) is kind
        clock.now += seconds - 1
        with pytest.raises(kind, match=r"^a device: why; not tried again for 1 min$") as caught:
            login.check()
        assert type(caught.value) is kind
        assert login.rests
        clock.now += 1
        assert not login.rests
        login.check()


def test_the_memory_belongs_to_a_device_and_its_user(clock: Clock) -> None:
    """Another modem's wrong password closes nothing here, nor does another user's."""
    first = login_of("http://192.0.2.1/", "admin", clock)
    assert login_of("http://192.0.2.1/", "admin", clock) is first
    assert login_of("http://192.0.2.2/", "admin", clock) is not first
    assert login_of("http://192.0.2.1/", "user", clock) is not first
    assert login_of("http://192.0.2.1/", "admin", Clock()) is not first


@pytest.mark.parametrize("password", [PASSWORD, "wrong-" + PASSWORD], ids=["right", "wrong"])
def test_the_password_is_never_told(
    device: VirtualHiLink, clock: Clock, caplog: pytest.LogCaptureFixture, password: str
) -> None:
    """Not in a log at any level, not in an error with its whole chain, not in the driver's own text."""
    caplog.set_level(logging.DEBUG)
    for name in ("huawei_lte_api", "huawei_lte_api.Session", "huawei_lte_api.Connection"):
        caplog.set_level(logging.DEBUG, logger=name)
    protect(device, hashed=False)
    told: list[str] = []
    words = "se" + "cret words"
    with other(device, clock, password) as modem:
        for call in (modem.read, modem.reboot, lambda: modem.send_text("0612345678", words)):
            try:
                call()
            except HardwareError as error:
                told += traceback.format_exception(error)
        told.append(repr(modem))
    everything = caplog.text + "".join(told)
    assert "POST" in everything  # the log was on
    for secret in (password, base64.b64encode(password.encode()).decode(), words):
        assert secret not in everything


def test_a_session_of_the_library_has_no_time_limit_of_its_own(device: VirtualHiLink) -> None:
    """The limit is set below it for every request: one without would wait for ever."""
    device.fault = WebFault(silent=True)
    guarded = ModemHttp(device.url, request_s=HURRIED_S)
    guarded.begin(HURRIED_S)
    with pytest.raises((requests.exceptions.RequestException, OSError)):
        guarded.session.get(device.url, timeout=None)
    guarded.close()
