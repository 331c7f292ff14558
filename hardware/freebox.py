"""What a Freebox says of its line, asked over Freebox OS' API, version 8 or newer (``BoxStatus`` port).

An application needs a token, which a person grants once on the box's own display (``freebox_pairing``).
With it a session is opened: the box gives a challenge, the application its HMAC with the token; so the
token itself never travels again. Read here, none of which needs a special permission:

- ``connection/``: state, kind of line, addresses;
- ``connection/ftth/``: light and link of the optical module, received power in hundredths of a dBm;
- ``system/``: model, firmware, uptime.

Plain HTTP on the LAN: what is read is no secret, and the session ends with ``close``. HTTPS (port and name
as the box shows them under ``/api_version``) is an ``Endpoint`` with ``tls`` and Free's authority.

Sources: dev.freebox.fr/sdk/os (login, connection, system); PyPI freebox-api 1.3.1. Seen in published
answers of version 9 and newer: ``link``, ``sfp_has_signal``, ``sfp_pwr_rx``, ``uptime_val``.
"""

from __future__ import annotations

import hmac
import json
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from hardware.answers import address, duration_s, fibre_cause, json_of, power_dbm, table, text, truth
from hardware.box_port import BoxReport, NotOfferedError, Source
from hardware.lan_http import Endpoint, ask
from hardware.login import login_of, usable_token
from hardware.ports import HardwareError

APP_ID = "fr.vigie"
API = 8
"""Older versions lack parts of ``connection/ftth/``; newer boxes keep answering this one."""
_ROOT = re.compile(r"/(?:[A-Za-z0-9_-]+/)*")
_CODE = re.compile(r"[a-z_]{1,40}")
_EXPIRED = {"auth_required", "invalid_session"}
_REFUSED = {
    "invalid_token": "the application's token is not valid (any more): pair again",
    "pending_token": "nobody has granted the application on the box's display yet",
    "apps_denied": "the box does not let applications in",
    "ratelimited": "too many failed logins",
    "insufficient_rights": "the application lacks a permission",
}


class FreeboxError(HardwareError):
    """The box understood and refused.

    Attributes:
        code: the API's word for why.
    """

    def __init__(self, endpoint: Endpoint, code: str) -> None:
        super().__init__(f"{endpoint}: refused: {code}")
        self.code = code


def api(
    endpoint: Endpoint, path: str, payload: Mapping[str, str] | None = None, session: str | None = None
) -> Mapping[str, Any]:
    """One call of the API: GET, or POST if there is a payload. ``path`` is absolute.

    Raises:
        FreeboxError: the box refused.
        HardwareError: no answer, or one that is not the API's.
    """
    headers = {} if session is None else {"X-Fbx-App-Auth": session}
    if payload is None:
        reply = ask(endpoint, "GET", path, headers=headers)
    else:
        headers["Content-Type"] = "application/json"
        reply = ask(endpoint, "POST", path, body=json.dumps(payload).encode(), headers=headers)
    answer = table(json_of(endpoint, reply))
    if answer.get("success") is True:
        return table(answer, "result")
    code = answer.get("error_code")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise HardwareError(f"{endpoint}: status {reply.status}, not an answer of the Freebox API")
    raise FreeboxError(endpoint, code)


def root(endpoint: Endpoint) -> str:
    """Path of version ``API`` of the API, after asking whether the box has it.

    Raises:
        HardwareError: not a Freebox, or one with older software.
    """
    told = table(json_of(endpoint, ask(endpoint, "GET", "/api_version")))
    version, base = text(told.get("api_version")), told.get("api_base_url")
    major = (version or "").partition(".")[0]
    if not major.isdecimal() or not isinstance(base, str) or not _ROOT.fullmatch(base):
        raise HardwareError(f"{endpoint}: not a Freebox")
    if int(major) < API:
        raise HardwareError(f"{endpoint}: Freebox API {version}; {API} or newer is needed")
    return f"{base}v{API}/"


