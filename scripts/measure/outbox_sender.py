"""The site of ``scripts/bench outbox``: the product's store and its MQTT, and a stream of events.

It goes on where the one before it was killed. For each event that the store said is written, it prints its
number and id.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from agent.core.codes import Code, Severity  # noqa: E402
from agent.core.model import Event  # noqa: E402
from agent.runtime.board import Board  # noqa: E402
from agent.runtime.clock import SystemClock  # noqa: E402
from agent.runtime.store import Store  # noqa: E402
from agent.runtime.store_schema import DATABASE  # noqa: E402
from agent.sinks.mqtt import connecting, connection, sink  # noqa: E402
from agent.sinks.mqtt.settings import MqttSettings  # noqa: E402

RECEIVER = "mqtt"
KEEPALIVE_S = 2
"""Waits are shortened, so that a hundred failures do not take the hours that they take in the field."""
OPEN_WITHIN_S = 2.0
BACKOFF_S = (0.1, 0.2, 0.4, 0.4, 0.4, 0.4, 0.4)
LONGEST_BATCH = 40
SEVERITIES = (Severity.INFO, Severity.INFO, Severity.WARNING, Severity.ALERT)


def event(number: int) -> Event:
    """Each event has a content of its own, which its number tells."""
    args = {"label": "Fibre", "why": f"silence {number}"}
    return Event(Code.UPLINK_DOWN, "ftth", SEVERITIES[number % 4], f"i{number // 10}", args)


def last_number(folder: Path) -> int:
    """The last number given; 0 in an empty folder."""
    try:
        with closing(sqlite3.connect(f"{(folder / DATABASE).as_uri()}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


async def send(folder: Path, port: int, total: int, rate: float, seed: int) -> None:
    """Write events up to number ``total``, ``rate`` a second, and send all, until killed."""
    chance = random.Random(seed)
    connecting.BACKOFF_S, connection.OPEN_WITHIN_S = BACKOFF_S, OPEN_WITHIN_S
    number, clock = last_number(folder), SystemClock()
    store = Store.open(folder, clock.now(), (RECEIVER,))
    disk, wake = ThreadPoolExecutor(max_workers=1), asyncio.Event()

    def on_disk(call: Any, *args: object) -> Any:
        return asyncio.get_running_loop().run_in_executor(disk, call, *args)

    settings = MqttSettings(
        host="127.0.0.1", port=port, client_id="site", site="site", tls=False, keepalive_s=KEEPALIVE_S
    )
    site = sink.MqttSink(settings, store.outbox(RECEIVER), on_disk, lambda _part: None)
    sending = asyncio.create_task(site.run(Board().snapshots(), wake))
    while number < total:
        count = min(chance.randint(1, LONGEST_BATCH), total - number)
        now = clock.now()
        events = [(event(n), now) for n in range(number + 1, number + count + 1)]
        for recorded in await on_disk(store.append, events):
            print(recorded.seq, recorded.id, flush=True)  # noqa: T201 (this is what it is asked to say)
        number += count
        wake.set()
        await asyncio.sleep(chance.expovariate(rate / count))
    await sending


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    for name, kind in (("port", int), ("total", int), ("rate", float), ("seed", int)):
        parser.add_argument(name, type=kind)
    asyncio.run(send(**vars(parser.parse_args())))
