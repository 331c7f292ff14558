"""What has been seen while an antenna is aimed: now, the start, the best, the last minute, the places. Pure.

A reading is as good as its word (``radio.strength``), and more finely a place on the scale of the words: 0 to
5, one for each word, between its edges in proportion. As the word is, it is that of the worse of power and
cleanness: more power is no gain while noise is the limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise
from statistics import median

from agent.core.devices import Radio, Says
from agent.core.radio import RSRP_DBM, RSRQ_DB, RSSI_DBM, SINR_DB, Edges

TOP = 5.0
"""The best place on the scale: five words, one each."""
SAME = 0.2
"""A difference on the scale that says nothing: 2 dB of RSRP, which a signal wavers by itself."""
STEADY_READINGS = 3
"""What is compared with the start is the middle one of so many readings, and so is the start."""
PLACE_READINGS = 10
"""How long an antenna is to be held still at a place that is noted."""
BELOW_ONE = 1.0 - 1e-9
KEPT_S = 60.0
"""The history that is shown."""
_SCALES: dict[str, tuple[float, Edges, float]] = {
    # The ends are the worst and best that a modem tells in practice; beyond them the scale stops.
    "rsrp_dbm": (-140.0, RSRP_DBM, -60.0),
    "rssi_dbm": (-120.0, RSSI_DBM, -50.0),
    "sinr_db": (-20.0, SINR_DB, 30.0),
    "rsrq_db": (-25.0, RSRQ_DB, -5.0),
}


class Verdict(StrEnum):
    """Now beside the start."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the modem said once.

    Attributes:
        mono: when, monotonic seconds.
        at: when, UNIX seconds, by a clock that may be wrong.
        says: what.
        place: the noted place at which it was read; None while the antenna is on its way.
    """

    mono: float
    at: float
    says: Says
    place: str | None = None

    @property
    def radio(self) -> Radio:
        """Its figures; none if it was not heard or receives nothing."""
        return self.says.radio or Radio()

    @property
    def score(self) -> float | None:
        """Its place on the scale, 0 to ``TOP``; None without a figure."""
        return score(self.radio)


@dataclass(frozen=True, slots=True)
class Place:
    """A place that was noted (when: UNIX seconds), with what was read there."""

    name: str
    at: float
    readings: tuple[Radio, ...] = ()

    @property
    def middle(self) -> Radio:
        """The middle figure of each kind."""
        return middle(self.readings)


@dataclass(frozen=True, slots=True)
class Aim:
    """Everything so far.

    Attributes:
        first: the first readings with figures.
        recent: the last minute, the newest last.
        best: the best reading.
        places: in the order in which they were noted.
        left: readings that the last place still lacks; 0: the antenna may be moved.
        heard: some reading was an answer.
        count: how many readings there were.
    """

    first: tuple[Reading, ...] = ()
    recent: tuple[Reading, ...] = ()
    best: Reading | None = None
    places: tuple[Place, ...] = ()
    left: float = 0.0
    heard: bool = False
    count: int = 0

    @property
    def last(self) -> Reading | None:
        """The newest reading."""
        return self.recent[-1] if self.recent else None

    @property
    def place(self) -> str | None:
        """The place at which the next reading is taken."""
        return self.places[-1].name if self.left > 0 else None

    def noted(self, name: str, at: float, readings: float = PLACE_READINGS) -> Aim:
        """The antenna now stands still at a place, for so many readings."""
        return replace(self, places=(*self.places, Place(name, at)), left=readings)

    def with_reading(self, reading: Reading) -> Aim:
        """One more; it belongs to the place that is being noted, whatever ``reading.place`` says."""
        reading = replace(reading, place=self.place)
        recent = (*(old for old in self.recent if old.mono > reading.mono - KEPT_S), reading)
        more = replace(self, recent=recent, heard=self.heard or reading.says.heard, count=self.count + 1)
        value = reading.score
        if value is None:
            return more
        if len(self.first) < STEADY_READINGS:
            more = replace(more, first=(*self.first, reading))
        if self.best is None or _rank(reading.radio) > _rank(self.best.radio):
            more = replace(more, best=reading)
        if self.left <= 0:
            return more
        place = replace(self.places[-1], readings=(*self.places[-1].readings, reading.radio))
        return replace(more, places=(*self.places[:-1], place), left=self.left - 1)

    @property
    def change(self) -> Change | None:
        """Now beside the start; None until both are known."""
        now = [reading.radio for reading in self.recent[-STEADY_READINGS:] if reading.score is not None]
        if len(self.first) < STEADY_READINGS or not now or self.last is None or self.last.score is None:
            return None
        if self.count <= STEADY_READINGS:
            return None
        return change(middle([reading.radio for reading in self.first]), middle(now))


@dataclass(frozen=True, slots=True)
class Change:
    """One signal beside an earlier one: the verdict, and each figure's difference in dB, by its field."""

    verdict: Verdict
    by_db: dict[str, float] = field(default_factory=dict)


