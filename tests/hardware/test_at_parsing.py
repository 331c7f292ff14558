"""Answers of serial modems, one by one: the standards' scales, the makers' forms, and what is unknown."""

from __future__ import annotations

import pytest

from hardware import at_3gpp, at_huawei, at_quectel, at_sierra, at_simcom, radio
from hardware.at_dialects import DIALECTS, GENERIC, Identity, identify, understand
from hardware.at_lines import Answer, is_final, rows, split
from hardware.ports import Cell, DataState, Network, Registration, Signal, Sim


def cell(**figures: object) -> Signal:
    return Signal(cell=Cell(**figures))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ('0,0,"vodafone.de Hologram",7', ["0", "0", "vodafone.de Hologram", "7"]),
        ('0,2,"a,b",7', ["0", "2", "a,b", "7"]),
        ("", [""]),
        (' 1 , "x" ', ["1", "x"]),
        ('"open', ["open"]),
    ],
)
def test_fields_are_split_outside_quotes(text: str, fields: list[str]) -> None:
    """A comma inside quotes belongs to the field."""
    assert split(text) == fields


def test_a_line_is_known_by_its_prefix() -> None:
    """With or without a space, in either case; other lines are left out."""
    lines = ["+CSQ:20,99", "^RSSI:20", "+csq: 21,99", "+CSQX: 1", "CSQ: 2", "OK"]
    assert list(rows(lines, "+CSQ")) == [["20", "99"], ["21", "99"]]


@pytest.mark.parametrize("line", ["OK", "ERROR", "+CME ERROR: 10", "+CMS ERROR: 331", "COMMAND NOT SUPPORT"])
def test_final_lines_end_an_answer(line: str) -> None:
    """Whatever comes after one is no part of the answer."""
    assert is_final(line)


@pytest.mark.parametrize("line", ["OKAY", "+CREG: 1", "NO CARRIER", "RING", "", "+CME: 1", "Model: OK"])
def test_other_lines_do_not(line: str) -> None:
    """A report of a call that ended is not the end of an answer: nothing here dials."""
    assert not is_final(line)


@pytest.mark.parametrize(
    ("line", "rssi"),
    [
        ("+CSQ: 0,99", -113),
        ("+CSQ: 20,99", -73),
        ("+CSQ: 31,0", -51),
        ("+CSQ:17,99", -79),
        ("+CSQ: 99,99", None),
        ("+CSQ: 32,99", None),
        ("+CSQ: ,", None),
        ("+CSQ: -1,99", None),
    ],
)
def test_csq(line: str, rssi: float | None) -> None:
    """TS 27.007, 8.5: -113 dBm and 2 dB a step; 99 is unknown."""
    assert at_3gpp.csq([line]) == cell(rssi_dbm=rssi)


def test_the_newest_report_counts() -> None:
    """A report after the answer tells the state now."""
    assert at_3gpp.csq(["+CSQ: 10,99", "+CSQ: 20,99"]) == cell(rssi_dbm=-73)


