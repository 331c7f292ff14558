"""Every real answer of a cellular modem that lies beside the project, and what the parsers make of it.

The table below names each file. A file without a reading says why; a file that is not in the table, and an
entry without its file, fail. The table of ``docs/modems.md`` is made of the same readings.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from device_samples import DEVICES, ROOT, conversations, pages, sample_files

from hardware import at_dialects, huawei_fields
from hardware.ports import Cell, Signal

pytestmark = pytest.mark.skipif(not DEVICES.is_dir(), reason=f"no real answers at {DEVICES}")

READINGS: dict[str, list[dict[str, Any]]] = {
    "at/e3372_stick_openbsd_dtac_th.txt": [
        {"network": "4G", "registration": "roaming", "rsrp": -102, "rsrq": -9, "sinr": -6, "rssi": -73},
        {"registration": "roaming", "sim": "ready", "rssi": -73, "model": "huawei E3372"},
    ],
    "at/not_registered_loops.txt": [
        {"registration": "searching"},
        {"registration": "none", "rssi": -53},
        {"registration": "none"},
    ],
    "at/quectel_qeng_real_lines.txt": [
        {
            "network": "4G",
            "plmn": "310260",
            "band": "B12",
            "rsrp": -104,
            "rsrq": -11,
            "sinr": 12,
            "rssi": -78,
        },
        {
            "network": "4G",
            "plmn": "302220",
            "band": "B66",
            "rsrp": -122,
            "rsrq": -19,
            "sinr": -9,
            "rssi": -82,
        },
        {
            "network": "5G NSA",
            "band": "B3",
            "rsrp": -70,
            "rsrq": -9,
            "sinr": 25,
            "rssi": -46,
            "nr": {"rsrp": -75, "rsrq": -11},
        },
        {},  # +QRSRP, the receivers one by one: not asked, +QENG tells the same
        {"network": "4G", "plmn": "44010", "band": "B19", "rsrp": -71, "rsrq": -5, "sinr": 30, "rssi": -47},
        {"network": "4G", "plmn": "302610", "band": "B2", "rsrp": -89, "rsrq": -8, "sinr": 17, "rssi": -61},
    ],
    "at/sierra_gstatus_weak_lte.txt": [
        {"network": "4G", "band": "B3", "rsrp": -112, "rsrq": -20, "sinr": -6.4, "rssi": -74},
    ],
    "at/sim7600_no_service_then_lte_id.txt": [
        {
            "network": "4G",
            "plmn": "51010",
            "band": "B40",
            "rsrp": -105.7,
            "rsrq": -20,
            "sinr": -12,
            "rssi": -66,
        },
    ],
    "at/sim7600e_pi_ppp_ch.txt": [
        {
            "network": "4G",
            "plmn": "22802",
            "band": "B20",
            "rsrp": -108.9,
            "rsrq": -17.8,
            "sinr": -4,
            "rssi": -74.2,
            "model": "SIMCOM_SIM7600E-H",
        },
        {},  # the log of a dial-up: nothing about the radio
    ],
    "at/simcom_7600_5360_ovms_de.txt": [
        {
            "network": "4G",
            "plmn": "26202",
            "registration": "roaming",
            "band": "B1",
            "rsrp": -118.4,
            "rsrq": -12.2,
            "sinr": -2,
            "rssi": -87.4,
        },
        {"network": "2G", "plmn": "26202", "registration": "roaming", "rssi": -67},
    ],
    "huawei_hilink/4g_pro_3/monitoring_status_partial.xml": [
        {"network": "4G", "registration": "home", "data": "connected"},
    ],
    "huawei_hilink/e3372_22.315/monitoring_status_901_partial.xml": [
        {"network": "4G", "registration": "home", "data": "connected"},
    ],
    "huawei_hilink/e3372_vodafone_de/device_signal.xml": [
        {"network": "4G", "plmn": "26202", "band": "B20", "rsrp": -89, "rsrq": -7, "sinr": 6, "rssi": -69},
    ],
    "huawei_hilink/e3372_vodafone_de/monitoring_status.xml": [
        {"network": "4G", "registration": "home", "sim": "ready", "data": "connected"},
    ],
    "huawei_hilink/e3372h-320_se/device_information.xml": [{"model": "Huawei E3372h-320"}],
    "huawei_hilink/e5573_mifi_3g/monitoring_status.xml": [
        {"network": "3G", "registration": "home", "sim": "ready", "data": "connected"},
    ],
    "huawei_hilink/e8372_blank_signal_while_online.json": [{"network": "4G"}],
    "huawei_hilink/h122-373_5g_nsa_partial.json": [{"model": "Huawei H122-373"}],
    "huawei_hilink/h168-383_5g_sa_observed.xml": [
        {
            "network": "5G SA",
            "plmn": "46011",
            "registration": "home",
            "data": "connected",
            "band": "n78",
            "rsrp": -70,
            "rsrq": -11,
            "sinr": 5,
            "rssi": -47,
            "model": "Huawei H168-383",
        },
    ],
    "huawei_hilink/lte_router_plmn26003/device_signal.xml": [
        {"network": "4G", "plmn": "26003", "band": "B7", "rsrp": -86, "rsrq": -14, "sinr": 10, "rssi": -61},
    ],
    "huawei_hilink/simless_stick/monitoring_status_902_sim255.xml": [
        {"network": "4G", "registration": "none", "sim": "missing", "data": "disconnected"},
    ],
}
WITHOUT_READING = {
    "at/mikrotik_rg650e_lte_monitor.txt": "RouterOS's own page about its modem, not an answer of the modem",
    "huawei_hilink/e3372_vodafone_de/error_125003.xml": "a dead session: the driver begins a new one",
    "huawei_hilink/e3372_vodafone_de/monitoring_traffic-statistics.xml": "counts of the session: not asked",
    "huawei_hilink/e3372_vodafone_de/webserver_SesTokInfo.xml": "begins a session, used by the library",
    "huawei_hilink/simless_stick/device_signal_blank.xml": "every element is empty: everything is unknown",
    "huawei_hilink/simless_stick/error_125002_no_session.xml": "no session: the driver begins one",
    "other/zte_mf79u_simless.json": "ZTE's own interface (goform): no driver",
    "other/zte_mf79u_without_referer_all_blank.json": "ZTE's own interface (goform): no driver",
}
DOCUMENT = ROOT / "docs" / "modems.md"
BEGIN, END = "<!-- samples -->", "<!-- end of samples -->"


def readings(name: str) -> list[Signal]:
    """What the drivers' parsers make of a file, one reading for each device in it."""
    if name.startswith("at/"):
        return [at_dialects.understand(answers) for answers in conversations(name)]
    if name.startswith("huawei_hilink/"):
        return [huawei_fields.understand(pages(name))]
    return []


