"""DNS messages: a question for the IPv4 addresses of a name, and what an answer says. Pure; RFC 1035.

Two kinds of record and one kind of question are all that is needed, which a general library would bring
with two hundred modules. Whatever bytes arrive, there is an answer or a ``DnsError``, after a number of
steps that their length bounds.
"""

from __future__ import annotations

import re
import socket
import struct
from dataclasses import dataclass
from typing import Final

WELL: Final = 0
NO_SUCH_NAME: Final = 3
CODES: Final = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
"""Names of the answer codes of RFC 1035, 4.1.1."""
LONGEST_NAME: Final = 253
"""Characters of a name with its dots: 255 bytes on the wire."""
MOST_RECORDS: Final = 64
"""More than any honest answer within 512 bytes can hold."""

_HEADER: Final = struct.Struct("!HHHHHH")
_QUESTION: Final = struct.Struct("!HH")
_RECORD: Final = struct.Struct("!HHIH")
_LABEL: Final = re.compile(r"[A-Za-z0-9_-]{1,63}")
_IS_ANSWER, _OPCODE, _TRUNCATED, _RECURSION_DESIRED, _CODE = 0x8000, 0x7800, 0x0200, 0x0100, 0x000F
_A, _CNAME, _INTERNET = 1, 5, 1
_POINTER: Final = 0xC0
_LONGEST_WIRE: Final = 255
_MOST_POINTERS: Final = 16
"""Of one name; honest servers need two or three."""

Name = tuple[bytes, ...]
"""A name's labels in lower case; a label may hold any byte, even a dot."""


class DnsError(ValueError):
    """Bytes that are no answer to any question of ours; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a name server said.

    Attributes:
        ident: the question's number.
        code: 0 is well; see ``CODES``.
        truncated: there is more, which does not fit into a datagram.
        name: the question as the server repeats it; None if it does not, as some do with an error.
        addresses: IPv4 addresses of the name, by way of its aliases.
    """

    ident: int
    code: int
    truncated: bool
    name: Name | None
    addresses: tuple[str, ...]

    @property
    def code_name(self) -> str:
        """The code in words."""
        return CODES.get(self.code, f"code {self.code}")


def labels_of(name: str) -> Name:
    """A host name's labels, in lower case as names are compared.

    Raises:
        ValueError: not a name that can be asked for.
    """
    labels = name.removesuffix(".").split(".")
    if len(name) > LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{name!r} is not a host name: labels of 1 to 63 letters, digits, _ and -")
    return tuple(label.lower().encode() for label in labels)


def encode_query(ident: int, name: str) -> bytes:
    """A question for the IPv4 addresses of ``name``, 12 bytes more than its name and 6 for the rest.

    Args:
        ident: comes back with the answer, 0 to 65535.
        name: host name.

    Raises:
        ValueError: as ``labels_of``.
    """
    header = _HEADER.pack(ident, _RECURSION_DESIRED, 1, 0, 0, 0)
    labels = b"".join(bytes([len(label)]) + label for label in labels_of(name))
    return header + labels + b"\0" + _QUESTION.pack(_A, _INTERNET)


def decode_answer(data: bytes) -> Answer:
    """What the bytes of a datagram say.

    Raises:
        DnsError: they are not an answer to a question for an address.
    """
    reader = _Reader(data)
    ident, flags, questions, records, _authorities, _extras = reader.unpack(_HEADER)
    if not flags & _IS_ANSWER or flags & _OPCODE:
        raise DnsError("not an answer")
    code = flags & _CODE
    if questions > 1 or (questions == 0 and code == WELL):
        raise DnsError(f"{questions} questions in an answer")
    name = _question(reader) if questions else None
    if records > MOST_RECORDS:
        raise DnsError(f"{records} records, more than {MOST_RECORDS}")
    addresses = _addresses(reader, records, name) if name is not None else ()
    return Answer(ident, code, bool(flags & _TRUNCATED), name, addresses)


class _Reader:
    """Takes a message apart from its begin to its end; only pointers look back."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def unpack(self, form: struct.Struct) -> tuple[int, ...]:
        return form.unpack(self.take(form.size))

    def take(self, length: int) -> bytes:
        if self.at + length > len(self.data):
            raise DnsError(f"ends in the middle, after {len(self.data)} bytes")
        self.at += length
        return self.data[self.at - length : self.at]

    def name(self) -> Name:
        """The name that begins here, wherever its labels are."""
        labels: list[bytes] = []
        after: int | None = None
        oldest, length, pointers = self.at, 1, 0
        while (size := self.take(1)[0]) != 0:
            if size & _POINTER == _POINTER:
                target = (size & ~_POINTER) << 8 | self.take(1)[0]
                # Each pointer leads further back than everything before, so there are no circles.
                if target >= oldest:
                    raise DnsError("a name that points to itself or ahead")
                pointers += 1
                if pointers > _MOST_POINTERS:
                    raise DnsError(f"a name of more than {_MOST_POINTERS} pointers")
                after = self.at if after is None else after
                self.at = oldest = target
                continue
            if size & _POINTER:
                raise DnsError("a label of unknown kind")
            length += 1 + size
            if length > _LONGEST_WIRE:
                raise DnsError(f"a name longer than {_LONGEST_WIRE} bytes")
            labels.append(self.take(size).lower())
        if after is not None:
            self.at = after
        return tuple(labels)


def _question(reader: _Reader) -> Name:
    name = reader.name()
    if reader.unpack(_QUESTION) != (_A, _INTERNET):
        raise DnsError("an answer to another kind of question")
    return name


def _addresses(reader: _Reader, records: int, name: Name) -> tuple[str, ...]:
    aliases: dict[Name, Name] = {}
    addresses: list[tuple[Name, str]] = []
    for _ in range(records):
        owner = reader.name()
        kind, family, _ttl, length = reader.unpack(_RECORD)
        end = reader.at + length
        if family == _INTERNET and kind == _CNAME:
            aliases[owner] = reader.name()
        elif family == _INTERNET and kind == _A and length == 4:
            addresses.append((owner, socket.inet_ntoa(reader.take(4))))
        else:
            reader.take(length)
        if reader.at != end:
            raise DnsError("a record that is not as long as it says")
    known = {name}
    # At most one step for each alias: a circle of aliases ends where it began.
    for _ in aliases:
        known |= {aliases[one] for one in known if one in aliases}
    return tuple(address for owner, address in addresses if owner in known)
