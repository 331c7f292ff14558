"""Whatever a modem says, the parsers make a reading of it: no exception, no figure that cannot be true."""

from __future__ import annotations

from dataclasses import fields

from hypothesis import example, given
from hypothesis import strategies as st

from hardware import huawei_fields, radio
from hardware.at_dialects import IDENTITY, IDENTITY_AT_ONCE, identify, understand
from hardware.at_lines import Answer, hexadecimal, is_final, number, rows, split, whole
from hardware.ports import Cell, Signal

PREFIXES = """+CSQ +CESQ +CREG +CGREG +CEREG +C5GREG +COPS +CPIN +CGACT +CGPADDR +QENG +QCSQ +QNWINFO +CPSI
    ^HCSQ ^SYSINFOEX ^MONSC !GSTATUS""".split()  # noqa: SIM905
LABELS = [
    "System mode",
    "LTE band",
    "LTE Rx chan",
    "PCC RxM RSSI",
    "RSRP (dBm)",
    "RSRQ (dB)",
    "SINR (dB)",
    "Cell ID",
    "Current Time",
    "EMM state",
    "NR5G band",
    "NR5G RSRP (dBm)",
    "NR5G SINR (dB)",
]
WORDS = """servingcell NOCONN SEARCH LIMSRV LTE NR5G-SA NR5G-NSA NR5G_SA NR5G_NSA GSM WCDMA FDD TDD Online
    208-99 EUTRAN-BAND20 NR5G_BAND78 - -- --- READY 0x4FBB 1A0D302 FFFFFFF 208 99 20899 ENDC
    Registered""".split()  # noqa: SIM905
field = st.one_of(
    st.sampled_from(WORDS),
    st.integers(-40_000, 700_000).map(str),
    st.floats(-2000, 2000).map(lambda value: f"{value:.1f}"),
    st.text(max_size=8),
)
quoted = st.tuples(field, st.booleans()).map(lambda pair: f'"{pair[0]}"' if pair[1] else pair[0])
prefixed = st.tuples(
    st.sampled_from(PREFIXES), st.sampled_from([":", ": "]), st.lists(quoted, max_size=20)
).map(lambda parts: parts[0] + parts[1] + ",".join(parts[2]))
labelled = st.tuples(st.sampled_from(LABELS), field).map(lambda pair: f"{pair[0]}:  {pair[1]}")
line = st.one_of(prefixed, labelled, st.text(max_size=60))
answer = st.builds(
    Answer,
    st.sampled_from([*IDENTITY, IDENTITY_AT_ONCE, "AT+CPIN?", "AT+CSQ", ""]),
    st.lists(line, max_size=6).map(tuple),
    st.sampled_from(["OK", "ERROR", "+CME ERROR: 10", "+CME ERROR: x", "+CME ERROR: 99999999999"]),
)


def check_cell(cell: Cell) -> None:
    for figure, bounds in (
        (cell.rsrp_dbm, radio.RSRP_DBM),
        (cell.rsrq_db, radio.RSRQ_DB),
        (cell.sinr_db, radio.SINR_DB),
        (cell.rssi_dbm, radio.RSSI_DBM),
    ):
        assert figure is None or bounds[0] <= figure <= bounds[1]
    assert all(value is None or value >= 0 for value in (cell.channel, cell.pci, cell.cell_id))
    assert cell.rsrp_dbm != 0
    assert cell.rssi_dbm != 0
    assert cell.rsrq_db != 0


def check(reading: Signal) -> None:
    check_cell(reading.cell)
    if reading.nr is not None:
        check_cell(reading.nr)
    assert reading.plmn is None or (reading.plmn.isdecimal() and len(reading.plmn) in (5, 6))
    assert reading.is_cgnat in (True, False, None)
    assert reading.is_public in (True, False, None)
    assert reading.enb_id is None or reading.enb_id >= 0
    assert not any(getattr(reading, part.name) == "" for part in fields(reading))


@given(answers=st.lists(answer, max_size=8))
@example(answers=[Answer("", ("+CGPADDR: 1,1.2.3.4.5", "+COPS: 0,0,", "+CREG: 1,,,"), "OK")])
def test_any_serial_answers_are_a_reading(answers: list[Answer]) -> None:
    """Also with every maker's lines mixed."""
    check(understand(answers))
    identity = identify(answers)
    assert identity.dialect.questions


@given(text=st.text(max_size=200))
def test_any_line_can_be_taken_apart(text: str) -> None:
    """Fields never hold a quote; numbers are numbers or nothing."""
    for part in split(text):
        assert '"' not in part
        assert number(part) is None or abs(number(part) or 0) < 1e9
        assert whole(part) is None or (whole(part) or 0) >= 0
        assert hexadecimal(part) is None or (hexadecimal(part) or 0) >= 0
    assert is_final(text) in (True, False)
    assert all(isinstance(fields, list) for fields in rows([text], "+CSQ"))


NAMES = """rsrp rsrq sinr rssi nrrsrp nrrsrq nrsinr nrrssi mode band bandInfo nrband pci scc_pci cell_id
    earfcn nrearfcn plmn ConnectionStatus CurrentNetworkType CurrentNetworkTypeEx ServiceStatus RoamingStatus
    SimStatus simlockStatus flymode WanIPAddress SimState SimPukTimes FullName Numeric DeviceName devicename
    SoftwareVersion uptime CurrentMonthDownload CurrentMonthUpload DataLimit""".split()  # noqa: SIM905
element = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.integers(-10_000, 10_000_000_000).map(str),
    st.sampled_from(
        [
            "-89dBm",
            "-7.0dB",
            ">=-51dBm",
            "&lt;-20dB",
            "&amp;lt;-20dB",
            "-900",
            "DL:6300 UL:24300",
            "7",
            "12",
            "901",
            "100MHz@627264(N78)",
            "50GB",
            "5.5 MB",
            "0MB",
            "26202",
            "255",
            "257",
            "0",
            "0dBm",
            "101",
            "10.0.0.1",
        ]
    ),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
    st.lists(st.text(max_size=3), max_size=2),
    st.integers(),
)
page = st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=6)), element, max_size=14)
ENDPOINTS = (
    huawei_fields.SIGNAL,
    huawei_fields.STATUS,
    huawei_fields.OPERATOR,
    huawei_fields.PIN,
    huawei_fields.INFORMATION,
    huawei_fields.BASIC,
    huawei_fields.MONTH,
    huawei_fields.PLAN,
)


@given(pages=st.dictionaries(st.sampled_from(ENDPOINTS), page))
def test_any_pages_are_a_reading(pages: dict[str, dict[str, object]]) -> None:
    """Elements may hold anything that XML or JSON can, nested ones included."""
    reading = huawei_fields.understand(pages)
    check(reading)
    assert reading.month is None or reading.month.used_bytes >= 0
