"""What people ask for through the broker: taken or refused, and answered.

A command is believed only if everything about it can be judged: that it was not kept by the broker, its
form, its end against a clock that is right, that it was not taken before. Its ``id`` is on the disk before
the core is asked, so a kill in between cannot have it done twice; it may then be done not at all, and the
answer that stays away says so. Whether a box may be restarted is the core's to decide, by the same rules as
for anybody. ``force`` is not among the keys: whoever overrides those rules must stand beside the box and see
what we do not.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from agent.core.afar import PER_HOUR, PER_MINUTE
from agent.core.instant import Now
from agent.core.people import Answer, Verb
from agent.core.snapshot_types import Snapshot
from agent.sinks.mqtt.command_form import Command, Form, FormError, command_of, name_in, opened, shortened
from agent.sinks.mqtt.command_result import Result, headline, result_message, summary, told
from agent.sinks.mqtt.words import say, table
from agent.text import LANGUAGES, duration, refusal

REFUSALS = 10
REFUSALS_S = 60.0
"""So many refusals within so long are answered; then one more says that there is silence until none came for
as long."""
ANSWER_S = 5
"""How long the core is waited for, in words; ``desk.ANSWER_S``."""

_log = logging.getLogger("vigie.commands")


class Ask(Protocol):
    """Hands a request to the core; see ``desk.Desk.ask``."""

    async def __call__(self, verb: Verb, box: str | None, for_s: float | None, by: str) -> Answer:
        """The core's answer; raises ``TimeoutError`` if there is none."""


class Memory(Protocol):
    """Knows which commands were taken, also after a restart; see ``seen.SeenCommands``."""

    async def take(self, name: str, expires: float, now: Now) -> Answer | None:
        """Remember this one; None if it may be done now, and is on the disk, else why not."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One verb: what it takes, and what it does."""

    form: Form
    do: Callable[[Command], Awaitable[Result]]


