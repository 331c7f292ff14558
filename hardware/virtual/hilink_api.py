"""How a HiLink modem deals with its clients: sessions, tokens that serve once, logins, orders.

A client first opens a session; every page then wants the session's cookie, and every order a token that
serves once (the next one comes with the answer). Some firmwares show pages, and all take orders, to those
only who are logged in. Forms and codes are those of ``hardware.virtual.hilink_pages``.
"""

from __future__ import annotations

import base64
import hashlib
import random
import re
import string
from collections.abc import Callable
from dataclasses import dataclass, field

from hardware.virtual import hilink_pages
from hardware.virtual.hilink_pages import HiLinkReadings

_SESSIONS = 8
SESSION_S = 300.0
"""A session that is idle for longer has ended."""
_TRIES, _LOCKED_S = 5, 60.0
"""Wrong passwords until everybody is locked out, and for how long."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back."""

    body: str
    kind: str = "text/xml"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Firmware:
    """How this firmware behaves; may be changed at any time.

    Attributes:
        password: of the user ``admin``; None for a stick that has no users.
        hashed: wants passwords hashed with the token (type 4) instead of only written to base 64 (type 0).
        private: pages for those only who are logged in.
        forbidden: pages for nobody, not even those who are logged in.
        missing: pages that this firmware has not.
        broken: pages that are the start page instead, as on some firmwares.
        busy: pages that answer "later".
        occupied: somebody else is logged in.
        strange_login: every login is refused as a wrong token: this firmware logs in by another method.
        token_wants_session: also the page that opens a session wants one.
        stale: this many requests that need a session are refused as if theirs had just ended.
        stale_code: with which code.
    """

    password: str | None = None
    hashed: bool = False
    private: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    busy: frozenset[str] = frozenset()
    occupied: bool = False
    strange_login: bool = False
    token_wants_session: bool = False
    stale: int = 0
    stale_code: int = hilink_pages.NO_SESSION


@dataclass(slots=True)
class _Session:
    token: str
    used_at: float
    logged_in: bool = False


