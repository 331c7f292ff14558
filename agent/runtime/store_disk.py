"""The store's way to its disk: opens and replaces its database, makes room, and says what is wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from agent.runtime import store_schema as schema
from agent.runtime.store_codec import DamagedError, FullError, OutOfReachError, TroubleError
from agent.runtime.store_database import Database
from agent.runtime.store_reserve import Reserve

RENEWALS = 3
FULL = "the disk is full; the oldest history gives way"

_log = logging.getLogger("vigie.store")
T = TypeVar("T")


class Disk:
    """The state folder with the database in it."""

    def __init__(self, folder: Path, receivers: Sequence[str], on_open: Callable[[Database], None]) -> None:
        """Nothing is opened yet.

        Args:
            folder: the state folder.
            receivers: who gets events.
            on_open: told of each database that was opened.
        """
        self._folder = folder
        self._receivers = receivers
        self._on_open = on_open
        self._reserve = Reserve(folder)
        self._db: Database | None = None
        self._renewals = 0
        self.trouble: str | None = None
        """What does not work now."""
        self.cramped = False
        """There is no room: what is written now must make some first, and come in small pieces."""

    def opened(self) -> Database:
        """The database; opens it if necessary.

        Raises:
            TroubleError: it cannot be opened.
        """
        if self._db is None:
            self._db = Database(self._folder, self._receivers)
            self._on_open(self._db)
            self.keep_room()
        return self._db

    def keep_room(self) -> None:
        """Keep some room for a day without any, if there is plenty now."""
        self._reserve.begin()

    def close(self) -> None:
        """Close the database; the next use opens it again."""
        if self._db is not None:
            self._db.close()
        self._db = None

    def healing(self, work: Callable[[], T]) -> T:
        """Do ``work``; once more with a new database if this one turns out damaged, or with room made.

        Raises:
            TroubleError: it cannot be done.
        """
        try:
            return work()
        except DamagedError as damage:
            self._renew(str(damage))
            return work()
        except FullError:
            self.cramped = True
            self._shorten_log()
            gave = self._reserve.release()
            try:
                return work()
            finally:
                self.cramped = False
                self._shorten_log()
                if gave:
                    self._reserve.take_again()

    def attempt(self, work: Callable[[], T]) -> T | None:
        """Do ``work``; if it cannot be done, note why and return None."""
        try:
            return self.healing(work)
        except TroubleError as trouble:
            self.note(str(trouble))
            return None

    def note(self, trouble: str | None) -> None:
        """This is wrong, or nothing."""
        if trouble != self.trouble:
            self.trouble = trouble
            _log.warning("the store %s", f"does not work: {trouble}" if trouble else "works again")

    def _shorten_log(self) -> None:
        with suppress(TroubleError):
            if self._db is not None:
                self._db.shorten_log()

    def _renew(self, why: str) -> None:
        """Move a damaged database aside, so that the next use begins a new one."""
        self.close()
        self._renewals += 1
        if self._renewals > RENEWALS:
            raise OutOfReachError(f"{why}; damaged again and again")
        name = schema.quarantine(self._folder)
        self.note(f"{why}; history begins anew, the damaged one is {name}")
