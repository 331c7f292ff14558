"""The site's side of every uplink, with a tiny stand-in for the network manager of its computer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hardware.virtual.ethernet import switch_offloads_off
from hardware.virtual.lease import Lease, advance, lose, offer_another, renew, see
from hardware.virtual.netns import Namespace
from hardware.virtual.plan import SITE_HOST, Plan


class Site:
    """Gives interfaces their addresses and default routes and takes them away. Needs a running event loop."""

    def __init__(self, namespace: Namespace, plans: Sequence[Plan]) -> None:
        self.namespace = namespace
        self._loop = asyncio.get_running_loop()
        self._plans = {plan.name: plan for plan in plans}
        self._leases = {plan.name: Lease(SITE_HOST) for plan in plans}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def attach(self, name: str) -> None:
        """The uplink's interface has appeared: bring it up."""
        interface = self._plans[name].uplink.interface
        self.namespace.call(lambda: switch_offloads_off(interface))
        self.namespace.ip(
            f"link set {interface} address {self._plans[name].mac('site')}", f"link set {interface} up"
        )

    def detach(self, name: str) -> None:
        """Delete the uplink's interface, and with it the cable."""
        self.namespace.ip(f"link del {self._plans[name].uplink.interface}")
        self._leases[name] = lose(self._leases[name])
        self._plan_next(name)

    def see(self, name: str, *, carrier: bool, lan: bool) -> None:
        """Something may have changed on the uplink's LAN."""
        self._leases[name] = see(self._leases[name], self._loop.time(), carrier=carrier, lan=lan)
        self._plan_next(name)

    def settle(self) -> None:
        """Give at once every address that is being waited for, to start with."""
        for name, lease in self._leases.items():
            self._become(name, lease if lease.due_at is None else advance(lease, lease.due_at))

    def address(self, name: str) -> str | None:
        """The site's address on the uplink now."""
        host = self._leases[name].host
        return None if host is None else str(self._plans[name].lan[host])

    def offer_another(self, name: str) -> None:
        """Let the next lease on the uplink be a new address."""
        self._leases[name] = offer_another(self._leases[name])

    def renew(self, name: str) -> None:
        """Take the next address now if the box answers."""
        self._become(name, renew(self._leases[name]))

    def _become(self, name: str, lease: Lease) -> None:
        """Bring the namespace in line with a changed lease."""
        before, self._leases[name] = self._leases[name], lease
        if lease.host != before.host:
            plan = self._plans[name]
            device = plan.uplink.interface
            commands = (
                [] if before.host is None else [f"address flush dev {device}", f"route flush dev {device}"]
            )
            if lease.host is not None:
                commands += [
                    f"address add {plan.lan[lease.host]}/{plan.lan.prefixlen} dev {device}",
                    f"route add default via {plan.box} dev {device} metric {plan.metric}",
                ]
            self.namespace.ip(*commands)
        self._plan_next(name)

    def _plan_next(self, name: str) -> None:
        if (timer := self._timers.pop(name, None)) is not None:
            timer.cancel()
        due_at = self._leases[name].due_at
        if due_at is not None:
            self._timers[name] = self._loop.call_at(due_at, self._due, name)

    def _due(self, name: str) -> None:
        # The timer may fire a hair early; its own instant counts.
        lease = self._leases[name]
        self._become(name, lease if lease.due_at is None else advance(lease, lease.due_at))

    def close(self) -> None:
        """No more changes."""
        while self._timers:
            self._timers.popitem()[1].cancel()
