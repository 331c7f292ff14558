"""What tests of checks share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from check_bay import PUBLIC
from probe_bay import Site, site_with


@pytest.fixture
def site() -> Iterator[Site]:
    """One box, behind which a public address answers."""
    with site_with(1) as made:
        made.boxes[0].ip(f"addr add {PUBLIC}/32 dev lo")
        yield made
