"""Ground for the tests of route mode: its bay for the length of a test, and what they call in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import pytest

from hardware.routes import KernelRoutes
from hardware.routes_port import Wanted, Way
from hardware.virtual.netns import NamespaceError
from hardware.virtual.route_bay import RouteBay


@contextmanager
def ground() -> Iterator[RouteBay]:
    """A bay; skips, with the reason, where this machine cannot have one."""
    pytest.importorskip("pyroute2", reason="the Python module pyroute2 is not installed")
    try:
        bay = RouteBay()
    except NamespaceError as error:
        pytest.skip(f"no network namespaces here: {error}")
    try:
        missing = bay.missing()
        if missing is not None:
            pytest.skip(missing)
        yield bay
    finally:
        bay.close()


def apply(bay: RouteBay, wanted: Wanted, dead: Collection[Way] = ()) -> None:
    """A driver of its own makes it so, as after a restart."""
    bay.gateway.call(lambda: KernelRoutes().apply(wanted, dead))


def forget(bay: RouteBay, way: Way) -> None:
    """The connections of ``way`` choose anew."""
    bay.gateway.call(lambda: KernelRoutes().forget(way))