@pytest.mark.parametrize(
    ("line", "reading"),
    [
        ("+CESQ: 99,99,255,255,12,40", cell(rsrq_db=-14, rsrp_dbm=-101)),
        ("+CESQ: 99,99,255,255,0,0", cell(rsrq_db=-20, rsrp_dbm=-141)),
        ("+CESQ: 99,99,255,255,34,97", cell(rsrq_db=-3, rsrp_dbm=-44)),
        ("+CESQ: 99,99,255,255,255,255", Signal()),
        ("+CESQ: 99,99,255,255,35,98", Signal()),
        ("+CESQ: 63,0,255,255,255,255", cell(rssi_dbm=-48)),
        ("+CESQ: 99,99,96,49,255,255", cell(rssi_dbm=-25)),
        (
            "+CESQ: 99,99,255,255,12,40,255,255,255",
            cell(rsrq_db=-14, rsrp_dbm=-101),
        ),
        (
            "+CESQ: 99,99,255,255,255,255,75,52,57",
            cell(rsrq_db=-6, rsrp_dbm=-105, sinr_db=5),
        ),
        (
            "+CESQ: 17,99,255,255,4,55,75,52,57",
            Signal(cell=Cell(rsrq_db=-18, rsrp_dbm=-86), nr=Cell(rsrq_db=-6, rsrp_dbm=-105, sinr_db=5)),
        ),
        ("+CESQ:", Signal()),
    ],
)
def test_cesq(line: str, reading: Signal) -> None:
    """TS 27.007, 8.69: six fields, nine on 5G modems; 5G alone is the serving cell, beside 4G it is not."""
    assert at_3gpp.cesq([line]) == reading


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        (["+CEREG: 0,1"], Registration.HOME),
        (['+CEREG: 2,5,"3584","00EF4A08",7'], Registration.ROAMING),
        (["+CEREG: 0,2"], Registration.SEARCHING),
        (["+CEREG: 0,3"], Registration.DENIED),
        (["+CEREG: 0,0"], Registration.NONE),
        (["+CEREG: 0,8"], Registration.DENIED),
        (["+CEREG: 0,4"], None),
        (["+CEREG: 0,11"], None),
        # As a report: the state comes first.
        (['+CREG: 5,"792D","04947221"'], Registration.ROAMING),
        (["+CREG: 1,792D,04947221"], Registration.HOME),
        (["+C5GREG: 0"], Registration.NONE),
        # The best of those that speak of data; the voice network only without these.
        (["+CREG: 0,1", "+CEREG: 0,2"], Registration.SEARCHING),
        (["+CEREG: 0,0", "+C5GREG: 0,1"], Registration.HOME),
        (["+CGREG: 0,3", "+CEREG: 0,2"], Registration.DENIED),
        (["+CREG: 0,1"], Registration.HOME),
        (["+CREG:"], None),
        ([], None),
    ],
)
def test_registration(lines: list[str], state: Registration | None) -> None:
    """TS 27.007, 10.1.20 to 10.1.22, as an answer and as a report."""
    assert at_3gpp.registration(lines).registration is state


def test_registration_names_cell_and_technology() -> None:
    """The cell is to base 16; a modem that is not registered has none."""
    reading = at_3gpp.registration(['+CEREG: 2,1,"3584","00EF4A08",7'])
    assert (reading.network, reading.cell.cell_id) == (Network.G4, 0xEF4A08)
    assert reading.enb_id == 0xEF4A
    assert at_3gpp.registration(['+CEREG: 2,2,"FFFE","FFFFFFF",7']) == Signal(
        registration=Registration.SEARCHING
    )


@pytest.mark.parametrize(
    ("lines", "reading"),
    [
        (['+COPS: 0,0,"F SFR",7'], Signal(operator="F SFR", network=Network.G4)),
        (['+COPS: 0,2,"26803",7'], Signal(plmn="26803", network=Network.G4)),
        (["+COPS: 0,2,310260,13"], Signal(plmn="310260", network=Network.G5_NSA)),
        (
            ['+COPS: 0,0,"A",11', '+COPS: 0,2,"20801",11'],
            Signal(operator="A", plmn="20801", network=Network.G5_SA),
        ),
        (["+COPS: 0"], Signal()),
        (['+COPS: 0,0,"004F00720061006E00670065",7'], Signal(operator="Orange", network=Network.G4)),
        (['+COPS: 0,0,"00010002",7'], Signal(operator="00010002", network=Network.G4)),
        (['+COPS: 0,0,"Old",0'], Signal(operator="Old", network=Network.G2)),
        (['+COPS: 0,0,"Odd",42'], Signal(operator="Odd")),
    ],
)
def test_operator(lines: list[str], reading: Signal) -> None:
    """TS 27.007, 7.3: a name, a code, and the technology in use."""
    assert at_3gpp.operator(lines) == reading


