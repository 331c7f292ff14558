"""A server on a UNIX socket that says what a test wants an agent to say."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def agent(path: Path, answer: Callable[[dict[str, object]], list[bytes]]) -> Iterator[Path]:
    """A server in a thread, as another process would be: one answer for each connection, then the end."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client, client.makefile("rwb") as stream:
                for one in answer(json.loads(stream.readline())):
                    stream.write(one)
                stream.flush()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield path
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)
