"""A walk through a site with a person: what is asked and told, and the record that is kept meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from agent.cli.control_client import as_snapshot, ask
from agent.cli.labels import label
from agent.cli.words import say
from agent.config.schema import Config
from agent.core.snapshot_types import Snapshot
from agent.reports import commissioning
from agent.reports.commissioning import Item, Measure, Record, Verdict

YES = ("o", "oui", "y", "yes")
NO = ("n", "non", "no")
MARKS = {Verdict.PASSED: "✓", Verdict.FAILED: "✗", Verdict.DECLINED: "–"}
POLL_S = 0.5


class StoppedError(Exception):
    """Nobody answers any more: the input has ended."""


class Walk:
    """One commissioning in progress.

    Attributes:
        socket: the agent's.
        config: what the agent runs with.
        language: of questions and answers.
        by: who walks.
        record: what came of it so far; on the disk too.
        at: the item that is being tried out.
        failed: something tried out in this walk did not pass.
    """

    def __init__(
        self,
        socket: Path,
        config: Config,
        record: Record,
        path: Path,
        language: str,
        by: str,
        source: TextIO | None,
        stream: TextIO,
    ) -> None:
        """``source`` is where answers come from; None answers yes to everything that can be undone."""
        self.socket = socket
        self.config = config
        self.language = language
        self.by = by
        self.record = record
        self.stream = stream
        self.at: str | None = None
        self.failed = False
        self._path = path
        self._source = source

    # --- to the person --------------------------------------------------------------------------------------

    def line(self, text: str) -> None:
        """Tell something."""
        self.stream.write(f"{text}\n")
        self.stream.flush()

    def tell(self, key: str, **holes: object) -> None:
        """Tell one of the sentences of ``words.toml``."""
        self.line(say(key, self.language, **holes))

    def confirm(self, key: str, *, unattended: bool = True, **holes: object) -> bool:
        """Ask a question to be answered by yes or no, until it is.

        Args:
            key: the question in ``words.toml``.
            unattended: the answer where nobody is there to give one.
            holes: what fills it.

        Raises:
            StoppedError: the input has ended.
        """
        question = f"{say(key, self.language, **holes)} [{say('yes_no', self.language)}] "
        while True:
            self.stream.write(question)
            self.stream.flush()
            if self._source is None:
                self.line(say("yes" if unattended else "no", self.language))
                return unattended
            answer = self._source.readline()
            if not answer:
                raise StoppedError
            if answer.strip().casefold() in (*YES, *NO):
                return answer.strip().casefold() in YES

    # --- to the agent ---------------------------------------------------------------------------------------

    def shot(self) -> Snapshot:
        """The site now.

        Raises:
            UnreachableError: the agent does not answer.
        """
        return as_snapshot(asyncio.run(ask(self.socket, {"do": "status"})))

    def shot_once(self, fact: Callable[[Snapshot], bool], within_s: float) -> Snapshot:
        """The first picture of which ``fact(picture)`` is true, or the last one before the time is over."""
        end = time.monotonic() + within_s
        while True:
            shot = self.shot()
            if fact(shot) or time.monotonic() >= end:
                return shot
            time.sleep(POLL_S)

    # --- to the record --------------------------------------------------------------------------------------

    def begin(self, item: str) -> None:
        """This is tried out next; an interruption will name it."""
        self.at = item

    def note(self, verdict: Verdict, text: str, why: str = "", **measured: Measure) -> None:
        """Keep what came of the item that was begun, and tell it."""
        assert self.at is not None, "begin first"
        item = Item(verdict, now(), self.by, why, measured)
        self.keep(self.record.with_item(self.at, item))
        self.failed = self.failed or verdict is not Verdict.PASSED
        self.line(f"{MARKS[verdict]} {text}" + (f"{label('colon', self.language)}{why}" if why else ""))
        self.at = None

    def keep(self, record: Record) -> None:
        """Put the record on the disk.

        Raises:
            OSError: it cannot be written.
        """
        commissioning.write(self._path, record)
        self.record = record

    def stop(self) -> None:
        """Keep where the walk was interrupted."""
        self.keep(replace(self.record, stopped_at=self.at))


def now() -> str:
    """This instant, ISO 8601 in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
