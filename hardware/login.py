"""Care with a device's login: what was refused once is not tried again for hours.

Boxes and modems lock everybody out after a few wrong passwords, people with the right one included, and some
lengthen the lock with every further try. So:

- a refused login is the last one for ``REFUSED_S``; whatever asks in between is refused here instead;
- somebody else being logged in is respected for ``OCCUPIED_S``, where a device tells that;
- a login that broke off is not repeated before ``BROKEN_S``, where the driver says so.

The memory belongs to the process and to the device and its user, so a new driver object starts no new tries.
A new process has none and tries once: with at most four tries a day no lock that forgets within hours is
reached.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from hardware.ports import HardwareError, LoginError, LoginRefusedError

if TYPE_CHECKING:
    from hardware.lan_http import Endpoint

REFUSED_S = 6 * 3600.0
"""Known locks last from minutes to an hour."""
OCCUPIED_S = 600.0
BROKEN_S = 60.0
_HOUR_S = 3600.0
_TOKEN = re.compile(r"[!-~]{1,1024}")
_log = logging.getLogger(__name__)


class Login:
    """The memory of one login. Holds no password.

    Attributes:
        device: whose login, for messages.
        clock: monotonic seconds.
    """

    def __init__(self, device: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._device = device
        self.clock = clock
        self._rests_until = float("-inf")
        self._kind: type[LoginError] = LoginError
        self._why = ""

    @property
    def rests(self) -> bool:
        """None may be tried now."""
        return self.clock() < self._rests_until

    def check(self) -> None:
        """Pass if a login may be tried now.

        Raises:
            LoginRefusedError: one was refused lately; with the reason of then and the time that is left.
            LoginError: the same, for another reason.
        """
        if self.rests:
            raise self._error()

    def refused(self, why: str) -> LoginRefusedError:
        """The device does not accept user, password or token, or is locked; logged.

        Returns:
            The error to raise. ``why`` must hold no secret; this is true of the others too.
        """
        error = LoginRefusedError(str(self._rest(REFUSED_S, LoginRefusedError, why)))
        _log.warning("%s", error)
        return error

    def occupied(self, why: str) -> LoginError:
        """Somebody else is logged in."""
        return self._rest(OCCUPIED_S, LoginError, why)

    def broke_off(self, why: str) -> LoginError:
        """The login came to no end."""
        return self._rest(BROKEN_S, LoginError, why)

    def _rest(self, for_s: float, kind: type[LoginError], why: str) -> LoginError:
        self._rests_until, self._kind, self._why = self.clock() + for_s, kind, why
        return self._error()

    def _error(self) -> LoginError:
        left_s = self._rests_until - self.clock()
        left = f"{left_s / _HOUR_S:.1f} h" if left_s >= _HOUR_S else f"{max(1, round(left_s / 60))} min"
        return self._kind(f"{self._device}: {self._why}; not tried again for {left}")


_LOGINS: dict[tuple[str, str], Login] = {}


def login_of(device: str, user: str, clock: Callable[[], float] = time.monotonic) -> Login:
    """The memory for this device and user, the same one for the whole life of the process.

    By another clock it begins anew: seconds of two clocks cannot be compared.
    """
    known = _LOGINS.get((device, user))
    if known is None or known.clock is not clock:
        known = _LOGINS[device, user] = Login(device, clock)
    return known


def usable_token(endpoint: Endpoint, value: object) -> str:
    """A token as the device gave it, which will be sent back in a header.

    Raises:
        HardwareError: not such a token; it is not quoted.
    """
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise HardwareError(f"{endpoint}: a login that gives no usable token")
    return value
