"""What the box drivers make of answers: of published ones, of unusual ones, and of anything at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from email.message import Message
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware import answers, bbox, freebox, livebox, sfr
from hardware.answers import address, duration_s, fibre_cause, json_of, number, power_dbm, text, xml_of
from hardware.box_port import BoxReport, LineCause, Source, cut_can_help
from hardware.lan_http import Endpoint, Reply
from hardware.ports import HardwareError
from hardware.virtual.bbox import VirtualBbox
from hardware.virtual.box_server import Answer, LineState
from hardware.virtual.freebox import TOKEN, VirtualFreebox
from hardware.virtual.livebox import RX_DBM, VirtualLivebox
from hardware.virtual.sfr import VirtualSfrBox

BOX = Endpoint("192.0.2.1")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def reply(body: bytes, status: int = 200) -> Reply:
    return Reply(status, Message(), body)


# --- cause and cut ----------------------------------------------------------------------------------------


def test_which_causes_a_cut_could_cure() -> None:
    """Every cause is decided: only what a stuck receiver can look like is worth a cut."""
    curable = {cause for cause in LineCause if cut_can_help(BoxReport(Source.DOCUMENTED, cause=cause))}
    assert curable == {LineCause.NOT_REGISTERED, LineCause.NO_DOWNLINK, LineCause.UNKNOWN}


@pytest.mark.parametrize("cause", [None, LineCause.UNKNOWN])
def test_a_line_down_for_no_known_reason_is_the_operators(cause: LineCause | None) -> None:
    """Where the device says "line down" and no more, a cut cannot help; where it does not say, it may."""
    verdicts = {
        up: cut_can_help(BoxReport(Source.DOCUMENTED, line_up=up, wan_up=wan, cause=cause))
        for up in (True, False, None)
        for wan in (True, False, None)
    }
    assert verdicts == {True: True, False: False, None: True}


@pytest.mark.parametrize(
    ("light", "registered", "wan_up", "uptime_s", "cause"),
    [
        (True, True, True, 9e4, None),
        (None, None, None, None, None),
        (None, None, True, 5.0, None),
        (False, False, False, 9e4, LineCause.NO_LIGHT),
        (False, False, True, 9e4, LineCause.NO_LIGHT),
        (True, False, False, 9e4, LineCause.NOT_REGISTERED),
        (True, False, None, None, LineCause.NOT_REGISTERED),
        (True, True, False, 9e4, LineCause.UNKNOWN),
        (None, None, False, None, LineCause.UNKNOWN),
        (False, False, False, 5.0, LineCause.BOOTING),
        (True, True, False, answers.BOOT_S - 1, LineCause.BOOTING),
        (True, True, False, answers.BOOT_S, LineCause.UNKNOWN),
        (False, None, True, 5.0, LineCause.NO_LIGHT),
    ],
)
def test_the_cause_of_a_fibre_box(
    light: bool | None,
    registered: bool | None,
    wan_up: bool | None,
    uptime_s: float | None,
    cause: LineCause | None,
) -> None:
    """The nearest fault to the wall counts; a box of minutes is booting; a backup does not hide darkness."""
    assert fibre_cause(light=light, registered=registered, wan_up=wan_up, uptime_s=uptime_s) is cause


# --- values -----------------------------------------------------------------------------------------------


@given(JSON)
def test_any_value_is_understood_or_unknown(value: Any) -> None:
    """No value raises; what comes back is short, printable, finite and in range."""
    found = text(value)
    assert found is None or (found.isprintable() and 0 < len(found) <= answers.LONGEST_TEXT)
    assert duration_s(value) is None or 0 <= duration_s(value) < 3.2e9  # type: ignore[operator]
    assert power_dbm(value, 0.001) is None or -50 <= power_dbm(value, 0.001) <= -3  # type: ignore[operator]
    address(value), number(value), answers.truth(value), answers.choice(value, "up", "down")
    answers.table(value, "a", "b")


@pytest.mark.parametrize(
    ("value", "found"),
    [(7, 7.0), ("-18.5", -18.5), (" 3 ", 3.0), ("", None), ("1e999", None), (True, None), ("0x7", None),
     ("nan", None), (10**400, None), ("٣", 3.0)],
)  # fmt: skip
def test_numbers_also_come_as_texts(value: object, found: float | None) -> None:
    """A number in quotes is one; nothing else is, and nothing infinite."""
    assert number(value) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [("203.0.113.7", "203.0.113.7"), (" 2001:db8::1 ", "2001:db8::1"), ("0.0.0.0", None), ("::", None),
     ("", None), ("XXX.XXX.XXX.XXX", None), (3405803783, None)],
)  # fmt: skip
def test_addresses_are_addresses(value: object, found: str | None) -> None:
    """A placeholder is no address."""
    assert address(value) == found


@pytest.mark.parametrize(
    ("value", "unit", "dbm"),
    [(-19746, 0.001, -19.746), (-1838, 0.01, -18.38), (-3698, 0.01, -36.98), (-182, 0.001, None),
     (0, 0.001, None), (-99999, 0.001, None), (None, 0.01, None)],
)  # fmt: skip
def test_light_in_another_unit_is_not_known(value: object, unit: float, dbm: float | None) -> None:
    """-182 thousandths would blind the receiver: another firmware meant tenths, so nothing is claimed."""
    assert power_dbm(value, unit) == dbm


# --- JSON and XML -----------------------------------------------------------------------------------------


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_an_error(data: bytes) -> None:
    """Nothing but an error that names the box comes out of nonsense."""
    for read in (json_of, xml_of):
        try:
            read(BOX, reply(data))
        except HardwareError as error:
            if not str(error).startswith("192.0.2.1:80: "):
                raise


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"[" * 200_000, "something else instead of JSON"),
        (b'{"a": NaN}', "something else instead of JSON"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "something else instead of JSON"),
        (b"\xff\xfe{", "something else instead of JSON"),
        (b"  <!DOCTYPE html><p>", "a web page instead of JSON"),
        (b"<html>", "a web page instead of JSON"),
        (b"", "status 200 and nothing instead of JSON"),
    ],
    ids=["deep", "nan", "digits", "bytes", "doctype", "html", "empty"],
)
def test_what_came_instead_of_json_is_said(data: bytes, said: str) -> None:
    """A web page is called so; depth and length cannot break the reader."""
    with pytest.raises(HardwareError, match=said):
        json_of(BOX, reply(data))


BOMB = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rsp stat="ok">&b;</rsp>'


@pytest.mark.parametrize(
    "data",
    [BOMB, BOMB.decode().encode("utf-16"), b'<?xml version="1.0" encoding="nosuch"?><a/>', b"<a>",
     b"<a/><b/>", b"<a>" * 100_000],
    ids=["entities", "utf-16", "encoding", "open", "two", "deep"],
)  # fmt: skip
def test_xml_with_a_document_type_is_refused(data: bytes) -> None:
    """A few bytes that unfold to many are never unfolded; broken XML is an error too."""
    with pytest.raises(HardwareError, match="XML"):
        xml_of(BOX, reply(data))


# --- Livebox ----------------------------------------------------------------------------------------------


def test_a_livebox_7_as_published() -> None:
    """LinkType and states of a W7, light of a Livebox 5 as their owners published them."""
    wan = {"status": True, "data": {"LinkState": "up", "LinkType": "xgs-pon", "GponState": "O5_Operation",
           "WanState": "up", "ConnectionState": "Bound", "IPAddress": "203.0.113.5"}}  # fmt: skip
    info = {"status": {"ProductClass": "Livebox W7", "SoftwareVersion": "SGW7-fr-G03.R08.C03_00"}}
    optics = {"status": {"gpon": {"veip0": {"SignalRxPower": -20457, "ONUState": "O5_Operation"}}}}
    assert livebox.report(wan, info, optics) == BoxReport(
        source=Source.DOCUMENTED,
        line_up=True,
        wan_up=True,
        wan_address="203.0.113.5",
        model="Livebox W7",
        firmware="SGW7-fr-G03.R08.C03_00",
        optical_rx_dbm=-20.457,
    )


@pytest.mark.parametrize(
    ("state", "line_up", "cause"),
    [
        ("O1_Initial", False, LineCause.NO_LIGHT),
        ("O2_3_Standby", False, LineCause.NOT_REGISTERED),
        ("O4_Ranging", False, LineCause.NOT_REGISTERED),
        ("O5_Operation", True, LineCause.UNKNOWN),
        ("o5", True, LineCause.UNKNOWN),
        ("O6_Popup", False, LineCause.NO_LIGHT),
        ("O7_Emergency_Stop", False, LineCause.DISABLED),
    ],
)
def test_the_states_of_an_optical_terminal(state: str, line_up: bool, cause: LineCause) -> None:
    """ITU-T G.984.3: 1 and 6 have no light, 2 to 4 no place, 5 works, 7 was switched off by the operator."""
    wan = {"data": {"LinkState": "up" if line_up else "down", "WanState": "down", "GponState": state}}
    report = livebox.report(wan, {}, {})
    assert (report.line_up, report.cause) == (line_up, cause)
    assert cut_can_help(report) is (cause in (LineCause.NOT_REGISTERED, LineCause.UNKNOWN))


def test_a_livebox_without_an_optical_terminal() -> None:
    """On DSL, or with a terminal of its own, the link says whether the line is up."""
    for link, line_up in (("up", True), ("down", False), ("dormant", None)):
        report = livebox.report({"data": {"LinkState": link, "WanState": "down", "LinkType": "dsl"}}, {}, {})
        assert (report.line_up, report.cause) == (line_up, LineCause.UNKNOWN)


def test_a_livebox_that_packs_its_answers_and_one_without_optics() -> None:
    """Answers within "result" are unpacked; an interface that is not there costs only its readings."""
    device = VirtualLivebox()
    plain = device.answer

    def packed(request: Any) -> Answer:
        if b"NeMo" in request.body:
            errors = [{"error": 196618, "description": "Object or parameter not found", "info": "veip0"}]
            return Answer(json.dumps({"status": None, "errors": errors}).encode())
        found = plain(request)
        return Answer(b'{"result": %b}' % found.body) if b"NMC" in request.body else found

    device.server.answer = packed
    try:
        report = livebox.Livebox(device.endpoint(), "Abc-livebox-123").read()
        assert (report.line_up, report.wan_up, report.optical_rx_dbm) == (True, True, None)
        device.server.answer = plain
        assert livebox.Livebox(device.endpoint(), "Abc-livebox-123").read().optical_rx_dbm == RX_DBM
    finally:
        device.stop()


# --- Freebox ----------------------------------------------------------------------------------------------


def test_a_freebox_as_published() -> None:
    """The fields of connection/, connection/ftth/ and system/ as owners of versions 9 and 10 show them."""
    connection = {"state": "up", "type": "ethernet", "media": "ftth", "ipv4": "203.0.113.6"}
    fibre = {"link": True, "link_type": "pon", "sfp_present": True, "sfp_has_signal": True,
             "sfp_pwr_rx": -1838, "sfp_alim_ok": True}  # fmt: skip
    system = {"firmware_version": "4.8.2", "uptime_val": 7892, "model_info": {"pretty_name": "Freebox Ultra"}}
    assert freebox.report(connection, fibre, system) == BoxReport(
        source=Source.DOCUMENTED,
        line_up=True,
        wan_up=True,
        wan_address="203.0.113.6",
        uptime_s=7892.0,
        model="Freebox Ultra",
        firmware="4.8.2",
        optical_rx_dbm=-18.38,
    )


@pytest.mark.parametrize(
    ("fibre", "line_up", "cause"),
    [
        ({"sfp_present": True, "sfp_has_signal": False, "link": False}, False, LineCause.NO_LIGHT),
        ({"sfp_present": True, "sfp_has_signal": True, "link": False}, False, LineCause.NOT_REGISTERED),
        ({"sfp_present": True, "sfp_has_signal": True, "link": True}, True, LineCause.UNKNOWN),
        ({"sfp_present": False}, False, LineCause.NO_LIGHT),
        ({}, None, LineCause.UNKNOWN),
        ({"sfp_has_signal": "yes", "link": 1}, None, LineCause.UNKNOWN),
    ],
    ids=["dark", "light", "link", "no module", "not shown", "other types"],
)
def test_a_freebox_without_internet(fibre: dict[str, Any], line_up: bool | None, cause: LineCause) -> None:
    """Dark, not taken in, or up to the box; without a word on the fibre nothing is claimed of it."""
    report = freebox.report({"state": "down", "media": "ftth"}, fibre, {"uptime_val": 9000})
    assert (report.line_up, report.wan_up, report.cause) == (line_up, False, cause)


def test_a_freebox_on_dsl() -> None:
    """Its empty module bay is no dark fibre."""
    device = VirtualFreebox()
    device.media = "xdsl"
    try:
        report = freebox.Freebox(device.endpoint(), TOKEN).read()
        assert (report.line_up, report.wan_up, report.cause) == (None, True, None)
    finally:
        device.stop()


@pytest.mark.parametrize(
    ("version", "said"),
    [("7.0", "Freebox API 7.0; 8 or newer"), ("", "not a Freebox"), ("x.1", "not a Freebox")],
)
def test_a_freebox_must_be_new_enough(version: str, said: str) -> None:
    """Older software is named; no login is tried."""
    device = VirtualFreebox()
    device.version = version
    try:
        with pytest.raises(HardwareError, match=said):
            freebox.Freebox(device.endpoint(), TOKEN).read()
        assert device.logins == 0
    finally:
        device.stop()


@pytest.mark.parametrize("word", ["dropped table; --", "A" * 200, 7, None])
def test_a_refusal_in_other_words_is_not_quoted(word: object) -> None:
    """Only the API's own words come into an error."""
    device = VirtualFreebox()
    device.server.answer = lambda _: Answer(json.dumps({"success": False, "error_code": word}).encode(), 403)
    try:
        with pytest.raises(HardwareError, match="status 403, not an answer of the Freebox API"):
            freebox.api(device.endpoint(), "/api/v8/connection/")
    finally:
        device.stop()


