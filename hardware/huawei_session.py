"""A session with a HiLink modem: what this project uses of huawei_lte_api, and the one file that imports it.

The library can do far more than is wanted here, factory settings and power off included. What it may send
is bounded below it (``hardware.huawei_http``); when it may log in is decided beside it
(``hardware.login``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar
from xml.parsers.expat import ExpatError

from huawei_lte_api.api.Device import Device
from huawei_lte_api.api.Sms import Sms
from huawei_lte_api.api.User import User
from huawei_lte_api.Connection import Connection
from huawei_lte_api.enums.client import ResponseEnum
from huawei_lte_api.enums.device import ControlModeEnum
from huawei_lte_api.enums.sms import TextModeEnum
from huawei_lte_api.exceptions import (
    LoginErrorAlreadyLoginException,
    ResponseErrorException,
    ResponseErrorLoginCsrfException,
    ResponseErrorLoginRequiredException,
    ResponseErrorNotSupportedException,
    ResponseErrorWrongSessionToken,
)

from hardware import huawei_fields
from hardware.huawei_fields import Page
from hardware.huawei_http import LoginSpentError, ModemHttp, explain
from hardware.login import Login
from hardware.ports import HardwareError, LoginRefusedError, UnconfirmedError
from hardware.sms import TextMessage

_NO_SUPPORT = (100002, 100006, -1)
"""Besides the documented code two others mean the same on some firmwares."""
_DEAD = (ResponseErrorLoginCsrfException, ResponseErrorWrongSessionToken)
"""125002 and 125003: the session has ended, after five idle minutes or because the modem has rebooted."""
_DEAD_CODES = (125002, 125003)

_REFUSAL = "the modem refuses the login ({}): check its password"

_Answer = TypeVar("_Answer")


class _NoDebug(logging.Filter):
    """The library writes passwords and messages into its debug log; whatever level is set, they stay out."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.DEBUG


for _name in ("huawei_lte_api.Connection", "huawei_lte_api.Session"):
    logging.getLogger(_name).addFilter(_NoDebug())


