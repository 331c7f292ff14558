"""What the kernel has and what is done to it, in the words of route mode. Pure.

The numbers by which our things are known from others' stand here: a range of tables, one of priorities, an
origin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hardware.routes_port import MOST_WAYS, Change, Deed, Part
from hardware.routes_table import Table

IPV4: Final = 4
IPV6: Final = 6
OUR_PROTOCOL: Final = 98
"""Origin of our routes and rules (``proto`` of ip-route); free in iproute2's rt_protos.d."""
MAIN_TABLE: Final = 254
SITE_TABLE: Final = 7600
OUR_TABLES: Final = range(SITE_TABLE, SITE_TABLE + MOST_WAYS + 1)
PRIORITY_MAIN: Final = 7600
PRIORITY_MARK: Final = 7610
PRIORITY_INTERFACE: Final = 7620
PRIORITY_ADDRESS: Final = 7630
"""Of these three each way has its own: the number of the way is added."""
PRIORITY_SITE: Final = 7690
METRIC: Final = 100
LAST_METRIC: Final = 4278198272
"""Later than any other route (0xFF000000 + 8192, in use for this elsewhere, too)."""

FORWARD: Final = "net/ipv4/ip_forward"
FORWARD6: Final = "net/ipv6/conf/all/forwarding"
LOOSEST: Final = "net/ipv4/conf/all/rp_filter"


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy rule; ``other`` holds what we never use, by the kernel's names."""

    family: int
    priority: int
    table: int
    mark: int | None = None
    interface: str | None = None
    source: str | None = None
    without_default: bool = False
    protocol: int = OUR_PROTOCOL
    other: tuple[tuple[str, object], ...] = ()

    @property
    def is_ours(self) -> bool:
        """Made by us, or leading to one of our tables."""
        return self.protocol == OUR_PROTOCOL or self.table in OUR_TABLES

    def __str__(self) -> str:
        """As ip-rule words it."""
        words = [f"IPv{self.family} rule {self.priority}: from {self.source or 'all'}"]
        words += [] if self.mark is None else [f"fwmark {self.mark:#x}"]
        words += [] if self.interface is None else [f"oif {self.interface}"]
        words += [f"{name} {value}" for name, value in self.other]
        words += [f"lookup {self.table}", *(["suppress_prefixlength 0"] if self.without_default else [])]
        return " ".join(words)


@dataclass(frozen=True, slots=True)
class Route:
    """One route; unreachable if neither ``via`` nor ``interface`` is given."""

    family: int
    table: int
    via: str | None = None
    interface: str | None = None
    metric: int = METRIC
    destination: str = "default"
    protocol: int = OUR_PROTOCOL
    other: tuple[tuple[str, object], ...] = ()

    @property
    def key(self) -> tuple[int, int, str, int]:
        """Routes with the same one replace each other in a single step."""
        return (self.family, self.table, self.destination, self.metric)

    def __str__(self) -> str:
        """As ip-route words it."""
        words = [f"IPv{self.family} route {self.destination}"]
        words += [] if self.via is None else [f"via {self.via}"]
        words += ["unreachable"] if self.interface is None else [f"dev {self.interface}"]
        words += [f"{name} {value}" for name, value in self.other]
        return " ".join([*words, f"table {self.table} metric {self.metric}"])


@dataclass(frozen=True, slots=True)
class Setting:
    """A kernel setting below /proc/sys."""

    path: str
    value: str

    def __str__(self) -> str:
        """As sysctl words it."""
        return f"{self.path.replace('/', '.')} = {self.value}"


Thing = Rule | Route | Table | Setting
_PARTS: Final[Mapping[type, Part]] = {
    Rule: Part.RULE,
    Route: Part.ROUTE,
    Table: Part.TABLE,
    Setting: Part.SETTING,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, in one call of the kernel."""

    deed: Deed
    thing: Thing

    def told(self) -> Change:
        """The step for people."""
        return Change(self.deed, _PARTS[type(self.thing)], str(self.thing))


@dataclass(frozen=True, slots=True)
class KernelState:
    """What the kernel has, as far as it matters here.

    Attributes:
        rules: all of them, in the kernel's order.
        routes: those of our tables, in the kernel's order.
        interfaces: names of those that are up.
        table: our nftables table, if there.
        settings: values by path; what this kernel does not have is not there.
        has_ipv6: the kernel speaks IPv6.
        memory: settings from before, as last read from a table that is gone now: others empty the whole
            filter, as nftables.service does when it is restarted.
    """

    rules: tuple[Rule, ...] = ()
    routes: tuple[Route, ...] = ()
    interfaces: frozenset[str] = frozenset()
    table: Table | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    has_ipv6: bool = True
    memory: tuple[tuple[str, str], ...] = ()

    @property
    def before(self) -> tuple[tuple[str, str], ...]:
        """The settings from before route mode, by path."""
        return self.memory if self.table is None else self.table.memory
