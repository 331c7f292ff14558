"""The report of a span: availability, outages, what was done, what was avoided, what it cost. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from itertools import pairwise

from agent.core.business import CUT_OFF
from agent.core.codes import Code
from agent.core.model import Recorded
from agent.core.opening import Hours
from agent.reports.month_figures import Figures
from agent.reports.month_outages import Avoided, Outage, avoided, outages
from agent.reports.month_path import SWITCHES, cut_off
from agent.reports.month_states import WORKS, Gap, Histories, How, Stretch, histories, without
from agent.reports.month_time import (
    HOUR,
    Piece,
    Span,
    common,
    length,
    milliseconds,
    open_pieces,
    outside,
    united,
)

DONE = (
    Code.BOX_CUT,
    Code.BOX_REBOOTING,
    Code.CYCLE_HELPED,
    Code.CYCLE_DID_NOT_HELP,
    Code.CYCLE_REFUSED,
    Code.HOLD_SET,
    Code.RELAY_PROVEN,
    Code.RELAY_UNPROVEN,
    Code.FAILOVER,
    Code.FAILBACK,
    Code.SITE_INTERRUPTED,
    Code.ADDRESS_CHANGED,
    Code.PUBLIC_ADDRESS_CHANGED,
    Code.TEXT_SENT,
    Code.TEXT_FAILED,
)
"""Events of which a report tells how many there were."""


@dataclass(frozen=True, slots=True)
class UplinkAbout:
    """What the configuration says of an uplink."""

    name: str
    label: str
    operator: str | None = None
    contract: str | None = None
    hotline: str | None = None
    repair_h: float | None = None


@dataclass(frozen=True, slots=True)
class SiteAbout:
    """What the configuration says of the site.

    Attributes:
        name: in topics.
        label: for people.
        uplinks: in the order of preference.
        boxes: by box or modem that can be restarted, its uplink.
        box_labels: the same, its name for people.
        opening: when it is open; always if empty.
        cost_per_hour_eur: of an hour without internet while it is open.
    """

    name: str
    label: str
    uplinks: tuple[UplinkAbout, ...]
    boxes: Mapping[str, str] = field(default_factory=dict)
    box_labels: Mapping[str, str] = field(default_factory=dict)
    opening: tuple[Hours, ...] = ()
    cost_per_hour_eur: float | None = None

    def uplink(self, name: str) -> UplinkAbout:
        """By name; one that is no longer configured keeps its name."""
        return next((one for one in self.uplinks if one.name == name), UplinkAbout(name, name))


@dataclass(frozen=True, slots=True)
class Times:
    """How long something was each way, milliseconds; together they are the whole."""

    up: int = 0
    degraded: int = 0
    down: int = 0
    unknown: int = 0

    @property
    def known(self) -> int:
        """How long anything is known."""
        return self.up + self.degraded + self.down

    @property
    def available(self) -> float | None:
        """The share of the known time in which it worked, 0 to 1; None if nothing is known."""
        return (self.up + self.degraded) / self.known if self.known else None


@dataclass(frozen=True, slots=True)
class Both:
    """In total, and in opening hours."""

    total: Times
    opened: Times


@dataclass(frozen=True, slots=True)
class Month:
    """The whole report.

    Attributes:
        site: what it is about.
        span: of what time; never beyond the last instant of which something can be known.
        zone: of the site's clock.
        opened: the opening hours, milliseconds.
        uplinks: by uplink, how it was.
        whole: how the site was: down while every uplink was or its router let nothing pass, unknown while
            one may have worked.
        offline: the stretches in which the site was without internet.
        outages: of the uplinks.
        caught: how long the first uplink was down while another worked and the site was not known to be cut
            off, and how much of that while open.
        watched: the site's own way out is known to have been watched, through its router.
        avoided: estimates for the restarts that helped.
        done: how often each of ``DONE`` happened.
        gaps: of what nothing is known.
        figures: latency, loss and signal, as far as they are recorded.
        data_bytes: by uplink with a budget, what the agent itself has used in ``data_month``.
        data_month: a calendar month in UTC, as ``2027-01``; None if nothing of this span is recorded.
    """

    site: SiteAbout
    span: Span
    zone: tzinfo
    opened: int
    uplinks: Mapping[str, Both]
    whole: Both
    offline: tuple[Piece, ...]
    outages: tuple[Outage, ...]
    caught: tuple[int, int]
    watched: bool
    avoided: tuple[Avoided, ...]
    done: Mapping[Code, int]
    gaps: tuple[Gap, ...]
    figures: Figures = field(default_factory=Figures)
    data_bytes: Mapping[str, int] = field(default_factory=dict)
    data_month: str | None = None

    @property
    def cost_eur(self) -> float | None:
        """What the time without internet in opening hours cost; None if nobody has said what an hour does."""
        per_hour = self.site.cost_per_hour_eur
        return None if per_hour is None else self.whole.opened.down / HOUR * per_hour


def month(
    events: Sequence[Recorded],
    site: SiteAbout,
    span: Span,
    zone: tzinfo,
    alive: Sequence[Piece] = (),
    figures: Figures | None = None,
    data_bytes: Mapping[str, int] | None = None,
    data_month: str | None = None,
) -> Month:
    """The report of a span.

    Args:
        events: the whole journal, oldest first.
        site: what the configuration says.
        span: not beyond the present.
        zone: of the site's clock.
        alive: ordered pieces in which the agent is known to have run.
        figures: what was measured.
        data_bytes: see ``Month``.
        data_month: see ``Month``.
    """
    names = [uplink.name for uplink in site.uplinks]
    seen = histories(events, names, span, alive)
    opened = open_pieces(site.opening, span, zone)
    always = Span(min([span.begin, *(milliseconds(r.at) for r in events if r.synced)]), span.end)
    known = outages(events, histories(events, names, always, alive), site.boxes)
    cut = cut_off(events, span.end)
    site_seen = [part for one in _site(seen, span) for part in without(one, cut) if part.begin < part.end]
    down = united((stretch.begin, stretch.end) for stretch in site_seen if stretch.how is How.DOWN)
    caught = outside(_caught(seen, names), cut)
    within = [r for r in events if r.synced and span.begin <= milliseconds(r.at) < span.end]
    counts = Counter(recorded.event.code for recorded in within)
    return Month(
        site=site,
        span=span,
        zone=zone,
        opened=length(opened),
        uplinks={name: _both(seen.uplinks[name], opened) for name in names},
        whole=_both(site_seen, opened),
        offline=tuple(down),
        outages=tuple(_cut(known, span, opened)),
        caught=(length(caught), length(common(caught, opened))),
        watched=any(recorded.event.code in (*SWITCHES, *CUT_OFF) for recorded in events),
        avoided=avoided([outage for outage in known if span.begin < outage.end <= span.end], known),
        done={code: counts[code] for code in DONE},
        gaps=seen.gaps,
        figures=figures or Figures(),
        data_bytes=data_bytes or {},
        data_month=data_month,
    )


def _cut(known: Sequence[Outage], span: Span, opened: Sequence[Piece]) -> Iterator[Outage]:
    """What lies of each outage in the span."""
    for outage in known:
        begin, end = span.cut(outage.begin, outage.end)
        if begin < end:
            open_ms = length(common([(begin, end)], opened))
            yield replace(
                outage, begin=begin, end=end, ended=outage.ended and end == outage.end, open_ms=open_ms
            )


def _both(stretches: Sequence[Stretch], opened: Sequence[Piece]) -> Both:
    pieces = {how: [(one.begin, one.end) for one in stretches if one.how is how] for how in How}
    total = {how: length(found) for how, found in pieces.items()}
    while_open = {how: length(common(found, opened)) for how, found in pieces.items()}
    return Both(_times(total), _times(while_open))


def _times(lengths: Mapping[How, int]) -> Times:
    return Times(lengths[How.UP], lengths[How.DEGRADED], lengths[How.DOWN], lengths[How.UNKNOWN])


def _site(seen: Histories, span: Span) -> list[Stretch]:
    """The site: as well as the best of its uplinks; down only while every one is known to be."""
    stretches: list[Stretch] = []
    for begin, end, hows in _together(seen, list(seen.uplinks)):
        best = next(
            (how for how in (How.UP, How.DEGRADED, How.UNKNOWN) if how in hows),
            How.DOWN if hows else How.UNKNOWN,
        )
        if stretches and stretches[-1].how is best:
            stretches[-1] = Stretch(stretches[-1].begin, end, best)
        else:
            stretches.append(Stretch(begin, end, best))
    return stretches or ([Stretch(span.begin, span.end, How.UNKNOWN)] if span.length else [])


def _caught(seen: Histories, names: Sequence[str]) -> list[Piece]:
    """While the first uplink was down and another one worked."""
    return [
        (begin, end)
        for begin, end, (first, *others) in _together(seen, names)
        if first is How.DOWN and any(how in WORKS for how in others)
    ]


def _together(seen: Histories, names: Sequence[str]) -> list[tuple[int, int, tuple[How, ...]]]:
    """All uplinks side by side: stretches in which none of them changes."""
    lines = [seen.uplinks[name] for name in names]
    edges = sorted({edge for line in lines for one in line for edge in (one.begin, one.end)})
    places = [0] * len(lines)
    found = []
    for begin, end in pairwise(edges):
        for number, line in enumerate(lines):
            while line[places[number]].end <= begin:
                places[number] += 1
        hows = tuple(line[place].how for line, place in zip(lines, places, strict=True))
        found.append((begin, end, hows))
    return found