def change(start: Radio, now: Radio) -> Change:
    """``now`` beside ``start``; both hold at least one figure."""
    difference = (score(now) or 0.0) - (score(start) or 0.0)
    verdict = Verdict.BETTER if difference > 0 else Verdict.WORSE
    by_db = {}
    for name in (power_of(now), "sinr_db"):
        old, new = (None, None) if name is None else (getattr(start, name), getattr(now, name))
        if name is not None and old is not None and new is not None:
            by_db[name] = new - old
    return Change(Verdict.SAME if abs(difference) < SAME else verdict, by_db)


def score(radio: Radio) -> float | None:
    """The place of a reading on the scale of the words, 0 to ``TOP``; None if it holds no figure."""
    places = [value for value in (_power(radio), _clean(radio)) if value is not None]
    return min(places) if places else None


def limit_of(radio: Radio) -> str | None:
    """The field of the figure that keeps the signal from being better; None unless two are known."""
    power, clean = _power(radio), _clean(radio)
    if power is None or clean is None or power == clean:
        return None
    if power < clean:
        return power_of(radio)
    return "sinr_db" if radio.sinr_db is not None else "rsrq_db"


def power_of(radio: Radio) -> str | None:
    """The field that tells its power: RSRP, for 2G and 3G RSSI."""
    if radio.rsrp_dbm is not None:
        return "rsrp_dbm"
    return "rssi_dbm" if radio.rssi_dbm is not None else None


def middle(readings: Sequence[Radio]) -> Radio:
    """The middle figure of each kind; whose network, band and cell is told by the last."""
    figures = {}
    for name in ("rsrp_dbm", "rsrq_db", "sinr_db", "rssi_dbm", "nr_rsrp_dbm", "nr_sinr_db"):
        known = [value for value in (getattr(radio, name) for radio in readings) if value is not None]
        figures[name] = median(known) if known else None
    return replace(readings[-1] if readings else Radio(), **figures)


def beat_s(value: float) -> float:
    """Seconds between two beeps at this place of the scale: 2 at its lower end, 0.2 at its upper one."""
    return float(2.0 * 0.1 ** (min(max(value, 0.0), TOP) / TOP))


def _rank(radio: Radio) -> tuple[float, float]:
    """For finding the best: the scale, then the power."""
    name = power_of(radio)
    return score(radio) or 0.0, -200.0 if name is None else getattr(radio, name)


def _power(radio: Radio) -> float | None:
    name = power_of(radio)
    return None if name is None else _on_scale(name, getattr(radio, name))


def _clean(radio: Radio) -> float | None:
    name = "sinr_db" if radio.sinr_db is not None else "rsrq_db"
    value = getattr(radio, name)
    return None if value is None else _on_scale(name, value)


def _on_scale(name: str, value: float) -> float:
    """Between two edges in proportion; what has no lower edge (RSRQ) is never unusable."""
    bottom, edges, top = _SCALES[name]
    rising = [edge for edge in reversed(edges) if edge > bottom]
    points = [bottom, *rising, top]
    least = TOP - len(points) + 1
    if value >= top:
        return TOP
    for number, (low, high) in enumerate(pairwise(points)):
        if value < high:
            # Rounding must not lift it over the edge: the bar would contradict the word.
            return least + number + min(max(0.0, (value - low) / (high - low)), BELOW_ONE)
    return TOP
