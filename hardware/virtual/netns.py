"""Network namespaces that exist only while this process holds them.

Each namespace is an open file descriptor without a name anywhere: when the process ends, however it
ends, the kernel removes namespace, interfaces and routes. Nothing can be left behind, and nothing of the
machine's own network is ever touched, because every interface is created inside one of these.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

CLONE_NEWNET = 0x40000000  # <linux/sched.h>; os.setns and os.unshare come only with Python 3.12
_libc = ctypes.CDLL(None, use_errno=True)
T = TypeVar("T")


class NamespaceError(RuntimeError):
    """The kernel refused; the message says what is needed."""


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise NamespaceError(f"{what}: {os.strerror(number)}")


class Namespace:
    """One network namespace with its loopback up."""

    def __init__(self, name: str) -> None:
        """Create an empty namespace. ``name`` is only for messages.

        Raises:
            NamespaceError: neither root nor inside a user namespace that allows it.
        """
        self.name = name
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _check(_libc.unshare(CLONE_NEWNET), "cannot create a network namespace")
            try:
                self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            finally:
                _check(_libc.setns(home, CLONE_NEWNET), "cannot return to the own network namespace")
        finally:
            os.close(home)
        self.ip("link set lo up")

    @property
    def path(self) -> str:
        """A path by which other programs can refer to the namespace while this process lives."""
        return f"/proc/{os.getpid()}/fd/{self.fd}"

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Run the block's system calls of this thread inside the namespace; no ``await`` in the block."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.enter()
            try:
                yield
            finally:
                _check(_libc.setns(home, CLONE_NEWNET), "cannot return to the own network namespace")
        finally:
            os.close(home)

    def enter(self) -> None:
        """Move this thread into the namespace for good (for the child side of a fork)."""
        _check(_libc.setns(self.fd, CLONE_NEWNET), f"cannot enter namespace {self.name}")

    def call(self, function: Callable[[], T]) -> T:
        """Call ``function`` inside, for example to create a socket that then stays there."""
        with self.entered():
            return function()

    def ip(self, *commands: str) -> None:
        """Run ``ip`` commands inside, all in one process.

        Raises:
            NamespaceError: with the words of ``ip``.
        """
        with self.entered():
            done = subprocess.run(
                ["ip", "-batch", "-"], input="\n".join(commands), capture_output=True, text=True, check=False
            )
        if done.returncode != 0:
            raise NamespaceError(f"{self.name}: {done.stderr.strip()} (of: {'; '.join(commands)})")

    def sysctl(self, key: str, value: str) -> None:
        """Set ``net.*`` inside; ``key`` uses slashes, as below /proc/sys/net."""
        with self.entered():
            Path("/proc/sys/net", key).write_text(value)

    def close(self) -> None:
        """Let go; the kernel removes the namespace once its sockets and processes are gone too."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def veth(a: Namespace, a_name: str, b: Namespace, b_name: str) -> None:
    """Connect two namespaces by a cable; both ends still down."""
    a.ip(f"link add {a_name} type veth peer name {b_name} netns {b.path}")
