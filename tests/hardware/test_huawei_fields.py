"""Pages of HiLink modems: the firmwares' spellings, units and gaps, and what the codes mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hardware.huawei_fields import (
    BASIC,
    INFORMATION,
    MONTH,
    OPERATOR,
    PIN,
    PLAN,
    SIGNAL,
    STATUS,
    number,
    text,
    understand,
    whole,
)
from hardware.ports import Cell, DataState, DataUse, Network, Registration, Signal, Sim


def of(endpoint: str, **elements: Any) -> Signal:
    return understand({endpoint: elements})


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("-89dBm", -89),
        ("-7.0dB", -7),
        ("6dB", 6),
        ("0dB", 0),
        (">=-51dBm", -51),
        ("&gt;=-51dBm", -51),
        ("<=-113dBm", -113),
        ("&lt;-20dB", -20),
        ("&amp;lt;-20dB", -20),
        (" -89 dBm ", -89),
        ("+6dB", 6),
        ("", None),
        ("dBm", None),
        ("--", None),
        (None, None),
        ({"a": "1"}, None),
    ],
)
def test_numbers_are_found_between_units_and_bounds(written: object, value: float | None) -> None:
    """Escaped once or twice, with a bound, with a space; empty is unknown and never 0."""
    assert number({"x": written}, "x") == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("DL:6300 UL:24300", 6300),
        ("356", 356),
        ("7.5", None),
        ("100MHz@627264(N78)", None),
        ("-1", None),
        ("", None),
    ],
)
def test_whole_numbers(written: str, value: int | None) -> None:
    """A channel's downlink half; no part of something else."""
    assert whole({"x": written}, "x") == value


def test_the_first_element_that_holds_something_counts() -> None:
    """Firmwares name the same thing differently."""
    assert text({"a": None, "b": " ", "c": "x"}, "a", "b", "c") == "x"


FIGURES = {"mode": "7", "rsrp": "-97dBm", "rsrq": "-10.5dB", "sinr": "9dB", "rssi": "-67dBm", "band": "20"}


def test_radio_of_4g() -> None:
    """Figures, band, channel and cell; the base station follows from the cell."""
    reading = of(SIGNAL, **FIGURES, pci="214", cell_id="27316994", earfcn="DL:6300 UL:24300", plmn="20899")
    assert reading.cell == Cell("B20", 6300, 214, 27_316_994, -97, -10.5, 9, -67)
    assert (reading.network, reading.plmn, reading.enb_id) == (Network.G4, "20899", 106_707)
    assert reading.nr is None


@pytest.mark.parametrize(
    "elements",
    [
        {"rsrp": "-970", "rsrq": "-105", "sinr": "90", "rssi": "-670"},
        {"rsrp": "-970", "rsrq": "-10.5dB", "sinr": "90", "rssi": "-67dBm"},
        {"rsrp": "-97", "rsrq": "-10.5", "sinr": "9", "rssi": "-67"},
    ],
)
def test_units_come_and_go(elements: dict[str, str]) -> None:
    """Without its unit a figure is in tenths if the RSRP is; with its unit never."""
    assert of(SIGNAL, **{**FIGURES, **elements}).cell == of(SIGNAL, **FIGURES).cell


def test_fillers_are_no_figures() -> None:
    """0 dBm and the like is how some firmwares say nothing."""
    assert (
        of(SIGNAL, rsrp="0dBm", rsrq="0dB", rssi="0dBm", sinr="255dB", pci="65535", cell_id="0").cell
        == Cell()
    )


def test_5g_beside_4g_and_5g_alone() -> None:
    """5G figures beside a 4G mode are 5G NSA; alone they are the serving cell, with the plain PCI."""
    five = {"nrrsrp": "-91dBm", "nrrsrq": "-11.0dB", "nrsinr": "14dB", "nrearfcn": "636000"}
    beside = of(SIGNAL, **FIGURES, **five, scc_pci="612")
    assert (beside.network, beside.cell.rsrp_dbm) == (Network.G5_NSA, -97)
    assert beside.nr == Cell(None, 636_000, 612, None, -91, -11, 14, None)
    alone = of(SIGNAL, **five, mode="12", pci="612", band="100MHz@636000(N78)")
    assert (alone.network, alone.nr) == (Network.G5_SA, None)
    assert alone.cell == Cell("n78", 636_000, 612, None, -91, -11, 14, None)
    blank = of(SIGNAL, **FIGURES, nrrsrp=None, nrsinr="")
    assert (blank.network, blank.nr) == (Network.G4, None)


@pytest.mark.parametrize(
    ("kind", "kind_ex", "network"),
    [
        ("19", "101", Network.G4),
        ("19", "1011", Network.G4),
        ("9", "46", Network.G3),
        ("3", "3", Network.G2),
        (None, "111", Network.G5_SA),
        ("0", "0", None),
        ("19", None, Network.G4),
        ("41", None, None),
        ("41", "41", Network.G3),
        ("41", "1011", Network.G4),
    ],
)
def test_technology_without_a_radio_page(
    kind: str | None, kind_ex: str | None, network: Network | None
) -> None:
    """The finer field goes first; 41 alone means one thing here and another there."""
    assert of(STATUS, CurrentNetworkType=kind, CurrentNetworkTypeEx=kind_ex).network is network