@pytest.mark.parametrize(
    ("lines", "final", "state"),
    [
        (["+CPIN: READY"], "OK", Sim.READY),
        (["+CPIN:READY"], "OK", Sim.READY),
        (["+CPIN: SIM PIN"], "OK", Sim.PIN),
        (["+CPIN: SIM PUK"], "OK", Sim.PUK),
        (["+CPIN: SIM PIN2"], "OK", Sim.READY),
        (["+CPIN: PH-NET PIN"], "OK", Sim.BLOCKED),
        ([], "+CME ERROR: 10", Sim.MISSING),
        ([], "+CME ERROR: 13", Sim.MISSING),
        ([], "+CME ERROR: SIM not inserted", Sim.MISSING),
        ([], "+CME ERROR: 11", Sim.PIN),
        ([], "+CME ERROR: SIM PUK required", Sim.PUK),
        ([], "+CME ERROR: 14", None),
        ([], "ERROR", None),
        (["+CPIN: SOMETHING NEW"], "OK", None),
    ],
)
def test_sim(lines: list[str], final: str, state: Sim | None) -> None:
    """TS 27.007, 8.3 and 9.2: the code, or the error instead of it."""
    assert at_3gpp.sim([Answer("AT+CPIN?", tuple(lines), final)]).sim is state


def test_an_error_of_another_question_says_nothing_of_the_card() -> None:
    """Only the card's own question counts."""
    assert at_3gpp.sim([Answer("AT+COPS?", (), "+CME ERROR: 10")]) == Signal()


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        (["+CGACT: 1,1", "+CGACT: 2,0"], DataState.CONNECTED),
        (["+CGACT: 1,0"], DataState.DISCONNECTED),
        (["+CGACT: 1,"], None),
        ([], None),
    ],
)
def test_data_state(lines: list[str], state: DataState | None) -> None:
    """One active context is enough."""
    assert at_3gpp.data_state(lines).data is state


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ('+CGPADDR: 1,"10.45.0.5"', "10.45.0.5"),
        ("+CGPADDR: 1,10.45.0.5", "10.45.0.5"),
        ('+CGPADDR: 1,"0.0.0.0"', None),
        ('+CGPADDR: 1,"0.0.0.0","0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"', None),
        ('+CGPADDR: 1,"36.1.2.3.4.5.6.7.8.9.10.11.12.13.14.15","100.64.1.2"', "100.64.1.2"),
        ('+CGPADDR: 1,"2a01:cb00::1"', None),
        ("+CGPADDR: 1", None),
    ],
)
def test_address(line: str, address: str | None) -> None:
    """The first IPv4 address of a context that has one."""
    assert at_3gpp.address([line]).wan_address == address


@pytest.mark.parametrize(
    ("address", "is_cgnat", "is_public"),
    [
        ("100.64.0.0", True, False),
        ("100.127.255.255", True, False),
        ("100.128.0.0", False, True),
        ("10.6.6.25", False, False),
        ("9.9.9.9", False, True),
        ("2a01:cb00::1", False, True),
        (None, None, None),
        ("nonsense", None, None),
    ],
)
def test_kind_of_address(address: str | None, is_cgnat: bool | None, is_public: bool | None) -> None:
    """RFC 6598: 100.64.0.0/10 is shared."""
    signal = Signal(wan_address=address)
    assert (signal.is_cgnat, signal.is_public) == (is_cgnat, is_public)


def test_qeng_of_4g() -> None:
    """Cell and area are to base 16, the rest is decimal; a dash is unknown."""
    line = '+QENG: "servingcell","NOCONN","LTE","FDD",208,99,1A0D302,214,6300,20,3,3,4FBB,-97,-11,-67,8,-'
    assert at_quectel.qeng([line]) == Signal(
        network=Network.G4,
        plmn="20899",
        cell=Cell("B20", 6300, 214, 0x1A0D302, -97, -11, 8, -67),
    )
    blank = '+QENG: "servingcell","CONNECT","LTE","FDD",208,99,1A0D302,214,6300,20,3,3,4FBB,-,-32768,0,-,-'
    reading = at_quectel.qeng([blank]).cell
    assert (reading.rsrp_dbm, reading.rsrq_db, reading.rssi_dbm, reading.sinr_db) == (None,) * 4


