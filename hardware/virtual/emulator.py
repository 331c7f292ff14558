"""Lines between boxes and operators, carried packet by packet by this process.

Each line joins two virtual cables that end in one namespace. Frames are read from either end as they
are, held as long as the line's quality says, and written to the other. A userspace emulator because
many kernels, those of small machines first, come without one of their own.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import deque
from contextlib import suppress

from hardware.virtual.ethernet import switch_offloads_off
from hardware.virtual.line import LinkQuality, Schedule
from hardware.virtual.netns import Namespace

_ETH_P_ALL = 0x0003
_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, _PACKET_IGNORE_OUTGOING, _PACKET_MR_PROMISC = 263, 1, 23, 1
_SO_RCVBUFFORCE = 33
_BUFFER_BYTES = 4_000_000
_LARGEST_FRAME = 65_535
_EARLY_S = 0.0005
"""The event loop wakes up to a millisecond late; aiming half of that early is right on average."""
_AT_ONCE = 64
"""Frames read in one go; then the other sockets and timers have their turn."""


class _Direction:
    """Frames on the way to one end of a line."""

    def __init__(self, schedule: Schedule, out: socket.socket) -> None:
        self.schedule = schedule
        self.carried_bytes = 0
        self._out = out
        self._loop = asyncio.get_running_loop()
        self._frames: deque[tuple[float, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def take(self, frame: bytes) -> None:
        """Accept a frame that has just arrived at the other end."""
        now = self._loop.time()
        leaves_at = self.schedule.leaves_at(now, len(frame), len(self._frames))
        if leaves_at is None:
            return
        self._frames.append((leaves_at, frame))
        if self._timer is None:
            self._deliver()

    def _deliver(self) -> None:
        """Write what is due and wake up for the next."""
        self._timer = None
        now = self._loop.time()
        while self._frames and self._frames[0][0] <= now + _EARLY_S:
            frame = self._frames.popleft()[1]
            # The far end is down or its queue is full: the frame is lost, as on a real line.
            with suppress(OSError):
                self._out.send(frame)
                self.carried_bytes += len(frame)
        if self._frames:
            self._timer = self._loop.call_at(self._frames[0][0] - _EARLY_S, self._deliver)

    def drop_all(self) -> None:
        self._frames.clear()
        self.schedule.forget()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Line:
    """One line; made by ``Emulator.join``. ``near`` is the box's end, ``far`` the operator's."""

    def __init__(self, namespace: Namespace, near: str, far: str, quality: LinkQuality, seed: str) -> None:
        self._namespace = namespace
        self._names = (near, far)
        self._loop = asyncio.get_running_loop()
        self._ends = namespace.call(lambda: _open_ends(near, far))
        near_end, far_end = self._ends
        self._up = _Direction(Schedule(quality, random.Random(f"{seed} up")), far_end)
        self._down = _Direction(Schedule(quality, random.Random(f"{seed} down")), near_end)
        self._is_cut = False
        self.barred = False
        """Nothing passes although nothing is cut: whoever stands at its end is not let through."""
        self._loop.add_reader(near_end, self._readable, near_end, self._up)
        self._loop.add_reader(far_end, self._readable, far_end, self._down)

    @property
    def quality(self) -> LinkQuality:
        """Of each direction."""
        return self._up.schedule.quality

    @quality.setter
    def quality(self, quality: LinkQuality) -> None:
        self._up.schedule.quality = self._down.schedule.quality = quality

    @property
    def is_cut(self) -> bool:
        """True from ``cut`` to ``heal``."""
        return self._is_cut

    @property
    def carried_bytes(self) -> tuple[int, int]:
        """Frames' bytes brought to the operator, and to the box."""
        return self._up.carried_bytes, self._down.carried_bytes

    def cut(self, *, carrier: bool = True) -> None:
        """Let nothing through, and lose what is on the way.

        Args:
            carrier: whether both ends still see a carrier, as behind a media converter.
        """
        self._is_cut = True
        self._up.drop_all()
        self._down.drop_all()
        self._set_ends("up" if carrier else "down")

    def heal(self) -> None:
        """Let packets through again."""
        self._is_cut = False
        self._set_ends("up")

    def _set_ends(self, state: str) -> None:
        self._namespace.ip(*(f"link set {end} {state}" for end in self._names))

    def _readable(self, end: socket.socket, direction: _Direction) -> None:
        for _ in range(_AT_ONCE):
            try:
                frame, address = end.recvfrom(_LARGEST_FRAME)
            except OSError:  # nothing more to read, or the interface has just gone down
                return
            if not (self._is_cut or self.barred) and address[2] != socket.PACKET_OUTGOING:
                direction.take(frame)

    def close(self) -> None:
        """Stop carrying. Safe to repeat."""
        for end in self._ends:
            if end.fileno() >= 0:
                self._loop.remove_reader(end)
                end.close()
        self._up.drop_all()
        self._down.drop_all()


def _open_ends(near: str, far: str) -> tuple[socket.socket, socket.socket]:
    switch_offloads_off(near)
    switch_offloads_off(far)
    near_end = _packet_socket(near)
    try:
        return near_end, _packet_socket(far)
    except BaseException:
        near_end.close()
        raise


def _packet_socket(interface: str) -> socket.socket:
    """A socket that sees every frame that comes in at ``interface``, whoever it is addressed to."""
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK)
    try:
        with suppress(OSError):  # since Linux 4.20; the direction is checked for each frame as well
            end.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
        with suppress(OSError):  # a small buffer only loses more frames while this process is busy
            end.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
        end.bind((interface, _ETH_P_ALL))
        promiscuous = struct.pack("iHH8s", socket.if_nametoindex(interface), _PACKET_MR_PROMISC, 0, b"")
        end.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, promiscuous)
    except BaseException:
        end.close()
        raise
    return end


class Emulator:
    """All lines of a bay, in a namespace of their own. Needs a running event loop.

    Attributes:
        namespace: where the cables to be joined must end.
        seed: same seed, same losses and jitter.
    """

    def __init__(self, namespace: Namespace, seed: int) -> None:
        self.namespace = namespace
        self.seed = seed
        self._lines: list[Line] = []

    def join(self, near: str, far: str, quality: LinkQuality) -> Line:
        """Carry frames between two interfaces of the namespace from now on.

        Raises:
            OSError: no such interface, or no right to raw packets.
        """
        self.namespace.ip(f"link set {near} up", f"link set {far} up")
        line = Line(self.namespace, near, far, quality, f"{self.seed} {near} {far}")
        self._lines.append(line)
        return line

    def close(self) -> None:
        """Stop carrying anything. Safe to repeat."""
        while self._lines:
            self._lines.pop().close()