def test_a_blank_radio_page_leaves_the_technology() -> None:
    """Some modems show no figures although they are online."""
    reading = understand({SIGNAL: {"mode": "7", "rsrp": None}, STATUS: {"ConnectionStatus": "901"}})
    assert (reading.network, reading.data, reading.cell) == (Network.G4, DataState.CONNECTED, Cell())


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ({"ServiceStatus": "2", "RoamingStatus": "0"}, Registration.HOME),
        ({"ServiceStatus": "2", "RoamingStatus": "1"}, Registration.ROAMING),
        ({"ServiceStatus": "1", "SimStatus": "1"}, Registration.DENIED),
        ({"ServiceStatus": "1", "SimStatus": "255"}, Registration.NONE),
        ({"ServiceStatus": "1", "SimStatus": "0"}, Registration.NONE),
        ({"ServiceStatus": "0", "SimStatus": "1"}, Registration.SEARCHING),
        ({"ServiceStatus": "2", "flymode": "1"}, Registration.NONE),
        ({"ConnectionStatus": "901", "RoamingStatus": "0"}, Registration.HOME),
        ({"ConnectionStatus": "902"}, None),
        ({}, None),
    ],
)
def test_registration(status: dict[str, str], state: Registration | None) -> None:
    """Emergency calls only is a refusal for a good card, and nothing for a bad one."""
    assert of(STATUS, **status).registration is state


@pytest.mark.parametrize(
    ("pin", "status", "state"),
    [
        ({"SimState": "257"}, {}, Sim.READY),
        ({"SimState": "258"}, {}, Sim.READY),
        ({"SimState": "255"}, {}, Sim.MISSING),
        ({"SimState": "256"}, {}, Sim.MISSING),
        ({"SimState": "260"}, {}, Sim.PIN),
        ({"SimState": "261", "SimPukTimes": "9"}, {}, Sim.PUK),
        ({"SimState": "261", "SimPukTimes": "0"}, {}, Sim.BLOCKED),
        ({"SimState": "257"}, {"simlockStatus": "1"}, Sim.BLOCKED),
        ({}, {"SimStatus": "1"}, Sim.READY),
        ({}, {"SimStatus": "255"}, Sim.MISSING),
        ({}, {"SimStatus": "0"}, None),
        ({}, {}, None),
    ],
)
def test_card(pin: dict[str, str], status: dict[str, str], state: Sim | None) -> None:
    """The page about the PIN tells more than the status."""
    assert understand({PIN: pin, STATUS: status}).sim is state


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("900", DataState.CONNECTING),
        ("901", DataState.CONNECTED),
        ("902", DataState.DISCONNECTED),
        ("903", DataState.DISCONNECTING),
        ("904", DataState.DISCONNECTED),
        ("905", DataState.DISCONNECTED),
        ("7", DataState.REFUSED),
        ("12", DataState.REFUSED),
        ("33", DataState.REFUSED),
        ("201", DataState.REFUSED),
        ("9999", None),
        ("", None),
    ],
)
def test_session(code: str, state: DataState | None) -> None:
    """Refusals of the operator are told from a session that is merely not there."""
    assert of(STATUS, ConnectionStatus=code).data is state


def test_operator() -> None:
    """Name and code; a name that is only the code is none."""
    assert of(OPERATOR, FullName="Orange F", Numeric="20801") == Signal(operator="Orange F", plmn="20801")
    assert of(OPERATOR, FullName="20801", Numeric="20801") == Signal(plmn="20801")
    assert of(OPERATOR, FullName=None, ShortName="Free", Numeric="x") == Signal(operator="Free")


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("50GB", 53_687_091_200),
        ("500MB", 524_288_000),
        ("1.5 gb", 1_610_612_736),
        ("0MB", None),
        ("", None),
        ("none", None),
        ("100", 100),
    ],
)
def test_bytes_of_the_month(limit: str, value: int | None) -> None:
    """Both directions together; a plan of 0 is none."""
    use = {"CurrentMonthDownload": "3000000000", "CurrentMonthUpload": "150000000"}
    assert understand({MONTH: use, PLAN: {"DataLimit": limit}}).month == DataUse(3_150_000_000, value)


def test_half_a_month_is_none() -> None:
    """One direction alone would be too little."""
    assert of(MONTH, CurrentMonthDownload="3", CurrentMonthUpload=None).month is None


def test_device() -> None:
    """Model and firmware, with either page."""
    full = of(INFORMATION, DeviceName="B535-232", SoftwareVersion="11.0.1.1&#40;X&#41;", uptime="1801")
    assert (full.model, full.firmware, full.uptime_s) == ("Huawei B535-232", "11.0.1.1(X)", 1801)
    assert of(BASIC, devicename="H122-373").model == "Huawei H122-373"
    assert of(BASIC, spreadname_en="HUAWEI 5G CPE Pro 2").model == "HUAWEI 5G CPE Pro 2"


def test_address() -> None:
    """From either page; zeros are none."""
    assert of(STATUS, WanIPAddress="10.6.6.25").wan_address == "10.6.6.25"
    assert of(INFORMATION, WanIPAddress="100.71.4.9").is_cgnat
    assert of(STATUS, WanIPAddress="0.0.0.0").wan_address is None


def test_nothing_is_nothing() -> None:
    """Without pages everything is unknown."""
    assert understand({}) == Signal()
    assert replace(Signal()) == understand({SIGNAL: {}, STATUS: {}})