def test_qeng_of_5g_nsa_is_on_three_lines() -> None:
    """The 4G cell leads, the 5G carrier is beside it; old firmware leaves its last fields out."""
    lines = [
        '+QENG: "servingcell","NOCONN"',
        '+QENG: "LTE","FDD",208,99,1A0D302,214,1575,3,5,5,4FBB,-97,-11,-67,8,9,230,-',
        '+QENG:"NR5G-NSA",208,99,612,-91,14,-11,636000,78,12,1',
    ]
    reading = at_quectel.qeng(lines)
    assert (reading.network, reading.cell.band) == (Network.G5_NSA, "B3")
    assert reading.nr == Cell("n78", 636_000, 612, None, -91, -11, 14, None)
    old = at_quectel.qeng([*lines[:2], '+QENG:"NR5G-NSA",208,99,612,-91,180,-11']).nr
    assert old == Cell(pci=612, rsrp_dbm=-91, rsrq_db=-11)


def test_qeng_of_5g_sa() -> None:
    """The area stands before the channel, unlike 4G."""
    where = '"NR5G-SA","TDD",208,99,18A0D3021,612,4FBB00,636000,78'
    line = f'+QENG: "servingcell","NOCONN",{where},12,-91,-11,14,1,-'
    reading = at_quectel.qeng([line])
    assert reading.network is Network.G5_SA
    assert reading.cell == Cell("n78", 636_000, 612, 0x18A0D3021, -91, -11, 14, None)
    assert reading.enb_id is None


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ('+QENG: "servingcell","SEARCH"', Registration.SEARCHING),
        ('+QENG: "servingcell","LIMSRV"', Registration.DENIED),
        ('+QENG: "servingcell","NOCONN"', None),
        ("+QENG:", None),
    ],
)
def test_qeng_without_a_cell(line: str, state: Registration | None) -> None:
    """A state alone tells what the modem does."""
    assert at_quectel.qeng([line]) == Signal(registration=state)


@pytest.mark.parametrize(
    ("value", "rsrq", "db"),
    [
        (12, -11, 12),
        (30, -5, 30),
        (-9, -19, -9),
        (55, -18, -9),
        (195, -10, 19),
        (250, -4, 30),
        (0, -11, 0),
        (5, -20, -19),
        (15, None, 15),
        (-32768, -11, None),
        (251_000, -11, None),
        (None, -11, None),
    ],
)
def test_fifths_are_told_from_decibels(value: float | None, rsrq: float | None, db: float | None) -> None:
    """By what RSRQ such a noise would leave."""
    assert radio.fifth_or_db(value, rsrq) == db


@pytest.mark.parametrize(
    ("line", "reading"),
    [
        (
            '+QCSQ: "LTE",-52,-81,195,-10',
            Signal(network=Network.G4, cell=Cell(rssi_dbm=-52, rsrp_dbm=-81, sinr_db=19, rsrq_db=-10)),
        ),
        (
            '+QCSQ: "NR5G",-75,4,-11',
            Signal(network=Network.G5_SA, cell=Cell(rsrp_dbm=-75, sinr_db=4, rsrq_db=-11)),
        ),
        (
            '+QCSQ: "NR5G-SA",-51,-80,2,-11',
            Signal(network=Network.G5_SA, cell=Cell(rssi_dbm=-51, rsrp_dbm=-80, sinr_db=2, rsrq_db=-11)),
        ),
        ('+QCSQ: "GSM",-70', Signal(network=Network.G2, cell=Cell(rssi_dbm=-70))),
        ('+QCSQ: "GSM"', Signal()),
        ('+QCSQ: "NOSERVICE"', Signal()),
        ('+QCSQ: "LTE",-52', Signal()),
    ],
)
def test_qcsq(line: str, reading: Signal) -> None:
    """2G has one figure, 5G three or four; a line too short for its technology is nothing."""
    assert at_quectel.qcsq([line]) == reading


def test_qnwinfo() -> None:
    """Band, code and channel."""
    assert at_quectel.qnwinfo(['+QNWINFO: "FDD LTE","20899","LTE BAND 20",6300']) == Signal(
        plmn="20899", cell=Cell(band="B20", channel=6300)
    )
    assert at_quectel.qnwinfo(["+QNWINFO: No Service"]) == Signal()


