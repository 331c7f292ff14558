"""What a box or a dish can be asked about its line, and what it may answer: the port of those drivers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hardware.ports import HardwareError


class NotOfferedError(HardwareError):
    """The device has no such function, or its driver does not use it; asking again changes nothing."""


class LineCause(StrEnum):
    """Why a line does not work, as the device at its end sees it."""

    NO_LIGHT = "no_light"
    """No usable light comes out of the fibre."""
    NOT_REGISTERED = "not_registered"
    """There is light, but the operator's end has not taken this box in."""
    OBSTRUCTED = "obstructed"
    NO_SATELLITES = "no_satellites"
    BOOTING = "booting"
    STOWED = "stowed"
    """Put away or put to sleep, by a person or a timetable."""
    THERMAL = "thermal"
    SKY_SEARCH = "sky_search"
    """The dish looks for its satellites or waits for a place in their timetable."""
    NO_DOWNLINK = "no_downlink"
    """The dish hears nothing although satellites should be there."""
    NO_PINGS = "no_pings"
    """The radio link works, the operator's network behind it does not answer."""
    UNPAID = "unpaid"
    """No active account, or its data is used up."""
    DISABLED = "disabled"
    """The operator has shut this device out, or it may not work here."""
    UPDATING = "updating"
    """Software is being written, or waits for a reboot that the device makes by itself."""
    UNKNOWN = "unknown"


class Source(StrEnum):
    """What a driver's understanding of its device rests on."""

    MEASURED = "measured"
    """The driver has been confirmed on a real device of this kind."""
    DOCUMENTED = "from documentation"
    """Not yet: it follows published answers and documentation."""


@dataclass(frozen=True, slots=True)
class BoxReport:
    """What a box or a dish says of itself; None where it does not say.

    Attributes:
        source: what the driver's understanding rests on.
        line_up: light, synchronisation or radio link are there and usable.
        wan_up: the device considers itself connected to the internet, perhaps by a backup of its own.
        wan_address: its public address, IPv4 where it has one.
        uptime_s: seconds since its start, at least 0.
        optical_rx_dbm: light received, dBm; a GPON receiver works between about -8 and -28.
        cause: why the line does not work; None while the device sees nothing wrong.
        obstructed_pct: share of the time that something stands in a dish's view, 0 to 100.
        obstructed_now: something stands in its view at this moment.
        rtt_ms: round trip to the operator's network, as the device measures it.
        loss_pct: echoes lost on that way, 0 to 100.
    """

    source: Source
    line_up: bool | None = None
    wan_up: bool | None = None
    wan_address: str | None = None
    uptime_s: float | None = None
    model: str | None = None
    firmware: str | None = None
    optical_rx_dbm: float | None = None
    cause: LineCause | None = None
    obstructed_pct: float | None = None
    obstructed_now: bool | None = None
    rtt_ms: float | None = None
    loss_pct: float | None = None


_CUT_MAY_CURE = {LineCause.NOT_REGISTERED, LineCause.NO_DOWNLINK}
"""A receiver that is stuck looks the same from inside as a dead line: a restart has a chance."""


def cut_can_help(report: BoxReport) -> bool:
    """Could a power cycle of the device cure what it reports? False is a reason never to cut.

    True is no advice to cut: a device that says that all is well while nothing passes may be half hung.
    A line that is down for a reason that the device does not know is the operator's business.
    """
    if report.cause is None or report.cause is LineCause.UNKNOWN:
        return report.line_up is not False
    return report.cause in _CUT_MAY_CURE


class BoxStatus(Protocol):
    """A box or dish that can be asked about its line. Not to be used by two threads at once."""

    def read(self) -> BoxReport:
        """Ask the device now, with the driver's own timeout of seconds.

        Raises:
            LoginRefusedError: nothing can be read without a login, and that was refused.
            HardwareError: no answer, or an answer that makes no sense.
        """

    def reboot(self) -> None:
        """Reboot by software. Returns once the device has accepted.

        Raises:
            NotOfferedError: this device or driver cannot.
            HardwareError: refused or unreachable.
        """

    def close(self) -> None:
        """End sessions on the device. Never raises; safe to repeat."""
