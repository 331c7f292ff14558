"""A real modem driver on each virtual modem, and what tests must set, break and see of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from hardware.at import AtModem
from hardware.huawei import HuaweiModem
from hardware.ports import Modem, Network, Registration, Sim
from hardware.virtual.at_modem import Fault, VirtualAtModem
from hardware.virtual.at_scripts import SCRIPTS
from hardware.virtual.hilink_server import VirtualHiLink, WebFault

ANSWER_S = 1.0
"""How long the drivers wait here for a device that will never answer; one that works needs far less."""


class Rig(Protocol):
    """One kind of modem with its driver."""

    modem: Modem
    networks: frozenset[Network]
    """Technologies that this kind of modem can tell."""
    tells_sinr: bool

    def set(self, **changes: Any) -> None:
        """Change the radio or the card."""

    def fail(self, how: str, after: int = 0) -> None:
        """Break the device in one of ``FAILURES``."""

    def leave_unconfirmed(self) -> None:
        """Take text messages, and do not say what became of them."""

    def heal(self) -> None:
        """The device works again."""

    def unplug(self) -> None: ...

    def plug(self) -> None: ...

    def close(self) -> None: ...

    @property
    def reboots(self) -> int: ...

    @property
    def texts(self) -> int:
        """How many messages were handed over."""

    @property
    def orders(self) -> list[str]:
        """Everything that the device was told, apart from questions that only read."""


FAILURES = ("silent", "stalls", "leaves", "garbage", "flood", "refuses")


class DeviceRig:
    """What all of them do with their device."""

    device: VirtualAtModem | VirtualHiLink

    def unplug(self) -> None:
        self.device.stop()

    def plug(self) -> None:
        self.device.stop()
        self.device.start()

    @property
    def reboots(self) -> int:
        return self.device.reboots


class AtRig(DeviceRig):
    """The AT driver on a real pseudo-terminal."""

    def __init__(self, kind: str, *, reports: bool = False, echo: bool = True) -> None:
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name) / f"usb-{kind}-if02-port0"
        self.device = VirtualAtModem(path, SCRIPTS[kind], reports=reports, echo=echo)
        self.device.start()
        self.modem = AtModem(
            str(path), answer_s=ANSWER_S, read_s=10 * ANSWER_S, send_s=ANSWER_S, quiet_s=0.02
        )
        five = frozenset(Network) - (
            frozenset({Network.G5_NSA, Network.G5_SA}) if kind == "huawei" else set()
        )
        self.networks = frozenset(five)
        self.tells_sinr = kind != "generic"

    def set(self, **changes: Any) -> None:
        self.device.state = replace(self.device.state, **changes)

    def fail(self, how: str, after: int = 0) -> None:
        self.device.fault = {
            "silent": Fault(cut_after=0),
            "stalls": Fault(cut_after=after),
            "leaves": Fault(leaves=True),
            "garbage": Fault(garbage=bytes(range(1, 256)) * 20),
            "flood": Fault(flood=10_000_000),
            "refuses": Fault(refuses=True),
        }[how]

    def leave_unconfirmed(self) -> None:
        self.device.fault = Fault(cut_after=0, only="AT+CMGS")

    def heal(self) -> None:
        self.device.fault = Fault()
        self.plug()

    def close(self) -> None:
        self.modem.close()
        self.device.stop()
        self._folder.cleanup()

    @property
    def texts(self) -> int:
        return len(self.device.texts)

    @property
    def orders(self) -> list[str]:
        return [line for line in self.device.heard if not line.endswith("?")]


class HiLinkRig(DeviceRig):
    """The HiLink driver on a real web server on loopback."""

    networks = frozenset(Network)
    tells_sinr = True

    def __init__(self, *, password: str | None = None, hashed: bool = False, plain: bool = False) -> None:
        self.device = VirtualHiLink()
        self.device.start()
        self.device.api.firmware.password = password
        self.device.api.firmware.hashed = hashed
        self.set(plain_figures=plain)
        self.modem = HuaweiModem(
            self.device.url,
            password=password,
            request_s=ANSWER_S,
            read_s=6 * ANSWER_S,
            send_s=ANSWER_S,
        )

    def set(self, **changes: Any) -> None:
        named = {"operator": "operator", "address": "wan_address", "uptime_s": "uptime_s"}
        own = {named[name]: changes.pop(name) for name in list(changes) if name in named}
        readings = replace(self.device.readings, **own)
        self.device.readings = replace(readings, signal=replace(readings.signal, **changes))

    def fail(self, how: str, after: int = 0) -> None:
        self.device.fault = {
            "silent": WebFault(silent=True),
            "stalls": WebFault(cut_after=after, stalls=True),
            "leaves": WebFault(cut_after=0),
            "garbage": WebFault(garbage=bytes(range(1, 256)) * 20),
            "flood": WebFault(flood=10_000_000),
            "refuses": WebFault(garbage=b"<error><code>100001</code><message/></error>"),
        }[how]

    def leave_unconfirmed(self) -> None:
        self.device.api.firmware.broken = frozenset({"sms/send-status"})

    def heal(self) -> None:
        self.device.api.firmware.broken = frozenset()
        self.device.fault = WebFault()

    def close(self) -> None:
        self.modem.close()
        self.device.stop()

    @property
    def texts(self) -> int:
        return len(self.device.api.texts)

    @property
    def orders(self) -> list[str]:
        return [line for line in self.device.api.heard if line.startswith("POST")]


RIGS: dict[str, Callable[[], Rig]] = {
    **{kind: (lambda kind=kind: AtRig(kind)) for kind in SCRIPTS},  # type: ignore[misc]
    "quectel, with reports": lambda: AtRig("quectel", reports=True),
    "huawei, with reports, no echo": lambda: AtRig("huawei", reports=True, echo=False),
    "hilink": HiLinkRig,
    "hilink, plain figures": lambda: HiLinkRig(plain=True),
    "hilink, with password": lambda: HiLinkRig(password="s3cret"),
    "hilink, with hashed password": lambda: HiLinkRig(password="s3cret", hashed=True),
}
SIM_STATES = tuple(Sim)
REGISTRATIONS = tuple(Registration)
