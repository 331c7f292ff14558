"""The site's own router: a LAN of the site behind it, and one cable to each box; it uses one at a time.

The bay translates no addresses, so the way back to the site's LAN follows the router's choice at the same
instant. It does not decide by itself: the story does.
"""

from __future__ import annotations

from collections.abc import Mapping

from hardware.virtual.netns import Namespace, veth
from hardware.virtual.plan import Plan

LAN = "192.168.100.0/24"
ROUTER, SITE = "192.168.100.1", "192.168.100.20"
INTERFACE = "lan0"
"""The site's own interface into its LAN."""
_METRIC = 50
"""Of the site's default route through its router, which is the best that it has."""


class SiteRouter:
    """See the module.

    Attributes:
        active: the uplink in use.
    """

    def __init__(
        self,
        namespace: Namespace,
        site: Namespace,
        internet: Namespace,
        plans: Mapping[str, Plan],
        boxes: Mapping[str, Namespace],
        operators: Mapping[str, Namespace],
    ) -> None:
        """Lay the cables, and use the first uplink.

        Args:
            namespace: the router's inside; it forwards.
            site: where the watching machine is.
            internet: where the way back begins.
            plans: every uplink, the first is used first.
            boxes: the boxes' insides, by uplink.
            operators: theirs, by uplink.
        """
        self.active = next(iter(plans))
        self._namespace = namespace
        self._internet = internet
        self._plans = plans
        veth(site, INTERFACE, namespace, "lan")
        namespace.ip(f"address add {ROUTER}/24 dev lan", "link set lan up")
        site.ip(
            f"address add {SITE}/24 dev {INTERFACE}",
            f"link set {INTERFACE} up",
            f"route add default via {ROUTER} dev {INTERFACE} metric {_METRIC}",
        )
        for plan in plans.values():
            self._lay(plan, boxes[plan.name], operators[plan.name])
        self.use(self.active)

    def _lay(self, plan: Plan, box: Namespace, operator: Namespace) -> None:
        veth(self._namespace, f"wan{plan.number}", box, "lan2")
        self._namespace.ip(
            f"address add {_router_end(plan)}/30 dev wan{plan.number}", f"link set wan{plan.number} up"
        )
        box.ip(
            f"address add {_box_end(plan)}/30 dev lan2",
            "link set lan2 up",
            f"route add {LAN} via {_router_end(plan)}",
        )
        operator.ip(f"route add {LAN} via {plan.box_wan}")

    def use(self, name: str) -> None:
        """Send the site's traffic by this uplink from now on."""
        plan = self._plans[name]
        self._namespace.ip(f"route replace default via {_box_end(plan)} dev wan{plan.number}")
        self._internet.ip(f"route replace {LAN} via {plan.operator_core}")
        self.active = name


def _box_end(plan: Plan) -> str:
    return f"10.77.{plan.number}.1"


def _router_end(plan: Plan) -> str:
    return f"10.77.{plan.number}.2"
