"""The form of whoever is asked for a public address, and with it all forms by the names of the schema."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv6Address

from agent.config.forms import FORMS, public_name, target
from agent.config.words import Words, say

STUN_SERVER = re.compile(r"stun:(?P<host>\[[0-9a-fA-F:.]+\]|[^/:?#@\s\[\]]+)(?::(?P<port>[0-9]{1,5}))?")
ADDRESS_PAGE = re.compile(
    r"(?P<scheme>https?)://(?P<host>[^/:?#@\s\[\]]+)(?::(?P<port>[0-9]{1,5}))?(?P<path>/[!-\"$-~]*)?"
)


def address_server(text: str) -> Words | None:
    """Who can be asked for a public address: a STUN server (a URI of RFC 7064), or a page."""
    is_page = text.startswith(("http://", "https://"))
    match = (ADDRESS_PAGE if is_page else STUN_SERVER).fullmatch(text)
    if match is None:
        return say("address_server")
    host, port = match["host"], match["port"]
    if port is not None and not 1 <= int(port) <= 65535:
        return say("web_port")
    if host.startswith("["):
        try:
            IPv6Address(host[1:-1])
        except ValueError:
            return say("address_server")
        return None
    problem = target(host) if re.fullmatch(r"[0-9.]+", host) else public_name(host)
    return None if problem is None else say("web_host", host=host, reason=problem)


ALL_FORMS: dict[str, Callable[[str], Words | None]] = {**FORMS, "address_server": address_server}
