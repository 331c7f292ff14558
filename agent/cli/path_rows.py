"""The site's own way out in the terminal: who carries the site, since when, and who should."""

from __future__ import annotations

import textwrap

from agent.cli.labels import label
from agent.cli.view import local_time
from agent.core.path_view import PathState
from agent.core.snapshot_types import Snapshot
from agent.core.steering import Why
from agent.text import duration
from agent.text.steering import of_snapshot

Row = tuple[str, str]
STYLES = {PathState.WORKS: "", PathState.SILENT: "bold red", PathState.UNSEEN: "dim"}


def path_rows(shot: Snapshot, language: str, width: int | None) -> list[Row]:
    """The site path in one line, broken at ``width``; none where it is not watched or nothing was heard."""
    path = shot.site_path
    if path is None or (path.state is PathState.UNSEEN and path.active is None):
        return []
    labels = {uplink.name: uplink.label for uplink in shot.uplinks}
    if path.spread:
        by = label("path.spread", language)
    elif path.active is None:
        by = label("path.nobody", language)
    else:
        by = labels.get(path.active, path.active)
    said = f"{label('path', language)}{label('colon', language)}{by}"
    if path.active is not None and path.active_since is not None:
        since = local_time(shot.wall - (shot.mono - path.active_since))
        witness = label(f"path.{path.witness}", language) if path.witness is not None else ""
        said += f" {label('path.since', language, since=since)}{witness}"
    if path.state is PathState.SILENT:
        lasted = duration(max(0.0, shot.mono - path.since), language)
        said += f" · {label('path.silent', language, lasted=lasted)}"
    choice = of_snapshot(shot, language)
    if choice is not None and path.choice is not None and path.choice.why is not Why.BEST:
        said += f" · {choice}"
    lines = [said] if width is None else textwrap.wrap(said, width)
    return [(line, STYLES[path.state]) for line in lines]
