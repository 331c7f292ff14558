"""What a box, a dish or a modem says of itself when it is asked, and what the core knows of such a device."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DeviceKind(StrEnum):
    """What kind of device speaks for an uplink."""

    BOX = "box"
    DISH = "dish"
    MODEM = "modem"


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """The device of an uplink that can be asked about itself.

    Attributes:
        name: of the modem, or of the box that it is.
        label: its name for people.
        kind: what it is.
        limit_bytes: what may be used in a month by contract; None: unknown, or unlimited.
        bands: the radio bands that serve here (``B20``); empty: any is as good.
        sms_to: telephone numbers that a modem texts when no uplink works; empty: it sends none.
        sms_after_s: how long that must last before, seconds.
    """

    name: str
    label: str
    kind: DeviceKind
    limit_bytes: int | None = None
    bands: tuple[str, ...] = ()
    sms_to: tuple[str, ...] = ()
    sms_after_s: float = 120.0


class Sim(StrEnum):
    """What a modem says of its SIM card."""

    READY = "ready"
    MISSING = "missing"
    PIN = "pin"
    PUK = "puk"
    BLOCKED = "blocked"


class Registration(StrEnum):
    """Where a modem stands with the network."""

    HOME = "home"
    ROAMING = "roaming"
    SEARCHING = "searching"
    DENIED = "denied"
    NONE = "none"


class Strength(StrEnum):
    """A radio signal, judged as a whole; see ``radio``. The best first."""

    EXCELLENT = "excellent"
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class Radio:
    """What a modem measures of the cell that serves it; None is "no figure", never 0.

    Attributes:
        network: ``2G``, ``3G``, ``4G``, ``5G NSA`` or ``5G SA``.
        band: ``B20`` (4G), ``n78`` (5G).
        cell: the cell's identity in the operator's network.
        rsrp_dbm: power of the reference signal, about -140 to -44.
        rsrq_db: its quality, about -20 to -3.
        sinr_db: signal to interference and noise, about -20 to 30.
        rssi_dbm: power of everything received.
        nr_band: of the 5G carrier beside a 4G one.
        nr_rsrp_dbm: its power.
        nr_sinr_db: its signal to interference and noise.
    """

    network: str | None = None
    band: str | None = None
    cell: int | None = None
    rsrp_dbm: float | None = None
    rsrq_db: float | None = None
    sinr_db: float | None = None
    rssi_dbm: float | None = None
    nr_band: str | None = None
    nr_rsrp_dbm: float | None = None
    nr_sinr_db: float | None = None


@dataclass(frozen=True, slots=True)
class Says:
    """What a box, a dish or a modem says of itself when it is asked; None is "does not say".

    Attributes:
        uplink: the uplink that it stands on.
        heard: it answered at all. A device that used to answer and does not any more may be frozen.
        why: why it was not heard, or why it tells less than it could, for people who know the device.
        locked: it does not accept the password or token that it was given.
        line_up: light, DSL or radio is there.
        wan_up: it has a connection to the internet.
        sim: the SIM card.
        registration: with the mobile network.
        refused: the operator refuses the data session (subscription, access point, data used up).
        radio: what it measures of its cell.
        cause: its own word for what is wrong, a key of the texts' ``cause`` table.
        cut_helps: False if a power cycle cannot cure what it names (obstructed, booting, no light).
        operator: whose network it is in.
        address: what the operator gave it.
        shared: that address is shared between many customers, or private: nobody can call in.
        month_bytes: used in the running month, as the device counts.
        limit_bytes: what it was told to be the month's limit.
        rx_dbm: light received from the fibre.
        obstructed_pct: share of the time that something stands in a dish's view.
        model: what it is.
        firmware: its software.
        uptime_s: since its start.
        documented: what is understood of it rests on documentation, not on a device that was at hand.
    """

    uplink: str
    heard: bool
    why: str | None = None
    locked: bool | None = None
    line_up: bool | None = None
    wan_up: bool | None = None
    sim: Sim | None = None
    registration: Registration | None = None
    refused: bool | None = None
    radio: Radio | None = None
    cause: str | None = None
    cut_helps: bool | None = None
    operator: str | None = None
    address: str | None = None
    shared: bool | None = None
    month_bytes: int | None = None
    limit_bytes: int | None = None
    rx_dbm: float | None = None
    obstructed_pct: float | None = None
    model: str | None = None
    firmware: str | None = None
    uptime_s: float | None = None
    documented: bool | None = None
