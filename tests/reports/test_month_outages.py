"""What belongs to an outage, and what a restart has avoided."""

from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.codes import Code, Severity
from agent.core.model import Event, Recorded, Scalar
from agent.reports.month import SiteAbout, UplinkAbout, month
from agent.reports.month_outages import LEAST_LIKE, Outage, Restart, avoided
from agent.reports.month_time import SECOND, Span

HUNG, LINE = Code.BOX_HUNG, Code.LINE_DOWN


def outage(
    begin: int, lasts: int, cause: Code | None = HUNG, *, restart: int | None = None, helped: bool = False
) -> Outage:
    made = () if restart is None else (Restart((begin + restart) * SECOND, "box", False, helped),)
    return Outage("ftth", begin * SECOND, (begin + lasts) * SECOND, True, cause, None, made)


def test_what_was_avoided_is_reckoned_from_outages_that_had_lasted_as_long() -> None:
    """Shorter ones, those of another cause, and those that a restart ended are not like it."""
    like = [outage(1000 * n, lasts) for n, lasts in enumerate((120, 300, 400, 500, 600), 1)]
    shorter, other = outage(7000, 119), outage(8000, 9000, LINE)
    cured = outage(20_000, 200, restart=120, helped=True)
    found = avoided([cured, like[0]], [*like, shorter, other, cured])
    assert [(one.ms, one.like) for one in found] == [((384 - 200) * SECOND, LEAST_LIKE)]
    assert avoided([cured], [*like[1:], shorter, other, cured])[0].ms is None
    vain = outage(30_000, 500, restart=120)
    assert avoided([vain], [*like, vain]) == ()
    nameless = outage(40_000, 200, None, restart=120, helped=True)
    assert avoided([nameless], [outage(1000 * n, 300, None) for n in range(9)])[0].ms is None


def test_what_is_told_just_after_an_outage_still_belongs_to_it() -> None:
    """A restart's result may come seconds later; the cause of the next outage is not this one's."""
    lines: list[tuple[float, Code, str, dict[str, Scalar]]] = [
        (0.0, Code.AGENT_STARTED, "s", {}),
        (1.0, Code.UPLINK_UP, "ftth", {}),
        (100.0, Code.UPLINK_DOWN, "ftth", {}),
        (110.0, HUNG, "ftth", {}),
        (120.0, Code.CYCLE_ORDERED, "box", {"by": "Julie"}),
        (121.0, Code.BOX_CUT, "box", {}),
        (200.0, Code.UPLINK_UP, "ftth", {"down_s": 101.0}),
        (205.0, Code.CYCLE_HELPED, "box", {}),
        (220.0, Code.UPLINK_DOWN, "ftth", {}),
        (221.0, LINE, "ftth", {}),
        (222.0, Code.NEEDS_HUMAN, "box", {}),
        (300.0, Code.UPLINK_UP, "ftth", {"down_s": 81.0}),
        (300.0, Code.AGENT_STOPPED, "s", {}),
    ]
    events = [
        Recorded(str(n), n, Event(code, subject, Severity.INFO, None, args), at, True)
        for n, (at, code, subject, args) in enumerate(lines, 1)
    ]
    site = SiteAbout("s", "S", (UplinkAbout("ftth", "Fibre"),), {"box": "ftth"})
    first, second = month(events, site, Span(0, 300 * SECOND), UTC).outages
    assert (first.cause, first.helped, first.length) == (HUNG, True, 101 * SECOND)
    assert [(one.by, one.soft) for one in first.restarts] == [("Julie", False)]
    assert (second.cause, second.restarts, second.length) == (LINE, (), 81 * SECOND)


@given(st.text(max_size=120), st.floats(8.0, 60.0))
def test_every_line_on_paper_fits_its_column(text: str, wide: float) -> None:
    """Also a word that is longer than the column; nothing of it is lost."""
    pytest.importorskip("reportlab")
    from agent.reports.paper_pdf import SMALL, broken
    from agent.reports.pdf import width

    lines = broken(text, SMALL, wide)
    assert all(width(line, SMALL) <= wide for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace("\n", "").replace(" ", "")
