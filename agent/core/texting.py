"""When a text message is sent: the only way out while every uplink is dead and a modem's radio is not.

An outage is told once to each number, and its end once. It must have lasted two minutes (``sms_after_s``):
a failover takes seconds, a line that is trained anew or a box that restarts by itself often less than two
minutes, and nobody can be there sooner. The end must have lasted as long; whoever was told that all is well
does not look any more.

Nothing is said while nobody can know: in the first minutes of a run, and while the agent itself cannot ask.
A bay that is dark is told in words of its own: no cable has a signal, but whether the site still works
(the agent's own cable may be out) cannot be seen from here, and somebody must look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from agent.core import diagnosis, health, letters, radio
from agent.core.causes import SAYS_FRESH_S, broke_since
from agent.core.codes import Code
from agent.core.devices import Registration, Sim, Strength
from agent.core.instant import Now, Stamp, age_s, stamp
from agent.core.letters import MOST_A_DAY, Fate, Letter, SendText, TextCode, Texting, TextReport, Texts
from agent.core.model import AGENT
from agent.core.out import Out
from agent.core.saves import SaveTexting
from agent.core.snapshot_types import Health, Phase
from agent.core.state import State, UplinkState, evolved, incident_cycles

BACK_S = 120.0
"""An uplink must have worked so long before the end is told."""
LATEST_S = 21_600.0
"""An end that could not be told for six hours is no news any more."""
APART_S = 600.0
"""Between the beginnings of two outages that are told to one number."""
AGAIN_S = 3600.0
"""The same within one incident: an uplink that comes and goes while the others are out."""
RETRY_S = (180.0, 600.0)
"""What was refused is ordered again after so long, once for each."""
REPORT_S = 900.0
"""By then a modem has sent to all numbers, or nothing will ever be heard of it: three messages of a minute
and a half at most, each after a reading or a reboot that was under way."""
MINUTE_S = 60.0
_REACHED = (Fate.SENT, Fate.UNKNOWN)

Args = Mapping[str, str | int | float | None]


def update(state: State, now: Now, out: Out) -> State:
    """Order what is to be told now."""
    numbers = _numbers(state)
    if not numbers:
        return state
    texts = _seen(state, now)
    memory = _overdue(state, texts.memory, now, out)
    if memory.lost is not None and not letters.lost_lately(memory, now):
        memory = letters.kept(memory, now)
    written: list[Letter] = []
    issued = state.issued
    for number, ways in numbers.items():
        memory = _settled(texts, memory, number, now)
        way = next((uplink for uplink in ways if reachable(state, uplink, now.mono)), None)
        letter = None if way is None else _due(state, texts, memory, number, way, now)
        if letter is not None and way is not None and way.spec.device is not None:
            issued += 1
            new = replace(letter, order=f"{state.run}-{issued}", at=stamp(now), modem=way.spec.device.name)
            memory = letters.kept(_put(memory, letter.order, new), now)
            written.append(new)
    for letter in written:
        args = _args(state, texts, letter, now)
        out.order(SendText(letter.modem, letter.order, letter.number, letter.code, args, memory))
    if not written and memory != texts.memory:
        out.order(SaveTexting(memory))
    return evolved(state, texts=replace(texts, memory=memory), issued=issued)


def reported(state: State, report: TextReport, out: Out) -> State:
    """Take what became of an order."""
    memory = state.texts.memory
    letter = next((letter for letter in memory.letters if letter.order == report.order), None)
    if letter is None or letter.fate not in (Fate.ORDERED, Fate.UNKNOWN):
        return state
    letter = replace(letter, fate=report.fate)
    _tell(state, letter, report.detail, out)
    memory = _put(memory, report.order, letter)
    out.order(SaveTexting(memory))
    return evolved(state, texts=replace(state.texts, memory=memory))


def turning_points(state: State) -> Iterator[float]:
    """When something may be due if nothing more is heard, monotonic seconds."""
    texts = state.texts
    for uplink in (uplink for ways in _numbers(state).values() for uplink in ways):
        device = uplink.spec.device
        if texts.dead_since is not None and device is not None:
            yield texts.dead_since + device.sms_after_s
            yield texts.found_at + device.sms_after_s
    if texts.back_since is not None:
        yield texts.back_since + BACK_S
    for letter in texts.memory.letters:
        if letter.fate is Fate.REFUSED and letter.tries <= len(RETRY_S):
            yield letter.at.mono + RETRY_S[letter.tries - 1]
        elif letter.fate is Fate.ORDERED:
            yield letter.at.mono + REPORT_S


def reachable(state: State, uplink: UplinkState, now_at: float) -> bool:
    """The modem of this uplink can send: it has said lately that it is registered, and hears its cell."""
    says = uplink.says
    if says is None or not says.heard or now_at - uplink.says_at > SAYS_FRESH_S:
        return False
    registered = says.registration in (Registration.HOME, Registration.ROAMING)
    deaf = says.radio is not None and radio.strength(says.radio) is Strength.UNUSABLE
    return (
        registered
        and says.sim in (None, Sim.READY)
        and not deaf
        and not diagnosis.in_cycle(state, uplink.spec.name)
    )


def _numbers(state: State) -> dict[str, list[UplinkState]]:
    """By number, the uplinks whose modem texts it; in the order of the configuration."""
    numbers: dict[str, list[UplinkState]] = {}
    for uplink in state.uplinks.values():
        for number in uplink.spec.device.sms_to if uplink.spec.device is not None else ():
            numbers.setdefault(number, []).append(uplink)
    return numbers


# --- the outage --------------------------------------------------------------------------------------------


def _seen(state: State, now: Now) -> Texts:
    """Keep since when nothing works, or something does."""
    texts = state.texts
    if any(uplink.health.works for uplink in state.uplinks.values()):
        back_since = texts.back_since if texts.back_since is not None else now.mono
        return replace(texts, dead_since=None, back_since=back_since)
    if not state.warm or not all(_is_surely_down(uplink, now.mono) for uplink in state.uplinks.values()):
        return replace(texts, dead_since=None, back_since=None)
    if texts.dead_since is not None:
        return texts
    since = max(broke_since(uplink) for uplink in state.uplinks.values())
    return replace(texts, dead_since=min(since, now.mono), found_at=now.mono, back_since=None)


def _is_surely_down(uplink: UplinkState, now_at: float) -> bool:
    """It is down, and that is not only what was known before the agent itself could not ask any more."""
    if uplink.health is not Health.DOWN:
        return False
    return uplink.link_bad_since is not None or health.own_trouble(uplink, now_at) is None


def _lasts(state: State, texts: Texts, way: UplinkState, now: Now) -> bool:
    """No uplink works, for long enough, and none is just coming back."""
    device = way.spec.device
    if device is None or state.incident is None or texts.dead_since is None:
        return False
    if any(uplink.clean_since is not None for uplink in state.uplinks.values()):
        return False
    if any(
        box.phase is not Phase.POWERED and box.cycle is not None and box.cycle.by != AGENT
        for box in state.boxes.values()
    ):
        # Whoever restarts the last box knows.
        return False
    # Where nothing has worked yet in this run, the site may just have got its power.
    begun = texts.dead_since if state.worked_at is not None else texts.found_at
    return now.mono - begun >= device.sms_after_s


# --- what is due to one number -----------------------------------------------------------------------------


def _due(
    state: State, texts: Texts, memory: Texting, number: str, way: UplinkState, now: Now
) -> Letter | None:
    """What is to be ordered now: a new message, or once more one that was refused; None for nothing."""
    last = letters.newest(memory, number)
    if texts.back_since is not None:
        if last is None or now.mono - texts.back_since < BACK_S:
            return None
        if last.code is TextCode.BACK:
            return _once_more(last, now)
        if last.over or last.fate not in _REACHED:
            return None
        return Letter("", number, TextCode.BACK, last.incident, last.since, last.at, "", over=True)
    if not _lasts(state, texts, way, now) or letters.sent_today(memory, number, now) > MOST_A_DAY - 2:
        return None
    if last is not None and not last.over:
        return _once_more(last, now)
    assert state.incident is not None
    assert texts.dead_since is not None
    if not _is_apart(memory, number, state.incident.id, now):
        return None
    dark = (Code.BAY_DARK, state.site.name) in state.findings
    earlier_s = now.mono - texts.dead_since
    since = replace(stamp(now), mono=texts.dead_since, wall=now.wall - earlier_s)
    code = TextCode.BAY_DARK if dark else TextCode.NO_INTERNET
    return Letter("", number, code, state.incident.id, since, since, "")


def _once_more(letter: Letter, now: Now) -> Letter | None:
    """The next try of what was refused, if there is one and its time has come."""
    if letter.fate is not Fate.REFUSED or letter.tries > len(RETRY_S):
        return None
    if age_s(letter.at, now) < RETRY_S[letter.tries - 1]:
        return None
    return replace(letter, tries=letter.tries + 1, fate=Fate.ORDERED)


def _is_apart(memory: Texting, number: str, incident: str, now: Now) -> bool:
    """Enough time has passed since the last outage that was told to this number."""
    if memory.lost is not None and age_s(memory.lost, now) < APART_S:
        return False
    return all(
        age_s(letter.at, now) >= (AGAIN_S if letter.incident == incident else APART_S)
        for letter in memory.letters
        if letter.number == number and letter.code is not TextCode.BACK
    )


def _settled(texts: Texts, memory: Texting, number: str, now: Now) -> Texting:
    """The memory once an outage has ended of which nothing more is told to this number."""
    last = letters.newest(memory, number)
    if last is None or last.over or texts.back_since is None:
        return memory
    back_s = now.mono - texts.back_since
    if back_s >= LATEST_S or (back_s >= BACK_S and last.fate is Fate.REFUSED):
        return _put(memory, last.order, replace(last, over=True))
    return memory


def _overdue(state: State, memory: Texting, now: Now, out: Out) -> Texting:
    """The memory with all orders given up of which nothing will be heard any more."""
    for letter in memory.letters:
        mine = letter.order.rpartition("-")[0] == state.run
        if letter.fate is Fate.ORDERED and not (mine and age_s(letter.at, now) < REPORT_S):
            given_up = replace(letter, fate=Fate.UNKNOWN)
            _tell(state, given_up, "nothing was heard of it", out)
            memory = _put(memory, letter.order, given_up)
    return memory


def _put(memory: Texting, order: str, letter: Letter) -> Texting:
    """The memory with this letter in place of the one of that order, or after all others.

    The end of an outage leaves nothing to follow from its beginning.
    """
    if any(old.order == order for old in memory.letters):
        known = tuple(letter if old.order == order else old for old in memory.letters)
    else:
        ended = letter.code is TextCode.BACK
        known = tuple(
            replace(old, over=True) if ended and old.number == letter.number else old
            for old in memory.letters
        )
        known = (*known, letter)
    return replace(memory, letters=known)


# --- what is said ------------------------------------------------------------------------------------------


def _args(state: State, texts: Texts, letter: Letter, now: Now) -> Args:
    if letter.code is TextCode.BACK:
        assert texts.back_since is not None
        back_s = now.mono - texts.back_since
        known = letter.since.boot == now.boot or (letter.since.synced and now.synced)
        lasted_s = _minutes(age_s(letter.since, now) - back_s) if known else None
        back = replace(stamp(now), mono=texts.back_since, wall=now.wall - back_s)
        return {"label": state.site.label, "since": _clock(back, now), "lasted_s": lasted_s}
    since = _clock(letter.since, now)
    for_s = _minutes(age_s(letter.since, now)) if since is None else None
    cycles = incident_cycles(state) or None
    return {"label": state.site.label, "since": since, "for_s": for_s, "cycles": cycles}


def _minutes(seconds: float) -> float:
    return max(MINUTE_S, MINUTE_S * round(seconds / MINUTE_S))


def _clock(at: Stamp, now: Now) -> str | None:
    """Local time of day, with the date if it is not today; None if nobody knows."""
    if at.boot == now.boot and now.synced:
        wall = now.wall - (now.mono - at.mono)
    elif at.boot != now.boot and at.synced:
        wall = at.wall
    else:
        return None
    try:
        then, today = (datetime.fromtimestamp(seconds + now.zone_s, UTC) for seconds in (wall, now.wall))
    except (ValueError, OverflowError, OSError):
        return None  # a clock beyond the years that there are
    return then.strftime("%H:%M" if then.date() == today.date() else "%d/%m %H:%M")


def _tell(state: State, letter: Letter, detail: str, out: Out) -> None:
    """Tell what became of a message, as part of the incident that it is about."""
    subject, label = state.site.name, state.site.label
    for uplink in state.uplinks.values():
        if uplink.spec.device is not None and uplink.spec.device.name == letter.modem:
            subject, label = uplink.spec.name, uplink.spec.device.label
    number = letters.masked(letter.number)
    if letter.fate is Fate.SENT:
        out.tell(Code.TEXT_SENT, subject, label, number=number, about=str(letter.code))
    else:
        again = letter.fate is Fate.REFUSED and letter.tries <= len(RETRY_S)
        out.tell(
            Code.TEXT_FAILED,
            subject,
            label,
            number=number,
            about=str(letter.code),
            fate=str(letter.fate),
            for_s=RETRY_S[letter.tries - 1] if again else None,
            detail=detail,
        )
    out.events[-1] = replace(out.events[-1], incident=letter.incident)