# --- SFR --------------------------------------------------------------------------------------------------


@pytest.fixture
def sfr_box() -> Iterator[VirtualSfrBox]:
    built = VirtualSfrBox()
    yield built
    built.stop()


def test_an_sfr_box_on_adsl_as_published() -> None:
    """An NB6VAC on ADSL reports its unused fibre port as down and out; its line is not the fibre."""
    wan = {"status": "up", "uptime": "2353338", "ip_addr": "203.0.113.4", "infra": "adsl"}
    system = {"product_id": "NB6VAC-FXC-r0", "net_infra": "adsl", "uptime": "2353575",
              "version_mainfirmware": "NB6VAC-MAIN-R4.0.44k"}  # fmt: skip
    assert sfr.report(wan, {"status": "down", "wanfibre": "out"}, system) == BoxReport(
        source=Source.DOCUMENTED,
        wan_up=True,
        wan_address="203.0.113.4",
        uptime_s=2353575.0,
        model="NB6VAC-FXC-r0",
        firmware="NB6VAC-MAIN-R4.0.44k",
    )


def test_an_sfr_box_on_its_backup() -> None:
    """Internet over 4G while the fibre is down: both are said, and that no cut helps."""
    wan = {"status": "up", "ip_addr": "203.0.113.4", "infra": "gprs"}
    report = sfr.report(wan, {"status": "down", "wanfibre": "in"}, {"net_infra": "ftth", "uptime": "9000"})
    assert (report.line_up, report.wan_up, report.cause) == (False, True, LineCause.UNKNOWN)
    assert not cut_can_help(report)


