"""The page on the local network, put together from the configuration; with ``app`` the composition root."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from agent.config.schema import Config
from agent.runtime.board import Board
from agent.runtime.history import History

if TYPE_CHECKING:
    from agent.sinks.web.sink import WebSink

log = logging.getLogger("vigie.web")


class LanPage:
    """The page as a part that can be restarted; what it needs is imported when it first runs."""

    def __init__(
        self,
        config: Config,
        folder: Path,
        history: History,
        board: Board,
        mono: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._folder = folder
        self._history = history
        self._board = board
        self._mono = mono
        self._sink: WebSink | None = None

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            OSError: the address cannot be had (yet).
        """
        if self._sink is None:
            self._sink = await self._made()
        await self._sink.run(self._board.snapshots(), self._board.events(recent=True))

    async def _made(self) -> WebSink:
        from agent.config.forms import web_address
        from agent.runtime.past import past_events
        from agent.runtime.store_codec import TroubleError
        from agent.sinks.web.sink import EVENTS_KEPT, WebSettings, WebSink

        panel, site = self._config.panel, self._config.site
        assert panel.web is not None
        address, port = web_address(panel.web)
        settings = WebSettings(address, port, panel.web_names, site.language, site.label)
        try:
            past = await self._history.call(past_events, self._folder, EVENTS_KEPT)
        except TroubleError as trouble:
            log.warning("earlier events are not on the page: %s", trouble)
            past = None
        return WebSink(settings, past, self._mono)
