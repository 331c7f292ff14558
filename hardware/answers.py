"""Reading what a box answered, where nothing may be taken for granted.

A device of another make, firmware or mood answers with HTML, with numbers as strings, with other types or
not at all. What cannot be understood is None, never a default that looks like a reading; only an answer
that is not in the expected language at all is an error.
"""

from __future__ import annotations

import ipaddress
import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any, NoReturn

from hardware.box_port import LineCause
from hardware.lan_http import Endpoint, Reply
from hardware.ports import HardwareError

BOOT_S = 180.0
"""A box that has been running for less than this and has no internet may simply not be ready yet."""
LONGEST_TEXT = 64


def json_of(endpoint: Endpoint, reply: Reply) -> Any:
    """The answer as JSON: dict, list, text, finite number, truth or None.

    Raises:
        HardwareError: not JSON; the message says what came instead, not its content.
    """
    try:
        return json.loads(reply.body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise HardwareError(f"{endpoint}: {_instead(reply)} instead of JSON") from None


def xml_of(endpoint: Endpoint, reply: Reply) -> ET.Element:
    """The answer as an XML element.

    Raises:
        HardwareError: not XML, or XML with a document type, through which a few bytes can become many.
    """
    if b"<!DOCTYPE" in reply.body or b"\0" in reply.body:
        raise HardwareError(f"{endpoint}: {_instead(reply)} instead of plain XML")
    try:
        return ET.fromstring(reply.body)  # noqa: S314 - no document type can be in it
    except (ET.ParseError, ValueError, LookupError):
        raise HardwareError(f"{endpoint}: {_instead(reply)} instead of XML") from None


def _no_number(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _instead(reply: Reply) -> str:
    if not reply.body:
        return f"status {reply.status} and nothing"
    start = reply.body.lstrip()[:15].lower()
    kind = "a web page" if start.startswith((b"<!doctype html", b"<html")) else "something else"
    return kind if reply.status == 200 else f"status {reply.status} and {kind}"


def table(value: object, *names: str) -> Mapping[str, Any]:
    """The object found below ``names``; empty if there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def text(value: object) -> str | None:
    """A short printable text; None for anything else and for nothing but blanks."""
    if not isinstance(value, str):
        return None
    cleaned = "".join(c for c in value if c.isprintable()).strip()
    return cleaned[:LONGEST_TEXT].rstrip() or None


def number(value: object) -> float | None:
    """A finite number, also one that was sent as a text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def duration_s(value: object) -> float | None:
    """Seconds, at least 0 and below a hundred years."""
    found = number(value)
    return found if found is not None and 0 <= found < 3.2e9 else None


def truth(value: object) -> bool | None:
    """A JSON truth; None for anything else."""
    return value if isinstance(value, bool) else None


def choice(value: object, yes: str, no: str) -> bool | None:
    """True for the word ``yes``, False for ``no``, in any case; None for anything else."""
    word = value.strip().lower() if isinstance(value, str) else None
    return {yes: True, no: False}.get(word) if word is not None else None


def address(value: object) -> str | None:
    """An IP address that can be somebody's; None for a placeholder such as 0.0.0.0."""
    if not isinstance(value, str):
        return None
    try:
        found = ipaddress.ip_address(value.strip())
    except ValueError:
        return None
    return None if found.is_unspecified else str(found)


def power_dbm(value: object, unit: float) -> float | None:
    """Light received: ``value`` in units of ``unit`` dBm; None where that cannot be a receiver's reading.

    Class B+ receivers work from -8 to -28 dBm (ITU-T G.984.2) and report down to about -40 when dark. What
    lies far outside was meant in another unit: one known firmware family reports tenths.
    """
    found = number(value)
    if found is None:
        return None
    dbm = round(found * unit, 3)
    return dbm if -50.0 <= dbm <= -3.0 else None


def fibre_cause(
    *, light: bool | None, registered: bool | None, wan_up: bool | None, uptime_s: float | None
) -> LineCause | None:
    """Why a fibre box has no line, out of what it says; None if nothing is wrong.

    Args:
        light: usable light comes in.
        registered: the operator's end has taken the box in.
        wan_up: the box has internet, perhaps by a backup.
        uptime_s: seconds since its start.
    """
    down = False in (light, registered, wan_up)
    if down and not wan_up and uptime_s is not None and uptime_s < BOOT_S:
        return LineCause.BOOTING
    if light is False:
        return LineCause.NO_LIGHT
    if registered is False:
        return LineCause.NOT_REGISTERED
    return LineCause.UNKNOWN if wan_up is False else None
