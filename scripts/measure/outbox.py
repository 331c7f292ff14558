"""The outbox against failures: sites and brokers killed, frozen and made to forget, at random moments."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from agent.core.model import Recorded
from agent.runtime.past import past_events
from agent.sinks.payloads import event_payload, to_json
from measure.console import columns, say
from measure.outbox_wire import FailingBroker, Tap

SENDER = Path(__file__).with_name("outbox_sender.py")
KINDS = {
    "site killed": 0.40,
    "broker killed": 0.20,
    "broker restarted": 0.08,
    "broker restarted, forgets": 0.12,
    "broker frozen": 0.12,
    "broker frozen, site killed": 0.08,
}
"""What fails, and its share. A broker that is killed forgets as well: it writes when it ends."""
CALM_S = (0.05, 1.5)
"""Between two failures."""
AWAY_S = (0.05, 1.0)
FROZEN_S = (0.3, 5.0)
"""Some outlast the keepalive of two seconds, after which the site gives the connection up."""
MEAN_S = 1.4
"""One failure with the calm before it; the stream is paced so that it lasts as long as the failures."""
STALLED_S = 60.0
"""When so long nothing has arrived and something is still missing, it will not arrive."""


@dataclass
class Failure:
    """One failure. ``back_s``: from its end to the next event that the broker did not have."""

    kind: str
    lasted_s: float = 0.0
    back_s: float | None = None


@dataclass
class Outcome:
    """What came of it."""

    seed: int
    events: int = 0
    failures: list[Failure] = field(default_factory=list)
    published: int = 0
    connections: int = 0
    arrived: int = 0
    repeats: int = 0
    took_s: float = 0.0
    wrong: list[str] = field(default_factory=list)


def judge(history: Sequence[Recorded], arrived: Sequence[bytes], told: dict[int, str]) -> list[str]:
    """What is wrong with what the broker acknowledged, beside what the site has in its history.

    Args:
        history: every event of the site, in order.
        arrived: payloads in the order in which the broker acknowledged them.
        told: number and id of the events that the site said it had written.
    """
    wrong: list[str] = []
    expected = {item.seq: to_json(event_payload(item)) for item in history}
    if list(expected) != list(range(1, len(history) + 1)):
        wrong.append("the numbers in the history have holes")
    changed = [seq for seq, name in told.items() if seq not in expected or history[seq - 1].id != name]
    wrong += [f"event {seq} was written, and is not what the history has" for seq in changed]
    first: dict[int, bytes] = {}
    for payload in arrived:
        seq = json.loads(payload)["seq"]
        if payload != expected.get(seq):
            wrong.append(f"event {seq} arrived, and is not what the history has")
        first.setdefault(seq, payload)
    missing = [seq for seq in expected if seq not in first]
    if missing:
        wrong.append(f"{len(missing)} events never arrived, the first is {missing[0]}")
    early = next((seq for seq, after in zip(first, list(first)[1:], strict=False) if after < seq), None)
    if early is not None:
        wrong.append(f"out of order: event {early} arrived before an earlier one")
    return wrong


async def outbox(events: int = 10_000, failures: int = 100, seed: int = 1, sender: Path = SENDER) -> Outcome:
    """Let so many events out during so many failures, and judge.

    Raises:
        NoBrokerError: there is no mosquitto.
    """
    outcome, began_at = Outcome(seed), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vigie-outbox-") as name:
        bench = _Bench(Path(name), events, failures, seed, sender)
        try:
            await bench.run(outcome)
        finally:
            await bench.close()
        history = past_events(bench.state, events + 1)
    outcome.events, outcome.arrived = len(history), len(bench.tap.arrived)
    outcome.published, outcome.connections = bench.tap.sent, bench.tap.connections
    outcome.repeats = len(bench.tap.arrived) - len(set(bench.tap.arrived))
    outcome.wrong += judge(history, bench.tap.arrived, bench.told)
    if len(history) != events:
        outcome.wrong.append(f"{events} events were to be written, {len(history)} are")
    outcome.took_s = round(time.monotonic() - began_at, 1)
    return outcome


class _Bench:
    """One site, one broker, and the tap between them."""

    def __init__(self, folder: Path, events: int, failures: int, seed: int, sender: Path) -> None:
        self.state = folder / "state"
        self.told: dict[int, str] = {}
        self.broker = FailingBroker(folder)
        self.tap = Tap(self.broker.port, self._arrived)
        self._events = events
        self._failures = failures
        self._chance = random.Random(seed)
        self._sender = sender
        self._site: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._open: list[tuple[Failure, float]] = []
        self._log = folder / "site.log"
        self._new = asyncio.Event()
        self._known: set[bytes] = set()

    async def run(self, outcome: Outcome) -> None:
        """All failures, and then wait for the rest of the events."""
        await self.broker.start()
        await self.tap.open()
        await self._start_site()
        kinds = self._chance.choices(list(KINDS), list(KINDS.values()), k=self._failures)
        for done, kind in enumerate(kinds, 1):
            await asyncio.sleep(self._chance.uniform(*CALM_S))
            failure, began_at = Failure(kind), time.monotonic()
            await self._fail(kind)
            failure.lasted_s = round(time.monotonic() - began_at, 3)
            self._open.append((failure, time.monotonic()))
            outcome.failures.append(failure)
            if done % 20 == 0:
                sys.stderr.write(f"{done} of {self._failures} failures, {len(self._known)} events\n")
        try:
            while len(self._known) < self._events:
                self._new.clear()
                async with asyncio.timeout(STALLED_S):
                    await self._new.wait()
        except TimeoutError:
            outcome.wrong.append(f"nothing new for {STALLED_S:.0f} s with {len(self._known)} events arrived")
            outcome.wrong.append(f"the site's last words: {self._log.read_text()[-500:]}")

    async def close(self) -> None:
        """End everything."""
        await self._kill_site()
        await self.tap.close()
        await self.broker.stop(signal.SIGKILL)

    async def _fail(self, kind: str) -> None:
        match kind:
            case "site killed":
                await self._kill_site()
                await self._start_site()
            case "broker frozen" | "broker frozen, site killed":
                self.broker.signal(signal.SIGSTOP)
                if kind != "broker frozen":
                    await asyncio.sleep(self._chance.uniform(*AWAY_S))
                    await self._kill_site()
                    await self._start_site()
                await asyncio.sleep(self._chance.uniform(*FROZEN_S))
                self.broker.signal(signal.SIGCONT)
            case _:
                number = signal.SIGKILL if kind == "broker killed" else signal.SIGTERM
                await self.broker.stop(number, forget=kind != "broker restarted")
                await asyncio.sleep(self._chance.uniform(*AWAY_S))
                await self.broker.start()

    async def _start_site(self) -> None:
        rate = self._events / (self._failures * MEAN_S)
        words = (self.state, self.tap.port, self._events, rate, self._chance.randrange(2**31))
        command, pipe = (sys.executable, str(self._sender), *map(str, words)), asyncio.subprocess.PIPE
        with self._log.open("ab") as log:
            self._site = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=log)
        assert self._site.stdout is not None
        self._listening = asyncio.create_task(self._listen(self._site.stdout))

    async def _kill_site(self) -> None:
        if self._site is not None and self._listening is not None:
            if self._site.returncode is None:
                self._site.kill()
            await self._site.wait()
            await self._listening

    async def _listen(self, said: asyncio.StreamReader) -> None:
        async for line in said:
            if line.endswith(b"\n"):  # the last may have been cut off in its middle
                seq, name = line.decode().split()
                self.told[int(seq)] = name

    def _arrived(self) -> None:
        if self.tap.arrived[-1] not in self._known:
            self._known.add(self.tap.arrived[-1])
            self._new.set()
            for failure, ended_at in self._open:
                failure.back_s = round(time.monotonic() - ended_at, 3)
            self._open.clear()


def table(outcome: Outcome) -> None:
    """How it went, for people."""
    rows = []
    for kind in KINDS:
        mine = [failure for failure in outcome.failures if failure.kind == kind]
        back = [failure.back_s for failure in mine if failure.back_s is not None]
        lasted = [failure.lasted_s for failure in mine]
        if mine:
            spread = (f"{median(back):.2f} s", f"{max(back):.2f} s") if back else ("–", "–")
            rows.append((kind, str(len(mine)), f"{median(lasted):.2f} s", *spread))
    for line in columns(rows, ("what failed", "times", "lasted", "next new event, median", "longest")):
        say(line)
    say()
    say(
        f"{outcome.events} events, {len(outcome.failures)} failures, seed {outcome.seed}:"
        f" {outcome.published} published over {outcome.connections} connections,"
        f" {outcome.arrived} acknowledged, {outcome.repeats} of them repeats; {outcome.took_s:.0f} s"
    )
    for wrong in outcome.wrong[:20]:
        say(f"WRONG: {wrong}")
    say("FAILED" if outcome.wrong else "every event arrived, in order, without a hole")


def as_json(outcome: Outcome) -> str:
    """The same for programs."""
    return json.dumps(asdict(outcome), indent=2)
