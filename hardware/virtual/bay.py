"""The virtual bay: a site, its boxes, their operators and an internet, all with real packets.

    async with Bay(folder, [BayUplink("ftth", "eth1"), BayUplink("4g", "wwan0", "cellular")]) as bay:
        await bay.do("hang", on="ftth", mode="lan")
        process = await bay.spawn(bay.site, ["some-program"])

Everything lives in one process and dies with it: namespaces are open files, programs are killed by the
kernel. Nothing is written outside ``folder``.
"""

from __future__ import annotations

import contextlib
import time
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hardware.virtual import box_state, deeds, echo, world
from hardware.virtual.box import Cable, VirtualBox
from hardware.virtual.box_state import Hang
from hardware.virtual.broker import start_mosquitto
from hardware.virtual.emulator import Emulator, Line
from hardware.virtual.ethernet import is_running
from hardware.virtual.line import LinkQuality
from hardware.virtual.netns import Namespace, NamespaceError, veth
from hardware.virtual.offices import Offices
from hardware.virtual.operator import build_operator
from hardware.virtual.plan import BayUplink, Plan, all_targets, plan_bay
from hardware.virtual.processes import Processes, find_program
from hardware.virtual.relay_server import RelayServer
from hardware.virtual.router import SiteRouter
from hardware.virtual.services import BoxServices, Internet
from hardware.virtual.site import Site
from hardware.virtual.stun import StunServer
from hardware.virtual.voice import Voice
from hardware.virtual.voices import make_certificate, make_voice

__all__ = ["Bay", "BayUplink", "Hang", "LinkQuality"]


