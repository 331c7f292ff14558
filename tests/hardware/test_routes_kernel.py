"""The real driver and what only a real kernel has: odd strays, refusals, other wording of nft."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from routes_ground import apply, ground

from hardware.ports import HardwareError, HardwareMissingError
from hardware.routes import KernelRoutes
from hardware.routes_nft import Nft, read_settings, write_setting
from hardware.routes_port import RoutesError
from hardware.routes_table import Table, content_of, read_listing
from hardware.virtual.route_bay import CELL, FTTH, ON_CELL, ON_FTTH

ODD = """
ip rule add from all iif eth0 lookup 7601 priority 7600
ip rule add from all lookup 7601 priority 7621
ip rule add not from 10.0.0.5 lookup 7602 priority 7000
ip rule add from all ipproto udp dport 5060 lookup 7602 priority 7001
ip rule add from all uidrange 0-5 lookup 7602 priority 7002
ip rule add from 10.0.0.0/24 fwmark 0x76000001/0xff lookup 7601 priority 7003
ip rule add blackhole from 10.0.0.8 priority 7004 protocol 98
ip -6 rule add to 2001:db8:9::/48 lookup 7601 priority 7005
ip route add default via 192.168.12.1 dev eth2 table 7600 metric 5
ip route append default via 192.168.11.7 dev eth1 table 7600 metric 100
ip route add blackhole 198.51.100.0/24 table 7601
ip route add 198.51.101.0/24 table 7602 nexthop via 192.168.11.1 nexthop via 192.168.12.1
ip route add 198.51.102.0/24 via 192.168.11.1 src 192.168.11.10 table 7601 mtu 1300
ip route add local 198.51.103.1 dev eth1 table 7604
ip -6 route append default via 2001:db8:1::7 dev eth1 table 7600 metric 100
ip -6 route append default via 2001:db8:1::8 dev eth1 table 7600 metric 100
ip -6 route add prohibit 2001:db8:8::/48 table 7601
nft add rule inet vigie passage counter accept
nft add chain inet vigie mine
"""
FOREIGN = """
ip rule add from 10.0.0.77 lookup 100 priority 7650
ip route add default via 192.168.12.1 dev eth2 table 100
ip route add 198.51.104.0/24 via 192.168.12.1 proto 98
nft add table inet other
nft add chain inet other in '{ type filter hook input priority 5; }'
"""
NFT = """#!/bin/sh
case "$*" in
    "-j -f -") cat >{folder}/loaded ;;
    "-j list table inet vigie") cat {folder}/listed 2>/dev/null || {{ echo "{words}" >&2; exit 1; }} ;;
    *) echo "{words}" >&2; exit 1 ;;
esac
"""


def test_odd_strays_are_taken_away_and_nothing_else() -> None:
    """Whatever the kernel can be told about our tables; what belongs to others stays."""
    with ground() as bay:
        bay.run(bay.gateway, FOREIGN)
        apply(bay, ON_FTTH)
        first = bay.shown()
        bay.run(bay.gateway, ODD)
        assert bay.shown() != first
        apply(bay, ON_FTTH)
        assert bay.shown() == first
        bay.run(bay.gateway, ODD)
        apply(bay, ON_CELL)
        apply(bay, ON_FTTH)
        assert bay.shown() == first


def test_what_the_kernel_refuses_is_told_and_the_rest_is_done() -> None:
    """A gateway that is the machine's own address cannot be a next hop; the other way works all the same."""
    with ground() as bay:
        wrong = type(FTTH)("ftth", "eth1", 1, "192.168.11.10", "192.168.12.10")
        wanted = type(ON_CELL)(("eth0",), (wrong, CELL), "cell")
        with pytest.raises(RoutesError, match=r"1 thing not as wanted.*192\.168\.12\.10 dev eth1"):
            apply(bay, wanted)
        with bay.stream() as stream:
            assert stream.exchange() == CELL.address


def test_a_driver_without_its_library_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is asked of it."""
    monkeypatch.delattr("hardware.routes_netlink", raising=False)
    monkeypatch.setitem(sys.modules, "hardware.routes_netlink", None)
    with pytest.raises(HardwareMissingError, match=r"pip install 'vigie\[route\]'"):
        KernelRoutes()


def program(folder: Path, words: str = "Error: No such file or directory") -> Nft:
    """An nft that keeps what it is given in ``loaded``, and lists what stands in ``listed``."""
    path = folder / "nft"
    path.write_text(NFT.format(folder=folder, words=words))
    path.chmod(0o755)
    return Nft(str(path))


def listing(*objects: object) -> str:
    return json.dumps({"nftables": [{"metainfo": {"version": "9"}}, *objects]})


def test_another_wording_of_nft_is_learned(tmp_path: Path) -> None:
    """What is listed right after loading is what was loaded; from then on every change is seen."""
    nft = program(tmp_path)
    assert nft.read() is None
    reworded = {"rule": {"chain": "passage", "handle": 7, "expr": [{"in other words": None}]}}
    remembered = {"rule": {"chain": "memory", "handle": 8, "expr": [], "comment": "net/a=0"}}
    (tmp_path / "listed").write_text(listing(reworded, remembered))
    table = Table(content_of(ON_FTTH), (("net/a", "0"),))
    assert nft.read() != table
    nft.load(table)
    assert nft.read() == table
    (tmp_path / "listed").write_text(listing(remembered))
    assert nft.read() != table
    orders = json.loads((tmp_path / "loaded").read_text())["nftables"]
    assert [next(iter(order)) for order in orders[:3]] == ["add", "delete", "add"]


@pytest.mark.parametrize(
    ("words", "kind", "told"),
    [
        ("Error: Operation not permitted (you must be root)", HardwareError, "CAP_NET_ADMIN"),
        ("Error: Could not process rule: Operation not supported", HardwareMissingError, "kernel lacks"),
        ("Error: syntax error", HardwareError, "nft refuses: Error: syntax error"),
    ],
)
def test_what_nft_refuses_is_told(tmp_path: Path, words: str, kind: type[Exception], told: str) -> None:
    """With what is missing, where that is known."""
    nft = program(tmp_path, words)
    for call in (nft.read, nft.remove):
        with pytest.raises(kind, match=told):
            call()


def test_a_machine_without_nft_says_what_to_install(tmp_path: Path) -> None:
    """Instead of a file that is not found."""
    with pytest.raises(HardwareMissingError, match="apt install nftables"):
        Nft(str(tmp_path / "none")).read()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"nftables": [1]}', '{"nftables": [{"rule": {}}]}'])
def test_a_listing_that_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    """As an error that is caught, not one that ends the agent."""
    with pytest.raises(ValueError, match=r"makes no sense|Expecting value"):
        read_listing(text)
    nft = program(tmp_path)
    (tmp_path / "listed").write_text(text)
    with pytest.raises(HardwareError):
        nft.read()


def test_settings_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    """An interface that has gone takes its settings with it."""
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "forward").write_text("0\n")
    write_setting("net/forward", "1", tmp_path)
    assert read_settings(["net/forward", "net/gone"], tmp_path) == {"net/forward": "1"}
