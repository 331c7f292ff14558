"""A small bay for tests of probes: one site, boxes at its interfaces, and a host that answers on command."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.core.model import Part, Probe
from agent.probes.icmp import IcmpProber
from agent.probes.lane import Lane, ProbePlan, Surroundings, system_wall
from agent.probes.netlink import read_tables
from hardware.virtual.netns import Namespace, veth

TARGET = "10.9.9.9"
OTHER = "10.9.9.8"
PATIENCE_S = 10.0


@dataclass
class Site:
    """The machine under test in its own namespace, one box per interface ``e0``, ``e1``..."""

    pi: Namespace
    boxes: list[Namespace]

    def plug(self, number: int, address: str = "", gateway: str = "192.168.1.1") -> None:
        """Lay the cable to a box, with addresses and a default route; all boxes own the same targets."""
        box, name = self.boxes[number], f"e{number}"
        veth(self.pi, name, box, "lan")
        box.ip(f"addr add {gateway}/24 dev lan", "link set lan up")
        self.pi.ip(
            f"addr add {address or f'192.168.1.{number + 2}'}/24 dev {name}",
            f"link set {name} up",
            f"route add default via {gateway} dev {name} metric {100 + number}",
        )
        carries(self.pi, name)
        carries(box, "lan")

    def echoes(self, number: int) -> int:
        """Echo requests that a box has received, by its kernel's own count."""
        with self.boxes[number].entered():
            lines = Path("/proc/thread-self/net/snmp").read_text().splitlines()
        names, values = (line.split() for line in lines if line.startswith("Icmp:"))
        return int(values[names.index("InEchos")])

    def close(self) -> None:
        for namespace in (self.pi, *self.boxes):
            namespace.close()


def carries(namespace: Namespace, name: str) -> None:
    """Wait until the kernel has finished raising an interface; until then it drops packets in silence."""
    limit = time.monotonic() + PATIENCE_S
    while namespace.call(read_tables).interfaces[name].carrier is not True:
        assert time.monotonic() < limit, f"{name} never came up"
        time.sleep(0.002)


@contextlib.contextmanager
def site_with(boxes: int = 1) -> Iterator[Site]:
    """A site with that many boxes, all plugged, all on 192.168.1.0/24."""
    site = Site(Namespace("pi"), [Namespace(f"box{number}") for number in range(boxes)])
    try:
        site.pi.sysctl("ipv4/ping_group_range", "0 2147483647")
        for number, box in enumerate(site.boxes):
            box.ip(f"addr add {TARGET}/32 dev lo", f"addr add {OTHER}/32 dev lo")
            box.sysctl("ipv4/ip_forward", "1")
            box.sysctl("ipv4/icmp_ratelimit", "0")
            site.plug(number)
        yield site
    finally:
        site.close()


def play(namespace: Namespace, story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run an event loop whose thread is inside the namespace; no callback may fail unseen."""
    faults: list[dict[str, Any]] = []

    async def bounded() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, fault: faults.append(fault))
        async with asyncio.timeout(30):
            await story()

    with namespace.entered():
        asyncio.run(bounded())
    assert faults == []


@dataclass
class Seen:
    """What was posted, with a way to wait for more."""

    probes: list[Probe] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    async def until(self, happened: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
        """Wait until something has been posted that makes ``happened`` true."""
        try:
            async with asyncio.timeout(patience_s):
                while not happened():
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise AssertionError(f"never happened; seen {self.parts} and {self.probes[-10:]}") from None

    def answers(self, uplink: str | None = None) -> list[Probe]:
        return [probe for probe in self.probes if probe.rtt_ms is not None and uplink in (None, probe.uplink)]

    def whys(self) -> set[str]:
        return {str(probe.why) for probe in self.probes if probe.why is not None}


@contextlib.asynccontextmanager
async def probing(
    plans: Sequence[ProbePlan], also: Callable[[Probe], None] = lambda _probe: None, **clocks: Any
) -> AsyncIterator[tuple[IcmpProber, Seen]]:
    """A prober that runs inside the block; ``also`` is called with every outcome."""
    seen = Seen()

    def post(probe: Probe) -> None:
        seen.probes.append(probe)
        also(probe)

    prober = IcmpProber(plans, post, seen.parts.append, **clocks)
    task = asyncio.create_task(prober.run())
    try:
        yield prober, seen
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def lane_alone(plan: ProbePlan, clock: Callable[[], float]) -> tuple[Lane, Seen]:
    """A lane that nobody wakes: the test says when it is its turn."""
    seen = Seen()
    around = Surroundings(
        clock, system_wall, seen.probes.append, lambda *_: None, lambda *_: None, lambda _: None
    )
    return Lane(plan, 0.0, around), seen


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


class Puppet:
    """A host that sees every echo and answers what it is told, from whatever address."""

    def __init__(self, namespace: Namespace) -> None:
        namespace.sysctl("ipv4/icmp_echo_ignore_all", "1")
        raw = (socket.AF_INET, socket.SOCK_RAW)
        self._ears = namespace.call(lambda: socket.socket(*raw, socket.IPPROTO_ICMP))
        self._mouth = namespace.call(lambda: socket.socket(*raw, socket.IPPROTO_RAW))
        self._ears.setblocking(False)
        self.asked: list[bytes] = []
        """IP packets as received, oldest first."""

    def listen(self) -> None:
        asyncio.get_running_loop().add_reader(self._ears, self._hear)

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                packet = self._ears.recv(2048)
                if packet[20] == 8:
                    self.asked.append(packet)

    def reply(self, packet: bytes, sender: str | None = None) -> None:
        """Answer one echo, as the host asked or as ``sender``."""
        body = bytes([0, 0, 0, 0]) + packet[24:]
        body = body[:2] + checksum(body).to_bytes(2) + body[4:]
        self._say(body, sender or socket.inet_ntoa(packet[16:20]), packet[12:16])

    def refuse(self, packet: bytes, sender: str, kind: int = 3, code: int = 1) -> None:
        """Send an ICMP error about one echo."""
        body = bytes([kind, code, 0, 0, 0, 0, 0, 0]) + packet[:48]
        body = body[:2] + checksum(body).to_bytes(2) + body[4:]
        self._say(body, sender, packet[12:16])

    def _say(self, body: bytes, sender: str, to: bytes) -> None:
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, 1, 0)
        packet = header + socket.inet_aton(sender) + to + body
        self._mouth.sendto(packet, (socket.inet_ntoa(to), 0))

    def close(self) -> None:
        self._ears.close()
        self._mouth.close()
