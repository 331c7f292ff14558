"""What the dish driver makes of answers: of real ones, of bytes that others made, and of any bytes."""

from __future__ import annotations

import gzip
import json
import math
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware import starlink
from hardware.box_port import BoxReport, LineCause, NotOfferedError, Source, cut_can_help
from hardware.ports import HardwareError
from hardware.protobuf_wire import bytes_field, varint_field
from hardware.starlink import Starlink
from hardware.virtual.box_server import Fault, FaultKind
from hardware.virtual.dish import WELL, VirtualDish
from hardware.virtual.dish_messages import CAUSES, CODES, UPDATE_STATES, response

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "devices" / "starlink"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no recorded answers of dishes in {DATA}")

Status = Mapping[str, Any]


@pytest.fixture
def dish() -> Iterator[VirtualDish]:
    built = VirtualDish()
    yield built
    built.stop()


# --- real answers ---------------------------------------------------------------------------------------


def load(name: str) -> Any:
    path = DATA / name
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)


def statuses(name: str) -> list[Status]:
    """Protobuf's JSON, with or without the enclosing response."""
    loaded = load(name)
    return loaded if isinstance(loaded, list) else [loaded["dishGetStatus"]]


def home_assistant(name: str) -> list[Status]:
    """starlink-grpc-tools' own names, as Home Assistant keeps them: the same values under other names."""
    return [
        {
            "deviceInfo": {
                "id": one["id"],
                "hardwareVersion": one["hardware_version"],
                "softwareVersion": one["software_version"],
            },
            "deviceState": {"uptimeS": one["uptime"]},
            "obstructionStats": {
                "fractionObstructed": one["fraction_obstructed"],
                "currentlyObstructed": one["currently_obstructed"],
            },
            "popPingDropRate": one["pop_ping_drop_rate"],
            "popPingLatencyMs": one["pop_ping_latency_ms"],
            "downlinkThroughputBps": one["downlink_throughput_bps"],
            "uplinkThroughputBps": one["uplink_throughput_bps"],
        }
        for one in load(name)[:1]
    ]


def protobuf_text(name: str) -> list[Status]:
    """Protobuf's text form: names in snake_case, a block for each message."""
    whole: dict[str, Any] = {}
    stack = [whole]
    for line in (DATA / name).read_text().splitlines():
        word = line.strip()
        camel = re.sub(r"_(.)", lambda found: found[1].upper(), word.partition(":")[0].removesuffix(" {"))
        if word.endswith("{"):
            stack[-1][camel] = inner = {}
            stack.append(inner)
        elif word == "}":
            stack.pop()
        elif ":" in word:
            stack[-1][camel] = word.partition(":")[2].strip().strip('"')
        else:
            assert word.startswith("#"), word
    return [whole]


def seconds_of_history(name: str) -> list[Status]:
    """Each second of a ring as the status that the dish had in it, and each outage as the running one."""
    history = load(name)["dishGetHistory"]
    known = {"deviceState": {"uptimeS": history["current"]}}
    seconds = zip(history["popPingDropRate"], history["popPingLatencyMs"], strict=True)
    found: list[Status] = [
        {**known, "popPingDropRate": drop, "popPingLatencyMs": rtt_ms} for drop, rtt_ms in seconds
    ]
    return found + [{**known, "outage": outage} for outage in history.get("outages", [])]


READERS: dict[str, Callable[[str], list[Status]]] = {
    "get_status_2021-03_rev1_CA.json": statuses,
    "get_status_2022-08_rev3_NZ_text.txt": protobuf_text,
    "get_status_2024-02_three_snapshots_US.json": statuses,
    "get_status_2024-05_rev4_US_obstructed.json": statuses,
    "ha_status_fixture_2022_rev3.json": home_assistant,
    "get_history_2021-03_12h_ring.json.gz": seconds_of_history,
    "get_history_2024-05_rev4_US_15min_ring_683_outages.json.gz": seconds_of_history,
}
NO_STATUS = {
    "history_2024-02_3s_avg.json": "means over three seconds, which no dish sends as a status",
    "obstruction_map_2024-02.json": "a picture of the sky, the answer to another request",
}


@needs_data
def test_every_recorded_answer_is_accounted_for() -> None:
    """Each file is read below, or it is said why it holds no status; a new file fails this test."""
    assert {path.name for path in DATA.iterdir()} == set(READERS) | set(NO_STATUS)


