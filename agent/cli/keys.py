"""Single keys of a person at the terminal, heard without waiting for Enter."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def pressed(press: Callable[[str], None]) -> Iterator[bool]:
    """Hand each key to ``press`` while the context lasts; yields False where no keys can come.

    Ctrl-C stays what it is. The terminal is left as it was. For the event loop's thread.
    """
    try:
        number = sys.stdin.fileno()
        before = termios.tcgetattr(number)
    except (OSError, ValueError, termios.error):
        yield False
        return
    loop = asyncio.get_running_loop()

    def heard() -> None:
        try:
            data = os.read(number, 64)
        except OSError:
            data = b""
        if not data:
            # The terminal has gone; without this the loop would be told so for ever.
            loop.remove_reader(number)
        # An arrow or function key is one sequence, which begins with an escape: no key of ours.
        if not data.startswith(b"\x1b"):
            for letter in data.decode("utf-8", "ignore"):
                press(letter)

    tty.setcbreak(number)
    loop.add_reader(number, heard)
    try:
        yield True
    finally:
        loop.remove_reader(number)
        termios.tcsetattr(number, termios.TCSADRAIN, before)
