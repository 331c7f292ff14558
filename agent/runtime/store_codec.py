"""What the store writes, as text; and the two kinds of trouble that its files can be in.

The kinds are kept apart because they call for opposite answers. A file that is *damaged* is moved aside
and begun anew; a file that is *out of reach* (full disk, read-only disk, lock, I/O error) is left exactly
as it is and tried again later.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from agent.core import line
from agent.core.alerts import Account
from agent.core.codes import Code, Severity
from agent.core.instant import Stamp
from agent.core.line import Line
from agent.core.model import AGENT, Cycle, How, OpenIncident

COPY = "cycles.json"
CYCLES_KEPT = 300

_OUT_OF_REACH = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOLFS,
    sqlite3.SQLITE_AUTH,
}
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}
"""The second: the file that all users of a database share in memory cannot grow."""
CORRECTED = 2
"""``synced`` of an event whose time was computed afterwards."""


class TroubleError(Exception):
    """A file of the store cannot be used now; the message says why."""


class DamagedError(TroubleError):
    """The content makes no sense and will not get better."""


class OutOfReachError(TroubleError):
    """The content may be fine, but cannot be read or written now."""


class FullError(OutOfReachError):
    """There is no room left on the disk."""


@contextmanager
def told_apart() -> Iterator[None]:
    """Turn whatever the block's database or file work raises into ``DamagedError`` or ``OutOfReachError``."""
    try:
        yield
    except sqlite3.Error as error:
        number = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        short = number == sqlite3.SQLITE_IOERR_SHORT_READ  # the file ends before its own header says
        if number in _FULL:
            raise FullError(str(error)) from error
        if number & 0xFF in _OUT_OF_REACH and not short:
            raise OutOfReachError(str(error)) from error
        raise DamagedError(str(error)) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise FullError(error.strerror or str(error)) from error
        raise OutOfReachError(error.strerror or str(error)) from error
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        # Flipped bytes also surface as texts that cannot be decoded, even inside SQLite's own messages.
        raise DamagedError(f"unreadable content ({type(error).__name__})") from error


# --- the memory of past cycles ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Memory:
    """What must survive even if one of the two files does not.

    ``install`` names this numbering of events and ``seq`` is the last number given when the memory was
    written. ``lost_at`` is set while an earlier memory is known to be lost.
    """

    install: str
    seq: int = 0
    cycles: tuple[Cycle, ...] = ()
    lost_at: Stamp | None = None


def encode_memory(memory: Memory) -> str:
    """The memory as JSON with a checksum, so that no flipped bit passes for a smaller budget."""
    return sealed("memory", asdict(memory))


def decode_memory(text: str | bytes) -> Memory:
    """The inverse of ``encode_memory``.

    Raises:
        DamagedError: not such a text, or not the one that was written.
    """
    with told_apart():
        body = unsealed("memory", text)
        return Memory(
            install=body["install"],
            seq=body["seq"],
            cycles=tuple(_cycle(item) for item in body["cycles"]),
            lost_at=decode_stamp(body["lost_at"]) if body["lost_at"] else None,
        )


def sealed(name: str, content: object) -> str:
    """What JSON can say, under this name and with a checksum."""
    body = json.dumps(content, sort_keys=True)
    return json.dumps({"crc": zlib.crc32(body.encode()), name: json.loads(body)}, sort_keys=True)


def unsealed(name: str, text: str | bytes) -> Any:
    """The inverse of ``sealed``; what else it raises than ``DamagedError`` is for ``told_apart`` to catch."""
    outer = json.loads(text)
    body = outer[name]
    if zlib.crc32(json.dumps(body, sort_keys=True).encode()) != outer["crc"]:
        raise DamagedError("checksum does not match")
    return body


def decode_stamp(body: Mapping[str, Any]) -> Stamp:
    """An instant from its JSON object; what it raises is for ``told_apart`` to catch."""
    return Stamp(float(body["mono"]), float(body["wall"]), bool(body["synced"]), str(body["boot"]))


def _cycle(body: Mapping[str, Any]) -> Cycle:
    return Cycle(
        order=body["order"],
        box=body["box"],
        finding=Code(body["finding"]),
        incident=body["incident"],
        started=decode_stamp(body["started"]),
        helped=body["helped"],
        how=How(body.get("how", How.CUT)),
        effect=body.get("effect"),
        instead=body.get("instead"),
        by=body.get("by", AGENT),
        forced=body.get("forced", False),
    )


