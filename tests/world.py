"""The site that most stories are told of, and the world that plays it."""

from __future__ import annotations

from agent.core.site import BoxSpec, PowerRules, Site, UplinkKind, UplinkSpec
from agent.simulation.lines import Line
from agent.simulation.world import World

__all__ = ["TARGETS", "Line", "World", "example_site"]

TARGETS = ("1.1.1.1", "8.8.8.8", "9.9.9.9")


def example_site(
    uplinks: int = 3,
    boxes: tuple[str, ...] = ("ftth",),
    rules: PowerRules | None = None,
    boot_s: float = 60.0,
    confirm_s: float = 30.0,
) -> Site:
    """Fibre, second fibre, 4G; a wired box on each of ``boxes``."""
    kinds = (("ftth", UplinkKind.FTTH), ("fibre2", UplinkKind.FTTH), ("4g", UplinkKind.CELLULAR))
    return Site(
        name="garage",
        label="Garage",
        uplinks=tuple(UplinkSpec(n, n.upper(), k, TARGETS) for n, k in kinds[:uplinks]),
        boxes=tuple(
            BoxSpec(f"box-{n}", f"Box {n}", n, confirm_s=confirm_s, off_s=10.0, boot_s=boot_s) for n in boxes
        ),
        power=rules or PowerRules(after_power_s=0.0),
    )
