"""The nftables table of route mode, read and loaded by the program ``nft``, and settings by /proc/sys."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from hardware.ports import HardwareError, HardwareMissingError
from hardware.routes_table import FAMILY, NAME, Table, orders, read_listing

LONGEST_S: Final = 10.0
"""For one call of nft, which takes milliseconds."""
SETTINGS: Final = Path("/proc/sys")
_SEARCHED: Final = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
"""Debian keeps the program where an ordinary user's PATH does not look."""
_ABSENT: Final = "No such file or directory"


class Nft:
    """The program, and what it has taught about its own wording.

    Versions of nft may list a rule in other words than it was given in. What was read right after loading is
    therefore taken for what was loaded.
    """

    def __init__(self, program: str = "nft") -> None:
        self._program = program
        self._as_listed: dict[str, str] = {}

    def read(self) -> Table | None:
        """Our table as it is; None if there is none.

        Raises:
            HardwareMissingError: no nft, or a kernel without nftables.
            HardwareError: no permission, or an answer that makes no sense.
        """
        done = self._run(["-j", "list", "table", FAMILY, NAME])
        if done.returncode != 0:
            if _ABSENT in done.stderr:
                return None
            raise _refused(done.stderr)
        try:
            table = read_listing(done.stdout)
        except ValueError as error:
            raise HardwareError(str(error)) from error
        return Table(self._as_listed.get(table.content, table.content), table.memory)

    def load(self, table: Table) -> None:
        """Put ``table`` in the place of whatever is there, in one transaction: no packet sees half of it.

        Raises:
            HardwareError: refused; what was there is still there.
        """
        done = self._run(["-j", "-f", "-"], orders(table))
        if done.returncode != 0:
            raise _refused(done.stderr)
        listed = self.read()
        if listed is not None:
            self._as_listed[listed.content] = table.content

    def remove(self) -> None:
        """Take the table away.

        Raises:
            HardwareError: refused.
        """
        done = self._run(["delete", "table", FAMILY, NAME])
        if done.returncode != 0 and _ABSENT not in done.stderr:
            raise _refused(done.stderr)

    def _run(self, arguments: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                [self._program, *arguments],
                input=text,
                capture_output=True,
                text=True,
                timeout=LONGEST_S,
                check=False,
                env={**os.environ, "PATH": _SEARCHED, "LC_ALL": "C"},
            )
        except FileNotFoundError:
            raise HardwareMissingError("the program nft is not here: sudo apt install nftables") from None
        except (OSError, subprocess.TimeoutExpired) as error:
            raise HardwareError(f"nft: {error}") from error


def read_settings(paths: Iterable[str], root: Path = SETTINGS) -> dict[str, str]:
    """Values by path below /proc/sys; what is not there is left out."""
    values: dict[str, str] = {}
    for path in paths:
        try:
            values[path] = (root / path).read_text().strip()
        except OSError:
            continue
    return values


def write_setting(path: str, value: str, root: Path = SETTINGS) -> None:
    """Set one.

    Raises:
        OSError: EROFS where systemd protects the settings (ProtectKernelTunables), EACCES without the right.
    """
    (root / path).write_text(value)


def _refused(words: str) -> HardwareError:
    told = " ".join(words.split())
    if "Operation not permitted" in told:
        return HardwareError(f"nft may not change the filter: CAP_NET_ADMIN is needed ({told[:200]})")
    if "Operation not supported" in told or "Protocol not supported" in told:
        return HardwareMissingError(
            f"this kernel lacks a part of nftables that route mode needs: {told[:200]}"
        )
    return HardwareError(f"nft refuses: {told[:300]}")