class Freebox:
    """A Freebox (``BoxStatus`` port), read-only.

    Attributes:
        endpoint: its LAN address.
        token: of the application, from ``freebox_pairing``.
        clock: monotonic seconds.
    """

    def __init__(self, endpoint: Endpoint, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._endpoint = endpoint
        self._token = token
        self._login = login_of(str(endpoint), APP_ID, clock)
        self._root: str | None = None
        self._session: str | None = None

    def read(self) -> BoxReport:
        """See ``BoxStatus.read``; nothing is told without a session."""
        self._login.check()
        if self._root is None:
            self._root = root(self._endpoint)
        connection = self._get("connection/")
        fibre = self._get_if_there("connection/ftth/")
        system = self._get_if_there("system/")
        try:
            return report(connection, fibre, system)
        except ValueError as error:
            raise HardwareError(f"{self._endpoint}: {error}") from None

    def reboot(self) -> None:
        """See ``BoxStatus.reboot``; not used here: it wants a permission beyond reading."""
        raise NotOfferedError(f"{self._endpoint}: a Freebox is only read")

    def close(self) -> None:
        """End the session."""
        if self._session is not None and self._root is not None:
            with suppress(HardwareError):
                api(self._endpoint, f"{self._root}login/logout/", {}, self._session)
            self._session = None

    def _get(self, name: str) -> Mapping[str, Any]:
        path = f"{self._root}{name}"
        if self._session is not None:
            try:
                return api(self._endpoint, path, session=self._session)
            except FreeboxError as error:
                if error.code not in _EXPIRED:
                    raise
        self._session = self._open()
        return api(self._endpoint, path, session=self._session)

    def _get_if_there(self, name: str) -> Mapping[str, Any]:
        """The same, but nothing where this box has no such part or does not show it."""
        try:
            return self._get(name)
        except FreeboxError as error:
            if error.code in _EXPIRED:
                raise
            return {}

    def _open(self) -> str:
        self._login.check()
        challenge = api(self._endpoint, f"{self._root}login/").get("challenge")
        if not isinstance(challenge, str):
            raise HardwareError(f"{self._endpoint}: a login without a challenge")
        # HMAC-SHA1 is what the API asks for.
        password = hmac.new(self._token.encode(), challenge.encode(), "sha1").hexdigest()
        login = {"app_id": APP_ID, "password": password}
        try:
            opened = api(self._endpoint, f"{self._root}login/session/", login)
        except FreeboxError as error:
            if error.code in _REFUSED:
                raise self._login.refused(_REFUSED[error.code]) from None
            raise
        return usable_token(self._endpoint, opened.get("session_token"))


def report(connection: Mapping[str, Any], fibre: Mapping[str, Any], system: Mapping[str, Any]) -> BoxReport:
    """Read the results of ``connection/``, ``connection/ftth/`` and ``system/``; the last two may be empty.

    Pure. On a DSL line only the internet's state is known.

    Raises:
        ValueError: the first says nothing of a connection.
    """
    state = text(connection.get("state"))
    if state is None:
        raise ValueError("the box says nothing of its connection")
    wan_up = {"up": True, "going_up": False, "going_down": False, "down": False}.get(state)
    optical = connection.get("media") == "ftth" or truth(fibre.get("sfp_present")) is True
    present = truth(fibre.get("sfp_present"))
    link = truth(fibre.get("link")) if optical else None
    light = truth(fibre.get("sfp_has_signal")) if optical else None
    if optical and present is False:
        light = False
    uptime_s = duration_s(system.get("uptime_val"))
    return BoxReport(
        source=Source.DOCUMENTED,
        line_up=False if light is False else link,
        wan_up=wan_up,
        wan_address=address(connection.get("ipv4")) or address(connection.get("ipv6")),
        uptime_s=uptime_s,
        model=text(table(system, "model_info").get("pretty_name")) or text(system.get("board_name")),
        firmware=text(system.get("firmware_version")),
        optical_rx_dbm=power_dbm(fibre.get("sfp_pwr_rx"), 0.01) if optical else None,
        cause=fibre_cause(light=light, registered=link, wan_up=wan_up, uptime_s=uptime_s),
    )
