"""All sites of one broker, from the messages as they come."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from statistics import median

from agent.fleet.judging import Site, judge
from agent.fleet.printable import REPLACED, printable
from agent.fleet.ranking import ranked
from agent.fleet.reading import read_event_code
from agent.fleet.record import CLOCK_WRONG_S, Moment, Place, Record
from agent.fleet.silence import PATIENCE_S
from agent.sinks.mqtt.topics import AVAILABILITY, EVENT

STATE = "state"
MIN_LEVELS = 3
"""Root, site, and what of it."""
LONGEST_NAME = 80
ENOUGH_CLOCKS = 3
"""From so many sites on, one clock that differs from most of them is ours."""


class Fleet:
    """Every site that was heard of or is expected. Not thread-safe; times come as arguments."""

    def __init__(
        self,
        roots: Sequence[str] = ("vigie",),
        pattern: str = "*",
        expected: Iterable[str] = (),
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Prepare.

        Args:
            roots: what stands before the sites in a topic; ``+`` for any one level.
            pattern: which sites, as a shell pattern of their slugs.
            expected: slugs, or ``root/slug``, of sites that must be there; a slug alone is below whatever
                root it is found, else below the first.
            patience_s: how long a site may be away before it counts as silent.
        """
        self._roots = [tuple(level for level in root.split("/") if level) for root in roots]
        self._fits = re.compile(fnmatch.translate(pattern)).match
        self._expected = [one for one in dict.fromkeys(expected) if self._fits(one.rsplit("/", 1)[-1])]
        self._patience_s = patience_s
        self._records: dict[Place, Record] = {}
        self._generation = 0
        self.settled = False
        """What the broker has kept has come, as far as one can tell."""
        self.kept_at: float | None = None
        """When the last message came that the broker had kept, monotonic seconds."""

    @property
    def filters(self) -> tuple[str, ...]:
        """What to subscribe to."""
        prefixes = ["/".join(root) for root in self._roots]
        return tuple(f"{root}/+/{end}" for root in prefixes for end in (AVAILABILITY, STATE, EVENT))

    @property
    def heard(self) -> int:
        """How many sites were heard of."""
        return len(self._records)

    def joined(self) -> None:
        """A connection begins: what the broker has kept comes once more."""
        self._generation += 1
        self.settled, self.kept_at = False, None
        for record in self._records.values():
            record.rejoin()

    def settle(self) -> None:
        """What the broker has kept has come: a site that is not among it is gone."""
        self.settled = True
        for record in self._records.values():
            if record.generation != self._generation:
                record.gone = True

    def missed(self) -> list[str]:
        """Topics that should have come over this connection and have not.

        A broker may drop what it cannot queue: of a site that was heard of, its state; of one that is
        expected, everything.
        """
        found = [
            f"{place.root}/{place.slug}/{STATE}"
            for place, record in self._records.items()
            if record.stated != self._generation and record.generation == self._generation
            if REPLACED not in place.root + place.slug
        ]
        for place in self._missing():
            if "+" not in place.root:
                found += [f"{place.root}/{place.slug}/{end}" for end in (AVAILABILITY, STATE)]
        return found

    def take(self, topic: str, payload: bytes, now: Moment, *, kept: bool) -> Place | None:
        """One message; None: it is none of a site that is wanted."""
        levels = topic.split("/")
        if len(levels) < MIN_LEVELS or levels[-1] not in (AVAILABILITY, STATE, EVENT):
            return None
        *root, slug, end = levels
        if not self._is_below(root) or not self._fits(slug):
            return None
        place = Place(printable("/".join(root), LONGEST_NAME), printable(slug, LONGEST_NAME))
        record = self._records.get(place)
        if record is None:
            if not payload or end == EVENT:
                return None  # the removal of what nobody has seen, and facts, make no site
            record = self._records[place] = Record(place)
        if end == EVENT:
            if not kept:
                record.take_event(read_event_code(payload))
            return place
        record.generation = self._generation
        if kept:
            self.kept_at = now.mono
        take = record.take_availability if end == AVAILABILITY else record.take_state
        take(payload, now, kept=kept)
        if end == STATE:
            record.stated = self._generation
        return place

    def sites(self, now: Moment) -> list[Site]:
        """Every site, judged, the worst first."""
        missing = [Record(place) for place in self._missing()] if self.settled else []
        return ranked(judge(record, now, self._patience_s) for record in (*self._records.values(), *missing))

    def own_clock_off_s(self) -> float | None:
        """How far this machine's clock is ahead of the sites'; None if it is right, or nobody knows."""
        known = [record.clock_off_s for record in self._records.values() if record.clock_off_s is not None]
        off_s = median(known) if len(known) >= ENOUGH_CLOCKS else 0.0
        return off_s if abs(off_s) > CLOCK_WRONG_S else None

    def _missing(self) -> list[Place]:
        """Expected sites that were never heard of."""
        slugs = {place.slug for place in self._records}
        whole = {f"{place.root}/{place.slug}" for place in self._records}
        first = "/".join(self._roots[0])
        return [
            Place(*one.rsplit("/", 1)) if "/" in one else Place(first, one)
            for one in self._expected
            if one not in (whole if "/" in one else slugs)
        ]

    def _is_below(self, levels: Sequence[str]) -> bool:
        return any(
            len(root) == len(levels)
            and all(mine in ("+", its) for mine, its in zip(root, levels, strict=True))
            for root in self._roots
        )
