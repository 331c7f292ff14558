"""When a HiLink modem may be logged in to. Pure but for the clock that it is given.

These modems lock everybody out after a few wrong passwords, people with the right one included. The rule:

- a refused login is the last one for ``REFUSED_S``; whatever asks in between is refused here instead;
- somebody else being logged in is respected for ``OCCUPIED_S``;
- a login that broke off is not repeated before ``BROKEN_S``.

The memory belongs to the process and to the modem's address, so a new driver object starts no new tries. With
at most four tries a day no lock-out that forgets within hours is ever reached, also if the process restarts
and forgets once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hardware.box_port import LoginRefusedError

REFUSED_S = 6 * 3600.0
OCCUPIED_S = 600.0
BROKEN_S = 60.0


class LoginError(LoginRefusedError):
    """The modem was not logged in to; the message says why and until when it is not tried again."""


@dataclass(slots=True)
class LoginGate:
    """The memory for one modem and user.

    Attributes:
        clock: monotonic seconds.
    """

    clock: Callable[[], float]
    _closed_until: float = float("-inf")
    _why: str = ""

    def check(self) -> None:
        """Pass if a login may be tried now.

        Raises:
            LoginError: not yet, with the reason and the minutes left.
        """
        left_s = self._closed_until - self.clock()
        if left_s > 0:
            raise LoginError(f"{self._why}; no login is tried for another {max(1, round(left_s / 60))} min")

    def refused(self, why: str) -> LoginError:
        """The modem said no to user or password, or is locked."""
        return self._close(REFUSED_S, f"the modem refuses the login ({why}): check its password")

    def occupied(self) -> LoginError:
        """Somebody else is logged in."""
        return self._close(OCCUPIED_S, "somebody is logged in to the modem's own pages")

    def broke_off(self, why: str) -> LoginError:
        """The login came to no end."""
        return self._close(BROKEN_S, f"the login to the modem broke off ({why})")

    def _close(self, for_s: float, why: str) -> LoginError:
        self._closed_until, self._why = self.clock() + for_s, why
        return LoginError(f"{why}; no login is tried for {round(for_s / 60)} min")


_GATES: dict[tuple[str, str], LoginGate] = {}


def gate_of(url: str, username: str, clock: Callable[[], float]) -> LoginGate:
    """The gate of this modem and user, the same one for the whole life of the process."""
    return _GATES.setdefault((url, username), LoginGate(clock))