def test_an_sfr_box_that_is_silent_on_its_fibre(sfr_box: VirtualSfrBox) -> None:
    """Some boxes answer with nothing; then the line is unknown and the rest is read."""
    sfr_box.silent_fibre = True
    report = sfr.SfrBox(sfr_box.endpoint()).read()
    assert (report.line_up, report.wan_up, report.cause) == (None, True, None)


def test_an_sfr_box_that_wants_a_login(sfr_box: VirtualSfrBox) -> None:
    """This driver has none; the error says what is missing."""
    sfr_box.closed = True
    with pytest.raises(HardwareError, match=r"wants a login for wan\.getInfo"):
        sfr.SfrBox(sfr_box.endpoint()).read()


@pytest.mark.parametrize(
    "body",
    [b'<rsp stat="fail"/>', b'<rsp stat="fail"><err code="1"/></rsp>', b"<rsp/>", b'<a stat="ok"/>',
     b'<rsp stat="ok"/>'],
)  # fmt: skip
def test_an_sfr_box_that_says_something_else(sfr_box: VirtualSfrBox, body: bytes) -> None:
    """A refusal, other XML, or nothing on the internet is an error."""
    sfr_box.server.answer = lambda _: Answer(body, kind="text/xml")
    with pytest.raises(HardwareError):
        sfr.SfrBox(sfr_box.endpoint()).read()


