"""``[failover]`` as the core wants it."""

from __future__ import annotations

from agent.config.schema import Config
from agent.core.failover_rules import FailoverRules


def failover_rules(config: Config) -> FailoverRules:
    """What the core must know of ``[failover]``."""
    given = config.failover
    return FailoverRules(
        path_targets=config.uplink[0].targets if given.mode == "observe" else (),
        expect_s=given.expect_s,
        by_hand=(given.by_hand or "").rstrip(" ."),
        priority=given.priority,
        fail_back_after_s=given.fail_back_after_s,
        fail_back_closed=given.fail_back_when == "closed",
        proof_every_s=given.proof_every_s,
        proof_every_metered_s=given.proof_every_metered_s,
        names=bool(config.checks.names),
        pages=bool(config.checks.web),
    )
