"""The flight recorder: every observation as one JSON line, gzip, bounded in size.

Observations are collected in memory and written once a minute (and at once when something matters), each
time as a complete gzip member, so that a power loss costs the last minute at most and never the file.
Twelve echoes a second are about 90 MB of text a day and under 10 MB on the card.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import msgspec

from agent.core.devices import Says
from agent.core.durable import Durable
from agent.core.inquiries import Check
from agent.core.instant import Now
from agent.core.letters import TextReport
from agent.core.line import Line
from agent.core.line import decode as decode_line
from agent.core.line import encode as encode_line
from agent.core.model import Hold, Leave, Link, Observation, Part, PowerReport, Probe, Role, Tick
from agent.core.outside import PathSeen, PublicAddress
from agent.core.people import Request
from agent.core.service_words import Served, ServiceSpec
from agent.core.site import Site, UplinkSpec
from agent.core.spending import Spending, Spent
from agent.runtime.digest import Digest

FILE_BYTES = 4_000_000
KEPT_FILES = 12
"""At most 12 files of about 4 MB, some days of a typical bay."""
FLUSH_S = 60.0
MEMORY_LINES = 20_000
"""While the disk refuses, this many lines are kept in memory (some twenty minutes); then the oldest go."""

_KINDS: dict[str, type[Observation]] = {
    "probe": Probe,
    "link": Link,
    "check": Check,
    "service": Served,
    "says": Says,
    "outside": PublicAddress,
    "path": PathSeen,
    "power": PowerReport,
    "text": TextReport,
    "part": Part,
    "hold": Hold,
    "request": Request,
    "spent": Spent,
    "tick": Tick,
    "leave": Leave,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


_ALWAYS = ("rtt_ms", "until", "address")
"""Fields whose null says something: no answer, no hold, no address."""


class TraceError(ValueError):
    """A line that is not a trace line; the message names file, line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Start:
    """The first line of each run: what the core was started with, as far as verdicts depend on it.

    ``lines``, ``answering`` and ``spendings`` are what earlier runs have left, as in ``Durable``.
    """

    run: str
    site: str
    now: Now
    uplinks: tuple[UplinkSpec, ...] = ()
    switch_cost_s: float | None = None
    lines: Mapping[str, Line] = field(default_factory=dict)
    answering: tuple[str, ...] = ()
    spendings: Mapping[str, Spending] = field(default_factory=dict)
    services: tuple[ServiceSpec, ...] = ()


def started_with(run: str, site: Site, durable: Durable, now: Now) -> Start:
    """The first line of a run that begins now."""
    return Start(
        run,
        site.name,
        now,
        site.uplinks,
        site.switch_cost_s,
        durable.lines,
        durable.answering,
        durable.spendings,
        site.services,
    )


def encode(observation: Observation, now: Now) -> bytes:
    """One line, without its end. Left out: nulls that say nothing, and the role of most probes."""
    line: dict[str, Any] = {"t": now.mono, "kind": _NAMES[type(observation)]}
    for entry in fields(observation):
        value = getattr(observation, entry.name)
        if value is Role.TARGET or (value is None and entry.name not in _ALWAYS):
            continue
        line[entry.name] = value
    return msgspec.json.encode(line)


def encode_start(start: Start) -> bytes:
    """The first line of a run."""
    now = start.now
    line: dict[str, Any] = {"t": now.mono, "kind": "start", "run": start.run, "site": start.site}
    line |= {"wall": now.wall, "synced": now.synced, "boot": now.boot, "zone_s": now.zone_s}
    if start.uplinks:
        line["uplinks"] = [_without_numbers(uplink) for uplink in start.uplinks]
        line["lines"] = {uplink: encode_line(known) for uplink, known in start.lines.items()}
        line["answering"] = start.answering
        line["switch_cost_s"] = start.switch_cost_s
        line["spendings"] = start.spendings
        line["services"] = start.services
    return msgspec.json.encode(line)


def _without_numbers(uplink: UplinkSpec) -> UplinkSpec:
    """A trace is given to others, and no verdict depends on whom the agent texts."""
    device = uplink.device
    return uplink if device is None else replace(uplink, device=replace(device, sms_to=()))