class HiLinkSession:
    """A session, anonymous until something needs a login.

    Attributes:
        http: how the modem is reached.
        username, password: of the modem's own pages; no password means that it is never logged in to.
        login: decides when a login may be tried.
        interface: for messages.

    Raises:
        HardwareError: the modem is not reached, or is none.
    """

    def __init__(
        self,
        http: ModemHttp,
        username: str,
        password: str | None,
        login: Login,
        interface: str | None = None,
    ) -> None:
        self._http = http
        self._username = username
        self._password = password
        self._login = login
        self._interface = interface
        self._logged_in = False
        self._login_tried = False
        self._unsupported: set[str] = set()
        with self._obeying():
            self._connection = Connection(http.url, requests_session=http.session)

    def begin(self, within_s: float) -> None:
        """A new call: ``within_s`` seconds for all its requests, and one login at most."""
        self._http.begin(within_s)
        self._login_tried = False

    def page(self, name: str) -> Page | None:
        """A page; None if this firmware has none, or is too busy.

        Raises:
            LoginError: the page needs a login, and that was not possible.
            HardwareError: the modem is not reached, hangs, or ends every session at once.
        """
        if name in self._unsupported:
            return None
        with self._obeying():
            try:
                page: object = self._ask(lambda: self._connection.get(name))
            except ExpatError:
                # The start page instead of an error, on some firmwares.
                self._unsupported.add(name)
                return None
            except _DEAD:
                raise
            except ResponseErrorException as error:
                if error.code in _NO_SUPPORT:
                    self._unsupported.add(name)
                return None
            return page if isinstance(page, dict) and page else None

    def reboot(self) -> None:
        """Order a reboot.

        Raises:
            LoginError: it needs a login, and that was not possible.
            HardwareError: not reached, or refused.
        """
        with self._obeying():
            _accepted(self._ask(lambda: Device(self._connection).set_control(ControlModeEnum.REBOOT)))

    def send(self, message: TextMessage) -> None:
        """Hand over a short message; ``sending`` tells what became of it.

        Raises:
            LoginError: it needs a login, and that was not possible.
            UnconfirmedError: it left for the modem, and what came back says nothing.
            HardwareError: not reached, or refused.
        """
        mode = TextModeEnum.UCS2 if message.septets is None else TextModeEnum.SEVEN_BIT
        before = self._http.texts
        with self._obeying():
            try:
                done = self._ask(
                    lambda: Sms(self._connection).send_sms([message.number], message.text, text_mode=mode)
                )
            except (ResponseErrorException, HardwareError):
                raise
            except Exception as error:
                if self._http.texts == before:
                    raise
                why = explain(error, self._http.url, self._interface)
                raise UnconfirmedError(f"the text message may have been taken: {why}") from None
            _accepted(done)

    def sending(self) -> bool | None:
        """True once the network has taken the last message, False once it has refused it, None before.

        Raises:
            HardwareError: the modem is not reached.
        """
        with self._obeying():
            status = self._ask(lambda: Sms(self._connection).send_status())
        if huawei_fields.text(status, "FailPhone"):
            return False
        return True if huawei_fields.text(status, "SucPhone") else None

    def log_out(self) -> None:
        """End a login, so that people can use the modem's pages; does nothing without one.

        Raises:
            HardwareError: the modem is not reached.
        """
        if self._logged_in:
            self._logged_in = False
            # A modem that has no logout ends the session by itself.
            with self._obeying(), suppress(ResponseErrorNotSupportedException):
                self._ask_once(lambda: User(self._connection).logout())

    def close(self) -> None:
        """Let go of every connection."""
        self._http.close()

    @contextmanager
    def _obeying(self) -> Iterator[None]:
        """Turn whatever the library, requests and the parsers raise, which share no base, into ours."""
        try:
            yield
        except HardwareError:
            raise
        # Not "from error": its frames hold what was about to be sent, a password perhaps.
        except ResponseErrorException as error:
            raise HardwareError(f"the modem at {self._http.url} refuses: code {error.code}") from None
        except Exception as error:  # noqa: BLE001 - see the docstring
            raise explain(error, self._http.url, self._interface) from None

    def _ask(self, question: Callable[[], _Answer]) -> _Answer:
        """Ask; logged in if need be."""
        try:
            return self._ask_alive(question)
        except ResponseErrorLoginRequiredException:
            self._log_in()
            return self._ask_alive(question)

    def _ask_alive(self, question: Callable[[], _Answer]) -> _Answer:
        """Ask; with a new session if the old one has died, once."""
        try:
            return self._ask_once(question)
        except _DEAD:
            self._renew()
            return self._ask_once(question)

    def _ask_once(self, question: Callable[[], _Answer]) -> _Answer:
        """Ask, and forget the token that was used up; the library keeps a last one and sends it again."""
        tokens = self._connection.request_verification_tokens
        before = list(tokens)
        try:
            return question()
        finally:
            now = self._connection.request_verification_tokens
            if now is tokens and len(before) == 1 and now[:1] == before and len(now) > 1:
                del now[0]

    def _renew(self) -> None:
        self._logged_in = False
        self._http.session.cookies.clear()
        self._connection.reload()

    def _log_in(self) -> None:
        """Log in once in a call, if none was refused lately.

        Raises:
            LoginError: it was not tried, or it failed.
        """
        if self._password is None:
            raise LoginRefusedError(
                f"the modem at {self._http.url} wants a login for this: give its password"
            )
        if self._login_tried:
            raise LoginRefusedError(
                f"the login of {self._username!r} is not enough for the modem at {self._http.url}"
            )
        self._login_tried = True
        self._login.check()
        user = User(self._connection)
        try:
            state = user.state_login()
        except ResponseErrorNotSupportedException:
            state = {}
        if huawei_fields.number(state, "lockstatus") or huawei_fields.number(state, "remainwaittime"):
            raise self._login.refused("the modem is locked after too many tries")
        try:
            self._logged_in = self._password_taken(user)
        except LoginErrorAlreadyLoginException:
            raise self._login.occupied("somebody is logged in to the modem's own pages") from None
        except ResponseErrorException as error:
            raise self._login.refused(_REFUSAL.format(error)) from None
        except Exception as error:  # noqa: BLE001 - whatever it was, the next try must wait
            raise self._login.broke_off(f"the login broke off ({type(error).__name__})") from None
        if not self._logged_in:
            raise self._login.refused(_REFUSAL.format("without a reason"))

    def _password_taken(self, user: User) -> bool:
        """Send the password, in a session that is new, so that its token holds.

        It is sent a second time only if the modem has not looked at it, its session being dead. The library
        would do that by itself, with the password made up for the dead token: a wrong one.
        """
        for attempt in (1, 2):
            self._renew()
            self._http.allow_one_login()
            try:
                return user.login(self._username, self._password, force_new_login=True)
            except LoginSpentError:
                if attempt == 2:
                    raise
            except ResponseErrorException as error:
                if attempt == 2 or error.code not in _DEAD_CODES:
                    raise
        raise AssertionError("not reached")


def _accepted(done: object) -> None:
    if done != ResponseEnum.OK.value:
        raise HardwareError(f"the modem refuses: {str(done)[:80]}")
