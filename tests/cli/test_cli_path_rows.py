"""The site's own way out in the terminal: one line that says who carries the site, and what should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from agent.cli.path_rows import path_rows
from agent.cli.rows import uplink_cells
from agent.core.path_view import PathState, PathView
from agent.core.snapshot_types import Snapshot
from agent.core.steering import Choice, Wait, Why

Build = Callable[..., Snapshot]
VIEW = PathView(PathState.WORKS, 900.0, "cellular", None, "address", False, "81.2.69.2", 42.0, 0.0, None)


def told(shot: Snapshot, view: PathView | None, language: str = "en") -> str:
    return " ".join(text for text, _ in path_rows(replace(shot, site_path=view), language, None))


def test_who_carries_the_site_is_said_with_what_tells_it(example_snapshot: Build) -> None:
    """In both languages, since when if that is known; nothing where nobody looks or has heard anything."""
    shot = example_snapshot()
    label = next(uplink.label for uplink in shot.uplinks if uplink.name == "cellular")
    since = told(shot, replace(VIEW, active_since=shot.mono - 60))
    assert since.startswith(f"The site goes by: {label} since ")
    assert since.endswith("(same public address)")
    assert told(shot, replace(VIEW, witness="hop"), "fr") == f"Le site passe par\u00a0: {label}"
    assert told(shot, replace(VIEW, active=None)) == "The site goes by: nobody knows which uplink"
    assert told(shot, replace(VIEW, active=None, spread=True)).endswith("several uplinks at once")
    assert told(shot, None) == told(shot, replace(VIEW, active=None, state=PathState.UNSEEN)) == ""


def test_a_silence_and_what_should_be_done_are_said(example_snapshot: Build) -> None:
    """How long the site has been without internet; and a choice, unless it is the uplink in use."""
    shot = example_snapshot()
    silent = replace(VIEW, state=PathState.SILENT, since=shot.mono - 75)
    assert told(shot, silent).endswith(" · without internet for 1 min 15 s")
    waits = Choice("cellular", "cellular", Why.WAITING, {}, Wait.CLEAN, shot.mono + 300, "ftth")
    assert "must stay without fault, 5 min more" in told(shot, replace(VIEW, choice=waits))
    assert "·" not in told(shot, replace(VIEW, choice=Choice("cellular", "cellular", Why.BEST)))
    (row, style), *_ = path_rows(replace(shot, site_path=silent), "en", 30)
    assert len(row) <= 30
    assert style == "bold red"


def test_the_uplink_in_use_is_marked_as_such(example_snapshot: Build) -> None:
    """That is better to know than which one should be used first."""
    uplink = example_snapshot().uplinks[0]
    assert "◂in use" in [text for text, _ in uplink_cells(replace(uplink, active=True), "en")]
    assert "◂preferred" in [text for text, _ in uplink_cells(replace(uplink, preferred=True), "en")]
