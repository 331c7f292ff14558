"""What a Bouygues Bbox says of its line, asked over its REST interface (``BoxStatus`` port).

``GET /api/v1/...`` answers JSON, each part in a list of one:

- ``wan/ip``: internet (2 is up), link, public address. Answered without a login;
- ``device``: model, firmware, uptime. Without a login too;
- ``wan/ftth/stats``: the fibre's state. Asked only with a password; without one ``wan/ip`` tells the link.

The box speaks HTTPS under the name mabbox.bytel.fr, for which it has a public certificate, and sends
clients that call it by its address away to that name: so the address goes into the packets, the name into
the request (``ENDPOINT``). The certificate's dates need a clock that is about right.

The box does not say whether there is light, so a fibre that is down is down for a reason unknown. A failed
login prolongs the box's lock (status 429) with each repetition.

Sources: github.com/bertrandmartel/bboxapi-router (documentation of the calls, answers of a F@st5330b);
PyPI bboxpy 1.4.0 and aiobbox 0.3.1 (F@st5696b); home-assistant/core issue 106381 (answer 401).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from hardware.answers import address, choice, duration_s, fibre_cause, json_of, number, table, text
from hardware.box_port import BoxReport, NotOfferedError, Source
from hardware.lan_http import Endpoint, Tls, ask
from hardware.login import login_of
from hardware.ports import HardwareError, LoginRefusedError

ENDPOINT = Endpoint("192.168.1.254", 443, Tls("mabbox.bytel.fr"))
"""As delivered."""
_INTERNET_UP = 2.0
_COOKIE = re.compile(r"(BBOX_ID=[!-:<-~]+)(?:;|$)")


class _DeniedError(Exception):
    """The box wants a login for this."""


class Bbox:
    """A Bbox (``BoxStatus`` port), read-only.

    Attributes:
        endpoint: its LAN address and name.
        password: of its administration page; None asks only what it tells everybody.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        endpoint: Endpoint = ENDPOINT,
        password: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoint = endpoint
        self._password = password
        self._login = login_of(str(endpoint), "", clock)
        self._cookie: str | None = None
        self._shown: set[str] = set()
        """Parts that the box has shown, so that hiding one means an expired session."""

    def read(self) -> BoxReport:
        """See ``BoxStatus.read``. A refused login costs the fibre's own state, not the rest."""
        kept = self._cookie is not None
        if not kept and self._password is not None and not self._login.rests:
            with suppress(LoginRefusedError):  # logged; what the box tells everybody is still to be had
                self._open()
        try:
            wan = self._get("wan/ip")
        except _DeniedError:
            if self._cookie is not None and not kept:
                raise self._login.refused("the login works but may not read the line's state") from None
            self._open()
            wan = self._get_logged_in("wan/ip")
        device = self._get_if_allowed("device")
        fibre = self._get_if_allowed("wan/ftth/stats") if self._cookie is not None else {}
        try:
            return report(wan, device, fibre)
        except ValueError as error:
            raise HardwareError(f"{self._endpoint}: {error}") from None

    def reboot(self) -> None:
        """See ``BoxStatus.reboot``; not used here: it needs the login, and there is the relay."""
        raise NotOfferedError(f"{self._endpoint}: a Bbox is only read")

    def close(self) -> None:
        """End the session."""
        if self._cookie is not None:
            with suppress(HardwareError):
                ask(self._endpoint, "POST", "/api/v1/logout", headers={"Cookie": self._cookie})
            self._cookie = None

    def _open(self) -> None:
        if self._password is None:
            raise LoginRefusedError(f"{self._endpoint}: the box asks for a password, and none is configured")
        self._login.check()
        self._cookie = None
        form = urlencode({"password": self._password, "remember": 1}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        reply = ask(self._endpoint, "POST", "/api/v1/login", body=form, headers=headers)
        if reply.status == 429:
            raise self._login.refused("too many failed logins")
        if reply.status in (400, 401, 403):
            raise self._login.refused("the password is refused")
        cookies = [_COOKIE.match(value) for value in reply.headers.get_all("Set-Cookie", [])]
        cookie = next((found[1] for found in cookies if found), None)
        if reply.status != 200 or cookie is None:
            raise HardwareError(f"{self._endpoint}: status {reply.status} and no session to a login")
        self._cookie = cookie

    def _get_logged_in(self, part: str) -> Mapping[str, Any]:
        try:
            return self._get(part)
        except _DeniedError:
            raise self._login.refused("the login works but may not read the line's state") from None

    def _get_if_allowed(self, part: str) -> Mapping[str, Any]:
        """The same, but nothing where the box has no such part or does not show it."""
        try:
            found = self._get(part)
        except _DeniedError:
            if part in self._shown:
                self._cookie = None  # it has expired: the next reading opens another session
                self._shown.discard(part)
            return {}
        self._shown.add(part)
        return found

    def _get(self, part: str) -> Mapping[str, Any]:
        headers = {} if self._cookie is None else {"Cookie": self._cookie}
        reply = ask(self._endpoint, "GET", f"/api/v1/{part}", headers=headers)
        if reply.status in (401, 403):
            raise _DeniedError
        if reply.status == 404:
            return {}
        if reply.status != 200:
            raise HardwareError(f"{self._endpoint}: status {reply.status} to {part}")
        answer = json_of(self._endpoint, reply)
        return table(answer[0] if isinstance(answer, list) and answer else answer)


def report(wan: Mapping[str, Any], device: Mapping[str, Any], fibre: Mapping[str, Any]) -> BoxReport:
    """Read the answers to ``wan/ip``, ``device`` and ``wan/ftth/stats``; the last two may be empty. Pure.

    Raises:
        ValueError: the first says nothing of a line.
    """
    internet = number(table(wan, "wan", "internet").get("state"))
    link = choice(table(wan, "wan", "link").get("state"), "up", "down")
    ftth = choice(table(fibre, "wan", "ftth").get("state"), "up", "down")
    if internet is None and link is None:
        raise ValueError("the box says nothing of its line")
    box, ip = table(device, "device"), table(wan, "wan", "ip")
    wan_up = None if internet is None else internet == _INTERNET_UP
    on_fibre = table(wan, "wan", "link").get("type") == "ftth"
    line_up = ftth if on_fibre and ftth is not None else link
    uptime_s = duration_s(box.get("uptime"))
    healthy = None if wan_up is None and line_up is None else wan_up is not False and line_up is not False
    return BoxReport(
        source=Source.DOCUMENTED,
        line_up=line_up,
        wan_up=wan_up,
        wan_address=address(ip.get("address")),
        uptime_s=uptime_s,
        model=text(box.get("modelname")),
        firmware=text(table(box, "running").get("version")) or text(table(box, "main").get("version")),
        cause=fibre_cause(light=None, registered=None, wan_up=healthy, uptime_s=uptime_s),
    )