def new_install() -> str:
    """A name for a numbering of events that no other one has."""
    return secrets.token_hex(6)


def united(found: Memory | None, known: Memory, last_seq: int) -> Memory:
    """What the database remembers and what is known besides; every cycle of either counts."""
    if found is None:
        return replace(known, install=new_install(), seq=last_seq)
    cycles = {item.order: item for item in found.cycles}
    for item in known.cycles:
        if item.order not in cycles or cycles[item.order].helped is None:
            cycles[item.order] = item
    # Numbers of a rewound history may have been sent already: go on under a new name.
    rewound = known.install == found.install and known.seq > last_seq
    return Memory(
        install=new_install() if rewound else found.install,
        seq=last_seq,
        cycles=tuple(cycles.values())[-CYCLES_KEPT:],
        lost_at=found.lost_at or known.lost_at,
    )


# --- other things kept as text -----------------------------------------------------------------------


def encode_stamps(stamps: list[Stamp]) -> str:
    """Stamps as JSON."""
    return json.dumps([asdict(item) for item in stamps])


def decode_stamps(text: str) -> list[Stamp]:
    """The inverse of ``encode_stamps``; raises ``DamagedError``."""
    with told_apart():
        return [decode_stamp(item) for item in json.loads(text)]


def encode_names(names: tuple[str, ...]) -> str:
    """Names as JSON."""
    return json.dumps(names)


def decode_names(text: str) -> tuple[str, ...]:
    """The inverse of ``encode_names``; raises ``DamagedError``."""
    with told_apart():
        return tuple(str(name) for name in json.loads(text))


def encode_lines(lines: Mapping[str, Line]) -> str:
    """What was learned of each uplink's line, by the uplink's name, as JSON."""
    return json.dumps({uplink: line.encode(known) for uplink, known in lines.items()}, sort_keys=True)


def decode_lines(text: str) -> dict[str, Line]:
    """The inverse of ``encode_lines``; raises ``DamagedError`` naming the uplink."""
    with told_apart():
        body = dict(json.loads(text))
    lines: dict[str, Line] = {}
    for uplink, encoded in body.items():
        try:
            lines[str(uplink)] = line.decode(str(encoded))
        except ValueError as error:
            raise DamagedError(f"uplink {uplink!r}: {error}") from error
    return lines


def encode_incident(incident: OpenIncident) -> str:
    """An open incident as JSON."""
    return json.dumps(asdict(incident))


def decode_incident(text: str) -> OpenIncident:
    """The inverse of ``encode_incident``; raises ``DamagedError``."""
    with told_apart():
        body = json.loads(text)
        account = _account(body.get("account") or {})
        return OpenIncident(
            body["id"], decode_stamp(body["opened"]), Code(body["code"]), body["subject"], account
        )


def _account(body: Mapping[str, Any]) -> Account:
    """The account of an incident; whatever an earlier version did not keep has its default."""
    given = dict(body)
    for key in ("told", "offline_since"):
        if given.get(key) is not None:
            given[key] = decode_stamp(given[key])
    for key in ("severity", "worst"):
        if key in given:
            given[key] = Severity(given[key])
    if "causes" in given:
        given["causes"] = tuple(Code(code) for code in given["causes"])
    return Account(**{field.name: given[field.name] for field in fields(Account) if field.name in given})


# --- the copy of the memory ---------------------------------------------------------------------------


def read_copy(folder: Path) -> Memory | None:
    """The copy beside the database; None if there is none.

    Raises:
        DamagedError: there is one, but it cannot be understood.
        OutOfReachError: there is one, but it cannot be read.
    """
    with told_apart():
        try:
            text = (folder / COPY).read_bytes()
        except FileNotFoundError:
            return None
    return decode_memory(text)


def write_copy(folder: Path, memory: Memory) -> None:
    """Replace the copy atomically; it is on the disk when this returns.

    Raises:
        OutOfReachError: it could not be written; the former copy is still there.
    """
    write_text(folder, COPY, encode_memory(memory))


def write_text(folder: Path, name: str, text: str) -> None:
    """Replace a small file atomically; it is on the disk when this returns.

    Raises:
        OutOfReachError: it could not be written; the former file is still there.
    """
    final = folder / name
    draft = folder / (name + ".new")
    with told_apart():
        with draft.open("w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(final)
        sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make renames in ``folder`` survive a power loss."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
