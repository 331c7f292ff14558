"""Who can speak for an uplink of a bay, in the words of scenario files, and where such a device is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MODEMS = ("hilink", "at")
DISHES = ("starlink",)
BOXES = ("livebox", "freebox", "sfr", "bbox")
SPEAKS = (*MODEMS, *DISHES, *BOXES)
"""The languages, each by the word that the configuration has for its driver."""
SPOKEN_ON: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(MODEMS, ("cellular",)),
    **dict.fromkeys(DISHES, ("starlink",)),
    **dict.fromkeys(BOXES, ("ftth", "other")),
}
"""The kinds of uplink on which each is found."""
PAGES = ("hilink", "livebox", "freebox", "sfr")
"""Those whose own pages are where a browser looks first: at port 80 of the box."""
REBOOTS = (*MODEMS, *DISHES)
"""Those that take an order to reboot."""
LIGHT = ("livebox", "freebox")
"""Those that tell how much light they receive."""
LOCKS = ("livebox", "freebox", "bbox")
"""Those that are told a password or a token."""
DISH_ADDRESS = "192.168.100.1"
"""Where every dish is asked, whatever stands between."""


@dataclass(frozen=True, slots=True)
class Air:
    """What a modem measures of its cell."""

    rsrp_dbm: int
    rsrq_db: int
    sinr_db: int
    band: int


AIR: Mapping[str, Air] = {
    "excellent": Air(-72, -7, 24, 7),
    "good": Air(-86, -9, 16, 3),
    "fair": Air(-96, -11, 7, 20),
    "poor": Air(-112, -15, -2, 20),
    "unusable": Air(-127, -19, -9, 20),
}
"""Where the signal is so."""
SIMS = ("ready", "missing", "pin", "puk", "blocked")
REGISTRATIONS = ("home", "roaming", "searching", "denied", "none")
DATA = ("connected", "refused")
DISH_CAUSES: Mapping[str, str] = {
    "booting": "BOOTING",
    "stowed": "STOWED",
    "thermal": "THERMAL_SHUTDOWN",
    "sky_search": "SKY_SEARCH",
    "no_satellites": "NO_SATS",
    "obstructed": "OBSTRUCTED",
    "no_downlink": "NO_DOWNLINK",
    "no_pings": "NO_PINGS",
}
"""Why a dish is not connected, and its own word for that."""
DISH_STATES = ("well", *DISH_CAUSES, "updating", "unpaid", "disabled")


def at_device(folder: Path, name: str) -> Path:
    """The stable name of an AT modem's serial port, in a bay that lives in ``folder``."""
    return folder / "serial" / f"usb-{name}-if02-port0"


def secret_file(folder: Path, name: str) -> Path:
    """The file with what the device on an uplink wants to be told."""
    return folder / "secrets" / name
