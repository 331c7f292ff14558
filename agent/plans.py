"""From the configuration to what the probes are told to ask."""

from __future__ import annotations

from agent.config.effective import checks_s
from agent.config.forms import WEB_PAGE
from agent.config.schema import Config
from agent.probes.checker import CheckPlan, Questions
from agent.probes.icmp import ProbePlan
from agent.probes.web import USUAL_PORT, Page


def probe_plans(config: Config) -> list[ProbePlan]:
    """How each uplink is watched by echoes."""
    return [
        ProbePlan(
            uplink=uplink.name,
            interface=uplink.interface,
            targets=tuple(uplink.targets),
            source=uplink.source,
            gateway=uplink.gateway,
            interval_s=uplink.interval_s,
            timeout_s=uplink.timeout_s,
        )
        for uplink in config.uplink
    ]


def check_plans(config: Config) -> list[CheckPlan]:
    """How each uplink is checked beyond echoes; where data costs money, more seldom."""
    return [
        CheckPlan(
            uplink=uplink.name,
            interface=uplink.interface,
            targets=tuple(uplink.targets),
            every_s=checks_s(config, uplink),
            source=uplink.source,
            gateway=uplink.gateway,
        )
        for uplink in config.uplink
    ]


def questions(config: Config) -> Questions:
    """What is asked through each uplink beyond echoes."""
    checks = config.checks
    return Questions(checks.names, checks.name_servers, tuple(_page(text) for text in checks.web))


def _page(text: str) -> Page:
    match = WEB_PAGE.fullmatch(text)
    assert match is not None, "the configuration lets only pages through"
    port = USUAL_PORT if match["port"] is None else int(match["port"])
    return Page(match["host"], match["path"] or "/", port, match["body"])
