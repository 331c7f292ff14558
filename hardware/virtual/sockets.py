"""Sockets that serve in the name of any address, also of one that is not there yet."""

from __future__ import annotations

import socket

_IP_FREEBIND, _IP_TRANSPARENT = 15, 19  # <linux/in.h>


def bound(kind: socket.SocketKind, address: str, port: int, *options: tuple[int, int]) -> socket.socket:
    """A socket that does not block, bound to ``port`` of ``address``; empty is every address.

    Args:
        kind: datagrams or streams.
        address: IPv4.
        port: to serve at.
        options: more to switch on, level and number of each.
    """
    made = socket.socket(socket.AF_INET, kind | socket.SOCK_NONBLOCK)
    try:
        for level, number in (
            *options,
            (socket.IPPROTO_IP, _IP_FREEBIND),
            (socket.IPPROTO_IP, _IP_TRANSPARENT),
        ):
            made.setsockopt(level, number, 1)
        made.bind((address, port))
    except BaseException:
        made.close()
        raise
    return made
