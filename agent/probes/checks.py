"""Kernel settings that make a healthy uplink look dead, read at the start."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from agent.core.codes import Code
from agent.core.model import Part

_PROC: Final = Path("/proc/sys/net/ipv4")
_STRICT: Final = 1


def check_kernel(interfaces: Iterable[str], proc: Path = _PROC) -> list[Part]:
    """One part per check, well or not: reverse-path filter per interface, then permission to ping.

    Args:
        interfaces: names; each is checked once, also where no such interface exists yet.
        proc: where the kernel shows ``net.ipv4``.
    """
    parts = [_check_rp_filter(interface, proc / "conf") for interface in dict.fromkeys(interfaces)]
    return [*parts, _check_ping(proc)]


def _check_rp_filter(interface: str, conf: Path) -> Part:
    name = f"rp_filter:{interface}"
    everywhere = _integers(conf / "all" / "rp_filter")
    # An interface that appears later starts with the default.
    own = _integers(conf / interface / "rp_filter") or _integers(conf / "default" / "rp_filter")
    effective = max((*everywhere, *own), default=None)
    if effective is None:
        return Part(name, ok=True, code=Code.RP_FILTER_STRICT, detail="rp_filter cannot be read")
    if effective != _STRICT:
        return Part(name, ok=True, code=Code.RP_FILTER_STRICT, detail=f"rp_filter is {effective}")
    detail = (
        f"rp_filter of {interface} is 1 (strict): the kernel drops replies that arrive on it. "
        "Set net.ipv4.conf.all.rp_filter = 2 in /etc/sysctl.d/90-vigie.conf, then run: sysctl --system"
    )
    return Part(name, ok=False, code=Code.RP_FILTER_STRICT, detail=detail)


def _check_ping(proc: Path) -> Part:
    """Whether this process may open unprivileged ICMP sockets; the prober's own part, told in advance."""
    limits = _integers(proc / "ping_group_range")
    if len(limits) != 2:
        return Part("icmp", ok=True, code=Code.PING_FORBIDDEN, detail="ping_group_range cannot be read")
    lowest, highest = limits
    told = f"net.ipv4.ping_group_range is {lowest} {highest}"
    if any(lowest <= group <= highest for group in {os.getegid(), *os.getgroups()}):
        return Part("icmp", ok=True, code=Code.PING_FORBIDDEN, detail=told)
    detail = (
        f"{told}, which excludes this process: set net.ipv4.ping_group_range = 0 2147483647 "
        "in /etc/sysctl.d/90-vigie.conf, then run: sysctl --system"
    )
    return Part("icmp", ok=False, code=Code.PING_FORBIDDEN, detail=detail)


def _integers(path: Path) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in path.read_text().split())
    except (OSError, ValueError):
        return ()
