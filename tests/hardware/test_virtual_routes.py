"""The kernel in memory behaves towards an agent as a real one does."""

from __future__ import annotations

import pytest

from hardware.ports import HardwareError
from hardware.routes_port import Part, RoutesError
from hardware.virtual.route_bay import CELL, FTTH, ON_CELL, ON_FTTH
from hardware.virtual.routes import Flow, VirtualRoutes


def test_connections_hold_to_their_way_until_it_is_dead() -> None:
    """A call on the backup outlives the return; those of a dead way go on by the active one."""
    virtual = VirtualRoutes(("eth0", "eth1", "eth2"))
    virtual.open_flow("too early")
    virtual.apply(ON_FTTH)
    virtual.open_flow("call")
    virtual.apply(ON_CELL, [FTTH])
    virtual.open_flow("download")
    assert virtual.flows == (Flow("call", "cell"), Flow("download", "cell"))
    virtual.apply(ON_FTTH)
    virtual.open_flow("new")
    assert [flow.way for flow in virtual.flows] == ["cell", "cell", "ftth"]
    virtual.forget(CELL)
    assert {flow.way for flow in virtual.flows} == {"ftth"}


def test_a_refusal_comes_from_every_call() -> None:
    """Until it is over; nothing has been changed meanwhile."""
    virtual = VirtualRoutes(("eth0", "eth1", "eth2"))
    virtual.refusal = RoutesError("1 thing not as wanted")
    before = virtual.kernel
    for call in (
        lambda: virtual.apply(ON_FTTH),
        lambda: virtual.differences(ON_FTTH),
        lambda: virtual.forget(FTTH),
        virtual.remove,
    ):
        with pytest.raises(HardwareError, match="not as wanted"):
            call()
    assert virtual.kernel == before
    virtual.refusal = None
    assert {change.part for change in virtual.apply(ON_FTTH)} == set(Part)
