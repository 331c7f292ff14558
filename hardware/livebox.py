"""What an Orange Livebox says of its line, asked over its web page's own interface (``BoxStatus`` port).

One address, ``POST /ws``, takes ``{"service", "method", "parameters"}`` ("sysbus"). Read here:

- ``NMC.getWANStatus`` and ``DeviceInfo.get``: answered without a login by a Livebox W7; older ones may want
  it (error 13, "Permission denied"), and then it is used;
- ``NeMo.Intf.veip0.getMIBs`` with ``mibs: gpon``: light received, in thousandths of a dBm. With a login
  only. A Livebox with a separate optical terminal, or none, has no such interface (error 196618).

The login sends the administration password in clear, as the box offers no other way over its LAN.
The box gives out few sessions: one is kept and released at ``close``.

Sources: answers published for Livebox 5, 6 and W7 (github.com/cyr-ius/hass-livebox-component issues 186,
207, 221; jeremiehuchet/livebox-cli), PyPI aiosysbus 1.2.6. States of the optical terminal: ITU-T G.984.3,
10.2.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hardware.answers import address, choice, duration_s, fibre_cause, json_of, power_dbm, table, text
from hardware.box_port import BoxReport, LineCause, NotOfferedError, Source
from hardware.lan_http import Endpoint, Reply, ask
from hardware.login import login_of, usable_token
from hardware.ports import HardwareError, LoginRefusedError

_CALL = "application/x-sah-ws-4-call+json"
_DENIED = 13
_ONT_STATE = re.compile(r"O([1-7])", re.IGNORECASE)
_COOKIE = re.compile(r"([!-:<-~]+=[!-:<-~]*)(?:;|$)")


class _DeniedError(Exception):
    """The box wants a login for this."""


@dataclass(frozen=True, slots=True)
class _Session:
    context: str
    cookie: str


class Livebox:
    """A Livebox (``BoxStatus`` port), read-only.

    Attributes:
        endpoint: its LAN address.
        password: of its user ``admin``; None asks only what it tells everybody.
        clock: monotonic seconds.
    """

    def __init__(
        self, endpoint: Endpoint, password: str | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._endpoint = endpoint
        self._password = password
        self._login = login_of(str(endpoint), "admin", clock)
        self._session: _Session | None = None
        self._optics_allowed = False
        """The session could read the light when last asked."""

    def read(self) -> BoxReport:
        """See ``BoxStatus.read``. A refused login costs the light's strength, not the rest."""
        kept = self._session is not None
        if not kept and self._password is not None and not self._login.rests:
            with suppress(LoginRefusedError):  # logged; what the box tells everybody is still to be had
                self._open()
        try:
            return self._ask_all()
        except _DeniedError:
            if self._session is not None and not kept:
                raise self._login.refused("the login works but may not read the line's state") from None
        self._session = None
        self._open()
        try:
            return self._ask_all()
        except _DeniedError:
            raise self._login.refused("the login works but may not read the line's state") from None

    def reboot(self) -> None:
        """See ``BoxStatus.reboot``; not used here: it needs the login and there is the relay."""
        raise NotOfferedError(f"{self._endpoint}: a Livebox is only read")

    def close(self) -> None:
        """Give the session back."""
        if self._session is not None:
            parameters = {"applicationName": "webui"}
            with suppress(HardwareError, _DeniedError):
                self._call("sah.Device.Information", "releaseContext", parameters)
            self._session = None

    def _ask_all(self) -> BoxReport:
        wan = self._call("NMC", "getWANStatus", {})
        info = self._call_if_allowed("DeviceInfo", "get", {}) or {}
        optics = None
        if self._session is not None:
            optics = self._call_if_allowed("NeMo.Intf.veip0", "getMIBs", {"mibs": "gpon"})
            if optics is None and self._optics_allowed:
                self._session = None  # it has expired: the next reading opens another
            self._optics_allowed = optics is not None
        try:
            return report(wan, info, optics or {})
        except ValueError as error:
            raise HardwareError(f"{self._endpoint}: {error}") from None

    # --- sysbus ---------------------------------------------------------------------------------------------

    def _open(self) -> None:
        if self._password is None:
            raise LoginRefusedError(f"{self._endpoint}: the box asks for a password, and none is configured")
        self._login.check()
        parameters = {"applicationName": "webui", "username": "admin", "password": self._password}
        reply = self._post(
            "sah.Device.Information", "createContext", parameters, {"Authorization": "X-Sah-Login"}
        )
        if reply.status not in (200, 401, 403):
            raise HardwareError(f"{self._endpoint}: status {reply.status} to a login")
        context = table(json_of(self._endpoint, reply), "data").get("contextID")
        if context is None:
            raise self._login.refused("the password is refused")
        cookies = [_COOKIE.match(value) for value in reply.headers.get_all("Set-Cookie", [])]
        cookie = "; ".join(found[1] for found in cookies if found)
        self._session = _Session(usable_token(self._endpoint, context), cookie)

    def _call_if_allowed(
        self, service: str, method: str, parameters: Mapping[str, str]
    ) -> Mapping[str, Any] | None:
        try:
            return self._call(service, method, parameters)
        except _DeniedError:
            return None

    def _call(self, service: str, method: str, parameters: Mapping[str, str]) -> Mapping[str, Any]:
        headers = {}
        if self._session is not None:
            headers = {
                "X-Context": self._session.context,
                "Authorization": f"X-Sah {self._session.context}",
                "Cookie": self._session.cookie,
            }
        reply = self._post(service, method, parameters, headers)
        answer = json_of(self._endpoint, reply)
        if not isinstance(answer, dict):
            raise HardwareError(f"{self._endpoint}: an answer to {service}.{method} that is no object")
        # A client of the older content type gets the same within "result".
        answer = table(answer, "result") or answer
        errors = answer.get("errors")
        if isinstance(errors, list) and errors:
            if any(table(error).get("error") == _DENIED for error in errors):
                raise _DeniedError
            return {}
        if reply.status in (401, 403):
            raise _DeniedError
        if reply.status != 200:
            raise HardwareError(f"{self._endpoint}: status {reply.status} to {service}.{method}")
        return answer

    def _post(
        self, service: str, method: str, parameters: Mapping[str, str], headers: Mapping[str, str]
    ) -> Reply:
        body = json.dumps({"service": service, "method": method, "parameters": parameters}).encode()
        return ask(self._endpoint, "POST", "/ws", body=body, headers={"Content-Type": _CALL, **headers})


