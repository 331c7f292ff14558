"""What is left of the flight recorder after its days are over: a line for each quarter of an hour.

A trace fills some files and the oldest go; months later a report still wants to know how quick the lines
were, and how long the agent had been alive before its power failed. 96 short lines a day are some 30 kB.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

WINDOW_S = 900.0
FILE_BYTES = 2_000_000
KEPT_FILES = 8
"""Together more than a year of a bay with three uplinks."""
MEMORY_WINDOWS = 96
"""While the disk refuses, a day of them waits in memory."""
NOT_SENT = ("no_interface", "no_address", "no_route", "forbidden", "socket_error")
"""Reasons of a lost echo that never left, see ``Why.was_sent``."""


class RadioLine(msgspec.Struct):
    """What is kept of a modem's figures."""

    rsrp_dbm: float | None = None
    sinr_db: float | None = None


class TraceLine(msgspec.Struct):
    """What counts here of a line of a trace; the rest is passed over, which makes reading quick."""

    t: float
    kind: str
    uplink: str = ""
    role: str = "target"
    rtt_ms: float | None = None
    why: str | None = None
    radio: RadioLine | None = None
    rx_dbm: float | None = None
    wall: float = 0.0
    synced: bool = False
    boot: str = ""
    run: str = ""

    def levels(self) -> dict[str, float]:
        """What a device has told of its signal and light, by kind."""
        radio = self.radio or RadioLine()
        told = {"rsrp_dbm": radio.rsrp_dbm, "sinr_db": radio.sinr_db, "rx_dbm": self.rx_dbm}
        return {kind: value for kind, value in told.items() if value is not None}


class Echoes(msgspec.Struct, omit_defaults=True):
    """What the pings of one uplink brought in one window."""

    answered: int = 0
    lost: int = 0
    rtt_sum_ms: float = 0.0
    rtt_max_ms: float = 0.0
    levels: dict[str, tuple[int, float]] = {}
    """By kind, how many values a device told, and their sum."""


class Window(msgspec.Struct):
    """A line of the digest: monotonic seconds of the boot from ``begin`` to ``end``, and what was seen.

    ``wall`` is UNIX seconds at ``begin`` as far as was known at the start of the run, ``synced`` whether that
    was known at all.
    """

    boot: str
    run: str
    begin: float
    end: float
    wall: float
    synced: bool
    uplinks: dict[str, Echoes] = {}


_line = msgspec.json.Decoder(TraceLine)
_window = msgspec.json.Decoder(Window)


def trace_line(text: bytes) -> TraceLine:
    """One line of a trace; raises ``msgspec.MsgspecError`` for nonsense."""
    return _line.decode(text)


class Digest:
    """Sums up the lines of one run. ``take`` blocks for a moment once in a quarter of an hour."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._start: TraceLine | None = None
        self._now: Window | None = None
        self._full: list[Window] = []

    def take(self, lines: Iterable[bytes]) -> None:
        """Lines that were written to the trace, in order. Never raises: what the disk refuses waits."""
        for text in lines:
            with suppress(msgspec.MsgspecError):
                self._take(trace_line(text))
        with suppress(OSError):
            self._write()

    def _take(self, line: TraceLine) -> None:
        if line.kind == "start":
            self._start, self._now = line, None
        start = self._start
        if start is None:
            return
        if self._now is not None and line.t >= self._now.begin + WINDOW_S:
            self._full = [*self._full[-MEMORY_WINDOWS + 1 :], self._now]
            self._now = None
        if self._now is None:
            wall = start.wall + line.t - start.t
            self._now = Window(start.boot, start.run, line.t, line.t, wall, start.synced)
        self._now.end = line.t
        _add(self._now.uplinks, line)

    def _write(self) -> None:
        if not self._full:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        files = digests(self._folder)
        current = files[-1] if files else self._folder / "digest-00000001.jsonl"
        if files and current.stat().st_size >= FILE_BYTES:
            number = int(current.name.split("-")[1].split(".")[0]) + 1
            current = self._folder / f"digest-{number:08d}.jsonl"
            for old in files[: 1 - KEPT_FILES]:
                old.unlink(missing_ok=True)
        with current.open("ab") as file:
            file.write(b"".join(msgspec.json.encode(window) + b"\n" for window in self._full))
        self._full = []


def _add(uplinks: dict[str, Echoes], line: TraceLine) -> None:
    if line.kind == "probe" and line.role == "target":
        echoes = uplinks.setdefault(line.uplink, Echoes())
        if line.rtt_ms is not None:
            echoes.answered += 1
            echoes.rtt_sum_ms = round(echoes.rtt_sum_ms + line.rtt_ms, 3)
            echoes.rtt_max_ms = max(echoes.rtt_max_ms, round(line.rtt_ms, 3))
        elif line.why not in NOT_SENT:
            echoes.lost += 1
    elif line.kind == "says":
        for kind, value in line.levels().items():
            levels = uplinks.setdefault(line.uplink, Echoes()).levels
            count, total = levels.get(kind, (0, 0.0))
            levels[kind] = (count + 1, round(total + value, 3))


def digests(folder: Path) -> list[Path]:
    """The files of a folder, oldest first."""
    return sorted(folder.glob("digest-*.jsonl"))


def windows(folder: Path) -> Iterator[Window]:
    """All lines of all files; one that cannot be understood, as after a power failure, is passed over."""
    for path in digests(folder):
        try:
            content = path.read_bytes()
        except OSError:
            continue
        for text in content.splitlines():
            try:
                yield _window.decode(text)
            except msgspec.MsgspecError:
                continue
