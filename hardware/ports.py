"""What a piece of hardware must be able to do, as small protocols, and the errors it may raise.

A driver lives in one file, wraps one library, and is loaded only when the configuration asks for it.
The same contract tests (``tests/contract``) run on the virtual driver and on the real one.
Drivers may block for milliseconds; callers run them in a thread of their own where it matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from PIL.Image import Image


class HardwareError(RuntimeError):
    """A device that was there does not obey (I/O error, connection lost)."""


class HardwareMissingError(HardwareError):
    """A device or its library is not on this machine; the message says what and how to get it."""


class LoginError(HardwareError):
    """The device was not logged in to; the message says why, and for how long that is not tried again."""


class LoginRefusedError(LoginError):
    """The device does not accept the password or token, or wants one that is not configured.

    Drivers do not try a refused one again for hours.
    """


class UnconfirmedError(HardwareError):
    """An order was handed over, and what became of it is not known: it may have been carried out."""


class Relay(Protocol):
    """Cuts and restores the power of one box.

    Wiring contract: the box hangs on the normally-closed contact and the coil is energised only during
    a cut, so that a dead agent, a floating pin or a Pi without power all mean "box powered".
    Constructing a driver restores; closing it restores; both are safe to repeat.
    """

    def cut(self, longest_s: float) -> None:
        """Take the box's power away; the driver itself gives it back after ``longest_s`` seconds.

        Args:
            longest_s: longest duration of the cut, seconds, above 0 and at most ``LONGEST_CUT_S``.

        Raises:
            ValueError: ``longest_s`` out of range; nothing was cut.
            HardwareError: the relay does not obey; the driver has tried to restore.
        """

    def restore(self) -> None:
        """Give the power back. Safe at any time, from any thread; does nothing if not cut."""

    @property
    def is_cut(self) -> bool:
        """True while this driver holds the box without power."""

    def close(self) -> None:
        """Restore, then release the hardware. The driver cannot be used afterwards."""


LONGEST_CUT_S = 120.0
"""No cut may last longer, whatever is asked: a box loses its state after 5 to 60 s (capacitors of an
idle board drain in about a minute, see docs/architecture.md), more only leaves the site without it."""


class Colour(StrEnum):
    """Colours that a two-colour LED can show; orange is green and red together."""

    DARK = "dark"
    GREEN = "green"
    ORANGE = "orange"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Pattern:
    """What one LED does, for ever, until another pattern is set.

    ``on_s`` and ``off_s`` are seconds; ``off_s`` 0 means steady. A wink is a long ``on_s`` with a short
    ``off_s``. The blinking is done by the driver, so that nothing wakes the agent for it.
    """

    colour: Colour
    on_s: float = 1.0
    off_s: float = 0.0


LIGHTS_STALE_S = 6.0
"""What the LEDs show is set again about every second; after this long without, they darken themselves. A
little more than the sinks wait for a decision, who can still tell apart what this cannot."""


class Lights(Protocol):
    """The front panel's LEDs, by name (an uplink's name, or ``site``)."""

    def show(self, patterns: Mapping[str, Pattern]) -> None:
        """Set the named LEDs; LEDs not named go dark. Names without an LED are ignored.

        To be repeated within ``LIGHTS_STALE_S``, also where nothing changes: LEDs that nobody sets any more
        go dark by themselves, so that a frozen agent shows no green.

        Raises:
            HardwareError: an LED does not obey.
        """

    def close(self) -> None:
        """All dark, hardware released."""


class Screen(Protocol):
    """A small one-bit display."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""

    def show(self, image: Image) -> None:
        """Show a picture of exactly ``size`` (mode "1"). Equal pictures are not sent twice.

        Raises:
            HardwareError: the display does not answer; a later ``show`` tries again from the start.
        """

    def dim(self, *, dimmed: bool) -> None:
        """Darker, or as bright as usual; kept for a display that comes back. Never fails."""

    def close(self) -> None:
        """Blank the display and release the bus: a stale picture must not outlive the agent."""


class Network(StrEnum):
    """Radio technology, in the words that people use."""

    G2 = "2G"
    G3 = "3G"
    G4 = "4G"
    G5_NSA = "5G NSA"
    """5G carrier beside a 4G one that leads: without the 4G cell there is no 5G."""
    G5_SA = "5G SA"


class Registration(StrEnum):
    """What the operator's network makes of the modem, for data (3GPP TS 27.007, 10.1.20 to 10.1.22)."""

    HOME = "home"
    ROAMING = "roaming"
    SEARCHING = "searching"
    DENIED = "denied"
    """The network has refused this SIM: subscription ended, blocked, or not allowed here."""
    NONE = "none"
    """Not registered and not trying."""


class Sim(StrEnum):
    """State of the SIM card."""

    READY = "ready"
    MISSING = "missing"
    """No card, or one that the modem cannot read."""
    PIN = "pin"
    """Waits for its PIN. No driver ever sends one: three wrong ones lock the card."""
    PUK = "puk"
    """Locked by wrong PINs; the operator has the code."""
    BLOCKED = "blocked"
    """Locked for good, or the modem is tied to another operator."""