def expected(status: Status) -> BoxReport:
    """What the published form says in plain words, without the wire in between."""
    info, state, sky = (status.get(name) or {} for name in ("deviceInfo", "deviceState", "obstructionStats"))
    # Old firmware writes -1 for a second without any answer.
    rtt_ms, drop = max(0.0, float(status.get("popPingLatencyMs") or 0)), status.get("popPingDropRate")
    outage = status.get("outage")
    cause = LineCause[{"NO_SATS": "NO_SATELLITES", "THERMAL_SHUTDOWN": "THERMAL", "NO_SCHEDULE": "SKY_SEARCH"}
                      .get(outage["cause"], outage["cause"])] if outage else None  # fmt: skip
    return BoxReport(
        source=Source.DOCUMENTED,
        line_up=cause in (None, LineCause.NO_PINGS),
        wan_up=cause is None,
        uptime_s=float(state["uptimeS"]),
        model=info.get("hardwareVersion"),
        firmware=info.get("softwareVersion"),
        cause=cause,
        obstructed_pct=single(float(sky.get("fractionObstructed") or 0)) if sky else None,
        obstructed_now=bool(sky.get("currentlyObstructed")) if sky else None,
        rtt_ms=struct.unpack("<f", struct.pack("<f", rtt_ms))[0] if rtt_ms else None,
        loss_pct=single(float(drop or 0)) if drop or rtt_ms else None,
    )


def single(share: float) -> float:
    """Percent, through the 32 bits in which dishes count."""
    return round(struct.unpack("<f", struct.pack("<f", share))[0] * 100, 3)


@needs_data
@pytest.mark.parametrize("name", sorted(READERS))
def test_recorded_answers_are_understood(name: str) -> None:
    """Every status, every second of history and every outage gives the report that it says."""
    found = READERS[name](name)
    assert found
    for status in found:
        assert starlink.report(response(status)) == expected(status)


@needs_data
@pytest.mark.parametrize("name", sorted(name for name in READERS if "history" not in name))
def test_recorded_answers_come_through_the_driver(dish: VirtualDish, name: str) -> None:
    """The same from a dish that sends them."""
    driver = Starlink(dish.endpoint())
    for status in READERS[name](name):
        dish.status = status
        assert driver.read() == expected(status)


@needs_data
def test_the_obstructed_dish_of_2024() -> None:
    """A real rev4 dish in plain figures: 13.4 % obstructed, 26.8 ms, nothing lost, connected."""
    (status,) = statuses("get_status_2024-05_rev4_US_obstructed.json")
    report = starlink.report(response(status))
    assert (report.model, report.uptime_s, report.obstructed_pct) == ("rev4_prod1", 6328.0, 13.378)
    assert report.rtt_ms == pytest.approx(26.808062)
    assert (report.loss_pct, report.line_up, report.wan_up, report.cause) == (0.0, True, True, None)


@needs_data
def test_the_causes_of_683_real_outages() -> None:
    """Every outage of a real dish in four hours has a cause that is known here."""
    seen = {
        report.cause
        for status in seconds_of_history("get_history_2024-05_rev4_US_15min_ring_683_outages.json.gz")
        if "outage" in status
        for report in [starlink.report(response(status))]
    }
    assert LineCause.UNKNOWN not in seen
    assert {LineCause.BOOTING, LineCause.OBSTRUCTED} <= seen


# --- bytes that others made -----------------------------------------------------------------------------

GOLDEN = (
    "1811a27d7b0a300a03757430120c726576345f6d6164655f75701a0e323032362e30312e30312e6d723128f0e3ffffffffffffff01"
    "40071203089221dd3e0000003fe23e0c0d0000803e250000c7422801ea3e023801fd3e00007a448d3f00002242b23f120806108080"
    "b0ecd192f3b6131880bcc1960be83f01804001b04001"
)
"""A made-up status, encoded by the classes that protoc generated from the dish's own descriptions
(PyPI starlink-client 0.1.13)."""


def test_a_status_that_the_makers_classes_encoded() -> None:
    """The numbers of the fields are those of the dish's own descriptions."""
    assert starlink.report(bytes.fromhex(GOLDEN)) == BoxReport(
        source=Source.DOCUMENTED,
        line_up=False,
        wan_up=False,
        uptime_s=4242.0,
        model="rev4_made_up",
        firmware="2026.01.01.mr1",
        cause=LineCause.OBSTRUCTED,
        obstructed_pct=25.0,
        obstructed_now=True,
        rtt_ms=40.5,
        loss_pct=50.0,
    )