@pytest.mark.parametrize(
    ("line", "reading"),
    [
        (
            "+CPSI: LTE,Online,208-99,0x4FBB,27316994,214,EUTRAN-BAND20,6300,3,3,-122,-1184,-874,9",
            Signal(
                network=Network.G4,
                plmn="20899",
                cell=Cell("B20", 6300, 214, 27_316_994, -118.4, -12.2, -2, -87.4),
            ),
        ),
        (
            "+CPSI: LTE CAT-M1,Online,208-99,0x4FBB,27316994,214,EUTRAN-BAND20,6300,3,3,-11,-80,-58,15",
            Signal(
                network=Network.G4, plmn="20899", cell=Cell("B20", 6300, 214, 27_316_994, -80, -11, 10, -58)
            ),
        ),
        (
            "+CPSI: NR5G_SA,Online,208-99,0x4FBB,4955280,0,NR5G_BAND78,640704,-740,-110,240",
            Signal(
                network=Network.G5_SA,
                plmn="20899",
                cell=Cell("n78", 640_704, 0, 4_955_280, -74, -11, 24, None),
            ),
        ),
        (
            "+CPSI: GSM,Online,208-99,0x011f,14822,4 EGSM 900,-67,0,40-40",
            Signal(network=Network.G2, plmn="20899", cell=Cell(channel=4, cell_id=14_822, rssi_dbm=-67)),
        ),
        ("+CPSI: NO SERVICE,Online", Signal(registration=Registration.SEARCHING)),
        ("+CPSI: NO SERVICE,Low Power Mode", Signal()),
        ("+CPSI: LTE,Online", Signal(network=Network.G4)),
    ],
)
def test_cpsi(line: str, reading: Signal) -> None:
    """Tenths on some modules, whole figures on others; RSSNR is half the SINR above -20."""
    assert at_simcom.cpsi([line]) == reading


def test_cpsi_of_5g_nsa_is_on_two_lines() -> None:
    """The 4G cell leads."""
    reading = at_simcom.cpsi(
        [
            "+CPSI: LTE,Online,208-99,0x4FBB,27316994,214,EUTRAN-BAND3,1850,5,5,-94,-850,-545,15",
            "+CPSI: NR5G_NSA,612,NR5G_BAND78,636000,-760,-110,180",
        ]
    )
    assert (reading.network, reading.cell.band, reading.cell.rsrp_dbm) == (Network.G5_NSA, "B3", -85)
    assert reading.nr == Cell("n78", 636_000, 612, None, -76, -11, 18, None)


@pytest.mark.parametrize(
    ("line", "reading"),
    [
        (
            '^HCSQ:"LTE",48,35,86,14',
            Signal(network=Network.G4, cell=Cell(rssi_dbm=-73, rsrp_dbm=-106, sinr_db=-3, rsrq_db=-13)),
        ),
        (
            "^HCSQ: LTE,33,40,135,11",
            Signal(network=Network.G4, cell=Cell(rssi_dbm=-88, rsrp_dbm=-101, sinr_db=6.8, rsrq_db=-14.5)),
        ),
        (
            '^HCSQ: 2,0,"LTE",63,20,68,15',
            Signal(network=Network.G4, cell=Cell(rssi_dbm=-58, rsrp_dbm=-121, sinr_db=-6.6, rsrq_db=-12.5)),
        ),
        ('^HCSQ:"LTE",255,255,255,255', Signal(network=Network.G4)),
        ('^HCSQ:"WCDMA",30,30,58', Signal(network=Network.G3, cell=Cell(rssi_dbm=-91))),
        ('^HCSQ:"GSM",36,255', Signal(network=Network.G2, cell=Cell(rssi_dbm=-85))),
        ('^HCSQ:"NOSERVICE"', Signal()),
    ],
)
def test_hcsq(line: str, reading: Signal) -> None:
    """Steps by their lower edge; quoted or not, with a report setting before or not."""
    assert at_huawei.hcsq([line]) == reading


