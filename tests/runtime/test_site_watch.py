"""From the configuration to the site's own way out: who is asked, through which interface, and how often."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.config.forms_outside import address_server
from agent.config.reader import parse
from agent.core.model import Observation
from agent.core.outside import SITE
from agent.probes.address_page import AddressPage
from agent.probes.meter import Meter
from agent.probes.netlink import Default, Interface, Tables
from agent.probes.outside import StunServer
from agent.site_watch import SiteWatch, servers, site_interface

FILE = """
[site]
name = "garage"
[[uplink]]
name = "ftth"
interface = "eth1"
[[uplink]]
name = "4g"
kind = "cellular"
interface = "wwan0"
"""
OTHERS = """
[failover]
public_from = ["stun:stun.example.net", "stun:[2001:db8::1]:19302", "http://1.2.3.4:8080/ip", "https://a.b.net"]
"""


def test_who_is_asked_comes_from_the_configuration() -> None:
    """STUN by its usual port and others, IPv6 among them; pages with and without TLS."""
    asked = servers(parse(FILE + OTHERS))
    assert asked.stun == (StunServer("stun.example.net", 3478), StunServer("2001:db8::1", 19302))
    assert [server.version for server in asked.stun] == [4, 6]
    assert asked.pages == (
        AddressPage("1.2.3.4", 8080, "/ip", tls=False),
        AddressPage("a.b.net", 443, "/", tls=True),
    )
    assert len(servers(parse(FILE)).stun) == 2


@given(st.text(max_size=40) | st.from_regex(r"stun:[a-z0-9.\[\]:]{0,30}|https?://[a-z0-9.:/\[\]]{0,30}"))
def test_what_the_configuration_lets_through_can_be_asked(text: str) -> None:
    """No text that is a good server to the one is none to the other."""
    if address_server(text) is None:
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        asked = servers(parse(f'{FILE}[failover]\npublic_from = ["{quoted}"]\n'))
        assert len(asked.stun) + len(asked.pages) == 1


def tables(*defaults: tuple[int, int]) -> Tables:
    """Four interfaces, and default routes through some of them, each with its metric."""
    names = ("lo", "eth1", "wwan0", "eth0", "wlan0")
    return Tables(
        {
            name: Interface(index, name, carrier=True, point_to_point=False)
            for index, name in enumerate(names)
        },
        [],
        [Default(index, "192.168.1.1", metric, main=True) for index, metric in defaults],
    )


@pytest.mark.parametrize(
    ("defaults", "interface"),
    [
        (((1, 100), (2, 200), (3, 300)), "eth0"),
        (((1, 100), (4, 600), (3, 300)), "eth0"),
        (((1, 100), (2, 200)), None),
        ((), None),
    ],
)
def test_the_site_is_where_the_best_default_route_leads_that_is_no_uplinks(
    defaults: tuple[tuple[int, int], ...], interface: str | None
) -> None:
    """Whatever its metric beside theirs; without one nothing is guessed."""
    assert site_interface(tables(*defaults), ["eth1", "wwan0"]) == interface


def test_orders_for_the_site_do_not_reach_the_uplinks_probes() -> None:
    """And those for an uplink do; before the site's way is found they are kept."""
    config, posted = parse(FILE), list[Observation]()
    watch = SiteWatch(config, posted.append, Meter((), posted.append))
    paced: list[tuple[str, float, float | None]] = []
    checked: list[tuple[str, float]] = []
    pace = watch.paces(lambda *what: paced.append(what))
    check = watch.checks(lambda *what: checked.append(what))
    pace(SITE, 5.0, 1.0)
    pace("4g", 10.0, None)
    check(SITE, 300.0)
    check("4g", 1800.0)
    watch.ask_address(SITE)
    watch.ask_address("4g")
    assert (paced, checked) == ([("4g", 10.0, None)], [("4g", 1800.0)])
    assert list(watch.parts()) == ["addresses", "site_path"]
    off = SiteWatch(parse(f'{FILE}[failover]\nmode = "off"\n'), posted.append, Meter((), posted.append))
    assert off.parts() == {}
