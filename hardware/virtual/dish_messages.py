"""A dish's status, from the form in which people publish it to the bytes that the dish sends.

The published form is protobuf's JSON: names in camelCase, 64-bit integers as texts, enumerations by name,
what has its default value left out or written as null. The tables hold the fields that a status of
firmware 2021 to 2026 is known to have and that a reader could want; other names are passed over, as are
fields of older firmware whose numbers are not known (``snr``, ``state``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hardware.protobuf_wire import bytes_field, real_field, varint_field

CAUSES = ("UNKNOWN", "BOOTING", "STOWED", "THERMAL_SHUTDOWN", "NO_SCHEDULE", "NO_SATS", "OBSTRUCTED",
          "NO_DOWNLINK", "NO_PINGS", "ACTUATOR_ACTIVITY", "CABLE_TEST", "SLEEPING",
          "MOVING_WHILE_NOT_ALLOWED", "SKY_SEARCH", "INHIBIT_RF")  # fmt: skip
CODES = ("UNKNOWN_STATE", "OKAY", "NO_ACTIVE_ACCOUNT", "TOO_FAR_FROM_SERVICE_ADDRESS", "IN_OCEAN",
         "INVALID_COUNTRY", "BLOCKED_COUNTRY", "DATA_OVERAGE_SANDBOX_POLICY", "CELL_IS_DISABLED",
         "UNLICENSED_COUNTRY", "ROAM_RESTRICTED", "UNKNOWN_LOCATION", "ACCOUNT_DISABLED",
         "UNSUPPORTED_VERSION")  # fmt: skip
UPDATE_STATES = ("SOFTWARE_UPDATE_STATE_UNKNOWN", "IDLE", "FETCHING", "PRE_CHECK", "WRITING", "POST_CHECK",
                 "REBOOT_REQUIRED", "DISABLED", "FAULTED")  # fmt: skip

INTEGER, REAL, TEXT = "integer", "real", "text"
Kind = str | tuple[str, ...] | dict[str, Any]
"""A scalar, the names of an enumeration, or the fields of a message by name."""

DEVICE_INFO: dict[str, tuple[int, Kind]] = {
    "id": (1, TEXT), "hardwareVersion": (2, TEXT), "softwareVersion": (3, TEXT), "countryCode": (4, TEXT),
    "utcOffsetS": (5, INTEGER), "bootcount": (8, INTEGER), "generationNumber": (12, INTEGER),
}  # fmt: skip
OBSTRUCTION: dict[str, tuple[int, Kind]] = {
    "fractionObstructed": (1, REAL), "validS": (4, REAL), "currentlyObstructed": (5, INTEGER),
    "avgProlongedObstructionDurationS": (6, REAL), "avgProlongedObstructionIntervalS": (7, REAL),
    "avgProlongedObstructionValid": (8, INTEGER), "timeObstructed": (9, REAL), "patchesValid": (10, INTEGER),
}  # fmt: skip
ALERTS: dict[str, tuple[int, Kind]] = {
    "motorsStuck": (1, INTEGER), "thermalShutdown": (2, INTEGER), "thermalThrottle": (3, INTEGER),
    "unexpectedLocation": (4, INTEGER), "mastNotNearVertical": (5, INTEGER),
    "slowEthernetSpeeds": (6, INTEGER), "roaming": (7, INTEGER), "installPending": (8, INTEGER),
    "isHeating": (9, INTEGER), "powerSupplyThermalThrottle": (10, INTEGER),
    "isPowerSaveIdle": (11, INTEGER), "lowMotorCurrent": (16, INTEGER),
}  # fmt: skip
OUTAGE: dict[str, tuple[int, Kind]] = {
    "cause": (1, CAUSES), "startTimestampNs": (2, INTEGER), "durationNs": (3, INTEGER),
    "didSwitch": (4, INTEGER),
}  # fmt: skip
STATUS: dict[str, tuple[int, Kind]] = {
    "deviceInfo": (1, DEVICE_INFO), "deviceState": (2, {"uptimeS": (1, INTEGER)}),
    "secondsToFirstNonemptySlot": (1002, REAL), "popPingDropRate": (1003, REAL),
    "obstructionStats": (1004, OBSTRUCTION), "alerts": (1005, ALERTS),
    "downlinkThroughputBps": (1007, REAL), "uplinkThroughputBps": (1008, REAL),
    "popPingLatencyMs": (1009, REAL), "stowRequested": (1010, INTEGER), "boresightAzimuthDeg": (1011, REAL),
    "boresightElevationDeg": (1012, REAL), "outage": (1014, OUTAGE),
    "gpsStats": (1015, {"gpsValid": (1, INTEGER), "gpsSats": (2, INTEGER)}), "ethSpeedMbps": (1016, INTEGER),
    "isSnrAboveNoiseFloor": (1018, INTEGER), "softwareUpdateState": (1021, UPDATE_STATES),
    "disablementCode": (1024, CODES), "hasSignedCals": (1025, INTEGER),
    "swupdateRebootReady": (1030, INTEGER),
}  # fmt: skip


def response(status: Mapping[str, Any]) -> bytes:
    """An encoded ``Response`` of API version 17 that carries this status."""
    return varint_field(3, 17) + bytes_field(2004, encoded(status, STATUS))


def encoded(values: Mapping[str, Any], fields: Mapping[str, tuple[int, Kind]]) -> bytes:
    """A message; what has its default value is not sent, as in proto3.

    Raises:
        ValueError: a value does not fit its field.
    """
    message = b""
    for name, (number, kind) in fields.items():
        value = values.get(name)
        if isinstance(kind, dict):
            if isinstance(value, Mapping):
                message += bytes_field(number, encoded(value, kind))
            elif isinstance(value, list):  # some tools print an empty message so
                message += bytes_field(number, b"")
        elif value:
            message += _scalar(number, kind, value)
    return message


def _scalar(number: int, kind: str | tuple[str, ...], value: Any) -> bytes:
    if isinstance(kind, tuple):
        index = kind.index(value)
        return varint_field(number, index) if index else b""
    if kind == TEXT:
        return bytes_field(number, str(value).encode())
    return real_field(number, float(value)) if kind == REAL else varint_field(number, int(value))
