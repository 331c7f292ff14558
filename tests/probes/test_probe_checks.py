"""Kernel settings are told with the words that repair them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.core.codes import Code
from agent.probes.checks import check_kernel


def kernel(folder: Path, ping: str = "0 2147483647", **rp_filter: int) -> Path:
    for name, value in rp_filter.items():
        (folder / "conf" / name).mkdir(parents=True)
        (folder / "conf" / name / "rp_filter").write_text(f"{value}\n")
    (folder / "ping_group_range").write_text(ping.replace(" ", "\t") + "\n")
    return folder


@pytest.mark.parametrize(
    ("everywhere", "own", "well"),
    [(0, 0, True), (0, 1, False), (1, 0, False), (1, 1, False), (2, 1, True), (1, 2, True), (0, 2, True)],
)
def test_effective_rp_filter_is_the_greater_of_two(
    tmp_path: Path, everywhere: int, own: int, well: bool
) -> None:
    """Only an effective 1 is strict: 2 anywhere makes it loose."""
    part = check_kernel(["eth0"], kernel(tmp_path, all=everywhere, eth0=own))[0]
    assert (part.name, part.ok, part.code) == ("rp_filter:eth0", well, Code.RP_FILTER_STRICT)
    assert well or "net.ipv4.conf.all.rp_filter = 2" in part.detail


def test_an_interface_that_is_not_there_yet_is_judged_by_the_default(tmp_path: Path) -> None:
    """A USB modem that appears later starts with it."""
    part = check_kernel(["eth1"], kernel(tmp_path, all=0, default=1))[0]
    assert not part.ok


def test_each_interface_is_checked_once(tmp_path: Path) -> None:
    """Uplinks may share one."""
    parts = check_kernel(["eth0", "eth0", "eth1"], kernel(tmp_path, all=0, eth0=0, eth1=0))
    assert [part.name for part in parts] == ["rp_filter:eth0", "rp_filter:eth1", "icmp"]


def test_unreadable_settings_raise_no_alarm(tmp_path: Path) -> None:
    """What cannot be read is not known to be wrong."""
    assert all(part.ok for part in check_kernel(["eth0"], tmp_path))


def test_ping_group_range_must_hold_one_of_our_groups(tmp_path: Path) -> None:
    """The kernel's default, 1 0, holds nobody."""
    group = os.getegid()
    (tmp_path / "open").mkdir()
    (tmp_path / "shut").mkdir()
    assert check_kernel([], kernel(tmp_path / "open", f"{group} {group}"))[0].ok
    part = check_kernel([], kernel(tmp_path / "shut", "1 0"))[0]
    assert (part.name, part.ok, part.code) == ("icmp", False, Code.PING_FORBIDDEN)
    assert "net.ipv4.ping_group_range = 0 2147483647" in part.detail
