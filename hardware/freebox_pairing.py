"""``python -m hardware.freebox_pairing ADDRESS FILE``: obtain the token that ``hardware.freebox`` needs.

The box shows a question on its own display; a person who stands before it says yes with the arrow or the
tick there. Within the box's LAN only, once for each installation; the person may take it back in Freebox
OS (Paramètres, Gestion des accès, Applications), where the permissions of the application are also shown.
Reading needs none of them.

Source: dev.freebox.fr/sdk/os/login.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from hardware.freebox import APP_ID, api, root
from hardware.lan_http import Endpoint
from hardware.login import usable_token
from hardware.ports import HardwareError

PATIENCE_S = 120.0
"""How long the command waits; the box itself gives up sooner or later with ``timeout``."""
_ASK_EVERY_S = 1.0


class Grant(StrEnum):
    """What has become of the question on the box's display."""

    PENDING = "pending"
    GRANTED = "granted"
    DENIED = "denied"
    TIMEOUT = "timeout"
    UNKNOWN = "unknown"


class Pairing:
    """One question to the person before the box. Constructing it puts the question on the display.

    Attributes:
        endpoint: the box's LAN address.
        token: worthless until granted; a secret from then on.

    Raises:
        HardwareError: not a Freebox, or it takes no new applications.
    """

    def __init__(self, endpoint: Endpoint, device_name: str) -> None:
        self._endpoint = endpoint
        self._path = f"{root(endpoint)}login/authorize/"
        question = {
            "app_id": APP_ID,
            "app_name": "Vigie",
            "app_version": "1",
            "device_name": device_name,
        }
        result = api(endpoint, self._path, question)
        track = result.get("track_id")
        if not isinstance(track, int):
            raise HardwareError(f"{endpoint}: a pairing without a number")
        self.token = usable_token(endpoint, result.get("app_token"))
        self._track = track

    def grant(self) -> Grant:
        """Ask what has become of it.

        Raises:
            HardwareError: no answer that makes sense.
        """
        status = api(self._endpoint, f"{self._path}{self._track}").get("status")
        try:
            return Grant(str(status))
        except ValueError:
            raise HardwareError(f"{self._endpoint}: an unknown state of a pairing") from None


def keep(path: Path, token: str) -> None:
    """Write the token where only this user can read it, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(file, "w", encoding="ascii") as writer:
            writer.write(token + "\n")
            writer.flush()
            os.fsync(file)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def pair(
    endpoint: Endpoint,
    path: Path,
    *,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> Grant:
    """Put the question, wait for the person, keep the token if granted.

    Raises:
        OSError: the token could not be kept; nothing is asked if that can be known before.
        HardwareError: the box does not answer as it should.
    """
    keep(path.with_name(path.name + ".trial"), "")
    path.with_name(path.name + ".trial").unlink()
    ends_at = clock() + PATIENCE_S
    pairing = Pairing(endpoint, f"Vigie {socket.gethostname()}"[:40])
    while (grant := pairing.grant()) is Grant.PENDING and clock() < ends_at:
        wait(_ASK_EVERY_S)
    if grant is Grant.GRANTED:
        keep(path, pairing.token)
    return grant


_SAID = {
    Grant.GRANTED: "Accepté : le jeton est enregistré.\nGranted: the token is stored.\n",
    Grant.DENIED: "Refusé sur l'afficheur de la Freebox.\nDenied on the Freebox's display.\n",
    Grant.PENDING: "Personne n'a répondu à temps.\nNobody answered in time.\n",
    Grant.TIMEOUT: "Personne n'a répondu à temps.\nNobody answered in time.\n",
    Grant.UNKNOWN: "La Freebox ne connaît plus cette demande.\nThe Freebox does not know this request.\n",
}


def main(arguments: list[str]) -> int:
    """Return the exit code: 0 paired, 1 not, 2 bad usage."""
    try:
        host, name = arguments
        endpoint = Endpoint(host)
    except ValueError:
        sys.stderr.write("usage: python -m hardware.freebox_pairing ADDRESS FILE\n")
        return 2
    sys.stdout.write(
        "Sur l'afficheur de la Freebox, acceptez « Vigie » (flèche droite ou coche).\n"
        'On the Freebox\'s display, accept "Vigie" (right arrow or tick).\n'
    )
    sys.stdout.flush()
    try:
        grant = pair(endpoint, Path(name))
    except (HardwareError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    (sys.stdout if grant is Grant.GRANTED else sys.stderr).write(_SAID[grant])
    return 0 if grant is Grant.GRANTED else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