class Bay:
    """A whole bay; see the module. Created in one event loop, used and stopped in the same.

    Attributes:
        folder: holds the relay socket ``relay.sock`` and the broker's files; must exist.
        plans: every uplink's addresses, by name, in the order of preference.
        targets: addresses of the internet that answer.
        voices: the device that speaks for an uplink, by name; see ``make_voice``.
        offices, service_names: the business's services, those of ``world.SERVICES`` that were asked for.
        router: the site's own, where the bay is ``routed``; None: the site has none.
        authority: file with the certificate of which whoever watches must know that it can be trusted.

    Raises:
        ValueError: uplinks that cannot stand side by side.
    """

    def __init__(
        self,
        folder: Path,
        uplinks: Sequence[BayUplink],
        seed: int = 0,
        *,
        persist_outputs: bool = True,
        services: Sequence[str] = (),
        routed: bool = False,
    ) -> None:
        self.folder = folder
        plans = plan_bay(uplinks)
        self.plans = {plan.name: plan for plan in plans}
        self.targets = all_targets(plans)
        self.boxes: dict[str, VirtualBox] = {}
        self.lines: dict[str, Line] = {}
        self.voices: dict[str, Voice] = {}
        self.authority: Path | None = None
        self.operators: dict[str, Namespace] = {}
        self.services: dict[str, BoxServices] = {}
        self.service_names = tuple(services)
        self.offices: Offices
        self._seed = seed
        self._persist_outputs = persist_outputs
        self._routed = routed
        self.router: SiteRouter | None = None
        self._targets_out: set[str] = set()
        self._certificate: Path | None = None
        self._stack: AsyncExitStack | None = None

    # --- life -----------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Build everything. All boxes are running and all uplinks work when it returns.

        Raises:
            NamespaceError: neither root nor in a user namespace, or a program is missing.
            OSError: ``folder`` cannot be used.
        """
        if self._stack is not None:
            return
        if find_program("ip") is None:
            raise NamespaceError("the program ip is missing (Debian: apt install iproute2)")
        self._stack = AsyncExitStack()
        try:
            await self._build(self._stack)
        except BaseException:
            await self.stop()
            raise

    async def _build(self, stack: AsyncExitStack) -> None:
        self._targets_out.clear()
        # Loose: an answer may come in by another interface than the preferred route's.
        self.site = self._namespace("site", rp_filter=2)
        self.internet = self._namespace("internet")
        self._emulator = Emulator(self._namespace("line"), self._seed)
        self._site = Site(self.site, list(self.plans.values()))
        stack.callback(self._emulator.close)
        stack.callback(self._site.close)
        addresses = (*self.targets, *world.ADDRESSES)
        self.internet.ip(*(f"address add {address}/32 dev lo" for address in addresses))
        stack.callback(Internet(self.internet, self.targets).close)
        self.offices = Offices(self.internet, self.folder, self.service_names)
        stack.callback(self.offices.close)
        await self.offices.start()
        for plan in self.plans.values():
            self._build_uplink(plan)
        self._site.settle()
        stun = StunServer(self.internet, {f"op{plan.number}": plan.public for plan in self.plans.values()})
        stack.callback(stun.close)
        if self._routed:
            insides = {name: box.namespace for name, box in self.boxes.items()}
            inside = self._namespace("router", forwards=True)
            self.router = SiteRouter(inside, self.site, self.internet, self.plans, insides, self.operators)
        for plan in self.plans.values():
            if plan.speaks is not None:
                await self._build_voice(plan, plan.speaks)
        self._relays = RelayServer(
            self.folder / "relay.sock", self.boxes, persist_outputs=self._persist_outputs
        )
        stack.push_async_callback(self._relays.stop)
        await self._relays.start()
        self._processes = Processes()
        stack.push_async_callback(self._processes.stop)

    def _namespace(self, name: str, *, forwards: bool = False, rp_filter: int = 0) -> Namespace:
        """A namespace whose settings do not depend on those of the machine."""
        assert self._stack is not None
        namespace = Namespace(name)
        self._stack.callback(namespace.close)
        for place in ("all", "default"):
            namespace.sysctl(f"ipv4/conf/{place}/rp_filter", str(rp_filter))
            # A kernel without IPv6 has no such setting.
            with contextlib.suppress(FileNotFoundError):
                namespace.sysctl(f"ipv6/conf/{place}/disable_ipv6", "1")
        namespace.sysctl("ipv4/ip_forward", "1" if forwards else "0")
        # Group 0 is the only one that a user namespace of an ordinary user has.
        namespace.sysctl("ipv4/ping_group_range", "0 0")
        return namespace

    def _build_uplink(self, plan: Plan) -> None:
        assert self._stack is not None
        number, line = plan.number, self._emulator.namespace
        inside = self._namespace(f"box {plan.name}")
        operator = self._namespace(f"operator {plan.name}", forwards=True)
        self.operators[plan.name] = operator
        veth(self.site, plan.uplink.interface, inside, "lan")
        veth(inside, "wan", line, f"near{number}")
        veth(operator, "access", line, f"far{number}")
        veth(operator, "core", self.internet, f"op{number}")
        build_operator(plan, operator, self.internet)
        self.lines[plan.name] = self._emulator.join(f"near{number}", f"far{number}", plan.uplink.quality)
        box = self.boxes[plan.name] = VirtualBox(plan, inside)
        self._stack.callback(box.close)
        self.services[plan.name] = BoxServices(box)
        self._stack.callback(self.services[plan.name].close)
        box.on_lan = lambda: self._site.see(plan.name, carrier=box.carrier, lan=box.answers)
        self._site.attach(plan.name)
        box.start()

    async def _build_voice(self, plan: Plan, speaks: str) -> None:
        assert self._stack is not None
        if speaks == "bbox" and self._certificate is None:
            self._certificate, self.authority = make_certificate(self.folder)
        box, seed = self.boxes[plan.name], f"{self._seed} {plan.name}"
        voice = make_voice(speaks, box, self.lines[plan.name], self.folder, self._certificate, seed)
        self.voices[plan.name] = voice
        self._stack.push_async_callback(voice.stop)
        await voice.start()
        box.on_boot, box.on_change = voice.forget, voice.follow

    async def stop(self) -> None:
        """Take everything down. Safe to repeat."""
        stack, self._stack = self._stack, None
        if stack is not None:
            await stack.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # --- programs -------------------------------------------------------------------------------------------

    async def spawn(self, namespace: Namespace, argv: Sequence[str], **kw: Any) -> Process:
        """Start a program inside a namespace of the bay; see ``Processes.spawn``."""
        return await self._processes.spawn(namespace, argv, **kw)

    async def start_broker(self) -> bool:
        """Run an MQTT broker on 203.0.113.10:1883; see ``start_mosquitto``."""
        return await start_mosquitto(self._processes, self.internet, self.folder)

    # --- deeds ----------------------------------------------------------------------------------------------

    async def do(self, what: str, on: str | None = None, **args: Any) -> None:
        """Do something to the bay; ``deeds.DEEDS`` lists what.

        Args:
            what: the deed.
            on: the uplink or box it is done to, where the deed needs one.
            args: the deed's own.

        Raises:
            ValueError: unknown deed, ``on`` or argument missing or wrong; names what is allowed.
        """
        deeds.do(self, what, on, args)

    def unplug_interface(self, name: str) -> None:
        """Delete the site's interface."""
        if self.boxes[name].cable is not Cable.GONE:
            self._site.detach(name)
            self.boxes[name].cable = Cable.GONE

    def replug_interface(self, name: str) -> None:
        """Make the site's interface anew."""
        if self.boxes[name].cable is Cable.GONE:
            box = self.boxes[name]
            veth(self.site, box.plan.uplink.interface, box.namespace, "lan")
            self._site.attach(name)
            box.cable = Cable.PLUGGED

    def set_target(self, target: str, *, answers: bool) -> None:
        """Let an address of the internet stop or resume answering, for everybody."""
        if answers == (target in self._targets_out):
            self.internet.ip(f"address {'add' if answers else 'del'} {target}/32 dev lo")
            (self._targets_out.discard if answers else self._targets_out.add)(target)

    def new_address_on_next_lease(self, name: str) -> None:
        """Let the site get a new address the next time it gets one on this uplink."""
        self._site.offer_another(name)

    def renew_address(self, name: str) -> None:
        """Let the site take the next address now, if it has one and the box answers."""
        self._site.renew(name)

    def weld(self, name: str, *, welded: bool = True) -> None:
        """Make a relay's contacts stick: it obeys, and the box keeps its power."""
        self.boxes[name].weld(welded=welded)

    def rewire(self, relay: str, box: str) -> None:
        """Plug ``box`` into the relay of another one, as an installer may by mistake."""
        self._relays.rewire(relay, self.boxes[box])

    # --- what can be seen -----------------------------------------------------------------------------------

    async def ping(self, target: str, on: str | None = None, timeout_s: float = 1.0) -> float | None:
        """Round trip from the site in milliseconds, None if there was no reply.

        Args:
            target: an address.
            on: the uplink to leave by; None leaves it to the routes.
            timeout_s: longest wait.
        """
        device = None if on is None else self.plans[on].uplink.interface
        return await echo.ping(self.site, target, device=device, timeout_s=timeout_s)

    def carrier(self, name: str) -> bool:
        """Whether the site's kernel sees a carrier on the uplink's interface; it may be a second late."""
        interface = self.plans[name].uplink.interface
        return self.site.call(lambda: is_running(interface))

    def address(self, name: str) -> str | None:
        """The site's address on the uplink now."""
        return self._site.address(name)

    def facts(self) -> dict[str, dict[str, Any]]:
        """What has become of each box, by name, for assertions; instants are of ``time.monotonic``.

        ``cuts`` counts the times that the relay really took the power away, ``cut_times`` lists them as
        (begin, end), end None for a running one.
        """
        now = time.monotonic()
        return {name: self._fact(name, box, now) for name, box in self.boxes.items()}

    def _fact(self, name: str, box: VirtualBox, now: float) -> dict[str, Any]:
        state = box.state
        to_operator, to_box = self.lines[name].carried_bytes
        return {
            "powered": state.powered,
            "phase": str(box.phase),
            "relay_cut": state.relay_cut,
            "mains": state.mains,
            "cuts": len(state.cuts),
            "longest_cut_s": box_state.longest_cut_s(state, now),
            "cut_times": [(cut.began_at, cut.ended_at) for cut in state.cuts],
            "reboots": state.reboots,
            "carrier": box.carrier,
            "lan": box.answers,
            "forwarding": box.forwards,
            "line_cut": self.lines[name].is_cut,
            "address": self.address(name),
            "sent_bytes": to_operator,
            "received_bytes": to_box,
        }
