"""How the conditions of a scenario are written, and reading them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from hardware.virtual.scenario import Aspect, Condition
from hardware.virtual.strict_table import Table, timed

_WINDOW = ("after", *timed("from", "by"))
_INSTANT = (*_WINDOW, *timed("at"))
_KEYS: Mapping[Aspect, tuple[str, ...]] = {
    Aspect.EVENT: ("subject", "args", "count", *_WINDOW),
    Aspect.FINDING: ("subject", *_INSTANT),
    Aspect.HEALTH: ("uplink", *_INSTANT),
    Aspect.ORDER: ("subject",),
    Aspect.CUTS: ("box",),
    Aspect.CUTS_AT_MOST: ("box",),
    Aspect.LONGEST_CUT_S: ("box",),
    Aspect.POWERED: ("box",),
    Aspect.CUTS_OVERLAP: (),
    Aspect.HEADLINE: _INSTANT,
}
_CODED = (Aspect.EVENT, Aspect.FINDING, Aspect.HEALTH)
NEVER = (*_CODED, Aspect.CUTS_OVERLAP, Aspect.HEADLINE)
EXPECT = tuple(aspect for aspect in Aspect if aspect is not Aspect.CUTS_OVERLAP)


def read_condition(
    table: Table,
    aspects: Collection[Aspect],
    uplinks: Collection[str],
    boxes: Collection[str],
    deeds: Collection[str],
    longest_s: float,
) -> Condition:
    """The condition that one ``[[expect]]`` or ``[[never]]`` states; faults are noted in the table."""
    chosen = [aspect for aspect in aspects if aspect.value in table]
    if len(chosen) != 1:
        table.fault("", f"exactly one of these keys is needed: {', '.join(aspects)}")
        return Condition(Aspect.EVENT)
    aspect = chosen[0]
    table.only((aspect.value, *_KEYS[aspect]))
    codes: tuple[str, ...] = ()
    if aspect is Aspect.ORDER:
        codes = table.texts("order")
    elif aspect in _CODED:
        codes = table.one_or_more(aspect.value)
    number = None
    if aspect in (Aspect.CUTS, Aspect.CUTS_AT_MOST):
        number = int(table.number(aspect.value, None, 0, 1000))
    elif "count" in table:
        number = int(table.number("count", None, 0, 1000))
    subject = table.maybe_text("subject")
    if "uplink" in _KEYS[aspect]:
        subject = table.text("uplink", allowed=uplinks)
    elif "box" in _KEYS[aspect]:
        subject = table.maybe_text("box", allowed=boxes)
    window = [key for key in timed("from", "by") if key in table]
    if window and ("at" in table or "at_s" in table):
        table.fault(window[0], "an instant (at) and a window (from, by) exclude each other")
    return Condition(
        aspect=aspect,
        codes=codes,
        subject=subject,
        args=table.plain("args"),
        number=number,
        most_s=table.number(aspect.value, None, 0, 1000) if aspect is Aspect.LONGEST_CUT_S else 0.0,
        powered=table.flag(aspect.value, default=True) if aspect is Aspect.POWERED else True,
        after=table.maybe_text("after", deeds),
        from_s=table.maybe_seconds("from", 0, longest_s),
        by_s=table.maybe_seconds("by", 0, longest_s),
        at_s=table.maybe_seconds("at", 0, longest_s),
        words=table.words("headline", required=True) if aspect is Aspect.HEADLINE else {},
    )
