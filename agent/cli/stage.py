"""Where a demo is shown: a live panel in a terminal, or plain lines and JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Protocol, TextIO

from agent.cli.control_client import EventLine
from agent.cli.labels import label
from agent.cli.story import Audience
from agent.cli.timeline import deed_text
from agent.cli.view import Gathered, Line, Progress
from agent.core.codes import Severity
from agent.core.snapshot_types import Snapshot
from hardware.virtual.scenario import Deed, Scenario


class Stage(Audience, Protocol):
    """An audience that shows what it is told."""

    def open(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Shown from the begin to the end of the block."""

    def verdict(self, failures: list[str]) -> None:
        """The story is over and judged."""


class HeadlessStage:
    """Progress as plain lines, events as JSON lines if a stream for them is given."""

    def __init__(self, scenario: Scenario, language: str, progress: TextIO, stream: TextIO | None) -> None:
        self._scenario = scenario
        self._language = language
        self._progress = progress
        self._stream = stream
        self._began_s: float | None = None
        self._health: dict[str, str] = {}

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Say what is going to be played."""
        scenario = self._scenario
        self._say(f"{scenario.title[self._language]} ({scenario.duration_s:.0f} s)")
        self._say(scenario.text[self._language])
        self._json({"t": 0, "scenario": scenario.name, "duration_s": scenario.duration_s})
        yield

    def picture(self, t: float, shot: Snapshot) -> None:
        """Tell verdicts that changed."""
        self._start(t)
        for uplink in shot.uplinks:
            if self._health.get(uplink.name) != uplink.health:
                self._health[uplink.name] = uplink.health
                state = label(f"health.{uplink.health}", self._language)
                self._say(f"{t:6.1f} s    {uplink.label}: {state} ({uplink.why})")

    def event(self, t: float, event: EventLine) -> None:
        """Tell it."""
        self._say(f"{t:6.1f} s  {event.text(self._language)}")
        self._json({"t": round(t, 3), **event.raw})

    def deed(self, t: float, deed: Deed) -> None:
        """Tell it."""
        self._say(f"{t:6.1f} s  ▶ {deed_text(self._scenario, deed, self._language)}")
        self._json({"t": round(t, 3), "deed": deed.what, "on": deed.on, "args": dict(deed.args)})

    def agent_gone(self) -> None:
        """Tell it."""
        self._health.clear()
        self._say(f"          {label('no_agent', self._language)}")

    def verdict(self, failures: list[str]) -> None:
        """The last line of the stream."""
        t = 0.0 if self._began_s is None else time.monotonic() - self._began_s
        verdict = "failed" if failures else "passed"
        self._json({"t": round(t, 3), "verdict": verdict, "failures": failures})

    def _start(self, t: float) -> None:
        if self._began_s is None:
            self._began_s = time.monotonic() - t

    def _say(self, text: str) -> None:
        self._progress.write(f"{text}\n")
        self._progress.flush()

    def _json(self, line: dict[str, object]) -> None:
        if self._stream is not None:
            self._stream.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._stream.flush()


class LiveStage:
    """The panel, drawn again and again; afterwards the timeline stays readable in the terminal."""

    def __init__(self, scenario: Scenario, language: str) -> None:
        self._scenario = scenario
        self._language = language
        self._gathered = Gathered(language, time.monotonic())
        self._began_s: float | None = None
        self._lines: list[Line] = []
        self._done: list[Deed] = []

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Draw until the block ends."""
        drawing = asyncio.create_task(self._draw())
        try:
            yield
        finally:
            drawing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await drawing

    async def _draw(self) -> None:
        from agent.cli.terminal import FRAMES_PER_S, LiveTerminal

        with LiveTerminal() as terminal:
            while True:
                now_s = time.monotonic()
                terminal.show(self._gathered.view(now_s, *terminal.size, self._story(now_s)))
                await asyncio.sleep(1 / FRAMES_PER_S)

    def _story(self, now_s: float) -> Progress:
        scenario = self._scenario
        return Progress(
            title=scenario.title[self._language],
            text=scenario.text[self._language],
            elapsed_s=0.0 if self._began_s is None else now_s - self._began_s,
            duration_s=scenario.duration_s,
            next_deed=self._next(),
        )

    def _next(self) -> str | None:
        coming = [
            deed for deed in self._scenario.deeds if deed not in self._done and deed.after_event is None
        ]
        if not coming:
            return None
        deed = min(coming, key=lambda one: one.at_s)
        what = deed_text(self._scenario, deed, self._language)
        return f"▶ {deed.at_s:.0f} s{label('colon', self._language)}{what}"

    def picture(self, t: float, shot: Snapshot) -> None:
        """Show it in the next frame."""
        if self._began_s is None:
            self._began_s = time.monotonic() - t
        self._gathered.picture(shot, time.monotonic())

    def event(self, t: float, event: EventLine) -> None:
        """One more line."""
        self._line(Line(time.time(), t, event.text(self._language), Severity(event.severity)))

    def deed(self, t: float, deed: Deed) -> None:
        """One more line."""
        self._done.append(deed)
        self._line(Line(time.time(), t, deed_text(self._scenario, deed, self._language), by_story=True))

    def agent_gone(self) -> None:
        """The panel goes dark."""
        self._gathered.gone()
        t = None if self._began_s is None else time.monotonic() - self._began_s
        self._line(Line(time.time(), t, label("no_agent", self._language), Severity.WARNING))

    def _line(self, line: Line) -> None:
        self._lines.append(line)
        self._gathered.line(line)

    def verdict(self, failures: list[str]) -> None:
        """Leave the timeline in the terminal; the verdict's words follow from the command."""
        del failures
        from agent.cli.terminal import print_lines

        print_lines(tuple(self._lines))