@pytest.mark.parametrize(
    ("line", "reading"),
    [
        (
            '^SYSINFOEX: 2,3,0,1,,6,"LTE",101,"LTE"',
            Signal(Network.G4, registration=Registration.HOME, sim=Sim.READY),
        ),
        (
            '^SYSINFOEX:2,3,1,1,,3,"WCDMA",46,"x"',
            Signal(Network.G3, registration=Registration.ROAMING, sim=Sim.READY),
        ),
        ('^SYSINFOEX:1,0,0,1,,0,"NO SERVICE",0,""', Signal(registration=Registration.DENIED, sim=Sim.READY)),
        ('^SYSINFOEX:1,0,0,255,,0,"NO SERVICE",0,""', Signal(sim=Sim.MISSING)),
        ("^SYSINFOEX:", Signal()),
    ],
)
def test_sysinfoex(line: str, reading: Signal) -> None:
    """Restricted service with a good card is a refusal; without a card it is not."""
    assert at_huawei.sysinfoex([line]) == reading


def test_monsc() -> None:
    """Cell and PCI to base 16."""
    assert at_huawei.monsc(["^MONSC: LTE,208,99,6300,1A0D302,D6,4FBB,-97,-11,-67"]) == Signal(
        network=Network.G4,
        plmn="20899",
        cell=Cell(None, 6300, 214, 0x1A0D302, -97, -11, None, -67),
    )
    assert at_huawei.monsc(["^MONSC: NONE"]) == Signal()


GSTATUS_NSA = """!GSTATUS:
Current Time:  670              Temperature: 40
System mode:   ENDC             PS state:    Attached
LTE band:      B7               LTE bw:      20 MHz
LTE Rx chan:   3350             LTE Tx chan: 21350
EMM state:     Registered       Normal Service
PCC RxM RSSI:  -46              PCC RxM RSRP:  -72
PCC RxD RSSI:  -45              PCC RxD RSRP:  -71
Tx Power:      --               TAC:         0001 (1)
RSRQ (dB):     -6.0             Cell ID:     01a2d001 (27447297)
SINR (dB):     25.4

NR5G band:       n78            NR5G bw:         100 MHz
NR5G Rx chan:    636000         NR5G Tx chan:    636000
NR5G RSRP (dBm): -91            NR5G RSRQ (dB):  -11
NR5G SINR (dB):  14.0""".splitlines()


def test_gstatus() -> None:
    """4G labels are not mistaken for those of 5G; the clock counts from the module's boot."""
    reading = at_sierra.gstatus(GSTATUS_NSA)
    assert (reading.network, reading.uptime_s) == (Network.G5_NSA, 670)
    assert reading.cell == Cell("B7", 3350, None, 0x1A2D001, -72, -6, 25.4, -46)
    assert reading.nr == Cell("n78", 636_000, None, None, -91, -11, 14, None)


def test_gstatus_of_an_idle_5g_radio() -> None:
    """Dashes are no figures, and without them there is no 5G."""
    idle = [line if "NR5G" not in line else f"{line.split(':')[0]}: ---" for line in GSTATUS_NSA]
    reading = at_sierra.gstatus([line.replace("ENDC", "LTE ") for line in idle])
    assert (reading.network, reading.nr) == (Network.G4, None)


@pytest.mark.parametrize(
    ("detail", "state"),
    [("Limited Service", Registration.DENIED), ("Searching", Registration.SEARCHING), ("No IMSI", None)],
)
def test_gstatus_without_service(detail: str, state: Registration | None) -> None:
    """Limited service is what a refused card gets."""
    lines = ["!GSTATUS:", "System mode:   NO SERVICE", f"EMM state:     Deregistered     {detail}"]
    assert at_sierra.gstatus(lines) == Signal(registration=state)


