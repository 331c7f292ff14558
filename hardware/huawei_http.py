"""The HTTP session that a HiLink modem is spoken to with. The one file that imports requests.

What the library for these modems lacks, and what must not depend on its good behaviour, is enforced here,
below it: each request ends in bounded time with a bounded answer, nothing but the modem is reached, and
nothing but the requests of ``GET_PATHS`` and ``POST_PATHS`` leaves this machine. Of the orders to the device
(1 reboot, 2 factory settings, 3 backup, 4 power off) only the first does.
"""

from __future__ import annotations

import errno
import re
import socket
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection

from hardware import huawei_fields
from hardware.ports import HardwareError, HardwareMissingError

CONNECT_S = 2.0
LONGEST_ANSWER = 262_144
"""Bytes, headers included. The largest pages, start pages, have about 100 kB; those of the API 2."""
_LONGEST_API_ANSWER = 65_536
MOST_REQUESTS = 60
"""In one call; a reading with a new session and a login takes some 15."""

TOKEN_PATHS = ("webserver/token", "webserver/SesTokInfo")
"""Begin a session."""
GET_PATHS = frozenset(
    {
        *TOKEN_PATHS,
        "user/state-login",
        "sms/send-status",
        huawei_fields.SIGNAL,
        huawei_fields.STATUS,
        huawei_fields.OPERATOR,
        huawei_fields.PIN,
        huawei_fields.INFORMATION,
        huawei_fields.BASIC,
        huawei_fields.MONTH,
        huawei_fields.PLAN,
    }
)
LOGIN, LOGOUT, CONTROL, SEND = "user/login", "user/logout", "device/control", "sms/send-sms"
POST_PATHS = frozenset({LOGIN, LOGOUT, CONTROL, SEND})
_NO_SESSION = re.compile(rb"<code>\s*12500[23]\s*</code>")
_NO_PAGE = b"<error><code>100002</code><message/></error>"
_REBOOT = re.compile(rb"\s*(<\?xml[^>]*\?>)?\s*<request>\s*<Control>1</Control>\s*</request>\s*")


class NotAllowedError(HardwareError):
    """A request that this driver never makes was about to leave; it did not."""


class LoginSpentError(HardwareError):
    """A second try to log in was about to leave without having been allowed; it did not."""