def test_requests_are_those_of_the_makers_classes(dish: VirtualDish) -> None:
    """get_status is e2 3e 00, reboot is ca 3e 00; each in one frame of gRPC-Web."""
    driver = Starlink(dish.endpoint())
    driver.read()
    driver.reboot()
    assert [request.body.hex() for request in dish.server.requests] == [
        "0000000003e23e00",
        "0000000003ca3e00",
    ]
    (path,) = {request.path for request in dish.server.requests}
    assert path == "/SpaceX.API.Device.Device/Handle"
    assert dish.server.requests[0].headers["content-type"] == "application/grpc-web+proto"


# --- meaning --------------------------------------------------------------------------------------------

OUTAGES = {
    "UNKNOWN": (LineCause.UNKNOWN, False),
    "BOOTING": (LineCause.BOOTING, False),
    "STOWED": (LineCause.STOWED, False),
    "THERMAL_SHUTDOWN": (LineCause.THERMAL, False),
    "NO_SCHEDULE": (LineCause.SKY_SEARCH, False),
    "NO_SATS": (LineCause.NO_SATELLITES, False),
    "OBSTRUCTED": (LineCause.OBSTRUCTED, False),
    "NO_DOWNLINK": (LineCause.NO_DOWNLINK, True),
    "NO_PINGS": (LineCause.NO_PINGS, False),
    "ACTUATOR_ACTIVITY": (LineCause.SKY_SEARCH, False),
    "CABLE_TEST": (LineCause.UNKNOWN, False),
    "SLEEPING": (LineCause.STOWED, False),
    "MOVING_WHILE_NOT_ALLOWED": (LineCause.DISABLED, False),
    "SKY_SEARCH": (LineCause.SKY_SEARCH, False),
    "INHIBIT_RF": (LineCause.DISABLED, False),
}


def read(**changes: Any) -> BoxReport:
    return starlink.report(response({**WELL, **changes}))


def test_each_outage_has_its_meaning() -> None:
    """Every cause that the dish knows is named, and only a dead receiver is worth a cut."""
    assert set(OUTAGES) == set(CAUSES)
    for name, (cause, helps) in OUTAGES.items():
        report = read(outage={"cause": name})
        assert (report.cause, cut_can_help(report)) == (cause, helps), name
        assert report.line_up is (cause is LineCause.NO_PINGS), name
        assert report.wan_up is False, name


@pytest.mark.parametrize("number", [15, 99, 1 << 40])
def test_a_cause_of_the_future_is_unknown(number: int) -> None:
    """An unknown cause is an outage all the same, of which nothing is claimed."""
    outage = bytes_field(1014, varint_field(1, number))
    report = starlink.report(bytes_field(2004, bytes_field(2, varint_field(1, 9)) + outage))
    assert (report.line_up, report.wan_up, report.cause) == (False, False, LineCause.UNKNOWN)


def test_an_outage_that_cannot_be_read_is_still_one() -> None:
    """A dish that says "outage" in a new way is not taken for connected."""
    for outage in (bytes_field(1014, b"\xff\xff"), varint_field(1014, 3), bytes_field(1014, b"")):
        report = starlink.report(bytes_field(2004, bytes_field(2, varint_field(1, 9)) + outage))
        assert (report.line_up, report.cause) == (False, LineCause.UNKNOWN)


def test_what_the_account_does_not_allow() -> None:
    """Unpaid and shut out come before any outage; a cut helps neither."""
    for code in CODES:
        report = read(disablementCode=code, outage={"cause": "NO_DOWNLINK"})
        if code in ("UNKNOWN_STATE", "OKAY"):
            assert report.cause is LineCause.NO_DOWNLINK
        else:
            paid = code not in ("NO_ACTIVE_ACCOUNT", "ACCOUNT_DISABLED", "DATA_OVERAGE_SANDBOX_POLICY")
            assert report.cause is (LineCause.DISABLED if paid else LineCause.UNPAID)
            assert not cut_can_help(report)
            assert read(disablementCode=code).wan_up is False


def test_a_code_of_the_future_is_no_fault() -> None:
    """A code that is not known here leaves a connected dish connected."""
    report = starlink.report(bytes_field(2004, bytes_field(2, varint_field(1, 9)) + varint_field(1024, 77)))
    assert (report.line_up, report.wan_up, report.cause) == (True, True, None)


