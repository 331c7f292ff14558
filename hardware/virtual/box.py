"""A box in a namespace of its own: what its state means for cables, addresses and forwarding."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto

from hardware.virtual import box_state
from hardware.virtual.box_state import Boot, BoxState, Hang, Phase
from hardware.virtual.ethernet import switch_offloads_off
from hardware.virtual.netns import Namespace
from hardware.virtual.plan import Plan
from hardware.virtual.wall import TABLE, Wall

_FIRST_RULE = 100
"""Place of the wall's rules among those of the kernel: behind the box's own addresses, before all else."""


class Cable(Enum):
    """The LAN cable between box and site."""

    PLUGGED = auto()
    PULLED = auto()
    GONE = auto()
    """The site's interface does not exist any more."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the namespace has been told of ports, addresses, forwarding, and the rules of the wall."""

    awake: bool = False
    lan_port: bool = False
    lan_address: bool = False
    line: bool = False
    forwarding: bool = False
    rules: tuple[str, ...] = ()


class VirtualBox:
    """One box with its power. Needs a running event loop; ``start`` before anything else.

    A box is silent by having no address rather than by refusing: whoever asks gets no answer at all, as
    from a machine that is dead. Its interfaces are ``lan`` and ``wan``.

    Attributes:
        plan: its place in the bay.
        namespace: the box's inside.
        on_lan: told after every change of what the site can see.
        on_boot: told whenever the box loses its memory: at a power cut and at a reboot.
        way_out_lost: it knows that it has no route to the internet.
        on_change: told after every change of what it does.
    """

    def __init__(self, plan: Plan, namespace: Namespace) -> None:
        self.plan = plan
        self.namespace = namespace
        self.on_lan: Callable[[], None] = lambda: None
        self.on_boot: Callable[[], None] = lambda: None
        self.on_change: Callable[[], None] = lambda: None
        self.way_out_lost = False
        self.state = BoxState(Boot(plan.uplink.boot_s))
        self._loop = asyncio.get_running_loop()
        self._cable = Cable.PLUGGED
        self._wall = Wall()
        self._shown = _Shown()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """The cables are there: behave as a box that has long been running."""
        self._prepare("lan", "box")
        self._prepare("wan", "wan")
        self.namespace.ip(f"address add {self.plan.box_wan}/30 dev wan")
        self._apply()

    def _prepare(self, interface: str, end: str) -> None:
        self.namespace.call(lambda: switch_offloads_off(interface))
        self.namespace.ip(f"link set {interface} address {self.plan.mac(end)}")

    # --- what is done to the box ----------------------------------------------------------------------------

    def switch_relay(self, *, cut: bool) -> None:
        """Order the box's relay to cut or to restore."""
        self._become(box_state.switch_relay(self.state, self._loop.time(), cut=cut))

    def switch_mains(self, *, present: bool) -> None:
        """Take the site's power away from the box or give it back."""
        self._become(box_state.switch_mains(self.state, self._loop.time(), present=present))

    def weld(self, *, welded: bool) -> None:
        """Make the relay's contacts stick, so that it obeys and the box keeps its power; or repair them."""
        self._become(box_state.weld(self.state, self._loop.time(), welded=welded))

    def hang(self, mode: Hang) -> None:
        """Hang until the power is cycled or ``heal`` is called."""
        self._become(box_state.hang(self.state, mode))

    def heal(self) -> None:
        """Stop hanging."""
        self._become(box_state.heal(self.state))

    def lose_way_out(self) -> None:
        """Have no route to the internet any more and say so: what a box does without its line."""
        self.way_out_lost = True
        self.namespace.ip("route replace unreachable default")

    def find_way_out(self) -> None:
        """Have the route again."""
        self.way_out_lost = False
        self.namespace.ip(f"route replace default via {self.plan.first_hop} dev wan")

    def reboot(self) -> None:
        """Boot by software."""
        self._become(box_state.reboot(self.state, self._loop.time()))

    @property
    def cable(self) -> Cable:
        """The LAN cable's state; ``PLUGGED`` again after ``GONE`` needs a new interface named ``lan``."""
        return self._cable

    @cable.setter
    def cable(self, cable: Cable) -> None:
        if cable is Cable.GONE:
            # The interface went together with its other end, and with it what it had been told.
            self._shown = replace(self._shown, lan_port=False, lan_address=False)
        elif self._cable is Cable.GONE:
            self._prepare("lan", "box")
        self._cable = cable
        self._apply()

    @property
    def wall(self) -> Wall:
        """What it puts in the way of the site's packets; outlasts the loss of power."""
        return self._wall

    @wall.setter
    def wall(self, wall: Wall) -> None:
        self._wall = wall
        self._apply()

    # --- what can be seen of it -----------------------------------------------------------------------------

    @property
    def carrier(self) -> bool:
        """The site's end of the LAN cable has a carrier."""
        return self._shown.lan_port

    @property
    def answers(self) -> bool:
        """The box answers the site on its LAN."""
        return self._shown.lan_port and self._shown.lan_address

    @property
    def is_awake(self) -> bool:
        """It has power and is far enough in its boot to answer, whether it hangs or not."""
        return self._shown.awake

    @property
    def forwards(self) -> bool:
        """The box lets packets through."""
        return self._shown.forwarding

    @property
    def phase(self) -> Phase:
        """What the box is doing."""
        return box_state.phase(self.state, self._loop.time())

    @property
    def uptime_s(self) -> float:
        """Seconds since the running boot began, at least 0; infinite for a box that runs since the start."""
        return max(0.0, self._loop.time() - self.state.booted_from)

    # --- from state to namespace ----------------------------------------------------------------------------

    def _become(self, state: BoxState) -> None:
        before, self.state = self.state, state
        self._apply()
        if (before.powered and not state.powered) or state.reboots > before.reboots:
            self.on_boot()

    def _apply(self, due_at: float = float("-inf")) -> None:
        """Bring the namespace in line with the state, and come back when that changes by itself.

        Args:
            due_at: the instant this was planned for, as a timer may fire a hair early.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = max(due_at, self._loop.time())
        able = box_state.abilities(self.state, now)
        wanted = _Shown(
            awake=box_state.abilities(box_state.heal(self.state), now).lan,
            lan_port=able.carrier and self._cable is Cable.PLUGGED,
            lan_address=able.lan and self._cable is not Cable.GONE,
            line=able.line,
            forwarding=able.forwarding,
            rules=self._wall.rules() if able.forwarding else (),
        )
        before, self._shown = self._shown, wanted
        if before.forwarding and not wanted.forwarding:
            self.namespace.sysctl("ipv4/ip_forward", "0")
        commands = [
            *self._lan_commands(before, wanted),
            *self._line_commands(before, wanted),
            *_rule_commands(before.rules, wanted.rules),
        ]
        if commands:
            self.namespace.ip(*commands)
        if wanted.forwarding and not before.forwarding:
            self.namespace.sysctl("ipv4/ip_forward", "1")
        next_at = box_state.next_change(self.state, now)
        if next_at is not None:
            self._timer = self._loop.call_at(next_at, self._apply, next_at)
        if before != wanted:
            self.on_lan()
        self.on_change()

    def _lan_commands(self, before: _Shown, wanted: _Shown) -> list[str]:
        if self._cable is Cable.GONE:
            return []
        commands = []
        if before.lan_address and not wanted.lan_address:
            commands.append("address flush dev lan")
        if before.lan_port != wanted.lan_port:
            commands.append(f"link set lan {'up' if wanted.lan_port else 'down'}")
        if wanted.lan_address and not before.lan_address:
            commands.append(f"address add {self.plan.box}/{self.plan.lan.prefixlen} dev lan")
            if self.plan.dish is not None:
                commands.append(f"address add {self.plan.dish}/32 dev lan")
        return commands

    def _line_commands(self, before: _Shown, wanted: _Shown) -> list[str]:
        if before.line == wanted.line:
            return []
        if not wanted.line:
            return ["link set wan down"]
        hop = self.plan.first_hop
        return [
            "link set wan up",
            # A known neighbour: a bad line shall lose packets, not the knowledge of who is at its other end.
            f"neigh replace {hop} lladdr {self.plan.mac('operator')} dev wan nud permanent",
            f"route replace default via {hop} dev wan",
        ]

    def close(self) -> None:
        """No more changes."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _rule_commands(before: tuple[str, ...], wanted: tuple[str, ...]) -> list[str]:
    if before == wanted:
        return []
    commands = [f"rule del pref {_FIRST_RULE + number}" for number in range(len(before))]
    if wanted:
        commands.append(f"route replace local default dev lo table {TABLE}")
    return commands + [f"rule add pref {_FIRST_RULE + number} {rule}" for number, rule in enumerate(wanted)]