@dataclass(slots=True)
class HiLinkApi:
    """All sessions of a modem.

    Attributes:
        readings: what the modem knows now.
        reboot: is called when a reboot was ordered.
        clock: monotonic seconds.
        firmware: how it behaves.
        heard: method and path of every request, and the orders with their content.
        texts: short messages that were handed over: number, text, and the code of the alphabet.
        logins: passwords that were looked at.
    """

    readings: Callable[[], HiLinkReadings]
    reboot: Callable[[], None]
    rng: random.Random
    clock: Callable[[], float]
    firmware: Firmware = field(default_factory=Firmware)
    heard: list[str] = field(default_factory=list)
    texts: list[tuple[str, str, int]] = field(default_factory=list)
    logins: int = 0
    _sessions: dict[str, _Session] = field(default_factory=dict)
    _wrong: int = 0
    _locked_until: float = float("-inf")

    def forget(self) -> None:
        """The modem reboots: no session survives."""
        self._sessions.clear()
        self._wrong = 0

    def answer(self, request: Request) -> Reply:
        """What the modem says to one request."""
        path = request.path.partition("?")[0]
        self.heard.append(f"{request.method} {path}")
        if path == "/" and request.method == "GET":
            return _START_PAGE
        if path == "/api/webserver/SesTokInfo":
            return self._open_session()
        cookie = _cookie(request.headers.get("cookie", ""))
        endpoint = path.removeprefix("/api/")
        if endpoint in self.firmware.broken:
            return _START_PAGE
        body = (
            self._get(endpoint, cookie) if request.method == "GET" else self._post(request, endpoint, cookie)
        )
        headers: tuple[tuple[str, str], ...] = ()
        session = self._sessions.get(cookie)
        if request.method == "POST" and session is not None:
            # The library wants the token of a login under another name than that of an order.
            name = "__RequestVerificationToken" + ("one" if endpoint == "user/login" else "")
            headers = ((name, session.token),)
        return Reply(body, headers=headers)

    # --- sessions -------------------------------------------------------------------------------------------

    def _open_session(self) -> Reply:
        while len(self._sessions) >= _SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        cookie, token = self._secret(118), self._secret(32)
        self._sessions[cookie] = _Session(token, self.clock())
        return Reply(
            hilink_pages.session(cookie, token),
            headers=(("Set-Cookie", f"SessionID={cookie};path=/;HttpOnly;"),),
        )

    def _living(self, cookie: str) -> _Session | None:
        session = self._sessions.get(cookie)
        if session is None:
            return None
        if self.firmware.stale > 0:
            self.firmware.stale -= 1
            del self._sessions[cookie]
            return None
        if self.clock() - session.used_at > SESSION_S:
            del self._sessions[cookie]
            return None
        session.used_at = self.clock()
        return session

    def _no_session(self) -> str:
        return hilink_pages.error(self.firmware.stale_code)

    def _secret(self, length: int) -> str:
        return "".join(self.rng.choices(string.ascii_letters + string.digits, k=length))

    # --- pages ----------------------------------------------------------------------------------------------

    def _get(self, endpoint: str, cookie: str) -> str:
        if endpoint == "webserver/token" and self.firmware.token_wants_session:
            return hilink_pages.error(hilink_pages.NO_SESSION)
        own = {"user/state-login": self._login_state, "sms/send-status": self._send_status}.get(endpoint)
        text = hilink_pages.page(endpoint, self.readings())
        if endpoint in self.firmware.missing or (text is None and own is None):
            return hilink_pages.error(hilink_pages.NO_SUPPORT)
        session = self._living(cookie)
        if session is None:
            return self._no_session()
        if endpoint in self.firmware.busy:
            return hilink_pages.error(hilink_pages.BUSY)
        if endpoint in self.firmware.forbidden or (
            endpoint in self.firmware.private and not session.logged_in
        ):
            return hilink_pages.error(hilink_pages.NO_RIGHTS)
        return own(session) if own is not None else text or ""

    def _login_state(self, session: _Session) -> str:
        if self.firmware.password is None:
            return hilink_pages.error(hilink_pages.NO_SUPPORT)
        left_s = max(0.0, self._locked_until - self.clock())
        return hilink_pages.response(
            {
                "State": 0 if session.logged_in else -1,
                "Username": "admin" if session.logged_in else None,
                "password_type": 4 if self.firmware.hashed else 0,
                "lockstatus": int(left_s > 0),
                "remainwaittime": round(left_s / 60),
            }
        )

    def _send_status(self, _session: _Session) -> str:
        number = self.texts[-1][0] if self.texts else None
        taken = self.readings().signal.has_service
        return hilink_pages.response(
            {
                "Phone": None,
                "SucPhone": number if taken else None,
                "FailPhone": None if taken else number,
                "TotalCount": 1,
                "CurIndex": 1,
            }
        )

    # --- orders ---------------------------------------------------------------------------------------------

    def _post(self, request: Request, endpoint: str, cookie: str) -> str:
        session = self._living(cookie)
        if session is None:
            return self._no_session()
        token, session.token = session.token, self._secret(32)
        if request.headers.get("__requestverificationtoken") != token:
            return hilink_pages.error(hilink_pages.BAD_TOKEN)
        if endpoint == "user/login":
            return self._log_in(request.body, session, token)
        self.heard[-1] += f" {request.body}"
        if self.firmware.password is not None and not session.logged_in:
            return hilink_pages.error(hilink_pages.NO_RIGHTS)
        if endpoint == "user/logout":
            session.logged_in = False
            return hilink_pages.done()
        if endpoint == "device/control" and re.search(r"<Control>\s*1\s*</Control>", request.body):
            self.reboot()
            return hilink_pages.done()
        if endpoint == "sms/send-sms":
            found = re.search(
                r"<Phone>(.*?)</Phone>.*<Content>(.*?)</Content>.*<Reserved>(\d)", request.body, re.DOTALL
            )
            if found is None:
                return hilink_pages.error(hilink_pages.BAD_FORMAT)
            self.texts.append((found[1], found[2], int(found[3])))
            return hilink_pages.done()
        return hilink_pages.error(hilink_pages.NO_SUPPORT)

    def _log_in(self, body: str, session: _Session, token: str) -> str:
        if self.firmware.password is None:
            return hilink_pages.error(hilink_pages.NO_SUPPORT)
        if self.firmware.strange_login:
            return hilink_pages.error(hilink_pages.BAD_TOKEN)
        if self.firmware.occupied:
            return hilink_pages.error(hilink_pages.OCCUPIED)
        self.logins += 1
        if self.clock() < self._locked_until:
            return hilink_pages.error(hilink_pages.LOCKED)
        given = re.search(r"<Password>(.*?)</Password>", body)
        if given is None or given[1] != self._expected("admin", self.firmware.password, token):
            self._wrong += 1
            if self._wrong >= _TRIES:
                self._locked_until = self.clock() + _LOCKED_S
            return hilink_pages.error(hilink_pages.WRONG_PASSWORD)
        self._wrong = 0
        session.logged_in = True
        return hilink_pages.done()

    def _expected(self, user: str, password: str, token: str) -> str:
        """Type 0: base 64. Type 4: base 64 of SHA-256 of user, base 64 of SHA-256 of the password, token."""
        if not self.firmware.hashed:
            return base64.b64encode(password.encode()).decode()
        inner = base64.b64encode(hashlib.sha256(password.encode()).hexdigest().encode())
        outer = hashlib.sha256(user.encode() + inner + token.encode()).hexdigest()
        return base64.b64encode(outer.encode()).decode()


_START_PAGE = Reply("<html><head><title>HiLink</title></head><body><p>&nbsp;</body></html>", "text/html")


def _cookie(header: str) -> str:
    """The session's id out of a Cookie header; clients repeat it with or without the name in the value."""
    values = [part.strip().removeprefix("SessionID=") for part in header.split(";") if "SessionID=" in part]
    return values[0].removeprefix("SessionID=") if values else ""
