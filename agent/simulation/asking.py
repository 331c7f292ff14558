"""What a running agent asks through each uplink, and what comes back.

Echoes, questions beyond them, and what boxes say of themselves.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from math import inf

from agent.core.budget import ECHO_BYTES, ROUND_BYTES
from agent.core.inquiries import Asked, Check, Said
from agent.core.model import Observation, Probe, Role, Why
from agent.core.site import Site, UplinkKind
from agent.core.spending import Spent
from agent.simulation.lines import GATEWAY, HOP, REFUSED, SILENT, UNSENT, Line
from agent.simulation.schedule import Schedule
from agent.simulation.speaking import says

TIMEOUT_S = 1.0
BOX = "box"
BOX_RTT_S = 0.001
QUESTIONS: tuple[tuple[str, str, float], ...] = (
    ("name", f"one.one.one.one@{GATEWAY}", 3.0),
    ("name", "dns.google@1.1.1.1", 3.0),
    ("web", "http://connectivitycheck.gstatic.com/generate_204", 5.0),
    ("hop", "2", 1.5),
)
"""Kind and subject of each question beyond echoes, and the seconds after which nobody answers any more."""
FIRST_S = 5.0
APART_S = 10.0
EVERY_S = 300.0
EVERY_METERED_S = 1800.0
"""Questions are asked so long after the start, so long one uplink after the other, and then so often."""
ASK_S = 0.02
SPACING_S = 5.0
"""A round of questions begins a moment after it is asked for, and never sooner after the one before."""
SAYS_FIRST_S = 2.0
SAYS_EVERY_S = 60.0
SAYS_TIMEOUT_S = 5.0
"""A device is asked so long after the start, so often, and with every round of questions."""
METER_S = 60.0
"""What was sent and received is told this often."""


class Asking:
    """Asks while the agent runs; ``hear`` takes what comes back, ``mono`` tells the machine's own clock."""

    def __init__(
        self,
        site: Site,
        lines: Mapping[str, Line],
        schedule: Schedule,
        rng: random.Random,
        hear: Callable[[Observation], None],
        mono: Callable[[], float],
    ) -> None:
        self._uplinks = {uplink.name: uplink for uplink in site.uplinks}
        self._lines = lines
        self._schedule = schedule
        self._rng = rng
        self._hear = hear
        self._mono = mono
        self._run = 0
        self._pace: dict[str, tuple[float, float, int]] = {}
        self._pace_changes = 0
        self._round_at: dict[str, float] = {}
        """When the newest round of questions began, or is to begin."""
        self.rounds: Counter[str] = Counter()
        """How often everything beyond echoes has been asked through each uplink."""
        self.used: Counter[str] = Counter()
        """Bytes on the wire beyond the LAN, by uplink, in all."""
        self._told: Counter[str] = Counter()
        self._every_s: dict[str, float] = {}
        self._at = schedule.at

    def start(self) -> None:
        """Begin as a new agent does."""
        self._run += 1
        now = self._schedule.t
        for place, (name, uplink) in enumerate(self._uplinks.items()):
            # The core may have ordered a pace already.
            self.pace(name, *self._pace.get(name, (uplink.interval_s, None))[:2])
            self._every_s[name] = EVERY_METERED_S if uplink.kind is UplinkKind.CELLULAR else EVERY_S
            self._at(now + FIRST_S + APART_S * place, self._ask_regularly, name, self._run)
            if uplink.data_bytes is not None:
                self._at(now + METER_S, self._tell_bytes, name, self._run)
            if self._lines[name].speaks is not None:
                self._at(now + SAYS_FIRST_S, self._let_speak_regularly, name, self._run)

    def stop(self) -> None:
        """The agent is gone: nothing is sent any more, and nobody hears what still comes back."""
        self._run += 1
        self._pace.clear()
        self._round_at.clear()

    # --- echoes ---------------------------------------------------------------------------------------------

    def pace(self, name: str, interval_s: float, box_s: float | None = None) -> None:
        """Send echoes this often from now on, to the box every ``box_s``."""
        self._pace_changes += 1
        box_s = interval_s if box_s is None else box_s
        self._pace[name] = (interval_s, box_s, self._pace_changes)
        targets = (*self._uplinks[name].targets, BOX)
        for number, target in enumerate(targets):
            due = self._schedule.t + (box_s if target == BOX else interval_s) * number / len(targets)
            self._at(due, self._send, name, target, self._pace_changes)

    def _send(self, name: str, target: str, change: int) -> None:
        interval_s, box_s, current = self._pace.get(name, (0.0, 0.0, -1))
        if change != current:
            return
        now, sent_at = self._schedule.t, round(self._mono(), 6)
        self._at(now + (box_s if target == BOX else interval_s), self._send, name, target, change)
        line = self._lines[name]
        role = Role.BOX if target == BOX else Role.TARGET
        if not line.carrier or line.unsendable is not None:
            why = line.unsendable or (Why.NO_ROUTE if line.present else Why.NO_INTERFACE)
            self._hear(Probe(name, target, role, sent_at, why=why))
            return
        if role is Role.TARGET:
            self.used[name] += ECHO_BYTES
        if role is Role.BOX:
            alive, rtt_s = line.lan and not line.shy, BOX_RTT_S
        else:
            alive, rtt_s = line.replies(target) and self._rng.random() >= line.loss, line.rtt_s
        if alive:
            self.used[name] += ECHO_BYTES if role is Role.TARGET else 0
            probe = Probe(name, target, role, sent_at, rtt_ms=rtt_s * 1e3)
            self._at(now + rtt_s, self._came_back, self._run, probe)
        elif role is Role.TARGET and line.lan and line.denies:
            refusal = Probe(name, target, role, sent_at, why=Why.UNREACHABLE, by=GATEWAY)
            self._at(now + BOX_RTT_S, self._came_back, self._run, refusal)
        else:
            lost = Probe(name, target, role, sent_at, why=Why.TIMEOUT)
            self._at(now + TIMEOUT_S, self._came_back, self._run, lost)

    def _came_back(self, run: int, observation: Observation) -> None:
        if run == self._run:
            self._hear(observation)

    # --- questions beyond echoes ----------------------------------------------------------------------------

    def _ask_regularly(self, name: str, run: int) -> None:
        if run == self._run:
            self.ask(name)
            self._at(self._schedule.t + self._every_s[name], self._ask_regularly, name, run)

    def check_every(self, name: str, every_s: float) -> None:
        """Ask everything beyond echoes this often, after the next time."""
        self._every_s[name] = every_s

    def _tell_bytes(self, name: str, run: int) -> None:
        if run != self._run:
            return
        used, self._told[name] = self.used[name] - self._told[name], self.used[name]
        if used:
            self._hear(Spent(name, used, 0))
        self._at(self._schedule.t + METER_S, self._tell_bytes, name, run)

    def ask(self, name: str) -> None:
        """Ask everything beyond echoes through this uplink as soon as may be."""
        now, last = self._schedule.t, self._round_at.get(name, -inf)
        if last > now:
            # One is waiting already, and serves for this as well.
            return
        self._round_at[name] = max(now + ASK_S, last + SPACING_S)
        self._at(self._round_at[name], self._ask_round, name, self._run)

    def _ask_round(self, name: str, run: int) -> None:
        if run != self._run:
            return
        self.rounds[name] += 1
        self._let_speak(name, run)
        self.used[name] += ROUND_BYTES
        line, now, sent_at = self._lines[name], self._schedule.t, round(self._mono(), 6)
        for asked, subject, timeout_s in QUESTIONS:
            if asked == "hop" and not line.hop:
                continue
            said = line.said(asked)
            took_s = {SILENT: timeout_s, UNSENT: 0.0, REFUSED: BOX_RTT_S}.get(said, line.rtt_s)
            answered = said not in (SILENT, UNSENT)
            outcome = Check(
                uplink=name,
                asked=Asked(asked),
                subject=subject,
                sent_at=sent_at,
                said=Said(said),
                took_ms=took_s * 1e3 if answered else None,
                by=_by(asked, said) if answered else None,
            )
            self._at(now + took_s, self._came_back, self._run, outcome)

    # --- what boxes say of themselves -----------------------------------------------------------------------

    def _let_speak_regularly(self, name: str, run: int) -> None:
        if run == self._run:
            self._let_speak(name, run)
            self._at(self._schedule.t + SAYS_EVERY_S, self._let_speak_regularly, name, run)

    def _let_speak(self, name: str, run: int) -> None:
        line = self._lines[name]
        if line.speaks is not None:
            said = says(line, name)
            after_s = BOX_RTT_S if said.heard else SAYS_TIMEOUT_S
            self._at(self._schedule.t + after_s, self._came_back, run, said)


def _by(asked: str, said: str) -> str:
    """Who answers: the party that was asked, or the box in its place."""
    if said != "well":
        return GATEWAY
    return HOP if asked == "hop" else "1.1.1.1"