def _start(at: float, raw: dict[str, Any]) -> Start:
    cost_s = raw.get("switch_cost_s")
    return Start(
        run=str(raw["run"]),
        site=str(raw["site"]),
        now=Now(at, float(raw["wall"]), bool(raw["synced"]), str(raw["boot"]), float(raw.get("zone_s", 0.0))),
        uplinks=msgspec.convert(raw.get("uplinks", ()), tuple[UplinkSpec, ...]),
        switch_cost_s=None if cost_s is None else float(cost_s),
        lines={str(uplink): decode_line(text) for uplink, text in raw.get("lines", {}).items()},
        answering=msgspec.convert(raw.get("answering", ()), tuple[str, ...]),
        spendings=msgspec.convert(raw.get("spendings", {}), dict[str, Spending]),
        services=msgspec.convert(raw.get("services", ()), tuple[ServiceSpec, ...]),
    )


def decode(line: bytes, where: str) -> tuple[float, Observation | Start]:
    """The observation of one line, with its instant (monotonic seconds).

    Raises:
        TraceError: ``where`` and what is wrong.
    """
    try:
        raw = msgspec.json.decode(line)
        if not isinstance(raw, dict):
            raise TraceError(f"{where}: not an object")
        at = float(raw.pop("t"))
        kind = raw.pop("kind")
        if kind == "start":
            return at, _start(at, raw)
        if kind not in _KINDS:
            raise TraceError(f"{where}: unknown kind {kind!r}, allowed: start, {', '.join(_KINDS)}")
        if kind == "probe":
            raw.setdefault("role", "target")
            raw.setdefault("sent_at", at)
        return at, msgspec.convert(raw, _KINDS[kind])
    except TraceError:
        raise
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise TraceError(f"{where}: {error}") from error


def read(path: Path) -> Iterator[tuple[float, Observation | Start]]:
    """All lines of a recorded file, gzip or plain.

    Raises:
        TraceError: at the first line that is not a trace line, or where the file is cut off.
        OSError: the file cannot be read.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    number = 0
    try:
        with opener(path, "rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield decode(line, f"{path}:{number}")
    except (EOFError, gzip.BadGzipFile) as error:
        raise TraceError(f"{path}: damaged after line {number}: {error}") from error


class Recorder:
    """Collects lines and writes them. ``add`` is cheap; ``write`` blocks and may run in a worker thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._digest = Digest(folder)
        self._lines: list[bytes] = []
        self.detail: str | None = None
        """Why the last flush failed, None if it did not."""
        self.dropped = 0

    def add(self, line: bytes) -> None:
        """Keep one line for the next flush."""
        self._lines.append(line)
        if len(self._lines) > MEMORY_LINES:
            del self._lines[: MEMORY_LINES // 10]
            self.dropped += MEMORY_LINES // 10

    def take(self) -> list[bytes]:
        """Hand over the collected lines, for ``write``."""
        lines, self._lines = self._lines, []
        return lines

    def give_back(self, lines: list[bytes]) -> None:
        """Put lines that could not be written back in front of those that came since."""
        self._lines = (lines + self._lines)[-MEMORY_LINES:]

    def write(self, lines: Iterable[bytes]) -> bool:
        """Append lines to the newest file, and keep the folder within its bounds.

        Returns:
            False if the disk refused; ``detail`` says why, and nothing was lost by the call itself.
        """
        lines = list(lines)
        data = b"".join(line + b"\n" for line in lines)
        if not data:
            return True
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._current().open("ab") as file:
                file.write(gzip.compress(data, compresslevel=6))
            self._prune()
            self._digest.take(lines)
        except OSError as error:
            self.detail = str(error)
            return False
        self.detail = None
        return True

    def files(self) -> list[Path]:
        """The recorded files, oldest first."""
        return sorted(self._folder.glob("trace-*.jsonl.gz"))

    def _current(self) -> Path:
        files = self.files()
        if files and files[-1].stat().st_size < FILE_BYTES:
            return files[-1]
        number = int(files[-1].name.split("-")[1].split(".")[0]) + 1 if files else 1
        return self._folder / f"trace-{number:08d}.jsonl.gz"

    def _prune(self) -> None:
        for old in self.files()[:-KEPT_FILES]:
            old.unlink(missing_ok=True)
