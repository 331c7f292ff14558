"""One aiming in progress: readings come in, places are noted, both are kept and recorded."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli import aim_record
from agent.cli.aim import PLACE_READINGS, Aim, Reading, beat_s
from agent.cli.aim_source import Said, readings
from agent.cli.aim_words import change_text, figures_text, mute, place_parts
from agent.cli.view import local_time
from agent.cli.words import say
from agent.core.devices import Says
from agent.core.radio import strength
from agent.text import duration
from agent.text import strength as strength_word

if TYPE_CHECKING:
    from agent.config.schema import Config

GIVE_UP = 3
"""So many silences from the beginning on are told as an error; a modem that has answered may be silent."""
NOTE_KEYS, END_KEYS = " nN", "qQ"


class SilentError(RuntimeError):
    """The modem has never answered.

    Attributes:
        label: its name for people.
        told: what is the matter and what to do, in the language asked for.
    """

    def __init__(self, label: str, told: list[str]) -> None:
        super().__init__(" ".join(told))
        self.label = label
        self.told = told


class RecordError(RuntimeError):
    """The record cannot be read or written; the message says why."""


class NotARecordError(ValueError):
    """The file that readings should be added to holds something else, in ``count`` lines."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count


class Aiming:
    """See the module. Belongs to the event loop's thread.

    Attributes:
        aim: everything seen so far.
        modem: its name, once known.
        label: its name for people, once known.
        ended: the person wants to end.
        told: takes each reading once it is taken in.
    """

    def __init__(
        self,
        language: str,
        path: Path | None,
        name: str | None,
        mono: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Prepare.

        Args:
            language: of names and sentences.
            path: the record; None for none.
            name: of the places that will be noted; None numbers them.
            mono: monotonic seconds.
            wall: UNIX seconds.
        """
        self.aim = Aim()
        self.modem = ""
        self.label = ""
        self.ended = False
        self.told: Callable[[Reading], None] = lambda _reading: None
        self._language = language
        self._path = path
        self._name = name
        self._mono = mono
        self._wall = wall
        self._record: aim_record.Record | None = None
        self._taken: set[str] = set()
        self._note_all = False
        self._unwritten: list[tuple[str, float]] = []

    async def follow(
        self, socket: Path, modem: str | None, config: Config | None, count: int | None = None
    ) -> None:
        """Take in readings until cancelled, or ``count`` of them.

        Raises:
            SilentError: the modem has never answered.
            NotARecordError: the record is none.
            RecordError: it cannot be read or written.
            Exception: what ``aim_source.readings`` raises.
        """
        async with contextlib.aclosing(readings(socket, modem, config)) as stream:
            async for said in stream:
                if said.says is None:
                    self._begin(said)
                else:
                    self.take(said.says)
                if count is not None and self.aim.count >= count:
                    return

    def _begin(self, said: Said) -> None:
        self.modem, self.label = said.modem, said.label
        if self._path is not None:
            with _recording():
                known = (
                    aim_record.read(self._path) if self._path.is_file() else aim_record.Recorded({}, (), 0)
                )
                if known.count and len(known.bad) == known.count:
                    raise NotARecordError(known.count)
                self._taken |= known.names()
                self._record = aim_record.Record(self._path, said.modem)
        if self._note_all:
            self.note(math.inf)

    def take(self, says: Says) -> None:
        """One reading; raises what ``follow`` raises."""
        reading = Reading(self._mono(), self._wall(), says, self.aim.place)
        self.aim = self.aim.with_reading(reading)
        if self._record is not None:
            with _recording():
                for name, at in self._unwritten:
                    self._record.place(name, at)
                self._record.reading(reading)
        self._unwritten.clear()
        self.told(reading)
        if not self.aim.heard and self.aim.count >= GIVE_UP:
            raise SilentError(self.label, mute(says, self._language))

    def note_all(self) -> None:
        """Everything is read at one place."""
        self._note_all = True

    def note(self, count: float = PLACE_READINGS) -> None:
        """The antenna now stands still, for so many readings; recorded with the first of them."""
        name, at = self._next_name(), self._wall()
        self._taken.add(name)
        self.aim = self.aim.noted(name, at, count)
        self._unwritten.append((name, at))

    def _next_name(self) -> str:
        """The first name that no place has, in the record neither."""
        number = 1
        while True:
            name = say("signal_place", self._language, number=number)
            if self._name is not None:
                name = self._name if number == 1 else f"{self._name} {number}"
            if name not in self._taken:
                return name
            number += 1

    def press(self, key: str) -> None:
        """A key; those that mean nothing are ignored."""
        if key in END_KEYS:
            self.ended = True
        elif key in NOTE_KEYS and self.label:
            self.note()

    @property
    def beat_s(self) -> float | None:
        """Seconds between two beeps now; None: nothing to be heard."""
        value = None if self.aim.last is None else self.aim.last.score
        return None if value is None else beat_s(value)

    def close(self) -> None:
        """The record is complete."""
        if self._record is not None:
            with contextlib.suppress(OSError):  # each line was written out before
                self._record.close()

    # --- in words ------------------------------------------------------------------------------------------

    def line(self, reading: Reading) -> str:
        """One reading on one line."""
        at, language, radio = local_time(reading.at), self._language, reading.radio
        word = strength(radio)
        if word is None:
            return f"{at}  {' '.join(mute(reading.says, language))}"
        cell = None if radio.cell is None else say("signal_cell", language, cell=radio.cell)
        whose = [radio.network, radio.band, cell, reading.says.operator]
        parts = [strength_word(word, language), figures_text(radio), *(part for part in whose if part)]
        return f"{at}  {'  '.join(parts)}" + (f"  ({reading.place})" if reading.place else "")

    def summary(self) -> list[str]:
        """What came of it: the best, the last, the places."""
        aim, language = self.aim, self._language
        if aim.count == 0:
            return []
        lines = []
        if aim.best is not None:
            ago = duration(max(0.0, self._mono() - aim.best.mono), language)
            key = "signal_best" if aim.best.place is None else "signal_best_at"
            best = figures_text(aim.best.radio)
            lines.append(say(key, language, figures=best, ago=ago, place=aim.best.place))
        if aim.last is not None:
            last = figures_text(aim.last.radio) or " ".join(mute(aim.last.says, language))
            lines.append(say("signal_last", language, figures=last))
        if (changed := change_text(aim, language)) is not None:
            lines.append(changed)
        lines += [
            f"{''.join(place_parts(place, language))} ({local_time(place.at)}, "
            f"{say('signal_count', language, count=len(place.readings))})"
            for place in aim.places
        ]
        if self._record is not None:
            lines.append(say("signal_recorded", language, path=self._path))
        return lines


@contextlib.contextmanager
def _recording() -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise RecordError(fault.strerror or str(fault)) from fault
