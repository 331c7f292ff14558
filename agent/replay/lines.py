"""Lines of a file, plain or gzip, one after the other: a file of any size in little memory."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

GZIP_MAGIC = b"\x1f\x8b"
BLOCK_BYTES = 1 << 16
LONGEST_LINE_BYTES = 1 << 16
"""No line of any trace comes near; a file without line ends would otherwise fill the memory."""

Progress = Callable[[int], None]
"""Told now and then how many bytes of the file, as it lies on disk, have been read."""


class ReplayError(ValueError):
    """A file that cannot be replayed; the message names file, line, what is wrong and what is allowed."""


def numbered(path: Path, progress: Progress | None = None) -> Iterator[tuple[int, bytes]]:
    """Every line that is not blank, with its number from 1, without its end.

    Raises:
        ReplayError: the file cannot be opened, is damaged, or is not text in lines.
    """
    number, rest = 0, b""
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == GZIP_MAGIC
            raw.seek(0)
            file = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if zipped else raw
            while block := file.read(BLOCK_BYTES):
                if progress is not None:
                    progress(raw.tell())
                lines = (rest + block).split(b"\n")
                rest = lines.pop()
                for line in lines:
                    number += 1
                    if line and not line.isspace():
                        yield number, line
                if len(rest) > LONGEST_LINE_BYTES:
                    raise ReplayError(f"{path}:{number + 1}: longer than {LONGEST_LINE_BYTES} bytes")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ReplayError(f"{path}: gzip damaged after line {number}: {error}") from error
    except OSError as error:
        raise ReplayError(f"{path}: {error.strerror or error}") from error
    if rest and not rest.isspace():
        yield number + 1, rest
