"""``vigie fleet`` live: a table on a terminal, a line for each change into a pipe, as words or as JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from agent.cli import fleet_json
from agent.cli.fleet_link import FleetLink, present
from agent.cli.fleet_options import Options
from agent.cli.fleet_rows import Picture, rows
from agent.cli.fleet_words import MARKS, counts_text, sites_text, standing_text, why_text
from agent.cli.labels import label
from agent.cli.view import local_time
from agent.cli.words import say
from agent.fleet.fleet import Fleet
from agent.fleet.judging import Site, Standing
from agent.fleet.ranking import counts
from agent.fleet.record import Moment, Place

NO_BROKER = 2
REDRAW_S = 1.0
LOOK_S = 0.1


def fleet_of(options: Options) -> Fleet:
    """An empty fleet as it is asked for."""
    return Fleet(options.roots, options.pattern, options.expected, options.patience_s)


class _View:
    """What the live views are drawn from: the fleet, the connection, and what was told already."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.fleet = fleet_of(options)
        self.link = FleetLink(options.broker, self.fleet)
        self._seen = present()
        self._told: dict[Place, object] = {}
        self.has_told = False
        self._was_settled = False
        self._problem: str | None = ""

    def seen(self) -> Moment:
        """Up to when the sites are known: now, or before the connection was lost.

        What a site leaves unsaid meanwhile is no silence of its own.
        """
        if self.link.problem is None and (self.fleet.settled or not self._was_settled):
            self._seen = present()
            self._was_settled = self.fleet.settled
        return self._seen

    def turned(self) -> bool:
        """The connection is other than it was when this was asked last."""
        before, self._problem = self._problem, self.link.problem
        return before != self._problem

    def changes(self) -> list[Site]:
        """Sites that stand otherwise than when this was asked last; none while nothing is known."""
        if self.link.problem is not None or not self.fleet.settled:
            return []
        changed = []
        for site in self.fleet.sites(present()):
            if self._told.get(site.place) != (news := fleet_json.news(site)):
                self._told[site.place] = news
                changed.append(site)
        self.has_told = self.has_told or bool(changed)
        return changed


async def live(options: Options) -> int:
    """Show the fleet until told to stop; the exit code."""
    watching = asyncio.current_task()
    assert watching is not None
    # Whoever ends it politely gets the terminal back as it was.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, watching.cancel)
    view = _View(options)
    link = view.link
    following = asyncio.create_task(link.run())
    try:
        # A broker that cannot be reached at all is told in plain words, not on a screen that vanishes.
        while link.problem == "" and not following.done():
            await asyncio.wait({following}, timeout=LOOK_S)
        if link.problem:
            told = say("fleet_check_unlinked", options.language, broker=options.address, why=link.problem)
            sys.stderr.write(f"vigie fleet: {told}\n")
            return NO_BROKER
        with _shown(view) as show:
            while not following.done():
                show()
                await asyncio.wait({following}, timeout=REDRAW_S)
    finally:
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following
    return 0


@contextlib.contextmanager
def _shown(view: _View) -> Iterator[Callable[[], None]]:
    """What shows the fleet as it is now, as often as it is called."""
    if view.options.as_json:
        yield lambda: _tell_json(view)
    elif not sys.stdout.isatty():
        yield lambda: _tell_plain(view)
    else:
        from agent.cli.terminal import LiveTerminal  # checks and data need neither rich nor pictures

        with LiveTerminal() as terminal:
            yield lambda: terminal.rows(rows(_picture(view, *terminal.size)))


def _picture(view: _View, width: int, height: int) -> Picture:
    now = present()
    return Picture(
        sites=view.fleet.sites(view.seen()),
        broker=view.options.address,
        settled=view.fleet.settled,
        problem=view.link.problem,
        problem_s=now.mono - view.link.since,
        own_clock_off_s=view.fleet.own_clock_off_s(),
        time=local_time(now.wall),
        language=view.options.language,
        width=width,
        height=height,
    )


def _tell_json(view: _View) -> None:
    if view.turned():
        write_json(fleet_json.link_line(view.options.address, view.link.problem, time.time()))
    for site in view.changes():
        write_json(fleet_json.site_line(site, time.time()))


def _tell_plain(view: _View) -> None:
    """A line for each site in trouble at the beginning, then for each that stands otherwise."""
    language, link = view.options.language, view.link
    first = not view.has_told
    if view.turned():
        key = "fleet_linked" if link.problem is None else "fleet_check_unlinked"
        _write_line(say(key, language, broker=view.options.address, why=link.problem or "–"))
    changed = view.changes()
    if changed and first:
        told = f"{sites_text(len(changed), language)}{label('colon', language)}"
        _write_line(told + counts_text(counts(changed), language))
        changed = [site for site in changed if site.standing is not Standing.WELL]
    for site in changed:
        _write_line(site_text(site, language))


def site_text(site: Site, language: str) -> str:
    """A site in one line: where it stands, and why."""
    colon = label("colon", language)
    told = f"{MARKS[site.standing]} {site.label}{colon}{standing_text(site.standing, language)}"
    why = why_text(site, language)
    return f"{told}{colon}{why}" if why else told


def _write_line(text: str) -> None:
    write(f"{local_time(time.time())}  {text}")


def write(text: str) -> None:
    """Onto standard output, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def write_json(found: dict[str, Any]) -> None:
    """One line of JSON onto standard output."""
    write(json.dumps(found, ensure_ascii=False, separators=(",", ":")))
