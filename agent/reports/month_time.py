"""Spans of time in whole milliseconds, and which parts of them are opening hours of the site.

Instants are integers, milliseconds of UNIX time: sums of them are exact, so that parts add up to the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from agent.core.opening import EPOCH_DAY, Hours

SECOND = 1000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
WEEK = 7 * DAY
Piece = tuple[int, int]
"""From when to when, milliseconds; the end does not belong to it."""


@dataclass(frozen=True, slots=True)
class Span:
    """What a report is about, milliseconds; ``end`` does not belong to it."""

    begin: int
    end: int

    @property
    def length(self) -> int:
        """Milliseconds."""
        return max(0, self.end - self.begin)

    def cut(self, begin: int, end: int) -> Piece:
        """The part of a stretch that lies within; empty (not before its begin) where none does."""
        first = min(max(begin, self.begin), self.end)
        return first, max(first, min(end, self.end))


def milliseconds(at_s: float) -> int:
    """UNIX seconds in whole milliseconds."""
    return round(at_s * SECOND)


def midnight(day: date, zone: tzinfo) -> int:
    """When a local day begins."""
    return milliseconds(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def of_days(first: date, last: date, zone: tzinfo) -> Span:
    """From the beginning of one local day to the end of another."""
    return Span(midnight(first, zone), midnight(last + timedelta(days=1), zone))


def of_month(year: int, month: int, zone: tzinfo) -> Span:
    """A local calendar month."""
    following = date(year + month // 12, month % 12 + 1, 1)
    return Span(midnight(date(year, month, 1), zone), midnight(following, zone))


def local(at: int, zone: tzinfo) -> datetime:
    """An instant on the clock of the site."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)).astimezone(zone)


def day_name(at: int, zone: tzinfo) -> str:
    """The local day of an instant, as ``2027-01-31``."""
    return local(at, zone).date().isoformat()


def offset(at: int, zone: tzinfo) -> int:
    """How far local time is ahead of UTC, milliseconds."""
    ahead = local(at, zone).utcoffset()
    return 0 if ahead is None else round(ahead.total_seconds() * SECOND)


def open_pieces(opening: Sequence[Hours], span: Span, zone: tzinfo) -> list[Piece]:
    """When the site is open within ``span``: when the clock on its wall says so.

    So a night on which the clock is put back has an hour more of whatever that hour is. Without opening hours
    the site is always open.
    """
    if not opening:
        return [(span.begin, span.end)] if span.length else []
    pieces: list[Piece] = []
    for begin, end, ahead in _constant(span, zone):
        pieces += _of_week(opening, begin, end, ahead)
    return united(pieces)


def _constant(span: Span, zone: tzinfo) -> Iterator[tuple[int, int, int]]:
    """The stretches in which local time is equally far ahead, and how far."""
    at, ahead = span.begin, offset(span.begin, zone)
    while at < span.end:
        end = at
        while end < span.end and offset(min(end + DAY, span.end), zone) == ahead:
            end = min(end + DAY, span.end)
        if end < span.end:
            low, high = end, min(end + DAY, span.end)
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle, zone) == ahead else (low, middle)
            end = high
        yield at, end, ahead
        at, ahead = end, offset(end, zone)


def _of_week(opening: Sequence[Hours], begin: int, end: int, ahead: int) -> Iterator[Piece]:
    stretch = Span(begin, end)
    monday = ((begin + ahead + EPOCH_DAY * DAY) // WEEK) * WEEK - EPOCH_DAY * DAY - ahead
    for week in range(monday - WEEK, end, WEEK):
        for hours in opening:
            length = milliseconds(hours.end_s - hours.begin_s) % DAY or DAY
            for day in hours.days:
                first = week + day * DAY + milliseconds(hours.begin_s)
                piece = stretch.cut(first, first + length)
                if piece[0] < piece[1]:
                    yield piece


def united(pieces: Iterable[Piece]) -> list[Piece]:
    """The same instants as ordered pieces that neither overlap nor touch."""
    whole: list[Piece] = []
    for begin, end in sorted(pieces):
        if whole and begin <= whole[-1][1]:
            whole[-1] = whole[-1][0], max(end, whole[-1][1])
        elif begin < end:
            whole.append((begin, end))
    return whole


def common(one: Sequence[Piece], other: Sequence[Piece]) -> list[Piece]:
    """What is in both of two lists of ordered pieces."""
    found: list[Piece] = []
    left = right = 0
    while left < len(one) and right < len(other):
        begin, end = max(one[left][0], other[right][0]), min(one[left][1], other[right][1])
        if begin < end:
            found.append((begin, end))
        if one[left][1] < other[right][1]:
            left += 1
        else:
            right += 1
    return found


def outside(one: Sequence[Piece], other: Sequence[Piece]) -> list[Piece]:
    """What is in the first of two lists of ordered pieces, and not in the second."""
    if not one:
        return []
    edges = [one[0][0], *(edge for piece in other for edge in piece), max(one[-1][1], one[0][0])]
    holes = [(edges[n], edges[n + 1]) for n in range(0, len(edges), 2)]
    return common(one, [hole for hole in holes if hole[0] < hole[1]])


def length(pieces: Iterable[Piece]) -> int:
    """Milliseconds in pieces that do not overlap."""
    return sum(end - begin for begin, end in pieces)