class Commands:
    """Takes commands and gives the answers; an ``Inbox``."""

    def __init__(
        self,
        ask: Ask,
        memory: Memory,
        clock: Callable[[], Now],
        latest: Callable[[], Snapshot | None],
        publish_afresh: Callable[[], None],
    ) -> None:
        """All calls are made in the event loop.

        Args:
            ask: hands a request to the core.
            memory: knows what was taken.
            clock: gives the present instant.
            latest: the newest snapshot; None before the first.
            publish_afresh: has everything that is retained published once more.
        """
        self._ask = ask
        self._memory = memory
        self._clock = clock
        self._latest = latest
        self._publish_afresh = publish_afresh
        self._refusals = Refusals()
        self._deeds = {
            "cycle": Deed(Form(needs=("box",)), self._cycle),
            "hold": Deed(Form(may=("for_s",)), self._hold),
            "release": Deed(Form(), self._release),
            "report": Deed(Form(), self._report),
        }

    async def take(self, verb: str, payload: bytes, *, retained: bool) -> bytes | None:
        """Do what is asked, or refuse it, and give the answer; None where silence is the answer.

        Never raises for what was sent.
        """
        result = await self._become(verb, payload, retained=retained)
        now = self._clock()
        if result.reason is not None:
            said = self._refusals.said(now.mono)
            if said is False:
                return None
            if said is None:
                result = _refused(result.name, result.verb, "flood")
        _log.info("command %s %s: %s", result.verb, result.name, result.reason or "ok")
        return result_message(result, now)

    async def _become(self, verb: str, payload: bytes, *, retained: bool) -> Result:
        name, shown = None, shortened(verb)
        try:
            content = opened(payload)
            name = name_in(content)
            if retained:
                return _refused(name, shown, "retained")
            deed = self._deeds.get(verb)
            if deed is None:
                return _refused(name, shown, "unknown_verb", verb=shown, allowed=", ".join(self._deeds))
            command = command_of(deed.form, content)
        except FormError as error:
            if retained:
                return _refused(name, shown, "retained")
            reasons = told(error.key, **error.args_of_words)
            return Result(name, shown, "malformed", _refusing(reasons))
        try:
            no = await self._memory.take(command.name, command.expires, self._clock())
            if no is not None:
                return self._answered(command, verb, no, {})
            return await deed.do(command)
        except TimeoutError:
            return _refused(command.name, verb, "no_answer", seconds=ANSWER_S)
        except Exception:  # noqa: BLE001 (logged with its trace)
            # Whatever it is, it must not take the connection down for everybody else.
            _log.exception("command %s failed", verb)
            return _refused(command.name, verb, "failed")

    # --- the deeds -----------------------------------------------------------------------------------------

    async def _cycle(self, command: Command) -> Result:
        answer = await self._ask(Verb.CYCLE, command.box, None, _by(command))
        shot = self._latest()
        boxes = () if shot is None else shot.boxes
        if answer.reason == "no_box":
            names = ", ".join(box.name for box in boxes)
            box = shortened(command.box or "")
            texts = told("no_box_of", box=box, names=names) if boxes else told("no_boxes")
            return Result(command.name, "cycle", "no_box", texts)
        label = next((box.label for box in boxes if box.name == command.box), command.box)
        return self._answered(command, "cycle", answer, told("cycle_begun", label=label))

    async def _hold(self, command: Command) -> Result:
        if command.for_s == 0:
            # A switch has one topic for both of its positions.
            return await self._release(command, "hold")
        answer = await self._ask(Verb.HOLD, None, command.for_s, _by(command))
        left = {language: self._left(answer.until, language) for language in LANGUAGES}
        texts = {language: say("held", language, left=left[language]) for language in LANGUAGES}
        return self._answered(command, "hold", answer, texts)

    async def _release(self, command: Command, verb: str = "release") -> Result:
        answer = await self._ask(Verb.RELEASE, None, None, _by(command))
        return self._answered(command, verb, answer, told("released"))

    async def _report(self, command: Command) -> Result:
        shot = self._latest()
        if shot is None:
            return _refused(command.name, "report", "not_ready")
        self._publish_afresh()
        texts = {
            language: say("reported", language, headline=headline(shot, language)) for language in LANGUAGES
        }
        return Result(command.name, "report", None, texts, state=summary(shot))

    # --- answers -------------------------------------------------------------------------------------------

    def _answered(self, command: Command, verb: str, answer: Answer, texts: dict[str, str]) -> Result:
        """The answer to a well-formed command; ``texts`` if it is done or begun."""
        if answer.ok:
            return Result(command.name, verb, None, texts, answer.until, answer.order)
        assert answer.reason is not None
        reasons = {language: _reason(answer.reason, language) for language in LANGUAGES}
        if answer.until is None:
            return Result(command.name, verb, answer.reason, _refusing(reasons))
        texts = {
            language: say("refused_for", language, reason=reason, left=self._left(answer.until, language))
            for language, reason in reasons.items()
        }
        return Result(command.name, verb, answer.reason, texts, answer.until)

    def _left(self, until: float | None, language: str) -> str:
        """How long until then, in words; at least a second."""
        return duration(max(1, math.ceil((until or 0.0) - self._clock().mono)), language)


class Refusals:
    """Bounds what is said to whoever is refused, so that a flood of commands is no flood of answers."""

    def __init__(self) -> None:
        self._at: deque[float] = deque()
        self._silent = 0

    def said(self, mono: float) -> bool | None:
        """Whether a refusal at this instant is answered; None if the answer is that silence begins."""
        if self._at and mono - self._at[-1] >= REFUSALS_S:
            if self._silent:
                _log.warning("%d refused commands were not answered", self._silent)
            self._at.clear()
            self._silent = 0
        while self._at and not self._silent and mono - self._at[0] >= REFUSALS_S:
            self._at.popleft()
        if len(self._at) < REFUSALS and not self._silent:
            self._at.append(mono)
            return True
        self._at[-1] = mono
        self._silent += 1
        return None if self._silent == 1 else False


def _by(command: Command) -> str:
    return f"mqtt:{command.by}" if command.by else "mqtt"


def _refused(name: str | None, verb: str, reason: str, /, **args: object) -> Result:
    return Result(name, verb, reason, _refusing(told(f"reason_{reason}", **args)))


def _refusing(reasons: dict[str, str]) -> dict[str, str]:
    return {language: say("refused", language, reason=reason) for language, reason in reasons.items()}


def _reason(reason: str, language: str) -> str:
    """A reason in words, whether the core gave it or we."""
    key = f"reason_{reason}"
    if key in table():
        return say(key, language, minute=PER_MINUTE, hour=PER_HOUR)
    return refusal(reason, language)