def test_software_being_written_is_left_alone() -> None:
    """While software is checked or written nothing is cut; a pending reboot explains a vague outage only."""
    for state in UPDATE_STATES:
        writing = state in ("PRE_CHECK", "WRITING", "POST_CHECK")
        assert read(softwareUpdateState=state).cause is (LineCause.UPDATING if writing else None)
    pending = {"softwareUpdateState": "REBOOT_REQUIRED"}, {"swupdateRebootReady": True}
    for waits in pending:
        assert read(**waits, outage={"cause": "NO_DOWNLINK"}).cause is LineCause.UPDATING
        assert read(**waits, outage={"cause": "OBSTRUCTED"}).cause is LineCause.OBSTRUCTED
        assert read(**waits).cause is None


def test_a_dish_that_works_but_was_told_to_stow_or_is_too_hot() -> None:
    """Both are said before the outage that they will cause."""
    assert read(stowRequested=True).cause is LineCause.STOWED
    assert read(alerts={"thermalShutdown": True}).cause is LineCause.THERMAL
    assert read(alerts={"isHeating": True, "roaming": True}).cause is None


def test_what_was_not_measured_is_not_zero() -> None:
    """Without a round trip a loss that was not sent is unknown; with one it is none, as proto3 has it."""
    blank = {"deviceState": {"uptimeS": 9}}
    report = starlink.report(response(blank))
    assert (report.rtt_ms, report.loss_pct, report.obstructed_pct, report.obstructed_now) == (None,) * 4
    assert starlink.report(response({**blank, "popPingLatencyMs": 20})).loss_pct == 0.0
    assert starlink.report(response({**blank, "popPingDropRate": 1})).loss_pct == 100.0
    sky = starlink.report(response({**blank, "obstructionStats": {"validS": 5}}))
    assert (sky.obstructed_pct, sky.obstructed_now) == (0.0, False)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 1.5])
def test_a_share_that_is_none_is_not_known(value: float) -> None:
    """NaN, infinite and impossible shares are not passed on, nor taken for zero."""
    report = read(popPingDropRate=value, obstructionStats={"fractionObstructed": value, "validS": 1.0})
    assert (report.loss_pct, report.obstructed_pct) == (None, None)


def test_an_answer_without_content_is_an_error(dish: VirtualDish) -> None:
    """An empty status would read as "connected"; it is refused."""
    dish.status = {}
    with pytest.raises(HardwareError, match="neither device_info nor device_state"):
        Starlink(dish.endpoint()).read()
    with pytest.raises(ValueError, match="no dish_get_status"):
        starlink.report(bytes_field(3004, b""))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_report_or_an_error(data: bytes) -> None:
    """Whatever a dish sends in a frame, it is understood or refused."""
    for body in (data, bytes_field(2004, data), bytes_field(2004, bytes_field(2, b"\x08\x09") + data)):
        try:
            report = starlink.report(body)
        except ValueError:
            continue
        for pct in (report.loss_pct, report.obstructed_pct):
            assert pct is None or 0 <= pct <= 100


# --- talking to it --------------------------------------------------------------------------------------


def test_a_call_without_an_answer_is_tried_once_more(dish: VirtualDish) -> None:
    """Some calls in a hundred get no answer; the next one does."""
    dish.server.fault = Fault(FaultKind.CUT, 0, request=0)
    assert Starlink(dish.endpoint()).read().rtt_ms == 31.5
    assert len(dish.server.requests) == 2


def test_a_reboot_is_accepted_refused_or_not_offered(dish: VirtualDish) -> None:
    """Permission denied is an error, unimplemented means that it cannot; neither is tried again."""
    driver = Starlink(dish.endpoint())
    driver.reboot()
    assert dish.reboots == 1
    dish.reboot_status = 7
    with pytest.raises(HardwareError, match="permission denied"):
        driver.reboot()
    dish.reboot_status = 12
    with pytest.raises(NotOfferedError, match="unimplemented"):
        driver.reboot()
    assert (dish.reboots, len(dish.server.requests)) == (1, 3)


def test_a_reboot_without_an_answer_is_not_repeated(dish: VirtualDish) -> None:
    """It may have been heard; a second one would reboot the dish twice."""
    dish.server.fault = Fault(FaultKind.HANG)
    with pytest.raises(HardwareError, match="no complete answer"):
        Starlink(dish.endpoint(0.2)).reboot()
    assert len(dish.server.requests) == 1