# --- Bbox -------------------------------------------------------------------------------------------------


def test_a_bbox_as_published() -> None:
    """wan/ip and device of a F@st5330b on fibre as published with the API's documentation."""
    link, ip = {"state": "Up", "type": "ftth"}, {"address": "XXX.XXX.XXX.XXX", "state": "Up"}
    wan = {"wan": {"internet": {"state": 2}, "interface": {"id": 10, "state": 1}, "ip": ip, "link": link}}
    device = {"device": {"modelname": "F@st5330b", "running": {"version": "12.11.0"}, "uptime": 186893}}
    assert bbox.report(wan, device, {}) == BoxReport(
        source=Source.DOCUMENTED,
        line_up=True,
        wan_up=True,
        uptime_s=186893.0,
        model="F@st5330b",
        firmware="12.11.0",
    )


def test_a_bbox_on_dsl_is_told_by_its_link() -> None:
    """The fibre's state counts only on fibre."""
    wan = {"wan": {"internet": {"state": "0"}, "link": {"state": "Up", "type": "vdsl"}}}
    report = bbox.report(wan, {}, {"wan": {"ftth": {"state": "Down"}}})
    assert (report.line_up, report.wan_up, report.cause) == (True, False, LineCause.UNKNOWN)


def test_a_bbox_with_a_password_shows_its_fibre() -> None:
    """Logged in, the fibre's own state decides."""
    device = VirtualBbox()
    device.be(LineState.NO_LIGHT)
    try:
        driver = bbox.Bbox(device.endpoint(), "Bbox pass-4&5")
        assert driver.read().line_up is False
        assert "/api/v1/wan/ftth/stats" in {request.path for request in device.server.requests}
        driver.close()
    finally:
        device.stop()


