"""Care with a device's login: a wrong password is tried once, then not again for hours.

Boxes lock everybody out after a few failures, people included, and some lengthen the lock with every
further try. So a refusal is remembered for ``REST_S``; until then nothing is sent that could count as a
try. A new process has no memory of it and tries once.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable

from hardware.box_port import LoginRefusedError
from hardware.lan_http import Endpoint
from hardware.ports import HardwareError

REST_S = 6 * 3600.0
"""Seconds from a refusal to the next try; known locks last from minutes to an hour."""
_TOKEN = re.compile(r"[!-~]{1,1024}")
_log = logging.getLogger(__name__)


class Login:
    """The memory of one login. Holds no password.

    Attributes:
        endpoint: whose login.
        clock: monotonic seconds.
    """

    def __init__(self, endpoint: Endpoint, clock: Callable[[], float] = time.monotonic) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._refused: tuple[float, str] | None = None

    @property
    def rests(self) -> bool:
        """It was refused less than ``REST_S`` ago."""
        return self._refused is not None and self._clock() - self._refused[0] < REST_S

    def check(self) -> None:
        """Raise if it was refused lately.

        Raises:
            LoginRefusedError: with the reason of then and the time that is left.
        """
        if self._refused is not None and self.rests:
            raise LoginRefusedError(self._said(*self._refused))

    def refused(self, why: str) -> LoginRefusedError:
        """Remember a refusal and log it; return the error to raise. ``why`` must hold no secret."""
        self._refused = self._clock(), why
        said = self._said(*self._refused)
        _log.warning("%s", said)
        return LoginRefusedError(said)

    def _said(self, refused_at: float, why: str) -> str:
        hours = (REST_S - (self._clock() - refused_at)) / 3600
        return f"{self._endpoint}: {why}; not tried again for {hours:.1f} h"


def usable_token(endpoint: Endpoint, value: object) -> str:
    """A token as the device gave it, which will be sent back in a header.

    Raises:
        HardwareError: not such a token; it is not quoted.
    """
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise HardwareError(f"{endpoint}: a login that gives no usable token")
    return value
