"""What a Starlink dish says of itself, asked at 192.168.100.1:9201 (``BoxStatus`` port).

The dish offers one interface twice: gRPC over HTTP/2 on port 9200, for the apps, and gRPC-Web over
HTTP/1.1 on port 9201, for its own web page. The second needs nothing but the standard library and a
fraction of grpcio's memory (docs/boxes.md has the figures).

Field numbers and enumerations are those of the dish's own message descriptions as published in generated
form (github.com/joshuasing/starlink_exporter for firmware 2026; PyPI starlink-client 0.1.13). They are not
promised by the maker: a number that is unknown here means "unknown", never a fault.

A route to 192.168.100.1 through the Starlink line is needed, also behind a router in bypass mode.
"""

from __future__ import annotations

from typing import TypedDict

from hardware import grpc_web
from hardware.answers import duration_s, text
from hardware.box_port import BoxReport, LineCause, NotOfferedError, Source
from hardware.lan_http import Endpoint
from hardware.ports import HardwareError
from hardware.protobuf_wire import Message, WireError, bytes_field

DISH = Endpoint("192.168.100.1", 9201, timeout_s=3.0)
"""``get_status`` answers within a fraction of a second, or, in some calls of a hundred on some firmware,
not at all: then the next call does (joshuasing/starlink_exporter). Hence a short timeout and one retry."""
METHOD = "/SpaceX.API.Device.Device/Handle"
_GET_STATUS = bytes_field(1004, b"")
_REBOOT = bytes_field(1001, b"")

CAUSES = {
    1: LineCause.BOOTING,
    2: LineCause.STOWED,
    3: LineCause.THERMAL,
    4: LineCause.SKY_SEARCH,  # NO_SCHEDULE, which the app shows as "searching"
    5: LineCause.NO_SATELLITES,
    6: LineCause.OBSTRUCTED,
    7: LineCause.NO_DOWNLINK,
    8: LineCause.NO_PINGS,
    9: LineCause.SKY_SEARCH,  # ACTUATOR_ACTIVITY: the motors turn the dish
    11: LineCause.STOWED,  # SLEEPING: its power-saving hours
    12: LineCause.DISABLED,  # MOVING_WHILE_NOT_ALLOWED
    13: LineCause.SKY_SEARCH,
    14: LineCause.DISABLED,  # INHIBIT_RF
}
"""``DishOutage.Cause``; 10 is a cable test."""

CODES = {
    2: LineCause.UNPAID,  # NO_ACTIVE_ACCOUNT
    3: LineCause.DISABLED,  # TOO_FAR_FROM_SERVICE_ADDRESS
    4: LineCause.DISABLED,  # IN_OCEAN
    5: LineCause.DISABLED,  # INVALID_COUNTRY
    6: LineCause.DISABLED,  # BLOCKED_COUNTRY
    7: LineCause.UNPAID,  # DATA_OVERAGE_SANDBOX_POLICY
    8: LineCause.DISABLED,  # CELL_IS_DISABLED
    9: LineCause.DISABLED,  # UNLICENSED_COUNTRY
    10: LineCause.DISABLED,  # ROAM_RESTRICTED
    11: LineCause.DISABLED,  # UNKNOWN_LOCATION
    12: LineCause.UNPAID,  # ACCOUNT_DISABLED
    13: LineCause.DISABLED,  # UNSUPPORTED_VERSION
}
"""``UtDisablementCode``; 0 and 1 are "unknown" and "okay"."""
_WRITING_STATES = {3, 4, 5}
"""``SoftwareUpdateState``: PRE_CHECK, WRITING, POST_CHECK."""
_REBOOT_REQUIRED = 6


class Starlink:
    """A dish (``BoxStatus`` port)."""

    def __init__(self, endpoint: Endpoint = DISH) -> None:
        self._endpoint = endpoint

    def read(self) -> BoxReport:
        """See ``BoxStatus.read``; takes at most twice the endpoint's timeout."""
        try:
            response = self._handle(_GET_STATUS)
        except NotOfferedError:
            raise
        except HardwareError:
            response = self._handle(_GET_STATUS)
        try:
            return report(response)
        except ValueError as error:
            raise HardwareError(f"{self._endpoint}: not a dish's status: {error}") from None

    def reboot(self) -> None:
        """See ``BoxStatus.reboot``; not tried twice."""
        try:
            accepted = Message(self._handle(_REBOOT)).message(1001)
        except WireError as error:
            raise HardwareError(f"{self._endpoint}: not an answer to a reboot: {error}") from None
        if accepted is None:
            raise HardwareError(f"{self._endpoint}: the dish does not say that it will reboot")

    def close(self) -> None:
        """Nothing stays open between calls."""

    def _handle(self, request: bytes) -> bytes:
        return grpc_web.call(self._endpoint, METHOD, request)


def report(response: bytes) -> BoxReport:
    """Read an encoded ``Response`` to ``get_status``. Pure.

    Raises:
        ValueError: not such a response, or one without content.
    """
    status = Message(response).message(2004)
    if status is None:
        raise ValueError("no dish_get_status")
    info, state = status.message(1), status.message(2)
    if not info and not state:
        raise ValueError("neither device_info nor device_state")
    outage = _outage(status)
    return BoxReport(
        source=Source.DOCUMENTED,
        line_up=outage in (None, LineCause.NO_PINGS),
        wan_up=outage is None and status.unsigned(1024) not in CODES,
        uptime_s=duration_s(state.unsigned(1, 0)) if state is not None else None,
        model=text(info.text(2)) if info is not None else None,
        firmware=text(info.text(3)) if info is not None else None,
        cause=_cause(status),
        **_measurements(status),
    )


def _outage(status: Message) -> LineCause | None:
    """The running outage's cause; None while the dish is connected, which it says by not sending any."""
    if 1014 not in status:
        return None
    outage = status.message(1014)
    number = outage.unsigned(1) if outage is not None else None
    return CAUSES.get(number or 0, LineCause.UNKNOWN)


def _cause(status: Message) -> LineCause | None:
    """What keeps the dish from working, the hardest fact first."""
    code, update = status.unsigned(1024) or 0, status.unsigned(1021)
    if code in CODES:
        return CODES[code]
    if update in _WRITING_STATES:
        return LineCause.UPDATING
    outage, alerts = _outage(status), status.message(1005)
    if outage is None:
        if status.boolean(1010):
            return LineCause.STOWED
        return LineCause.THERMAL if alerts is not None and alerts.boolean(2) else None
    waits = status.boolean(1030) or update == _REBOOT_REQUIRED
    vague = outage in (LineCause.UNKNOWN, LineCause.NO_DOWNLINK)
    return LineCause.UPDATING if waits and vague else outage


class _Measurements(TypedDict):
    rtt_ms: float | None
    loss_pct: float | None
    obstructed_pct: float | None
    obstructed_now: bool | None


def _measurements(status: Message) -> _Measurements:
    """The figures. A share that was not sent is 0, but only where the dish was measuring at all."""
    rtt_ms, sky = status.real(1009), status.message(1004)
    measuring = rtt_ms is not None and rtt_ms > 0
    obstructed = sky.unsigned(5, 0) if sky is not None else None
    return {
        "rtt_ms": rtt_ms if measuring else None,
        "loss_pct": _pct(status.real(1003, 0.0 if measuring else None)),
        "obstructed_pct": _pct(sky.real(1, 0.0)) if sky is not None else None,
        "obstructed_now": obstructed != 0 if obstructed is not None else None,
    }


def _pct(share: float | None) -> float | None:
    return round(share * 100, 3) if share is not None and 0 <= share <= 1 else None
