"""A relay coil whose box is in a virtual bay, reached over the bay's unix socket."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

from hardware.ports import HardwareError, HardwareMissingError

ANSWER_S = 2.0
"""Longest wait for the bay, seconds."""
_LONGEST_ANSWER = 65_536


class VirtualCoil:
    """The ``Coil`` of one box. May be used from any thread.

    Attributes:
        path: the bay's relay socket.
        box: the box's name in the bay.

    Raises:
        HardwareMissingError: no bay listens there.
        HardwareError: the bay has no such box.
    """

    def __init__(self, path: Path | str, box: str) -> None:
        self._path = str(path)
        self._box = box
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._closed = False
        try:
            self._connect()
        except OSError as error:
            raise HardwareMissingError(
                f"no virtual bay listens on {self._path} ({error}): start one first"
            ) from error
        try:
            self.is_energised()
        except HardwareError:
            self._disconnect()
            raise

    def energise(self) -> None:
        """Take the power away.

        Raises:
            HardwareError: the bay does not answer or refuses.
        """
        self._ask("cut")

    def release(self) -> None:
        """Give the power back.

        Raises:
            HardwareError: the bay does not answer or refuses.
        """
        self._ask("restore")

    def is_energised(self) -> bool:
        """Whether the coil takes the power away now.

        Raises:
            HardwareError: the bay does not answer or refuses.
        """
        return self._ask("read")

    def close(self) -> None:
        """Release, as a floating pin would, and hang up. Does nothing the second time.

        Raises:
            HardwareError: the bay does not answer; hung up nevertheless.
        """
        if self._closed:
            return
        try:
            self.release()
        finally:
            self._closed = True
            self._disconnect()

    def _ask(self, deed: str) -> bool:
        """Send one request, on a new connection if the old one has broken; the orders may be repeated."""
        with self._lock:
            if self._closed:
                raise HardwareError(f"relay of {self._box}: closed")
            try:
                try:
                    answer = self._exchange(deed)
                except OSError:
                    self._disconnect()
                    answer = self._exchange(deed)
            except OSError as error:
                self._disconnect()
                raise HardwareError(
                    f"relay of {self._box}: the virtual bay does not answer ({error})"
                ) from error
        if answer.get("ok") is not True or not isinstance(answer.get("cut"), bool):
            raise HardwareError(f"relay of {self._box}: {answer.get('error', 'answer without meaning')}")
        return bool(answer["cut"])

    def _exchange(self, deed: str) -> dict[str, object]:
        if self._socket is None:
            self._connect()
        assert self._socket is not None
        self._socket.sendall(json.dumps({"box": self._box, "do": deed}).encode() + b"\n")
        line = b""
        while not line.endswith(b"\n"):
            part = self._socket.recv(4096)
            if not part or len(line) > _LONGEST_ANSWER:
                raise ConnectionError("hung up")
            line += part
        try:
            answer = json.loads(line)
        except ValueError as error:
            raise ConnectionError("answer is not JSON") from error
        if not isinstance(answer, dict):
            raise ConnectionError("answer is not a JSON object")
        return answer

    def _connect(self) -> None:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(ANSWER_S)
            connection.connect(self._path)
        except BaseException:
            connection.close()
            raise
        self._socket = connection

    def _disconnect(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
