"""By which uplink the connection leaves, and when it may be tried again. Pure: the time is an argument.

The system's default route may point into a dead line for as long as somebody else leaves it there. So the
connection is bound to an uplink that works, by the watch's own verdict.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from agent.core.snapshot_types import Health, Snapshot, UplinkView

SUSPECT_S = 4.0
"""A doubt that stands this long is no hiccup: where there is another way, ``down`` is not waited for."""
RETURN_S = 600.0
RETURN_METERED_S = 120.0
"""How long a better uplink must have been better before the connection goes back to it: each move costs a new
connection, and a line that has just come back often goes again. Sooner where staying costs data."""
SHUN_S = 600.0
"""A way that could not reach the broker is not returned to before, however well it works otherwise."""
LOYAL = 2
"""Failures of the first way before another one is tried: a broker that restarts is no reason to move."""


@dataclass(frozen=True, slots=True)
class Exit:
    """An uplink as a way out.

    ``source`` is this machine's address to send from, where the configuration gives one; ``shared`` tells
    that other uplinks have the same interface, so that only the source can tell them apart.
    """

    uplink: str
    interface: str
    source: str | None = None
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """How one connection is to be made.

    Attributes:
        addresses: of the broker, best first; empty leaves the name to the system.
        interface: what the socket is bound to; None leaves it to the system's routes.
        source: this machine's address to send from; None leaves it to the system.
        always: bind towards local addresses too.
    """

    addresses: tuple[str, ...] = ()
    interface: str | None = None
    source: str | None = None
    always: bool = False


def usable(snapshot: Snapshot) -> tuple[str, ...]:
    """The uplinks that work beyond doubt: well before degraded, free before metered, then as configured."""
    views = [view for view in snapshot.uplinks if view.health.answers and view.address is not None]
    return tuple(view.name for view in sorted(views, key=_rank))


def candidates(snapshot: Snapshot | None, present: str | None = None) -> tuple[str | None, ...]:
    """What to try, best first; None is "as the system routes"; ``present`` stays first while it works.

    While no uplink is known to work, the system's way comes first and then every uplink that is not known
    to be dead.
    """
    if snapshot is None:
        return (None,)
    found = usable(snapshot)
    if found:
        return (present, *(name for name in found if name != present)) if present in found else found
    doubtful = [view for view in snapshot.uplinks if view.health is not Health.DOWN]
    return (None, *(view.name for view in doubtful if view.address is not None))


def choose(
    snapshot: Snapshot, present: str | None, *, shunned: Collection[str] = (), calm: bool = True
) -> str | None:
    """The uplink by which a connection that stands should leave: ``present`` unless there is a reason.

    Args:
        snapshot: the newest picture.
        present: the uplink it uses; None if that is none of those watched, and then it stays.
        shunned: uplinks by which the broker could not be reached lately.
        calm: nothing is under way, so that a mere improvement may be taken.
    """
    view = _view(snapshot, present)
    if view is None:
        return present
    others = [name for name in usable(snapshot) if name != present]
    if _is_lost(snapshot, view):
        return next((name for name in others if name not in shunned), others[0] if others else present)
    best = _view(snapshot, next((name for name in others if name not in shunned), None))
    if calm and best is not None and _is_better(snapshot, best, view):
        return best.name
    return present


def is_metered(snapshot: Snapshot | None, uplink: str | None) -> bool:
    """Whether bytes on this uplink are counted against a budget."""
    view = None if snapshot is None else _view(snapshot, uplink)
    return view is not None and view.data_limit_bytes is not None


def uplink_at(snapshot: Snapshot | None, address: str | None) -> str | None:
    """The uplink that has this address of the machine."""
    if snapshot is None or address is None:
        return None
    return next((view.name for view in snapshot.uplinks if view.address == address), None)


def address_of(snapshot: Snapshot, uplink: str | None) -> str | None:
    """This machine's address on an uplink."""
    view = _view(snapshot, uplink)
    return None if view is None else view.address


def _view(snapshot: Snapshot, name: str | None) -> UplinkView | None:
    return next((view for view in snapshot.uplinks if view.name == name), None)


def _rank(view: UplinkView) -> tuple[bool, bool]:
    return (view.health is not Health.UP, view.data_limit_bytes is not None)


def _is_lost(snapshot: Snapshot, view: UplinkView) -> bool:
    doubted = view.health is Health.SUSPECT and snapshot.mono - view.since >= SUSPECT_S
    return doubted or view.health is Health.DOWN or view.address is None


def _is_better(snapshot: Snapshot, other: UplinkView, view: UplinkView) -> bool:
    """``other`` has been the better one for long enough."""
    if view.health is Health.SUSPECT:
        return False
    names = [one.name for one in snapshot.uplinks]
    worth, present = ((*_rank(one), names.index(one.name)) for one in (other, view))
    if worth >= present:
        return False
    # If it would be better than the present one at its best, then the present one's own ups and downs do not
    # count; else it is better for as long as the present one is not well.
    at_best = (False, *present[1:])
    since = other.since if worth < at_best else max(other.since, view.since)
    wait_s = RETURN_METERED_S if view.data_limit_bytes is not None else RETURN_S
    return snapshot.mono - since >= wait_s


@dataclass(slots=True)
class Tries:
    """What has failed by which way, and when each may be tried again; seconds of one monotonic clock."""

    failures: dict[str | None, int] = field(default_factory=dict)
    due_at: dict[str | None, float] = field(default_factory=dict)
    failed_at: dict[str | None, float] = field(default_factory=dict)
    refused: int = 0
    """In a row, by a broker that was reached: it would do the same by every way."""
    refused_until: float = float("-inf")

    def next(self, ways: Sequence[str | None], now: float) -> tuple[str | None, float]:
        """The way to take, and how many seconds from now."""
        if now < self.refused_until:
            return ways[0], self.refused_until - now
        soonest, due_at = ways[0], self.due_at.get(ways[0], now)
        for way in ways:
            at = self.due_at.get(way, now)
            if at <= now:
                return way, 0.0
            if at < due_at:
                soonest, due_at = way, at
            if way == ways[0] and self.failures.get(way, 0) < LOYAL:
                break
        return soonest, due_at - now

    def failed(self, way: str | None, now: float, pause_s: float) -> None:
        """It did not work, or did not last."""
        self.failures[way] = self.failures.get(way, 0) + 1
        self.due_at[way], self.failed_at[way] = now + pause_s, now

    def refuse(self, now: float, pause_s: float) -> None:
        """The broker was reached, and does not want us, or did not keep us."""
        self.refused += 1
        self.refused_until = now + pause_s

    def forget(self, way: str | None) -> None:
        """It works, or is another one than before: it begins anew."""
        for known in (self.failures, self.due_at, self.failed_at):
            known.pop(way, None)

    def accept(self) -> None:
        """The broker has let us in, and we have stayed."""
        self.refused, self.refused_until = 0, float("-inf")

    def hurry(self) -> None:
        """What works is another uplink than before: the next attempt is due."""
        self.refused_until = float("-inf")

    def shunned(self, now: float) -> frozenset[str]:
        """Uplinks by which it has failed lately."""
        return frozenset(_names(way for way, at in self.failed_at.items() if now - at < SHUN_S))


def _names(ways: Iterable[str | None]) -> Iterable[str]:
    return (way for way in ways if way is not None)
