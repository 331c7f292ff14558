"""From the configuration to what the probes are told to ask."""

from __future__ import annotations

from pathlib import Path

from agent.config.effective import checks_s
from agent.config.forms import WEB_PAGE
from agent.config.schema import Config
from agent.core.service_words import ServiceKind
from agent.probes.checker import CheckPlan, Questions
from agent.probes.icmp import ProbePlan
from agent.probes.services.asker import Exit
from agent.probes.services.plan import ServicePlan, Transport
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


def service_plans(config: Config) -> list[ServicePlan]:
    """How each service is asked."""
    return [
        ServicePlan(
            name=service.name,
            kind=ServiceKind(service.kind),
            # A certificate is for the name without the dot that ends it.
            host=service.host.removesuffix("."),
            port=service.port,
            transport=Transport(service.transport),
            path=service.path,
            status=service.status,
            question=service.question or "",
            ca_file=None if service.ca_file is None else Path(service.ca_file),
        )
        for service in config.service
    ]


def exits(config: Config) -> list[Exit]:
    """The ways that services are asked through."""
    return [Exit(one.name, one.interface, one.source, one.gateway) for one in config.uplink]


def questions(config: Config) -> Questions:
    """What is asked through each uplink beyond echoes."""
    checks = config.checks
    return Questions(checks.names, checks.name_servers, tuple(_page(text) for text in checks.web))


def _page(text: str) -> Page:
    match = WEB_PAGE.fullmatch(text)
    assert match is not None, "the configuration lets only pages through"
    port = USUAL_PORT if match["port"] is None else int(match["port"])
    return Page(match["host"], match["path"] or "/", port, match["body"])
