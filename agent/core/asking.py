"""When to ask more than echoes: at once in doubt, then ever less often, and never through a dead link."""

from __future__ import annotations

from collections.abc import Mapping

from agent.core import radio
from agent.core.causes import broke_since
from agent.core.devices import Says
from agent.core.inquiries import Asked, Check, Checked, Said
from agent.core.instant import Now
from agent.core.model import AskMore
from agent.core.out import Out
from agent.core.saves import SaveAir
from agent.core.snapshot_types import Health
from agent.core.state import State, UplinkState, evolved, with_uplink

SOON_S = 15.0
LATER_S = 60.0
RARELY_S = 300.0
"""Between two rounds of questions: in the first minute of trouble, in its first ten, and from then on."""
MINUTE_S = 60.0
TEN_MINUTES_S = 600.0
SAVE_AIR_S = 3600.0
"""A day's mean moves slowly, and every write wears the card."""


def checked(uplink: UplinkState, check: Check) -> UplinkState:
    """The evidence after one more outcome of a question beyond echoes."""
    key = (check.asked, "" if check.asked is Asked.HOP else check.subject)
    if check.said is Said.UNSENT:
        return uplink
    old = uplink.checks.get(key)
    times = old.times + 1 if old is not None and old.check.said is check.said else 1
    return evolved(uplink, checks={**uplink.checks, key: Checked(check, times)})


def said(uplink: UplinkState, says: Says, now: Now, out: Out) -> UplinkState:
    """The evidence after the box, the dish or the modem has spoken of itself, or has not."""
    if not says.heard:
        return evolved(uplink, says=says, says_at=now.mono)
    uplink = evolved(uplink, says=says, says_at=now.mono, says_heard_at=now.mono)
    if says.radio is None:
        return uplink
    air = radio.heard(uplink.air, says.radio, now.mono, int(now.wall // radio.DAY_S) if now.synced else None)
    uplink = evolved(uplink, air=air)
    if not air.days or now.mono - uplink.air_saved_at < SAVE_AIR_S:
        return uplink
    out.order(SaveAir(uplink.spec.name, air))
    return evolved(uplink, air_saved_at=now.mono)


def failing(checks: Mapping[tuple[Asked, str], Checked]) -> bool:
    """Some question beyond echoes did not get the answer that it should; many hops never answer at all."""
    return any(
        asked is not Asked.HOP and one.check.said is not Said.WELL for (asked, _), one in checks.items()
    )


def next_at(uplink: UplinkState, now_at: float) -> float | None:
    """When more is to be asked through this uplink, monotonic seconds; None while all is well."""
    due_at = _wanted_at(uplink, now_at)
    if due_at is None or uplink.purse is None:
        return due_at
    return max(due_at, uplink.asked_more_at + uplink.purse.round_s)


def _wanted_at(uplink: UplinkState, now_at: float) -> float | None:
    """The same where data costs nothing."""
    link = uplink.link
    if link is not None and (link.unplugged or link.address is None):
        return None
    if uplink.health in (Health.SUSPECT, Health.DOWN):
        began_at = broke_since(uplink)
    elif uplink.health.works and failing(uplink.checks):
        rounds = max(one.times for one in uplink.checks.values() if one.check.said is not Said.WELL)
        return uplink.asked_more_at + (SOON_S if rounds < 4 else LATER_S if rounds < 14 else RARELY_S)
    elif uplink.recovered_at is not None and uplink.asked_more_at < uplink.recovered_at:
        # It answers again: is it really the internet that answers?
        return uplink.recovered_at
    else:
        return None
    if uplink.asked_more_at < began_at:
        return now_at
    lasted_s = now_at - began_at
    every_s = SOON_S if lasted_s < MINUTE_S else LATER_S if lasted_s < TEN_MINUTES_S else RARELY_S
    return uplink.asked_more_at + every_s


def update(state: State, now_at: float, out: Out) -> State:
    """Order what is due."""
    for name, uplink in state.uplinks.items():
        due_at = next_at(uplink, now_at)
        if due_at is not None and due_at <= now_at:
            out.order(AskMore(name))
            state = with_uplink(state, evolved(uplink, asked_more_at=now_at))
    return state
