"""Which uplink carries the site: what each witness says, and when nobody can tell."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import TARGETS, example_site

from agent.core.addresses import shared_now
from agent.core.carried import Witness
from agent.core.carrying import carrier
from agent.core.devices import Says
from agent.core.durable import Durable
from agent.core.failover_rules import FailoverRules
from agent.core.inquiries import Asked, Check, Said
from agent.core.instant import Now
from agent.core.model import Link, Observation
from agent.core.outside import (
    NO_NEXT_HOP,
    PathSeen,
    PublicAddress,
    common_bits,
    is_carrier_grade,
    is_shared,
    nearest,
)
from agent.core.state import State, UplinkState, initial
from agent.core.step import step

AT = 5000.0


def seen(*observations: Observation) -> State:
    """A core that has just been told these things."""
    site = replace(example_site(boxes=()), failover=FailoverRules(path_targets=TARGETS))
    state = initial(site, Durable(), Now(AT), "run")
    for observation in observations:
        state = step(state, observation, Now(AT + 1)).state
    return state


def address(way: str, text: str, version: int = 4) -> PublicAddress:
    return PublicAddress(way, AT, text, version)


def hop(uplink: str, by: str) -> Check:
    return Check(uplink, Asked.HOP, "2", AT, Said.WELL, 8.0, by)


def link(uplink: str, gateway: str) -> Link:
    return Link(uplink, True, True, "192.168.1.10", gateway)


FIBRES = (address("ftth", "81.2.69.1"), address("fibre2", "81.2.69.2"))


def found(*observations: Observation) -> tuple[str, Witness] | None:
    carries = carrier(seen(*observations))
    return None if carries is None else (carries.uplink, carries.witness)


def test_the_same_public_address_tells() -> None:
    """That of one uplink and of no other."""
    assert found(*FIBRES, address("site", "81.2.69.2")) == ("fibre2", Witness.ADDRESS)
    assert found(*FIBRES, address("site", "81.2.69.9")) is None
    assert found(address("site", "81.2.69.1")) is None
    assert found(*FIBRES) is None


def test_where_two_have_one_address_the_routers_tell() -> None:
    """Two lines of one operator behind one shared address; a router that both pass tells nothing."""
    both = (address("ftth", "81.2.69.1"), address("4g", "81.2.69.1"), address("site", "81.2.69.1"))
    path = PathSeen("site", AT, ("192.168.10.1", "192.168.8.1", None, "10.0.0.9"))
    assert found(*both, path) is None
    assert found(*both, path, link("4g", "192.168.8.1")) == ("4g", Witness.HOP)
    assert found(*both, path, hop("4g", "10.0.0.9"), hop("ftth", "10.0.0.9")) is None
    assert found(*both, path, link("fibre2", "192.168.8.1")) is None, "it is another one's address"


def test_without_any_address_the_routers_alone_tell() -> None:
    """STUN does not get through everywhere."""
    path = PathSeen("site", AT, (None, "192.168.11.1", "100.64.0.1"))
    assert found(path, hop("ftth", "100.64.0.1"), hop("4g", "100.64.1.1")) == ("ftth", Witness.HOP)
    assert found(path, link("ftth", "192.168.11.1"), link("4g", "192.168.11.1")) is None


def test_of_ipv6_the_longest_common_beginning_tells() -> None:
    """The customer's own prefix, which begins at 48 bits; never two that agree equally."""
    ways = (address("ftth", "2a01:e0a:1:2::5", 6), address("4g", "2a04:cec0:9:9::5", 6))
    assert found(*ways, address("site", "2a01:e0a:1:3::77", 6)) == ("ftth", Witness.ADDRESS)
    assert found(*ways, address("site", "2a01:e0a:2:3::77", 6)) is None
    same = (address("ftth", "2a01:e0a:1:2::5", 6), address("4g", "2a01:e0a:1:2::6", 6))
    assert found(*same, address("site", "2a01:e0a:1:3::77", 6)) is None


@given(st.ip_addresses(v=4).map(str), st.ip_addresses(v=4).map(str))
def test_an_ipv4_address_is_the_same_or_another(one: str, other: str) -> None:
    """Nothing in between counts, and the order does not matter."""
    assert common_bits(one, other) == common_bits(other, one) <= 32
    assert nearest(one, {"a": other}) == (("a",) if one == other else ())
    assert nearest(one, {"a": one, "b": one, "c": other})[:2] == ("a", "b")


@pytest.mark.parametrize(
    ("text", "shared", "carrier_grade"),
    [
        ("100.64.0.1", True, True),
        ("100.127.255.254", True, True),
        ("100.128.0.1", False, False),
        ("10.1.2.3", True, False),
        ("192.168.1.1", True, False),
        ("81.2.69.1", False, False),
        ("2a01:e0a::1", False, False),
        ("nonsense", False, False),
    ],
)
def test_which_addresses_are_shared(text: str, shared: bool, carrier_grade: bool) -> None:
    """RFC 6598 and RFC 1918."""
    assert (is_shared(text), is_carrier_grade(text)) == (shared, carrier_grade)


@pytest.mark.parametrize(
    ("own", "gateway", "says", "shared"),
    [
        ("192.168.1.10", "192.168.1.1", None, None),
        ("100.72.3.9", "100.72.3.1", None, True),
        ("10.44.3.9", NO_NEXT_HOP, None, True),
        ("10.44.3.9", "10.44.3.1", None, None),
        ("81.2.69.1", NO_NEXT_HOP, None, False),
        ("192.168.8.100", "192.168.8.1", {"address": "100.72.3.9"}, True),
        ("192.168.8.100", "192.168.8.1", {"address": "10.72.3.9", "shared": True}, True),
        ("192.168.1.10", "192.168.1.1", {"address": "81.2.69.1"}, False),
        ("192.168.1.10", "192.168.1.1", {"address": "81.2.69.1", "shared": True}, False),
    ],
)
def test_carrier_grade_nat_is_told_by_what_can_know_it(
    own: str, gateway: str, says: dict[str, object] | None, shared: bool | None
) -> None:
    """The device's own word, or the address of an interface with no box before it; else nobody knows."""
    told: list[Observation] = [Link("4g", True, True, own, gateway)]
    if says is not None:
        told.append(Says("4g", heard=True, **says))  # type: ignore[arg-type]
    uplink: UplinkState = seen(*told).uplinks["4g"]
    assert shared_now(uplink, "81.2.69.1", AT + 1) is shared
