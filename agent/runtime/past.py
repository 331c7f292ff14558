"""Reads what earlier runs wrote into the store's database, beside the store and without writing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from agent.core.model import Recorded
from agent.runtime.store_codec import DamagedError, told_apart
from agent.runtime.store_rows import decode_row
from agent.runtime.store_schema import BUSY_S, DATABASE


def past_events(folder: Path, limit: int) -> list[Recorded]:
    """The last ``limit`` events on the disk, oldest first; those that cannot be understood are left out.

    For the store's worker thread.

    Raises:
        TroubleError: the database cannot be read.
    """
    query = "SELECT seq, id, at, synced, body FROM events ORDER BY seq DESC LIMIT ?"
    with told_apart():
        address = f"{(folder / DATABASE).absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=BUSY_S)) as db:
            rows = db.execute(query, (limit,)).fetchall()
    events = []
    for row in reversed(rows):
        try:
            events.append(decode_row(row))
        except DamagedError:
            continue
    return events
