"""The record of an antenna being aimed: JSON lines, one for each reading and for each place that is noted.

``{"kind": "reading", "at": "...", "modem": "...", "place": null, "heard": true, "rsrp_dbm": -97, ...}`` and
``{"kind": "place", "at": "...", "modem": "...", "place": "..."}``. Lines are only ever added, and each is
written out at once: whatever happens to the machine, what was read before is there.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from agent.cli.aim import Reading
from agent.core.devices import Radio
from agent.core.radio import strength

FIGURES = ("rsrp_dbm", "rsrq_db", "sinr_db", "rssi_dbm", "nr_rsrp_dbm", "nr_sinr_db")
LONGEST_LINE = 100_000


def moment(at: float) -> str:
    """UNIX seconds as ISO 8601 in UTC, to the tenth."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}.{int(at * 10) % 10}Z"


def as_json(reading: Reading, modem: str) -> dict[str, Any]:
    """One reading, for scripts."""
    says = reading.says
    return {
        "kind": "reading",
        "at": moment(reading.at),
        "modem": modem,
        "place": reading.place,
        "heard": says.heard,
        "why": says.why,
        "strength": strength(reading.radio),
        **asdict(reading.radio),
        "operator": says.operator,
        "registration": says.registration,
        "sim": says.sim,
    }


class Record:
    """A file that lines are added to."""

    def __init__(self, path: Path, modem: str) -> None:
        """Open it, without writing yet.

        Raises:
            OSError: it cannot be written.
        """
        self.path = path
        self._modem = modem
        self._file: IO[str] = path.open("a", encoding="utf-8")
        # What follows a line that was torn by a loss of power begins on a line of its own.
        if path.is_file() and path.stat().st_size and not _ends_well(path):
            self._write_text("\n")

    def reading(self, reading: Reading) -> None:
        """Add one reading; raises ``OSError`` as ``place`` does."""
        self._write(as_json(reading, self._modem))

    def place(self, name: str, at: float) -> None:
        """A place is noted.

        Raises:
            OSError: the disk is full, or gone.
        """
        self._write({"kind": "place", "at": moment(at), "modem": self._modem, "place": name})

    def close(self) -> None:
        """Safe to repeat."""
        self._file.close()

    def _write(self, content: dict[str, Any]) -> None:
        self._write_text(json.dumps(content, ensure_ascii=False) + "\n")

    def _write_text(self, text: str) -> None:
        self._file.write(text)
        self._file.flush()


def _ends_well(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is none of a record."""

    number: int
    why: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a record holds.

    Attributes:
        places: what was read at each place, by modem and place, in the order in which they were noted.
        bad: lines that could not be read.
        count: all lines.
    """

    places: Mapping[tuple[str, str], tuple[Radio, ...]]
    bad: tuple[BadLine, ...]
    count: int

    def names(self) -> set[str]:
        """Every place's name."""
        return {place for _, place in self.places}


def read(path: Path) -> Recorded:
    """Read a record; lines that make no sense are told and left aside.

    Raises:
        OSError: it cannot be read.
    """
    if path.exists() and not path.is_file():
        # A folder cannot be read, and a device may have no end.
        raise OSError(errno.EINVAL, "not a file", str(path))
    places: dict[tuple[str, str], list[Radio]] = {}
    bad: list[BadLine] = []
    number = 0
    with path.open("rb") as file:
        while line := file.readline(LONGEST_LINE):
            number += 1
            if not line.strip():
                continue
            try:
                _take(json.loads(line), places)
            except RecursionError:
                bad.append(BadLine(number, "nested too deeply"))
            except ValueError as error:
                bad.append(BadLine(number, str(error)))
    return Recorded({key: tuple(readings) for key, readings in places.items()}, tuple(bad), number)


def _take(content: object, places: dict[tuple[str, str], list[Radio]]) -> None:
    """One line into its place; raises ``ValueError`` that says what is wrong."""
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - a fault of the file, not of the program
    kind, place = content.get("kind"), content.get("place")
    if kind not in ("reading", "place"):
        raise ValueError(f"kind: {kind!r}; allowed: reading, place")
    if place is None and kind == "reading":
        return
    modem = content.get("modem")
    if not isinstance(place, str) or not isinstance(modem, str):
        raise ValueError("place and modem: allowed: a text")  # noqa: TRY004
    readings = places.setdefault((modem, place), [])
    if kind == "place":
        return
    figures: dict[str, Any] = {}
    for name in FIGURES:
        value = content.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not -200 <= value <= 200:
            raise ValueError(f"{name}: {value!r}; allowed: null, or a number from -200 to 200")
        figures[name] = float(value)
    if figures:
        readings.append(Radio(**figures))
