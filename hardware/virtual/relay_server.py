"""The bay's relay board: a unix socket on which each box's power can be cut and restored.

One JSON object a line. ``{"box": "ftth", "do": "cut"}`` (or ``restore``, ``read``) is answered by
``{"ok": true, "cut": true}``, what the coil does now, or by ``{"ok": false, "error": "..."}``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from pathlib import Path

from hardware.virtual.box import VirtualBox

_LONGEST_PATH = 107  # bytes, <linux/un.h>
_DEEDS = ("cut", "restore", "read")


class RelayServer:
    """All relays of a bay.

    Attributes:
        path: of the socket.
        boxes: what the relays switch at first, by name.
        persist_outputs: a coil keeps its level when whoever set it goes away, as the pins of a Raspberry Pi
            do; otherwise it is released, as a pin that floats.
    """

    def __init__(self, path: Path, boxes: Mapping[str, VirtualBox], *, persist_outputs: bool = True) -> None:
        self.path = path
        self.persist_outputs = persist_outputs
        self._wired = dict(boxes)
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the path is too long for a unix socket, or its folder cannot be written.
        """
        if len(bytes(self.path)) > _LONGEST_PATH:
            raise OSError(f"{self.path} is too long for a unix socket (at most {_LONGEST_PATH} bytes)")
        # A bay that was killed has left its socket behind.
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def stop(self) -> None:
        """Hang up on everybody. Safe to repeat."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        serving = list(self._connections.items())
        for task, writer in serving:
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*(task for task, _ in serving), return_exceptions=True)
        self.path.unlink(missing_ok=True)

    def rewire(self, relay: str, box: VirtualBox) -> None:
        """Plug another box into a relay; several relays may switch one box.

        Raises:
            ValueError: no such relay, or it is in the middle of a cut.
        """
        if relay not in self._wired:
            raise ValueError(f"no relay {relay!r}; there are: {', '.join(self._wired)}")
        if self._wired[relay].state.relay_cut or box.state.relay_cut:
            raise ValueError(f"the relay {relay!r} is rewired between two cuts, not in one")
        self._wired[relay] = box

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        cut_here: set[str] = set()
        try:
            while line := await reader.readline():
                writer.write(json.dumps(self._answer(line, cut_here)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError, asyncio.CancelledError):
            pass  # gone, a line without end, or the bay stops: hang up in each case
        finally:
            del self._connections[task]
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()
            if not self.persist_outputs:
                for name in cut_here:
                    self._wired[name].switch_relay(cut=False)

    def _answer(self, line: bytes, cut_here: set[str]) -> dict[str, object]:
        """Do what one request says. ``cut_here`` holds what this connection keeps cut."""
        try:
            request = json.loads(line)
            name, deed = request["box"], request["do"]
            box = self._wired.get(name)
        except (ValueError, TypeError, KeyError):
            return {"ok": False, "error": 'a request is {"box": NAME, "do": "cut", "restore" or "read"}'}
        if box is None:
            return {"ok": False, "error": f"no box {name!r}; there are: {', '.join(self._wired)}"}
        if deed not in _DEEDS:
            return {"ok": False, "error": f"cannot {deed!r}; allowed: {', '.join(_DEEDS)}"}
        if deed != "read":
            box.switch_relay(cut=deed == "cut")
            (cut_here.add if deed == "cut" else cut_here.discard)(name)
        return {"ok": True, "cut": box.state.relay_cut}
