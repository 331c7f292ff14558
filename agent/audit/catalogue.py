"""Every rule of the audit: its code, what it weakens, what its remedy costs."""

from __future__ import annotations

from dataclasses import dataclass

from agent.audit import rules_failover, rules_lines, rules_paths, rules_power, rules_watch
from agent.audit.points import Axis, Cost, Find


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of weak point.

    Attributes:
        axis: what it weakens.
        cost: what its remedy costs.
        find: finds it.
        void: nothing is left of the axis where it is found.
    """

    axis: Axis
    cost: Cost
    find: Find
    void: bool = False


RULES: dict[str, Rule] = {
    "one_uplink": Rule(Axis.PATHS, Cost.SUBSCRIPTION, rules_paths.one_uplink, void=True),
    "same_operator": Rule(Axis.PATHS, Cost.SUBSCRIPTION, rules_paths.same_operator),
    "same_network": Rule(Axis.PATHS, Cost.SUBSCRIPTION, rules_paths.same_network),
    "shared_path": Rule(Axis.PATHS, Cost.WORKS, rules_paths.shared_path),
    "shared_hops": Rule(Axis.PATHS, Cost.SUBSCRIPTION, rules_paths.shared_hops),
    "shared_dns": Rule(Axis.PATHS, Cost.SETTING, rules_paths.shared_dns),
    "no_backup": Rule(Axis.FAILOVER, Cost.SUBSCRIPTION, rules_failover.no_backup, void=True),
    "failover_absent": Rule(Axis.FAILOVER, Cost.SETTING, rules_failover.failover_absent),
    "backup_down": Rule(Axis.FAILOVER, Cost.SETTING, rules_failover.backup_down),
    "backup_unproven": Rule(Axis.FAILOVER, Cost.SETTING, rules_failover.backup_unproven),
    "failover_unwatched": Rule(Axis.FAILOVER, Cost.SETTING, rules_failover.unwatched),
    "drill_overdue": Rule(Axis.FAILOVER, Cost.SETTING, rules_failover.drill_overdue),
    "signal_weak": Rule(Axis.LINES, Cost.SMALL, rules_lines.signal_weak),
    "line_warned": Rule(Axis.LINES, Cost.SETTING, rules_lines.line_warned),
    "shared_address": Rule(Axis.LINES, Cost.SUBSCRIPTION, rules_lines.shared_address),
    "no_fixed_address": Rule(Axis.LINES, Cost.SUBSCRIPTION, rules_lines.no_fixed_address),
    "no_repair_time": Rule(Axis.LINES, Cost.SUBSCRIPTION, rules_lines.no_repair_time),
    "relay_contact": Rule(Axis.POWER, Cost.SETTING, rules_power.relay_contact),
    "pi_switched": Rule(Axis.POWER, Cost.SETTING, rules_power.pi_switched),
    "no_relay": Rule(Axis.POWER, Cost.SMALL, rules_power.no_relay),
    "relay_unproven": Rule(Axis.POWER, Cost.SETTING, rules_power.relay_unproven),
    "unarmed": Rule(Axis.POWER, Cost.SETTING, rules_power.unarmed),
    "no_ups": Rule(Axis.POWER, Cost.SMALL, rules_power.no_ups),
    "shared_outlet": Rule(Axis.POWER, Cost.SMALL, rules_power.shared_outlet),
    "not_seen": Rule(Axis.WATCH, Cost.SETTING, rules_watch.not_seen),
    "no_contacts": Rule(Axis.WATCH, Cost.SETTING, rules_watch.no_contacts),
    "services_unwatched": Rule(Axis.WATCH, Cost.SETTING, rules_watch.services_unwatched),
    "no_broker": Rule(Axis.WATCH, Cost.SETTING, rules_watch.no_broker),
    "broker_on_site": Rule(Axis.WATCH, Cost.SUBSCRIPTION, rules_watch.broker_on_site),
    "clock_unset": Rule(Axis.WATCH, Cost.SETTING, rules_watch.clock_unset),
    "agent_old": Rule(Axis.WATCH, Cost.SETTING, rules_watch.agent_old),
}
"""In the order in which weak points of equal weight are told."""
