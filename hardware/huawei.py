"""A Huawei modem in network mode (HiLink): the ``Modem`` port by its web interface."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from hardware import huawei_fields
from hardware.closing import Closing
from hardware.huawei_fields import BASIC, INFORMATION, MONTH, OPERATOR, PIN, PLAN, SIGNAL, STATUS, Page
from hardware.huawei_http import ModemHttp, checked_url
from hardware.huawei_session import HiLinkSession
from hardware.login import login_of
from hardware.ports import HardwareError, LoginError, Signal, UnconfirmedError
from hardware.sms import text_message

REQUEST_S = 5.0
"""Longest wait for one page; a stick answers in some 50 ms, a busy one in two seconds."""
READ_S = 20.0
"""One whole reading or order."""
SEND_S = 30.0
"""Until the network has taken a short message."""
_ASK_AGAIN_S = 0.5
_PAGES = (STATUS, SIGNAL, OPERATOR, PIN, INFORMATION, BASIC, MONTH, PLAN)


class HuaweiModem(Closing):
    """The ``Modem`` port on a HiLink modem.

    Pages are asked for without logging in. Only if a page or an order needs it, and a password is given,
    the modem is logged in to, once, and out of at the end of the call, so that people can use its pages.

    Attributes:
        url: ``http://192.168.8.1/``.
        username: of the modem's own pages.
        password: None to never log in: then some firmwares tell less, and most refuse orders.
        interface: reach the modem through this one only; needed where two modems have the same address.
        request_s: longest wait for one page.
        read_s: longest duration of a call.
        send_s: how long the network may take with a short message, on top.
        clock: monotonic seconds.
        sleep: waits between two questions about a message that is being sent.

    Raises:
        ValueError: ``url`` is not a plain address.
    """

    def __init__(
        self,
        url: str = "http://192.168.8.1/",
        *,
        username: str = "admin",
        password: str | None = None,
        interface: str | None = None,
        request_s: float = REQUEST_S,
        read_s: float = READ_S,
        send_s: float = SEND_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = checked_url(url)
        self._username = username
        self._password = password
        self._interface = interface
        self._request_s = request_s
        self._read_s = read_s
        self._send_s = send_s
        self._clock = clock
        self._sleep = sleep
        self._login = login_of(self.url, username, clock)
        self._one_call = threading.Lock()
        self._session: HiLinkSession | None = None
        self._closed = False

    def read(self) -> Signal:
        """Ask for every page that tells something.

        Raises:
            HardwareMissingError: the interface is not there.
            HardwareError: the modem is not reached, hangs, or shows nothing without a login.
        """
        with self._call(self._read_s) as session:
            pages: dict[str, Page] = {}
            refused: LoginError | None = None
            for name in _PAGES:
                if name == BASIC and INFORMATION in pages:
                    continue
                try:
                    page = session.page(name)
                except LoginError as error:
                    refused = error
                    continue
                if page is not None:
                    pages[name] = page
            if not pages:
                raise refused or HardwareError(f"{self.url} has none of the pages of a HiLink modem")
            return huawei_fields.understand(pages)

    def reboot(self) -> None:
        """Order the modem to reboot.

        Raises:
            HardwareMissingError: the interface is not there.
            HardwareError: not reached, refused, or no answer (then it may reboot nevertheless).
        """
        with self._call(self._read_s) as session:
            session.reboot()
            # Whoever was logged in is so no longer.
            self._drop()

    def send_text(self, number: str, text: str) -> None:
        """Send one SMS and wait until the network has it.

        Raises:
            ValueError: a number or text that cannot be sent; nothing was sent.
            HardwareMissingError: the interface is not there.
            UnconfirmedError: not confirmed in time; it may have been sent.
            HardwareError: refused or not reached.
        """
        message = text_message(number, text)
        with self._call(self._read_s + self._send_s) as session:
            session.send(message)
            try:
                taken = self._await_sending(session)
            except HardwareError as error:
                raise UnconfirmedError(str(error)) from error
            if taken is None:
                raise UnconfirmedError(
                    f"the modem at {self.url} does not confirm the text message; it may come later"
                )
            if not taken:
                raise HardwareError(f"the network refuses the text message of the modem at {self.url}")

    def _await_sending(self, session: HiLinkSession) -> bool | None:
        """Whether the network has taken what was handed over; None if that is not said in time."""
        ends_at = self._clock() + self._send_s
        while self._clock() < ends_at:
            taken = session.sending()
            if taken is not None:
                return taken
            self._sleep(_ASK_AGAIN_S)
        return None

    def close(self) -> None:
        """Let go of the session. Does nothing the second time."""
        with self._one_call:
            self._closed = True
            self._drop()

    @contextmanager
    def _call(self, within_s: float) -> Iterator[HiLinkSession]:
        """The session for one call, logged out at its end; after a failure the next call has a new one."""
        with self._one_call:
            if self._closed:
                raise HardwareError(f"the modem at {self.url} is closed")
            try:
                yield self._open(within_s)
            except BaseException:
                self._leave()
                self._drop()
                raise
            if not self._leave():
                self._drop()

    def _open(self, within_s: float) -> HiLinkSession:
        if self._session is None:
            http = ModemHttp(
                self.url, interface=self._interface, request_s=self._request_s, clock=self._clock
            )
            http.begin(within_s)
            try:
                self._session = HiLinkSession(
                    http, self._username, self._password, self._login, self._interface
                )
            except BaseException:
                http.close()
                raise
        self._session.begin(within_s)
        return self._session

    def _leave(self) -> bool:
        """Log out if logged in; false if that failed, which takes nothing away from what was read."""
        with suppress(HardwareError):
            if self._session is not None:
                self._session.log_out()
            return True
        return False

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()