def summary(reading: Signal) -> dict[str, Any]:
    """What is known of a reading, short; channels, cells, addresses and names of operators left out."""
    known: dict[str, Any] = {
        name: str(value)
        for name in ("network", "plmn", "registration", "sim", "data")
        if (value := getattr(reading, name)) is not None
    }
    known |= _figures(reading.cell)
    if reading.nr is not None:
        known["nr"] = _figures(reading.nr)
    if reading.model is not None:
        known["model"] = reading.model
    return known


def _figures(cell: Cell) -> dict[str, Any]:
    named = {"band": "band", "rsrp_dbm": "rsrp", "rsrq_db": "rsrq", "sinr_db": "sinr", "rssi_dbm": "rssi"}
    return {
        named[part.name]: value
        for part in fields(cell)
        if part.name in named and (value := getattr(cell, part.name)) is not None
    }


def _written(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def table() -> str:
    """The table of the document."""
    heads = ("network", "registration", "sim", "data", "band", "rsrp", "rsrq", "sinr", "rssi")
    rows = ["| file | " + " | ".join(heads) + " | more |", "|---" * (len(heads) + 2) + "|"]
    for name in sample_files():
        if name in WITHOUT_READING:
            rows.append(f"| {name} |" + " |" * len(heads) + f" {WITHOUT_READING[name]} |")
            continue
        for found in map(summary, readings(name)):
            cells = [_written(found.get(head, "")) for head in heads]
            more = (
                [f"5G: RSRP {found['nr']['rsrp']:g}, RSRQ {found['nr']['rsrq']:g}"] if "nr" in found else []
            )
            more += [found["model"]] if "model" in found else []
            more = more or ([] if found else ["nothing that is asked for"])
            rows.append(f"| {name} | " + " | ".join(cells) + f" | {', '.join(more)} |")
    return "\n".join(rows)


def test_no_file_is_left_out() -> None:
    """Each has its readings, or its reason for none."""
    assert set(sample_files()) == set(READINGS) | set(WITHOUT_READING)
    assert not set(READINGS) & set(WITHOUT_READING)


@pytest.mark.parametrize("name", sorted(READINGS))
def test_a_file_yields_what_the_device_said(name: str) -> None:
    """Read off the raw text by a person, by the scales of the makers' documents."""
    assert [summary(reading) for reading in readings(name)] == READINGS[name]


@pytest.mark.parametrize("name", sorted(WITHOUT_READING))
def test_a_file_without_a_reading_yields_none(name: str) -> None:
    """Everything stays unknown; nothing becomes 0."""
    assert all(reading == Signal() for reading in readings(name))


def test_base_stations_agree_with_the_devices_own() -> None:
    """The number that follows from the cell is the one that the device tells where it tells both."""
    name = "huawei_hilink/e3372_vodafone_de/device_signal.xml"
    assert readings(name)[0].enb_id == int(pages(name)["device/signal"]["enodeb_id"])
    monitor = dict(
        line.strip().split(": ", 1)
        for line in (DEVICES / "at/mikrotik_rg650e_lte_monitor.txt").read_text().splitlines()
        if ": " in line
    )
    assert int(monitor["current-cellid"]) >> 8 == int(monitor["enb-id"])


def test_the_document_has_these_readings() -> None:
    """A table that differs is printed as it should be."""
    written = DOCUMENT.read_text().partition(BEGIN)[2].partition(END)[0].strip()
    assert written == table()


def test_the_samples_are_found_where_this_says() -> None:
    """Beside the project."""
    assert Path(ROOT / "pyproject.toml").is_file()
