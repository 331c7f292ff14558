"""One operator of the bay: the far end of a line, and its way to the internet and back."""

from __future__ import annotations

from hardware.virtual.ethernet import switch_offloads_off
from hardware.virtual.netns import Namespace
from hardware.virtual.plan import Plan


def build_operator(plan: Plan, operator: Namespace, internet: Namespace) -> None:
    """Give an operator whose cables are laid its addresses and routes, and the internet the way back.

    Args:
        plan: the uplink that it sells.
        operator: its inside, with the interfaces ``access`` and ``core``.
        internet: with the other end of ``core``.
    """
    for namespace, device in (
        (operator, "access"),
        (operator, "core"),
        (internet, f"op{plan.number}"),
    ):
        with namespace.entered():
            switch_offloads_off(device)
    operator.ip(
        f"link set access address {plan.mac('operator')}",
        f"address add {plan.first_hop}/30 dev access",
        f"address add {plan.operator_core}/30 dev core",
        "link set access up",
        "link set core up",
        f"neigh replace {plan.box_wan} lladdr {plan.mac('wan')} dev access nud permanent",
        f"route add {plan.lan} via {plan.box_wan}",
    )
    internet.ip(
        f"address add {plan.internet_port}/30 dev op{plan.number}",
        f"link set op{plan.number} up",
        f"route add {plan.lan} via {plan.operator_core}",
        f"route add {plan.box_wan}/32 via {plan.operator_core}",
    )
    operator.ip(f"route add default via {plan.internet_port}")
