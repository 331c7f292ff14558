"""Services of a configuration: what the core must know of them, and what people are told of each."""

from __future__ import annotations

from collections.abc import Iterator

from agent.config.schema import Config
from agent.config.schema_service import Service
from agent.config.words import Words, say
from agent.core.service_words import ServiceKind, ServiceSpec


def service_specs(config: Config) -> tuple[ServiceSpec, ...]:
    """The services as the core knows them, in the order of the file."""
    return tuple(
        ServiceSpec(
            service.name,
            service.label,
            ServiceKind(service.kind),
            place(service),
            service.every_s,
            max(service.every_s, service.every_metered_s),
        )
        for service in config.service
    )


def place(service: Service) -> str:
    """Whom it is asked of, in few characters."""
    told = f"{service.host}:{service.port}"
    match service.kind:
        case "sip":
            return f"{told} {service.transport}"
        case "https" if service.path != "/":
            return f"{told}{service.path}"
        case "dns":
            return f"{told} {service.question}"
    return told


def asked_services(config: Config) -> Iterator[Words]:
    """A line for each service: what is asked of whom, and how often."""
    for service in config.service:
        yield say(
            f"asked_{service.kind}",
            name=service.name,
            place=place(service),
            every=f"{service.every_s:g}",
            metered=f"{service.every_metered_s:g}",
        )