class DataState(StrEnum):
    """The data session between modem and operator."""

    CONNECTED = "connected"
    CONNECTING = "connecting"
    DISCONNECTING = "disconnecting"
    DISCONNECTED = "disconnected"
    REFUSED = "refused"
    """The operator refuses the session: access point name, subscription, roaming, or data used up."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One radio carrier as the modem measures it; None where it gives no number, never 0 for unknown.

    Definitions and scales: 3GPP TS 36.214 and 36.133 (4G), 38.215 and 38.133 (5G).
    """

    band: str | None = None
    """``B20`` (4G), ``n78`` (5G)."""
    channel: int | None = None
    """Downlink channel number: EARFCN (4G), NR-ARFCN (5G), UARFCN (3G), ARFCN (2G)."""
    pci: int | None = None
    """Physical cell identity: 0 to 503 (4G), 0 to 1007 (5G)."""
    cell_id: int | None = None
    """Cell identity in the operator's network."""
    rsrp_dbm: float | None = None
    """Power of the reference signal, about -140 (nothing) to -44; below -110 is weak."""
    rsrq_db: float | None = None
    """Its quality, about -20 (bad) to -3."""
    sinr_db: float | None = None
    """Signal to interference and noise, about -20 to 30; below 0 is bad."""
    rssi_dbm: float | None = None
    """Power of everything received on the carrier."""


@dataclass(frozen=True, slots=True)
class DataUse:
    """Bytes of the running month, in both directions together, as the modem counts them."""

    used_bytes: int
    limit_bytes: int | None = None
    """What was entered in the modem as the monthly plan; the operator's own count decides."""


_CGNAT = IPv4Network("100.64.0.0/10")
"""Shared address space of operators (RFC 6598)."""
_CELL_BITS = 8


@dataclass(frozen=True, slots=True)
class Signal:
    """One reading of a modem. Every field is None when the modem does not tell."""

    network: Network | None = None
    operator: str | None = None
    """The operator's name as the network or the SIM gives it."""
    plmn: str | None = None
    """The operator's code, five or six digits: ``20801``."""
    registration: Registration | None = None
    sim: Sim | None = None
    data: DataState | None = None
    cell: Cell = field(default_factory=Cell)
    """The serving cell: 4G also while 5G NSA is used beside it, 5G in 5G SA."""
    nr: Cell | None = None
    """The 5G carrier beside a 4G cell (5G NSA); None otherwise."""
    wan_address: str | None = None
    """The address that the operator gave; IPv4 where there is one."""
    month: DataUse | None = None
    model: str | None = None
    firmware: str | None = None
    uptime_s: float | None = None
    """Since the modem booted."""

    @property
    def enb_id(self) -> int | None:
        """The 4G base station: the upper 20 of a cell identity's 28 bits (3GPP TS 36.413, 9.2.1.38)."""
        if self.cell.cell_id is None or self.network not in (Network.G4, Network.G5_NSA):
            return None
        return self.cell.cell_id >> _CELL_BITS

    @property
    def is_cgnat(self) -> bool | None:
        """True if the operator shares one public address between many (100.64.0.0/10); None if unknown.

        Operators use private addresses (10.0.0.0/8) for the same; then this is False and ``is_public`` too.
        """
        address = self._address
        return None if address is None else isinstance(address, IPv4Address) and address in _CGNAT

    @property
    def is_public(self) -> bool | None:
        """True if the address can be reached from the internet; None if unknown."""
        address = self._address
        return None if address is None else address.is_global

    @property
    def _address(self) -> IPv4Address | IPv6Address | None:
        try:
            return None if self.wan_address is None else ip_address(self.wan_address)
        except ValueError:
            return None


class Modem(Protocol):
    """A cellular modem that can be asked about its radio, rebooted by software, and told to send a text.

    Constructing a driver touches nothing: a modem that is not there yet is met by the first ``read``, and
    one that was replugged or rebooted by the next. Every call ends within seconds, whatever the modem
    does; a failed call leaves nothing behind that would disturb the next. One call at a time.
    """

    def read(self) -> Signal:
        """Ask the modem now.

        Raises:
            HardwareMissingError: the modem is not connected to this machine.
            HardwareError: no answer, or one that makes no sense; the message says what to do.
        """

    def reboot(self) -> None:
        """Reboot by software. Returns once the modem has accepted; it is away for up to two minutes.

        Raises:
            HardwareError: refused or unreachable.
        """

    def send_text(self, number: str, text: str) -> None:
        """Send one SMS. Returns once the network has taken it.

        Args:
            number: 3 to 15 digits, with ``+`` and the country if international.
            text: what fits into one message: 160 characters of the GSM alphabet or 70 of any.

        Raises:
            ValueError: a number or text that cannot be sent; nothing was sent.
            UnconfirmedError: handed over and not confirmed; it may have been sent.
            HardwareError: refused or unreachable; it was not sent.
        """

    def close(self) -> None:
        """Let go of the device. Safe to repeat; every other call then raises ``HardwareError``."""
