"""What a virtual AT modem is in, and the answers that all give alike. Pure; all values are invented."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hardware.ports import Network, Registration, Sim

ABSENT_CME = 10
_STAT = {
    Registration.NONE: 0,
    Registration.HOME: 1,
    Registration.SEARCHING: 2,
    Registration.DENIED: 3,
    Registration.ROAMING: 5,
}
_ACT = {Network.G2: 3, Network.G3: 6, Network.G4: 7, Network.G5_NSA: 13, Network.G5_SA: 11}
_SIM = {Sim.READY: "READY", Sim.PIN: "SIM PIN", Sim.PUK: "SIM PUK", Sim.BLOCKED: "PH-NET PIN"}


@dataclass(frozen=True, slots=True)
class AtState:
    """What the module's radio and card are in; None is told in the module's own way of not knowing."""

    network: Network | None = Network.G4
    registration: Registration = Registration.HOME
    sim: Sim = Sim.READY
    operator: str = "Exemple Mobile"
    plmn: str = "20899"
    band: int = 20
    channel: int = 6300
    pci: int = 214
    cell_id: int = 0x1A0D302
    rsrp_dbm: int | None = -97
    rsrq_db: int | None = -11
    sinr_db: int | None = 8
    rssi_dbm: int | None = -67
    nr_band: int = 78
    nr_channel: int = 636_000
    nr_pci: int = 612
    nr_rsrp_dbm: int = -91
    nr_rsrq_db: int = -11
    nr_sinr_db: int = 14
    address: str | None = "100.71.4.9"
    uptime_s: int = 86_400

    @property
    def has_service(self) -> bool:
        """Registered with a card that works."""
        return self.sim is Sim.READY and self.registration in (Registration.HOME, Registration.ROAMING)


Say = Callable[[AtState], str | None]
"""The body of an answer (without ``OK``); None is ``ERROR``; a text from ``+CME`` on replaces the ``OK``."""


def always(text: str) -> Say:
    """The same answer in every state."""
    return lambda _: text


def dash(value: int | None) -> str:
    """A figure, or the dash of those that do not know."""
    return "-" if value is None else str(value)


def _sim(state: AtState) -> str:
    if state.sim is Sim.MISSING:
        return f"+CME ERROR: {ABSENT_CME}"
    return f"+CPIN: {_SIM[state.sim]}"


def _csq(state: AtState) -> str:
    level = 99 if state.rssi_dbm is None or not state.has_service else (state.rssi_dbm + 113) // 2
    return f"+CSQ: {min(max(level, 0), 31) if level != 99 else 99},99"


def _cesq(state: AtState) -> str:
    known = state.has_service and state.network in (Network.G4, Network.G5_NSA)
    rsrq = 255 if not known or state.rsrq_db is None else 2 * (state.rsrq_db + 20)
    rsrp = 255 if not known or state.rsrp_dbm is None else state.rsrp_dbm + 141
    return f"+CESQ: 99,99,255,255,{rsrq},{rsrp}"


def cesq_nine(state: AtState) -> str:
    """``+CESQ`` of a 5G modem."""
    nr = state.has_service and state.network in (Network.G5_NSA, Network.G5_SA)
    more = (
        f"{round(2 * (state.nr_rsrq_db + 43.5))},{state.nr_rsrp_dbm + 157},"
        f"{round(2 * (state.nr_sinr_db + 23.5))}"
    )
    return f"{_cesq(state)},{more if nr else '255,255,255'}"


def registered(prefix: str, networks: tuple[Network, ...]) -> Say:
    """The answer to a registration question of the technologies named; 0 while another one serves."""

    def say(state: AtState) -> str:
        stat = _STAT[state.registration]
        if state.has_service and state.network not in networks:
            stat = 0
        return f"{prefix}: 0,{stat}"

    return say


def operator(state: AtState, form: int) -> str:
    """The answer to ``AT+COPS?`` after ``AT+COPS=3,<form>``: 2 is the code, others the name."""
    if not state.has_service or state.network is None:
        return "+COPS: 0"
    return f'+COPS: 0,{form},"{state.plmn if form == 2 else state.operator}",{_ACT[state.network]}'


def _contexts(state: AtState) -> str:
    return f"+CGACT: 1,{int(state.has_service and state.address is not None)}\r\n+CGACT: 2,0"


def _addresses(state: AtState) -> str:
    address = state.address if state.has_service and state.address else "0.0.0.0"  # noqa: S104
    return f'+CGPADDR: 1,"{address}"\r\n+CGPADDR: 2,"{".".join(["0"] * 16)}"'


ON_OLD, ON_4G, ON_5G = (
    (Network.G2, Network.G3),
    (Network.G4, Network.G5_NSA),
    (Network.G5_SA,),
)
COMMON: dict[str, Say] = {
    "AT": always(""),
    "AT+CMEE=1": always(""),
    "AT+CMGF=0": always(""),
    "AT+CPIN?": _sim,
    "AT+CSQ": _csq,
    "AT+CESQ": _cesq,
    "AT+CEREG?": registered("+CEREG", ON_4G),
    "AT+CGREG?": registered("+CGREG", ON_OLD + ON_4G),
    "AT+CREG?": registered("+CREG", ON_OLD + ON_4G),
    "AT+CGACT?": _contexts,
    "AT+CGPADDR": _addresses,
}
