"""Name and web servers of a bay: the internet's own, and those by which a box answers in their place."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from functools import partial

from hardware.virtual import names, web, world
from hardware.virtual.box import VirtualBox
from hardware.virtual.names import NXDOMAIN, SERVFAIL, NameSocket, Reply, Upstream
from hardware.virtual.netns import Namespace
from hardware.virtual.speaks import PAGES
from hardware.virtual.wall import NameMode

_DATAGRAMS = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK


class Internet:
    """The servers out there. Needs a running event loop."""

    def __init__(self, namespace: Namespace, resolvers: Iterable[str]) -> None:
        """Serve at once.

        Args:
            namespace: where they live.
            resolvers: addresses that answer for names, beside that of the operators.
        """
        heard = names.resolver(world.NAMES, world.ALIASES)
        self._names = [
            NameSocket(namespace.call(partial(names.listener, address)), heard)
            for address in (world.OPERATORS_RESOLVER, *resolvers)
        ]
        self._web = web.WebServer(web.internet_page)
        self._web.listen(namespace.call(partial(web.listener, "")))

    def close(self) -> None:
        """No more answers. Safe to repeat."""
        for server in self._names:
            server.close()
        self._web.close()


class BoxServices:
    """The name server of one box, and its portal while it has one. Needs a running event loop."""

    def __init__(self, box: VirtualBox) -> None:
        """Answer for names at once, as far as the box lets packets through."""
        self._box = box
        self._upstream = Upstream(
            partial(box.namespace.call, partial(socket.socket, socket.AF_INET, _DATAGRAMS)),
            world.OPERATORS_RESOLVER,
        )
        self._names = NameSocket(box.namespace.call(partial(names.listener, "")), self._heard)
        self._portal: web.WebServer | None = None

    def follow(self) -> None:
        """Let the portal be what the box's wall says."""
        if self._portal is not None:
            self._portal.close()
            self._portal = None
        mode = self._box.wall.pages
        if mode is None:
            return
        own = self._box.plan.box
        self._portal = web.WebServer(web.portal_page(mode, own))
        for address in world.WEB_SERVERS:
            self._portal.listen(self._box.namespace.call(partial(web.listener, address)))
        if self._box.plan.speaks not in PAGES:
            self._portal.listen(self._box.namespace.call(partial(web.listener, own)))

    def _heard(self, data: bytes, reply: Reply) -> None:
        query = names.parse(data)
        if query is None or not self._box.forwards:
            return
        match self._box.wall.names:
            case NameMode.WELL:
                self._upstream.ask(data, reply)
            case NameMode.SERVFAIL:
                reply(names.failure(query, SERVFAIL))
            case NameMode.NXDOMAIN:
                reply(names.failure(query, NXDOMAIN))
            case NameMode.LIE:
                reply(names.answer(query, [self._box.plan.box]))
            case NameMode.SILENT:
                pass

    def close(self) -> None:
        """No more answers. Safe to repeat."""
        self._names.close()
        self._upstream.close()
        if self._portal is not None:
            self._portal.close()
