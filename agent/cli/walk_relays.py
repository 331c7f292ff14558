"""The relays in a commissioning: each really cuts, and what goes away tells which box it cuts."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field

from agent.cli.control_client import EventLine, ask
from agent.cli.ordering import Ordered, order
from agent.cli.power import Follower
from agent.cli.walk import Walk
from agent.cli.words import say
from agent.config.schema import Box
from agent.core.codes import Code
from agent.core.snapshot_types import Phase, Snapshot
from agent.core.state import BOOT_PATIENCE
from agent.reports.commissioning import Measure, Verdict
from agent.text import duration, refusal

MARGIN = 1.2
"""A boot that took so long may take a fifth longer another day."""
TIGHT, LOOSE, LOOSE_S = 1.1, 2.0, 30.0
"""A ``boot_s`` is right from 1.1 times the measured boot to twice and half a minute more."""
STEP_S = 5.0
LEAST_S, MOST_S = 5.0, 900.0
"""The bounds of ``boot_s`` in the configuration."""
SETTLE_S = 30.0
HINTS = {"relay_no_effect", "relay_wrong_box", "relay_not_alone", "relay_not_back"}


@dataclass(slots=True)
class Seen:
    """What happened during one cut, as it was told; instants on this machine's clock."""

    follower: Follower
    events: dict[str, EventLine] = field(default_factory=dict)
    at: dict[str, float] = field(default_factory=dict)

    def event(self, event: EventLine) -> None:
        """Keep it, and pass it on."""
        self.events[event.code] = event
        self.at[event.code] = time.monotonic()
        self.follower.event(event)

    def picture(self, shot: Snapshot) -> None:
        """Pass it on."""
        self.follower.picture(shot)

    def tick(self) -> None:
        """Pass it on."""
        self.follower.tick()


def proposed_boot_s(measured_s: float) -> float:
    """The ``boot_s`` to configure for a box that booted in this time: a fifth more, in steps of five."""
    return min(MOST_S, max(LEAST_S, math.ceil(measured_s * MARGIN / STEP_S) * STEP_S))


def fits(boot_s: float, measured_s: float) -> bool:
    """Neither so short that a slow day looks like a failure, nor so long that time is wasted."""
    return TIGHT * measured_s <= boot_s <= max(LEAST_S, LOOSE * measured_s + LOOSE_S)


def try_relays(walk: Walk) -> None:
    """Each relay in turn, after asking."""
    wired = [box for box in walk.config.box if box.relay is not None]
    if not wired:
        walk.tell("relays_none")
        return
    walk.tell("relays_head")
    for box in wired:
        _try_relay(walk, box)


def _try_relay(walk: Walk, box: Box) -> None:
    walk.begin(f"relay:{box.name}")
    text = say("relay_said", walk.language, label=box.label, relay=box.relay)
    shot = walk.shot_once(lambda shot: _calm(shot, box), BOOT_PATIENCE * box.boot_s + SETTLE_S)
    label = next(uplink.label for uplink in walk.config.uplink if uplink.name == box.uplink)
    alone = not any(uplink.health.works for uplink in shot.uplinks if uplink.name != box.uplink)
    off, out = duration(box.off_s, walk.language), duration(box.off_s + box.boot_s, walk.language)
    question = "relay_ask_last" if alone else "relay_ask"
    if not walk.confirm(question, label=box.label, relay=box.relay, uplink=label, off=off, out=out):
        walk.note(Verdict.DECLINED, text, say("relay_declined", walk.language))
        return
    follower = Follower(walk.language, walk.stream)
    seen = Seen(follower)
    request = {"do": "prove", "box": box.name, "by": walk.by}
    try:
        done = asyncio.run(order(walk.socket, request, seen))
    finally:
        follower.clear()
    verdict, why, measured = _judged(walk, box, done, seen)
    walk.note(verdict, text, why, **measured)


def _calm(shot: Snapshot, box: Box) -> bool:
    """Nothing is being restarted, and the box's uplink works: its loss would be seen."""
    works = any(u.name == box.uplink and u.health.answers for u in shot.uplinks)
    return works and all(view.phase is Phase.POWERED for view in shot.boxes)


def _judged(walk: Walk, box: Box, done: Ordered, seen: Seen) -> tuple[Verdict, str, dict[str, Measure]]:
    language = walk.language
    if not done.answer["ok"]:
        return Verdict.FAILED, refusal(str(done.answer["reason"]), language), {}
    unproven = seen.events.get(Code.RELAY_UNPROVEN)
    if unproven is not None:
        reason = str(unproven.args.get("reason"))
        other = unproven.args.get("other")
        why = refusal(reason, language) + (f" ({other})" if other else "")
        hint = say(reason, language) if reason in HINTS else ""
        return Verdict.FAILED, f"{why}. {hint}".strip(), {"reason": reason, "instead": other}
    proven = seen.events.get(Code.RELAY_PROVEN)
    if proven is None:
        refused = seen.events.get(Code.CYCLE_REFUSED)
        reason = "relay_not_back" if refused is None else str(refused.args.get("reason"))
        return Verdict.FAILED, refusal(reason, language), {"reason": reason}
    measured: dict[str, Measure] = {key: proven.args.get(key) for key in ("seen", "gone_s", "back_s")}
    boot_s = _boot_s(walk, box, done, seen)
    measured["boot_s"] = boot_s
    if boot_s is None:
        return Verdict.FAILED, say("boot_endless", language, boot=f"{box.boot_s:g}"), measured
    proposed = proposed_boot_s(boot_s)
    if fits(box.boot_s, boot_s):
        walk.tell("boot_fits", label=box.label, measured=f"{boot_s:.0f}", boot=f"{box.boot_s:g}")
    else:
        measured["proposed_boot_s"] = proposed
        walk.tell("boot_proposed", label=box.label, measured=f"{boot_s:.0f}", boot=f"{box.boot_s:g}")
        walk.line(f'    [[box]] name = "{box.name}"')
        walk.line(f"    boot_s = {proposed:g}")
        walk.line(f"    confirm_s = {proposed:g}")
    if not done.helped:
        return Verdict.FAILED, say("boot_too_short", language, boot=f"{box.boot_s:g}"), measured
    return Verdict.PASSED, "", measured


def _boot_s(walk: Walk, box: Box, done: Ordered, seen: Seen) -> float | None:
    """Seconds from the return of the power to a working uplink; None if it did not come while we waited."""
    restored_at = seen.at.get(Code.BOX_RESTORED)
    if restored_at is None:
        return None
    if done.helped:
        return round(seen.at[Code.CYCLE_HELPED] - restored_at, 1)
    left_s = restored_at + MOST_S - time.monotonic()
    if not walk.confirm("boot_wait", unattended=False, label=box.label, left=duration(left_s, walk.language)):
        return None
    shot = walk.shot_once(lambda shot: _calm(shot, box), left_s)
    return round(time.monotonic() - restored_at, 1) if _calm(shot, box) else None


def give_back(walk: Walk) -> bool:
    """After an interruption: the box that was being tried out gets its power back at once.

    Returns:
        False if none was.
    """
    if walk.at is None or not walk.at.startswith("relay:"):
        return False
    box = walk.at.removeprefix("relay:")
    if not any(view.name == box and view.phase in (Phase.ORDERED, Phase.CUT) for view in walk.shot().boxes):
        return False
    asyncio.run(ask(walk.socket, {"do": "restore", "box": box, "by": walk.by}))
    walk.shot_once(
        lambda shot: all(view.phase is not Phase.CUT for view in shot.boxes if view.name == box), SETTLE_S
    )
    return True
