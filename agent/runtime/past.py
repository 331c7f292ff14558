"""Reads what earlier runs wrote into the store's database, beside the store and without writing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from agent.core.model import Recorded
from agent.runtime.store_codec import DamagedError, told_apart
from agent.runtime.store_rows import decode_clock, decode_row
from agent.runtime.store_schema import BUSY_S, DATABASE


def past_events(folder: Path, limit: int) -> list[Recorded]:
    """The last ``limit`` events on the disk, oldest first; those that cannot be understood are left out.

    For the store's worker thread.

    Raises:
        TroubleError: the database cannot be read.
    """
    rows = _rows(folder, limit)
    events = []
    for row in reversed(rows):
        try:
            events.append(decode_row(row))
        except DamagedError:
            continue
    return events


def past_clocks(folder: Path, limit: int) -> list[tuple[str, float, float]]:
    """Boot, UNIX and monotonic seconds of those of the last ``limit`` events that are dated, oldest first.

    Raises:
        TroubleError: the database cannot be read.
    """
    found = []
    for _, _, at, synced, body in reversed(_rows(folder, limit)):
        try:
            mono, boot = decode_clock(body)
        except DamagedError:
            continue
        if synced and boot:
            found.append((boot, float(at), mono))
    return found


def _rows(folder: Path, limit: int) -> list[tuple[int, str, float, int, str]]:
    query = "SELECT seq, id, at, synced, body FROM events ORDER BY seq DESC LIMIT ?"
    with told_apart():
        address = f"{(folder / DATABASE).absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=BUSY_S)) as db:
            return db.execute(query, (limit,)).fetchall()
