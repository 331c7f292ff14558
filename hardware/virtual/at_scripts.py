"""What virtual AT modems of several makers say, in the form of real ones. Pure. All values are invented.

One script per kind of module: each answers the questions of ``hardware.at_dialects`` with its own spacing,
quoting and line order.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hardware.ports import Network, Registration, Sim
from hardware.virtual.at_state import (
    COMMON,
    ON_4G,
    ON_5G,
    AtState,
    Say,
    always,
    cesq_nine,
    dash,
    registered,
)


@dataclass(frozen=True, slots=True)
class Script:
    """A kind of module.

    Attributes:
        model: its name.
        answers: to each command that it knows.
        reports: lines that it puts between, unasked.
    """

    model: str
    answers: dict[str, Say]
    reports: tuple[str, ...] = field(default=())


def _identity(maker: str, model: str, firmware: str, at_once: str = "", prefix: str = "") -> dict[str, Say]:
    labels = f"Manufacturer: {maker}\r\nModel: {model}\r\nRevision: {firmware}\r\n+GCAP: +CGSM,+DS,+ES"
    return {
        "AT+CGMI": always(maker),
        "AT+CGMM": always(model),
        "AT+CGMR": always(prefix + firmware),
        "ATI": always(at_once or labels),
    }


def _qeng(state: AtState) -> str:
    head = '+QENG: "servingcell"'
    mcc, mnc = state.plmn[:3], state.plmn[3:]
    if not state.has_service or state.network is None:
        return f'{head},"{"LIMSRV" if state.registration is Registration.DENIED else "SEARCH"}"'
    lte = (
        f'"LTE","FDD",{mcc},{mnc},{state.cell_id:X},{state.pci},{state.channel},{state.band},3,3,4FBB,'
        f"{dash(state.rsrp_dbm)},{dash(state.rsrq_db)},{dash(state.rssi_dbm)},{dash(state.sinr_db)},12,-"
    )
    if state.network is Network.G5_NSA:
        nr = (
            f'+QENG: "NR5G-NSA",{mcc},{mnc},{state.nr_pci},{state.nr_rsrp_dbm},{state.nr_sinr_db},'
            f"{state.nr_rsrq_db},{state.nr_channel},{state.nr_band},12,1"
        )
        return f'{head},"NOCONN"\r\n+QENG: {lte}\r\n{nr}'
    if state.network is Network.G5_SA:
        return (
            f'{head},"NOCONN","NR5G-SA","TDD",{mcc},{mnc},{state.cell_id:X},{state.nr_pci},4FBB,'
            f"{state.nr_channel},{state.nr_band},12,{state.nr_rsrp_dbm},{state.nr_rsrq_db},{state.nr_sinr_db},1,-"
        )
    if state.network is Network.G3:
        return f'{head},"NOCONN","WCDMA",{mcc},{mnc},4FBB,{state.cell_id:X},3011,74,1,-88,-7,-,-,-,-,-'
    if state.network is Network.G2:
        return f'{head},"NOCONN","GSM",{mcc},{mnc},4FBB,1A0D,17,71,-,-70,255,255,0,41,41,1,-'
    return f'{head},"NOCONN",{lte}'


def _qcsq(state: AtState) -> str:
    if not state.has_service or state.network not in ON_4G or state.rsrp_dbm is None:
        return '+QCSQ: "NOSERVICE"'
    noise = "-" if state.sinr_db is None else str(5 * (state.sinr_db + 20))
    return f'+QCSQ: "LTE",{dash(state.rssi_dbm)},{dash(state.rsrp_dbm)},{noise},{dash(state.rsrq_db)}'


def _cpsi(state: AtState) -> str:
    where = f"{state.plmn[:3]}-{state.plmn[3:]},0x4FBB,{state.cell_id}"
    if not state.has_service or state.network is None:
        return "+CPSI: NO SERVICE,Online"
    nr = (
        f"{state.nr_pci},NR5G_BAND{state.nr_band},{state.nr_channel},{10 * state.nr_rsrp_dbm},"
        f"{10 * state.nr_rsrq_db},{10 * state.nr_sinr_db}"
    )
    if state.network is Network.G5_SA:
        return f"+CPSI: NR5G_SA,Online,{where},{nr}"
    if state.network is Network.G3:
        return f"+CPSI: WCDMA,Online,{where},WCDMA 900,74,3011,0,6,92,42,33,500"
    if state.network is Network.G2:
        return f"+CPSI: GSM,Online,{where},71 EGSM 900,-70,0,40-40"
    figures = ",".join(
        "" if value is None else str(10 * value) for value in (state.rsrq_db, state.rsrp_dbm, state.rssi_dbm)
    )
    noise = "" if state.sinr_db is None else str((state.sinr_db + 20) // 2)
    lte = (
        f"+CPSI: LTE,Online,{where},{state.pci},EUTRAN-BAND{state.band},{state.channel},3,3,{figures},{noise}"
    )
    return lte if state.network is Network.G4 else f"{lte}\r\n+CPSI: NR5G_NSA,{nr}"


def _hcsq(state: AtState) -> str:
    if not state.has_service or state.network is None:
        return '^HCSQ:"NOSERVICE"'
    rssi = 255 if state.rssi_dbm is None else state.rssi_dbm + 121
    if state.network is Network.G2:
        return f'^HCSQ:"GSM",{rssi}'
    if state.network is Network.G3:
        return f'^HCSQ:"WCDMA",{rssi},31,58'
    rsrp = 255 if state.rsrp_dbm is None else state.rsrp_dbm + 141
    noise = 255 if state.sinr_db is None else round(5 * (state.sinr_db + 20.2))
    rsrq = 255 if state.rsrq_db is None else 2 * (state.rsrq_db + 20)
    return f'^HCSQ:"LTE",{rssi},{rsrp},{noise},{rsrq}'


def _sysinfoex(state: AtState) -> str:
    card = {Sim.READY: 1, Sim.MISSING: 255}.get(state.sim, 0)
    if not state.has_service or state.network is None:
        service = 1 if state.registration is Registration.DENIED else 0
        return f'^SYSINFOEX:{service},0,0,{card},,0,"NO SERVICE",0,"NO SERVICE"'
    roaming = int(state.registration is Registration.ROAMING)
    modes = {Network.G2: '1,"GSM",3,"EDGE"', Network.G3: '3,"WCDMA",46,"DC-HSPA+"'}
    mode = modes.get(state.network, '6,"LTE",101,"LTE"')
    return f"^SYSINFOEX:2,3,{roaming},{card},,{mode}"


def _monsc(state: AtState) -> str:
    if not state.has_service or state.network not in ON_4G:
        return "^MONSC: NONE"
    figures = ",".join(dash(value) for value in (state.rsrp_dbm, state.rsrq_db, state.rssi_dbm))
    where = f"{state.plmn[:3]},{state.plmn[3:]},{state.channel},{state.cell_id:X},{state.pci:X},4FBB"
    return f"^MONSC: LTE,{where},{figures}"


def _gstatus(state: AtState) -> str:
    modes = {Network.G5_NSA: "ENDC", Network.G5_SA: "NR5G", Network.G3: "WCDMA", Network.G2: "GSM"}
    serving = state.has_service and state.network is not None
    mode = modes.get(state.network or Network.G4, "LTE") if serving else "NO SERVICE"
    lines = [
        "!GSTATUS: ",
        f"Current Time:  {state.uptime_s:<16}Temperature: 41",
        "Reset Counter: 1                Mode:        ONLINE         ",
        f"System mode:   {mode:<16} PS state:    {'Attached' if serving else 'Not attached'}",
    ]
    if serving and state.network in ON_4G:

        def figure(value: float | None) -> str:
            return "---" if value is None else f"{value:g}"

        lines += [
            f"LTE band:      B{state.band:<16}LTE bw:      10 MHz  ",
            f"LTE Rx chan:   {state.channel:<16} LTE Tx chan: {state.channel + 18_000}",
            "EMM state:     Registered       Normal Service ",
            "RRC state:     RRC Connected  ",
            "",
            f"PCC RxM RSSI:  {figure(state.rssi_dbm):<16} RSRP (dBm):  {figure(state.rsrp_dbm)}",
            "PCC RxD RSSI:  -79              RSRP (dBm):  -109",
            "Tx Power:      --               TAC:         4FBB (20411)",
            f"RSRQ (dB):     {figure(state.rsrq_db):<16} Cell ID:     {state.cell_id:08X} ({state.cell_id})",
            f"SINR (dB):     {figure(state.sinr_db)}",
        ]
    elif not serving:
        denied = state.registration is Registration.DENIED
        detail = "Limited Service" if denied else "Searching"
        lines.append(f"EMM state:     Deregistered     {detail} ")
    if serving and state.network in (Network.G5_NSA, Network.G5_SA):
        lines += [
            f"NR5G band:     n{state.nr_band:<16}NR5G bw:     100 MHz",
            f"NR5G Rx chan:  {state.nr_channel:<16} NR5G Cell ID: {state.cell_id:X}",
            f"NR5G RSRP (dBm): {state.nr_rsrp_dbm:<14} NR5G RSRQ (dB):  {state.nr_rsrq_db}",
            f"NR5G SINR (dB):  {state.nr_sinr_db}",
        ]
    return "\r\n".join(lines)


QUECTEL = Script(
    "RM000V",
    {
        **COMMON,
        **_identity(
            "Quectel",
            "RM000V-EU",
            "RM000VEUAAR01A01M4G",
            "Quectel\r\nRM000V-EU\r\nRevision: RM000VEUAAR01A01M4G",
        ),
        "AT+C5GREG?": registered("+C5GREG", ON_5G),
        'AT+QENG="servingcell"': _qeng,
        "AT+QCSQ": _qcsq,
        "AT+QNWINFO": always("+QNWINFO: No Service"),
    },
    ('+QIND: "act","LTE"', "+CREG: 1"),
)
SIMCOM = Script(
    "SIM0000V",
    {
        **COMMON,
        **_identity("SIMCOM INCORPORATED", "SIMCOM_SIM0000V", "SIM0000V_V1.0", prefix="+CGMR: "),
        "AT+C5GREG?": registered("+C5GREG", ON_5G),
        "AT+CPSI?": _cpsi,
    },
    ("PB DONE", "SMS DONE"),
)
HUAWEI = Script(
    "E0000v",
    {
        **COMMON,
        **_identity("huawei", "E0000v", "00.001.02.00.00"),
        "AT^HCSQ?": _hcsq,
        "AT^SYSINFOEX": _sysinfoex,
        "AT^MONSC": _monsc,
    },
    ("^RSSI:20", "^DSFLOWRPT:00000A2C,00000000,00000000,0000000000000F34,00000000000004B6,0001E848,0001E848"),
)
SIERRA = Script(
    "EM0000v",
    {
        **COMMON,
        **_identity("Sierra Wireless, Incorporated", "EM0000v", "SWI0X00C_00.00.01.00"),
        "AT+C5GREG?": registered("+C5GREG", ON_5G),
        "AT!GSTATUS?": _gstatus,
    },
)
GENERIC = Script(
    "V-1000",
    {
        **COMMON,
        **_identity("Exemple SA", "V-1000", "1.0.0", "Exemple SA V-1000"),
        "AT+C5GREG?": registered("+C5GREG", ON_5G),
        "AT+CESQ": cesq_nine,
    },
    ("+CREG: 1",),
)
SCRIPTS = {"quectel": QUECTEL, "simcom": SIMCOM, "huawei": HUAWEI, "sierra": SIERRA, "generic": GENERIC}
