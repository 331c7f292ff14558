"""What comes of a check beyond echoes is taken in without a word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.core import state as states
from agent.core.durable import Durable
from agent.core.inquiries import Asked, Check, Said
from agent.core.instant import Now
from agent.core.site import Site, UplinkKind, UplinkSpec
from agent.core.step import step

SITE = Site("garage", "Garage", (UplinkSpec("ftth", "Fibre", UplinkKind.FTTH, ("1.1.1.1", "8.8.8.8")),))


@pytest.mark.parametrize("uplink", ["ftth", "unknown"])
@pytest.mark.parametrize("said", list(Said))
def test_a_check_is_no_tick(uplink: str, said: Said) -> None:
    """Not even the first: it neither announces the agent nor ends a hold, and orders nothing by itself."""
    now = Now(1000.0)
    before = replace(states.initial(SITE, Durable(), now, "run"), hold_until=999.0)
    result = step(before, Check(uplink, Asked.WEB, "http://example.net/", 999.0, said), now)
    assert not result.state.announced
    assert result.state.hold_until == 999.0
    assert result.events == ()