@pytest.mark.parametrize(
    ("answers", "identity", "dialect"),
    [
        (
            [Answer("AT+CGMI", ("Quectel",), "OK"), Answer("AT+CGMM", ("EC25",), "OK")],
            Identity("Quectel", "EC25", None),
            "Quectel",
        ),
        (
            [
                Answer("AT+CGMI", ("PB DONE", "^RSSI:20", "huawei"), "OK"),
                Answer("AT+CGMM", ('+CGMM: "E3372"',), "OK"),
            ],
            Identity("huawei", "E3372", None),
            "Huawei",
        ),
        (
            [
                Answer("AT+CGMI", (), "ERROR"),
                Answer(
                    "ATI",
                    ("Manufacturer: SIMCOM INCORPORATED", "Model: SIMCOM_SIM7600E-H", "Revision: V1.1"),
                    "OK",
                ),
            ],
            Identity("SIMCOM INCORPORATED", "SIMCOM_SIM7600E-H", "V1.1"),
            "SIMCom",
        ),
        (
            [Answer("ATI", ("Quectel", "EC25", "Revision: EC25EFAR06A06M4G"), "OK")],
            Identity("Quectel", "EC25", "EC25EFAR06A06M4G"),
            "Quectel",
        ),
        (
            [Answer("AT+CGMI", ("Sierra Wireless, Incorporated",), "OK")],
            Identity("Sierra Wireless, Incorporated"),
            "Sierra",
        ),
        ([Answer("AT+CGMI", ("Telit",), "OK")], Identity("Telit"), "3GPP"),
        ([], Identity(), "3GPP"),
    ],
)
def test_a_modem_is_known_by_its_answers(answers: list[Answer], identity: Identity, dialect: str) -> None:
    """By maker and model, with reports in between, or by ATI alone."""
    assert identify(answers) == identity
    assert identity.dialect.name == dialect


def test_the_maker_is_not_named_twice() -> None:
    """A label for people."""
    assert Identity("SIMCOM INCORPORATED", "SIMCOM_SIM7600E-H").label == "SIMCOM_SIM7600E-H"
    assert Identity("Quectel", "EC25").label == "Quectel EC25"
    assert Identity(None, "EC25").label == "EC25"
    assert Identity().label is None


def test_the_more_exact_answer_counts() -> None:
    """A maker's own figures go before the coarse ones of the standard, which fill the gaps."""
    reading = understand(
        [
            Answer("AT+CSQ", ("+CSQ: 20,99",), "OK"),
            Answer("AT+CESQ", ("+CESQ: 99,99,255,255,12,40",), "OK"),
            Answer(
                'AT+QENG="servingcell"',
                ('+QENG: "servingcell","NOCONN","LTE","FDD",208,99,1,2,6300,20,3,3,4,-97,-,-,8,-',),
                "OK",
            ),
            Answer("AT+COPS?", ('+COPS: 0,0,"A",7',), "OK"),
        ]
    )
    assert (reading.cell.rsrp_dbm, reading.cell.rsrq_db, reading.cell.rssi_dbm) == (-97, -14, -73)
    assert (reading.operator, reading.network) == ("A", Network.G4)


def test_a_5g_carrier_beside_4g_is_5g_nsa() -> None:
    """Also when the operator's answer still calls it 4G."""
    reading = understand(
        [
            Answer("AT+CESQ", ("+CESQ: 99,99,255,255,12,40,75,52,57",), "OK"),
            Answer("AT+COPS?", ('+COPS: 0,0,"A",7',), "OK"),
        ]
    )
    assert reading.network is Network.G5_NSA


def test_registration_goes_before_signal() -> None:
    """A good signal without registration is not a registration."""
    reading = understand(
        [Answer("AT+CSQ", ("+CSQ: 30,99",), "OK"), Answer("AT+CEREG?", ("+CEREG: 2,0",), "OK")]
    )
    assert (reading.registration, reading.cell.rssi_dbm) == (Registration.NONE, -53)


def test_no_question_scans_or_carries_a_pin() -> None:
    """Neither exists in any dialect."""
    questions = {question for dialect in (*DIALECTS, GENERIC) for question in dialect.questions}
    assert not any("=?" in question or "CPIN=" in question or "CLCK" in question for question in questions)