class ModemHttp:
    """A session with one modem, for the library to use.

    Attributes:
        session: what to hand to the library.
        url: the modem's address, ending in ``/``.

    Raises:
        ValueError: not a plain address of a modem.
    """

    def __init__(
        self,
        url: str,
        *,
        interface: str | None = None,
        request_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = checked_url(url)
        self._budget = _Budget(clock, request_s)
        self._adapter = _GuardedAdapter(self._budget, interface)
        self.session = requests.Session()
        # No proxy and no password file of this machine's user may come between.
        self.session.trust_env = False
        self.session.headers.update({"Accept-Encoding": "identity", "Connection": "close"})
        self.session.max_redirects = 3
        # Only this: a redirect to elsewhere, or to a secure port, finds no adapter.
        self.session.adapters.clear()
        self.session.mount(self.url, self._adapter)

    def begin(self, within_s: float) -> None:
        """All requests from now on share this time."""
        self._budget.begin(within_s)

    def allow_one_login(self) -> None:
        """Let one request to log in pass; a second one needs another call."""
        self._adapter.logins = 1

    @property
    def texts(self) -> int:
        """How many text messages were handed over, or may have been."""
        return self._adapter.texts

    def close(self) -> None:
        """Let go of every connection."""
        self.session.close()


def checked_url(url: str) -> str:
    """The modem's root: ``http://ADDRESS[:PORT]/``.

    An address and not a name: asking for a name can take longer than everything else together.

    Raises:
        ValueError: anything more or else; the message says what is allowed.
    """
    parts = urlsplit(url)
    plain = parts.scheme == "http" and parts.path in ("", "/") and not (parts.query or parts.fragment)
    try:
        if not plain or "@" in parts.netloc or parts.port == 0:
            raise ValueError("more than an address")
        ip_address(parts.hostname or "")
    except ValueError as error:
        raise ValueError(
            f"{_without_password(url)!r} is not a modem's address; allowed: http://192.168.8.1/, an address "
            "without a name, a password or a page"
        ) from error
    return f"http://{parts.netloc}/"


def explain(error: Exception, url: str, interface: str | None) -> HardwareError:
    """What a failed request means, in words that say what to do."""
    code = _errno(error)
    if code == errno.ENODEV and interface is not None:
        return HardwareMissingError(
            f"the interface {interface} of the modem at {url} does not exist: unplugged?"
        )
    if code == errno.EPERM and interface is not None:
        return HardwareError(
            f"this kernel does not let the modem at {url} be reached through {interface} only"
        )
    if isinstance(error, requests.exceptions.InvalidSchema):
        return HardwareError(
            f"{url} sends us to another address or to https: not a HiLink modem that can be read"
        )
    if code == errno.ECONNREFUSED:
        return HardwareError(f"nothing answers at {url}: not the modem's address, or it is starting")
    if isinstance(error, requests.exceptions.ConnectTimeout) or code in (
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
    ):
        return HardwareError(f"the modem at {url} cannot be reached: unplugged, without power, or rebooting")
    if isinstance(error, requests.exceptions.RequestException | OSError):
        return HardwareError(
            f"the web server of the modem at {url} hangs or breaks off ({type(error).__name__}): if that "
            "lasts, the modem must be restarted"
        )
    return HardwareError(
        f"what answers at {url} is no HiLink modem, or it must be restarted ({type(error).__name__})"
    )


def _errno(error: BaseException | None) -> int | None:
    """The number of the first system error in a chain of wrapped ones."""
    for _ in range(10):
        if error is None:
            return None
        if isinstance(error, OSError) and error.errno is not None:
            return error.errno
        inner = [part for part in error.args if isinstance(part, BaseException)]
        reason = getattr(error, "reason", None)
        error = (
            reason
            if isinstance(reason, BaseException)
            else inner[0]
            if inner
            else error.__cause__ or error.__context__
        )
    return None


def _without_password(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//...@", url)


class _Budget:
    """Time and bytes that are left, for one request and for all of one call."""

    def __init__(self, clock: Callable[[], float], request_s: float) -> None:
        self._clock = clock
        self._request_s = request_s
        self._call_ends_at = clock() + request_s
        self._ends_at = self._call_ends_at
        self._bytes = 0
        self._requests = MOST_REQUESTS

    def begin(self, within_s: float) -> None:
        self._call_ends_at = self._clock() + within_s
        self._requests = MOST_REQUESTS

    def next_request(self, most_bytes: int) -> None:
        self._requests -= 1
        if self._requests < 0:
            raise OSError("no end of refused sessions")
        self._ends_at = min(self._clock() + self._request_s, self._call_ends_at)
        self._bytes = most_bytes

    def left_s(self) -> float:
        left = self._ends_at - self._clock()
        if left <= 0:
            raise TimeoutError("no whole answer in time")
        return left

    def take(self, size: int) -> None:
        self._bytes -= size
        if self._bytes < 0:
            raise OSError("an answer without end")


class _BoundedSocket(socket.socket):
    """Each read waits for what is left of the request's time at most, instead of anew for its own."""

    budget: _Budget

    def recv_into(self, *args: Any, **kw: Any) -> int:
        self.settimeout(self.budget.left_s())
        size = super().recv_into(*args, **kw)
        self.budget.take(size)
        return size


class _BoundedConnection(HTTPConnection):
    budget: _Budget

    def _new_conn(self) -> socket.socket:
        plain = super()._new_conn()
        bounded = _BoundedSocket(fileno=plain.detach())
        bounded.budget = self.budget
        bounded.settimeout(self.budget.left_s())
        return bounded


class _GuardedAdapter(HTTPAdapter):
    """Lets only the known requests through, each within the budget."""

    def __init__(self, budget: _Budget, interface: str | None) -> None:
        self._budget = budget
        self._interface = interface
        self.logins = self.texts = 0
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kw: Any) -> None:
        if self._interface is not None:
            # Two modems may have the same address; only the interface tells them apart.
            options = list(HTTPConnection.default_socket_options)
            options.append((socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self._interface.encode() + b"\0"))
            kw["socket_options"] = options
        super().init_poolmanager(*args, **kw)

        class Connection(_BoundedConnection):
            budget = self._budget

        class Pool(HTTPConnectionPool):
            ConnectionCls = Connection

        self.poolmanager.pool_classes_by_scheme = {"http": Pool}

    def send(self, request: requests.PreparedRequest, **kw: Any) -> requests.Response:  # type: ignore[override]
        is_api = self._check(request)
        self._budget.next_request(_LONGEST_API_ANSWER if is_api else LONGEST_ANSWER)
        left_s = self._budget.left_s()
        # Each on a new connection: these servers end theirs as they like, and then the next request is lost.
        self.poolmanager.clear()
        response = super().send(
            request, **{**kw, "timeout": (min(CONNECT_S, left_s), left_s), "proxies": None}
        )
        # A few compressed bytes can be a gigabyte; none was asked for.
        if response.headers.get("Content-Encoding", "identity") != "identity":
            response.close()
            raise requests.exceptions.ContentDecodingError("a compressed answer that was not asked for")
        if (request.url or "").endswith(TOKEN_PATHS) and _NO_SESSION.search(response.content):
            # On some firmwares the page that begins a session wants one. Then the library would begin one,
            # by the same page, and so on; told that there is no such page, it tries the other.
            response._content = _NO_PAGE  # noqa: SLF001
        return response

    def _check(self, request: requests.PreparedRequest) -> bool:
        """True for a request to the API.

        Raises:
            NotAllowedError, LoginSpentError: it must not leave.
        """
        path = urlsplit(request.url or "").path.removeprefix("/")
        endpoint = path.removeprefix("api/")
        is_api = endpoint != path
        if request.method == "GET" and (endpoint in GET_PATHS if is_api else not path.startswith("config/")):
            return is_api
        if request.method != "POST" or not is_api or endpoint not in POST_PATHS:
            raise NotAllowedError(f"this driver does not send {request.method} {path}")
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        if endpoint == CONTROL and _REBOOT.fullmatch(body) is None:
            raise NotAllowedError("this driver gives a modem no order but to reboot")
        if endpoint == LOGIN:
            if self.logins < 1:
                raise LoginSpentError("a second login without permission")
            self.logins -= 1
        self.texts += endpoint == SEND
        return True
