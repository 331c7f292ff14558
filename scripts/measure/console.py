"""Where measurements write, and where they find what was recorded."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
"""Recorded lines and outages; they are not part of the project, and everything does without them."""
TRACES = DATA / "traces"
OUTAGES = DATA / "events" / "videotron_cable_outages.csv.gz"


class UnmeasurableError(Exception):
    """It cannot be measured here; the message says what is missing."""


def say(text: str = "") -> None:
    """Write one line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def columns(rows: Sequence[Sequence[str]], heads: Sequence[str], indent: str = "  ") -> Iterator[str]:
    """The lines of a table: the first column flush left, the others right."""
    table = (heads, *rows)
    widths = [max(len(row[place]) for row in table) for place in range(len(heads))]
    for row in table:
        cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]
        yield indent + "  ".join(cells).rstrip()