# --- anything ---------------------------------------------------------------------------------------------

WORDS = st.sampled_from(["up", "Up", "down", "O5_Operation", "O1", "ftth", "in", "", "203.0.113.1", "-18000"])
VALUES = JSON | WORDS | st.integers(-50_000, 5)


def below(names: list[str], *more: list[str]) -> st.SearchStrategy[Any]:
    """Objects with some of these names, holding objects of the next names or anything."""
    values = VALUES if not more else below(more[0], *more[1:]) | VALUES
    return st.dictionaries(st.sampled_from(names), values, max_size=len(names))


def sane(read: Callable[[], BoxReport]) -> None:
    """Every figure of a report is one, whatever it was made of; or the box says nothing."""
    try:
        report = read()
    except ValueError as error:
        if "says nothing" not in str(error):
            raise
        return
    assert report.uptime_s is None or 0 <= report.uptime_s < 3.2e9
    assert report.optical_rx_dbm is None or -50 <= report.optical_rx_dbm <= -3
    assert report.wan_address is None or answers.address(report.wan_address) is not None
    assert (report.cause is None) or report.line_up is False or report.wan_up is not True
    cut_can_help(report)


LINE = ["LinkState", "WanState", "GponState", "IPAddress"]


@given(below(["data"], LINE), below(["status"], ["UpTime", "ProductClass"]),
       below(["status"], ["gpon"], ["veip0"], ["SignalRxPower", "ONUState"]))  # fmt: skip
def test_anything_from_a_livebox(wan: dict[str, Any], info: dict[str, Any], optics: dict[str, Any]) -> None:
    """A report or an error."""
    sane(lambda: livebox.report(wan, info, optics))


@given(below(["state", "media", "ipv4"]), below(["sfp_present", "sfp_has_signal", "link", "sfp_pwr_rx"]),
       below(["uptime_val", "model_info", "firmware_version"], ["pretty_name"]))  # fmt: skip
def test_anything_from_a_freebox(
    connection: dict[str, Any], fibre: dict[str, Any], system: dict[str, Any]
) -> None:
    """A report or an error."""
    sane(lambda: freebox.report(connection, fibre, system))


ATTRIBUTES = st.dictionaries(
    st.sampled_from(["status", "infra", "ip_addr", "wanfibre", "uptime", "net_infra", "product_id"]),
    WORDS | st.text(max_size=9),
)


@given(ATTRIBUTES, ATTRIBUTES, ATTRIBUTES)
def test_anything_from_an_sfr_box(wan: dict[str, str], fibre: dict[str, str], system: dict[str, str]) -> None:
    """A report or an error."""
    sane(lambda: sfr.report(wan, fibre, system))


@given(below(["wan"], ["internet", "link", "ip"], ["state", "type", "address"]),
       below(["device"], ["uptime", "modelname", "running"]),
       below(["wan"], ["ftth"], ["state"]))  # fmt: skip
def test_anything_from_a_bbox(wan: dict[str, Any], device: dict[str, Any], fibre: dict[str, Any]) -> None:
    """A report or an error."""
    sane(lambda: bbox.report(wan, device, fibre))


@given(JSON)
def test_anything_instead_of_an_answer(value: Any) -> None:
    """The readers of whole answers take anything that JSON can hold."""
    for report in (livebox.report, freebox.report, bbox.report):
        try:
            report(answers.table(value), answers.table(value), answers.table(value))
        except ValueError:
            continue
