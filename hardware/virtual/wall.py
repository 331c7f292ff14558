"""What a box can put in the way of the site's packets instead of forwarding them, as rules for its kernel."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

TABLE = 53
"""Routing table of a box in which every address is the box itself."""


class NameMode(StrEnum):
    """How a box answers for names."""

    WELL = "well"
    """It asks its operator's name server."""
    SILENT = "silent"
    SERVFAIL = "servfail"
    NXDOMAIN = "nxdomain"
    LIE = "lie"
    """Every name has the box's own address."""


class PageMode(StrEnum):
    """What a box shows in the place of any web page."""

    REDIRECT = "redirect"
    """Sends the browser to its login page."""
    LOGIN = "login"
    """Shows its login page."""


@dataclass(frozen=True, slots=True)
class Wall:
    """What a box does with the site's packets.

    Attributes:
        names: how it answers for names, as the name server that the site is told to ask.
        all_names: it also answers so (or not at all) in the place of every name server of the internet.
        pages: what it shows instead of web pages; None lets the web through.
        pings: of all else it lets pings through; only looked at with ``pages``.
        blocked: addresses of the internet to which it lets nothing through.
    """

    names: NameMode = NameMode.WELL
    all_names: bool = False
    pages: PageMode | None = None
    pings: bool = True
    blocked: tuple[str, ...] = ()

    def rules(self) -> tuple[str, ...]:
        """What ``ip rule`` must be told, in this order; none for a box that forwards everything."""
        rules = [f"iif lan to {address} blackhole" for address in self.blocked]
        if self.all_names:
            fate = "blackhole" if self.names is NameMode.SILENT else f"lookup {TABLE}"
            rules.append(f"iif lan ipproto udp dport 53 {fate}")
        if self.pages is not None:
            rules.append(f"iif lan ipproto tcp dport 80 lookup {TABLE}")
            if self.pings:
                rules.append("iif lan ipproto icmp lookup main")
            rules.append("iif lan blackhole")
        return tuple(rules)


def portal(pages: PageMode = PageMode.REDIRECT, *, pings: bool = True) -> Wall:
    """A walled garden: nothing passes but, perhaps, pings until somebody has paid."""
    return Wall(NameMode.LIE, all_names=True, pages=pages, pings=pings)