def report(wan: Mapping[str, Any], info: Mapping[str, Any], optics: Mapping[str, Any]) -> BoxReport:
    """Read the answers to getWANStatus, DeviceInfo.get and getMIBs; the last two may be empty. Pure.

    Raises:
        ValueError: the first says nothing of a line.
    """
    line, device = table(wan, "data"), table(info, "status")
    gpon = table(optics, "status", "gpon", "veip0")
    link, wan_up = choice(line.get("LinkState"), "up", "down"), choice(line.get("WanState"), "up", "down")
    ont = _ont_state(line.get("GponState")) or _ont_state(gpon.get("ONUState"))
    if link is None and wan_up is None and ont is None:
        raise ValueError("the box says nothing of its line")
    light = None if ont is None else ont not in (1, 6)
    registered = None if ont is None else ont == 5
    uptime_s = duration_s(device.get("UpTime"))
    cause = fibre_cause(light=light, registered=registered, wan_up=wan_up, uptime_s=uptime_s)
    return BoxReport(
        source=Source.DOCUMENTED,
        line_up=link if registered is None else registered,
        wan_up=wan_up,
        wan_address=address(line.get("IPAddress")) or address(line.get("IPv6Address")),
        uptime_s=uptime_s,
        model=text(device.get("ProductClass")) or text(device.get("ModelName")),
        firmware=text(device.get("SoftwareVersion")),
        optical_rx_dbm=power_dbm(gpon.get("SignalRxPower"), 0.001),
        cause=LineCause.DISABLED if ont == 7 else cause,
    )


def _ont_state(value: object) -> int | None:
    """1 and 6 hear nothing, 2 to 4 are being taken in, 5 works, 7 was shut out by the operator's end.

    Numbers as in ITU-T G.984.3; the box writes ``O5_Operation``, ``O2_3_Standby`` and the like.
    """
    found = _ONT_STATE.match(value.strip()) if isinstance(value, str) else None
    return int(found[1]) if found else None
